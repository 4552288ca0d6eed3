"""Measurements over a frozen picture, as SVG in the picture's own pixels: the picture's bytes stay what was signed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any

from reporting.exports.document import Picture

INK, HALO = "#ffd84a", "#000000"


def overlay(picture: Picture, spelling: Callable[[str], str] = str) -> str:
    """An SVG of the size of the picture; empty where nothing was drawn on it."""
    thick = max(picture.rows, picture.columns) / 400
    shapes = [shape for one in picture.measurements for shape in _shapes(one, thick)]
    if not shapes:
        return ""
    box = f"0 0 {picture.columns} {picture.rows}"
    lines = "".join(shapes)
    halo = f'<g stroke="{HALO}" stroke-width="{_n(2.5 * thick)}">{lines}</g>'
    ink = f'<g stroke="{INK}" stroke-width="{_n(thick)}">{lines}</g>'
    words = "".join(word for one in picture.measurements for word in _words(one, thick, spelling))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="{picture.columns}" height="{picture.rows}"'
        f' aria-hidden="true"><g fill="none">{halo}{ink}</g>{words}</svg>'
    )


def _shapes(measurement: Mapping[str, Any], thick: float) -> Iterator[str]:
    for drawing in measurement.get("drawings") or ():
        points = _points(drawing.get("points"))
        if drawing.get("graphic") == "ELLIPSE" and len(points) == 4:
            yield _ellipse(points)
        elif len(points) == 1:
            x, y = points[0]
            yield f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(3 * thick)}"/>'
        elif points:
            said = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
            yield f'<polyline points="{said}"/>'


def _words(measurement: Mapping[str, Any], thick: float, spelling: Callable[[str], str]) -> Iterator[str]:
    said = measurement.get("words")
    place = _points([said.get("at")]) if isinstance(said, Mapping) else []
    if not place:
        return
    x, y = place[0][0] + 4 * thick, place[0][1] - 4 * thick
    size = 11 * thick
    for number, words in enumerate(str(said.get("text") or "").split("\n") if isinstance(said, Mapping) else ()):
        at = f'x="{_n(x)}" y="{_n(y + number * size * 1.2)}" font-size="{_n(size)}" font-family="sans-serif"'
        text = escape(spelling(words))
        yield f'<text {at} stroke="{HALO}" stroke-width="{_n(thick * 2)}" fill="none">{text}</text>'
        yield f'<text {at} fill="{INK}">{text}</text>'


def _ellipse(points: list[tuple[float, float]]) -> str:
    """From the ends of one axis, then of the other (PS3.3 C.10.5.1.2)."""
    (ax, ay), (bx, by), *other = points
    turn = math.degrees(math.atan2(by - ay, bx - ax))
    cx, cy = (ax + bx) / 2, (ay + by) / 2
    along, across = math.dist(points[0], points[1]) / 2, math.dist(*other) / 2
    return (
        f'<ellipse cx="{_n(cx)}" cy="{_n(cy)}" rx="{_n(along)}" ry="{_n(across)}"'
        f' transform="rotate({_n(turn)} {_n(cx)} {_n(cy)})"/>'
    )


def _points(said: Any) -> list[tuple[float, float]]:
    """[column, row] with whole numbers at pixel centres, as places of an SVG whose pixels are squares of one."""
    found = []
    for point in said if isinstance(said, list | tuple) else ():
        if not isinstance(point, list | tuple) or len(point) != 2:
            return []
        if not all(isinstance(one, int | float) and math.isfinite(one) for one in point):
            return []
        found.append((float(point[0]) + 0.5, float(point[1]) + 0.5))
    return found


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
