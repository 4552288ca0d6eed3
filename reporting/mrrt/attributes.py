"""`template_attributes`: the block in the head that says what a template is for and what its parts are in codes.

It ought to be XML. Real ones stand in comments, leave tags open and write names in small letters, so its tags are read
one after the other and never as XML: there are no entities to expand and nothing to resolve.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from reporting.mrrt import words
from reporting.mrrt.document import SCHEMES, Term
from reporting.mrrt.notes import Notes, quoted
from reporting.mrrt.schema import LABEL, Code

ENTRIES = 3000
TERMS = 20


@dataclass(slots=True)
class Attributes:
    """What the block says. `coded`: id of an element as it is written -> its codes."""

    status: str = ""
    top_level: bool = True
    terms: list[Term] = field(default_factory=list)
    coded: dict[str, list[Code]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    """What makes it unusable."""


def read_attributes(text: str, first_line: int, notes: Notes) -> Attributes:
    """The block in `text`, which begins at this line of the file."""
    reader = _Reader(notes)
    for line, tag, attributes in _pieces(text):
        reader.line = first_line + line
        reader.take(tag, attributes)
    return reader.finished()


_ATTRIBUTE = re.compile(r"""(?<![^\s"'/])([^\s=/"'<>]++)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++)""")
_TAG = re.compile(r"(/?)([A-Za-z][A-Za-z0-9_:\-]{0,60})")


def _pieces(text: str) -> Iterator[tuple[int, str, str]]:
    """(line from 0, what stands before the attributes, the rest) of every tag; of text ("", "", the text)."""
    at = line = 0
    while at < len(text):
        begin = text.find("<", at)
        begin = len(text) if begin < 0 else begin
        if text[at:begin].strip():
            yield line, "", text[at:begin]
        line += text.count("\n", at, begin)
        end = text.find(">", begin)
        if end < 0:
            return
        found = _TAG.match(text, begin + 1, end)
        if found:
            yield line, found[0].lower(), text[found.end() : end]
        line += text.count("\n", begin, end)
        at = end + 1


class _Reader:
    def __init__(self, notes: Notes) -> None:
        self.notes, self.line = notes, 0
        self.found = Attributes()
        self.entry: str | None = None
        self.term = ""
        self.in_entry = self.in_term = self.in_coded = False
        self.collecting = ""
        self.text: list[str] = []
        self.open_code = False
        self.unclosed = 0

    def take(self, tag: str, rest: str) -> None:
        if not tag:
            self.data(rest)
        elif tag.startswith("/"):
            self.end(tag[1:])
        else:
            found = _ATTRIBUTE.finditer(rest)
            self.begin(
                tag, {name.lower(): unescape(value.strip("\"'")) for name, value in (one.groups() for one in found)}
            )
            if rest.rstrip().endswith("/"):
                self.open_code = False
                if tag not in ("code", "coding_scheme"):
                    self.end(tag)

    def begin(self, tag: str, given: dict[str, str]) -> None:
        if self.open_code:
            self.unclosed += 1
            self.open_code = False
        begin = getattr(self, f"begin_{tag.replace('-', '_')}", None)
        if begin is not None:
            begin(given)
        elif tag not in KNOWN:
            self.notes.dropped(self.line, f"<{tag[:40]}> in the template attributes, which means nothing here")

    def end(self, tag: str) -> None:
        if tag != "code" and self.open_code:
            self.unclosed += 1
        self.open_code = False
        if tag == "entry":
            self.in_entry, self.entry = False, None
        elif tag == "term":
            self.in_term, self.term = False, ""
        elif tag == "coded_content":
            self.in_coded = self.in_entry = False
            self.entry = None
        elif tag == self.collecting:
            self.collected(tag, words.line("".join(self.text), 100))
            self.collecting, self.text = "", []

    def data(self, data: str) -> None:
        if self.collecting:
            self.text.append(data)
        elif data.strip(" \t\r\n<>!-"):
            self.notes.dropped(self.line, f"text {quoted(data)} in the template attributes")

    # --- what may stand in it

    def begin_top_level_flag(self, given: dict[str, str]) -> None:
        self.collecting, self.text = "top-level-flag", []

    def begin_status(self, given: dict[str, str]) -> None:
        self.collecting, self.text = "status", []

    def begin_user_list(self, given: dict[str, str]) -> None:
        self.collecting, self.text = "user-list", []

    def begin_provider_group_list(self, given: dict[str, str]) -> None:
        self.collecting, self.text = "provider-group-list", []

    def collected(self, tag: str, said: str) -> None:
        if tag == "status":
            if said.upper() in ("DRAFT", "ACTIVE", "RETIRED"):
                self.found.status = said.upper()
            elif said:
                self.notes.dropped(self.line, f"the status {quoted(said)}, which is none of DRAFT, ACTIVE, RETIRED")
        elif tag == "top-level-flag":
            self.found.top_level = said.lower() not in ("false", "0", "no")
        elif said:
            self.notes.dropped(self.line, f"<{tag}>: who may use a template is decided by roles here")

    def begin_coded_content(self, given: dict[str, str]) -> None:
        self.in_coded = True

    def begin_coding_scheme(self, given: dict[str, str]) -> None:
        name = given.get("name", "").upper().replace("-", "").replace(" ", "")
        if name and name not in SCHEMES and not self.notes.exact:
            self.notes.repaired(
                self.line, f"the coding scheme {quoted(given['name'])} is not known here: kept by its name"
            )

    def begin_entry(self, given: dict[str, str]) -> None:
        name = given.get("origtxt", "").strip()
        self.in_entry, self.in_term = True, False
        self.entry = name or None
        if not name:
            self.notes.dropped(self.line, "an entry that does not say for which element it is (ORIGTXT)")

    def begin_term(self, given: dict[str, str]) -> None:
        self.in_term = True
        self.term = words.line(given.get("type", ""), 40).lower()

    def begin_code(self, given: dict[str, str]) -> None:
        self.open_code = True
        missing = [name for name in ("value", "scheme", "meaning") if not given.get(name, "").strip()]
        if missing:
            said = f"line {self.line}: a code of the template attributes without {' and '.join(missing)}"
            if self.in_entry:
                self.notes.dropped(None, said)
            else:
                self.found.problems.append(said)
            return
        code = self.code(given)
        if self.in_entry:
            self.coded(code)
        elif not self.term:
            self.notes.dropped(self.line, f"the code {quoted(code.value)}, which belongs to no term")
        elif len(self.found.terms) < TERMS and Term(self.term, code) not in self.found.terms:
            self.found.terms.append(Term(self.term, code))

    def coded(self, code: Code) -> None:
        if self.entry is None or len(self.found.coded) >= ENTRIES:
            return
        codes = self.found.coded.setdefault(self.entry, [])
        if code not in codes:
            codes.append(code)

    def code(self, given: dict[str, str]) -> Code:
        value, raw = words.line(given["value"], LABEL), given["scheme"]
        last = re.fullmatch(r"[a-z]+://\S*?/([A-Za-z]*[0-9][A-Za-z0-9\-]*)/?", value)
        if last:
            self.notes.repaired(self.line, f"the code {quoted(value)} is an address: taken as {last[1]}")
            value = last[1]
        return Code(value, scheme_of(raw), words.line(given["meaning"], LABEL))

    def finished(self) -> Attributes:
        if self.unclosed:
            many = f"{self.unclosed} <code> were not closed" if self.unclosed > 1 else "a <code> was not closed"
            self.notes.repaired(None, f"in the template attributes {many}")
        return self.found


KNOWN = frozenset({"template_attributes", "coding_schemes"})


def scheme_of(name: str) -> str:
    """The designator by which we know a coding scheme."""
    plain = re.sub(r"[^A-Z0-9_.]", "", name.upper())[:16]
    by_oid = next((ours for ours, oid in SCHEMES.values() if oid and oid == plain), None)
    return by_oid or SCHEMES.get(plain, (plain or "UNKNOWN", ""))[0]
