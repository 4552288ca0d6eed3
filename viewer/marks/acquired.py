"""Acquired frames that measurements lie on: who they are, and from pixels to the patient and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from accounts.models import Organization
from viewer.archive.query import instance_files
from viewer.archive.storage import blob_store
from viewer.dicom.errors import DicomError
from viewer.dicom.frames import FrameSource, frame_sources
from viewer.dicom.series import InstanceFile
from viewer.models import Instance, Study
from viewer.objects.header import Reference

Points = Sequence[Sequence[float]]
IN_THE_PLANE = 0.5
"""mm by which points may miss the plane of a frame and still lie in it."""


@dataclass(frozen=True, slots=True)
class Acquired:
    """A frame of an object in the archive."""

    reference: Reference
    source: FrameSource

    @property
    def frame_number(self) -> int | None:
        """None where the object has one frame, so that nobody has to say which."""
        return self.source.frame_number if self.source.frames_in_instance > 1 else None

    @property
    def placed(self) -> bool:
        source = self.source
        return None not in (source.position, source.orientation, source.pixel_spacing)

    def pixels(self, points: Points) -> list[list[float]] | None:
        """[column, row] under points of the patient; None where the frame has no place there."""
        position, directions, spacing = self.source.position, self.source.orientation, self.source.pixel_spacing
        if position is None or directions is None or spacing is None:
            return None
        row, column = map(np.asarray, directions)
        away = np.asarray(points, np.float64) - np.asarray(position)
        found: list[list[float]] = np.column_stack((away @ row / spacing[1], away @ column / spacing[0])).tolist()
        return found

    def patient(self, points: Points) -> list[list[float]] | None:
        """LPS mm of [column, row]; None where the frame has no place in the patient."""
        position, directions, spacing = self.source.position, self.source.orientation, self.source.pixel_spacing
        if position is None or directions is None or spacing is None:
            return None
        row, column = map(np.asarray, directions)
        flat = np.asarray(points, np.float64)
        found: list[list[float]] = (
            np.asarray(position) + flat[:, :1] * spacing[1] * row + flat[:, 1:] * spacing[0] * column
        ).tolist()
        return found

    def misses(self, points: Points) -> float:
        """mm from the frame's plane to the farthest of the points; infinite where it has no place in the patient."""
        if self.source.position is None or self.source.orientation is None:
            return float("inf")
        row, column = self.source.orientation
        normal = np.cross(np.asarray(row), np.asarray(column))
        away = (np.asarray(points, np.float64) - np.asarray(self.source.position)) @ normal
        return float(np.abs(away).max())


def named(study: Study, uids: Iterable[str]) -> dict[tuple[str, int], Acquired]:
    """The frames of objects, by SOP Instance UID and frame number; what is not in the archive, or of another patient than the
    study, is left out: whoever names it is wrong about one of the two."""
    rows = Instance.objects.served().filter(series__study__patient=study.patient_id, sop_instance_uid__in=set(uids))
    found = {}
    for row in rows.select_related("series__study"):
        reference = Reference(
            row.series.study.study_instance_uid,
            row.series.series_instance_uid,
            row.sop_class_uid,
            row.sop_instance_uid,
        )
        file = InstanceFile(path=blob_store().path(row.blob_id), digest=row.blob_id, index=row.index)
        for source in frames_of(file):
            found[row.sop_instance_uid, source.frame_number] = Acquired(reference, source)
    return found


def frames_of(file: InstanceFile) -> list[FrameSource]:
    """The frames of an object, none where it cannot be understood."""
    try:
        return frame_sources(file)
    except DicomError:
        return []


def any_frame(organization: Organization, series_instance_uid: str) -> FrameSource | None:
    """A frame of a series: all of a volume have the same directions."""
    rows = Instance.objects.served().filter(
        organization=organization, series__series_instance_uid=series_instance_uid, number_of_frames__gt=0
    )
    first = rows.order_by("id").values_list("pk", flat=True).first()
    for file in instance_files(Instance.objects.filter(pk=first), blob_store()):
        frames = frames_of(file)
        return frames[0] if frames else None
    return None
