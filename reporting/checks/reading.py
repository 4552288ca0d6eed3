"""Texts as sentences, with what their words mean and whether it is asserted: NegEx with scopes to both sides.

W. Chapman et al., "A simple algorithm for identifying negated findings and diseases in discharge summaries", J Biomed
Inform 2001;34:301; H. Harkema et al., "ConText", J Biomed Inform 2009;42:839. Pseudo-negations ("no change in") stand in
the lexicons' `skip`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from reporting.checks.lexicon import JOINED, PARTS, Lexicon, Mark, folded, kind_of_heading

_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"[^\W_]+|[.;!?]|[,:()/]|\n")
REACH = {
    "deny": 30,
    "deny_near": 5,
    "doubt": 14,
    "likely": 10,
    "past": 7,
    "old": 4,
    "other": 6,
    "small": 4,
    "partial": 3,
}
"""How many words to the right a trigger reaches, up to a `stop`."""
REACH_BACK = {"deny_after": 9, "doubt_after": 9, "past_after": 9}
WHOLE = frozenset({"compare", "family", "unchanged", "outside", "event"})
"""Triggers that hold for their whole sentence."""
NAMED = {"deny_near": "deny", "deny_after": "deny", "doubt_after": "doubt", "past_after": "past"}
LONGEST_SENTENCE = 200
"""Words; what goes on longer is cut, so that no text makes the work grow faster than itself."""
LONGEST_HEADING = 60
LONGEST_HEAD = 4
"""Words of a line's head ("Right kidney:")."""


class Word(NamedTuple):
    text: str
    start: int
    end: int
    comma: bool
    """A comma, colon or parenthesis stands before it."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A pattern found: words `first` to `last`, both included."""

    first: int
    last: int
    marks: tuple[Mark, ...]

    def has(self, kind: str) -> bool:
        return any(mark[0] == kind for mark in self.marks)

    def values(self, kind: str) -> Iterator[str]:
        return (value for found, value in self.marks if found == kind)


class Sentence:
    """A sentence: its words and what of them the lexicon knows. `head` is the last heading above it ("Right kidney")."""

    def __init__(self, words: list[Word], hits: list[Hit], kind: str, head: Sentence | None) -> None:
        self.words, self.hits, self.kind, self.head = words, hits, kind, head

    @property
    def start(self) -> int:
        return self.words[0].start

    @property
    def end(self) -> int:
        return self.words[-1].end

    def of(self, *kinds: str) -> list[Hit]:
        return [hit for hit in self.hits if any(mark[0] in kinds for mark in hit.marks)]

    def place(self, hit: Hit) -> tuple[int, int]:
        return self.words[hit.first].start, self.words[hit.last].end

    def said(self, hit: Hit) -> frozenset[str]:
        """What holds for a hit: deny, doubt, likely, past, old, other, small, compare, family, unchanged, ..."""
        return self.said_at(hit.first, hit.last)

    def said_at(self, first: int, last: int) -> frozenset[str]:
        return frozenset().union(*self._said[first : last + 1])

    @cached_property
    def whole(self) -> frozenset[str]:
        return frozenset(kind for hit in self.hits for kind, _ in hit.marks if kind in WHOLE)

    @cached_property
    def stops(self) -> list[Hit]:
        return [
            hit
            for hit in self.hits
            if hit.has("stop") or (hit.has("comma_stop") and self.words[hit.first].comma and hit.first > 0)
        ]

    @cached_property
    def _said(self) -> list[set[str]]:
        """For each word. A trigger's reach ends at a `stop`, or where the sentence does."""
        said: list[set[str]] = [set(self.whole) for _ in self.words]
        for hit in self.hits:
            for kind, _ in hit.marks:
                if kind in REACH:
                    last = min((stop.first for stop in self.stops if stop.first > hit.last), default=len(self.words))
                    reached = range(hit.last + 1, min(last, hit.last + 1 + REACH[kind]))
                elif kind in REACH_BACK:
                    reached = range(max(self._begin(hit), hit.first - REACH_BACK[kind]), hit.first)
                else:
                    continue
                for at in reached:
                    said[at].add(NAMED.get(kind, kind))
        return said

    def _begin(self, hit: Hit) -> int:
        """Where the clause begins that a trigger to the left is about."""
        ends = [stop.first for stop in self.stops if stop.last < hit.first]
        ends += [verb.last + 1 for verb in self.of("verb") if verb.last < hit.first]
        return max(ends, default=0)


