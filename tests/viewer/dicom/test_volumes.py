"""The geometry guard: what makes a volume, what is corrected and said, what is refused and why.

Beads that lie at known points are scanned by slices that lean, that lie unevenly, that leave a gap; the volume must find them
where they are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.viewer.dicom.making import image_file, sources_of
from tests.viewer.dicom.slices import (
    AXIAL,
    BEADS,
    CORONAL,
    GAP,
    SAGITTAL,
    UNEVEN,
    Vector,
    along,
    beads_in,
    found_beads,
    plan_of,
    scan,
    source,
    stack_of,
    turned,
)
from viewer.dicom.decode import load_frame
from viewer.dicom.frames import FrameSource
from viewer.dicom.stacks import Stack, build_stacks
from viewer.dicom.volumes import NoVolume, plan_volume
from viewer.engine.assembling import load_volume
from viewer.rendering.volume import HOLE, Volume


def errors(volume: Volume, beads: Sequence[Sequence[float]] = BEADS) -> Vector:
    """mm between where the beads are and where the volume says they are."""
    return np.linalg.norm(found_beads(volume, beads) - np.asarray(beads), axis=1)


# --- distances


@pytest.mark.parametrize("orientation", [AXIAL, CORONAL, SAGITTAL, (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0)])
def test_beads_are_found_where_they_are(orientation: tuple[float, ...]) -> None:
    """Slices from 35 mm before to 35 mm behind the middle of the box, whichever way they are cut."""
    volume = beads_in(scan(np.arange(-35.0, 36.0, 1.75), orientation=orientation, spacing=(0.75, 1.25)), BEADS)
    assert errors(volume).max() < 0.02
    assert (volume.corrections, volume.holes, volume.gaps) == ((), False, ())
    assert volume.geometry.spacing == pytest.approx((1.75, 0.75, 1.25))


@pytest.mark.parametrize("degrees", [-24.0, 5.0, 18.5])
@pytest.mark.parametrize("turn", [np.eye(3), turned(20.0, 1) @ turned(-10.0, 2)])
def test_beads_under_a_tilted_gantry_are_found_where_they_are(degrees: float, turn: Vector) -> None:
    """Distances through the leaning grid are true; as if it stood upright they are not."""
    slope = np.tan(np.radians(degrees))
    beads = np.asarray(BEADS) @ turn.T
    volume = beads_in(scan(np.arange(-36.0, 36.0, 2.0), lean=(0.0, slope), turn=turn), beads)
    assert errors(volume, beads).max() < 0.02
    (said,) = volume.corrections
    assert f"lean by {abs(degrees):.1f} degrees" in said
    k, i, j = (np.asarray(step) for step in volume.geometry.steps)
    assert volume.geometry.spacing[0] == pytest.approx(2.0)
    assert np.linalg.norm(k) == pytest.approx(2.0 / np.cos(np.radians(degrees)))
    upright = np.cross(i, j) / np.linalg.norm(np.cross(i, j)) * np.sign(k @ np.cross(i, j)) * 2.0
    ends = found_beads(volume, (beads[0], beads[3])) - np.asarray(volume.geometry.origin)
    voxels = np.linalg.solve(np.column_stack((k, i, j)), ends.T)
    standing = np.column_stack((upright, i, j)) @ voxels
    true = np.linalg.norm(beads[3] - beads[0])
    assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(true, abs=0.02)
    assert abs(np.linalg.norm(standing[:, 1] - standing[:, 0]) - true) > 1.0


@pytest.mark.parametrize("lean", [(0.0, 0.0), (0.0, 0.3)])
def test_beads_between_uneven_slices_are_found_where_they_are(lean: tuple[float, float]) -> None:
    """Peers average uneven steps and say nothing."""
    volume = beads_in(scan(UNEVEN, lean=lean), BEADS)
    assert errors(volume).max() < 0.05
    assert "unevenly, 1.50 to 2.00 mm apart" in volume.corrections[-1]
    assert len(volume.corrections) == 1 + (lean != (0.0, 0.0))
    assert not volume.holes


def test_beads_on_both_sides_of_a_gap_keep_their_distance() -> None:
    beads = ((-14.0, -9.5, 6.0), (2.5, -3.0, 47.0))
    volume = beads_in(scan(GAP), beads)
    assert errors(volume, beads).max() < 0.02
    assert volume.corrections == ("A gap between slices (12.0 mm): nothing is drawn or measured across.",)


def test_numbers_of_the_images_and_slice_thickness_say_nothing(tmp_path: Path) -> None:
    """OHIF/Viewers#3303. All Instance Numbers alike, a thickness that is none of the steps, files in any order."""
    heights = [30.0, 10.0, 20.0, 0.0]
    paths = [
        image_file(
            tmp_path / f"{z}.dcm",
            np.full((4, 4), z, np.int16),
            ImagePositionPatient=[0, 0, z],
            ImageOrientationPatient=list(AXIAL),
            PixelSpacing=[1, 1],
            SliceThickness=3,
            SpacingBetweenSlices=3,
            FrameOfReferenceUID="1.9",
        )
        for z in heights
    ]
    volume = load_volume(stack_of(*(one for path in paths for one in sources_of(path))))
    assert volume.values[:, 0, 0].tolist() == [30, 20, 10, 0]
    assert volume.geometry.steps[0] == (0.0, 0.0, -10.0)
    assert volume.geometry.origin == (0.0, 0.0, 30.0)
    assert volume.geometry.frame_of_reference_uid == "1.9"


