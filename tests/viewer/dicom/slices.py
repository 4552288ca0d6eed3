"""Stacks whose content is known at every point of the patient: beads in space, cut by slices that lie anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.dicom.frames import FrameSource, frame_sources
from viewer.dicom.series import InstanceFile
from viewer.dicom.stacks import Stack, build_stacks
from viewer.dicom.volumes import VolumePlan, plan_volume
from viewer.engine.assembling import assemble
from viewer.rendering.storing import store
from viewer.rendering.volume import Frame, Volume

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)

Vector = NDArray[np.float64]

BEADS = ((-14.0, -9.5, 6.0), (13.0, 11.0, 18.5), (2.5, -3.0, 40.0), (-9.0, 12.0, 52.25))
"""LPS mm. No two of them meet in any of the three main directions."""
EVEN = np.arange(-5.0, 64.0, 2.0)
UNEVEN = np.concatenate([np.arange(-5.0, 20.0, 1.5), np.arange(20.5, 64.0, 2.0)])
GAP = np.array([z for z in EVEN if not 22.0 < z < 33.0])
_numbers = count(1)


def source(
    position: Sequence[float] | None,
    orientation: Sequence[float] = AXIAL,
    *,
    shape: tuple[int, int] = (4, 4),
    frame_of_reference: str = "1.9",
    index: dict[str, Any] | None = None,
    pixels: dict[str, Any] | None = None,
    **group: Any,
) -> FrameSource:
    """One image by its index alone; there is no file. `index`, `pixels` and `group` replace what it says."""
    number = next(_numbers)
    found: dict[str, Any] = {"spacing": [1.0, 1.0], "spacing_source": "Pixel Spacing", "orientation": list(orientation)}
    if position is not None:
        found["position"] = [float(x) for x in position]
    described = {
        "transfer_syntax_uid": "1.2.840.10008.1.2.1",
        "rows": shape[0],
        "columns": shape[1],
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": 16,
        "bits_stored": 16,
        "high_bit": 15,
        "pixel_representation": 1,
        "offset": 1000,
    }
    whole = {
        "v": 1,
        "sop": f"1.{number}",
        "number": number,
        "modality": "CT",
        "frames": 1,
        "frame_of_reference": frame_of_reference,
        "pixels": described | (pixels or {}),
        "shared": found | group,
    }
    (one,) = frame_sources(InstanceFile(Path("none"), f"digest {number}", whole | (index or {})))
    return one


def stack_of(*sources: FrameSource) -> Stack:
    (stack,) = build_stacks(sources)
    return stack


def plan_of(*sources: FrameSource) -> VolumePlan:
    return plan_volume(stack_of(*sources))


def along(*distances: float, **group: Any) -> list[FrameSource]:
    """Axial images at these heights (mm to the head)."""
    return [source((0.0, 0.0, distance), **group) for distance in distances]


def turned(degrees: float, axis: int = 0) -> Vector:
    """(3, 3): a rotation about an axis of the patient."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[a, a], matrix[a, b], matrix[b, a], matrix[b, b] = c, -s, s, c
    return matrix


def scan(
    heights: Sequence[float],
    *,
    lean: Sequence[float] = (0.0, 0.0),
    orientation: Sequence[float] = AXIAL,
    spacing: tuple[float, float] = (1.0, 1.0),
    turn: Vector | None = None,
    **more: Any,
) -> list[FrameSource]:
    """Slices at these mm along the normal over a box of 70 mm around the beads; each is shifted by
    `lean` (mm to the left, mm to the back) for each mm. `turn` turns slices and their path together."""
    turn = np.eye(3) if turn is None else turn
    row, column = turn @ np.asarray(orientation[:3]), turn @ np.asarray(orientation[3:])
    normal = np.cross(row, column)
    middle = turn @ np.array([0.0, 0.0, 29.0])
    shape = (round(70 / spacing[0]), round(70 / spacing[1]))
    corner = middle - row * spacing[1] * (shape[1] - 1) / 2 - column * spacing[0] * (shape[0] - 1) / 2
    center = (max(heights) + min(heights)) / 2
    found = []
    for height in heights:
        away = height - center
        place = corner + normal * away + row * lean[0] * away + column * lean[1] * away
        found.append(source(place, (*row, *column), shape=shape, spacing=list(spacing), **more))
    return found


def beads_in(sources: Sequence[FrameSource], beads: Sequence[Sequence[float]], width: float = 3.0) -> Volume:
    """The volume of a scan of round beads (a Gaussian of `width` mm, 1000 high) that lie at these points of the patient."""
    plan = plan_of(*sources)
    values = np.empty(plan.frames_shape, plan.storage.dtype)
    holes = False
    for number, one in enumerate(plan.frames):
        description = one.description()
        plane, spacing = description.plane, description.pixel_spacing
        assert plane is not None
        assert spacing is not None
        rows = np.arange(description.rows)[:, None, None] * spacing[0] * np.asarray(plane.column)
        columns = np.arange(description.columns)[None, :, None] * spacing[1] * np.asarray(plane.row)
        points = np.asarray(plane.position) + rows + columns
        drawn = sum(1000.0 * np.exp(-((points - bead) ** 2).sum(axis=2) / (2 * width**2)) for bead in np.asarray(beads))
        stored = np.floor(np.asarray(drawn) + 0.5).astype(np.int16)
        holes |= store(Frame(stored, "MONOCHROME2", description), plan.storage, values[number])
    return assemble(plan, values, holes)


def found_beads(volume: Volume, beads: Sequence[Sequence[float]], reach: float = 9.0) -> Vector:
    """Where the volume itself says the beads are, LPS mm: the centre of mass of what is bright within `reach` mm."""
    grid = np.stack(np.meshgrid(*(np.arange(side) for side in volume.geometry.shape), indexing="ij"), axis=-1)
    affine = volume.geometry.to_patient
    points = grid @ affine[:, :3].T + affine[:, 3]
    mass = np.where(volume.values < 20, 0.0, volume.values)
    centers = []
    for bead in beads:
        near = mass * (np.linalg.norm(points - np.asarray(bead), axis=-1) < reach)
        centers.append((points * near[..., None]).sum(axis=(0, 1, 2)) / near.sum())
    return np.array(centers)
