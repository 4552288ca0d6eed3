"""Where the frames of a stack lie along their common normal: what panes that scroll together go by."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from viewer.dicom.stacks import Stack

_AXIS_SIGN = (1.0, 1.0, -1.0)
"""Along x to the left, along y to the back, along z to the feet (LPS): the way in which stacks run."""
_EVEN = 0.01
"""mm by which frames may lie beside an even step and still be told by first place and step."""
_ALIKE = 0.9999
"""Cosine: normals so close are one."""

Point = tuple[float, float, float]


def places_of(stack: Stack) -> dict[str, Any] | None:
    """{"direction", "first", "step"}, or {"direction", "mm"} where the steps differ: mm of each frame along `direction`, a
    unit vector at right angles to the frames, from the origin of the patient's coordinates (PS3.3 C.7.6.2.1.1).

    None where frames lie nowhere or each in a direction of its own.
    """
    normals = []
    for frame in stack.frames:
        if frame.position is None or frame.orientation is None:
            return None
        normals.append(_cross(*frame.orientation))
    first = normals[0]
    if any(_dot(first, normal) < _ALIKE * _dot(first, first) for normal in normals):
        return None
    axis = max(range(3), key=lambda number: abs(first[number]))
    sign = _AXIS_SIGN[axis] if first[axis] >= 0 else -_AXIS_SIGN[axis]
    length = _dot(first, first) ** 0.5
    direction = (sign * first[0] / length, sign * first[1] / length, sign * first[2] / length)
    along = [_dot(direction, frame.position) for frame in stack.frames if frame.position is not None]
    told: dict[str, Any] = {"direction": list(direction)}
    step = (along[-1] - along[0]) / (len(along) - 1) if len(along) > 1 else 0.0
    if all(abs(one - along[0] - number * step) <= _EVEN for number, one in enumerate(along)) and _runs(along):
        return {**told, "first": along[0], "step": step}
    return {**told, "mm": [round(one, 3) for one in along]}


def _runs(along: list[float]) -> bool:
    """True where no frame lies before the one before it."""
    return all(later >= earlier for earlier, later in pairwise(along))


def _cross(a: Point, b: Point) -> Point:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
