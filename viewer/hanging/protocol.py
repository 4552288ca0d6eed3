"""A hanging protocol: for which studies it is, and its stages. Made of JSON that `check.problems` found nothing wrong with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .selectors import Selector

Json = Mapping[str, Any]

CURRENT, OLDEST = "current", "oldest prior"


@dataclass(frozen=True, slots=True)
class Slot:
    """What one viewport of a stage wants."""

    wants: tuple[Selector, ...] = (Selector(),)
    """In order: the first that finds something decides."""
    study: str = CURRENT
    """"current", "prior 1" (the newest that compares), "prior 2", ..., "oldest prior"."""
    same_as: int | None = None
    """0-based slot whose images are shown here once more, in another way."""
    like: int | None = None
    """0-based slot whose images are compared: of those that suit, the most similar are taken."""
    needed: bool = False
    """Without it the stage makes no sense and is skipped."""
    each: bool = False
    """Stands for as many viewports as there are images that suit; in a "grid" only."""
    chest_wall: str = ""
    """"left" or "right": mammograms are turned so that the chest wall lies there, and moved to that edge."""
    fusion: tuple[Selector, Json] | None = None
    """What is laid over in colours, and how: fields of `View.fusion`."""
    link: str = ""
    """Viewports of one name scroll together."""
    view: Json | None = None
    """Fields of the View to begin with."""


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    layout: str
    """"RxC" (rows, columns), or "grid": as many as are filled, at most `most`."""
    slots: tuple[Slot | None, ...]
    """None: a viewport that stays empty."""
    least: int = 1
    """Fewer filled than that: the stage is skipped."""
    most: int = 16
    when: tuple[Selector, ...] = ()
    """The current study must hold something for each of them; else the stage is skipped."""

    @property
    def size(self) -> tuple[int, int]:
        rows, _, columns = self.layout.partition("x")
        return int(rows), int(columns)


@dataclass(frozen=True, slots=True)
class Matches:
    """For which studies a protocol is. Empty conditions say nothing; in a list any one will do; all given must hold."""

    modality: tuple[str, ...] = ()
    body_part: tuple[str, ...] = ()
    description: tuple[str, ...] = ()
    laterality: tuple[str, ...] = ()
    view_position: tuple[str, ...] = ()
    least_priors: int = 0
    most_priors: int | None = None
    series: tuple[Selector, ...] = ()
    """For each of these the study must hold something."""


@dataclass(frozen=True, slots=True)
class Protocol:
    id: int
    name: str
    matches: Matches
    stages: tuple[Stage, ...]
    priority: int = 0
    own: bool = False
    """Made by the organization itself; beats one that came with Farview where both suit alike."""


def protocol_of(
    number: int, name: str, matches: Json, stages: Sequence[Json], priority: int = 0, own: bool = False
) -> Protocol:
    """From checked JSON."""
    return Protocol(number, name, _matches(matches), tuple(stage_of(one) for one in stages), priority, own)


def stage_of(data: Json) -> Stage:
    return Stage(
        name=str(data["name"]),
        layout=str(data["layout"]),
        slots=tuple(_slot(one) if one is not None else None for one in data["viewports"]),
        least=int(data.get("least", 1)),
        most=int(data.get("most", 16)),
        when=_selectors(data.get("when", [])),
    )


def _slot(data: Json) -> Slot:
    fusion = data.get("fusion")
    return Slot(
        wants=_selectors(data.get("series", {})) or (Selector(),),
        study=str(data.get("study", CURRENT)),
        same_as=_place(data.get("same_as")),
        like=_place(data.get("like")),
        needed=bool(data.get("needed", False)),
        each=bool(data.get("each", False)),
        chest_wall=str(data.get("chest_wall", "")),
        fusion=None if fusion is None else _fusion(fusion),
        link=str(data.get("link", "")),
        view=data.get("view"),
    )


def _fusion(data: Json) -> tuple[Selector, Json]:
    return Selector.from_json(data["series"]), {name: value for name, value in data.items() if name != "series"}


def _place(number: int | None) -> int | None:
    """Viewports are counted from 1 where people write them."""
    return None if number is None else number - 1


def _selectors(data: Json | Sequence[Json]) -> tuple[Selector, ...]:
    return tuple(Selector.from_json(one) for one in ([data] if isinstance(data, Mapping) else data))


def _matches(data: Json) -> Matches:
    priors = data.get("priors", {})
    return Matches(
        modality=tuple(data.get("modality", ())),
        body_part=tuple(data.get("body_part", ())),
        description=tuple(data.get("description", ())),
        laterality=tuple(data.get("laterality", ())),
        view_position=tuple(data.get("view_position", ())),
        least_priors=int(priors.get("least", 0)),
        most_priors=priors.get("most"),
        series=_selectors(data.get("series", [])),
    )
