"""The stages of a protocol with a study's own images in them; what is missing is said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from .facts import Candidate, StudyFacts
from .mammography import turn
from .protocol import CURRENT, OLDEST, Protocol, Slot, Stage
from .selectors import BRIEF, Selector, similarity, usual_order

GRIDS = ("1x1", "1x2", "2x2", "2x3", "3x3", "3x4", "4x4")
"""Layouts of a grid, the smallest that holds all is taken."""


@dataclass(frozen=True, slots=True)
class Placed:
    """What one viewport shows."""

    candidate: Candidate
    role: str
    """"current" or "prior"."""
    view: Mapping[str, Any]
    link: str = ""
    align: str = ""
    """"left" or "right": the picture is moved to that edge of its viewport."""

    def to_json(self) -> dict[str, Any]:
        one = self.candidate
        return {
            "study_instance_uid": one.study,
            "series_instance_uid": one.series,
            "stack": one.stack,
            "role": self.role,
            "view": dict(self.view),
            "link": self.link,
            "align": self.align,
        }


@dataclass(frozen=True, slots=True)
class Hung:
    """A stage that can be shown."""

    name: str
    layout: str
    viewports: tuple[Placed | None, ...]
    missing: tuple[str, ...] = ()
    """Why viewports stay empty, in words."""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "layout": self.layout,
            "viewports": [one and one.to_json() for one in self.viewports],
            "missing": list(self.missing),
        }


@dataclass(frozen=True, slots=True)
class Skipped:
    name: str
    reason: str

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "reason": self.reason}


class Studies:
    """The current study and the priors that it is compared with, newest first."""

    def __init__(self, current: StudyFacts, priors: Sequence[StudyFacts] = ()) -> None:
        self.current, self.priors = current, priors

    def named(self, name: str) -> StudyFacts | None:
        if name == CURRENT:
            return self.current
        if name == OLDEST:
            return self.priors[-1] if self.priors else None
        found = re.fullmatch(r"prior (\d+)", name)
        number = int(found[1]) if found else 0
        return self.priors[number - 1] if 1 <= number <= len(self.priors) else None


def hang(protocol: Protocol, studies: Studies) -> tuple[list[Hung], list[Skipped]]:
    """Stages that can be shown, in order, and those that are skipped with the reason. A stage that would show just what the
    one before shows is left out without a word."""
    hung: list[Hung] = []
    skipped: list[Skipped] = []
    for stage in protocol.stages:
        result = hang_stage(stage, studies)
        if isinstance(result, Skipped):
            skipped.append(result)
        elif not any(_same(result, other) for other in hung):
            hung.append(result)
    return hung, skipped


def _same(one: Hung, other: Hung) -> bool:
    return (one.layout, one.viewports) == (other.layout, other.viewports)


def hang_stage(stage: Stage, studies: Studies) -> Hung | Skipped:
    """One stage with images in it."""
    for wanted in stage.when:
        if not any(wanted.takes(one) for one in studies.current.candidates):
            return Skipped(stage.name, f"there is no {wanted.in_words(BRIEF)}")
    hand = _Hand(studies, stage)
    problem = hand.fill()
    if problem:
        return Skipped(stage.name, problem)
    filled = [one for one in hand.placed if one is not None]
    if len(filled) < max(1, stage.least):
        why = "; ".join(dict.fromkeys(hand.missing)) or "no images suit"
        return Skipped(stage.name, why)
    if stage.layout == "grid":
        kept = filled[: stage.most]
        layout = next(name for name in GRIDS if _room(name) >= len(kept))
        return Hung(stage.name, layout, (*kept, *[None] * (_room(layout) - len(kept))))
    return Hung(stage.name, stage.layout, tuple(hand.placed), tuple(hand.missing))


def _room(layout: str) -> int:
    rows, _, columns = layout.partition("x")
    return int(rows) * int(columns)


class _Hand:
    """Fills the slots of one stage, one after the other; no images are taken twice unless a slot asks for it."""

    def __init__(self, studies: Studies, stage: Stage) -> None:
        self.studies, self.stage = studies, stage
        self.used: set[tuple[str, str, int, str]] = set()
        self.placed: list[Placed | None] = []
        self.missing: list[str] = []

    def fill(self) -> str:
        """Why the stage is skipped; "" where it is not."""
        for number, slot in enumerate(self.stage.slots):
            if slot is None:
                self.placed.append(None)
            elif slot.each:
                self.placed += self._each(slot)
            else:
                found, reason = self._one(slot)
                if found is None:
                    if slot.needed:
                        return reason
                    self.missing.append(f"viewport {number + 1}: {reason}")
                self.placed.append(found)
        return ""

    def _each(self, slot: Slot) -> list[Placed | None]:
        study = self.studies.named(slot.study)
        suiting = self._suiting(slot, study) if study else []
        made = [self._placed(slot, one)[0] for one in suiting[: self.stage.most]]
        return [one for one in made if one is not None]

    def _one(self, slot: Slot) -> tuple[Placed | None, str]:
        if slot.same_as is not None:
            other = self.placed[slot.same_as]
            return self._placed(slot, other.candidate) if other else (None, f"viewport {slot.same_as + 1} is empty")
        study = self.studies.named(slot.study)
        if study is None:
            return None, f"there is no {slot.study}"
        suiting = self._suiting(slot, study)
        if slot.like is not None:
            shown = self.placed[slot.like]
            if shown is None:
                return None, f"viewport {slot.like + 1} is empty"
            suiting = most_similar(shown.candidate, suiting)
        wanted = next((one.in_words(BRIEF) for one in slot.wants if one != Selector()), "")
        where = "" if slot.study == CURRENT else f"{slot.study}: "
        reason = where + (f"no {wanted}" if wanted else "no images are left")
        for candidate in suiting:
            found, reason = self._placed(slot, candidate)
            if found is not None:
                return found, ""
        return None, reason

    def _suiting(self, slot: Slot, study: StudyFacts) -> list[Candidate]:
        """The free ones that the first selector with any takes."""
        free = [one for one in study.candidates if one.key not in self.used]
        return next((found for found in (wanted.ranked(free) for wanted in slot.wants) if found), [])

    def _placed(self, slot: Slot, one: Candidate) -> tuple[Placed | None, str]:
        view = dict(slot.view or {})
        if not one.volume and any(view.get(name, plain) != plain for name, plain in _AS_ACQUIRED):
            return None, f"{one.description or one.modality} makes no volume"
        align = ""
        if slot.chest_wall:
            wanted = turn(one.patient_orientation, one.view_position, one.laterality, slot.chest_wall)
            if wanted is not None:
                align = slot.chest_wall
                view = {**asdict(wanted), **view}
        if slot.fusion is not None:
            laid = self._laid_over(slot, one)
            if laid is None:
                return None, f"there is no {slot.fusion[0].in_words(BRIEF)} in the same frame of reference"
            view["fusion"] = laid
        if one.sop_instance_uid:
            view["sop_instance_uid"] = one.sop_instance_uid
        self.used.add(one.key)
        return Placed(one, CURRENT if slot.study == CURRENT else "prior", view, slot.link, align), ""

    def _laid_over(self, slot: Slot, below: Candidate) -> dict[str, Any] | None:
        assert slot.fusion is not None  # noqa: S101 - asked by the caller
        wanted, options = slot.fusion
        study = self.studies.named(slot.study)
        if study is None or not below.volume or not below.frame_of_reference_uid:
            return None
        fits = replace(wanted, volume=True).ranked(study.candidates)
        space = below.frame_of_reference_uid
        found = next((one for one in fits if one.frame_of_reference_uid == space and one.key != below.key), None)
        return None if found is None else {**options, "series": found.series, "stack": found.stack}


_AS_ACQUIRED = (("plane", "acquired"), ("projection", "slice"))


def most_similar(shown: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that can be compared with what is shown, the most similar first; equals keep their order."""
    scored = [(similarity(shown, one), one) for one in candidates]
    return [one for score, one in sorted(scored, key=lambda pair: -pair[0]) if score > 0]


def counterparts(current: StudyFacts, prior: StudyFacts) -> list[tuple[Candidate, Candidate]]:
    """For each stack or image of the current study what it is best compared with in a prior; those without any are left out."""
    found = []
    for one in sorted(current.candidates, key=usual_order):
        alike = most_similar(one, Selector().ranked(prior.candidates))
        if alike:
            found.append((one, alike[0]))
    return found