def read(text: str, kind: str, lexicon: Lexicon, head: Sentence | None = None) -> list[Sentence]:
    """A text's sentences. A heading within it ("IMPRESSION:") changes the kind of those that follow."""
    sentences: list[Sentence] = []
    outer, lasting = head, False
    for words, begins_line, colon in _split(text, lexicon):
        if begins_line and colon:
            begins = text[words[0].start : min(words[colon - 1].end, words[0].start + LONGEST_HEADING)]
            named = kind_of_heading(begins)
            if named:
                kind, head, words, colon = named, outer, words[colon:], 0
                if not words:
                    continue
        if begins_line and 0 < colon <= LONGEST_HEAD:
            head, lasting = Sentence(words[:colon], hits_of(words[:colon], lexicon), kind, outer), colon == len(words)
        elif begins_line and not lasting:
            head = outer
        sentences.append(Sentence(words, hits_of(words, lexicon), kind, head))
    return sentences


def words_of(text: str) -> list[Word]:
    """All words of a title or label as one sentence."""
    return [Word(one[0], one.start(), one.end(), False) for one in _WORD.finditer(text[:400])]


def hits_of(words: list[Word], lexicon: Lexicon) -> list[Hit]:
    """What a lexicon knows of the words, each word in one hit at most; what is `joined` follows."""
    known = lexicon.known
    atoms = [known[word.text] if word.text in known else lexicon.atoms(word.text) for word in words]
    hits: list[Hit] = []
    at = 0
    while at < len(words):
        if not atoms[at]:
            at += 1
            continue
        length, marks = lexicon.longest(atoms, at)
        marks = tuple(mark for mark in marks if mark[0] != "skip")
        if marks:
            hits.append(Hit(at, at + length - 1, marks))
        at += max(1, length)
    return hits + list(_joined(hits))


def _joined(hits: list[Hit]) -> Iterator[Hit]:
    """Findings that two words make together: an enlarged node is lymphadenopathy."""
    sought = [hit for hit in hits if any(mark in PARTS for mark in hit.marks)]
    for at, one in enumerate(sought):
        for other in sought[at + 1 : at + 8]:
            gap = other.first - one.last
            for first, second, gives, words in JOINED:
                if gap <= words and (
                    (first in one.marks and second in other.marks) or (second in one.marks and first in other.marks)
                ):
                    yield Hit(one.first, other.last, (("finding", gives),))


def _split(text: str, lexicon: Lexicon) -> Iterator[tuple[list[Word], bool, int]]:
    """(words, whether they begin a line, how many stand before the first colon: 0 without one) of each sentence."""
    words: list[Word] = []
    fresh, begins_line, comma, colon = True, True, False, 0
    for found in _TOKEN.finditer(text):
        piece, start = found[0], found.start()
        if piece[0].isalnum():
            if not words:
                begins_line = fresh
            words.append(Word(piece, start, found.end(), comma))
            fresh = comma = False
            ends = len(words) >= LONGEST_SENTENCE
        elif piece in ",()/:":
            colon = colon or (len(words) if piece == ":" else 0)
            comma, ends = True, False
        else:
            ends = _new_line(text, start) if piece == "\n" else _ends(text, start, words, lexicon.abbreviations)
            fresh = fresh or piece == "\n"
        if ends and words:
            yield words, begins_line, colon
            words, colon, comma = [], 0, False
    if words:
        yield words, begins_line, colon


def _new_line(text: str, at: int) -> bool:
    """Whether a line break ends a sentence: what follows begins like a new one, or a stop stands before."""
    after = text[at + 1 : at + 41].lstrip(" \t\r")[:1]
    return not after.islower() or text[max(0, at - 1) : at] in ".:;!?"


def _ends(text: str, at: int, words: list[Word], abbreviations: frozenset[str]) -> bool:
    """Whether a stop ends a sentence; that of a number ("1.", "2. Grades") or an abbreviation does not."""
    if text[at] != "." or not words:
        return True
    if not text[at + 1 : at + 2].isspace() and at + 1 < len(text):
        return False
    last = words[-1]
    if last.end != at:
        return True
    if last.text.isdigit():
        following = text[at + 1 : at + 20].split()
        return len(words) > 1 and not (
            following and (following[0][0].islower() or folded(following[0]) in abbreviations)
        )
    return not (folded(last.text) in abbreviations or (len(last.text) == 1 and last.text.isalpha()))
