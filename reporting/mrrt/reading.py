"""An MRRT template as it comes from anywhere -> what it means. What is broken is mended and said; nothing active
survives."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Any

from reporting.mrrt import schema as shapes
from reporting.mrrt import words
from reporting.mrrt.attributes import Attributes, read_attributes
from reporting.mrrt.body import Body
from reporting.mrrt.document import IDENTIFIER, KEPT, METADATA, VALUE, Document
from reporting.mrrt.fields import Assembled, assemble
from reporting.mrrt.notes import Notes, Unusable, quoted
from reporting.mrrt.schema import LANGUAGE, TITLE, Schema
from reporting.mrrt.tree import Node, attribute, cut_deep, element_with, elements, has, line_of, parse, text_of
from reporting.mrrt.walking import SectionDraft
from reporting.mrrt.writing import WRITTEN_HERE, write

ATTRIBUTES = 400_000
"""Characters of template attributes that are looked at."""


@dataclass(frozen=True, slots=True)
class Read:
    """A template that was read. `html` is how it is written here; `repairs` and `dropped` are sentences with their
    place."""

    document: Document
    html: str
    repairs: tuple[str, ...]
    dropped: tuple[str, ...]

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON."""
        made: dict[str, Any] = shapes.to_json(self.document.schema)
        return made

    @property
    def title(self) -> str:
        return self.document.schema.title

    @property
    def identifier(self) -> str:
        return self.document.identifier

    @property
    def language(self) -> str:
        return self.document.schema.language

    @property
    def sha256(self) -> str:
        """Of `html` in UTF-8."""
        return hashlib.sha256(self.html.encode()).hexdigest()


def read(html: str, name: str = "") -> Read:
    """What the template in `html` means; `name` is what it is called where it says no title. Raises Unusable."""
    clean = words.lines(html, len(html))
    root = parse(clean)
    notes = Notes(exact=any(attribute(one, WRITTEN_HERE[0]) == WRITTEN_HERE[1] for one in _bodies(root)))
    cut_deep(root, notes)
    found = _attributes(root, clean, notes)
    if found is None:
        raise Unusable(
            ['there are no template attributes: the <script type="text/xml"> that says what a template is for']
        )
    if found.problems:
        raise Unusable(found.problems[:20])
    head = _Head(root, notes, name)
    body = Body(_body(root), notes)
    made = assemble(_worth_keeping(body.sections, notes), found.coded, notes)
    document = Document(
        schema=Schema(head.title, head.language, made.sections),
        identifier=head.identifier or _own_identifier(made, head.title, notes),
        metadata=head.metadata,
        status=found.status,
        top_level=found.top_level,
        terms=tuple(found.terms),
    )
    wrong = shapes.problems(document.schema)
    if wrong:
        raise Unusable(wrong[:20])
    return Read(document, write(document), notes.repairs, notes.drops)


def _bodies(root: Node) -> list[Node]:
    return [one for one in elements(root) if one.name == "body"][:1]


def _body(root: Node) -> Node:
    body = element_with(root, "body")
    if body is None:
        raise Unusable(["there is no body"])
    return body


def _worth_keeping(sections: list[SectionDraft], notes: Notes) -> list[SectionDraft]:
    """Sections with something in them, those in which others stand, and what is said to be filled in."""
    if not any(section.drafts or section.prose for section in sections):
        raise Unusable(["there is nothing in it to fill in or to read: no field and no text in any section"])
    return sections


# --- the head


