"""What is different between two states of a report's content: field by field, and word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from reporting.chips import plain

_WORDS = re.compile(r"\s+|[^\s]+")
LONGEST = 4000
"""Words of one text that are compared one by one; a longer text is told as a whole."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that two people wrote differently, and what both began with."""

    field: str
    yours: Any
    theirs: Any
    base: Any

    @property
    def both(self) -> bool:
        """Both changed it, so a person has to choose."""
        return self.yours != self.base and self.theirs != self.base


def three_way(base: Mapping[str, Any], yours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Conflict]:
    """Every field in which `yours` and `theirs` differ, in the order of the fields."""
    names = dict.fromkeys([*base, *theirs, *yours])
    found = (Conflict(name, yours.get(name), theirs.get(name), base.get(name)) for name in names)
    return [one for one in found if not same(one.yours, one.theirs)]


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same; an empty field and one that was never filled do."""
    return one == other or (empty(one) and empty(other))


def empty(value: Any) -> bool:
    return value is None or value == "" or value == []


@dataclass(frozen=True, slots=True)
class Change:
    """One field that reads differently, with its words marked "same", "gone" or "new"."""

    field: str
    label: str
    before: str
    after: str
    parts: tuple[tuple[str, str], ...]


def compare(before: Mapping[str, Any], after: Mapping[str, Any], labels: Mapping[str, str]) -> list[Change]:
    """The fields that read differently; `labels` names them and orders them. Space alone makes no difference."""
    names = dict.fromkeys([*labels, *before, *after])
    found = []
    for name in names:
        one, other = reads(before.get(name)), reads(after.get(name))
        if " ".join(one.split()) != " ".join(other.split()):
            found.append(Change(name, labels.get(name, name), one, other, tuple(_parts(one, other))))
    return found


def reads(value: Any) -> str:
    """A value as it reads: links as their words, lists with commas."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(reads(one) for one in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return plain(value) if isinstance(value, str) else str(value)


def _parts(before: str, after: str) -> Iterator[tuple[str, str]]:
    one, other = _WORDS.findall(before), _WORDS.findall(after)
    if len(one) > LONGEST or len(other) > LONGEST:
        yield from ((kind, text) for kind, text in (("gone", before), ("new", after)) if text)
        return
    for kind, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "same", "".join(one[a:b])
            continue
        if a < b:
            yield "gone", "".join(one[a:b])
        if c < d:
            yield "new", "".join(other[c:d])
