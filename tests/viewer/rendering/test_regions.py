"""Lengths on ultrasound: millimetres only within one region of tissue, by its own scale, which may differ between the axes.

Answers OHIF#5556, where an ultrasound image with several regions was measured by the scale of the wrong one.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from viewer.dicom.decode import load_frame
from viewer.dicom.frames import frame_sources
from viewer.dicom.read import read_instance
from viewer.dicom.series import InstanceFile
from viewer.phantom import facts, studies, ultrasound
from viewer.rendering.measuring import Shown, measure
from viewer.rendering.render import render
from viewer.rendering.view import View
from viewer.rendering.volume import Frame, Plane, UltrasoundRegion

from .frames import frame

CM, SECONDS, HERTZ, CM_PER_SECOND = 3, 4, 5, 7
TISSUE, M_MODE, SPECTRUM, WAVEFORM = 1, 2, 3, 4


def region(
    number: int,
    rows: tuple[int, int],
    columns: tuple[int, int],
    kind: int = TISSUE,
    units: tuple[int, int] = (CM, CM),
    deltas: tuple[float, float] = (0.02, 0.03),
    **more: Any,
) -> UltrasoundRegion:
    """`units` and `deltas` are (down, across)."""
    return UltrasoundRegion(number, rows, columns, kind, more.pop("low_priority", False), units, deltas, **more)


LEFT = region(1, (10, 59), (5, 44))
RIGHT = region(2, (10, 59), (50, 94), deltas=(0.05, 0.05))
DOPPLER = region(
    3, (65, 98), (5, 94), SPECTRUM, (CM_PER_SECOND, SECONDS), (-2.0, 0.01), reference=(80, 5), values=(0.0, 0.0)
)


def image(*regions: UltrasoundRegion, colour: bool = False, **more: Any) -> Frame:
    values = np.zeros((100, 100, 3) if colour else (100, 100), np.uint8)
    return frame(values, "RGB" if colour else "MONOCHROME2", modality="US", regions=regions, **more)


def measured(source: Frame, kind: str, *points: tuple[float, float], view: View | None = None) -> dict[str, Any]:
    """Points are (column, row) of the frame, shown as it is."""
    view = view or View(zoom="native", size=source.values.shape[:2], window_center=1.0, window_width=2.0)
    picture = render(source, view)
    rows, columns = picture.pixels.shape[:2]
    return measure(kind, points, source, Shown(picture.view, rows, columns, picture.geometry))


def test_a_line_within_a_region_has_that_regions_millimetres_along_each_axis() -> None:
    """OHIF#5556"""
    source = image(LEFT, RIGHT, DOPPLER)
    found = measured(source, "length", (10, 20), (40, 50))
    assert found["values"]["length"]["value"] == pytest.approx(math.hypot(30 * 0.3, 30 * 0.2))
    assert found["values"]["length"]["unit"] == "mm"
    assert found["values"]["length"]["source"] == "from ultrasound region 1"
    found = measured(source, "length", (60, 20), (90, 20))
    assert found["values"]["length"]["value"] == pytest.approx(30 * 0.5)
    assert found["values"]["length"]["source"] == "from ultrasound region 2"
    assert found["notes"] == []


@pytest.mark.parametrize(
    ("points", "why"),
    [
        (((10, 20), (60, 20)), "different ultrasound regions"),
        (((10, 20), (10, 80)), "different ultrasound regions"),
        (((10, 20), (10, 5)), "outside the ultrasound regions"),
        (((47, 20), (48, 30)), "outside the ultrasound regions"),
    ],
)
def test_a_line_across_regions_or_outside_is_in_pixels_and_says_why(points: Any, why: str) -> None:
    """OHIF#5556, also where the file names a Pixel Spacing that holds for one region alone."""
    for more in ({}, {"pixel_spacing": (0.2, 0.3), "pixel_spacing_source": "Pixel Spacing"}):
        found = measured(image(LEFT, RIGHT, DOPPLER, **more), "length", *points)
        number = found["values"]["length"]
        assert number["value"] == pytest.approx(math.dist(*points))
        assert number["unit"] == "px"
        assert number["source"] == "no source for millimetres"
        assert len(found["notes"]) == 1
        assert why in found["notes"][0]


