"""Overlay planes over the picture: in place through every layout, crisp, and nothing else changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from viewer.rendering.overlays import HALO, TONE
from viewer.rendering.render import Picture, render
from viewer.rendering.view import View
from viewer.rendering.volume import Dressing, Frame, OverlayPlane

from .frames import frame

RANDOM = np.random.default_rng(6000)
ROWS, COLUMNS = 19, 26
BITS = RANDOM.random((ROWS, COLUMNS)) > 0.93
LAYOUTS: list[dict[str, Any]] = [
    {"rotation": rotation, "flip_horizontal": across, "flip_vertical": down, "pan": (0.13, -0.07)}
    for rotation in (0, 90, 180, 270)
    for across in (False, True)
    for down in (False, True)
]


def dressed(planes: list[OverlayPlane], values: NDArray[Any] | None = None, **more: Any) -> Frame:
    values = np.full((ROWS, COLUMNS), 100, np.uint8) if values is None else values
    return replace(frame(values, **more), dressing=Dressing(overlays=tuple(planes)))


def voxels_under(picture: Picture) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """(row, column) of the frame under every pixel, by the header's placement, and voxels from pixel to pixel."""
    assert picture.placement is not None
    first, across, down = (np.array(picture.placement[name]) for name in ("first", "across", "down"))
    rows, columns = np.indices(picture.pixels.shape[:2])
    at = first + columns[..., None] * across + rows[..., None] * down
    return at[..., 1], at[..., 0], float(np.abs(across + down).max())


def expected(picture: Picture, bits: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A pixel is drawn when the voxel under its centre is; where it covers more than one, when any of them is."""
    row, column, step = voxels_under(picture)
    drawn = np.zeros(picture.pixels.shape[:2], bool)
    half = step / 2 if step > 1 else 0.0
    for i, j in np.argwhere(bits):
        drawn |= (np.abs(row - i) < 0.5 + half) & (np.abs(column - j) < 0.5 + half)
    # Pixels whose centre is beside the frame are background.
    return drawn & (np.abs(row - (ROWS - 1) / 2) < ROWS / 2) & (np.abs(column - (COLUMNS - 1) / 2) < COLUMNS / 2)


def grown(drawn: NDArray[np.bool_]) -> NDArray[np.bool_]:
    padded = np.pad(drawn, 1)
    return np.any([np.roll(padded, (i, j), (0, 1))[1:-1, 1:-1] for i in (-1, 0, 1) for j in (-1, 0, 1)], axis=0)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [(76, 104), (13, 17), None])
def test_every_bit_covers_its_voxel_in_every_layout(layout: dict[str, Any], size: tuple[int, int] | None) -> None:
    """Sizes are chosen so that no pixel centre falls on the edge between voxels."""
    view = View(size=size, overlays=("6000",), **layout)
    picture = render(dressed([OverlayPlane(0x6000, BITS)]), view)
    bare = render(dressed([]), view)
    drawn = expected(picture, BITS)
    assert drawn.any()
    assert (picture.pixels[drawn] == TONE).all()
    halo = grown(drawn) & ~drawn
    assert (picture.pixels[halo] == HALO).all()
    assert np.array_equal(picture.pixels[~drawn & ~halo], bare.pixels[~drawn & ~halo])


def test_a_plane_may_begin_anywhere_and_be_of_any_size() -> None:
    plane = RANDOM.random((30, 12)) > 0.5
    for origin in ((-4, 3), (5, -3), (10, 20), (40, 2)):
        frame_bits = np.zeros((ROWS, COLUMNS), bool)
        for i, j in np.argwhere(plane):
            if 0 <= i + origin[0] < ROWS and 0 <= j + origin[1] < COLUMNS:
                frame_bits[i + origin[0], j + origin[1]] = True
        picture = render(dressed([OverlayPlane(0x6000, plane, origin)]), View())
        assert np.array_equal(picture.pixels == TONE, frame_bits)


def test_of_a_region_its_edge_is_drawn_so_that_what_lies_in_it_is_seen() -> None:
    region = np.zeros((ROWS, COLUMNS), bool)
    region[4:12, 5:15] = True
    picture = render(dressed([OverlayPlane(0x6000, region, region=True)]), View())
    edge = region.copy()
    edge[5:11, 6:14] = False
    assert np.array_equal(picture.pixels == TONE, edge)
    assert (picture.pixels[6:10, 7:13] == 100).all()


def test_planes_lie_over_colours_and_colour_maps_too() -> None:
    colours = RANDOM.integers(0, 256, (ROWS, COLUMNS, 3)).astype(np.uint8)
    picture = render(dressed([OverlayPlane(0x6000, BITS)], colours, photometric="RGB"), View())
    assert (picture.pixels[BITS] == TONE).all()
    assert np.array_equal(picture.pixels[~grown(BITS)], colours[~grown(BITS)])
    mapped = render(dressed([OverlayPlane(0x6000, BITS)]), View(color_map="hot_iron"))
    assert (mapped.pixels[BITS] == TONE).all()


def test_thin_lines_stay_whole_when_the_picture_is_smaller() -> None:
    line = np.zeros((64, 64), bool)
    line[31] = True
    picture = render(dressed([OverlayPlane(0x6000, line)], np.full((64, 64), 9, np.uint8)), View(size=(10, 10)))
    assert ((picture.pixels == TONE).sum(axis=0) == 1).all()


def test_two_planes_are_one_drawing() -> None:
    """The dark line of the second does not cut through the first."""
    first, second = np.zeros((ROWS, COLUMNS), bool), np.zeros((ROWS, COLUMNS), bool)
    first[8, :] = second[:, 9] = True
    picture = render(dressed([OverlayPlane(0x6000, first), OverlayPlane(0x6002, second)]), View())
    assert (picture.pixels[first | second] == TONE).all()
