"""What is different between two versions of a template, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from reporting.mrrt.document import Document
from reporting.mrrt.schema import Code, Condition, Field, Option, Section
from reporting.mrrt.showing import written

WORDS = {
    "type": "type",
    "label": "label",
    "default": "default",
    "completion": "when it is empty at signing",
    "units": "unit",
    "minimum": "minimum",
    "maximum": "maximum",
    "step": "step",
    "options": "choices",
    "suggestions": "suggestions",
    "merge": "merged with",
    "show_if": "shown if",
    "codes": "codes",
    "spoken": "spoken name",
    "required": "required",
    "multiple": "several may be chosen",
    "title": "title",
    "level": "level",
    "code": "code",
}


def differences(old: Document, new: Document) -> list[str]:
    """Sentences in the order of the new version, then what is gone; none where the two mean the same."""
    found = list(_of_heads(old, new))
    before = {section.id: section for section in old.schema.sections}
    home = {field.id: section.id for section in old.schema.sections for field in section.fields}
    known = {field.id: field for field in old.schema.fields}
    for section in new.schema.sections:
        if section.id not in before:
            found.append(f"Section “{section.title}” is new.")
        else:
            found += _of_section(before[section.id], section)
        for field in section.fields:
            found += _of_field(known.get(field.id), field, section, home.get(field.id))
    kept = {section.id for section in new.schema.sections}, {field.id for field in new.schema.fields}
    found += [f"Section “{one.title}” is gone." for one in old.schema.sections if one.id not in kept[0]]
    found += [f"Field “{_name(one)}” is gone." for one in old.schema.fields if one.id not in kept[1]]
    return found + list(_of_order(old, new))


def _of_heads(old: Document, new: Document) -> Iterator[str]:
    for what, before, after in (
        ("The title", old.schema.title, new.schema.title),
        ("The language", old.schema.language, new.schema.language),
        ("The status in the file", old.status, new.status),
    ):
        if before != after:
            yield f"{what}: {_said(before)} is now {_said(after)}."
    gone = [pair for pair in old.metadata if pair not in new.metadata]
    come = [pair for pair in new.metadata if pair not in old.metadata]
    yield from (f"Head, {name}: {_said(value)} is gone." for name, value in gone)
    yield from (f"Head, {name}: {_said(value)} is new." for name, value in come)
    yield from (f"For {one.type} {one.code.meaning}: is gone." for one in old.terms if one not in new.terms)
    yield from (f"For {one.type} {one.code.meaning}: is new." for one in new.terms if one not in old.terms)


def _of_section(old: Section, new: Section) -> Iterator[str]:
    for name in ("title", "level", "required", "code"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield f"Section “{new.title or new.id}”, {WORDS[name]}: {_said(before)} is now {_said(after)}."


def _of_field(old: Field | None, new: Field, section: Section, home: str | None) -> Iterator[str]:
    if old is None:
        yield f"Field “{_name(new)}” is new in “{section.title or section.id}”."
        return
    if home != section.id:
        yield f"Field “{_name(new)}” has moved to “{section.title or section.id}”."
    for one in fields(Field):
        before, after = getattr(old, one.name), getattr(new, one.name)
        if before == after or one.name == "id":
            continue
        if one.name == "options":
            yield from _of_options(new, before, after)
        else:
            yield f"Field “{_name(new)}”, {WORDS[one.name]}: {_said(before)} is now {_said(after)}."


def _of_options(field: Field, old: tuple[Option, ...], new: tuple[Option, ...]) -> Iterator[str]:
    before, after = {one.value: one for one in old}, {one.value: one for one in new}
    name = f"Field “{_name(field)}”"
    yield from (f"{name}: the choice {_said(value)} is gone." for value in before if value not in after)
    yield from (f"{name}: the choice {_said(value)} is new." for value in after if value not in before)
    for value, one in after.items():
        if value in before and before[value] != one:
            yield f"{name}: the choice {_said(value)} is picked as {_said(one.label)}, or has other codes."
    if set(before) == set(after) and list(before) != list(after):
        yield f"{name}: the choices stand in another order."


def _of_order(old: Document, new: Document) -> Iterator[str]:
    for what, before, after in (
        ("Sections", [one.id for one in old.schema.sections], [one.id for one in new.schema.sections]),
        ("Fields", [one.id for one in old.schema.fields], [one.id for one in new.schema.fields]),
    ):
        both = set(before) & set(after)
        if [one for one in before if one in both] != [one for one in after if one in both]:
            yield f"{what} stand in another order."


def _name(field: Field) -> str:
    return field.label or field.id


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Condition):
        return f"“{written(value)}”"
    if isinstance(value, Code):
        return f"{value.value} {value.scheme} ({value.meaning})"
    if isinstance(value, tuple):
        return ", ".join(map(_said, value)) or "none"
    if value is None or value == "":
        return "nothing"
    text = str(value).replace("\n", " ")
    return f"“{text[:200]}…”" if len(text) > 200 else f"“{text}”"
