"""Texts as sentences, with what their words mean and whether it is asserted: NegEx with scopes to both sides.

W. Chapman et al., "A simple algorithm for identifying negated findings and diseases in discharge summaries", J Biomed
Inform 2001;34:301; H. Harkema et al., "ConText", J Biomed Inform 2009;42:839. Pseudo-negations ("no change in") stand in
the lexicons' `skip`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from reporting.checks.lexicon import JOINED, PARTS, SKIP, Lexicon, Mark, folded, kind_of_heading, longest

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d+|[IVX]+")
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
REACH_BACK = {"deny_after": 9, "doubt_after": 9, "past_after": 9, "partial_after": 4}
WHOLE = frozenset({"compare", "family", "unchanged", "outside", "event"})
"""Triggers that hold for their whole sentence."""
NAMED = {
    "deny_near": "deny",
    "deny_after": "deny",
    "doubt_after": "doubt",
    "past_after": "past",
    "partial_after": "partial",
}
LONGEST_SENTENCE = 200
"""Words; what goes on longer is cut, so that no text makes the work grow faster than itself."""
SENTENCES_KEPT = 4000
"""Of each language, so that a report is not read anew for every word that is typed; more than a long one holds."""
NOTHING_SAID: frozenset[str] = frozenset()
LONGEST_HEADING = 60
LONGEST_HEAD = 4
"""Words of a line's head ("Right kidney:")."""


class Word(NamedTuple):
    text: str
    start: int
    end: int
    comma: bool
    """A comma, colon or parenthesis stands before it."""


class Hit(NamedTuple):
    """A pattern found: words `first` to `last`, both included."""

    first: int
    last: int
    marks: tuple[Mark, ...]

    def has(self, kind: str) -> bool:
        return any(mark[0] == kind for mark in self.marks)

    def values(self, kind: str) -> list[str]:
        return [value for found, value in self.marks if found == kind]


class Meaning:
    """What the lexicon knows of a sentence, wherever it stands: kept from one look at a report to the next."""

    def __init__(self, words: list[Word], hits: list[Hit]) -> None:
        self.hits, self.length = hits, len(words)
        self.by_kind: dict[str, list[Hit]] = {}
        for hit in hits:
            marks = hit.marks
            for found in (marks[0][0],) if len(marks) == 1 else {mark[0] for mark in marks}:
                self.by_kind.setdefault(found, []).append(hit)
        self.whole = NOTHING_SAID if WHOLE.isdisjoint(self.by_kind) else frozenset(WHOLE & self.by_kind.keys())
        self.stops = self._stops(words)
        """Words at which a clause begins that nothing before reaches into."""
        self.mentioned: dict[tuple[Meaning | None, frozenset[str]], tuple[Any, ...]] = {}
        """What it mentions, below which head: see `reporting.checks.mentions`."""

    def of(self, kind: str) -> list[Hit]:
        return self.by_kind.get(kind, [])

    def _stops(self, words: list[Word]) -> list[int]:
        at = [hit.first for hit in self.of("stop")]
        at += [hit.first for hit in self.of("comma_stop") if words[hit.first].comma]
        return sorted({first for first in at if first > 0}) if at else at

    @cached_property
    def scopes(self) -> list[tuple[str, int, int]]:
        """What holds from which word on, up to which. A trigger's reach ends at a `stop`, or where the sentence does."""
        found = []
        for kind in REACH.keys() & self.by_kind.keys():
            for hit in self.by_kind[kind]:
                stop = bisect_right(self.stops, hit.last)
                last = self.stops[stop] if stop < len(self.stops) else self.length
                found.append((NAMED.get(kind, kind), hit.last + 1, min(last, hit.last + 1 + REACH[kind])))
        back = REACH_BACK.keys() & self.by_kind.keys()
        begins = sorted({0, *self.stops, *(verb.last + 1 for verb in self.of("verb"))}) if back else []
        for kind in back:
            for hit in self.by_kind[kind]:
                first = begins[max(0, bisect_right(begins, max(0, hit.first - 1)) - 1)]
                found.append((NAMED.get(kind, kind), max(first, hit.first - REACH_BACK[kind]), hit.first))
        return found


