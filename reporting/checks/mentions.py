"""Where a report says left, right or both, of what, and whether it is asserted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reporting.checks.lexicon import CONCEPTS
from reporting.checks.reading import Hit, Sentence
from reporting.checks.texts import Text

OPPOSITE = {"L": "R", "R": "L"}
NAMES = {"L": "left", "R": "right", "B": "both sides"}
GENERIC = frozenset(CONCEPTS["generic"])
IMPLIED: dict[str, list[str]] = CONCEPTS["implies"]
NEAR = 2
"""Words between a side and what it is the side of, where a clause names both sides."""
_LEVEL = re.compile(r"(?:C[1-8]|T(?:[3-9]|1[0-2])|Th\d{1,2}|L[1-5]|S[1-5])")


@dataclass(frozen=True, slots=True)
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

    @property
    def regions(self) -> frozenset[str]:
        return frozenset(place.split(":")[0] for place in self.places)

    @property
    def parts(self) -> frozenset[str]:
        return frozenset(place for place in self.places if ":" in place)


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
    sides = [hit for hit in sentence.of("side") if _is_side(sentence, hit)]
    clauses = list(_clauses(sentence))
    headed = _common(sentence.head.of("side")) if not sides and sentence.head is not None else ("", None)
    everywhere = _places(sentence.hits) or (_places(sentence.head.hits) if sentence.head else frozenset())
    levels = _levels(sentence, 0, len(sentence.words)) or _head_levels(sentence)
    found: list[Mention] = []
    for first, last in clauses:
        inner = [hit for hit in sentence.hits if first <= hit.first < last]
        own = [hit for hit in sides if first <= hit.first < last]
        side, side_hit = _common(own or _between_stops(sentence, sides, first)) if sides else headed
        crowded = len({value for hit in own for value in hit.values("side")}) > 1
        places = _places(inner) or everywhere
        findings = [(hit, value) for hit in inner for value in hit.values("finding")]
        bodies = [hit for hit in inner if hit.has("anatomy")] if not findings else []
        for hit, value in [*findings, *((body, "") for body in bodies[:1])]:
            if crowded:
                side, side_hit = _nearest(own, hit)
            implied = frozenset(IMPLIED.get(value, ()))
            found.append(
                Mention(
                    text,
                    sentence,
                    hit,
                    side,
                    side_hit,
                    value,
                    places | implied if not places or _regions(places) & _regions(implied) else places,
                    _levels(sentence, first, last) or levels,
                    sentence.said(hit),
                )
            )
        if not findings and not bodies and own:
            hit = own[0]
            said = sentence.said(hit)
            found.append(Mention(text, sentence, hit, side, side_hit, "", everywhere, levels, said))
    return found


def _is_side(sentence: Sentence, hit: Hit) -> bool:
    """A lone letter is a side only beside what it can be the side of."""
    if hit.first != hit.last or len(sentence.words[hit.first].text) > 1:
        return True
    beside = (hit.first - 1, hit.first + 1)
    return any(one.first in beside or one.last in beside for one in sentence.of("anatomy", "finding"))


def _clauses(sentence: Sentence) -> Iterator[tuple[int, int]]:
    """Parts of a sentence between commas, "and", "while"."""
    cuts = {at for at, word in enumerate(sentence.words) if word.comma}
    cuts |= {hit.first for hit in sentence.of("split", "stop")}
    ends = [*sorted(cuts - {0}), len(sentence.words)]
    first = 0
    for end in ends:
        yield first, end
        first = end


def _between_stops(sentence: Sentence, sides: list[Hit], at: int) -> list[Hit]:
    """Sides that a clause without its own shares with the clauses beside it: none beyond a "but"."""
    stops = [stop.first for stop in sentence.stops]
    begin = max((stop for stop in stops if stop <= at), default=0)
    end = min((stop for stop in stops if stop > at), default=len(sentence.words))
    return [hit for hit in sides if begin <= hit.first < end]


def _common(hits: Iterable[Hit]) -> tuple[str, Hit | None]:
    """The one side that all hits name; both where they say both; nothing where they differ."""
    values = {(value, hit) for hit in hits for value in hit.values("side")}
    sides = {value for value, _ in values}
    if len(sides) != 1:
        return ("B", None) if "B" in sides else ("", None)
    return min(values, key=lambda one: one[1].first)


def _nearest(sides: list[Hit], hit: Hit) -> tuple[str, Hit | None]:
    gaps = sorted((max(side.first - hit.last, hit.first - side.last), at) for at, side in enumerate(sides))
    if not gaps or gaps[0][0] > NEAR + 1 or (len(gaps) > 1 and gaps[1][0] == gaps[0][0]):
        return "", None
    side = sides[gaps[0][1]]
    return next(side.values("side")), side


def _places(hits: Iterable[Hit]) -> frozenset[str]:
    return frozenset(value for hit in hits for value in hit.values("anatomy"))


def _regions(places: Iterable[str]) -> frozenset[str]:
    return frozenset(place.split(":")[0] for place in places)


def _levels(sentence: Sentence, first: int, last: int) -> frozenset[str]:
    return frozenset(word.text for word in sentence.words[first:last] if _LEVEL.fullmatch(word.text))


def _head_levels(sentence: Sentence) -> frozenset[str]:
    return _levels(sentence.head, 0, len(sentence.head.words)) if sentence.head else frozenset()
