"""Stacks: the reader's order, and what is kept apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.viewer.dicom.making import image_file, sources_of
from viewer.dicom.cine import frame_durations
from viewer.dicom.frames import FrameSource, frame_sources
from viewer.dicom.series import InstanceFile
from viewer.dicom.stacks import Stack, build_stacks

AXIAL = [1, 0, 0, 0, 1, 0]
CORONAL = [1, 0, 0, 0, 0, -1]
SAGITTAL = [0, 1, 0, 0, 0, -1]


def frame(
    position: list[float] | None = None, orientation: list[float] | None = None, **group: Any
) -> list[FrameSource]:
    """One single-frame instance, straight from an index."""
    frame.number += 1  # type: ignore[attr-defined]
    number = group.pop("number", frame.number)  # type: ignore[attr-defined]
    found = {"spacing": [1.0, 1.0], "spacing_source": "Pixel Spacing"} | group
    if position is not None:
        found |= {"position": [float(x) for x in position], "orientation": [float(x) for x in orientation or AXIAL]}
    pixels = {"rows": 4, "columns": 4, "samples_per_pixel": 1}
    index = {"v": 1, "sop": f"1.{frame.number}", "number": number, "modality": "MR", "frames": 1, "pixels": pixels}  # type: ignore[attr-defined]
    return frame_sources(InstanceFile(Path("none"), f"{frame.number}", index | {"shared": found}))  # type: ignore[attr-defined]


frame.number = 0  # type: ignore[attr-defined]


def stacks_of(*frames: list[FrameSource]) -> list[Stack]:
    return build_stacks(source for sources in frames for source in sources)


def places(stack: Stack, axis: int) -> list[float]:
    return [source.position[axis] for source in stack.frames if source.position]


@pytest.mark.parametrize(
    ("orientation", "label", "axis", "ordered"),
    [
        (AXIAL, "axial", 2, [30, 20, 10]),
        ([-1, 0, 0, 0, 1, 0], "axial", 2, [30, 20, 10]),
        (CORONAL, "coronal", 1, [10, 20, 30]),
        ([-1, 0, 0, 0, 0, -1], "coronal", 1, [10, 20, 30]),
        (SAGITTAL, "sagittal", 0, [10, 20, 30]),
        ([0, -1, 0, 0, 0, -1], "sagittal", 0, [10, 20, 30]),
    ],
)
def test_stacks_run_head_to_feet_front_to_back_and_right_to_left(
    orientation: list[float], label: str, axis: int, ordered: list[float]
) -> None:
    def at(distance: float) -> list[float]:
        return [distance if number == axis else 5.0 for number in range(3)]

    (stack,) = stacks_of(*(frame(at(distance), orientation) for distance in (20, 10, 30)))
    assert (stack.label, stack.kind) == (label, "spatial")
    assert places(stack, axis) == ordered
    assert stack.spacing_between_slices == 10
    assert stack.reason_no_volume is None


@pytest.mark.parametrize(
    ("series", "axis", "descending", "spacing"),
    [
        ("ct_chest_lidc0314_jpegls", 2, True, 1.0),
        ("ct_head_gantry_tilt_ge_jpll", 2, True, None),
        ("mr_head_sag_HFDR", 0, False, 4.8),
        ("pet_body", 2, True, 3.375),
    ],
)
def test_shared_series_are_one_stack_in_the_readers_order(
    series: str, axis: int, descending: bool, spacing: float | None, shared_data: Path
) -> None:
    known = json.loads((shared_data / "manifest.json").read_text())["items"][f"series/{series}"]
    paths = [shared_data / name for name in known["order"]][:60]
    (stack,) = build_stacks(source for path in paths for source in sources_of(path))
    assert len(stack.frames) == len(paths)
    along = places(stack, axis)
    assert along == sorted(along, reverse=descending)
    assert (stack.spacing_between_slices is None) == (spacing is None)
    if spacing is not None:
        assert stack.spacing_between_slices == pytest.approx(spacing, rel=1e-3)


@pytest.mark.parametrize(
    ("key", "values", "labels"),
    [
        ("echo", [30.0, 90.0], ["axial, echo 30 ms", "axial, echo 90 ms"]),
        ("b_value", [0.0, 1000.0], ["axial, b 0", "axial, b 1000"]),
        ("temporal", [1, 2], ["axial, time 1", "axial, time 2"]),
        ("trigger", [0.0, 40.5], ["axial, 0 ms", "axial, 40.5 ms"]),
        ("acquisition", [3, 4], ["axial, acquisition 3", "axial, acquisition 4"]),
    ],
)
def test_images_at_the_same_places_part_by_what_tells_them_apart(
    key: str, values: list[float], labels: list[str]
) -> None:
    stacks = stacks_of(*(frame([0, 0, z], **{key: value}) for z in (1, 2, 3) for value in values))
    assert [stack.label for stack in stacks] == labels
    assert [len(stack.frames) for stack in stacks] == [3, 3]
    assert all(stack.reason_no_volume is None for stack in stacks)


def test_two_echoes_and_two_times_make_four_stacks() -> None:
    stacks = stacks_of(
        *(frame([0, 0, z], echo=float(echo), temporal=time) for z in (1, 2) for echo in (1, 2) for time in (1, 2))
    )
    assert len(stacks) == 4


def test_an_attribute_that_differs_without_a_clash_parts_nothing() -> None:
    (stack,) = stacks_of(*(frame([0, 0, z], acquisition=z, echo=float(z % 2)) for z in (1, 2, 3)))
    assert len(stack.frames) == 3


def test_unexplained_repetitions_part_by_number_where_every_place_has_as_many() -> None:
    stacks = stacks_of(*(frame([0, 0, z]) for _ in range(2) for z in (1, 2, 3)))
    assert [stack.label for stack in stacks] == ["axial, repetition 1", "axial, repetition 2"]
    (stack,) = stacks_of(*(frame([0, 0, z]) for z in (1, 2, 2, 3)))
    assert stack.reason_no_volume == "several images lie at the same position"


def test_trigger_times_that_vary_from_image_to_image_do_not_shatter_a_cine_series() -> None:
    jitter = np.random.default_rng(2).integers(0, 3, (4, 10))
    stacks = stacks_of(
        *(frame([0, 0, z], trigger=40.0 * phase + float(jitter[z, phase])) for phase in range(10) for z in range(4))
    )
    assert [len(stack.frames) for stack in stacks] == [4] * 10
    assert [stack.label for stack in stacks][:2] == ["axial, repetition 1", "axial, repetition 2"]


def test_a_localizer_parts_by_orientation() -> None:
    stacks = stacks_of(
        *(frame([0, 0, z], AXIAL) for z in (1, 2)),
        *(frame([0, y, 0], CORONAL) for y in (1, 2)),
        *(frame([x, 0, 0], SAGITTAL) for x in (1, 2)),
    )
    assert [stack.label for stack in stacks] == ["axial", "coronal", "sagittal"]


def test_turned_views_are_scrolled_as_one() -> None:
    turns = [np.radians(angle) for angle in range(0, 180, 15)]
    (stack,) = stacks_of(*(frame([0, 0, 0], [np.cos(t), np.sin(t), 0, 0, 0, -1]) for t in turns))
    assert (stack.kind, stack.reason_no_volume) == ("other", "the orientations differ")
    assert [source.instance_number for source in stack.frames] == sorted(s.instance_number or 0 for s in stack.frames)


def test_images_of_another_frame_of_reference_or_size_are_kept_apart(tmp_path: Path) -> None:
    place = {"ImageOrientationPatient": AXIAL}
    paths = [
        image_file(tmp_path / "a", ImagePositionPatient=[0, 0, 1], FrameOfReferenceUID="1.1", **place),
        image_file(tmp_path / "b", ImagePositionPatient=[0, 0, 2], FrameOfReferenceUID="1.2", **place),
        image_file(
            tmp_path / "c", np.zeros((8, 8), "u2"), ImagePositionPatient=[0, 0, 3], FrameOfReferenceUID="1.1", **place
        ),
    ]
    assert len(build_stacks(source for path in paths for source in sources_of(path))) == 3


def test_images_without_positions_run_by_instance_number() -> None:
    (stack,) = stacks_of(frame(number=3), frame(number=None), frame(number=1), frame(number=2))
    assert [source.instance_number for source in stack.frames] == [1, 2, 3, None]
    assert (stack.kind, stack.reason_no_volume) == ("other", "the images say no position")


def test_every_clip_is_a_stack_of_its_own(shared_data: Path) -> None:
    names = ("US_palette_10f_rle", "US_34f_ybr422_jpeg", "XA_rubo_96f_jpeg")
    stacks = build_stacks(source for name in names for source in sources_of(shared_data / "cine" / f"{name}.dcm"))
    assert sorted(len(stack.frames) for stack in stacks) == [10, 34, 96]
    assert {stack.kind for stack in stacks} == {"cine"}
    for stack in stacks:
        assert [source.frame_number for source in stack.frames] == list(range(1, len(stack.frames) + 1))
        assert stack.frame_times_ms is not None
        assert len(stack.frame_times_ms) == len(stack.frames)


def test_an_enhanced_object_parts_into_its_stacks(shared_data: Path) -> None:
    """Its axial stack holds T2, T1 before and T1 after contrast at the same places."""
    stacks = build_stacks(sources_of(shared_data / "enhanced" / "EnhMR_BRMULTI_12f_3stacks.dcm"))
    assert [(stack.label, len(stack.frames)) for stack in stacks] == [
        ("axial, echo 108 ms", 3),
        ("axial, echo 14 ms, acquisition 2", 3),
        ("axial, echo 14 ms, acquisition 3", 3),
        ("coronal", 3),
    ]
    assert all(stack.spacing_between_slices == 7.5 and stack.reason_no_volume is None for stack in stacks)


def test_frames_over_time_at_one_place_are_a_clip() -> None:
    (stack,) = stacks_of(*(frame([0, 0, 5], temporal=time) for time in (3, 1, 2)))
    assert stack.kind == "cine"
    assert [source.temporal_position for source in stack.frames] == [1, 2, 3]
    assert stack.reason_no_volume == "several images lie at the same position"


def test_the_first_stack_is_the_one_with_the_first_image() -> None:
    stacks = stacks_of(frame([0, 5, 0], CORONAL, number=2), frame([0, 0, 5], AXIAL, number=1), frame(number=9))
    assert [stack.label for stack in stacks] == ["axial", "coronal", ""]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"spacing": None}, "the pixel spacing is not known"),
        ({"spacing": [2.0, 2.0]}, "the pixel spacings differ"),
    ],
)
def test_a_stack_that_is_no_volume_says_why(change: dict[str, Any], reason: str) -> None:
    (stack,) = stacks_of(frame([0, 0, 1], **change), frame([0, 0, 2]))
    assert stack.reason_no_volume == reason


def test_a_thousand_slices_are_sorted_once() -> None:
    (stack,) = stacks_of(*(frame([0, 0, float(z % 97 * 11 + z // 97)]) for z in range(1000)))
    assert len(stack.frames) == 1000
    assert places(stack, 2) == sorted(places(stack, 2), reverse=True)


@pytest.mark.parametrize(
    ("cine", "durations"),
    [
        ({"frame_time": 40.0}, (40, 40, 40)),
        ({"vector": [0, 30, 50]}, (30, 50, 50)),
        ({"vector": [0, 30, 0], "frame_time": 20.0}, (20, 20, 20)),
        ({"display_rate": 20.0, "cine_rate": 10.0}, (50, 50, 50)),
        ({"cine_rate": 10.0}, (100, 100, 100)),
        ({}, None),
    ],
)
def test_true_timing_of_a_clip(cine: dict[str, Any], durations: tuple[float, ...] | None) -> None:
    assert frame_durations({"cine": cine}, 3) == durations


def test_timing_is_read_from_the_file(tmp_path: Path) -> None:
    pixels = np.zeros((3, 4, 4), dtype=np.uint8)
    path = image_file(tmp_path / "a.dcm", pixels, Modality="US", FrameTimeVector=[0, 33, 66])
    (stack,) = build_stacks(sources_of(path))
    assert stack.frame_times_ms == (33, 66, 66)