class _Head:
    """Title, identifier, language and the Dublin Core of the head."""

    def __init__(self, root: Node, notes: Notes, name: str) -> None:
        self.notes = notes
        self.said: dict[str, str] = {}
        self.metadata: tuple[tuple[str, str], ...] = ()
        self._read_metas(root)
        own = element_with(root, "title")
        self.title = self._title(words.line(text_of(own), TITLE) if own is not None else "", words.line(name, TITLE))
        self.identifier = self._identifier()
        self.language = self._language(root)
        if self.said.get("type", "IMAGE_REPORT_TEMPLATE") != "IMAGE_REPORT_TEMPLATE":
            notes.repaired(None, f"dcterms.type is {quoted(self.said['type'])}; it is written as IMAGE_REPORT_TEMPLATE")

    def _read_metas(self, root: Node) -> None:
        kept: list[tuple[str, str]] = []
        for node in elements(root):
            if node.name in ("link", "style", "base") and node.parent is not None and node.parent.name == "head":
                self.notes.dropped(
                    line_of(node), {"style": "a style sheet", "base": "a <base>"}.get(node.name, "a linked file")
                )
            if node.name == "script" and node.parent is not None and node.parent.name == "head":
                if "xml" not in attribute(node, "type").lower():
                    self.notes.dropped(line_of(node), "a script")
                elif has(node, "src"):
                    self.notes.dropped(line_of(node), "the address of template attributes that stand elsewhere")
            if node.name == "meta":
                self._meta(node, kept)
        self.metadata = tuple(kept)

    def _meta(self, node: Node, kept: list[tuple[str, str]]) -> None:
        if has(node, "http-equiv") and attribute(node, "http-equiv").strip().lower() != "content-type":
            self.notes.dropped(
                line_of(node), f"the <meta> {quoted(attribute(node, 'http-equiv'), 20)}, which steers browsers"
            )
            return
        name = attribute(node, "name").strip().lower()
        if name in ("", "generator", "viewport") or has(node, "charset"):
            return
        short = name.removeprefix("dcterms.").removeprefix("dc.")
        value = words.line(attribute(node, "content"), VALUE)
        if short == name:
            self.notes.dropped(line_of(node), f"the <meta> {quoted(name, 30)}")
        elif short in ("title", "identifier", "language", "type"):
            self.said.setdefault(short, value)
        elif short not in KEPT:
            self.notes.dropped(line_of(node), f"the <meta> {quoted(name, 30)}")
        elif value and len(kept) < METADATA:
            kept.append((short, value))

    def _title(self, own: str, name: str) -> str:
        said = self.said.get("title", "")[:TITLE]
        if said and own and said != own:
            self.notes.repaired(
                None, f"the page is called {quoted(own)} and the template {quoted(said)}; the latter is taken"
            )
        if not said and (own or name):
            self.notes.repaired(None, f"it says no dcterms.title; it is called {quoted(own or name)}")
        if not (said or own or name):
            self.notes.repaired(None, "it has no title")
        return said or own or name or "Untitled"

    def _identifier(self) -> str:
        said = self.said.get("identifier", "")
        plain = re.sub(r"[^A-Za-z0-9._:/\-~+@]+", "-", said).strip("-/")[:IDENTIFIER]
        if plain != said:
            self.notes.repaired(None, f"the identifier {quoted(said)} is written as {quoted(plain)}")
        return plain

    def _language(self, root: Node) -> str:
        page = element_with(root, "html")
        said = self.said.get("language", "") or (attribute(page, "lang") if page is not None else "")
        plain = said.replace("_", "-")[:16]
        if LANGUAGE.fullmatch(plain):
            return plain
        what = f"the language {quoted(said)} is none" if said else "it does not say its language"
        self.notes.repaired(None, f"{what}; English is taken")
        return "en"


def _own_identifier(made: Assembled, title: str, notes: Notes) -> str:
    """One made of the content: the same template is given the same again (PS3.5 B.2: 2.25 and a number)."""
    digest = hashlib.sha256(repr((title, made.sections)).encode()).digest()
    notes.repaired(None, "it has no dcterms.identifier; one is made of its content")
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


# --- the template attributes


def _attributes(root: Node, html: str, notes: Notes) -> Attributes | None:
    """Those in a script; else in a comment; else wherever the words stand."""
    found = _in_scripts(root) or _in_comments(root)
    if not found and (place := re.search(r"<template_attributes[\s>/]", html, re.IGNORECASE)):
        notes.repaired(
            html.count("\n", 0, place.start()) + 1, 'the template attributes stand in no <script type="text/xml">'
        )
        found = [(html[place.start() :].partition("</template_attributes>")[0], html.count("\n", 0, place.start()) + 1)]
    if not found:
        return None
    if len(found) > 1:
        notes.dropped(found[1][1], "a second set of template attributes")
    text, line = found[0]
    if "<!--" in text or "-->" in text:
        notes.repaired(line, "the template attributes stand in a comment")
        text = text.replace("<!--", "    ").replace("-->", "   ")
    if len(text) > ATTRIBUTES:
        notes.dropped(line, f"template attributes after the first {ATTRIBUTES:,} characters")
    return read_attributes(text[:ATTRIBUTES], line, notes)


def _in_scripts(root: Node) -> list[tuple[str, int]]:
    texts = [(text_of(one), line_of(one) or 1) for one in elements(root) if one.name == "script"]
    return [(text, line) for text, line in texts if "<template_attributes" in text.lower()]


def _in_comments(root: Node) -> list[tuple[str, int]]:
    comments = [(f"<!--{one.data or ''}", line_of(one) or 1) for one in elements(root) if one.name == "#comment"]
    return [(text, line) for text, line in comments if "<template_attributes" in text.lower()]


def again(document: Document, **changes: Any) -> Read:
    """A document with changes, written anew."""
    changed = replace(document, **changes)
    return Read(changed, write(changed), (), ())
