"""How one field of a View is read at the door: parsers that give a plain, hashable value or refuse with `BadView`.

Each is called with the name of the field, for the message, and the JSON value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

Triple = tuple[float, float, float]
PlaneName = str | tuple[Triple, Triple]
Parser = Callable[[str, Any], Any]

LARGEST_SIDE = 8192
LARGEST_PICTURE = 2**25
"""Pixels of one picture; more than any display has, little enough to draw and hold."""
HUGE = 1e30
_TINY = 1e-30
_FARTHEST = 1e6
"""mm: a kilometre, in which any patient lies."""
_UNIT = 1e-3
"""How far row and column of a plane may be from unit length and from a right angle."""
_SAME = 1e-12
"""Directions as good as this are left as they are, so that a View that comes back stays what it was."""


class BadView(ValueError):
    """The View cannot be drawn; the message names the field and says what is allowed."""


def number(least: float, most: float) -> Callable[[str, Any], float]:
    def parse(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadView(f"{name}: a number is needed")
        if not least <= value <= most or not math.isfinite(value):
            raise BadView(f"{name}: {least:g} to {most:g} is allowed")
        return float(value)

    return parse


def _whole(value: Any) -> Any:
    """1.0 as 1: JSON has one kind of number, and some programs write every one with a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def integer(least: int, most: int) -> Callable[[str, Any], int]:
    def parse(name: str, value: Any) -> int:
        value = _whole(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadView(f"{name}: a whole number is needed")
        if not least <= value <= most:
            raise BadView(f"{name}: {least} to {most} is allowed")
        return value

    return parse


def text(most: int) -> Callable[[str, Any], str]:
    def parse(name: str, value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= most or value != sound(value):
            raise BadView(f"{name}: a text of 1 to {most} characters is needed")
        return value

    return parse


def sound(value: str) -> str:
    """The text with "?" for halves of characters, which JSON can escape and nothing can write."""
    return value.encode(errors="replace").decode()


def one_of(*allowed: str | int) -> Callable[[str, Any], str | int]:
    def parse(name: str, value: Any) -> str | int:
        value = _whole(value)
        if isinstance(value, bool) or not isinstance(value, str | int) or value not in allowed:
            raise BadView(f"{name}: one of {', '.join(str(one) for one in allowed)} is needed")
        return value

    return parse


def boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadView(f"{name}: true or false is needed")
    return value


def positive(name: str, value: Any) -> float:
    parsed = number(0.0, HUGE)(name, value)
    if parsed < _TINY:
        raise BadView(f"{name}: more than 0 is needed")
    return parsed


def slab_thickness(name: str, value: Any) -> float | str:
    if isinstance(value, str) and value != "all":
        raise BadView(f'{name}: millimetres or "all" is needed')
    return "all" if value == "all" else number(0.0, _FARTHEST)(name, value) + 0.0


def zoom(name: str, value: Any) -> float | str:
    return "native" if value == "native" else number(0.01, 100.0)(name, value)


def pan(name: str, value: Any) -> tuple[float, float]:
    return _pair(name, value, number(-100.0, 100.0))


def size(name: str, value: Any) -> tuple[int, int]:
    rows, columns = _pair(name, value, integer(1, LARGEST_SIDE))
    if rows * columns > LARGEST_PICTURE:
        raise BadView(f"{name}: {LARGEST_PICTURE} pixels at most")
    return rows, columns


def shift(name: str, value: Any) -> tuple[float, float]:
    """Pixels to the right and down; -0.0 is 0.0."""
    right, down = _pair(name, value, number(-1000.0, 1000.0))
    return right + 0.0, down + 0.0


def overlays(name: str, value: Any) -> tuple[str, ...] | str:
    """Groups of overlay planes, "6000" to "601E", in their order; or "all"."""
    if value == "all":
        return "all"
    if not isinstance(value, list | tuple) or any(one not in OVERLAY_GROUPS for one in value):
        raise BadView(f'{name}: "all" or a list of groups is needed, "6000" to "601E"')
    return tuple(group for group in OVERLAY_GROUPS if group in value)


OVERLAY_GROUPS = tuple(f"{group:04X}" for group in range(0x6000, 0x6020, 2))


def segments(name: str, value: Any) -> tuple[int, ...] | None:
    """Numbers of segments, sorted, each once; None for "all"."""
    if value == "all":
        return None
    if not isinstance(value, list | tuple) or len(value) > 1000:
        raise BadView(f'{name}: "all" or a list of 1,000 numbers at most is needed')
    parse = integer(0, 2**31 - 1)
    return tuple(sorted({parse(name, one) for one in value}))


def uid(name: str, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9.]{1,64}", value):
        raise BadView(f"{name}: a UID is needed")
    return value


def _pair(name: str, value: Any, parse: Parser) -> tuple[Any, Any]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise BadView(f"{name}: a list of two numbers is needed")
    return parse(name, value[0]), parse(name, value[1])


def point(name: str, value: Any) -> Triple:
    """[x, y, z], LPS mm."""
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise BadView(f"{name}: a list of three numbers is needed, mm to the left, back and head")
    parse = number(-_FARTHEST, _FARTHEST)
    # Adding 0 turns -0.0 into 0.0, which is the same place and should be the same text.
    return parse(name, value[0]) + 0.0, parse(name, value[1]) + 0.0, parse(name, value[2]) + 0.0


def box(name: str, value: Any) -> tuple[Triple, Triple]:
    """Any two opposite corners, as the least and the greatest one."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise BadView(f"{name}: a list of two opposite corners is needed, each [x, y, z] in mm")
    one, other = point(name, value[0]), point(name, value[1])
    pairs = list(zip(one, other, strict=True))
    low, high = (tuple(choose(pair) for pair in pairs) for choose in (min, max))
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


NAMED_PLANES = ("acquired", "axial", "coronal", "sagittal")


def plane(name: str, value: Any) -> PlaneName:
    """A name, or (row, column): two directions of unit length that stand square on each other."""
    if isinstance(value, str) and value in NAMED_PLANES:
        return value
    if not isinstance(value, Mapping) or set(value) != {"row", "column"}:
        raise BadView(f'{name}: {", ".join(NAMED_PLANES)} or {{"row": [x, y, z], "column": [x, y, z]}} is needed')
    row, column = point(f"{name} row", value["row"]), point(f"{name} column", value["column"])
    if any(abs(math.hypot(*direction) - 1.0) > _UNIT for direction in (row, column)):
        raise BadView(f"{name}: row and column need a length of 1")
    if abs(_dot(row, column)) > _UNIT:
        raise BadView(f"{name}: row and column need to stand square on each other")
    row = _normalised(row)
    lean = _dot(row, column)
    if abs(lean) > _SAME:
        column = (column[0] - lean * row[0], column[1] - lean * row[1], column[2] - lean * row[2])
    return row, _normalised(column)


def _dot(one: Triple, other: Triple) -> float:
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def _normalised(direction: Triple) -> Triple:
    length = math.hypot(*direction)
    if abs(length - 1.0) <= _SAME:
        return direction
    return direction[0] / length + 0.0, direction[1] / length + 0.0, direction[2] / length + 0.0