def test_a_region_reaches_to_the_edge_of_its_outermost_pixels() -> None:
    source = image(LEFT)
    assert measured(source, "length", (4.5, 9.5), (44.5, 59.5))["values"]["length"]["unit"] == "mm"
    assert measured(source, "length", (4.4, 9.5), (44.5, 59.5))["values"]["length"]["unit"] == "px"


def test_areas_and_angles_take_both_scales() -> None:
    source = image(LEFT)
    found = measured(source, "rectangle", (10, 20), (30, 40))["values"]
    assert found["area"]["value"] == pytest.approx(20 * 0.3 * 20 * 0.2)
    assert found["area"]["unit"] == "mm²"
    assert found["perimeter"]["value"] == pytest.approx(2 * (20 * 0.3 + 20 * 0.2))
    angle = measured(source, "angle", (30, 20), (10, 20), (30, 40))["values"]["angle"]
    assert angle["value"] == pytest.approx(math.degrees(math.atan2(20 * 0.2, 20 * 0.3)))
    assert angle["source"] == "from ultrasound region 1"


def test_points_on_a_turned_and_enlarged_picture_are_those_of_the_frame() -> None:
    source = image(LEFT, RIGHT)
    view = View(size=(300, 300), rotation=90, window_center=1.0, window_width=2.0)
    # Clockwise: the frame's column runs down the picture, its row from right to left.
    points = [(300 - 3 * (row + 0.5) - 0.5, 3 * (column + 0.5) - 0.5) for column, row in ((10, 20), (40, 50))]
    found = measured(source, "length", *points, view=view)
    assert found["values"]["length"]["value"] == pytest.approx(math.hypot(30 * 0.3, 30 * 0.2))


# --- spectra and other traces


def test_a_line_in_a_spectrum_measures_time_and_velocity() -> None:
    found = measured(image(LEFT, DOPPLER, colour=True), "length", (10, 70), (60, 90))
    assert found["values"].keys() == {"time", "velocity"}
    assert found["values"]["time"]["value"] == pytest.approx(0.5)
    assert found["values"]["time"]["unit"] == "s"
    assert found["values"]["velocity"]["value"] == pytest.approx(40.0)
    assert found["values"]["velocity"]["unit"] == "cm/s"
    assert found["values"]["velocity"]["source"] == "from ultrasound region 3"
    assert found["notes"] == ["ultrasound region 3 shows time and velocity, not a distance"]


def test_a_spectrum_in_hertz_says_hertz() -> None:
    spectrum = region(1, (0, 99), (0, 99), SPECTRUM, (HERTZ, SECONDS), (50.0, 0.02))
    found = measured(image(spectrum), "length", (10, 10), (20, 30))["values"]
    assert {name: (n["value"], n["unit"]) for name, n in found.items()} == {
        "time": (pytest.approx(0.2), "s"),
        "frequency": (pytest.approx(1000.0), "Hz"),
    }


def test_an_m_mode_measures_time_and_depth() -> None:
    trace = region(1, (0, 99), (0, 99), M_MODE, (CM, SECONDS), (0.05, 0.004))
    found = measured(image(trace), "length", (10, 10), (60, 30))["values"]
    assert {name: (n["value"], n["unit"]) for name, n in found.items()} == {
        "time": (pytest.approx(0.2), "s"),
        "depth": (pytest.approx(10.0), "mm"),
    }


def test_a_point_in_a_spectrum_has_the_velocity_of_its_place() -> None:
    found = measured(image(LEFT, DOPPLER, colour=True), "probe", (25, 70))["values"]
    assert found["velocity"]["value"] == pytest.approx(20.0)  # ten rows above the base line, upwards is positive
    assert found["time"]["value"] == pytest.approx(0.2)
    below = measured(image(LEFT, DOPPLER, colour=True), "probe", (25, 90))["values"]
    assert below["velocity"]["value"] == pytest.approx(-20.0)
    tissue = measured(image(LEFT, DOPPLER), "probe", (25, 20))["values"]
    assert tissue.keys() == {"value"}


