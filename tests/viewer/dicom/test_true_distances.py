"""From slices to the picture: a bead shows where it is in the patient, however the slices lay and whatever was corrected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.viewer.dicom.slices import BEADS, GAP, SAGITTAL, UNEVEN, Vector, beads_in, scan, turned
from viewer.dicom.frames import FrameSource
from viewer.rendering.render import Picture, render
from viewer.rendering.view import View

EVERY_2_MM = np.arange(-36.0, 37.0, 2.0)
TILT = (0.0, float(np.tan(np.radians(18.5))))
NEAR = 9.0

SCANS: dict[str, list[FrameSource]] = {
    "straight": scan(EVERY_2_MM),
    "flat voxels": scan(np.arange(-36.0, 37.0, 3.0), spacing=(1.25, 0.75)),
    "sagittal": scan(EVERY_2_MM, orientation=SAGITTAL),
    "tilted": scan(EVERY_2_MM, lean=TILT),
    "tilted and turned": scan(EVERY_2_MM, lean=(0.1, -0.3), turn=turned(15.0, 1) @ turned(-10.0, 2)),
    "uneven": scan(UNEVEN),
    "uneven and tilted": scan(UNEVEN, lean=TILT),
}

PLANES = {
    "axial": "axial",
    "coronal": "coronal",
    "sagittal": "sagittal",
    "oblique": {"row": list(turned(30.0, 2)[:, 0]), "column": list(turned(30.0, 2) @ turned(25.0, 0)[:, 1])},
}


def seen(picture: Picture, bead: Sequence[float]) -> Vector:
    """How far the bead seems to lie from where it is, mm in the plane of the picture: the middle of what is bright near it."""
    geometry = picture.geometry
    assert geometry is not None
    row, column = np.asarray(geometry.row), np.asarray(geometry.column)
    place = np.asarray(bead) - np.asarray(geometry.top_left)
    rows, columns = np.indices(picture.pixels.shape)
    down = rows * geometry.pixel_spacing[0] - place @ column
    across = columns * geometry.pixel_spacing[1] - place @ row
    mass = np.where(np.hypot(down, across) < NEAR, picture.pixels.astype(np.float64), 0.0)
    return np.array([(mass * down).sum(), (mass * across).sum()]) / mass.sum()


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("name", SCANS)
def test_a_bead_shows_where_it_is(name: str, plane: str) -> None:
    volume = beads_in(SCANS[name], BEADS)
    view = View().changed(
        {
            "plane": PLANES[plane],
            "projection": "mip",
            "slab_thickness": "all",
            "window_center": 500.0,
            "window_width": 1000.0,
            "voi_lut_function": "LINEAR_EXACT",
            "pixel_spacing": 0.8,
        }
    )
    picture = render(volume, view)
    for bead in BEADS:
        assert np.linalg.norm(seen(picture, bead)) < 0.1


def test_nothing_is_drawn_where_nothing_was_scanned() -> None:
    """Between 22 and 34 mm there are no slices; half of the usual 2 mm belongs to the slices at both ends."""
    lit = [(0.0, 0.0, height) for height in (16.0, 22.0, 28.0, 33.0, 40.0)]
    volume = beads_in(scan(GAP), lit, width=12.0)
    view = View(plane="coronal", window_center=1.0, window_width=2.0, pixel_spacing=0.25, center=(0.0, 0.0, 29.0))
    picture = render(volume, view)
    assert picture.geometry is not None
    middle = picture.pixels[:, picture.pixels.shape[1] // 2]
    heights = np.array([picture.geometry.point(row, 0.0)[2] for row in range(middle.size)])
    dark = heights[(middle == 0) & (heights > 0.0) & (heights < 58.0)]
    assert (dark.min(), dark.max()) == pytest.approx((GAP[GAP < 28].max() + 1.0, GAP[GAP > 28].min() - 1.0), abs=0.15)
    assert any("gap between slices" in warning for warning in picture.warnings)
