"""Where pictures of volumes lie: the customary sides up, sizes in mm, samples in depth, and scrolling."""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np
import pytest

from viewer.rendering import planes
from viewer.rendering.render import Picture, render, resolve
from viewer.rendering.view import BadView, View
from viewer.rendering.volume import Volume

from .small_volumes import LEANING, ORIGIN, SHAPE, STRAIGHT, TURNED, volume

GRIDS = {"straight": STRAIGHT, "leaning": LEANING, "turned": TURNED}
OBLIQUE = {"row": [0.8, 0.6, 0.0], "column": [-0.36, 0.48, 0.8]}
PLANES: list[Any] = ["acquired", "axial", "coronal", "sagittal", OBLIQUE]


def marked(place: tuple[int, int, int], steps: Any = STRAIGHT, shape: tuple[int, int, int] = SHAPE) -> Volume:
    values = np.zeros(shape, np.int16)
    values[place] = 1000
    return volume(values, steps, ORIGIN)


def empty(steps: Any = STRAIGHT, shape: tuple[int, int, int] = SHAPE) -> Volume:
    return volume(np.zeros(shape, np.int16), steps, ORIGIN)


def brightest(picture: Picture) -> np.ndarray:
    """The centre of what is bright, as (row, column)."""
    weight = picture.pixels.astype(float)
    assert weight.max() > 60
    weight /= weight.sum()
    rows, columns = weight.shape
    return np.array([(weight.sum(axis=1) * np.arange(rows)).sum(), (weight.sum(axis=0) * np.arange(columns)).sum()])


# --- sides

# Voxels near one side of the patient: (slice, row, column); slices run to the feet, rows to the back, columns to the left.
SIDES = {
    "left": (4, 7, 18),
    "right": (4, 7, 1),
    "back": (4, 12, 10),
    "front": (4, 1, 10),
    "head": (0, 7, 10),
    "feet": (8, 7, 10),
}


@pytest.mark.parametrize(
    ("plane", "seen"),
    [
        ("axial", {"left": "right", "right": "left", "back": "bottom", "front": "top"}),
        ("coronal", {"left": "right", "right": "left", "head": "top", "feet": "bottom"}),
        ("sagittal", {"back": "right", "front": "left", "head": "top", "feet": "bottom"}),
    ],
)
def test_named_planes_are_hung_as_everybody_hangs_them(plane: str, seen: dict[str, str]) -> None:
    for side, where in seen.items():
        view = View(
            plane=plane, projection="mip", slab_thickness="all", size=(60, 60), window_center=500, window_width=1000
        )
        row, column = brightest(render(marked(SIDES[side]), view)) - 29.5
        far = {"right": column, "left": -column, "bottom": row, "top": -row}
        assert max(far, key=far.__getitem__) == where


ORIENTATIONS = list(itertools.product((0, 90, 180, 270), (False, True), (False, True)))


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("plane", PLANES, ids=str)
@pytest.mark.parametrize(("rotation", "horizontal", "vertical"), ORIENTATIONS)
def test_a_marked_voxel_is_seen_where_the_geometry_says(
    grid: str, plane: Any, rotation: int, horizontal: bool, vertical: bool
) -> None:
    of = marked((4, 6, 11), GRIDS[grid])
    at = np.array(of.geometry.point((4, 6, 11)))
    picture = render(
        of,
        View.from_json({
            "plane": plane, "rotation": rotation, "flip_horizontal": horizontal, "flip_vertical": vertical, "size": [90, 70],
            "zoom": 1.5, "pan": [0.07, -0.04], "projection": "mip", "slab_thickness": "all", "window_center": 500,
            "window_width": 1000,
        }),
    )  # fmt: skip
    geometry = picture.geometry
    assert geometry is not None
    seen = np.array(geometry.point(*brightest(picture)))
    row, column = np.array(geometry.row), np.array(geometry.column)
    # A leaning grid smears a voxel to one side by up to a part of itself.
    assert abs((seen - at) @ row) < 0.3
    assert abs((seen - at) @ column) < 0.3
    assert np.allclose([row @ row, column @ column, row @ column], [1, 1, 0], atol=1e-12)
    plane_row, plane_column = (np.array(way) for way in planes.directions(picture.view, of.geometry))
    mirrored = horizontal != vertical
    assert np.allclose(np.cross(row, column), np.cross(plane_row, plane_column) * (-1 if mirrored else 1))


@pytest.mark.parametrize("plane", PLANES, ids=str)
def test_the_center_is_the_middle_of_the_picture_and_pan_moves_it(plane: Any) -> None:
    of, center = empty(), (-7.0, 10.0, 293.0)
    where: dict[str, Any] = {"frame": 4} if plane == "acquired" else {"center": center}
    expected = np.array(of.geometry.point((4, 6.5, 9.5)) if plane == "acquired" else center)
    for rotation, size in itertools.product((0, 90), ((40, 61), (33, 20))):
        view = {"plane": plane, "size": size, "rotation": rotation, "projection": "mip"} | where
        still, moved = (render(of, View.from_json(view | {"pan": pan})).geometry for pan in ([0, 0], [0.25, -0.5]))
        assert still is not None
        assert moved is not None
        rows, columns = size
        assert np.allclose(still.point((rows - 1) / 2, (columns - 1) / 2), expected)
        # The point is seen a quarter of the width further right and half of the height further up.
        assert np.allclose(moved.point((rows - 1) / 2 - rows / 2, (columns - 1) / 2 + columns / 4), expected)