# --- the grid


def test_steps_within_one_per_cent_are_taken_as_they_are() -> None:
    plan = plan_of(*along(0.0, 1.0, 1.995, 3.0, 4.002))
    assert plan.layers is None
    assert plan.geometry.spacing[0] == pytest.approx(4.002 / 4)
    assert plan.corrections == ()


def test_steps_that_drift_away_from_the_grid_little_by_little_are_laid_on_one() -> None:
    heights = np.concatenate([[0.0], np.cumsum([1.0] * 100 + [1.009] * 100)])
    plan = plan_of(*along(*heights))
    assert plan.layers is not None
    from_head = heights.max() - heights[::-1]
    steps = np.append(np.diff(from_head), 0.0)
    drawn = from_head[plan.layers.below] + plan.layers.weight * steps[plan.layers.below]
    assert drawn == pytest.approx(plan.geometry.spacing[0] * np.arange(len(drawn)), abs=0.01)


@pytest.mark.parametrize(
    ("heights", "step", "slices"),
    [
        ((0.0, 2.0, 4.0, 5.0, 7.0, 9.0), 1.0, 10),
        ((0.0, 3.0, 6.0, 7.5, 10.5, 12.0), 1.5, 9),
        ((0.0, 4.0, 8.0, 8.5, 12.5, 16.5), 16.5 / 17, 18),
        ((0.0, 2.0, 4.0, 6.9, 8.9), 8.9 / 5, 6),
    ],
)
def test_the_grid_is_as_fine_as_the_smallest_step_but_cuts_the_median_into_four_at_most(
    heights: tuple[float, ...], step: float, slices: int
) -> None:
    plan = plan_of(*along(*heights))
    assert plan.geometry.shape[0] == slices
    assert plan.geometry.spacing[0] == pytest.approx(step)
    assert plan.shape == (slices, 4, 4)
    assert plan.frames_shape == (len(heights), 4, 4)


def test_a_slice_that_lies_on_the_grid_is_not_touched() -> None:
    heights = (0.0, 2.0, 4.0, 5.0, 7.0, 9.0)
    layers = plan_of(*along(*heights)).layers
    assert layers is not None
    assert layers.below.tolist() == [0, 0, 1, 1, 2, 3, 3, 4, 4, 5]
    assert layers.weight.tolist() == [0, 0.5, 0, 0.5, 0, 0, 0.5, 0, 0.5, 0]


@pytest.mark.parametrize("missing", [1, 2, 5])
def test_missing_slices_leave_a_gap_of_just_their_own_thickness(missing: int) -> None:
    """A slice of the grid is drawn as far as the next one: from the last slice to the first hole it is half a step of the
    scan."""
    heights = [2.0 * number for number in range(20) if not 8 <= number < 8 + missing]
    plan = plan_of(*along(*heights))
    assert plan.layers is not None
    grid = plan.geometry.spacing[0]
    assert grid == pytest.approx(1.0)
    undrawn = np.flatnonzero(plan.layers.below < 0)
    # Counted from the head.
    first, last = (38.0 - undrawn.max() * grid, 38.0 - undrawn.min() * grid)
    assert (first, last) == pytest.approx((15.0, 15.0 + 2.0 * missing))
    ((start, end),) = plan.gaps
    assert (38.0 - end * grid, 38.0 - start * grid) == pytest.approx((first, last))
    scanned = [round((38.0 - height) / grid) for height in reversed(heights)]
    assert list(plan.places) == pytest.approx(scanned)
    assert plan.layers.below[scanned].tolist() == list(range(len(heights)))
    assert not plan.layers.weight[scanned].any()


