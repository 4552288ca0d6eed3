"""Diameters, Cobb angles, arrows and calibrated images: against what plain geometry says of the same points."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.viewer.rendering.frames import frame
from viewer.rendering.measuring import KINDS, CannotMeasure, Shown, measure
from viewer.rendering.sheets import Stated
from viewer.rendering.view import View
from viewer.rendering.volume import Frame, Plane

SIZE = (40, 50)
ACROSS = st.floats(-200, 200)
POINT = st.tuples(ACROSS, ACROSS)


def picture(**more: Any) -> Frame:
    """40 x 50 pixels, 0.5 mm between rows and 0.25 mm between columns, lying upright in the patient."""
    plain = frame(np.arange(SIZE[0] * SIZE[1], dtype=np.uint16).reshape(SIZE))
    said = {
        "pixel_spacing": (0.5, 0.25),
        "pixel_spacing_source": "Pixel Spacing",
        "plane": Plane((10.0, 20.0, 30.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
        **more,
    }
    return Frame(plain.values, plain.photometric_interpretation, replace(plain.description, **said))


PLAIN = {"pixel_spacing": None, "pixel_spacing_source": "", "plane": None}


def measured(kind: str, points: list[Any], source: Frame | None = None, stated: Stated | None = None) -> dict[str, Any]:
    source = source or picture()
    shown = Shown(View(zoom="native", size=SIZE), *SIZE, None, stated)
    return measure(kind, points, source, shown)


def numbers(*given: Any, **more: Any) -> dict[str, tuple[float, str]]:
    return {name: (found["value"], found["unit"]) for name, found in measured(*given, **more)["values"].items()}


# --- diameters


def test_two_diameters_are_named_by_which_is_longer_in_the_patient() -> None:
    """20 pixels down are 10 mm; 30 pixels across are 7.5 mm, though they are more pixels."""
    down, across = [[5, 5], [5, 25]], [[2, 15], [32, 15]]
    for points in (down + across, across + down):
        assert numbers("bidirectional", points) == {"long": (10, "mm"), "short": (7.5, "mm"), "product": (75, "mm²")}
    assert measured("bidirectional", down + across)["notes"] == []


def test_without_a_source_they_are_pixels() -> None:
    points = [[5, 5], [5, 25], [2, 15], [32, 15]]
    found = numbers("bidirectional", points, picture(**PLAIN))
    assert found == {"long": (30, "px"), "short": (20, "px"), "product": (600, "px²")}


def test_diameters_that_do_not_cross_squarely_say_so() -> None:
    slanting = [[5, 5], [5, 25], [2, 15], [32, 22]]
    assert measured("bidirectional", slanting)["notes"] == ["the two lines are not at a right angle"]


@pytest.mark.parametrize(
    ("kind", "count"),
    [("bidirectional", 3), ("bidirectional", 5), ("cobb", 3), ("arrow", 3), ("text", 2), ("calibration", 1)],
)
def test_every_kind_wants_its_number_of_points(kind: str, count: int) -> None:
    with pytest.raises(CannotMeasure, match="points"):
        measured(kind, [[number, number] for number in range(count)])


# --- Cobb


@given(POINT, POINT, POINT, POINT)
def test_a_cobb_angle_is_that_between_the_two_lines_whichever_way_they_were_drawn(
    a: Any, b: Any, c: Any, d: Any
) -> None:
    def millimetres(p: Any, q: Any) -> tuple[float, float]:
        return (q[0] - p[0]) * 0.25, (q[1] - p[1]) * 0.5

    one, other = millimetres(a, b), millimetres(c, d)
    if min(math.hypot(*one), math.hypot(*other)) < 1e-3:
        return
    # From directions as atan2 gives them, modulo a straight angle.
    turned = abs(math.degrees(math.atan2(one[1], one[0]) - math.atan2(other[1], other[0]))) % 180.0
    wanted = min(turned, 180.0 - turned)
    for points in ((a, b, c, d), (b, a, c, d), (c, d, b, a)):
        found = numbers("cobb", [list(point) for point in points])
        assert found["angle"] == (pytest.approx(wanted, abs=1e-4), "°")
        assert found["angle"][0] + found["supplementary"][0] == pytest.approx(180)


def test_a_cobb_angle_without_millimetres_goes_by_the_shape_of_the_pixels() -> None:
    tall = picture(**PLAIN, pixel_aspect_ratio=(2.0, 1.0))
    points = [[0, 0], [10, 0], [0, 0], [10, 5]]  # 10 across, 5 down: as far down as across
    found = measured("cobb", points, tall)["values"]["angle"]
    assert (found["value"], found["source"]) == (pytest.approx(45), "the shape of the pixels")
    with pytest.raises(CannotMeasure, match="direction"):
        measured("cobb", [[1, 1], [1, 1], [0, 0], [10, 5]])


# --- marks without numbers


@pytest.mark.parametrize(("kind", "points"), [("arrow", [[3, 4]]), ("arrow", [[3, 4], [8, 9]]), ("text", [[3, 4]])])
def test_arrows_and_texts_have_a_place_and_no_numbers(kind: str, points: list[Any]) -> None:
    found = measured(kind, points)
    assert (found["values"], found["notes"]) == ({}, [])
    assert found["points"][0] == pytest.approx([10 + 3 * 0.25, 20, 30 - 4 * 0.5])
    assert measured(kind, points, picture(**PLAIN))["points"][0] is None


def test_all_kinds_that_the_page_draws_are_known() -> None:
    lines = {"length", "bidirectional", "angle", "cobb", "calibration"}
    regions = {"probe", "ellipse", "rectangle", "freehand"}
    assert lines | regions | {"arrow", "text"} <= set(KINDS)


# --- millimetres that a reader states


def test_a_stated_size_of_the_pixels_gives_millimetres_with_that_source() -> None:
    stated = Stated(0.2, "calibrated by Ada")
    found = measured("length", [[0, 0], [30, 40]], picture(**PLAIN), stated)
    assert found["values"] == {"length": {"value": pytest.approx(10), "unit": "mm", "source": "calibrated by Ada"}}
    assert found["points"] == [None, None]
    region = numbers("rectangle", [[0, 0], [10, 20]], picture(**PLAIN), stated=stated)
    assert region["area"] == (pytest.approx(200 * 0.04), "mm²")


def test_it_keeps_the_shape_of_pixels_that_are_not_square() -> None:
    tall = picture(**PLAIN, pixel_aspect_ratio=(2.0, 1.0))
    stated = Stated(0.2, "calibrated by Ada")
    assert numbers("length", [[0, 0], [10, 0]], tall, stated=stated)["length"] == (pytest.approx(2), "mm")
    assert numbers("length", [[0, 0], [0, 10]], tall, stated=stated)["length"] == (pytest.approx(4), "mm")


def test_it_scales_the_millimetres_that_a_file_gives_and_never_moves_a_point_in_the_patient() -> None:
    stated = Stated(2.0, "calibrated by Ada")
    found = measured("length", [[0, 0], [0, 10]], picture(), stated)
    assert found["values"]["length"] == {"value": pytest.approx(10), "unit": "mm", "source": "calibrated by Ada"}
    assert found["points"] == [None, None]
    with pytest.raises(CannotMeasure, match="no place"):
        measured("length", [[10, 20, 30], [11, 20, 30]], picture(), stated)