# --- size


def test_zoom_one_fits_the_box_of_the_volume_into_the_viewport() -> None:
    of = empty()  # 18 mm high, 10.5 deep, 10 wide
    for plane, (height, width) in {"axial": (10.5, 10.0), "coronal": (18.0, 10.0), "sagittal": (18.0, 10.5)}.items():
        for rotation in (0, 90):
            rows, columns = 120, 50
            picture = render(of, View(plane=plane, size=(rows, columns), rotation=rotation))
            high, wide = (width, height) if rotation else (height, width)
            assert picture.millimetres == pytest.approx((max(high / rows, wide / columns),) * 2)
            assert picture.view.zoom == 1.0
    assert render(of, View(plane="axial", size=(21, 20), zoom=2.0)).millimetres == pytest.approx((0.25, 0.25))


def test_native_is_a_pixel_for_the_smallest_side_of_a_voxel() -> None:
    of = empty()
    assert resolve(View(plane="axial"), of).size == (21, 20)
    assert resolve(View(plane="coronal"), of).size == (36, 20)
    assert resolve(View(plane="coronal", rotation=90), of).size == (20, 36)
    assert resolve(View(plane="sagittal", pixel_spacing=0.25), of).size == (72, 42)
    resolved = resolve(View(plane="axial"), of)
    assert (resolved.zoom, resolved.pixel_spacing) == ("native", None)
    assert render(of, View(plane="sagittal", zoom="native", size=(5, 5))).millimetres == (0.5, 0.5)


def test_a_picture_that_is_too_large_is_refused() -> None:
    with pytest.raises(BadView, match="size"):
        resolve(View(plane="axial", pixel_spacing=0.001), empty())


# --- depth


@pytest.mark.parametrize("grid", GRIDS)
def test_by_default_a_picture_lies_in_the_middle_and_on_a_slice_where_there_are_slices(grid: str) -> None:
    of = empty(GRIDS[grid], (8, 14, 20))
    inverse = of.geometry.to_voxels
    for plane in ("axial", "coronal", "sagittal", OBLIQUE):
        center = np.array(resolve(View.from_json({"plane": plane}), of).center)
        place = inverse @ [*center, 1.0]
        middle = np.array([3.5, 6.5, 9.5])
        apart = np.linalg.norm(center - np.array(of.geometry.point(tuple(middle))))
        assert apart < 2.0
        on_slices = {("straight", "axial"): 0, ("straight", "coronal"): 1, ("straight", "sagittal"): 2}
        on_slices |= {("leaning", "axial"): 0, ("leaning", "sagittal"): 2, ("turned", "coronal"): 1}
        axis = on_slices.get((grid, str(plane)))
        if axis is None:
            assert apart < 1e-9
        else:
            assert place[axis] == pytest.approx(middle[axis] + 0.5)


def depth_of(view: View, of: Volume) -> planes.Depth:
    resolved = resolve(view, of)
    return planes.sight(resolved, of, planes.center_of(resolved, of)).depth


@pytest.mark.parametrize(
    ("thickness", "samples"), [(0.5, 2), (0.51, 3), (1.0, 3), (4.0, 9), (5.0, 11), (5.1, 12), (1e-5, 2)]
)
def test_samples_of_a_slab_are_at_most_the_smallest_spacing_apart_and_include_both_ends(
    thickness: float, samples: int
) -> None:
    depth = depth_of(View.from_json({"plane": OBLIQUE, "projection": "mean", "slab_thickness": thickness}), empty())
    assert depth.samples == samples
    assert depth.step <= 0.5 + 1e-9
    assert depth.first == pytest.approx(-thickness / 2)
    assert depth.first + depth.step * (samples - 1) == pytest.approx(thickness / 2)


def test_a_slice_has_one_sample_whatever_the_slab() -> None:
    assert depth_of(View(plane="axial", slab_thickness=5.0), empty()) == planes.Depth()
    assert depth_of(View(plane="axial", projection="mip"), empty()) == planes.Depth()


def test_a_slab_thicker_than_the_volume_takes_no_sample_outside() -> None:
    of = empty()
    thick = View(plane="coronal", projection="mean", slab_thickness=1000.0)
    depth = depth_of(thick, of)
    assert depth.samples <= 23
    assert depth_of(View(plane="coronal", projection="mean", slab_thickness=1e6), of).samples <= 23