def test_a_lone_slice_between_two_gaps_is_drawn() -> None:
    plan = plan_of(*along(0.0, 1.0, 2.0, 3.0, 4.0, 7.3, 11.0, 12.0, 13.0))
    assert plan.layers is not None
    assert set(plan.layers.below.tolist()) == {-1, *range(9)}
    assert "2 gaps between slices (3.3 to 3.7 mm)" in plan.corrections[-1]


def test_a_step_of_half_as_much_again_is_no_gap_yet() -> None:
    assert plan_of(*along(0.0, 1.0, 2.0, 3.5, 4.5)).gaps == ()
    assert len(plan_of(*along(0.0, 1.0, 2.0, 3.51, 4.51)).gaps) == 1


def test_a_shift_of_rounded_positions_does_not_tilt_the_grid() -> None:
    plan = plan_of(*(source((0.0004 * z, 0.0, float(z))) for z in range(40)))
    assert plan.geometry.steps[0] == (0.0, 0.0, -1.0)
    assert plan.corrections == ()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_geometry_every_image_lies_where_it_says(seed: int) -> None:
    """Turned, leaning, uneven and interrupted at random: each image's position is that of its place in the grid, and what is
    drawn at a slice of the grid is what lies there."""
    random = np.random.default_rng(seed)
    steps = random.choice([1.0, 2.0, 2.5, 6.0], 30, p=[0.1, 0.5, 0.3, 0.1]) if seed % 3 else np.full(30, 2.0)
    turn = turned(*random.uniform(-40, 40, 1), 0) @ turned(*random.uniform(-40, 40, 1), 1)
    frames = scan(np.concatenate([[0.0], np.cumsum(steps)]), lean=random.uniform(-0.4, 0.4, 2), turn=turn)
    stack = stack_of(*frames)
    plan = plan_volume(stack)
    places = np.array(plan.places or range(len(frames)))
    positions = np.array([frame.position for frame in stack.frames])
    found = np.array([plan.geometry.point((place, 0.0, 0.0)) for place in places])
    np.testing.assert_allclose(found, positions, atol=1e-6)
    if plan.layers is None:
        return
    below, weight = plan.layers.below, plan.layers.weight
    between = places[below] + weight * np.append(np.diff(places), 0.0)[below]
    slices = np.arange(plan.geometry.shape[0])
    in_gap = np.zeros(slices.size, bool)
    for start, end in plan.gaps:
        near = np.median(steps) / plan.geometry.spacing[0] / 2
        in_gap |= (slices > start - near) & (slices < end + near)
        assert (below[(slices > start + 0.51) & (slices < end - 0.51)] == -1).all()
    assert np.abs(between - slices)[~in_gap].max() <= 0.05
    assert (below[~in_gap] >= 0).all()


# --- refused


def test_every_refusal_says_why() -> None:
    cases: list[tuple[str, list[FrameSource]]] = [
        ("a single image", along(1.0)),
        ("the images say no position", [source(None), source(None)]),
        ("the pixel spacing is not known", along(1.0, 2.0, spacing=None)),
        ("the pixel spacings differ", [*along(1.0), *along(2.0, spacing=[1.0, 1.01])]),
        ("several images lie at the same position", along(1.0, 2.0, 2.0, 3.0)),
        ("some images lie only 0.05 mm apart, others 5.0 mm", along(0.0, 5.0, 5.05, 10.0, 15.0)),
        ("the images lie too far apart, by up to 999998 mm, for steps of 1.00 mm", along(0.0, 1.0, 2.0, 3.0, 1e6 + 1.0)),
        ("these are localizer images", along(1.0, 2.0, index={"labels": {"image_type": "ORIGINAL\\PRIMARY\\LOCALIZER"}})),
        ("the images are a single line", along(1.0, 2.0, shape=(1, 40))),
        (
            "the images are of different kinds",
            [*along(1.0), *along(2.0, pixels={"photometric_interpretation": "MONOCHROME1"})],
        ),
        (
            "shifted against each other, by up to 3.0 mm off a straight line",
            [source((3.0 if z == 3 else 0.0, 0.0, float(z))) for z in range(6)],
        ),
        (
            "turned against each other, by 0.60 degrees",
            [
                source((0.0, 0.0, float(z)), (np.cos(a), np.sin(a), 0.0, -np.sin(a), np.cos(a), 0.0), shape=(400, 400))
                for z, a in enumerate(np.radians([0.0, 0.0, 0.0, 0.0, 0.75]))
            ],
        ),
    ]  # fmt: skip
    for reason, frames in cases:
        with pytest.raises(NoVolume) as caught:
            plan_of(*frames)
        assert reason in caught.value.reason, caught.value.reason
        assert caught.value.code == "no_volume"


