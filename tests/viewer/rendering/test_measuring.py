"""Measured is what is there: on the phantom, whose distances, sizes and values are known, and on formulas."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.viewer.rendering.frames import frame, noise
from viewer.phantom import ct, facts
from viewer.rendering.geometry import PictureGeometry
from viewer.rendering.measuring import (
    KINDS,
    CannotMeasure,
    Shown,
    measure,
    patient_point,
    picture_point,
)
from viewer.rendering.render import render
from viewer.rendering.view import View
from viewer.rendering.volume import (
    HOLE,
    Frame,
    FrameDescription,
    LookupTable,
    Plane,
    Point,
    Volume,
    VolumeGeometry,
)

# --- parts of the phantom, at full resolution and without noise, on the grid of the demonstration


@cache
def phantom(low: Point, high: Point) -> tuple[NDArray[np.int16], facts.Scan]:
    """The voxels between two corners."""
    (x0, y0, z0), (dz, dy, dx) = facts.CURRENT.origin, facts.CURRENT.spacing
    k = math.floor((z0 - high[2]) / dz), math.ceil((z0 - low[2]) / dz)
    i = math.floor((low[1] - y0) / dy), math.ceil((high[1] - y0) / dy)
    j = math.floor((low[0] - x0) / dx), math.ceil((high[0] - x0) / dx)
    scan = facts.Scan(
        (k[1] - k[0] + 1, i[1] - i[0] + 1, j[1] - j[0] + 1),
        facts.CURRENT.spacing,
        (x0 + j[0] * dx, y0 + i[0] * dy, z0 - k[0] * dz),
    )
    return np.concatenate([slab for _, slab in ct.paint(ct.build(0.1), scan, strength=0.0)]), scan


def mattress() -> tuple[NDArray[np.int16], facts.Scan]:
    """Where the beads lie."""
    return phantom((-110.0, 107.0, -110.0), (110.0, 127.0, 110.0))


def upper_lobe() -> tuple[NDArray[np.int16], facts.Scan]:
    """Where the nodule lies."""
    return phantom((-92.0, -35.0, 116.0), (-51.0, 7.0, 148.0))


def description(values: NDArray[Any], **more: Any) -> FrameDescription:
    return replace(
        frame(values).description,
        modality="CT",
        unit="HU",
        pixel_spacing=(0.75, 0.75),
        pixel_spacing_source="Pixel Spacing",
        frame_of_reference_uid="1.2",
        **more,
    )


def slice_of(part: tuple[NDArray[np.int16], facts.Scan], z: float) -> Frame:
    """The acquired slice nearest to a height, stored as CT usually is: with an intercept of -1024."""
    values, scan = part
    k = round((scan.origin[2] - z) / scan.spacing[0])
    position = (scan.origin[0], scan.origin[1], scan.origin[2] - k * scan.spacing[0])
    stored = (values[k] + 1024).astype(np.uint16)
    plane = Plane(position, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    return Frame(stored, "MONOCHROME2", description(stored, rescale_intercept=-1024.0, plane=plane))


def read_only(values: NDArray[Any]) -> NDArray[Any]:
    values = values.view()
    values.flags.writeable = False
    return values


def volume_of(part: tuple[NDArray[np.int16], facts.Scan], **more: Any) -> Volume:
    values, scan = part
    dz, dy, dx = scan.spacing
    geometry = VolumeGeometry(values.shape, scan.origin, ((0.0, 0.0, -dz), (0.0, dy, 0.0), (dx, 0.0, 0.0)), "1.2")
    fields: dict[str, Any] = {
        "key": "phantom",
        "values": read_only(values),
        "geometry": geometry,
        "description": description(values[0]),
    }
    return Volume(**(fields | more))


def reformat(middle: Point, row: Point, column: Point, view: View | None = None, mm: float = 0.37) -> Shown:
    """A picture of 301 x 401 pixels around a point."""
    along, down = np.asarray(row) / np.linalg.norm(row), np.asarray(column) / np.linalg.norm(column)
    corner = np.asarray(middle) - along * 200 * mm - down * 150 * mm
    geometry = PictureGeometry(tuple(corner), tuple(along), tuple(down), (mm, mm))
    return Shown(view or View(plane="coronal"), 301, 401, geometry)


def pixel(shown: Shown, point: Point) -> list[float]:
    assert shown.geometry is not None
    return list(picture_point(shown.geometry, point)[:2])


def number(answer: dict[str, Any], name: str) -> float:
    return float(answer["values"][name]["value"])


def bead(name: str) -> Point:
    """The middle of a bead, found in the voxels."""
    values, scan = mattress()
    known = next(marker for marker in facts.MARKERS if marker.name == name)
    (x0, y0, z0), (dz, dy, dx) = scan.origin, scan.spacing
    z, y, x = np.ogrid[: values.shape[0], : values.shape[1], : values.shape[2]]
    z, y, x = z0 - dz * z, y0 + dy * y, x0 + dx * x
    near = (abs(x - known.center[0]) < 4.5) & (abs(y - known.center[1]) < 4.5) & (abs(z - known.center[2]) < 4.5)
    weight = np.where(near, values.astype(float) - np.median(values[near]), 0.0).clip(0.0)
    return tuple(float((weight * axis).sum() / weight.sum()) for axis in (x, y, z))


# --- golden: lengths within 0.1 mm, areas within 0.5 %, means within 0.5 HU

VIEWS = [
    View(),
    View(size=(220, 700)),
    View(rotation=90, flip_horizontal=True, size=(640, 300)),
    View(rotation=180, flip_vertical=True, zoom=1.05, pan=(0.01, -0.1), size=(300, 900)),
    View(zoom="native", pan=(0.1, 0.0), size=(90, 400)),
]


def brightest(pixels: NDArray[np.uint8], reach: float) -> list[list[float]]:
    """[column, row] of the middles of the two brightest spots, from the pixels within reach of each peak."""
    light = pixels.astype(float)
    rows, columns = np.indices(light.shape)
    found = []
    for _ in range(2):
        row, column = np.unravel_index(light.argmax(), light.shape)
        near = np.hypot(rows - row, columns - column) <= reach
        found.append([(light * near * axis).sum() / (light * near).sum() for axis in (columns, rows)])
        light = np.where(np.hypot(rows - row, columns - column) <= 3 * reach, 0.0, light)
    return found


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("most", [None, 20_000])
def test_beads_that_are_clicked_in_a_slice_are_as_far_apart_as_they_are(view: View, most: int | None) -> None:
    """However it is turned, zoomed or sent: the points are those of the pixels on the glass."""
    acquired = slice_of(mattress(), 100.0)
    picture = render(acquired, replace(view, window_center=300.0, window_width=2400.0), most)
    shown = Shown(picture.view, *picture.pixels.shape, picture.geometry)
    assert picture.geometry is not None
    points = brightest(picture.pixels, 4.0 / min(picture.geometry.pixel_spacing))
    answer = measure("length", points, acquired, shown)
    assert number(answer, "length") == pytest.approx(200.0, abs=0.1)
    assert answer["values"]["length"]["unit"] == "mm"
    assert answer["values"]["length"]["source"] == "Pixel Spacing"
    truth = sorted([facts.MARKERS[0].center, facts.MARKERS[1].center])
    np.testing.assert_allclose(sorted(answer["points"]), truth, atol=0.25)


@pytest.mark.parametrize(("pair", "millimetres"), facts.marker_distances().items(), ids=lambda value: str(value))
def test_every_two_beads_on_a_coronal_reformat_measure_what_they_should(
    pair: tuple[str, str], millimetres: float
) -> None:
    source = volume_of(mattress())
    shown = reformat((0.0, 117.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0), mm=0.8)
    points = [bead(name) for name in pair]
    assert number(
        measure("length", [pixel(shown, point) for point in points], source, shown), "length"
    ) == pytest.approx(millimetres, abs=0.1)
    assert number(measure("length", points, source, shown), "length") == pytest.approx(millimetres, abs=0.1)


def test_the_square_of_beads_has_the_area_of_a_square_and_right_angles() -> None:
    source, beads = volume_of(mattress()), {name: bead(name) for name in "ABCDEF"}
    shown = reformat((0.0, 117.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0), mm=0.8)
    at = {name: pixel(shown, point) for name, point in beads.items()}
    square = measure("polygon", [at[name] for name in "ABCD"], source, shown)
    assert number(square, "area") == pytest.approx(40_000.0, rel=5e-3)
    assert square["values"]["area"]["unit"] == "mm²"
    assert number(square, "perimeter") == pytest.approx(800.0, abs=0.4)
    assert number(measure("polyline", [at[name] for name in "ABC"], source, shown), "length") == pytest.approx(
        400, abs=0.2
    )
    assert number(measure("angle", [at[name] for name in "ABC"], source, shown), "angle") == pytest.approx(
        90.0, abs=0.05
    )
    across = measure("angle", [at[name] for name in "ABEF"], source, shown)
    assert number(across, "angle") == pytest.approx(math.degrees(math.atan2(30, 40)), abs=0.1)


@pytest.mark.parametrize("view", [View(), View(rotation=270, zoom=4.0, size=(500, 600))])
def test_the_nodule_in_a_slice_has_its_density_and_the_line_round_it_its_area(view: View) -> None:
    nodule = facts.NODULE
    acquired = slice_of(upper_lobe(), nodule.center[2])
    picture = render(acquired, replace(view, window_center=0.0, window_width=500.0))
    shown = Shown(picture.view, *picture.pixels.shape, picture.geometry)

    def round_it(radius: float) -> dict[str, Any]:
        x, y, z = nodule.center
        corners = [pixel(shown, (x - radius, y - radius, z)), pixel(shown, (x + radius, y + radius, z))]
        return measure("ellipse", corners, acquired, shown)

    whole, inner = round_it(nodule.diameter / 2), round_it(3.2)
    assert number(whole, "area") == pytest.approx(math.pi * 25.0, rel=5e-3)
    assert number(inner, "mean") == pytest.approx(nodule.hounsfield, abs=0.5)
    assert number(inner, "sd") < 1.0
    assert number(inner, "min") <= number(inner, "mean") <= number(inner, "max")
    assert number(inner, "n") * 0.75**2 == pytest.approx(math.pi * 3.2**2, rel=0.06)
    assert inner["values"]["mean"]["unit"] == "HU"
    assert inner["values"]["mean"]["source"] == f"{inner['values']['n']['value']} pixels"


OBLIQUE = ((0.8, 0.36, 0.48), (0.0, -0.8, 0.6))


@pytest.mark.parametrize(
    ("row", "column"),
    [((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)), ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)), OBLIQUE],
    ids=["coronal", "sagittal", "oblique"],
)
@pytest.mark.parametrize("kind", ["ellipse", "rectangle", "freehand"])
def test_the_nodule_has_its_density_on_any_plane(kind: str, row: Point, column: Point) -> None:
    shown, half = reformat(facts.NODULE.center, row, column, mm=0.11), 2.4 / 0.11
    points = {
        "ellipse": [[200 - half, 150 - half], [200 + half, 150 + half]],
        "rectangle": [[200 - half, 150 + half], [200 + half, 150 - half]],
        "freehand": [[200 + half * math.cos(a), 150 + half * math.sin(a)] for a in np.linspace(0, 6.2, 200)],
    }[kind]
    answer = measure(kind, points, volume_of(upper_lobe()), shown)
    assert number(answer, "mean") == pytest.approx(facts.NODULE.hounsfield, abs=0.5)
    area = 4.8**2 if kind == "rectangle" else math.pi * 2.4**2
    assert number(answer, "area") == pytest.approx(area, rel=5e-3)
    probe = measure("probe", [[200.0, 150.0]], volume_of(upper_lobe()), shown)
    assert number(probe, "value") == pytest.approx(facts.NODULE.hounsfield, abs=0.5)
    assert [number(probe, axis) for axis in "xyz"] == pytest.approx(facts.NODULE.center)


# --- formulas


def ramp(k: Any, i: Any, j: Any) -> Any:
    """Linear in all directions, so that interpolation of it is exact."""
    return 3.0 * k + 7.0 * i - 2.0 * j + 40.0


def ramp_volume(shape: tuple[int, int, int] = (12, 14, 16), *, lean: float = 0.0, dtype: Any = np.int16) -> Volume:
    values = ramp(*np.ogrid[: shape[0], : shape[1], : shape[2]]).astype(dtype)
    steps = ((0.0, lean, -2.0), (0.0, 1.0, 0.0), (0.5, 0.0, 0.0))
    return Volume("ramp", read_only(values), VolumeGeometry(shape, (10.0, 20.0, 30.0), steps), description(values[0]))


@pytest.mark.parametrize("lean", [0.0, 0.4])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_an_oblique_probe_interpolates_between_voxels(lean: float, dtype: Any) -> None:
    source = replace(ramp_volume(lean=lean, dtype=dtype), slope=2.0, intercept=-5.0)
    there = source.geometry.point((4.3, 6.25, 7.6))
    shown = reformat(there, *OBLIQUE, mm=0.1)
    probe = measure("probe", [[200.0, 150.0]], source, shown)
    assert number(probe, "value") == pytest.approx(2.0 * ramp(4.3, 6.25, 7.6) - 5.0, abs=1e-4)
    outside = measure(
        "probe",
        [source.geometry.point((-3.0, 1.0, 1.0))],
        source,
        reformat(source.geometry.point((-3.0, 1.0, 1.0)), *OBLIQUE),
    )
    assert "value" not in outside["values"]
    assert outside["notes"] == ["there is no image under this point"]


def test_statistics_on_a_grid_plane_are_those_of_its_voxels() -> None:
    source = ramp_volume()
    middle = source.geometry.point((5.0, 7.0, 8.0))
    shown = reformat(middle, (1.0, 0.0, 0.0), (0.0, 0.0, -1.0), mm=0.1)
    corners = [source.geometry.point((1.6, 7.0, 2.5)), source.geometry.point((8.4, 7.0, 11.5))]
    answer = measure("rectangle", corners, source, shown)
    voxels = source.values[2:9, 7, 3:12]
    assert number(answer, "n") == voxels.size
    assert number(answer, "mean") == pytest.approx(voxels.mean())
    assert number(answer, "sd") == pytest.approx(voxels.std())
    assert (number(answer, "min"), number(answer, "max")) == (voxels.min(), voxels.max())
    assert answer["values"]["n"]["unit"] == "samples"


@pytest.mark.parametrize(("projection", "reduce"), [("mip", np.max), ("minip", np.min), ("mean", np.mean)])
@pytest.mark.parametrize(("thickness", "slope"), [(4.0, 1.0), ("all", 1.0), (4.0, -2.0)])
def test_a_region_on_a_slab_counts_the_projected_values(
    projection: str, reduce: Callable[..., Any], thickness: Any, slope: float
) -> None:
    values = noise((9, 11, 13))
    geometry = VolumeGeometry(values.shape, (0.0, 0.0, 0.0), ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)))
    source = Volume("noise", read_only(values), geometry, description(values[0]), slope=slope)
    center = geometry.point((4.0, 5.0, 6.0))
    view = View(plane="axial", projection=projection, slab_thickness=thickness, center=center, flip_vertical=True)
    picture = render(source, replace(view, size=(80, 90), window_center=1.0, window_width=2.0))
    shown = Shown(picture.view, *picture.pixels.shape, picture.geometry)
    answer = measure("rectangle", [(2.5, 1.5, -4.0), (9.5, 8.5, -4.0)], source, shown)
    slab = values[2:7] if thickness == 4.0 else values
    expected = reduce(slab[:, 2:9, 3:10] * slope, axis=0)
    assert number(answer, "mean") == pytest.approx(expected.mean())
    assert any("depth" in note for note in answer["notes"])


def test_statistics_leave_padding_out_and_follow_the_modality_lut() -> None:
    """Weasis#858: a region gave NaN HU."""
    values = noise((30, 40), np.uint16, 0, 64)
    values[5:9, 5:9] = 63
    table = LookupTable(2, (np.arange(50) ** 2).astype(np.uint16), 16)
    source = frame(values, modality_lut=table, pixel_padding=(63, 63), unit="mGy")
    shown = Shown(render(source, View()).view, 30, 40, None)
    answer = measure("rectangle", [[2.5, 1.5], [20.5, 17.5]], source, shown)
    part = values[2:18, 3:21]
    expected = table.data[np.clip(part[part != 63].astype(int) - 2, 0, 49)].astype(float)
    assert number(answer, "n") == expected.size < part.size
    assert number(answer, "mean") == pytest.approx(expected.mean())
    assert number(answer, "sd") == pytest.approx(expected.std())


