"""The parameters of a search as a frozen value (PS3.18 8.3.4, 10.6.1.2). Pure: asks nobody, finds nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydicom.datadict import dictionary_VR, tag_for_keyword

from viewer.archive.matching import ATTRIBUTES, SEQUENCES, Key, Level, is_held
from viewer.archive.query import BadQuery

MOST: Final = 5000
"""Results of one answer; the rest follows by `offset`, or by the address in the Link header."""
PAGE: Final = 100
"""Results where nobody says how many and the search is of the whole archive."""
FARTHEST: Final = 10_000_000
HEX: Final = re.compile(r"[0-9A-Fa-f]{8}\Z")
KEYWORD: Final = re.compile(r"[A-Z][A-Za-z0-9]{2,79}\Z")
LISTS: Final = frozenset({"UI", "CS"})
"""Representations in whose values no comma can be: commas part them as backslashes do."""
OURS: Final = frozenset({"organization", "accept", "charset"})
"""Parameters that are looked at elsewhere."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for, and how much of it is to be told."""

    level: Level
    keys: tuple[Key, ...] = ()
    include: frozenset[int] = frozenset()
    include_all: bool = False
    fuzzy: bool = False
    limit: int = PAGE
    offset: int = 0
    after: str = ""
    """A cursor from a Link header."""
    unsupported: tuple[str, ...] = ()
    """Names of parameters and attributes that were passed over, as they were written."""


def parsed(level: Level, parameters: Iterable[tuple[str, str]], *, page: int = PAGE) -> Query:
    """The query that an address means. What is not known, or not held so that it could be matched, is named in `unsupported`;
    what is malformed raises BadQuery."""
    keys: list[Key] = []
    include: set[int] = set()
    unsupported: list[str] = []
    said: dict[str, str] = {}
    for name, text in parameters:
        if name == "includefield":
            for field in filter(None, (part.strip() for part in text.split(","))):
                _include(field, said, include, unsupported)
        elif name in PLAIN:
            said[name] = text
        elif name not in OURS:
            _match(name, text, keys, unsupported)
    return Query(
        level,
        tuple(keys),
        frozenset(include),
        "all" in said,
        _truth(said, "fuzzymatching"),
        min(_whole(said, "limit", page), MOST),
        _whole(said, "offset", 0),
        said.get("after", ""),
        tuple(dict.fromkeys(unsupported)),
    )


def _include(field: str, said: dict[str, str], include: set[int], unsupported: list[str]) -> None:
    if field.lower() == "all":
        said["all"] = field
        return
    tag = tag_of(field.split(".")[0])
    if tag is None:
        unsupported.append(f"includefield={field}")
    else:
        include.add(tag)


def _match(name: str, text: str, keys: list[Key], unsupported: list[str]) -> None:
    above, _, last = name.rpartition(".")
    sequence, tag = tag_of(above) if above else 0, tag_of(last)
    if tag is None or sequence is None or not is_held(tag, sequence):
        unsupported.append(name)
        return
    keys.append(Key(tag, values_of(tag, text, sequence), sequence))


def values_of(tag: int, text: str, sequence: int = 0) -> tuple[str, ...]:
    """The values of one key, as an address or a C-FIND writes them."""
    vr = SEQUENCES[sequence].columns[tag][0] if sequence else ATTRIBUTES[tag].vr
    if vr in LISTS:
        text = text.replace(",", "\\")
    return tuple(part.strip() if vr != "PN" else part for part in text.split("\\"))


def tag_of(name: str) -> int | None:
    """The tag that a keyword or eight hexadecimal digits name; None for what is neither, or in no dictionary."""
    if HEX.match(name):
        tag = int(name, 16)
        try:
            dictionary_VR(tag)
        except KeyError:
            return tag if tag >> 16 & 1 else None
        return tag
    return tag_for_keyword(name) if KEYWORD.match(name) else None


def _whole(said: dict[str, str], name: str, otherwise: int) -> int:
    text = said.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= FARTHEST):
        raise BadQuery(name, "a whole number is expected")
    return int(text)


def _truth(said: dict[str, str], name: str) -> bool:
    text = said.get(name, "false").lower()
    if text not in ("true", "false"):
        raise BadQuery(name, "true or false is expected")
    return text == "true"


PLAIN: Final = frozenset({"limit", "offset", "fuzzymatching", "after"})
