"""Every plane and projection of every kind of volume, beside the judge: within one grey level."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from viewer.rendering.render import Picture, render, resolve
from viewer.rendering.storing import Run
from viewer.rendering.view import BadView, View
from viewer.rendering.volume import LookupTable, Volume, Window

from . import volume_judge
from .frames import frame, noise
from .small_volumes import ORIGIN, SHAPE, STRAIGHT, VOLUMES, modality_values, volume
from .volume_judge import Asked, slab

AXIAL, CORONAL, SAGITTAL = ((1, 0, 0), (0, 1, 0)), ((1, 0, 0), (0, 0, -1)), ((0, 1, 0), (0, 0, -1))
OBLIQUE = ((0.8, 0.6, 0.0), (-0.36, 0.48, 0.8))
PLANES: dict[str, Any] = {
    "axial": AXIAL,
    "coronal": CORONAL,
    "sagittal": SAGITTAL,
    "oblique": OBLIQUE,
    "acquired": None,
}
PROJECTIONS = ["slice", "mip", "minip", "mean"]
WINDOW = (300.0, 2600.0, "LINEAR")
SMALLEST = 0.5


def plane_of(name: str, of: Volume) -> Any:
    if name == "acquired":
        return tuple(
            tuple(np.array(step) / np.linalg.norm(step)) for step in (of.geometry.steps[2], of.geometry.steps[1])
        )
    return PLANES[name]


def view_of(name: str, **more: Any) -> View:
    plane = {"row": OBLIQUE[0], "column": OBLIQUE[1]} if name == "oblique" else name
    window = dict(zip(("window_center", "window_width", "voi_lut_function"), WINDOW, strict=True))
    return View.from_json({"plane": plane} | window | more)


def asked_of(of: Volume, name: str, center: Any, thickness: float = 0.0, **more: Any) -> Asked:
    row, column = plane_of(name, of)
    depths = slab(thickness, SMALLEST)
    return Asked(**({"row": row, "column": column, "center": tuple(center), "depths": depths} | more))


def judged(of: Volume, asked: Asked) -> list[NDArray[np.int64]]:
    """The picture, once with what is within rounding of an edge and once without."""
    inverted = of.description.photometric_interpretation == "MONOCHROME1"
    affine = of.geometry.to_patient
    channels = modality_values(of) if of.colour else modality_values(of)[None]
    pictures = []
    for spare in (1e-4, -1e-4):
        drawn = [volume_judge.values_of(channel, affine, asked, spare) for channel in channels]
        pictures.append(np.stack([volume_judge.grey(values, WINDOW, inverted) for values in drawn], axis=-1))
    return pictures


def assert_agrees(picture: Picture, of: Volume, asked: Asked) -> None:
    pixels = picture.pixels.astype(int).reshape(*picture.pixels.shape[:2], -1)
    apart = np.min([np.abs(pixels - reference) for reference in judged(of, asked)], axis=0)
    assert apart.max() <= 1
    assert (apart > 0).mean() < 0.01  # rounding, not another picture
    assert len(np.unique(pixels)) > 10  # and a picture at all


CENTER = (-6.3, 11.8, 292.1)


@pytest.mark.parametrize("kind", VOLUMES)
@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("projection", PROJECTIONS)
def test_a_picture_is_that_of_the_judge(kind: str, plane: str, projection: str) -> None:
    of = VOLUMES[kind]
    thickness = 0.0 if projection == "slice" else 4.3
    where: dict[str, Any] = {"center": CENTER} if plane != "acquired" else {"frame": 4}
    view = view_of(plane, projection=projection, slab_thickness=thickness, size=[31, 37], pixel_spacing=0.45, **where)
    center = CENTER if plane != "acquired" else of.geometry.point((4, 6.5, 9.5))
    assert_agrees(
        render(of, view), of,
        asked_of(of, plane, center, thickness, size=(31, 37), millimetres=0.45, projection=projection),
    )  # fmt: skip


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True), (True, True)])
def test_rotation_flips_pan_and_zoom_are_those_of_the_judge(rotation: int, flips: tuple[bool, bool]) -> None:
    of = VOLUMES["whole numbers"]
    turned: dict[str, Any] = {
        "rotation": rotation, "flip_horizontal": flips[0], "flip_vertical": flips[1], "pan": (0.12, -0.21), "size": (30, 22),
    }  # fmt: skip
    picture = render(of, view_of("oblique", center=CENTER, zoom=1.7, projection="mip", slab_thickness=2, **turned))
    height, width = (
        sum(abs(np.dot(step, direction)) * n for step, n in zip(STRAIGHT, SHAPE, strict=True))
        for direction in (OBLIQUE[1], OBLIQUE[0])
    )
    if rotation in (90, 270):
        height, width = width, height
    millimetres = max(height / 30, width / 22) / 1.7
    assert picture.millimetres == pytest.approx((millimetres, millimetres))
    sub = max(1, int(np.ceil(millimetres / SMALLEST - 0.25)))
    asked = asked_of(of, "oblique", CENTER, 2, projection="mip", millimetres=millimetres, sub=sub, **turned)
    assert_agrees(picture, of, asked)


@pytest.mark.parametrize("kind", VOLUMES)
@pytest.mark.parametrize(("millimetres", "sub"), [(0.6, 1), (0.8, 2), (1.4, 3), (2.5, 4)])
def test_a_pixel_larger_than_voxels_is_the_mean_of_several_rays(kind: str, millimetres: float, sub: int) -> None:
    of = VOLUMES[kind]
    for projection in PROJECTIONS:
        thickness = 0.0 if projection == "slice" else 3.0
        picture = render(
            of,
            view_of(
                "oblique", center=CENTER, size=[13, 16], pixel_spacing=millimetres, projection=projection,
                slab_thickness=thickness,
            ),
        )  # fmt: skip
        asked = asked_of(
            of, "oblique", CENTER, thickness, size=(13, 16), millimetres=millimetres, projection=projection, sub=sub
        )
        pixels = picture.pixels.astype(int).reshape(13, 16, -1)
        assert np.min([np.abs(pixels - reference) for reference in judged(of, asked)], axis=0).max() <= 1


@pytest.mark.parametrize("kind", ["whole numbers", "holes", "leaning", "falling"])
@pytest.mark.parametrize("window", [(0.0, 100.0, "LINEAR"), (500.0, 3000.0, "LINEAR_EXACT"), (100.0, 900.0, "SIGMOID")])
@pytest.mark.parametrize("projection", ["mip", "minip"])
def test_stopping_where_the_window_ends_changes_no_pixel(kind: str, window: Any, projection: str) -> None:
    of = VOLUMES[kind]
    center, width, function = window
    view = view_of(
        "oblique", center=CENTER, size=[31, 37], pixel_spacing=0.45, projection=projection, slab_thickness=6,
        window_center=center, window_width=width, voi_lut_function=function,
    )  # fmt: skip
    asked = asked_of(of, "oblique", CENTER, 6, size=(31, 37), millimetres=0.45, projection=projection)
    values = volume_judge.values_of(modality_values(of), of.geometry.to_patient, asked)
    apart = np.abs(render(of, view).pixels - volume_judge.grey(values, window))
    assert (apart > 1).sum() <= 4  # the last voxel of an edge
    assert (apart > 0).mean() < 0.02


# --- what has to be exact


@pytest.mark.parametrize(
    ("plane", "axis", "turn"), [("axial", 0, lambda s: s), ("coronal", 1, lambda s: s), ("sagittal", 2, lambda s: s)]
)
def test_along_the_grid_voxels_are_drawn_as_they_are(plane: str, axis: int, turn: Any) -> None:
    values = noise((10, 11, 12))
    of = volume(values)  # 1 mm, head to feet
    picture = render(of, view_of(plane, window_width=256, window_center=128))
    drawn = turn(np.take(values, values.shape[axis] // 2, axis=axis))
    expected = render(frame(drawn), View(window_center=128.0, window_width=256.0)).pixels
    assert np.array_equal(picture.pixels, expected)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("projection", ["mip", "minip"])
def test_the_whole_volume_along_its_grid_meets_every_voxel(plane: str, projection: str) -> None:
    values = noise(SHAPE)
    axis = ["axial", "coronal", "sagittal"].index(plane)
    of = volume(values, ((0, 0, -2.5 if axis == 0 else -1.0), (0, 1, 0), (1, 0, 0)))
    picture = render(of, view_of(plane, projection=projection, slab_thickness="all", zoom="native"))
    whole = (np.max if projection == "mip" else np.min)(values, axis=axis)
    assert np.array_equal(picture.pixels, render(frame(whole), View(**window())).pixels)


def window() -> dict[str, Any]:
    return dict(zip(("window_center", "window_width", "voi_lut_function"), WINDOW, strict=True))


def test_an_acquired_slab_of_nothing_is_the_frame_itself() -> None:
    of = VOLUMES["whole numbers"]
    square = volume(of.values.copy())
    for number in (0, 4, 8):
        picture = render(square, View(projection="mip", frame=number, **window()))
        assert np.array_equal(picture.pixels, render(frame(of.values[number]), View(**window())).pixels)


def test_an_acquired_slab_lies_where_its_frame_was_acquired() -> None:
    """An uneven stack is resampled; its frames lie between the slices."""
    values = np.arange(0, 500, 100, dtype=np.int16)[:, None, None] * np.ones((5, 6, 7), np.int16)
    of = volume(values, places=(0.0, 1.5, 4.0))
    for number, expected in enumerate((0, 150, 400)):
        picture = render(of, View(projection="mean", frame=number, window_center=255.5, window_width=512.0))
        assert abs(int(picture.pixels[3, 3]) - round(expected / 511 * 255)) <= 1
    with pytest.raises(BadView, match="frame: this stack has 3"):
        render(of, View(projection="mean", frame=3))


def bands(draw_rows: Any, rows: int) -> None:
    """Small bands, last ones first, in threads."""
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda first: draw_rows(first, min(first + 3, rows)), range(0, rows, 3)[::-1]))


@pytest.mark.parametrize("kind", VOLUMES)
@pytest.mark.parametrize("projection", [*PROJECTIONS, "volume"])
def test_the_same_bytes_on_any_number_of_threads(kind: str, projection: str) -> None:
    if projection == "volume" and VOLUMES[kind].colour:
        pytest.skip("colour has no volume picture")
    run: Run = bands
    for size in ([41, 50], [9, 9]):
        view = View.from_json({
            "plane": view_of("oblique").to_json()["plane"], "projection": projection, "slab_thickness": "all", "size": size,
        })  # fmt: skip
        alone, together = render(VOLUMES[kind], view), render(VOLUMES[kind], view, run=run)
        assert alone.pixels.tobytes() == together.pixels.tobytes()
        assert alone.pixels.flags.c_contiguous


# --- what is said about a picture


@pytest.mark.parametrize("kind", VOLUMES)
@pytest.mark.parametrize(
    "asked",
    [
        {"plane": "axial"}, {"plane": "coronal", "size": [30, 40]}, {"plane": "sagittal", "zoom": 2.0, "rotation": 90},
        {"plane": {"row": [0.8, 0.6, 0], "column": [-0.36, 0.48, 0.8]}, "pixel_spacing": 0.7, "projection": "mean"},
        {"projection": "mip", "slab_thickness": "all", "frame": 2}, {"plane": "axial", "projection": "volume", "size": [9, 9]},
        {"plane": "axial", "projection": "minip", "slab_thickness": 5, "window_center": 40, "window_width": 400},
        {"plane": "axial", "window_width": 0.5, "voi_lut_function": "LINEAR_EXACT", "inverted": True, "color_map": "pet"},
        {"plane": "axial", "clip": [[0, 0, 0], [1, 1, 1]], "slab_thickness": 7, "volume_preset": "bone"},
    ],
)  # fmt: skip
def test_a_resolved_view_draws_the_same_again_and_has_every_field(kind: str, asked: dict[str, Any]) -> None:
    of = VOLUMES[kind]
    if asked.get("projection") == "volume" and of.colour:
        return
    picture = render(of, View.from_json(asked))
    json_view = json.loads(json.dumps(picture.view.to_json()))
    assert set(json_view) == {field.name for field in fields(View)}
    again = View.from_json(json_view)
    assert again == picture.view == resolve(again, of)
    assert render(of, again).pixels.tobytes() == picture.pixels.tobytes()
    assert picture.pixels.shape[:2] == picture.view.size
    assert picture.sampling == "reformatted"
    if asked.get("plane", "acquired") != "acquired":
        assert picture.view.center is not None
        assert (picture.view.frame, picture.view.sop_instance_uid, picture.view.frame_number) == (None, None, None)


def test_what_plays_no_part_is_given_back() -> None:
    of = VOLUMES["whole numbers"]
    flat = resolve(View.from_json({"plane": "axial", "clip": [[0, 0, 0], [1, 1, 1]], "slab_thickness": 7}), of)
    assert (flat.clip, flat.slab_thickness, flat.volume_preset) == (None, 0.0, None)
    lit = resolve(View.from_json({"projection": "volume", "preset": "lung", "inverted": True, "color_map": "pet"}), of)
    assert (lit.preset, lit.inverted, lit.color_map, lit.slab_thickness) == (None, False, None, "all")
    assert lit.volume_preset is not None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"plane": "axial", "color_map": "blues"}, "color_map"), ({"plane": "axial", "preset": "kidney"}, "preset"),
        ({"projection": "volume", "volume_preset": "kidney"}, "volume_preset: one of"),
        ({"projection": "volume", "fusion": {"series": "1.2"}}, "fusion"),
        ({"plane": "axial", "fusion": {"series": "1.2"}}, "fusion"),
        ({"plane": "axial", "window_width": 0.5, "voi_lut_function": "LINEAR"}, "window_width"),
        ({"plane": "axial", "pixel_spacing": 1e-6}, "size"), ({"projection": "mip", "frame": 99}, "frame"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_in_words(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(BadView, match=said):
        render(VOLUMES["whole numbers"], View.from_json(asked))


def test_colours_have_no_volume_picture() -> None:
    with pytest.raises(BadView, match=r"projection: .* colours"):
        render(VOLUMES["colour"], View(projection="volume"))


def test_presets_by_name_and_the_window_of_the_file() -> None:
    of = VOLUMES["whole numbers"]
    lung = resolve(View(plane="axial", preset="lung"), of)
    assert (lung.window_center, lung.window_width, lung.voi_lut_function) == (-600.0, 1500.0, "LINEAR")
    assert resolve(View(plane="axial"), of).window_width == 400.0  # soft tissue, as its frames
    own = volume(of.values.copy(), windows=(Window(7.0, 9.0, "SIGMOID", "own"),), modality="MR")
    resolved = resolve(View(plane="axial"), own)
    assert (resolved.window_center, resolved.window_width, resolved.voi_lut_function) == (7.0, 9.0, "SIGMOID")
    assert resolve(View(plane="axial", preset="own"), own) == resolved


def test_a_voi_lut_of_the_file_is_applied_to_a_volume() -> None:
    table = LookupTable(0, np.arange(0, 1024, dtype=np.uint16)[::-1].copy(), 10, "reversed")
    values = noise((5, 6, 7), low=0, high=1024)
    of = volume(values, voi_luts=(table,), modality="MR")
    picture = render(of, View(plane="axial", zoom="native"))
    assert picture.view.preset == "reversed"
    assert np.array_equal(picture.pixels, render(frame(values[2], voi_luts=(table,)), View()).pixels)
    greatest = render(of, View(plane="axial", projection="mip", slab_thickness="all"))
    expected = render(frame(values.max(axis=0), voi_luts=(table,)), View()).pixels
    assert np.array_equal(greatest.pixels, expected)


def test_without_a_window_it_is_found_in_all_real_voxels() -> None:
    values = np.full((6, 40, 40), -32768, np.int16)
    values[1:5, 5:35, 5:35] = noise((4, 30, 30), low=100, high=1100)
    of = volume(values, modality="MR", unit="", slope=0.5, intercept=10.0)
    resolved = resolve(View(plane="axial"), of)
    assert resolved.voi_lut_function == "LINEAR_EXACT"  # half numbers
    assert resolved.window_center is not None
    assert resolved.window_width is not None
    assert abs(resolved.window_center - 310) < 15
    assert abs(resolved.window_width - 500) < 20


def test_warnings_and_corrections_reach_the_reader() -> None:
    of = volume(noise(SHAPE), corrections=("uneven",), warnings=("careful",))
    assert render(of, View(plane="axial")).warnings == ("careful", "uneven")
    assert render(frame(noise((9, 9)), warnings=("careful",)), View()).warnings == ("careful",)


def test_fewer_pixels_show_the_same_part_of_the_patient() -> None:
    of = VOLUMES["whole numbers"]
    view = view_of("oblique", size=[60, 80], projection="mip", slab_thickness=5, pan=[0.1, 0.0], rotation=90)
    whole, few = render(of, view), render(of, view, most=500)
    assert few.pixels.size <= 500 < whole.pixels.size
    assert (few.view, few.sampling, few.final, whole.final) == (whole.view, whole.sampling, False, True)
    for picture in (whole, few):
        assert picture.geometry is not None
        assert picture.millimetres == picture.geometry.pixel_spacing
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        ends = []
        for picture in (whole, few):
            rows, columns = picture.pixels.shape
            assert picture.geometry is not None
            ends.append(picture.geometry.point(corner[0] * rows - 0.5, corner[1] * columns - 0.5))
        assert np.allclose(*ends)


def test_a_quick_picture_of_many_samples_says_that_it_is_not_the_final_one() -> None:
    of = VOLUMES["whole numbers"]
    view = view_of("axial", size=[8, 8], projection="mip", slab_thickness="all")
    assert not render(of, view, most=1000).final
    slices = replace(view, projection="slice")
    assert render(of, slices, most=1000).final
    assert np.array_equal(render(of, slices, most=1000).pixels, render(of, slices).pixels)


def test_an_empty_place_is_black_whatever_the_polarity() -> None:
    for kind in ("whole numbers", "floats", "holes", "white is low"):
        for inverted in (False, True):
            view = view_of("axial", center=[500.0, 0.0, 0.0], size=[9, 9], pixel_spacing=1, inverted=inverted)
            for projection in PROJECTIONS:
                moved = replace(view, projection=projection, slab_thickness=3.0)
                assert not render(VOLUMES[kind], moved).pixels.any()


def test_the_volume_is_not_changed() -> None:
    for of in VOLUMES.values():
        before = of.values.tobytes()
        for projection in PROJECTIONS:
            render(of, view_of("coronal", projection=projection, slab_thickness=3, size=[20, 20]))
        assert of.values.tobytes() == before


def test_axial_pictures_of_a_volume_are_its_frames_at_every_zoom() -> None:
    """The two ways to the same picture, the frame alone and the volume, differ by rounding alone."""
    values = noise((5, 30, 40))
    of = volume(values, ((0, 0, -3.0), (0, 0.8, 0), (0.8, 0, 0)), ORIGIN)
    acquired = frame(values[2], pixel_spacing=(0.8, 0.8))
    for size in ([30, 40], [75, 90], [301, 260]):
        view = View.from_json({"size": size, **window()})
        apart = np.abs(render(acquired, view).pixels.astype(int) - render(of, replace(view, plane="axial")).pixels)
        assert apart.max() <= 1


AFTER_WARMING = """
import sys
from viewer.rendering.render import PROJECTIONS, render, warm
from viewer.rendering.view import View
from tests.viewer.rendering.small_volumes import VOLUMES

