"""Overlay planes over a finished picture: each bit fills its voxel, through any zoom, rotation and flip, and stays crisp.

A light tone with a dark line round it is seen on any grey. Where the picture reduces the frame, a pixel is drawn when any of
its voxels is. Of a region of interest only the edge is drawn, so that what lies in it is seen.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .appearance import OverlayPlane
from .sampling import Axis, Placement

Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]

TONE = 230
HALO = 0


def lay_over(picture: Pixels, planes: Iterable[OverlayPlane], placement: Placement) -> Pixels:
    """The picture (rows, columns) or (rows, columns, 3) with the planes drawn over it."""
    drawn = np.zeros(picture.shape[:2], np.bool_)
    for plane in planes:
        drawn |= on_picture(
            in_frame(_edge(plane.bits) if plane.region else plane.bits, plane.origin, placement), placement
        )
    if not drawn.any():
        return picture
    picture = picture.copy()
    picture[_grown(drawn)] = HALO
    picture[drawn] = TONE
    return picture


def in_frame(bits: Bits, origin: tuple[int, int], placement: Placement) -> Bits:
    """Bits of a plane as bits of the frame; what lies outside is left out."""
    shape = (placement.frame_rows.voxels, placement.frame_columns.voxels)
    frame = np.zeros(shape, np.bool_)
    (top, left), (rows, columns) = origin, bits.shape
    first_row, first_column = max(top, 0), max(left, 0)
    last_row, last_column = min(top + rows, shape[0]), min(left + columns, shape[1])
    if first_row < last_row and first_column < last_column:
        frame[first_row:last_row, first_column:last_column] = bits[
            first_row - top : last_row - top, first_column - left : last_column - left
        ]
    return frame


def on_picture(frame: Bits, placement: Placement) -> Bits:
    """(rows, columns) of the picture: whether any voxel under the pixel is set."""
    down, across = _voxels(placement.frame_rows), _voxels(placement.frame_columns)
    rows, columns = placement.frame_rows.covered, placement.frame_columns.covered
    if down.size == 0 or across.size == 0:
        return np.zeros((placement.rows.length, placement.columns.length), np.bool_)
    frame = np.pad(frame, ((0, 1), (0, 1)))  # `reduceat` takes no end past the array
    part = np.maximum.reduceat(frame, down.reshape(-1), axis=0)[::2]
    part = np.maximum.reduceat(part, across.reshape(-1), axis=1)[:, ::2]
    if placement.transposed:
        part, rows, columns = part.T, columns, rows
    picture = np.zeros((placement.rows.length, placement.columns.length), np.bool_)
    picture[rows[0] : rows[1], columns[0] : columns[1]] = part
    return picture


def _voxels(axis: Axis) -> NDArray[np.int64]:
    """(pixels, 2): first voxel under each covered pixel and the one after the last."""
    first, end = axis.covered
    places = axis.offset + axis.step * np.arange(first, end, dtype=np.float64)
    half = abs(axis.step) / 2.0 if abs(axis.step) > 1.0 else 0.0
    # Half a voxel belongs to the one that begins there, but for the far edge of the pixel.
    lower = np.floor(places - half + 0.5)
    upper = np.ceil(places + half + 0.5) if half else lower + 1
    lower = np.clip(lower, 0, axis.voxels - 1).astype(np.int64)
    upper = np.maximum(np.clip(upper, 1, axis.voxels).astype(np.int64), lower + 1)
    return np.stack((lower, upper), axis=1)


def _edge(bits: Bits) -> Bits:
    """Bits that touch one that is not set, or the border of the plane."""
    inner = np.zeros_like(bits)
    inner[1:-1, 1:-1] = bits[:-2, 1:-1] & bits[2:, 1:-1] & bits[1:-1, :-2] & bits[1:-1, 2:]
    return bits & ~inner


def _grown(drawn: Bits) -> Bits:
    """Grown by a pixel to all eight sides."""
    grown = drawn.copy()
    grown[1:] |= drawn[:-1]
    grown[:-1] |= drawn[1:]
    sides = grown.copy()
    grown[:, 1:] |= sides[:, :-1]
    grown[:, :-1] |= sides[:, 1:]
    return grown
