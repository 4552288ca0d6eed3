"""The body of a template: walked once in the order of the file; sections and fields are picked up, everything else is
named.

Words are kept in hand until they find their use: as the label of the next field, the head of a row or a column, or a
heading over what follows. Words without a use are listed as left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

from reporting.mrrt import words
from reporting.mrrt.controls import Draft, add_option, common, draft_of, option_words
from reporting.mrrt.notes import Notes, Words, quoted
from reporting.mrrt.schema import FIELDS, LABEL, OPTION, SECTIONS, TITLE
from reporting.mrrt.tree import (
    Node,
    attribute,
    elements,
    has,
    is_element,
    is_text,
    line_of,
    text_of,
)

ACTIVE = {
    **{
        "script": "a script",
        "style": "a style sheet",
        "link": "a linked file",
        "iframe": "a frame",
        "frame": "a frame",
    },
    **{
        "frameset": "frames",
        "object": "an embedded object",
        "embed": "an embedded object",
        "applet": "an embedded object",
    },
    **{"img": "a picture", "picture": "a picture", "svg": "a drawing", "math": "a formula", "video": "a video"},
    **{
        "audio": "a sound",
        "canvas": "a drawing",
        "template": "a <template>",
        "noscript": "a <noscript>",
        "base": "a <base>",
    },
    **{"meta": "a <meta> in the body", "title": "a <title> in the body", "map": "a map of links", "dialog": "a dialog"},
    **{
        "portal": "a frame",
        "marquee": "moving text",
        "plaintext": "plain text",
        "xmp": "plain text",
        "source": "a sound",
    },
}
"""What is never taken over, and what it is called. With it goes all that stands in it."""
ADDRESSES = frozenset(
    {
        "href",
        "src",
        "action",
        "formaction",
        "srcset",
        "data",
        "poster",
        "background",
        "cite",
        "ping",
        "srcdoc",
        "xlink:href",
    }
)
CONTROLS = frozenset({"input", "select", "textarea", "button", "output", "meter", "progress", "keygen"})
BLOCKS = frozenset(
    {
        *(
            "p",
            "div",
            "tr",
            "td",
            "th",
            "li",
            "ul",
            "ol",
            "dl",
            "dt",
            "dd",
            "table",
            "tbody",
            "thead",
            "tfoot",
            "fieldset",
        ),
        *(
            "article",
            "aside",
            "main",
            "nav",
            "footer",
            "form",
            "blockquote",
            "pre",
            "center",
            "address",
            "details",
            "caption",
        ),
    }
)
HEADINGS = frozenset({"header", "h1", "h2", "h3", "h4", "h5", "h6", "legend", "caption", "dt", "summary"})


@dataclass(slots=True)
class SectionDraft:
    """A section while it is read."""

    raw_id: str
    name: str
    english: str
    level: int
    required: bool
    line: int | None
    title: str = ""
    drafts: list[Draft] = field(default_factory=list)
    prose: list[Words] = field(default_factory=list)
    """Words that belong to no field, and headings over fields: these may yet be part of a label."""
    implied: bool = False


@dataclass(slots=True)
class _Table:
    heads: list[Words] = field(default_factory=list)
    """Of its columns."""
    cells: list[Words | None] = field(default_factory=list)
    """Of the row at hand: its words where it has no control."""
    column: int = 0


class Body:
    """Reads a body into `sections`."""

    def __init__(self, root: Node, notes: Notes) -> None:
        self.notes = notes
        self.sections: list[SectionDraft] = []
        self.open: list[SectionDraft] = []
        self.tables: list[_Table] = []
        self.hand: list[Words] = []
        """Words since the last control or block."""
        self.lead: Words | None = None
        """A label without a field of its own, at the head of a line."""
        self.heading: Words | None = None
        self.beside: Words | None = None
        """The label of the field before, in the same block."""
        self.behind_number = False
        self.proper: set[int] = set()
        """Labels that belong to a field."""
        self.spent: set[int] = set()
        """Texts and choices that were used ahead of their turn."""
        self.labels = self._labels(root)
        everything = list(elements(root))
        self.datalists = {
            attribute(one, "id"): one for one in everything if one.name == "datalist" and attribute(one, "id")
        }
        self.lists_named = {attribute(one, "list") for one in everything if has(one, "list")}
        self.alike = _alike(everything)
        self.after = _after(root)
        self.fields = 0
        self.element_code = ""
        """Of the block at hand: the data element of radelement.org that it links to."""
        for page in (root.parent, root):
            if page is not None and is_element(page):
                self.look_at_attributes(page)
        self.visit(root)
        self.let_go()

    def _labels(self, root: Node) -> dict[str, Node]:
        """Labels by the id they are for; those that name a field by its name instead are mended."""
        controls = [one for one in elements(root) if one.name in CONTROLS or has(one, "data-field-type")]
        ids = {attribute(one, "id") for one in controls} - {""}
        names = {attribute(one, "name"): one for one in reversed(controls)}
        found: dict[str, Node] = {}
        for one in elements(root):
            target = attribute(one, "for") if one.name == "label" else ""
            if not target:
                continue
            if target not in ids and target in names:
                self.notes.repaired(
                    line_of(one), f"the label for {quoted(target)} names a field by its name, not by its id"
                )
                target = attribute(names[target], "id") or target
            if target in ids or target in names:
                found.setdefault(target, one)
        self.proper = {id(one) for one in found.values()}
        return found

    # --- walking

    def visit(self, node: Node) -> None:
        for child in list(node.children or ()):
            if is_text(child):
                if id(child) not in self.spent:
                    self.say(str(child.data or ""), line_of(child))
            elif is_element(child):
                self.element(child)

    def element(self, node: Node) -> None:
        self.look_at_attributes(node)
        if node.name in ACTIVE:
            self.notes.dropped(line_of(node), ACTIVE[node.name])
        elif node.name == "section":
            self.section(node)
        elif node.name in HEADINGS:
            self.headed(node)
        elif node.name == "label":
            self.label(node)
        elif attribute(node, "data-field-type") and node.name not in CONTROLS:
            self.group(node)
        elif node.name in CONTROLS:
            self.control(node)
        elif node.name in ("datalist", "option", "optgroup"):
            self.stray(node)
        else:
            self.ordinary(node)

    def ordinary(self, node: Node) -> None:
        if node.name == "table":
            self.table(node)
        elif node.name == "tr" and self.tables:
            self.row(node)
        elif node.name in ("td", "th") and self.tables:
            self.cell(node)
        elif node.name in BLOCKS:
            self.block_ends()
            outer, self.element_code = self.element_code, self.linked(node) or self.element_code
            self.visit(node)
            self.block_ends()
            self.element_code = outer
        elif node.name in ("br", "hr"):
            self.lead, self.behind_number = None, False
        else:
            self.visit(node)

    def linked(self, node: Node) -> str:
        """A data element of radelement.org, which exports of RadReport name in the title of a block."""
        said = attribute(node, "title").strip()
        found = re.fullmatch(r"https?://(?:www\.)?radelement\.org/\S*?(RDES?[0-9]{1,8})/?", said)
        if found:
            self.notes.repaired(line_of(node), f"the address of a data element is taken as its code {found[1]}")
            return found[1]
        if said:
            self.notes.dropped(line_of(node), f"the hint {quoted(said)}")
        return ""

    def stray(self, node: Node) -> None:
        if attribute(node, "id") not in self.lists_named or node.name != "datalist":
            self.notes.dropped(line_of(node), f"a <{node.name}> that belongs to no field")

    def look_at_attributes(self, node: Node) -> None:
        for name in node.attrs or {}:
            small = name.lower()
            if small.startswith("on"):
                self.notes.dropped(line_of(node), f"{quoted(name, 30)} of <{node.name}>, which would run a script")
            elif small == "style":
                self.notes.dropped(line_of(node), f"a style of <{node.name}>")
            elif small in ADDRESSES:
                self.notes.dropped(line_of(node), f"the address in {quoted(name, 30)} of <{node.name}>")
        if node.name in CONTROLS and attribute(node, "title").strip():
            self.notes.dropped(line_of(node), f"the hint {quoted(attribute(node, 'title'))}")

    # --- sections

    def section(self, node: Node) -> None:
        self.let_go()
        if len(self.sections) >= SECTIONS:
            self.notes.dropped(line_of(node), f"a section: there are more than {SECTIONS}")
            return
        made = SectionDraft(
            raw_id=attribute(node, "id"),
            name=words.line(attribute(node, "data-section-name"), TITLE),
            english="",
            level=len(self.open) + 1,
            required=attribute(node, "data-section-required").strip().lower() in ("true", "1", "yes"),
            line=line_of(node),
        )
        if has(node, "data-x-show-if"):
            self.notes.dropped(made.line, "a condition on a section; conditions stand on fields")
        self.sections.append(made)
        self.open.append(made)
        self.visit(node)
        self.let_go()
        self.open.pop()

    @property
    def here(self) -> SectionDraft:
        """The section at hand; what stands outside of all gets one of its own."""
        if self.open:
            return self.open[-1]
        if not self.sections or not self.sections[-1].implied:
            self.sections.append(SectionDraft("report", "Report", "", 1, False, None, title="Report", implied=True))
        return self.sections[-1]

    def headed(self, node: Node) -> None:
        """The heading of a section, or one over what follows. A control in it is a control all the same."""
        self.block_ends()
        said = text_of(node, frozenset(ACTIVE) | CONTROLS)
        text = words.line(said, TITLE) if self.notes.exact else words.label(said, TITLE)
        section = self.open[-1] if self.open else None
        if (
            section is not None
            and not section.title
            and not section.drafts
            and node.name not in ("dt", "legend", "caption")
        ):
            section.title = text
            section.english = attribute(node, "data-english")
        elif text:
            self.new_heading(Words(text, line_of(node)))
        for one in elements(node):
            if one.name in CONTROLS or one.name in ACTIVE:
                self.element(one)

    def new_heading(self, said: Words) -> None:
        self.here.prose.append(said)
        self.heading = said

    # --- words

    def say(self, text: str, line: int | None) -> None:
        plain = words.line(text, 4000)
        if plain:
            self.hand.append(Words(plain, line))

    def block_ends(self) -> None:
        """Words that no field took are the head of their row, or a heading over what follows."""
        said = " ".join(one.text for one in self.hand)
        if self.lead is not None and not self.lead.used:
            said = f"{self.lead.text} {said}".strip()
        line = self.hand[0].line if self.hand else None
        self.hand, self.lead, self.beside, self.behind_number = [], None, None, False
        if not said:
            return
        if self.tables and self.tables[-1].cells:
            cells = self.tables[-1].cells
            held = cells[-1]
            cells[-1] = Words(f"{held.text} {said}" if held else said, line)
        else:
            self.new_heading(Words(said, line))

    def let_go(self) -> None:
        self.block_ends()
        self.heading = None

    def label(self, node: Node) -> None:
        """A label of a field is asked for by the field; one around a control, or for none, is words in place."""
        target = attribute(node, "for")
        inside = [one for one in elements(node) if one.name in CONTROLS]
        if inside:
            text = words.label(text_of(node, CONTROLS | frozenset(ACTIVE)), LABEL)
            for one in inside:
                self.look_at_attributes(one)
                self.control(one, text)
        elif id(node) in self.proper:
            said = words.label(text_of(node), LABEL)
            self.beside = Words(said, line_of(node), used=True)
            if self.tables and self.tables[-1].cells == [None]:
                self.tables[-1].cells[0] = self.beside
        else:
            if target:
                self.notes.repaired(
                    line_of(node), f"a label for {quoted(target)}, which is not there, is taken as words"
                )
            text = words.label(text_of(node), LABEL)
            if self.lead is not None and not self.lead.used:
                self.say(self.lead.text, self.lead.line)
            self.lead = Words(text, line_of(node)) if text else None

    # --- tables

    def table(self, node: Node) -> None:
        self.block_ends()
        self.tables.append(_Table())
        self.visit(node)
        self.block_ends()
        self.tables.pop()

    def row(self, node: Node) -> None:
        table = self.tables[-1]
        table.cells, table.column = [], 0
        before = len(self.here.drafts) if self.sections else 0
        inside = any(one.name in CONTROLS or has(one, "data-field-type") for one in elements(node))
        self.visit(node)
        self.block_ends()
        said = [one for one in table.cells if one is not None]
        if not inside and len(said) > 1:
            for head in table.heads:
                self.unused(head)
            table.heads = [one or Words("", None, used=True) for one in table.cells]
        elif not inside and said:
            table.cells = []
            self.new_heading(said[0])
        elif len(self.here.drafts) == before or any(not one.used for one in said):
            for one in said:
                self.unused(one)
        table.cells = []

    def unused(self, said: Words) -> None:
        if not said.used and said.text.strip(" -–—:"):
            self.here.prose.append(said)
            said.used = True

    def cell(self, node: Node) -> None:
        self.block_ends()
        table = self.tables[-1]
        table.cells.append(None)
        self.visit(node)
        self.block_ends()
        table.column += 1

    # --- fields

    def chain(self, labelled: bool) -> list[Words]:
        """The words around this place, from the outside in: heads of rows, head of the column, line, words before."""
        found: list[Words] = []
        for depth, table in enumerate(self.tables):
            found += [one for one in table.cells[:1] if one is not None]
            if depth == len(self.tables) - 1:
                within = [one for one in table.cells[1:] if one is not None]
                found += within[-1:]
                if table.column and len(table.heads) > table.column:
                    found.append(table.heads[table.column])
        if self.lead is not None:
            found.append(self.lead)
        elif self.beside is not None and not labelled and self.beside not in found:
            found.append(self.beside)
        said = " ".join(one.text for one in self.hand)
        if said:
            found.append(Words(said, self.hand[0].line))
        return [one for one in found if words.label(one.text, LABEL)]

    def control(self, node: Node, label: str = "") -> None:
        if id(node) in self.spent:
            return
        if node.name == "input" and attribute(node, "type").strip().lower() == "radio":
            self.choices(node, attribute(node, "name"))
            return
        if node.name not in ("input", "select", "textarea"):
            self.notes.dropped(line_of(node), f"a <{node.name}>, which is no field of a report")
            return
        if node.name == "input" and self.belongs_to_others(node):
            self.choices(node, attribute(node, "name"))
            return
        made = draft_of(node, self.notes)
        if made is None:
            return
        self.suggest(made)
        self.name(made, label or self.label_of(node))
        self.behind(made)

    def label_of(self, node: Node) -> str:
        held = self.labels.get(attribute(node, "id") or attribute(node, "name"))
        return self.words_of(held, LABEL) if held is not None else ""

    def words_of(self, node: Node, longest: int) -> str:
        """What a label says; without the colon at its end, unless it was written here."""
        return (words.line if self.notes.exact else words.label)(text_of(node), longest)

    def name(self, made: Draft, label: str) -> None:
        """Put a field into its section, with the words that tell what it is."""
        if not label and made.type == "checkbox" and not self.hand:
            label = self.text_behind(made.node)
        around = self.chain(bool(label))
        if label and self.hand:
            for one in self.hand:
                self.unused(one)
            around = around[:-1]
        for one in around:
            one.used = True
        said = [words.label(one.text, LABEL) for one in around]
        if not label and self.hand and self.behind_number and len(said) > 1 and not self.hand[-1].text.endswith(":"):
            said[-2:] = [f"{said[-2]}: {said[-1]}"]  # words behind a number say more about it than about what follows
        own = label or ("" if said else self.spare_label(made))
        made.chain = [*said, own] if own else said
        if made.type == "checkbox" and made.chain:
            made.chain = [": ".join(dict.fromkeys(made.chain))]
        if self.heading is not None and made.chain:
            made.chain.insert(0, words.label(self.heading.text, LABEL))
            made.heading = self.heading
        self.hand = []
        self.beside = Words(made.chain[-1], made.line, used=True) if made.chain else None
        self.behind_number = made.type == "number"
        if self.notes.exact:
            made.chain, made.heading = [label], None
        made.element_code = self.element_code
        if not self.open:
            self.notes.repaired(made.line, f"field {made.name} stands in no section; it is put into “Report”")
        self.keep(made)

    def keep(self, made: Draft) -> None:
        self.fields += 1
        if self.fields > FIELDS:
            self.notes.dropped(made.line, f"field {made.name}: there are more than {FIELDS}")
        else:
            self.here.drafts.append(made)

    def spare_label(self, made: Draft) -> str:
        said = next(
            (attribute(made.node, name) for name in ("aria-label", "placeholder") if attribute(made.node, name)), ""
        )
        return words.label(said, LABEL)

    def text_behind(self, node: Node) -> str:
        """The words right behind a choice."""
        after = self.after.get(id(node))
        if after is None or not is_text(after):
            return ""
        self.spent.add(id(after))
        return words.label(str(after.data or ""), LABEL)

    def behind(self, made: Draft) -> None:
        """A unit written behind a number is its unit."""
        after = self.after.get(id(made.node))
        if made.type != "number" or after is None or not is_text(after) or self.notes.exact:
            return
        text = words.line(str(after.data or ""), 200)
        found = words.unit_in(text)
        if not found:
            return
        if not made.units:
            made.units = found
            self.notes.repaired(made.line, f"the unit {found} of a number is taken from the words behind it")
        self.spent.add(id(after))
        rest = text.split(maxsplit=1)[1:]
        if rest:
            self.say(rest[0], line_of(after))

    def suggest(self, made: Draft) -> None:
        """What a datalist offers. A list that may also be typed over stays free text, so that nothing that could be
        written is lost."""
        listed = self.datalists.get(attribute(made.node, "list"))
        if listed is None:
            if has(made.node, "list"):
                self.notes.dropped(
                    made.line, f"field {made.name}: its list {quoted(attribute(made.node, 'list'))} is not there"
                )
            return
        self.spent.add(id(listed))
        for one in elements(listed):
            if one.name == "option":
                value, label = option_words(one)
                add_option(made, value or label, value or label, attribute(one, "id"), line_of(one), self.notes)
        made.suggestions = [value for value, _, _ in made.options]
        if made.type not in ("text", "textarea"):
            made.options, made.suggestions = [], []
            self.notes.dropped(made.line, f"field {made.name}: its list of suggestions, which its type does not know")

    # --- several choices as one field

    def belongs_to_others(self, node: Node) -> bool:
        """Is it one of several checkboxes of one name, each with a value of its own?"""
        name = attribute(node, "name")
        if attribute(node, "type").strip().lower() != "checkbox" or not name:
            return False
        return len(self.same_name(node, name)) > 1

    def same_name(self, node: Node, name: str) -> list[Node]:
        """Those that belong together with it: checkboxes only where each has a value of its own."""
        kind = attribute(node, "type").strip().lower()
        found = self.alike.get((kind, name), [])
        if kind == "checkbox" and len({attribute(one, "value") for one in found} - {""}) < len(found):
            return []
        return found

    def choices(self, node: Node, name: str) -> None:
        """Radio buttons or checkboxes of one name: one field."""
        several = attribute(node, "type").strip().lower() == "checkbox"
        members = self.same_name(node, name) if name else [node]
        made = Draft(node, "selection", name or attribute(node, "id"), line_of(node))
        common(made, node, self.notes)
        self.fill(made, members or [node], several)
        if made.options:
            self.name(made, "")
        else:
            self.notes.dropped(made.line, f"field {made.name}: it offers nothing to choose")

    def group(self, node: Node) -> None:
        """An element that says it is a field and holds its choices, or a value to merge."""
        inside = [one for one in elements(node) if one.name in CONTROLS]
        boxes = [one for one in inside if attribute(one, "type").strip().lower() in ("checkbox", "radio")]
        if not boxes:
            if inside:
                self.notes.repaired(line_of(node), f"the field type of <{node.name}> is asked of the fields in it")
                self.visit(node)
            else:
                self.merge_place(node)
            return
        several = attribute(boxes[0], "type").strip().lower() == "checkbox"
        made = Draft(node, "selection", attribute(node, "id"), line_of(node))
        made.raw_id = made.raw_id or attribute(boxes[0], "name")
        common(made, node, self.notes)
        for one in elements(node):
            self.look_at_attributes(one)
        self.fill(made, boxes, several)
        self.name(made, self.label_of(node))
        self.twins(made, node, inside, boxes)

    def merge_place(self, node: Node) -> None:
        made = Draft(node, "merge", attribute(node, "id"), line_of(node))
        common(made, node, self.notes)
        made.default = words.line(text_of(node), OPTION)
        self.name(made, self.label_of(node))

    def fill(self, made: Draft, members: list[Node], several: bool) -> None:
        chosen: list[str] = []
        if several:
            self.notes.repaired(
                made.line, "checkboxes that belong together are a SELECTION_LIST of which several may be chosen"
            )
        for one in members:
            self.spent.add(id(one))
            held = self.labels.get(attribute(one, "id"))
            behind = "" if held is not None else self.text_behind(one)
            label = self.words_of(held, OPTION) if held is not None else behind
            value = words.line(attribute(one, "value"), OPTION) or label
            taken = add_option(made, value, label or value, attribute(one, "id"), line_of(one), self.notes)
            if taken and has(one, "checked"):
                chosen.append(taken)
        made.multiple = several
        made.default = tuple(dict.fromkeys(chosen)) if several else (chosen[-1] if chosen else "")

    def twins(self, made: Draft, node: Node, inside: list[Node], boxes: list[Node]) -> None:
        """A free text beside one of the choices is a field of its own, asked for when that choice is made."""
        for one in inside:
            if one in boxes:
                continue
            self.spent.add(id(one))
            twin = draft_of(one, self.notes)
            if twin is None:
                continue
            beside = next(
                (box for box in boxes if attribute(box, "id") and twin.raw_id.startswith(attribute(box, "id"))), None
            )
            option = next(
                (said for said in made.options if beside is not None and said[2] == attribute(beside, "id")), None
            )
            if option is not None:
                twin.twin_of = (made.raw_id, option[0])
                twin.default = "" if twin.default in option[:2] else twin.default
                self.notes.repaired(twin.line, f"the free text {twin.name} is shown when “{option[1]}” is chosen")
            twin.chain = [*made.chain, option[1] if option else ""]
            twin.heading = made.heading
            self.keep(twin)


def _after(root: Node) -> dict[int, Node]:
    """What stands right behind each node beside it."""
    found: dict[int, Node] = {}
    for parent in (root, *elements(root)):
        found.update((id(one), following) for one, following in pairwise(parent.children or ()))
    return found


def _alike(nodes: list[Node]) -> dict[tuple[str, str], list[Node]]:
    """Radio buttons and checkboxes by type and name."""
    found: dict[tuple[str, str], list[Node]] = {}
    for one in nodes:
        kind = attribute(one, "type").strip().lower() if one.name == "input" else ""
        if kind in ("radio", "checkbox") and attribute(one, "name"):
            found.setdefault((kind, attribute(one, "name")), []).append(one)
    return found
