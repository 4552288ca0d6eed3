"""The file as a browser would read it (WHATWG HTML, by JustHTML), within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from justhtml import JustHTML

from reporting.mrrt.notes import Notes, Unusable

LONGEST = 1_000_000
"""Characters of one template; the largest that societies publish hold a tenth."""
DEEPEST = 120
NODES = 60_000

Node = Any
"""An element, a text or a comment: `name`, `attrs`, `data`, `children`, `parent`, `origin_line`."""


def parse(html: str) -> Node:
    """The root of the tree. Raises Unusable for what is too large to be a template."""
    if len(html) > LONGEST:
        raise Unusable([f"it is larger than {LONGEST:,} characters"])
    tags = html.count("<")
    if tags > NODES:
        raise Unusable([f"it holds more than {NODES:,} tags"])
    return JustHTML(html, sanitize=False, track_node_locations=True).root


def elements(root: Node) -> Iterator[Node]:
    """Every element and comment below `root` in document order, however deep."""
    waiting = list(reversed(root.children or ()))
    while waiting:
        node = waiting.pop()
        if not is_text(node):
            yield node
            waiting.extend(reversed(node.children or ()))


def is_text(node: Node) -> bool:
    return bool(node.name == "#text")


def is_element(node: Node) -> bool:
    return not str(node.name).startswith(("#", "!"))


def attribute(node: Node, name: str) -> str:
    """An attribute's text; empty where there is none."""
    return str((node.attrs or {}).get(name) or "")


def has(node: Node, name: str) -> bool:
    return name in (node.attrs or {})


def text_of(node: Node, without: frozenset[str] = frozenset()) -> str:
    """All text below a node, as it stands; elements named in `without` are passed over, line breaks are spaces."""
    parts: list[str] = []
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if is_text(one):
            parts.append(str(one.data or ""))
        elif one.name == "br":
            parts.append(" ")
        elif one is node or (is_element(one) and one.name not in without):
            waiting.extend(reversed(one.children or ()))
    return "".join(parts)


def line_of(node: Node) -> int | None:
    return node.origin_line


def element_with(root: Node, name: str) -> Node | None:
    return next((node for node in elements(root) if node.name == name), None)


def cut_deep(root: Node, notes: Notes) -> None:
    """Take out what is nested deeper than anything that a person writes, so that nothing after this has to be afraid
    of it."""
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth == DEEPEST and node.children:
            notes.dropped(line_of(node), f"what is nested more than {DEEPEST} deep")
            for child in list(node.children):
                node.remove_child(child)
        waiting.extend((child, depth + 1) for child in node.children or ())