class Sentence:
    """A sentence: its words and what they mean. `head` is the last heading above it ("Right kidney")."""

    def __init__(
        self,
        words: list[Word],
        meaning: Meaning,
        kind: str,
        head: Sentence | None,
        answered: frozenset[str] = NOTHING_SAID,
    ) -> None:
        self.words, self.meaning, self.kind, self.head, self.answered = words, meaning, kind, head, answered
        self.start, self.end = (words[0].start, words[-1].end) if words else (0, 0)
        self.hits, self.by_kind, self.stops = meaning.hits, meaning.by_kind, meaning.stops
        self.whole = meaning.whole | answered if answered else meaning.whole

    def of(self, kind: str) -> list[Hit]:
        return self.by_kind.get(kind, [])

    def place(self, hit: Hit) -> tuple[int, int]:
        return self.words[hit.first].start, self.words[hit.last].end

    def said(self, hit: Hit) -> frozenset[str]:
        """What holds for a hit: deny, doubt, likely, past, old, other, small, compare, family, unchanged, ..."""
        return self.said_at(hit.first, hit.last)

    def said_at(self, first: int, last: int) -> frozenset[str]:
        scopes = self.meaning.scopes
        if not scopes:
            return self.whole
        return self.whole.union([name for name, begin, end in scopes if begin <= last and first < end])


def read(
    text: str, kind: str, lexicon: Lexicon, head: Sentence | None = None, said: frozenset[str] = frozenset()
) -> list[Sentence]:
    """A text's sentences. A heading within it ("IMPRESSION:") changes the kind of those that follow. `said` holds for all."""
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
            above = words[:colon]
            head, lasting = Sentence(above, meaning_of(text, above, lexicon), kind, outer), colon == len(words)
        elif begins_line and not lasting:
            head = outer
        sentences.append(Sentence(words, meaning_of(text, words, lexicon), kind, head, said))
    return sentences


def meaning_of(text: str, words: list[Word], lexicon: Lexicon, title: bool = False) -> Meaning:
    """Of words of a text that follow one another; looked up once for each way of writing them. `title`: from `words_of`."""
    if not words:
        return Meaning(words, [])
    written = (text[words[0].start : words[-1].end], words[0].comma, title)
    known = lexicon.meanings.get(written)
    if known is None:
        if len(lexicon.meanings) >= SENTENCES_KEPT:
            lexicon.meanings.clear()
        known = lexicon.meanings[written] = Meaning(words, hits_of(words, lexicon))
    return known


def words_of(text: str) -> list[Word]:
    """All words of a title or label as one sentence."""
    return [Word(one[0], one.start(), one.end(), False) for one in _WORD.finditer(text[:400])]


def hits_of(words: list[Word], lexicon: Lexicon) -> list[Hit]:
    """What a lexicon knows of the words, each word in one hit at most; what is `joined` follows."""
    known = lexicon.known
    entries = [known.get(word[0]) or lexicon.entry(word[0]) for word in words]
    hits: list[Hit] = []
    at = 0
    while at < len(words):
        if not entries[at][1]:
            at += 1
            continue
        length, marks = longest(entries, at)
        if len(marks) > 1 or SKIP in marks:
            marks = tuple(mark for mark in dict.fromkeys(marks) if mark != SKIP)
        if marks:
            hits.append(Hit(at, at + length - 1, marks))
        at += max(1, length)
    return hits + list(_joined(hits))


def _joined(hits: list[Hit]) -> Iterator[Hit]:
    """Findings that two words make together: an enlarged node is lymphadenopathy."""
    sought = [hit for hit in hits if not PARTS.isdisjoint(hit.marks)]
    for at, one in enumerate(sought):
        partners = [row for mark in one.marks for row in JOINED.get(mark, ())]
        made: set[str] = set()
        for other in sought[at + 1 : at + 8] if partners else ():
            gap = other.first - one.last
            for mark, gives, words in partners:
                if gap <= words and mark in other.marks and gives not in made:
                    made.add(gives)
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
    if _NUMBER.fullmatch(last.text):
        following = text[at + 1 : at + 20].split()
        return len(words) > 1 and not (
            following and (following[0][0].islower() or folded(following[0]) in abbreviations)
        )
    return not (folded(last.text) in abbreviations or (len(last.text) == 1 and last.text.isalpha()))