def test_turned_views_are_no_volume() -> None:
    turns = np.radians(np.arange(0, 180, 15))
    stack = stack_of(*(source((0, 0, 0), (np.cos(t), np.sin(t), 0, 0, 0, -1)) for t in turns))
    with pytest.raises(NoVolume, match="the orientations differ"):
        plan_volume(stack)


@pytest.mark.parametrize(
    ("key", "values"),
    [("temporal", (1, 2, 3)), ("echo", (10.0, 90.0)), ("b_value", (0.0, 1000.0)), ("acquisition", (4, 5))],
)
def test_times_echoes_b_values_and_phases_are_volumes_of_their_own(key: str, values: tuple[float, ...]) -> None:
    frames = [one for value in values for one in along(0.0, 1.0, 2.0, **{key: value})]
    plans = [plan_volume(stack) for stack in build_stacks(frames)]
    assert [plan.geometry.shape for plan in plans] == [(3, 4, 4)] * len(values)
    assert len({plan.key for plan in plans}) == len(values)


def test_a_phase_that_covers_a_part_of_the_other_is_a_volume_of_its_own() -> None:
    frames = [*along(*range(8), acquisition=1), *along(2.0, 3.0, 4.0, acquisition=2)]
    plans = [plan_volume(stack) for stack in build_stacks(frames)]
    assert [(plan.geometry.shape[0], plan.geometry.origin[2]) for plan in plans] == [(8, 7.0), (3, 4.0)]


def test_images_that_each_name_a_frame_of_reference_make_a_volume_of_none() -> None:
    plan = plan_of(*(source((0.0, 0.0, float(z)), frame_of_reference=f"1.{z}") for z in range(1, 4)))
    assert plan.geometry.frame_of_reference_uid == ""
    assert plan.warnings == ("Every image names a frame of reference of its own: one acquisition is assumed.",)
    assert plan_of(*along(1.0, 2.0)).warnings == ()


# --- the plan itself


def test_the_same_content_has_the_same_key_and_other_content_another() -> None:
    frames = along(1.0, 2.0, 3.0)
    assert plan_of(*frames).key == plan_of(*reversed(frames)).key
    assert plan_of(*frames).key != plan_of(*frames[:2]).key


def test_the_size_of_a_volume_is_known_before_it_is_loaded() -> None:
    for frames in (along(0.0, 1.0, 2.0, shape=(64, 64)), along(0.0, 1.0, 5.0, 6.0, 7.0, shape=(64, 64))):
        volume = beads_in(frames, [(5.0, 5.0, 1.0)])
        plan = plan_of(*frames)
        assert plan.shape == volume.values.shape
        assert volume.nbytes == pytest.approx(plan.nbytes, rel=0.02)


# --- real series


def shared_stack(series: str, shared_data: Path, most: int | None = None) -> Stack:
    known = json.loads((shared_data / "manifest.json").read_text())["items"][f"series/{series}"]
    return stack_of(*(one for name in known["order"][:most] for one in sources_of(shared_data / name)))


def places_off(volume: Volume, stack: Stack) -> Vector:
    """mm from each image's own position to the nearest slice of the volume, beside and along it."""
    positions = np.array([frame.position for frame in stack.frames])
    voxels = positions @ volume.geometry.to_voxels[:, :3].T + volume.geometry.to_voxels[:, 3]
    voxels[:, 0] -= np.round(voxels[:, 0])
    return voxels @ volume.geometry.to_patient[:, :3].T


