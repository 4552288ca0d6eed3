"""How far up an examination stands in the worklist, and why, in words and points.

Points of the class, and of the time it has waited as a share of its class's target. Time lifts ROUTINE among URGENT (at three
times its target it is as urgent as an URGENT that just came), but neither ever into STAT, TRAUMA or STROKE, and none of
those above the next. What a program suggests (`boost`) is a small part on top and never crosses these lines either.
"""

from __future__ import annotations

from dataclasses import dataclass

from reporting.worklist.classes import TARGETS


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a class begins, and the last point that it can reach."""

    base: int
    ceiling: int


@dataclass(frozen=True, slots=True)
class Part:
    """One reason for the place, and the points that it gave."""

    words: str
    points: int


@dataclass(frozen=True, slots=True)
class Score:
    points: int
    why: tuple[Part, ...] = ()


SCALES: dict[str, Scale] = {
    "STROKE": Scale(3000, 3999),
    "TRAUMA": Scale(2000, 2999),
    "STAT": Scale(1000, 1999),
    "URGENT": Scale(300, 999),
    "ROUTINE": Scale(0, 699),
}
POINTS_A_TARGET = 100
"""For having waited as long as the class allows; twice that for twice as long, and so on."""
BOOST_AT_MOST = 99
"""What programs can add. Age stops this far below the ceiling, so that there is always room for it."""


def score(reading_class: str, waited_minutes: float | None, target_minutes: int, boost: int = 0) -> Score:
    """The place of one examination. `waited_minutes`: since its images were ready; None: they are not. `boost`: points that
    programs suggest, cut to 0..BOOST_AT_MOST."""
    scale = SCALES[reading_class]
    parts = [Part(f"Class {reading_class}", scale.base)]
    if waited_minutes is not None:
        room = scale.ceiling - BOOST_AT_MOST - scale.base
        waited = max(0.0, waited_minutes)
        parts.append(Part(_waiting(waited, target_minutes), min(room, int(waited * POINTS_A_TARGET / target_minutes))))
    lift = max(0, min(boost, BOOST_AT_MOST))
    if lift:
        parts.append(Part("Suggested by a program", lift))
    return Score(sum(part.points for part in parts), tuple(parts))


def _waiting(waited: float, target: int) -> str:
    over = waited - target
    if over >= 1:
        return f"Waiting {span(waited)}, {span(over)} over the target of {span(target)}"
    return f"Waiting {span(waited)} of the {span(target)} allowed"


def span(minutes: float) -> str:
    """A length of time as people say it."""
    whole = int(minutes)
    days, rest = divmod(whole, 1440)
    hours, left = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {left} min" if left else f"{hours} h"
    return f"{left} min"


if SCALES.keys() != TARGETS.keys():  # a class without a place could not be listed
    raise AssertionError("every reading class needs a scale")