def compiled():
    modules = [module for name, module in sys.modules.items() if name.startswith("viewer.rendering.")]
    kernels = {id(one): one for module in modules for one in vars(module).values() if hasattr(one, "signatures")}
    return {f"{one.__module__}.{one.__name__}": len(one.signatures) for one in kernels.values()}

warm()
before = compiled()
for kind, of in VOLUMES.items():
    for projection in PROJECTIONS:
        if of.colour and projection == "volume":
            continue
        for asked in ({"plane": "axial"}, {"plane": "coronal", "size": [7, 300]},
                      {"frame": 3}, {"plane": "axial", "size": [5, 5]}):
            view = {"projection": projection, "slab_thickness": 4} | asked
            fusion = {} if projection == "volume" else {"fusion": {"series": "1"}}
            for more in ({}, {"color_map": "pet", "inverted": True}, {"clip": [[0, 0, 290], [9, 99, 299]]}, fusion):
                render(of, View.from_json(view | more), fused=VOLUMES["floats"])
after = compiled()
print({name: (before.get(name), count) for name, count in after.items() if count != before.get(name)})
"""


def test_after_warming_up_no_reader_of_a_volume_waits_for_a_compiler() -> None:
    """In a process of its own: other tests have compiled everything here."""
    said = subprocess.run([sys.executable, "-c", AFTER_WARMING], capture_output=True, text=True, check=False)
    assert said.stdout.strip() == "{}", said.stdout + said.stderr
