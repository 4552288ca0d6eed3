"""The evidence of a signed version as objects: how each picture was shown, and one selection of them all.

A picture of one stored frame is a presentation state (GSPS), any other a captured picture; both say what was drawn as it stood
when the report was signed, whatever became of the measurements since.
"""

from __future__ import annotations

import io
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset

from reporting.evidence.blobs import bytes_of
from reporting.models import Evidence, Report, ReportVersion
from viewer.archive.query import instance_files
from viewer.archive.storage import blob_store
from viewer.dicom.errors import DicomError
from viewer.dicom.frames import FrameSource, frame_sources
from viewer.marks.showing import is_plain, state_of
from viewer.models import Instance, KeyImage, Measurement
from viewer.objects import captured_picture, key_object, presentation_state
from viewer.objects.captured_picture import Captured
from viewer.objects.header import Reference, SeriesOfObject, encoded, new_object, uid_of
from viewer.objects.key_object import Selected, Selection
from viewer.objects.presentation_state import State
from viewer.rendering.view import BadView

STATES = ("report presentation", 9713, "PR", "Report evidence")
PICTURES = ("report pictures", 9714, "OT", "Report evidence, other planes")
SELECTION = ("report selection", 9715, "KO", "Report evidence")
Place = tuple[str, int, str, str]


def of_version(report: Report, version: ReportVersion, subject: Dataset) -> list[tuple[str, bytes]]:
    """(name, file) of each; none where the report has no pictures. Raises DicomError, OSError."""
    objects: list[tuple[str, bytes]] = []
    selected: list[Selected] = []
    captions: list[str] = []
    for evidence in version.frozen.select_related("picture").order_by("position"):
        made, one = _shown(report, version, subject, evidence)
        objects.append((f"evidence {evidence.position}", encoded(made)))
        selected.append(one)
        captions.append(f"{evidence.position}: {evidence.caption}")
    if selected:
        d = _begun(report, version, subject, SELECTION, key_object.SOP_CLASS, version.number)
        key_object.write(d, Selection("of interest", [observer(version)], selected, "\n".join(captions)))
        objects.append(("evidence selection", encoded(d)))
    return objects


def _shown(report: Report, version: ReportVersion, subject: Dataset, evidence: Evidence) -> tuple[Dataset, Selected]:
    row, state = _state(report, version, evidence)
    if row is not None and state is not None:
        kind = presentation_state.sop_class(state)
        d = _begun(report, version, subject, STATES, kind, evidence.position)
        presentation_state.write(d, replace(state, label=f"REPORT {evidence.position}"))
        return d, Selected(state.of, state.frame_number, _reference(report, STATES, d))
    d = _begun(report, version, subject, PICTURES, captured_picture.SOP_CLASS, evidence.position)
    captured_picture.write(d, _captured(report, evidence))
    return d, Selected(_reference(report, PICTURES, d))


def _state(report: Report, version: ReportVersion, evidence: Evidence) -> tuple[Instance | None, State | None]:
    """The stored frame, and how it was shown, where a presentation state can say it."""
    uid = evidence.view.get("sop_instance_uid")
    if not uid or not is_plain(evidence.view):
        return None, None
    held = Instance.objects.served().filter(organization=report.organization, sop_instance_uid=uid)
    row = held.select_related("series__study").first()
    if row is None or row.series.study_id != report.study_id:
        return None, None  # a presentation state is of the study that it stands in
    wanted = evidence.view.get("frame_number") or 1
    try:
        (file,) = instance_files(held, blob_store())
        frame = next((one for one in frame_sources(file) if one.frame_number == wanted), None)
        if frame is None:
            return None, None
        return row, _state_of(row, frame, version, evidence)
    except (DicomError, BadView):
        return None, None


def _state_of(row: Instance, frame: FrameSource, version: ReportVersion, evidence: Evidence) -> State | None:
    image = Reference(
        row.series.study.study_instance_uid, row.series.series_instance_uid, row.sop_class_uid, row.sop_instance_uid
    )
    number = frame.frame_number if row.number_of_frames > 1 else None
    shown = KeyImage(view=evidence.view, note=evidence.caption)
    return state_of(shown, frame, image, number, _marks(evidence), observer(version))


def _marks(evidence: Evidence) -> list[Measurement]:
    """The measurements as the signature froze them, on the places that never change."""
    rows = {one.uid: one for one in Measurement.objects.filter(uid__in=[kept["uid"] for kept in evidence.measurements])}
    found = []
    for kept in evidence.measurements:
        mark = rows.get(kept["uid"])
        if mark is not None:
            for name in ("kind", "label", "values", "points", "space"):
                setattr(mark, name, kept[name])
            found.append(mark)
    return found


def _captured(report: Report, evidence: Evidence) -> Captured:
    with Image.open(io.BytesIO(bytes_of(evidence.picture))) as picture:
        pixels = np.asarray(picture.convert("RGB" if picture.mode not in ("L", "1") else "L"), np.uint8)
    named = {one["sop_instance_uid"]: one for one in evidence.sop_instances}
    ours = Instance.objects.filter(series__study=report.study, sop_instance_uid__in=list(named))
    sources = [
        Reference(report.study.study_instance_uid, named[uid]["series_instance_uid"], named[uid]["sop_class_uid"], uid)
        for uid in ours.order_by("id").values_list("sop_instance_uid", flat=True)
    ]
    said = f"Drawn by Farview ({evidence.renderer}) for a report. SHA-256 of the pixels {evidence.sha256}"
    return Captured(pixels=pixels, description=said, sources=sources)


def _begun(
    report: Report, version: ReportVersion, subject: Dataset, place: Place, sop_class: str, number: int
) -> Dataset:
    key, series_number, modality, description = place
    series = SeriesOfObject(
        sop_class_uid=sop_class,
        modality=modality,
        series_instance_uid=_series_uid(report, place),
        number=series_number,
        description=description,
        instance_number=version.number * 100 + number if place is not SELECTION else version.number,
        sop_instance_uid=str(uid_of(key, report.uid, version.number, number)),
    )
    return new_object(subject, series, version.at.astimezone(ZoneInfo(report.organization.time_zone)))


def _series_uid(report: Report, place: Place) -> str:
    return str(uid_of(place[0], report.uid))


def _reference(report: Report, place: Place, d: Dataset) -> Reference:
    return Reference(
        report.study.study_instance_uid, _series_uid(report, place), str(d.SOPClassUID), str(d.SOPInstanceUID)
    )


def observer(version: ReportVersion) -> str:
    """Who signed, as DICOM writes names."""
    user = version.author
    if user.last_name or user.first_name:
        return f"{user.last_name}^{user.first_name}".rstrip("^")
    return version.author_name or version.author_username