def test_a_large_region_has_the_statistics_of_a_small_one() -> None:
    """Bands of it are added up without losing digits, also where values are large and close together."""
    values = noise((900, 1100), np.uint16, 65000, 65003)
    source = frame(values)
    shown = Shown(render(source, View()).view, 900, 1100, None)
    answer = measure("rectangle", [[-0.5, -0.5], [1099.5, 899.5]], source, shown)
    assert number(answer, "n") == values.size
    assert number(answer, "mean") == pytest.approx(values.mean(), abs=1e-9)
    assert number(answer, "sd") == pytest.approx(values.std(), rel=1e-9)


def test_angles_are_exact_from_nothing_to_a_half_turn() -> None:
    source = frame(noise((64, 64)), pixel_spacing=(1.0, 0.5), pixel_spacing_source="Pixel Spacing")
    shown = Shown(render(source, View()).view, *render(source, View()).pixels.shape, None)
    for degrees in (0.0, 0.01, 30.0, 90.0, 179.99, 180.0):
        turn = math.radians(degrees)
        corner = [[20.0, 10.0], [10.0, 10.0], [10.0 + 10 * math.cos(turn), 10.0 + 5 * math.sin(turn)]]
        assert number(measure("angle", corner, source, shown), "angle") == pytest.approx(degrees, abs=1e-6)
    with pytest.raises(CannotMeasure, match="no direction"):
        measure("angle", [[1, 1], [1, 1], [2, 2]], source, shown)


