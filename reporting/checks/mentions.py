"""Where a report says left, right or both, of what, and whether it is asserted."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from reporting.checks.lexicon import CONCEPTS
from reporting.checks.reading import Hit, Meaning, Sentence
from reporting.checks.texts import Text

OPPOSITE = {"L": "R", "R": "L"}
NAMES = {"L": "left", "R": "right", "B": "both sides"}
GENERIC = frozenset(CONCEPTS["generic"])
NOWHERE: frozenset[str] = frozenset()
IMPLIED = {finding: frozenset(places) for finding, places in CONCEPTS["implies"].items()}
SPOKEN_OF = frozenset({"finding", "anatomy", "side"})
NEAR = 2
"""Words between a side and what it is the side of, where a clause names both sides."""
SYMPTOM = 3
"""Words between a side and the complaint on it: "left arm weakness", "pain on the right"."""
HEADS_KEPT = 8
"""Of a sentence: below how many heads its mentions are kept."""
Below = tuple[Meaning | None, frozenset[str]]
Row = tuple[Hit, str, Hit | None, str, frozenset[str], frozenset[str], frozenset[str], frozenset[str]]
"""A `Mention` without where it stands."""
_DIGITS = frozenset("0123456789")
_LEVEL = re.compile(r"(?:C[1-8]|T(?:[3-9]|1[0-2])|Th\d{1,2}|L[1-5]|S[1-5])")


@dataclass(slots=True, eq=False)
class Mention:
    """A finding or a part of the body, with its side: L, R, B or nothing."""

    text: Text
    sentence: Sentence
    hit: Hit
    side: str
    side_hit: Hit | None
    finding: str
    """A concept; empty: only the body is spoken of."""
    places: frozenset[str]
    """Anatomy: "kidney", "kidney:lower"."""
    levels: frozenset[str]
    said: frozenset[str]
    regions: frozenset[str]

    @property
    def parts(self) -> frozenset[str]:
        return frozenset(place for place in self.places if ":" in place)


@lru_cache(maxsize=4096)
def regions_of(places: frozenset[str]) -> frozenset[str]:
    return frozenset(place.split(":")[0] for place in places)


def comparable(one: Mention, other: Mention) -> bool:
    """Whether two mentions can be of one place, sides apart."""
    regions = one.regions & other.regions
    if one.places and other.places and not regions:
        return False
    if one.levels and other.levels and not one.levels & other.levels:
        return False
    for region in regions:
        mine = {part for part in one.parts if part.startswith(region + ":")}
        theirs = {part for part in other.parts if part.startswith(region + ":")}
        if mine and theirs and not mine & theirs:
            return False
    return True


def mentions_of(text: Text, sentence: Sentence) -> list[Mention]:
    """Every finding of a sentence, and of a clause without one the body that it speaks of."""
    if not SPOKEN_OF & sentence.by_kind.keys():
        return []
    below = (sentence.head.meaning if sentence.head is not None else None, sentence.answered)
    known: dict[Below, tuple[Row, ...]] = sentence.meaning.mentioned
    rows = known.get(below)
    if rows is None:
        if len(known) >= HEADS_KEPT:
            known.clear()
        rows = known[below] = tuple(_rows(sentence))
    return [Mention(text, sentence, *row) for row in rows]


def _rows(sentence: Sentence) -> Iterator[Row]:
    """What its mentions are made of: the same wherever the sentence stands below that head."""
    sides = [hit for hit in sentence.of("side") if _is_side(sentence, hit)]
    at_side = {hit.first for hit in sides}
    headed = _common(sentence.head.of("side")) if not sides and sentence.head is not None else ("", None)
    everywhere = _places(sentence.of("anatomy")) or (_places(sentence.head.of("anatomy")) if sentence.head else NOWHERE)
    levels = _levels(sentence, 0, len(sentence.words)) or _head_levels(sentence)
    for first, last, inner in _clauses(sentence):
        own = [hit for hit in inner if hit.first in at_side and hit.has("side")] if sides else []
        side, side_hit = _common(own or _between_stops(sentence, sides, first)) if sides else headed
        crowded = len(own) > 1 and len({value for hit in own for value in hit.values("side")}) > 1
        own_places = _places(inner)
        own_levels = (_levels(sentence, first, last) if levels else levels) or levels
        findings = [(hit, value) for hit in inner for value in hit.values("finding")]
        bodies = [(hit, "") for hit in inner if hit.has("anatomy")][:1] if not findings else []
        if not findings and not bodies and own:
            bodies = [(own[0], "")]
        for hit, value in findings or bodies:
            if crowded:
                side, side_hit = _nearest(own, hit)
            places = _placed(own_places, IMPLIED.get(value, NOWHERE), everywhere)
            regions = regions_of(places)
            yield hit, side, side_hit, value, places, own_levels, sentence.said(hit), regions


def _placed(own: frozenset[str], implied: frozenset[str], everywhere: frozenset[str]) -> frozenset[str]:
    """Where a finding is: what its clause says, else where it can only be, else what its sentence says."""
    if not implied:
        return own or everywhere
    return own | implied if not own or regions_of(own) & regions_of(implied) else own


def _is_side(sentence: Sentence, hit: Hit) -> bool:
    """A lone letter is a side only beside what it can be the side of; that of a complaint is not where anything was seen."""
    if any(-SYMPTOM <= one.first - hit.last <= SYMPTOM for one in sentence.of("symptom")):
        return False
    if hit.first != hit.last or len(sentence.words[hit.first].text) > 1:
        return True
    beside = (hit.first - 1, hit.first + 1)
    named = (*sentence.of("anatomy"), *sentence.of("finding"))
    return any(one.first in beside or one.last in beside for one in named)


def _clauses(sentence: Sentence) -> Iterator[tuple[int, int, list[Hit]]]:
    """Parts of a sentence between commas, "and", "while", each with its hits."""
    cuts = {at for at, word in enumerate(sentence.words) if word.comma}
    cuts.update(hit.first for hit in sentence.of("split"))
    cuts.update(sentence.stops)
    cuts.discard(0)
    if not cuts:
        yield 0, len(sentence.words), sentence.hits
        return
    ends = [*sorted(cuts), len(sentence.words)]
    parts: list[list[Hit]] = [[] for _ in ends]
    for hit in sentence.hits:
        parts[bisect_right(ends, hit.first)].append(hit)
    first = 0
    for end, part in zip(ends, parts, strict=True):
        yield first, end, part
        first = end


def _between_stops(sentence: Sentence, sides: list[Hit], at: int) -> list[Hit]:
    """Sides that a clause without its own shares with the clauses beside it: none beyond a "but"."""
    stops = sentence.stops
    if not stops:
        return sides
    stop = bisect_right(stops, at)
    begin, end = stops[stop - 1] if stop else 0, stops[stop] if stop < len(stops) else len(sentence.words)
    return [hit for hit in sides if begin <= hit.first < end]


def _common(hits: list[Hit]) -> tuple[str, Hit | None]:
    """The one side that all hits name; both where they say both; nothing where they differ."""
    sides = {value for hit in hits for value in hit.values("side")}
    if len(sides) == 1:
        return sides.pop(), hits[0]
    return ("B", None) if "B" in sides else ("", None)


def _nearest(sides: list[Hit], hit: Hit) -> tuple[str, Hit | None]:
    gaps = sorted((max(side.first - hit.last, hit.first - side.last), at) for at, side in enumerate(sides))
    if not gaps or gaps[0][0] > NEAR + 1 or (len(gaps) > 1 and gaps[1][0] == gaps[0][0]):
        return "", None
    side = sides[gaps[0][1]]
    return side.values("side")[0], side


def _places(hits: Iterable[Hit]) -> frozenset[str]:
    named = [value for hit in hits for kind, value in hit.marks if kind == "anatomy"]
    return frozenset(named) if named else NOWHERE


def _levels(sentence: Sentence, first: int, last: int) -> frozenset[str]:
    named = [
        word.text for word in sentence.words[first:last] if word.text[-1] in _DIGITS and _LEVEL.fullmatch(word.text)
    ]
    return frozenset(named) if named else NOWHERE


def _head_levels(sentence: Sentence) -> frozenset[str]:
    return _levels(sentence.head, 0, len(sentence.head.words)) if sentence.head else frozenset()
