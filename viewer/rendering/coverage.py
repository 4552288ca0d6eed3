"""Which part of an image has been seen: rectangles of whole pixels, joined without overlap. Imports nothing of ours.

A rectangle is (top, left, bottom, right): rows [top, bottom) and columns [left, right).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

Area = tuple[int, int, int, int]

MOST = 200
"""Rectangles of one image that are kept; of more the smallest are forgotten, which only asks to look again."""


def joined(areas: Iterable[Area], rows: int, columns: int) -> list[Area]:
    """The same pixels, within the image, in rectangles that do not overlap: the same list for the same pixels."""
    inside = [(max(t, 0), max(x, 0), min(b, rows), min(r, columns)) for t, x, b, r in areas]
    inside = [one for one in inside if one[0] < one[2] and one[1] < one[3]]
    edges = sorted({edge for t, _, b, _ in inside for edge in (t, b)})
    slabs: list[tuple[int, int, list[tuple[int, int]]]] = []
    for top, bottom in itertools.pairwise(edges):
        spans = _spans((x, r) for t, x, b, r in inside if t <= top and bottom <= b)
        if slabs and slabs[-1][1] == top and slabs[-1][2] == spans:
            slabs[-1] = (slabs[-1][0], bottom, spans)
        else:
            slabs.append((top, bottom, spans))
    found = [(top, left, bottom, right) for top, bottom, spans in slabs for left, right in spans]
    if len(found) > MOST:
        found = sorted(sorted(found, key=_size, reverse=True)[:MOST])
    return found


def share(areas: Iterable[Area], rows: int, columns: int) -> float:
    """Of all pixels of an image, those that lie in areas that do not overlap."""
    return sum(map(_size, areas)) / (rows * columns) if rows and columns else 0.0


def _spans(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for left, right in sorted(spans):
        if found and left <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], right))
        else:
            found.append((left, right))
    return found


def _size(area: Area) -> int:
    return (area[2] - area[0]) * (area[3] - area[1])