def test_pixels_that_are_no_squares_have_two_spacings() -> None:
    plane = Plane((10.0, 20.0, 30.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
    source = frame(noise((40, 60)), plane=plane, pixel_spacing=(2.0, 0.5), pixel_spacing_source="Pixel Spacing")
    shown = Shown(render(source, View(zoom="native")).view, 40, 60, None)
    answer = measure("length", [[0.0, 0.0], [8.0, 1.5]], source, shown)
    assert number(answer, "length") == pytest.approx(5.0), "4 mm along the row and 3 down the column"
    assert answer["points"] == [[10.0, 20.0, 30.0], [10.0, 24.0, 27.0]]
    again = measure("length", answer["points"], source, shown)
    assert number(again, "length") == pytest.approx(5.0)
    assert number(measure("rectangle", [[0, 0], [8, 3]], source, shown), "area") == pytest.approx(24.0)


def test_a_point_goes_to_the_patient_and_back() -> None:
    shown = reformat((12.0, -7.0, 33.0), *OBLIQUE)
    assert shown.geometry is not None
    there = patient_point(shown.geometry, 31.25, 77.5)
    assert picture_point(shown.geometry, there) == pytest.approx((31.25, 77.5, 0.0), abs=1e-9)
    normal = np.cross(shown.geometry.row, shown.geometry.column)
    behind = tuple(np.asarray(there) + 4.0 * normal)
    assert picture_point(shown.geometry, behind) == pytest.approx((31.25, 77.5, 4.0), abs=1e-9)


# --- no number without a source, none that would be wrong


def test_without_a_source_for_millimetres_there_are_only_pixels() -> None:
    source = frame(noise((60, 80)), pixel_aspect_ratio=(2.0, 1.0))
    shown = Shown(render(source, View()).view, 60, 80, None)
    length = measure("length", [[0, 0], [30, 40]], source, shown)
    assert length["values"]["length"] == {"value": 50.0, "unit": "px", "source": "no source for millimetres"}
    assert length["points"] == [None, None]
    area = measure("rectangle", [[0, 0], [10, 20]], source, shown)
    assert (area["values"]["area"]["value"], area["values"]["area"]["unit"]) == (200.0, "px²")
    angle = measure("angle", [[10, 0], [0, 0], [10, 5]], source, shown)
    assert number(angle, "angle") == pytest.approx(45.0), "the shape of a pixel is known"


def test_a_colour_image_has_areas_and_no_values() -> None:
    source = frame(noise((30, 40, 3), np.uint8, 0, 255), "RGB")
    shown = Shown(render(source, View()).view, 30, 40, None)
    for kind, points in (("rectangle", [[1, 1], [9, 9]]), ("probe", [[4, 4]])):
        answer = measure(kind, points, source, shown)
        assert not {"mean", "n", "value"} & set(answer["values"])
        assert answer["notes"] == ["a colour image has no values to measure"]


def test_a_region_without_a_pixel_centre_says_so() -> None:
    source = frame(noise((30, 40)))
    shown = Shown(render(source, View()).view, 30, 40, None)
    answer = measure("rectangle", [[4.1, 4.1], [4.6, 4.6]], source, shown)
    assert number(answer, "area") == pytest.approx(0.25)
    assert number(answer, "n") == 0
    assert "mean" not in answer["values"]
    assert answer["notes"]
    far = measure("rectangle", [[5000, 5000], [9000, 9000]], source, shown)
    assert number(far, "n") == 0


def test_a_line_that_crosses_itself_is_counted_and_says_so() -> None:
    source = frame(noise((60, 60)), pixel_spacing=(0.5, 0.5), pixel_spacing_source="Pixel Spacing")
    picture = render(source, View())
    bow = measure("freehand", [[0, 0], [40, 40], [40, 0], [0, 40]], source, Shown(picture.view, 60, 60, None))
    assert number(bow, "area") == pytest.approx(40 * 40 / 2 * 0.5**2, rel=0.06)
    assert "crosses itself" in bow["values"]["area"]["source"]


def gapped() -> Volume:
    """Between slices 4 and 7 nothing was scanned; one column of voxels is padding."""
    values = noise((12, 8, 8), low=0, high=100)
    values[5:7] = HOLE
    values[:, 0, 0] = HOLE
    geometry = VolumeGeometry(values.shape, (0.0, 0.0, 0.0), ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)))
    told = {"holes": True, "gaps": ((4.5, 6.5),), "corrections": ("a gap of 3 mm",)}
    return Volume("gapped", read_only(values), geometry, description(values[0]), **told)