def test_a_tilted_head_with_gaps(shared_data: Path) -> None:
    """GE, 18.5 degrees; slices of 4 mm that lie 4 and 7 mm apart, and one pair 1.08 mm apart."""
    stack = shared_stack("ct_head_gantry_tilt_ge_jpll", shared_data)
    plan, volume = plan_volume(stack), load_volume(stack)
    assert [said.split(":")[0] for said in volume.corrections] == [
        "The slices lean by 18.5 degrees (gantry tilt)",
        "The slices lie unevenly, 1.08 to 4.00 mm apart",
        "13 gaps between slices (7.0 mm)",
    ]
    assert volume.geometry.spacing == pytest.approx((144.088 / 144, 0.4882812, 0.4882812), abs=1e-4)
    assert np.linalg.norm(places_off(volume, stack), axis=1).max() < 0.1
    assert plan.layers is not None
    undrawn = plan.layers.below < 0
    assert (volume.values[undrawn] == HOLE).all()
    assert (volume.values[~undrawn] != HOLE).any(axis=(1, 2)).all()
    # 3 mm of 7 were not scanned, and half a slice of the grid is drawn on both sides.
    assert undrawn.sum() == pytest.approx(13 * 4, abs=3)
    assert len(volume.gaps) == 13
    assert all(end - start == pytest.approx(3.0, abs=0.02) for start, end in volume.gaps)


def test_a_sagittal_head_is_kept_to_the_bit(shared_data: Path) -> None:
    stack = shared_stack("mr_head_sag_HFDR", shared_data)
    volume = load_volume(stack)
    assert volume.geometry.spacing == pytest.approx((4.8, 1.015625, 1.015625))
    assert np.linalg.norm(places_off(volume, stack), axis=1).max() < 1e-4
    assert (volume.corrections, volume.holes) == ((), False)
    for number in (0, 17, 34):
        np.testing.assert_array_equal(volume.values[number], load_frame(stack.frames[number]).values)
    assert volume.description.sop_instance_uid == stack.frames[17].sop_instance_uid
    assert "instance_number" not in volume.description.labels
    assert volume.description.labels["slice_thickness"] == "4"


def test_a_pet_of_one_slope_stays_in_16_bits(shared_data: Path) -> None:
    volume = load_volume(shared_stack("pet_body", shared_data))
    assert (volume.values.dtype, volume.slope, volume.intercept) == (np.int16, 2.0222414, 0.0)
    assert volume.values.max() * volume.slope == pytest.approx(66260.8, abs=0.1)
    assert volume.geometry.spacing == pytest.approx((3.375, 3.5378182, 3.5378182))


def test_a_chest_whose_images_name_no_common_frame_of_reference(shared_data: Path) -> None:
    stack = shared_stack("ct_chest_lidc0314_jpegls", shared_data, 12)
    volume = load_volume(stack)
    assert volume.geometry.steps == ((0.0, 0.0, -1.0), (0.0, 0.78125, 0.0), (0.78125, 0.0, 0.0))
    assert volume.geometry.frame_of_reference_uid == ""
    assert (volume.slope, volume.intercept) == (1.0, 0.0)  # in HU as they stand
    assert volume.values.min() == -1000
    assert plan_volume(stack).warnings


def test_each_stack_of_an_enhanced_object_is_a_volume(shared_data: Path) -> None:
    stacks = build_stacks(sources_of(shared_data / "enhanced" / "EnhMR_BRMULTI_12f_3stacks.dcm"))
    volumes = [load_volume(stack) for stack in stacks]
    assert [volume.values.shape for volume in volumes] == [(3, 256, 256)] * 4
    assert [volume.geometry.spacing[0] for volume in volumes] == [7.5] * 4
    assert volumes[3].geometry.steps[0] == (0.0, 7.5, 0.0)
    for volume, stack in zip(volumes, stacks, strict=True):
        assert np.abs(places_off(volume, stack)).max() < 1e-9


def test_planning_a_thousand_slices_takes_a_moment() -> None:
    stack = stack_of(*along(*range(1000), shape=(512, 512)))
    began = time.thread_time()
    plan = plan_volume(stack)
    assert plan.raw() is not None
    assert time.thread_time() - began < 0.5
