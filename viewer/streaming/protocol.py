"""The messages of the viewer's WebSocket, parsed at the door (docs/protocol.md is the reference for clients).

A client message is a row of `MESSAGES`: its dataclass, whose fields are checked one by one. Nothing that is not exactly right
comes further in.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, NoReturn

PROTOCOL = 1
MAX_MESSAGE = 64 << 10
"""Bytes of one text message from a client."""
MAX_NAME = 64
"""Characters in the name of a viewport."""
MAX_UID = 64
MAX_COUNTER = 2**53 - 1
"""Counters are whole numbers that JavaScript holds exactly."""
MAX_POINTS = 2000
FARTHEST = 1e7
"""No coordinate of a point is larger."""

POLICY_VIOLATION = 1008
TOO_BIG = 1009


class BadMessage(ValueError):
    """What came is no message of this protocol; the text says what is wrong. `viewport` where it could be read."""

    def __init__(self, message: str, viewport: str | None = None) -> None:
        super().__init__(message)
        self.viewport = viewport


def whole(least: int, most: int) -> Callable[[str, Any], int]:
    def check(name: str, value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise BadMessage(f"{name}: a whole number from {least} to {most} is needed")
        return value

    return check


def text_of(most: int) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= most or not value.isprintable():
            raise BadMessage(f"{name}: a text of 1 to {most} printable characters is needed")
        return value

    return check


def _view(name: str, value: Any) -> Mapping[str, Any]:
    """Only that it is an object: what is in it is the View's own affair, whose errors have a code of their own."""
    if not isinstance(value, dict):
        raise BadMessage(f"{name}: an object is needed")
    return value


def _points(name: str, value: Any) -> tuple[tuple[float, ...], ...]:
    if not isinstance(value, list) or len(value) > MAX_POINTS or not all(map(_is_point, value)):
        raise BadMessage(f"{name}: a list of at most {MAX_POINTS} points is needed, [column, row] or [x, y, z]")
    return tuple(tuple(map(float, point)) for point in value)


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) in (2, 3) and all(map(_is_coordinate, value))


def _is_coordinate(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= FARTHEST


def needed_point(numbers: int) -> Callable[[str, Any], list[float]]:
    """One point of so many coordinates."""

    def check(name: str, value: Any) -> list[float]:
        if not isinstance(value, list) or len(value) != numbers or not all(map(_is_coordinate, value)):
            raise BadMessage(f"{name}: a list of {numbers} numbers is needed")
        return [float(one) for one in value]

    return check


def needed(check: Callable[[str, Any], Any]) -> Any:
    return field(metadata={"check": check})


def optional(check: Callable[[str, Any], Any], default: Any = None) -> Any:
    return field(default=default, metadata={"check": check})


viewport_name = text_of(MAX_NAME)
counter = whole(0, MAX_COUNTER)


@dataclass(frozen=True, slots=True)
class Hello:
    """Optional first message; answered with the server's own."""

    rate: ClassVar[str] = "other"
    protocol: int = needed(counter)


@dataclass(frozen=True, slots=True)
class SeriesOpen:
    """Show this series in this viewport, whatever it showed before."""

    rate: ClassVar[str] = "other"
    viewport: str = needed(viewport_name)
    series: str = needed(text_of(MAX_UID))
    view: Mapping[str, Any] = needed(_view)


@dataclass(frozen=True, slots=True)
class ViewChange:
    """What the reader wants to see differently; only the newest of several is drawn."""

    rate: ClassVar[str] = "merged"
    viewport: str = needed(viewport_name)
    view: Mapping[str, Any] = needed(_view)
    change: int = optional(counter, 0)
    index: int | None = optional(counter)


@dataclass(frozen=True, slots=True)
class FrameShown:
    """Every frame of this viewport up to `index` is on the glass."""

    rate: ClassVar[str] = "merged"
    viewport: str = needed(viewport_name)
    index: int = needed(counter)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number from the voxels under the points of a picture."""

    rate: ClassVar[str] = "other"
    viewport: str = needed(viewport_name)
    index: int = needed(counter)
    id: str = needed(text_of(MAX_UID))
    kind: str = needed(text_of(MAX_UID))
    points: tuple[tuple[float, ...], ...] = needed(_points)


@dataclass(frozen=True, slots=True)
class ViewportClose:
    """The viewport is gone; what it held is let go."""

    rate: ClassVar[str] = "other"
    viewport: str = needed(viewport_name)


Message = Hello | SeriesOpen | ViewChange | FrameShown | Measure | ViewportClose


def parse(text: str) -> Message:
    """The message in `text`, or BadMessage with what is wrong with it in words."""
    message: Message = parse_as(MESSAGES, text)
    return message


def parse_as(rows: Mapping[str, Callable[[dict[str, Any]], Any]], text: str) -> Any:
    """The message in `text` as a row of `rows` makes it, by its `type`. Raises BadMessage."""
    if len(text) > MAX_MESSAGE:
        raise BadMessage(f"a message has at most {MAX_MESSAGE} bytes")
    try:
        data = _decode(text)
    except (ValueError, RecursionError):
        raise BadMessage("a message is one JSON object") from None
    if not isinstance(data, dict):
        raise BadMessage("a message is one JSON object")
    kind = data.pop("type", None)
    row = rows.get(kind) if isinstance(kind, str) else None
    try:
        if row is None:
            raise BadMessage(f"type: one of {', '.join(rows)} is needed")
        return row(data)
    except BadMessage as error:
        error.viewport = _viewport_of(data)
        raise


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _viewport_of(data: Mapping[str, Any]) -> str | None:
    try:
        return viewport_name("viewport", data.get("viewport"))
    except BadMessage:
        return None


def parser(message: type[Any]) -> Callable[[dict[str, Any]], Any]:
    """A function that takes the object of a message and makes `message` of it, built once from the fields."""
    checks = {f.name: f.metadata["check"] for f in fields(message)}
    demanded = [f.name for f in fields(message) if f.default is MISSING]
    nullable = {f.name for f in fields(message) if f.default is None}

    def parse_fields(data: dict[str, Any]) -> Any:
        values = {}
        for name, value in data.items():
            check = checks.get(name)
            if check is None:
                raise BadMessage(f"{name[:40]!r} is no field of this message; it has {', '.join(checks)}")
            values[name] = value if value is None and name in nullable else check(name, value)
        for name in demanded:
            if name not in values:
                raise BadMessage(f"{name}: missing")
        return message(**values)

    return parse_fields


def text_message(kind: str, /, **members: Any) -> str:
    """A text message of the server."""
    return _encode({"type": kind, **members})


def frame_message(header: Mapping[str, Any], payload: bytes) -> bytes:
    """The one binary message: 4 bytes big-endian length of the header, the header in UTF-8 JSON, the image bytes."""
    head = _encode(header).encode()
    return b"".join((struct.pack(">I", len(head)), head, payload))


# Made once: `json.loads` makes a decoder for every message that has a wish of its own.
_decode = json.JSONDecoder(parse_constant=_no_constant).decode
# NaN and infinity are no JSON: better no message than one that a browser cannot read.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

MESSAGES: dict[str, Callable[[dict[str, Any]], Message]] = {
    "hello": parser(Hello),
    "series.open": parser(SeriesOpen),
    "view.change": parser(ViewChange),
    "frame.shown": parser(FrameShown),
    "measure": parser(Measure),
    "viewport.close": parser(ViewportClose),
}
