"""Closed lines hold what geometry says, in squares of the unit and in lattice points."""

from __future__ import annotations

import math

import numpy as np
import pytest

from viewer.rendering.outlines import Ellipse, Polygon, ellipse, rectangle

SQUARE = (1.0, 1.0)
FLAT = (1.25, 0.5)
"""A lattice whose rows are farther apart than its columns."""
TRIANGLE = ((0.0, 0.0), (0.0, 40.0), (30.0, 0.0))


def counted(outline: Polygon | Ellipse, pitch: tuple[float, float]) -> float:
    """The area by counting lattice points."""
    top, left, bottom, right = outline.box
    mask = outline.inside(range(math.floor(top), math.ceil(bottom) + 1), range(math.floor(left), math.ceil(right) + 1))
    return float(mask.sum()) * pitch[0] * pitch[1]


def star(count: int, radius: float) -> tuple[tuple[float, float], ...]:
    """A line that goes round twice and crosses itself."""
    angles = 4 * np.pi * np.arange(count) / count
    return tuple((radius * math.cos(angle), radius * math.sin(angle)) for angle in angles)


@pytest.mark.parametrize("pitch", [SQUARE, FLAT])
def test_a_triangle_has_half_of_base_times_height(pitch: tuple[float, float]) -> None:
    triangle = Polygon(TRIANGLE, pitch)
    assert triangle.area == pytest.approx(0.5 * 40 * pitch[1] * 30 * pitch[0])
    sides = 40 * pitch[1], 30 * pitch[0]
    assert triangle.perimeter == pytest.approx(sum(sides) + math.hypot(*sides))


def test_a_rectangle_holds_the_lattice_points_between_its_corners() -> None:
    box = rectangle(((2.5, 3.5), (6.5, 11.5)), FLAT)
    assert box.area == pytest.approx(4 * 1.25 * 8 * 0.5)
    mask = box.inside(range(10), range(14))
    assert mask[3:7, 4:12].all()
    assert mask.sum() == 4 * 8


def test_a_corner_on_a_lattice_point_is_counted_by_one_neighbour_only() -> None:
    left, right = rectangle(((0.0, 0.0), (4.0, 4.0)), SQUARE), rectangle(((0.0, 4.0), (4.0, 9.0)), SQUARE)
    both = left.inside(range(9), range(12)).astype(int) + right.inside(range(9), range(12))
    assert both.max() == 1
    assert both.sum() == 4 * 9


@pytest.mark.parametrize("pitch", [SQUARE, FLAT])
def test_an_ellipse_by_its_box_has_pi_a_b(pitch: tuple[float, float]) -> None:
    round_one = ellipse(((10.0, 20.0), (90.0, 260.0)), pitch)
    a, b = 40 * pitch[0], 120 * pitch[1]
    assert round_one.area == pytest.approx(math.pi * a * b)
    assert counted(round_one, pitch) == pytest.approx(math.pi * a * b, rel=5e-3)
    angles = np.linspace(0, 2 * np.pi, 20001)
    steps = np.hypot(np.diff(a * np.sin(angles)), np.diff(b * np.cos(angles)))
    assert round_one.perimeter == pytest.approx(float(steps.sum()), rel=1e-5)


@pytest.mark.parametrize("pitch", [SQUARE, FLAT])
@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 137.0])
def test_an_ellipse_by_its_axes_may_lean(pitch: tuple[float, float], degrees: float) -> None:
    turn = math.radians(degrees)
    along = np.array([math.sin(turn), math.cos(turn)]) * 40 / pitch
    across = np.array([math.cos(turn), -math.sin(turn)]) * 15 / pitch
    middle = np.array([100.3, 120.2])
    ends = [tuple(middle - along), tuple(middle + along), tuple(middle - across), tuple(middle + across)]
    leaning = ellipse(ends, pitch)
    assert leaning.area == pytest.approx(math.pi * 40 * 15)
    assert counted(leaning, pitch) == pytest.approx(math.pi * 40 * 15, rel=5e-3)
    assert leaning.inside(range(201), range(241))[100, 120]


def test_an_ellipse_of_no_width_holds_nothing() -> None:
    line = ellipse(((5.0, 0.0), (5.0, 9.0)), SQUARE)
    assert line.area == 0.0
    assert not line.inside(range(10), range(10)).any()
    assert ellipse(((5.0, 5.0), (5.0, 5.0)), SQUARE).perimeter == 0.0


def test_a_line_that_crosses_itself_has_no_area_but_by_counting() -> None:
    assert Polygon(star(5, 40.0), SQUARE).crosses_itself
    assert Polygon(star(5, 40.0), SQUARE).area is None
    assert not Polygon(star(5, 40.0)[::2] + star(5, 40.0)[1::2], SQUARE).crosses_itself
    bow = Polygon(((0.0, 0.0), (20.0, 20.0), (0.0, 20.0), (20.0, 0.0)), SQUARE)
    assert bow.crosses_itself
    assert counted(bow, SQUARE) == pytest.approx(200.0, rel=0.06)


def test_a_line_that_only_touches_itself_does_not_cross() -> None:
    closed_twice = Polygon((*TRIANGLE, TRIANGLE[0]), SQUARE)
    assert not closed_twice.crosses_itself
    assert closed_twice.area == pytest.approx(600.0)


def test_a_hollow_polygon_leaves_its_hollow_out() -> None:
    horseshoe = Polygon(
        ((-0.5, -0.5), (-0.5, 8.5), (8.5, 8.5), (8.5, 5.5), (2.5, 5.5), (2.5, 2.5), (8.5, 2.5), (8.5, -0.5)), SQUARE
    )
    mask = horseshoe.inside(range(-2, 12), range(-2, 12))
    assert mask.sum() == horseshoe.area == 9 * 9 - 6 * 3
    assert not mask[2 + 5, 2 + 4]


def test_a_circle_of_many_corners_is_a_circle() -> None:
    angles = np.linspace(0, 2 * np.pi, 1500, endpoint=False)
    corners = tuple((200 + 150 * math.sin(a), 200 + 150 * math.cos(a)) for a in angles)
    drawn = Polygon(corners, SQUARE)
    assert drawn.area == pytest.approx(math.pi * 150**2, rel=1e-4)
    assert counted(drawn, SQUARE) == pytest.approx(math.pi * 150**2, rel=1e-3)
