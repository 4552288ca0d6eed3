"""Which protocol suits a study best, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import words
from .facts import StudyFacts
from .protocol import Matches, Protocol
from .selectors import quoted

_MODALITY, _SHARE, _SAID, _DESCRIBED = 100, 20, 40, 35
_DESCRIPTION, _VIEWS, _SIDE, _PRIORS, _SERIES = 30, 20, 15, 15, 30
"""Points for what holds: the more a protocol asks for, the better it suits a study that has it."""


@dataclass(frozen=True, slots=True)
class Suits:
    """That a protocol is for a study, how well, and why in words."""

    protocol: Protocol
    score: float
    reasons: tuple[str, ...]

    @property
    def reason(self) -> str:
        return ", ".join(self.reasons) or "for every study"


def suiting(protocols: Sequence[Protocol], study: StudyFacts, priors: int) -> list[Suits]:
    """Those that are for the study, the best first. `priors`: how many earlier studies it is compared with."""
    found = [one for one in (suits(protocol, study, priors) for protocol in protocols) if one is not None]
    return sorted(found, key=lambda one: (-one.score, -one.protocol.priority, not one.protocol.own, one.protocol.id))


def suits(protocol: Protocol, study: StudyFacts, priors: int) -> Suits | None:
    """None where a condition does not hold."""
    asked, score, reasons = protocol.matches, 0.0, []
    for check in (_modality, _body_part, _description, _sides, _views, _priors, _series):
        found = check(asked, study, priors)
        if found is None:
            return None
        points, reason = found
        score += points
        if reason:
            reasons.append(reason)
    return Suits(protocol, score, tuple(reasons))


Found = tuple[float, str] | None
_NOTHING: tuple[float, str] = (0.0, "")


def _modality(asked: Matches, study: StudyFacts, priors: int) -> Found:
    if not asked.modality:
        return _NOTHING
    holding = [one for one in study.candidates if one.modality in asked.modality]
    if not holding:
        return None
    share = len(holding) / len(study.candidates)
    return _MODALITY + _SHARE * share, "/".join(sorted({one.modality for one in holding}))


def _body_part(asked: Matches, study: StudyFacts, priors: int) -> Found:
    if not asked.body_part:
        return _NOTHING
    wanted = {words.region_named(part) for part in asked.body_part}
    said, described = sorted(wanted & set(study.regions_said)), sorted(wanted & set(study.regions))  # type: ignore[type-var]
    if said:
        return _SAID, f"{'/'.join(map(str, said))} by Body Part Examined"
    if described:
        return _DESCRIBED, f"{'/'.join(map(str, described))} by description"
    return None


def _description(asked: Matches, study: StudyFacts, priors: int) -> Found:
    if not asked.description:
        return _NOTHING
    text = " ".join([study.description, *(one.text for one in study.candidates)])
    found = next((one for one in asked.description if words.found(one, text)), None)
    return None if found is None else (_DESCRIPTION, f"described as {quoted([found])}")


def _sides(asked: Matches, study: StudyFacts, priors: int) -> Found:
    if not asked.laterality:
        return _NOTHING
    found = sorted({one.laterality for one in study.candidates} & set(asked.laterality))
    return (_SIDE, f"laterality {'/'.join(found)}") if found else None


def _views(asked: Matches, study: StudyFacts, priors: int) -> Found:
    if not asked.view_position:
        return _NOTHING
    found = sorted({one.view_position for one in study.candidates} & set(asked.view_position))
    return (_VIEWS, f"view position {'/'.join(found)}") if found else None


def _priors(asked: Matches, study: StudyFacts, priors: int) -> Found:
    most = asked.most_priors
    if not asked.least_priors and most is None:
        return _NOTHING
    if priors < asked.least_priors or (most is not None and priors > most):
        return None
    return _PRIORS, "no prior" if not priors else "1 prior" if priors == 1 else f"{priors} priors"


def _series(asked: Matches, study: StudyFacts, priors: int) -> Found:
    for one in asked.series:
        if not any(one.takes(candidate) for candidate in study.candidates):
            return None
    told = ", ".join(f"has {one.in_words()}" for one in asked.series)
    return _SERIES * len(asked.series), told