def test_an_area_in_a_spectrum_has_no_millimetres() -> None:
    found = measured(image(DOPPLER), "rectangle", (10, 70), (30, 90))
    assert found["values"]["area"]["unit"] == "px²"
    assert "time and velocity" in found["notes"][0]


# --- regions over each other


def test_a_colour_box_of_the_same_scale_within_tissue_does_not_part_a_line() -> None:
    """PS3.3 Figure C.8-6: from a point of tissue to one in the colour box."""
    tissue = region(1, (0, 99), (0, 99), low_priority=True)
    box = region(2, (30, 60), (30, 60))
    found = measured(image(tissue, box), "length", (10, 10), (40, 50))["values"]["length"]
    assert found["unit"] == "mm"
    assert found["value"] == pytest.approx(math.hypot(30 * 0.3, 40 * 0.2))
    assert found["source"] == "from ultrasound region 1"


def test_what_lies_on_top_of_tissue_with_another_scale_hides_it() -> None:
    tissue = region(1, (0, 99), (0, 99), low_priority=True)
    inset = region(2, (60, 99), (60, 99), deltas=(0.1, 0.1))
    across = measured(image(tissue, inset), "length", (10, 10), (80, 80))
    assert across["values"]["length"]["unit"] == "px"
    within = measured(image(tissue, inset), "length", (70, 70), (80, 70))["values"]["length"]
    assert (within["value"], within["source"]) == (pytest.approx(10.0), "from ultrasound region 2")


def test_regions_of_one_priority_and_different_scales_give_no_millimetres_where_they_overlap() -> None:
    found = measured(
        image(region(1, (0, 99), (0, 99)), region(2, (0, 99), (0, 99), deltas=(0.1, 0.1))), "length", (1, 1), (9, 9)
    )
    assert found["values"]["length"]["unit"] == "px"
    assert "lie over each other" in found["notes"][0]


@pytest.mark.parametrize("deltas", [(0.0, 0.03), (0.0, 0.0)])
def test_tissue_without_a_scale_is_in_pixels(deltas: tuple[float, float]) -> None:
    found = measured(image(region(1, (0, 99), (0, 99), deltas=deltas)), "length", (1, 1), (9, 9))
    assert found["values"]["length"]["unit"] == "px"
    assert "no scale in centimetres" in found["notes"][0]
    found = measured(image(region(1, (0, 99), (0, 99), units=(0, 0))), "length", (1, 1), (9, 9))
    assert found["values"]["length"]["unit"] == "px"