@pytest.mark.parametrize(
    ("kind", "depths"), [("length", (2, 9)), ("polyline", (1, 3, 8)), ("angle", (0, 1, 10)), ("rectangle", (3, 7))]
)
def test_nothing_is_measured_across_a_gap(kind: str, depths: tuple[int, ...]) -> None:
    source = gapped()
    shown = reformat((4.0, 4.0, -5.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
    points = [(2.0 + index, 4.0, -float(depth)) for index, depth in enumerate(depths)]
    with pytest.raises(CannotMeasure, match="across a gap"):
        measure(kind, points, source, shown)


def test_no_region_reaches_across_a_gap_between_points_that_lie_on_one_side() -> None:
    source = gapped()
    half = math.sqrt(0.5)
    # Turned by 45 degrees in a coronal plane: the corners that were not given lie at other depths than those that were.
    turned = reformat((4.0, 4.0, -3.0), (half, 0.0, -half), (-half, 0.0, -half))
    assert number(measure("rectangle", [(3.5, 4.0, -3.0), (4.5, 4.0, -3.0)], source, turned), "area") == pytest.approx(
        0.5
    )
    with pytest.raises(CannotMeasure, match="across a gap"):
        measure("rectangle", [(1.0, 4.0, -3.0), (7.0, 4.0, -3.0)], source, turned)
    # An ellipse reaches further down than the ends of its slanting axes, which end at 4.414 and 3.707.
    straight = reformat((4.0, 4.0, -3.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
    axes = [(4 + 2 * half, 4.0, -3 - 2 * half), (4 - 2 * half, 4.0, -3 + 2 * half)]
    axes += [(4 + half, 4.0, -3 + half), (4 - half, 4.0, -3 - half)]
    with pytest.raises(CannotMeasure, match="across a gap"):
        measure("ellipse", axes, source, straight)
    higher = [(x, y, z + 0.1) for x, y, z in axes]
    assert number(measure("ellipse", higher, source, straight), "area") == pytest.approx(2 * math.pi)


def test_on_one_side_of_a_gap_everything_is_measured_without_its_holes() -> None:
    source = gapped()
    shown = reformat((4.0, 0.0, -2.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
    assert number(measure("length", [(0.0, 0.0, 0.0), (3.0, 0.0, -4.0)], source, shown), "length") == 5.0
    answer = measure("rectangle", [(-0.5, 0.0, 0.5), (4.5, 0.0, -3.5)], source, shown)
    assert number(answer, "n") == 4 * 4, "one column of holes is no image"
    assert number(answer, "mean") == pytest.approx(source.values[0:4, 0, 1:5].mean())
    assert "a gap of 3 mm" in answer["notes"]


def test_a_point_that_is_not_in_the_picture_measures_no_region() -> None:
    source = ramp_volume()
    middle = source.geometry.point((5.0, 7.0, 8.0))
    shown = reformat(middle, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    off = source.geometry.point((8.0, 7.0, 8.0))
    assert number(measure("length", [middle, off], source, shown), "length") == pytest.approx(6.0)
    with pytest.raises(CannotMeasure, match="plane of this picture"):
        measure("ellipse", [middle, off], source, shown)
    acquired = slice_of(upper_lobe(), 131.0)
    on = Shown(render(acquired, View()).view, *acquired.values.shape, None)
    with pytest.raises(CannotMeasure, match="this image"):
        measure("length", [(-70.0, 0.0, 100.0), (-70.0, 0.0, 131.0)], acquired, on)
    with pytest.raises(CannotMeasure, match="no place in the patient"):
        measure("probe", [(1.0, 2.0, 3.0)], frame(noise((9, 9))), Shown(View(), 9, 9, None))


def test_a_point_on_a_volume_picture_has_no_depth() -> None:
    source = ramp_volume()
    shown = reformat((12.0, 26.0, 20.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0), View(projection="volume"))
    for kind, points in (("length", [[1, 1], [5, 5]]), ("probe", [[1, 1]]), ("rectangle", [[1, 1], [5, 5]])):
        with pytest.raises(CannotMeasure, match="volume picture"):
            measure(kind, points, source, shown)


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        ("volume", [[1, 1]]),
        ("length", [[1, 1]]),
        ("length", [[1, 1], [2, 2], [3, 3]]),
        ("length", [[1, 1], [math.nan, 2]]),
        ("length", [[1, 1], [math.inf, 2]]),
        ("length", [[1, 1], [2]]),
        ("length", [[1, 1], [2, 3, 4, 5]]),
        ("angle", [[1, 1], [2, 2]]),
        ("ellipse", [[1, 1], [2, 2], [3, 3]]),
        ("polygon", [[1, 1], [2, 2]]),
        ("freehand", [[1, 1]] * 2001),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(kind: str, points: list[list[float]]) -> None:
    with pytest.raises(CannotMeasure, match=r"kind|points"):
        measure(kind, points, frame(noise((9, 9))), Shown(View(), 9, 9, None))


def test_every_answer_can_be_written_as_json() -> None:
    source = frame(noise((60, 60)))
    shown = Shown(render(source, View()).view, 60, 60, None)
    for kind, row in KINDS.items():
        count = row.points[0] if row.points else row.least
        points = [[5.0 + 7 * index, 5.0 + 3 * index * index] for index in range(count)]
        answer = measure(kind, points, source, shown)
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer
