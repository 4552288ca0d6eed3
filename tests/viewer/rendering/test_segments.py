"""Segmentations over a picture, held against a judge that asks every pixel alone by the patient point under it."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from viewer.rendering.contours import contours_of
from viewer.rendering.masks import PlacedMask, SeveralMasks, cut, cut_labels, mask_on_frame, masks_of
from viewer.rendering.render import Picture, render
from viewer.rendering.segments import MOST_SAMPLES, Segment, Segmentation, Shapes
from viewer.rendering.view import BadView, SegmentationChoice, View, objects_named
from viewer.rendering.volume import Plane

from .frames import frame
from .small_volumes import volume

FRAME_OF_REFERENCE = "1.2.8"
RED = (255, 0, 0)
WINDOW = {"window_center": 50.0, "window_width": 100.0, "voi_lut_function": "LINEAR_EXACT"}
OBLIQUE = ((0.8, 0.6, 0.0), (-0.48, 0.64, 0.6))


def segmentation(*shapes: Shapes, colors: tuple[tuple[int, int, int], ...] = (RED,), **more: Any) -> Segmentation:
    segments = tuple(Segment(number, f"s{number}", color) for number, color in enumerate(colors, 1))
    fields: dict[str, Any] = {
        "key": "k",
        "kind": "seg",
        "title": "",
        "segments": segments,
        "frame_of_reference_uid": FRAME_OF_REFERENCE,
        "refers_to": frozenset(),
        "shapes": shapes,
    }
    return Segmentation(**(fields | more))


def over(segments: tuple[int, ...] | None = None, opacity: float = 0.5, **more: Any) -> View:
    return View(segmentations=(SegmentationChoice("1.2.9", segments, opacity),), **WINDOW, **more)


# --- masks

SPACING = (0.7, 0.9)
"""mm between rows, between columns of the masks: not those of the images."""
BETWEEN = 2.0
ROW, COLUMN = (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)
"""Sagittal masks over axial images."""
NORMAL = (-1.0, 0.0, 0.0)
ORIGIN = (11.3, -3.1, 14.2)
SLICES, ROWS, COLUMNS = 7, 22, 19


@pytest.fixture(scope="module")
def blob() -> NDArray[np.bool_]:
    """(slices, rows, columns): an ellipsoid with a hole, and single pixels here and there."""
    k, i, j = np.indices((SLICES, ROWS, COLUMNS))
    away = ((k - 3) / 2.6) ** 2 + ((i - 10) / 8.0) ** 2 + ((j - 9) / 6.0) ** 2
    solid = (away < 1.0) & (away > 0.15)
    solid |= np.random.default_rng(4).random(solid.shape) < 0.03
    solid[5] = False  # a plane that the object lacks
    return solid


def corner(k: int) -> tuple[float, float, float]:
    x, y, z = (o + k * BETWEEN * n for o, n in zip(ORIGIN, NORMAL, strict=True))
    return x, y, z


def placed(blob: NDArray[Any], segment: int = 0) -> list[PlacedMask]:
    found = []
    for k, mask in enumerate(blob):
        crop = cut(mask)
        if crop is not None:
            found.append(PlacedMask(segment, crop, Plane(corner(k), ROW, COLUMN), SPACING, BETWEEN))
    return found


def judged(blob: NDArray[np.bool_], point: NDArray[np.float64]) -> bool | None:
    """Whether the mask pixel nearest to a patient point is set; None where two of them are about as near."""
    away = point - ORIGIN
    k, i, j = (
        float(away @ np.array(NORMAL)) / BETWEEN,
        float(away @ np.array(COLUMN)) / SPACING[0],
        float(away @ np.array(ROW)) / SPACING[1],
    )
    if any(abs(side - math.floor(side) - 0.5) < 1e-4 for side in (k, i, j)):
        return None
    place = tuple(math.floor(side + 0.5) for side in (k, i, j))
    inside = all(0 <= side < count for side, count in zip(place, blob.shape, strict=True))
    return bool(blob[place]) if inside else False


def grey_of(picture: Picture, view: View, source: Any) -> NDArray[np.uint8]:
    """The same picture with nothing drawn over it, as RGB."""
    bare = render(source, replace(view, segmentations=())).pixels
    return np.repeat(bare[..., None], 3, axis=2) if bare.ndim == 2 else bare


def expected(below: NDArray[np.uint8], inside: NDArray[np.bool_], opacity: float) -> NDArray[np.float64]:
    """`inside` is one pixel wider than the picture on each side."""
    picture = below.astype(np.float64)
    for i, j in itertools.product(range(below.shape[0]), range(below.shape[1])):
        if inside[i + 1, j + 1]:
            around = (inside[i, j + 1], inside[i + 2, j + 1], inside[i + 1, j], inside[i + 1, j + 2])
            share = opacity if all(around) else 1.0
            picture[i, j] += (np.array(RED) - picture[i, j]) * share
    return picture


def hold(picture: Picture, view: View, source: Any, ask: Any, opacity: float = 0.5) -> int:
    """Hold a picture against what `ask` says of the patient point under each pixel; how many pixels were inside."""
    assert picture.geometry is not None
    rows, columns = picture.pixels.shape[:2]
    answers = np.array(
        [[ask(np.array(picture.geometry.point(i, j))) for j in range(-1, columns + 1)] for i in range(-1, rows + 1)],
        object,
    )
    unsure = answers == None  # noqa: E711 - element by element
    assert unsure.mean() < 0.02
    inside = np.where(unsure, False, answers).astype(bool)
    wanted = expected(grey_of(picture, view, source), inside, opacity)
    near = np.zeros((rows, columns), bool)  # of a pixel that nobody is sure of, and its neighbours
    for down, across in ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2)):
        near |= unsure[down : down + rows, across : across + columns]
    off = abs(picture.pixels.astype(float) - wanted).max(axis=2)
    assert off[~near].max() <= 0.5001
    return int(inside.sum())


@pytest.fixture(scope="module")
def scan() -> Any:
    values = np.random.default_rng(2).integers(0, 100, (16, 24, 28)).astype(np.int16)
    return volume(values, ((0.0, 0.0, -1.1), (0.0, 0.83, 0.0), (0.83, 0.0, 0.0)), (-6.0, -4.0, 12.0))


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal", OBLIQUE])
def test_masks_of_another_grid_are_drawn_at_their_patient_points_on_any_plane(
    plane: Any, scan: Any, blob: NDArray[np.bool_]
) -> None:
    drawn = segmentation(*masks_of(placed(blob), 1, True))
    view = over(plane=plane, size=(61, 67), center=(4.013, 4.021, 5.037))
    picture = render(scan, view, segmented=[drawn])
    assert picture.pixels.shape == (61, 67, 3)
    assert hold(picture, view, scan, lambda point: judged(blob, point)) > 100


def test_masks_are_drawn_over_an_acquired_frame_turned_and_enlarged(blob: NDArray[np.bool_]) -> None:
    values = np.random.default_rng(3).integers(0, 100, (24, 28)).astype(np.int16)
    image = frame(
        values,
        plane=Plane((-6.0, -4.0, 7.03), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
        pixel_spacing=(0.83, 0.83),
        pixel_spacing_source="Pixel Spacing",
        frame_of_reference_uid=FRAME_OF_REFERENCE,
    )
    drawn = segmentation(*masks_of(placed(blob), 1, True))
    for more in ({}, {"rotation": 90, "flip_vertical": True}, {"zoom": 2.3, "pan": (0.1, -0.2)}, {"rotation": 180}):
        view = over(size=(71, 63), **more)
        picture = render(image, view, segmented=[drawn])
        assert hold(picture, view, image, lambda point: judged(blob, point)) > 100


def test_a_picture_of_fewer_pixels_shows_the_same_places(scan: Any, blob: NDArray[np.bool_]) -> None:
    drawn = segmentation(*masks_of(placed(blob), 1, True))
    view = over(plane="axial", size=(120, 120), center=(4.013, 4.021, 5.037))
    picture = render(scan, view, most=2000, segmented=[drawn])
    assert picture.pixels.shape[0] < 60
    assert picture.geometry is not None
    inside = np.array(
        [
            [judged(blob, np.array(picture.geometry.point(i, j))) is True for j in range(picture.pixels.shape[1])]
            for i in range(picture.pixels.shape[0])
        ]
    )
    red = (picture.pixels[..., 0].astype(int) - picture.pixels[..., 1]) > 20
    assert (red == inside).mean() > 0.99


def test_the_same_view_is_the_same_bytes(scan: Any, blob: NDArray[np.bool_]) -> None:
    drawn = segmentation(*masks_of(placed(blob), 1, True))
    view = over(plane=OBLIQUE, size=(61, 67))
    assert (
        render(scan, view, segmented=[drawn]).pixels.tobytes() == render(scan, view, segmented=[drawn]).pixels.tobytes()
    )


def test_fractions_fade_and_are_outlined_where_half_is_reached() -> None:
    fractions = np.zeros((8, 8), np.uint8)
    fractions[1:7, 1:7] = 100
    fractions[2:6, 2:6] = 200
    crop = cut(fractions, maximum=200)
    assert crop is not None
    image = frame(np.full((8, 8), 50, np.int16))
    drawn = segmentation(on_frames={("1.2.3", 0): [(0, crop)]}, mask_size=(8, 8), packed=False)
    pixels = render(image, over(opacity=0.4), segmented=[drawn]).pixels.astype(int)
    grey = pixels[0, 0]
    assert grey[0] == grey[1] == grey[2]
    assert pixels[1, 1].tolist() == [255, 0, 0]  # 100 of 200 is half: the outermost pixel inside
    assert pixels[3, 3] == pytest.approx(grey + 0.4 * (np.array(RED) - grey), abs=0.51)
    fractions[:] = 0
    fractions[1:7, 1:7] = 60
    faint = cut(fractions, maximum=200)
    assert faint is not None
    drawn = segmentation(on_frames={("1.2.3", 0): [(0, faint)]}, mask_size=(8, 8), packed=False)
    pixels = render(image, over(opacity=0.4), segmented=[drawn]).pixels.astype(int)
    assert pixels[1, 1] == pytest.approx(grey + 0.12 * (np.array(RED) - grey), abs=1.0)


def test_a_frame_of_numbers_is_parted_into_its_segments() -> None:
    labels = np.random.default_rng(7).choice([0, 1, 2, 300], (13, 17)).astype(np.uint16)
    labels[0, 0] = 300
    found = dict(cut_labels(labels, {1: 0, 300: 2}))
    assert sorted(found) == [0, 2]
    for index, number in ((0, 1), (2, 300)):
        drawn = segmentation(
            on_frames={("1.2.3", 0): [(index, found[index])]}, mask_size=(13, 17), colors=(RED, RED, RED)
        )
        image = frame(np.full((13, 17), 50, np.int16))
        red = render(image, over(opacity=1.0), segmented=[drawn]).pixels[..., 1] == 0
        assert (red == (labels == number)).all()


def test_numbers_that_no_segment_can_have_are_left_out() -> None:
    assert list(cut_labels(np.array([[2**31 - 1, -5]], np.int32), {1: 0})) == []


def test_only_the_chosen_segments_are_drawn_and_later_ones_over_earlier_ones(scan: Any) -> None:
    one, two = np.zeros((1, 9, 9), bool), np.zeros((1, 9, 9), bool)
    one[0, :6], two[0, 3:] = True, True
    shapes = masks_of([*placed(one, 0), *placed(two, 1)], 2, True)
    drawn = segmentation(*shapes, colors=(RED, (0, 0, 255)))
    view = over(None, 1.0, plane="sagittal", center=ORIGIN, size=(60, 60), zoom=2.0)
    colours = {tuple(c) for c in render(scan, view, segmented=[drawn]).pixels.reshape(-1, 3)}
    assert {RED, (0, 0, 255)} <= colours
    view = over((2,), 1.0, plane="sagittal", center=ORIGIN, size=(60, 60), zoom=2.0)
    colours = {tuple(c) for c in render(scan, view, segmented=[drawn]).pixels.reshape(-1, 3)}
    assert RED not in colours
    with pytest.raises(BadView, match="no segment 3"):
        render(scan, over((3,), plane="axial"), segmented=[drawn])


def test_planes_that_lie_apart_are_not_joined_and_the_next_ones_are() -> None:
    mask = np.ones((1, 4, 4), bool)
    crop = cut(mask[0])
    assert crop is not None

    def at(z: float) -> PlacedMask:
        return PlacedMask(0, crop, Plane((0.0, 0.0, z), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), (1.0, 1.0), 2.0)

    (masks,) = masks_of([at(0.0), at(2.0), at(4.5), at(12.0)], 1, True)
    assert list(zip(masks.lows, masks.highs, strict=True)) == [(-1.25, 1.0), (1.0, 3.25), (3.25, 5.75), (10.75, 13.25)]


def test_two_masks_of_one_segment_at_one_place_are_not_mixed(blob: NDArray[np.bool_]) -> None:
    with pytest.raises(SeveralMasks):
        masks_of([*placed(blob), *placed(blob)], 1, True)


def test_masks_without_a_place_are_drawn_on_the_very_image_alone() -> None:
    mask = np.zeros((6, 7), bool)
    mask[2:5, 1:4] = True
    crop = cut(mask)
    assert crop is not None
    drawn = segmentation(on_frames={("1.2.3", 2): [(0, crop)]}, mask_size=(6, 7))
    image = frame(np.full((6, 7), 50, np.int16), frame_number=2)
    pixels = render(image, over(opacity=1.0, flip_horizontal=True), segmented=[drawn]).pixels
    assert ((pixels[..., 1] == 0) == mask[:, ::-1]).all()
    other = frame(np.full((6, 7), 50, np.int16), frame_number=1)
    pixels = render(other, over(opacity=1.0), segmented=[drawn]).pixels
    assert (pixels[..., 0] == pixels[..., 1]).all()
    with pytest.raises(BadView, match="another size"):
        render(frame(np.full((7, 7), 50, np.int16), frame_number=2), over(), segmented=[drawn])
    with pytest.raises(BadView, match="very images"):
        render(volume(np.zeros((4, 4, 4), np.int16)), over(plane="axial"), segmented=[drawn])


# --- contours


def star(z: float, radius: float, at: tuple[float, float] = (3.1, 2.2)) -> NDArray[np.float64]:
    angles = np.linspace(0, 2 * math.pi, 23, endpoint=False)
    far = radius * (1.0 + 0.4 * np.cos(5 * angles))
    return np.column_stack((at[0] + far * np.cos(angles), at[1] + far * np.sin(angles), np.full(23, z)))


PLANES = (3.0, 6.0, 9.0, 18.0)


@pytest.fixture(scope="module")
def contours() -> list[NDArray[np.float64]]:
    """A star with a hole on planes 3 mm apart, three planes missing; the points of each in the other sense."""
    found = []
    for number, z in enumerate(PLANES):
        found += [star(z, 4.0 + number)[:: -1 if number % 2 else 1], star(z, 1.2)]
    return found


def in_contours(contours: list[NDArray[np.float64]], point: NDArray[np.float64]) -> bool | None:
    """By the angles that every contour of the plane subtends; None beside an edge."""
    z = float(point[2])
    near = [plane for plane in PLANES if abs(z - plane) < 1.5 - 1e-6]
    if any(abs(abs(z - plane) - 1.5) < 1e-6 for plane in PLANES):
        return None
    if not near:
        return False
    inside = 0
    for outline in (c for c in contours if c[0, 2] == near[0]):
        away = outline[:, :2] - point[:2]
        ahead = np.roll(away, -1, axis=0)
        side = ahead - away
        share = np.clip(-(away * side).sum(axis=1) / (side**2).sum(axis=1), 0, 1)
        if np.hypot(*(away + share[:, None] * side).T).min() < 1e-3:
            return None
        turned = np.arctan2(away[:, 0] * ahead[:, 1] - away[:, 1] * ahead[:, 0], (away * ahead).sum(axis=1)).sum()
        inside += round(abs(turned) / (2 * math.pi))
    return inside % 2 == 1


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal", OBLIQUE])
@pytest.mark.parametrize("rotation", [0, 90])
def test_contours_are_filled_on_any_plane(
    plane: Any, rotation: int, scan: Any, contours: list[NDArray[np.float64]]
) -> None:
    shapes, left_out = contours_of([contours])
    assert left_out == [0]
    view = over(plane=plane, rotation=rotation, size=(57, 59), center=(3.013, 2.021, 8.137))
    picture = render(scan, view, segmented=[segmentation(shapes)])
    assert hold(picture, view, scan, lambda point: in_contours(contours, point)) > 60


def test_contours_on_leaning_planes_are_filled_on_these() -> None:
    turn = np.array([[1.0, 0.0, 0.0], [0.0, 0.8, -0.6], [0.0, 0.6, 0.8]])
    leaning = [star(z, 4.0) @ turn.T for z in (3.0, 6.0, 9.0)]
    shapes, left_out = contours_of([[*leaning, star(30.0, 2.0)]])
    assert left_out == [1]
    scan = volume(np.zeros((16, 24, 28), np.int16))
    plane = (tuple(turn @ (1.0, 0.0, 0.0)), tuple(turn @ (0.0, 1.0, 0.0)))
    center = tuple(turn @ (3.1, 2.2, 6.0))
    view = View.from_json(
        {"plane": {"row": plane[0], "column": plane[1]}, "center": center, "size": [50, 50], "pixel_spacing": 0.3}
    )
    view = over(plane=view.plane, center=view.center, size=view.size, pixel_spacing=view.pixel_spacing)
    picture = render(scan, view, segmented=[segmentation(shapes)])
    flat = [star(z, 4.0) for z in (3.0, 6.0, 9.0)]
    assert hold(picture, view, scan, lambda point: in_contours(flat, turn.T @ point)) > 500


# --- refusals


@pytest.mark.parametrize("projection", ["mip", "minip", "mean", "volume"])
def test_segments_are_not_drawn_on_projections(projection: str, scan: Any, blob: NDArray[np.bool_]) -> None:
    drawn = segmentation(*masks_of(placed(blob), 1, True))
    with pytest.raises(BadView, match=r"segmentations: .*slices"):
        render(scan, over(plane="axial", projection=projection, slab_thickness=10.0), segmented=[drawn])


def test_what_cannot_be_drawn_says_why(scan: Any) -> None:
    with pytest.raises(BadView, match="segmentations: it holds no frames"):
        render(scan, over(plane="axial"), segmented=[segmentation(reason="it holds no frames")])
    with pytest.raises(BadView, match="segmentations: the objects"):
        render(scan, over(plane="axial"))


def test_more_segments_than_a_picture_can_show_are_refused(scan: Any) -> None:
    crop = cut(np.ones((200, 200), bool))
    assert crop is not None
    many = MOST_SAMPLES // 500**2 + 2
    plane = Plane((-80.0, -80.0, 5.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    shapes = masks_of([PlacedMask(n, crop, plane, (1.0, 1.0), 1.0) for n in range(many)], many, True)
    drawn = segmentation(*shapes, colors=(RED,) * many)
    with pytest.raises(BadView, match="too many segments"):
        render(scan, over(plane="axial", size=(500, 500), center=(3.0, 3.0, 5.0)), segmented=[drawn])


def test_an_empty_part_of_the_patient_draws_nothing(scan: Any, blob: NDArray[np.bool_]) -> None:
    drawn = segmentation(*masks_of(placed(blob), 1, True))
    view = over(plane="sagittal", size=(30, 30), center=(11.3 - 5 * BETWEEN, 4.0, 4.0))
    pixels = render(scan, view, segmented=[drawn]).pixels
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert mask_on_frame([], 1, True).window(0, None, (3, 3)).samples == 0  # type: ignore[arg-type]


# --- the View


def test_a_view_with_segmentations_comes_back_as_it_was() -> None:
    asked = View.from_json(
        {"segmentations": [{"sop_instance_uid": "1.2", "segments": [3, 1, 3]}, {"sop_instance_uid": "1.3"}]}
    )
    assert asked.to_json()["segmentations"] == [
        {"sop_instance_uid": "1.2", "segments": [1, 3], "opacity": 0.4},
        {"sop_instance_uid": "1.3", "segments": "all", "opacity": 0.4},
    ]
    assert View.from_json(asked.to_json()) == asked
    assert hash(View.from_json(asked.to_json())) == hash(asked)
    assert asked.changed({"frame": 3}).segmentations == asked.segmentations
    assert asked.changed({"segmentations": None}).segmentations == ()
    assert asked.changed({"segmentations": []}) == View()
    assert objects_named(asked) == {"1.2", "1.3"}
