"""The door of a View: strict, and clear about what a choice replaces."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from viewer.rendering.render import PROJECTIONS, needs_volume
from viewer.rendering.view import BadView, View, varied
from viewer.rendering.voi import VOI_FUNCTIONS

FULL: dict[str, Any] = {
    "series": "1.2.840.1", "organization": "north", "stack": 2,
    "plane": {"row": [0.6, 0.0, 0.8], "column": [0.0, 1.0, 0.0]}, "frame": 17,
    "sop_instance_uid": "1.2.3.4", "frame_number": 3, "center": [1.5, -20.0, 300.25], "projection": "mip",
    "slab_thickness": 7.5, "window_center": -600, "window_width": 1500.5, "voi_lut_function": "LINEAR", "preset": None,
    "volume_preset": "bone", "clip": [[-10.0, -20.0, -30.0], [10.0, 20.0, 30.0]],
    "fusion": {
        "series": "1.2.840.2", "organization": "south", "stack": 1, "window_center": 4.5, "window_width": 9.0,
        "voi_lut_function": "LINEAR_EXACT", "color_map": "pet", "opacity": 0.4,
    },
    "inverted": True,
    "color_map": "hot_iron", "rotation": 270, "flip_horizontal": True, "flip_vertical": False, "zoom": 1.25,
    "pixel_spacing": None, "pan": [0.1, -0.25], "size": [600, 800],
    "mask": {"frame": 4, "shift": [0.5, -1.25]}, "overlays": ["6000", "6002"], "presentation_state": "1.2.840.3",
    "segmentations": [{"sop_instance_uid": "1.2.840.4", "segments": [1, 3], "opacity": 0.5}],
}  # fmt: skip


def test_a_view_survives_json_unchanged() -> None:
    view = View.from_json(FULL)
    again = View.from_json(json.loads(json.dumps(view.to_json())))
    assert again == view
    assert hash(again) == hash(view)
    assert view.to_json() == FULL
    assert set(view.to_json()) == set(FULL)


def test_equal_views_are_one_key_whatever_the_number_was_written_as() -> None:
    assert View.from_json({"zoom": 2, "pan": [0, 0]}) == View.from_json({"zoom": 2.0, "pan": [-0.0, 0.0]})
    assert hash(View.from_json({"window_center": 40, "window_width": 400})) == hash(
        View.from_json({"window_center": 40.0, "window_width": 4e2})
    )


def test_a_whole_number_may_be_written_with_a_point() -> None:
    with_points = View.from_json({"frame": 3.0, "rotation": 90.0, "size": [10.0, 20.0]})
    assert with_points == View.from_json({"frame": 3, "rotation": 90, "size": [10, 20]})
    assert repr(with_points) == repr(View.from_json({"frame": 3, "rotation": 90, "size": [10, 20]}))


def test_an_empty_view_leaves_everything_to_the_server() -> None:
    assert View.from_json({}) == View()
    assert View.from_json(dict.fromkeys(FULL)) == View()


def test_a_refusal_can_be_written_whatever_the_client_called_a_field() -> None:
    with pytest.raises(BadView) as refusal:
        View.from_json(json.loads('{"\\ud800": 1}'))
    assert str(refusal.value).encode().startswith(b"?: no such field")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("window_centre", 40), ("", 1), ("stack", -1), ("stack", 1.5), ("stack", True), ("frame", "3"), ("frame", -1),
        ("frame_number", 0), ("series", ""), ("series", 5), ("series", "1" * 65), ("plane", "sideways"), ("projection", "xray"),
        ("window_center", "40"), ("window_center", float("nan")), ("window_center", float("inf")), ("window_center", True),
        ("window_center", [40]), ("window_width", 0), ("window_width", -5), ("voi_lut_function", "linear"), ("preset", ""),
        ("inverted", 1), ("inverted", "true"), ("rotation", 45), ("rotation", True), ("rotation", 90.5), ("rotation", -90),
        ("flip_horizontal", 0), ("zoom", 0), ("zoom", "fit"), ("zoom", 1e9), ("zoom", float("nan")), ("pixel_spacing", 0),
        ("pan", [0]), ("pan", [0, 0, 0]), ("pan", 3), ("pan", [0, float("nan")]), ("pan", "00"), ("size", [0, 10]),
        ("size", [10.5, 10]), ("size", [8193, 10]), ("size", [8192, 8192]), ("size", {"rows": 3}), ("slab_thickness", -1),
        ("color_map", 3), ("color_map", "x" * 65), ("window_center", 10**400), ("frame", 10**400),
        ("organization", "north\ud800"), ("preset", "\udfff"), ("plane", "oblique"), ("plane", 3),
        ("plane", [[1, 0, 0], [0, 1, 0]]), ("plane", {"row": [1, 0, 0]}),
        ("plane", {"row": [1, 0, 0], "column": [0, 1, 0], "depth": [0, 0, 1]}),
        ("plane", {"row": [1, 0, 0], "column": [0, 1]}), ("plane", {"row": [1.01, 0, 0], "column": [0, 1, 0]}),
        ("plane", {"row": [1, 0, 0], "column": [0.1, 0.995, 0]}), ("plane", {"row": [0, 0, 0], "column": [0, 1, 0]}),
        ("plane", {"row": [float("nan"), 0, 0], "column": [0, 1, 0]}), ("center", 3), ("center", [0, 0]),
        ("center", [0, 0, "3"]), ("center", [0, 0, float("inf")]), ("center", [0, 0, 1e7]), ("projection", "sum"),
        ("slab_thickness", "thick"), ("slab_thickness", 1e9), ("slab_thickness", float("nan")), ("slab_thickness", True),
        ("volume_preset", 4),
        ("clip", [[0, 0, 0]]), ("clip", [[0, 0, 0], [1, 1]]), ("clip", 3), ("fusion", "1.2"), ("fusion", {"series": 3}),
        ("fusion", {"series": "1.2", "opacity": 1.5}), ("fusion", {"series": "1.2", "colour": "red"}),
        ("fusion", {"series": "1.2", "window_width": 0}), ("fusion", {"series": "1.2", "\ud800": 0}),
        ("mask", 3), ("mask", {"frame": -1}), ("mask", {"shift": [1]}), ("mask", {"shift": [1, 1e4]}), ("mask", {"image": 3}),
        ("overlays", "6000"), ("overlays", ["6001"]), ("overlays", [0x6000]), ("presentation_state", "a.b"),
        ("presentation_state", 3), ("presentation_state", ""), ("segmentations", ["1.2"]),
    ],
)  # fmt: skip
def test_what_is_no_view_is_refused_and_the_field_is_named(field: str, value: Any) -> None:
    with pytest.raises(BadView) as refusal:
        View.from_json({field: value})
    assert field[:20] in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_directions_of_a_plane_become_exact_and_then_stay_what_they_are() -> None:
    rough = View.from_json({"plane": {"row": [0.8003, 0.6002, 0.0001], "column": [0.0, 0.0004, -1]}})
    row, column = (np.array(direction) for direction in rough.plane)
    assert np.allclose([row @ row, column @ column, row @ column], [1, 1, 0], rtol=0, atol=1e-15)
    assert np.allclose(row, [0.8003, 0.6002, 0.0001], atol=1e-3)
    assert np.allclose(column, [0, 0.0004, -1], atol=1e-3)
    generator = np.random.default_rng(3)
    for _ in range(200):
        one, other = np.linalg.qr(generator.normal(size=(3, 2)))[0].T
        view = View.from_json({"plane": {"row": [*one * 1.0002], "column": [*(other + 3e-4 * one)]}})
        assert View.from_json(json.loads(json.dumps(view.to_json()))) == view


def test_corners_of_a_box_may_be_named_in_any_order() -> None:
    view = View.from_json({"clip": [[10, -20, 30], [-10, 20, -30]]})
    assert view.to_json()["clip"] == FULL["clip"]


def test_zero_is_written_in_one_way() -> None:
    view = View.from_json({"center": [-0.0, 0, -0.0], "slab_thickness": -0.0})
    assert "-0.0" not in json.dumps([view.to_json()["center"], view.to_json()["slab_thickness"]])


def test_a_part_of_a_fusion_changes_alone_and_another_series_begins_anew() -> None:
    view = View.from_json(FULL)
    dimmed = view.changed({"fusion": {"opacity": 0.1, "window_center": None}})
    assert dimmed.to_json()["fusion"] == FULL["fusion"] | {"opacity": 0.1, "window_center": None}
    assert view.changed({"fusion": {"series": "1.2.9"}}).to_json()["fusion"]["window_width"] is None
    assert view.changed({"fusion": None}).fusion is None
    for nobody in ({"opacity": 0.5}, {"series": None}):
        with pytest.raises(BadView, match="fusion: series is needed"):
            View().changed({"fusion": nobody})


def test_only_a_frame_as_it_was_acquired_is_drawn_without_its_volume() -> None:
    assert not needs_volume(View(size=(3, 3), slab_thickness=3.0, window_center=3.0))
    for change in ({"plane": "axial"}, {"plane": FULL["plane"]}, {"projection": "mean"}, {"fusion": {"series": "1.2"}}):
        assert needs_volume(View().changed(change))


def test_asking_for_nothing_is_no_question() -> None:
    assert View.from_json({"overlays": [], "fusion": None, "mask": None, "center": None, "segmentations": []}) == View()


def test_a_mask_changes_in_part_and_an_empty_one_is_the_files_own() -> None:
    view = View.from_json({"mask": {}})
    assert view.to_json()["mask"] == {"frame": None, "shift": None}
    view = view.changed({"mask": {"frame": 7}}).changed({"mask": {"shift": [1, -0.0]}})
    assert view.to_json()["mask"] == {"frame": 7, "shift": [1.0, 0.0]}
    assert view.changed({"mask": {"frame": None}}).to_json()["mask"] == {"frame": None, "shift": [1.0, 0.0]}
    assert view.changed({"mask": {}}) == View.from_json({"mask": {}})
    assert view.changed({"mask": None}) == View()
    assert view.changed({"stack": 1}).mask is None


@pytest.mark.parametrize("part", [{"mask": {}}, {"presentation_state": "1.2.3"}])
def test_other_grey_values_forget_the_window_that_was_chosen_for_the_former_ones(part: dict[str, Any]) -> None:
    window = {"window_center": 40, "window_width": 400}
    there = View.from_json(window).changed(part)
    assert (there.window_center, there.window_width) == (None, None)
    chosen = there.changed(window)
    assert (chosen.window_center, chosen.window_width) == (40, 400)
    assert chosen.changed(part) == chosen  # the same one again changes nothing
    back = chosen.changed(dict.fromkeys(part))
    assert (back.window_center, back.window_width) == (None, None)
    assert View.from_json(window | part).window_center == 40
    assert chosen.changed({"mask": {"shift": [1, 1]}}).window_center == (None if "mask" not in part else 40)


def test_groups_of_overlays_stand_in_their_order_and_once() -> None:
    assert View.from_json({"overlays": ["6010", "6000", "6010"]}).overlays == ("6000", "6010")
    assert View.from_json({"overlays": "all"}).to_json()["overlays"] == "all"


def test_only_what_changed_changes() -> None:
    view = View.from_json(FULL)
    assert view.changed({"frame": 18}).to_json() == FULL | {"frame": 18, "sop_instance_uid": None, "frame_number": None}
    assert view.changed({"inverted": False, "rotation": 0}).to_json() == FULL | {"inverted": False, "rotation": 0}
    assert view.changed({}) == view


def test_null_gives_a_field_back_to_the_server() -> None:
    view = View.from_json(FULL)
    reset = view.changed(
        {"window_center": None, "window_width": None, "voi_lut_function": None, "pan": None, "size": None}
    )
    assert (reset.window_center, reset.window_width, reset.voi_lut_function) == (None, None, None)
    assert (reset.pan, reset.size) == ((0.0, 0.0), None)


def test_a_preset_and_a_window_replace_each_other() -> None:
    view = View.from_json(FULL).changed({"preset": "lung"})
    assert (view.preset, view.window_center, view.window_width, view.voi_lut_function) == ("lung", None, None, None)
    view = view.changed({"window_center": 40, "window_width": 400})
    assert (view.preset, view.window_center, view.window_width) == (None, 40.0, 400.0)
    with pytest.raises(BadView, match="preset"):
        view.changed({"preset": "lung", "window_center": 3})


def test_zoom_and_pixel_spacing_replace_each_other() -> None:
    view = View.from_json(FULL).changed({"pixel_spacing": 0.5})
    assert (view.zoom, view.pixel_spacing) == (None, 0.5)
    assert view.changed({"zoom": "native"}) == View.from_json(FULL | {"zoom": "native"})
    with pytest.raises(BadView, match="zoom"):
        View.from_json({"zoom": 1, "pixel_spacing": 1})


def test_a_place_and_a_name_of_a_frame_replace_each_other() -> None:
    view = View.from_json({"frame": 3})
    named = view.changed({"sop_instance_uid": "1.2.3"})
    assert (named.frame, named.sop_instance_uid, named.frame_number) == (None, "1.2.3", None)
    named = View.from_json(FULL).changed({"sop_instance_uid": "9.9"})
    assert (named.frame, named.sop_instance_uid, named.frame_number) == (None, "9.9", None)
    named = View.from_json(FULL).changed({"frame_number": 9})
    assert (named.frame, named.sop_instance_uid, named.frame_number) == (None, "1.2.3.4", 9)
    assert View.from_json(FULL).frame == 17  # a resolved View holds both


def test_another_stack_forgets_the_place_in_the_old_one() -> None:
    view = View.from_json(FULL).changed({"stack": 0})
    assert (view.stack, view.frame, view.sop_instance_uid, view.frame_number) == (0, None, None, None)
    assert view.changed({"stack": 1, "frame": 4}).frame == 4


def test_a_view_is_an_object() -> None:
    for data in ([], "{}", None, 3):
        with pytest.raises(BadView):
            View.from_json(data)  # type: ignore[arg-type]


def test_the_door_and_the_tables_know_the_same_names() -> None:
    for name in PROJECTIONS:
        assert View.from_json({"projection": name}).projection == name
    for name in VOI_FUNCTIONS:
        assert View.from_json({"voi_lut_function": name}).voi_lut_function == name
    assert set(FULL) == set(View().to_json())


def test_a_varied_view_is_the_one_that_a_dataclass_would_make() -> None:
    view = View(series="1.2", frame=3, plane=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), zoom=2.0)
    for changes in ({}, {"frame": None, "sop_instance_uid": "1.2.3"}, {"plane": "axial", "size": (5, 6)}):
        assert varied(view, **changes) == replace(view, **changes)
        assert hash(varied(view, **changes)) == hash(replace(view, **changes))
    assert view.frame == 3
