"""Words as data, and how a text is searched for them: one pass, whatever the number of words looked for.

A lexicon is a JSON file of one language: kind -> value -> patterns (or kind -> patterns). A pattern is one word or several;
`nodul*` begins, `*stein` ends and `*thrax*` holds; `=PE` is written exactly so. Case, accents and hyphens do not count
otherwise. At each place of a text the longest pattern wins; several of one length all count. What `skip` names is passed
over: "left ventricle" says nothing about a side.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "words"
LANGUAGES = ("en", "de", "es", "fr")
REMEMBERED = 20_000
"""Distinct words of texts that a lexicon keeps what it knows of."""
LONGEST_WORD = 64
_LETTERS = {"ß": "ss", "œ": "oe", "æ": "ae", "ø": "o", "ł": "l"}
_WORD = re.compile(r"[^\W_]+")

Mark = tuple[str, str]
"""(kind, value)."""
SKIP: Mark = ("skip", "")


@lru_cache(maxsize=REMEMBERED)
def folded(word: str) -> str:
    """Lower case without accents."""
    if word.isascii():
        return word.lower()
    letters = "".join(_LETTERS.get(letter, letter) for letter in word.lower())
    return "".join(one for one in unicodedata.normalize("NFD", letters) if not unicodedata.combining(one))


@dataclass(slots=True)
class Node:
    """Where some words lead that were read one after the other."""

    marks: tuple[Mark, ...] = ()
    after: dict[int, Node] = field(default_factory=dict)


Entry = tuple[tuple[int, ...], tuple[Node, ...]]
"""What is known of a word: see `Lexicon.entry`."""


class Lexicon:
    """The words of one language."""

    def __init__(self, table: dict[str, dict[str, list[str]] | list[str]]) -> None:
        self.root = Node()
        self.abbreviations = frozenset(folded(word) for word in table.get("abbreviations", ()))
        self._numbers = 0
        self._exact: dict[str, int] = {}
        self._whole: dict[str, int] = {}
        self._begins: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._holds: dict[str, int] = {}
        self.known: dict[str, Entry] = {}
        self.meanings: dict[tuple[str, bool, bool], Any] = {}
        """Sentences that were read before: see `reporting.checks.reading.meaning_of`."""
        for kind, values in table.items():
            if kind == "abbreviations":
                continue
            for value, patterns in (values if isinstance(values, dict) else {"": values}).items():
                for pattern in patterns:
                    self._add(pattern, (kind, value))

    def _add(self, pattern: str, mark: Mark) -> None:
        node = self.root
        for word in pattern.replace("-", " ").split():
            node = node.after.setdefault(self._number(word), Node())
        if mark not in node.marks:
            node.marks = (*node.marks, mark)

    def _number(self, pattern: str) -> int:
        bare = pattern.strip("*=")
        if not bare:
            raise ValueError(f"a pattern without a word: {pattern!r}")
        if pattern.startswith("="):
            table, key = self._exact, bare
        else:
            begins, ends = pattern.endswith("*"), pattern.startswith("*")
            table = self._holds if begins and ends else self._begins if begins else self._ends if ends else self._whole
            key = folded(bare)
        if key not in table:
            self._numbers += 1
            table[key] = self._numbers
        return table[key]

    def entry(self, word: str) -> Entry:
        """Which patterns of one word this word fits, and the patterns that begin with it."""
        known = self.known.get(word)
        if known is None:
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            atoms = tuple(self._fitting(word))
            known = self.known[word] = (
                atoms,
                tuple(self.root.after[atom] for atom in atoms if atom in self.root.after),
            )
        return known

    def _fitting(self, word: str) -> Iterator[int]:
        if word in self._exact:
            yield self._exact[word]
        plain = folded(word[:LONGEST_WORD])
        if plain in self._whole:
            yield self._whole[plain]
        for length in range(1, len(plain) + 1):
            if plain[:length] in self._begins:
                yield self._begins[plain[:length]]
            if plain[-length:] in self._ends:
                yield self._ends[plain[-length:]]
        for part, number in self._holds.items():
            if part in plain:
                yield number


def longest(entries: list[Entry], at: int) -> tuple[int, tuple[Mark, ...]]:
    """(words, marks) of the longest pattern that begins at a word; 0 words: none does."""
    length = 0
    marks: tuple[Mark, ...] = ()
    nodes: Iterable[Node] = entries[at][1]
    for end in range(at + 1, len(entries) + 1):
        longer = []
        found: tuple[Mark, ...] = ()
        for node in nodes:
            found += node.marks
            if node.after:
                longer.append(node.after)
        if found:
            length, marks = end - at, found
        if not longer or end == len(entries):
            break
        nodes = [after[atom] for atom in entries[end][0] for after in longer if atom in after]
        if not nodes:
            break
    return length, marks


@cache
def lexicon_for(language: str) -> Lexicon | None:
    """The lexicon of an ISO code ("de", "en-GB"); None where there is none."""
    name = language[:2].lower()
    if name not in LANGUAGES:
        return None
    return Lexicon(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


@cache
def _headings() -> dict[str, str]:
    table: dict[str, list[str]] = json.loads((FOLDER / "headings.json").read_text(encoding="utf-8"))
    return {folded_words(word): kind for kind, words in table.items() for word in words}


def _concepts() -> dict[str, Any]:
    table: dict[str, Any] = json.loads((FOLDER / "concepts.json").read_text(encoding="utf-8"))
    return table


def _mark(written: str) -> Mark:
    kind, _, value = written.partition(":")
    return kind, value


CONCEPTS = _concepts()
"""What holds in every language: which findings are serious, critical, implied by others."""
JOINED: dict[Mark, list[tuple[Mark, str, int]]] = {}
"""A mark -> (another, the finding that both make, within how many words), either way round."""
for _one, _other, _gives, _words in CONCEPTS["joined"]:
    JOINED.setdefault(_mark(_one), []).append((_mark(_other), _gives, _words))
    JOINED.setdefault(_mark(_other), []).append((_mark(_one), _gives, _words))
PARTS = frozenset(JOINED)


def folded_words(words: str) -> str:
    return " ".join(folded(word) for word in _WORD.findall(words))


def kind_of_heading(words: str) -> str:
    """The kind of section that a heading opens; empty: the words are no heading."""
    return _headings().get(folded_words(words[:80]), "")
