"""The body of a template: walked once in the order of the file. Sections and fields are picked up, all else is named."""

from __future__ import annotations

import re

from reporting.mrrt.gathering import Fields
from reporting.mrrt.notes import Notes, quoted
from reporting.mrrt.tags import ACTIVE, BLOCKS, CONTROLS, HEADINGS
from reporting.mrrt.tree import Node, attribute, is_element, is_text, line_of


class Body(Fields):
    """Reads a body into `sections`."""

    def __init__(self, root: Node, notes: Notes) -> None:
        super().__init__(root, notes)
        self.visit(root)
        self.let_go()

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
