"""Pictures with fewer pixels than were asked for, while the hand moves."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.rendering.render import Picture, render
from viewer.rendering.view import View
from viewer.rendering.volume import Plane

from .frames import frame, noise

PLANE = Plane((10.0, -20.0, 30.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
ORIENTATIONS = [(0, False, False), (90, False, True), (180, True, False), (270, True, True)]
OF = frame(noise((40, 60)), plane=PLANE, pixel_spacing=(0.5, 0.5), pixel_spacing_source="Pixel Spacing")


def corners(picture: Picture) -> list[tuple[float, ...]]:
    """Where the outer corners of the picture lie in the patient."""
    assert picture.geometry is not None
    rows, columns = picture.pixels.shape[:2]
    return [picture.geometry.point(row, column) for row in (-0.5, rows - 0.5) for column in (-0.5, columns - 0.5)]


@pytest.mark.parametrize(("rotation", "horizontal", "vertical"), ORIENTATIONS)
@pytest.mark.parametrize("size", [(200, 260), (131, 177), (20, 30)])
@pytest.mark.parametrize("zoom", [1.0, 3.7])
def test_fewer_pixels_show_the_same_part_of_the_patient(
    rotation: int, horizontal: bool, vertical: bool, size: tuple[int, int], zoom: float
) -> None:
    view = View(
        size=size, zoom=zoom, pan=(0.1, -0.2), rotation=rotation, flip_horizontal=horizontal, flip_vertical=vertical
    )
    whole, few = render(OF, view), render(OF, view, most=500)
    assert few.pixels.size <= 500 < whole.pixels.size
    assert np.allclose(corners(few), corners(whole))
    assert few.view == whole.view
    assert few.sampling == whole.sampling


def test_an_enlarged_picture_comes_down_to_a_pixel_for_each_voxel() -> None:
    few = render(OF, View(size=(400, 600)), most=200_000)
    assert few.pixels.shape == (40, 60)
    assert np.array_equal(few.pixels, render(OF, View(zoom="native")).pixels)


def test_a_picture_that_is_small_enough_stays_what_it_is() -> None:
    view = View(size=(100, 100))
    assert np.array_equal(render(OF, view, most=10_000).pixels, render(OF, view).pixels)


def test_what_was_reduced_is_the_mean_of_what_was_there() -> None:
    view = View(size=(40, 60), window_center=0.0, window_width=16384.0)  # holds every value: nothing is cut off
    whole, few = render(OF, view).pixels.astype(float), render(OF, view, most=600).pixels.astype(float)
    # Both are rounded to whole grey levels, the mean of four once more.
    assert np.abs(few - whole.reshape(20, 2, 30, 2).mean(axis=(1, 3))).max() <= 1.0