@pytest.mark.parametrize("projection", ["mip", "minip", "mean", "volume"])
@pytest.mark.parametrize("plane", PLANES[1:])
@pytest.mark.parametrize("far", [-900.0, -40.0, 40.0, 900.0])
def test_a_slab_beside_the_volume_shows_nothing(projection: str, plane: Any, far: float) -> None:
    of = volume(np.full(SHAPE, 1000, np.int16), STRAIGHT, ORIGIN)
    view = View.from_json({"plane": plane, "projection": projection, "slab_thickness": 4.0, "size": [20, 20]})
    view = view.changed({"window_center": 500, "window_width": 1000})
    row, column = planes.directions(view, of.geometry)
    middle = planes.middle_of(of.geometry)
    assert render(of, view.changed({"center": middle})).pixels.any()
    beside = planes.along(middle, planes.cross(row, column), far)
    assert not render(of, view.changed({"center": beside})).pixels.any()


def test_the_whole_volume_is_cut_from_slice_to_slice_along_its_grid() -> None:
    of = empty()
    assert depth_of(View(plane="axial", projection="mip", slab_thickness="all"), of) == planes.Depth(-8.0, 0.5, 33)
    coronal = depth_of(View(plane="coronal", projection="mip", slab_thickness="all"), of)
    assert (coronal.step, coronal.samples) == (0.375, 27)
    for plane in PLANES[1:]:
        depth = depth_of(View.from_json({"plane": plane, "projection": "mip", "slab_thickness": "all"}), of)
        assert depth.step <= 0.5 + 1e-9


def test_the_whole_volume_is_the_same_whatever_point_is_in_the_middle() -> None:
    of = volume(np.random.default_rng(1).integers(0, 999, SHAPE).astype(np.int16), STRAIGHT, ORIGIN)
    pictures = [
        render(
            of,
            View(plane="coronal", projection="mip", slab_thickness="all", size=(40, 40), center=(-7.0, y, 293.0)),
        ).pixels
        for y in (3.0, 10.0, 40.0)
    ]
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])


def test_more_samples_than_anybody_needs_are_refused() -> None:
    long = volume(np.zeros((40, 4, 4), np.int16), ((0, 0, -10.0), (0, 0.01, 0), (0.01, 0, 0)))
    with pytest.raises(BadView, match="slab_thickness"):
        render(long, View(plane="axial", projection="mip", slab_thickness="all", size=(4, 4)))


# --- scrolling


@pytest.mark.parametrize(("plane", "axis"), [("axial", 0), ("coronal", 1), ("sagittal", 2)])
def test_scrolling_goes_from_slice_to_slice_as_stacks_run(plane: str, axis: int) -> None:
    """To the feet, to the back, to the left; from the first slice to the last."""
    of = empty()
    picture = render(of, View(plane=plane))
    depth = picture.depth
    assert depth is not None
    count = SHAPE[axis]
    assert (depth["count"], depth["index"]) == (count, count // 2)
    direction = np.array(depth["direction"])
    assert np.allclose(direction, [(0, 0, -1), (0, 1, 0), (1, 0, 0)][axis])
    assert depth["step"] == pytest.approx((2.0, 0.75, 0.5)[axis])
    assert np.array(picture.view.center) @ direction == pytest.approx(depth["position"])
    for index in (0, count - 1):
        center = np.array(picture.view.center) + direction * depth["step"] * (index - depth["index"])
        moved = render(of, View(plane=plane, center=tuple(map(float, center))))
        assert moved.depth is not None
        assert moved.depth["index"] == index
        place = (of.geometry.to_voxels @ [*center, 1.0])[axis]
        assert place == pytest.approx(index)
    assert str(-0.0) not in str(depth)


@pytest.mark.parametrize("grid", GRIDS)
def test_scrolling_an_oblique_plane_passes_through_the_whole_volume(grid: str) -> None:
    of = empty(GRIDS[grid])
    picture = render(of, View.from_json({"plane": OBLIQUE}))
    depth = picture.depth
    assert depth is not None
    assert depth["first"] < depth["position"] < depth["last"]
    assert 0.5 <= depth["step"] <= 2.1
    corners = np.array([of.geometry.point(corner) for corner in itertools.product((0, 8), (0, 13), (0, 19))])
    along = corners @ np.array(depth["direction"])
    assert (along.min(), along.max()) == pytest.approx((depth["first"], depth["last"]), abs=1e-5)
    beyond = render(of, View.from_json({"plane": OBLIQUE, "center": [9000, 9000, 9000]})).depth
    assert beyond is not None
    assert beyond["index"] in (0, beyond["count"] - 1)


def test_an_acquired_plane_is_scrolled_by_its_frames() -> None:
    assert render(empty(), View(projection="mip", frame=3)).depth is None


# --- cost


def test_deciding_what_to_draw_costs_next_to_nothing() -> None:
    of = empty()
    view = resolve(View.from_json({"plane": OBLIQUE, "projection": "mip", "slab_thickness": 5, "size": [512, 512]}), of)
    costs = []
    for _ in range(50):
        began = time.thread_time()
        render(of, view, run=lambda draw_rows, rows: None)
        costs.append(time.thread_time() - began)
    assert min(costs) < 0.0005