def test_a_frame_that_lies_in_the_patient_is_measured_there() -> None:
    plane = Plane((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    source = image(LEFT, plane=plane, pixel_spacing=(2.0, 2.0), pixel_spacing_source="Pixel Spacing")
    assert measured(source, "length", (10, 20), (20, 20))["values"]["length"]["value"] == pytest.approx(20.0)


# --- the scale bar


def bar(source: Frame, **view: Any) -> tuple[Any, str]:
    picture = render(source, View(**({"window_center": 1.0, "window_width": 2.0} | view)))
    return picture.millimetres, picture.millimetres_source


MIDDLE = region(1, (10, 90), (10, 90))


def test_one_region_of_tissue_in_the_middle_has_a_scale_bar() -> None:
    assert bar(image(MIDDLE)) == (pytest.approx((0.2, 0.3)), "from ultrasound region 1")
    assert bar(image(MIDDLE), rotation=90, size=(200, 200))[0] == pytest.approx((0.15, 0.1))
    trace = region(2, (92, 99), (0, 99), WAVEFORM, (0, SECONDS), (0.0, 0.01))
    assert bar(image(MIDDLE, trace))[0] == pytest.approx((0.2, 0.3))


@pytest.mark.parametrize(
    "regions",
    [
        (LEFT, RIGHT),
        (MIDDLE, DOPPLER),
        (LEFT,),
        (MIDDLE, RIGHT),
        (DOPPLER,),
        (region(1, (0, 99), (0, 99), M_MODE, (CM, SECONDS)),),
        (region(1, (0, 99), (0, 99), units=(0, 0)),),
    ],
)
def test_where_a_bar_might_be_taken_for_another_scale_there_is_none(regions: tuple[UltrasoundRegion, ...]) -> None:
    spacing = {"pixel_spacing": (0.2, 0.3), "pixel_spacing_source": "Pixel Spacing"}
    assert bar(image(*regions)) == (None, "")
    assert bar(image(*regions, **spacing)) == (None, "")


def test_ultrasound_without_regions_is_as_any_image() -> None:
    assert bar(image(pixel_spacing=(0.2, 0.3), pixel_spacing_source="Pixel Spacing")) == ((0.2, 0.3), "Pixel Spacing")
    assert measured(image(), "length", (1, 1), (1, 11))["notes"] == []


# --- real files


def loaded(path: Path) -> Frame:
    return load_frame(frame_sources(InstanceFile(path, "d", read_instance(path).index))[0])


def test_the_real_clip_is_measured_by_its_tissue_region_alone(shared_data: Path) -> None:
    path = shared_data / "cine" / "US_34f_ybr422_jpeg.dcm"
    said = pydicom.dcmread(path, stop_before_pixels=True).SequenceOfUltrasoundRegions[0]
    source = loaded(path)
    across, down = abs(said.PhysicalDeltaX) * 10, abs(said.PhysicalDeltaY) * 10
    assert across != down
    found = measured(source, "length", (100, 100), (300, 250), view=View(zoom="native", size=(430, 480)))
    assert found["values"]["length"]["value"] == pytest.approx(math.hypot(200 * across, 150 * down))
    assert found["values"]["length"]["source"] == "from ultrasound region 1"
    trace = measured(source, "length", (50, 380), (150, 400), view=View(zoom="native", size=(430, 480)))
    delta = pydicom.dcmread(path, stop_before_pixels=True).SequenceOfUltrasoundRegions[1].PhysicalDeltaX
    assert trace["values"].keys() == {"time"}
    assert trace["values"]["time"]["value"] == pytest.approx(100 * delta)
    outside = measured(source, "length", (5, 5), (300, 250), view=View(zoom="native", size=(430, 480)))
    assert outside["values"]["length"]["unit"] == "px"
    assert bar(source, window_center=None, window_width=None)[0] == pytest.approx((down, across))


def test_the_real_still_is_measured_by_its_region(shared_data: Path) -> None:
    path = shared_data / "colour" / "YBR_FULL_422_uncompressed.dcm"
    (said,) = pydicom.dcmread(path, stop_before_pixels=True).SequenceOfUltrasoundRegions
    found = measured(loaded(path), "length", (300, 300), (400, 300), view=View(zoom="native", size=(555, 800)))
    assert found["values"]["length"]["value"] == pytest.approx(100 * said.PhysicalDeltaX * 10)
    outside = measured(loaded(path), "length", (10, 10), (20, 10), view=View(zoom="native", size=(555, 800)))
    assert outside["values"]["length"]["unit"] == "px"


def test_the_wires_of_the_demonstration_clip_are_forty_millimetres_apart(tmp_path: Path) -> None:
    (path,) = studies.write_ultrasound(tmp_path, frames=2)
    source = loaded(path)
    wires = [ultrasound.target_pixel(target) for target in facts.WIRES]
    view = View(zoom="native", size=(ultrasound.ROWS, ultrasound.COLUMNS))
    found = measured(source, "length", *wires, view=view)["values"]["length"]
    assert found["value"] == pytest.approx(40.0)
    assert (found["unit"], found["source"]) == ("mm", "from ultrasound region 1")
    assert render(source, view).millimetres == pytest.approx((facts.ULTRASOUND_PIXEL,) * 2)
