"""A walk through the body of a template: where it is, and the words around.

Words are kept in hand until they find their use: as the label of the next field, the head of a row or a column, or a
heading over what follows. Words without a use are listed as left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from reporting.mrrt import words
from reporting.mrrt.controls import Draft
from reporting.mrrt.notes import Notes, Words, quoted
from reporting.mrrt.schema import LABEL, SECTIONS, TITLE
from reporting.mrrt.tags import ACTIVE, ADDRESSES, CONTROLS
from reporting.mrrt.tree import Node, attribute, elements, has, is_element, line_of, text_of


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


class Walk:
    """What is known at a place of the walk: sections, words in hand, the row and column of a table."""

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

    # --- what is done with what is found: `Body`

    def visit(self, node: Node) -> None:
        raise NotImplementedError

    def element(self, node: Node) -> None:
        raise NotImplementedError

    def control(self, node: Node, label: str = "") -> None:
        raise NotImplementedError

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
