"""The messages of the live session's socket, parsed at the door (docs/live-session.md is the reference for clients)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from viewer.live.cells import PANES, checked
from viewer.streaming.protocol import (
    MAX_UID,
    BadMessage,
    Hello,
    counter,
    needed,
    needed_point,
    optional,
    parse_as,
    parser,
    text_of,
    whole,
)

PER_SECOND: Mapping[str, int] = {"merged": 400, "other": 40}
"""Changes and cursors are merged in place, the newest of each is told; everything else is work."""


def _at(name: str, value: Any) -> Mapping[str, Any]:
    """Where a cursor stands, and on which picture: a point of an image, or of the patient in a plane through the volume."""
    if not isinstance(value, dict) or value.get("space") not in _PLACES:
        raise BadMessage(f"{name}: an object is needed whose space is image or patient")
    fields = _PLACES[value["space"]]
    if value.keys() - {"space"} != fields.keys():
        raise BadMessage(f"{name}: exactly space, {', '.join(fields)} are needed")
    found = {field: check(f"{name} {field}", value[field]) for field, check in fields.items()}
    return {"space": value["space"], **found}


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadMessage(f"{name}: true or false is needed")
    return value


_KIND = text_of(64)
"""Projection and slab, in the client's own words: pictures of other kinds are other pictures."""
_PLACES: dict[str, dict[str, Callable[[str, Any], Any]]] = {
    "image": {
        "sop_instance_uid": text_of(MAX_UID),
        "frame_number": whole(1, 10_000_000),
        "kind": _KIND,
        "point": needed_point(2),
    },
    "patient": {
        "stack": whole(0, 1_000_000),
        "row": needed_point(3),
        "column": needed_point(3),
        "kind": _KIND,
        "point": needed_point(3),
    },
}


@dataclass(frozen=True, slots=True)
class Join:
    """Into the session: `cells` are what stands on this desk, and begin the session where there is none yet."""

    rate: ClassVar[str] = "other"
    window: str = needed(text_of(64))
    cells: Mapping[str, Any] = needed(checked)


@dataclass(frozen=True, slots=True)
class Leave:
    """Out of it; one goes on watching whether somebody shows the study."""

    rate: ClassVar[str] = "other"


@dataclass(frozen=True, slots=True)
class Look:
    """What stands in the session's panes, once, without coming in."""

    rate: ClassVar[str] = "other"


@dataclass(frozen=True, slots=True)
class Steer:
    """Whether this window goes with the session, or looks on its own for a while."""

    rate: ClassVar[str] = "other"
    together: bool = needed(_boolean)


@dataclass(frozen=True, slots=True)
class Change:
    """What is to stand in the panes of all. `change` is the client's counter, one more each time."""

    rate: ClassVar[str] = "merged"
    change: int = needed(counter)
    cells: Mapping[str, Any] = needed(checked)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the hand is; without a pane it is nowhere."""

    rate: ClassVar[str] = "merged"
    pane: int | None = optional(whole(0, PANES - 1))
    series: str | None = optional(text_of(MAX_UID))
    at: Mapping[str, Any] | None = optional(_at)


Message = Hello | Join | Leave | Look | Steer | Change | Cursor


def parse(text: str) -> Message:
    """The message in `text`. Raises BadMessage."""
    message: Message = parse_as(MESSAGES, text)
    return message


MESSAGES: dict[str, Callable[[dict[str, Any]], Message]] = {
    "hello": parser(Hello),
    "live.join": parser(Join),
    "live.leave": parser(Leave),
    "live.look": parser(Look),
    "live.steer": parser(Steer),
    "live.change": parser(Change),
    "live.cursor": parser(Cursor),
}
