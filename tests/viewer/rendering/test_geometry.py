"""A place in the picture is a place in the patient, however the picture is turned."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from viewer.rendering.render import render
from viewer.rendering.view import View
from viewer.rendering.volume import Frame, Plane

from .frames import frame

# An oblique plane: two orthogonal unit vectors that lie along no axis.
ROW = np.array([0.8, 0.6, 0.0])
COLUMN = np.array([-0.36, 0.48, 0.8])
POSITION = np.array([-120.0, 30.5, 900.25])
SPACING = (0.7, 0.4)


def voxels_with(marked: tuple[int, int]) -> Frame:
    values = np.zeros((21, 34), np.int16)
    values[marked] = 1000
    plane = Plane(tuple(POSITION), tuple(ROW), tuple(COLUMN))
    return frame(
        values, plane=plane, pixel_spacing=SPACING, pixel_spacing_source="Pixel Spacing", modality="CT", unit="HU"
    )


def patient(row: float, column: float) -> np.ndarray:
    """PS3.3 C.7.6.2.1.1: the equation of the image plane."""
    return POSITION + column * SPACING[1] * ROW + row * SPACING[0] * COLUMN


ORIENTATIONS = list(itertools.product((0, 90, 180, 270), (False, True), (False, True)))
PLACINGS = [
    {"zoom": "native"},
    {"zoom": "native", "size": (50, 61), "pan": (0.13, -0.2)},
    {"size": (300, 280)},
    {"size": (300, 280), "zoom": 3.0, "pan": (0.05, 0.02)},
    {"size": (400, 500), "pixel_spacing": 0.1},
]


@pytest.mark.parametrize(("rotation", "horizontal", "vertical"), ORIENTATIONS)
@pytest.mark.parametrize("placing", PLACINGS)
def test_a_marked_voxel_is_seen_where_the_geometry_says(
    rotation: int, horizontal: bool, vertical: bool, placing: dict
) -> None:
    marked = (9, 19)
    view = View(
        rotation=rotation,
        flip_horizontal=horizontal,
        flip_vertical=vertical,
        window_center=500,
        window_width=1000,
        **placing,
    )
    picture = render(voxels_with(marked), view)
    geometry = picture.geometry
    assert geometry is not None
    bright = picture.pixels.astype(float)
    assert bright.max() > 100
    weight = bright / bright.sum()
    row = float((weight.sum(axis=1) * np.arange(bright.shape[0])).sum())
    column = float((weight.sum(axis=0) * np.arange(bright.shape[1])).sum())
    # The centre of what was drawn, in the patient: a twentieth of a voxel is the rounding to 8 bits.
    tolerance = 1e-9 if picture.sampling == "native" else 0.05 * min(SPACING)
    assert np.linalg.norm(np.array(geometry.point(row, column)) - patient(*marked)) < tolerance


@pytest.mark.parametrize(("rotation", "horizontal", "vertical"), ORIENTATIONS)
@pytest.mark.parametrize("placing", PLACINGS)
def test_the_axes_stay_orthogonal_and_the_spacing_true(
    rotation: int, horizontal: bool, vertical: bool, placing: dict
) -> None:
    view = View(rotation=rotation, flip_horizontal=horizontal, flip_vertical=vertical, **placing)
    picture = render(voxels_with((0, 0)), view)
    geometry = picture.geometry
    assert geometry is not None
    row, column = np.array(geometry.row), np.array(geometry.column)
    assert np.allclose([row @ row, column @ column, row @ column], [1, 1, 0], atol=1e-12)
    mirrored = horizontal != vertical
    assert np.allclose(np.cross(row, column), np.cross(ROW, COLUMN) * (-1 if mirrored else 1))
    assert picture.millimetres == geometry.pixel_spacing
    assert picture.millimetres_source == "Pixel Spacing"
    if picture.sampling == "enlarged":
        assert geometry.pixel_spacing[0] == pytest.approx(geometry.pixel_spacing[1])
    step = np.array(geometry.point(1, 0)) - np.array(geometry.point(0, 0))
    assert np.linalg.norm(step) == pytest.approx(geometry.pixel_spacing[0])


def test_an_untouched_picture_has_the_plane_of_the_frame() -> None:
    geometry = render(voxels_with((0, 0)), View()).geometry
    assert geometry is not None
    assert geometry.to_json() == {
        "top_left": list(POSITION), "row": list(ROW), "column": list(COLUMN), "pixel_spacing": list(SPACING),
    }  # fmt: skip


def test_a_flipped_axis_has_no_negative_zero() -> None:
    of = voxels_with((0, 0))
    geometry = render(of, View(flip_horizontal=True)).geometry
    assert geometry is not None
    assert "-0.0" not in str(geometry.to_json()["row"][2])


def test_millimetres_without_a_place_in_the_patient() -> None:
    of = frame(np.zeros((10, 10), np.int16), pixel_spacing=(0.2, 0.1), pixel_spacing_source="at the detector")
    picture = render(of, View(rotation=90))
    assert picture.geometry is None
    assert picture.millimetres == (0.1, 0.2)
    assert picture.millimetres_source == "at the detector"


def test_no_millimetres_without_a_source() -> None:
    picture = render(frame(np.zeros((10, 10), np.int16)), View())
    assert (picture.geometry, picture.millimetres, picture.millimetres_source) == (None, None, "")
