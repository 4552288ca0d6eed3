"""C-FIND as a user (PS3.4 C.4.1): what another archive says it holds. Study Root, level by level."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind  # type: ignore[attr-defined]
from pynetdicom.status import code_to_category

from viewer.dimse.calling import NotReached, association
from viewer.models import DicomPeer

STUDY_KEYS = (
    *("StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "StudyDescription", "ModalitiesInStudy"),
    *("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
)
MATCHED = (
    *("PatientID", "PatientName", "PatientBirthDate", "AccessionNumber", "StudyDate", "ModalitiesInStudy"),
    "StudyInstanceUID",
)
"""Keys by which studies may be looked for."""
MOST_STUDIES = 200
MOST_OBJECTS = 20_000
LONGEST = 400
MESSAGE = 1


class NotAnswered(Exception):
    """The peer took the question and did not answer it. The message is for people; nothing of a patient."""


@dataclass(frozen=True, slots=True)
class RemoteStudy:
    """A study as another archive describes it. Empty: not said."""

    study_instance_uid: str
    patient_id: str = ""
    issuer_of_patient_id: str = ""
    patient_name: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""
    date: str = ""
    time: str = ""
    accession_number: str = ""
    description: str = ""
    modalities: tuple[str, ...] = ()
    number_of_series: int | None = None
    number_of_instances: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteSeries:
    """Objects of one series: SOP Instance UID -> SOP Class UID, which may be empty."""

    series_instance_uid: str
    objects: Mapping[str, str]


def find_studies(
    peer: DicomPeer, wanted: Mapping[str, str], *, most: int = MOST_STUDIES, stop: threading.Event | None = None
) -> tuple[list[RemoteStudy], bool]:
    """Studies at `peer` that match, of keys in MATCHED, and whether there are more. Raises NotReached, NotAnswered."""
    asked = _identifier("STUDY", {**dict.fromkeys(STUDY_KEYS, ""), **wanted})
    found = []
    for row in _answers(peer, [asked], most + 1, stop):
        if text(row, "StudyInstanceUID"):
            found.append(_study(row))
    return found[:most], len(found) > most


def find_objects(
    peer: DicomPeer, study_instance_uid: str, series_instance_uid: str = "", stop: threading.Event | None = None
) -> list[RemoteSeries]:
    """What the study (or the one series) consists of there. Raises NotReached, NotAnswered."""
    above = {"StudyInstanceUID": study_instance_uid}
    uids = [series_instance_uid]
    if not series_instance_uid:
        series = _answers(peer, [_identifier("SERIES", {**above, "SeriesInstanceUID": ""})], MOST_OBJECTS, stop)
        uids = list(dict.fromkeys(filter(None, (text(row, "SeriesInstanceUID") for row in series))))
    wanted = {"SOPInstanceUID": "", "SOPClassUID": ""}
    asked = [_identifier("IMAGE", {**above, "SeriesInstanceUID": uid, **wanted}) for uid in uids]
    objects: dict[str, dict[str, str]] = {uid: {} for uid in uids}
    for number, row in _numbered(peer, asked, MOST_OBJECTS, stop):
        if text(row, "SOPInstanceUID"):
            objects[uids[number]][text(row, "SOPInstanceUID")] = text(row, "SOPClassUID")
    return [RemoteSeries(uid, found) for uid, found in objects.items() if found]


def _answers(peer: DicomPeer, asked: list[Dataset], most: int, stop: threading.Event | None) -> Iterator[Dataset]:
    return (row for _, row in _numbered(peer, asked, most, stop))


def _numbered(
    peer: DicomPeer, asked: list[Dataset], most: int, stop: threading.Event | None
) -> Iterator[tuple[int, Dataset]]:
    """(which question, match) for questions asked one after the other over one association, up to `most`."""
    model = StudyRootQueryRetrieveInformationModelFind
    count = 0
    with association(peer, [build_context(model)]) as opened:
        if not opened.accepted_contexts:
            raise NotReached(f"{peer.ae_title} does not let us ask (C-FIND, Study Root)")
        for number, identifier in enumerate(asked):
            for status, row in opened.send_c_find(identifier, model, msg_id=MESSAGE):
                if "Status" not in status:
                    raise NotAnswered(f"{peer.ae_title} did not answer the query")
                said = code_to_category(status.Status)
                if said == "Failure":
                    raise NotAnswered(f"{peer.ae_title} refuses the query: 0x{status.Status:04X}")
                if said != "Pending" or row is None:
                    continue
                if count >= most or (stop is not None and stop.is_set()):
                    opened.abort()  # a cancel is a wish, and the rest of the answers would still come
                    return
                count += 1
                yield number, row


def _identifier(level: str, keys: Mapping[str, str]) -> Dataset:
    identifier = Dataset()
    if any(not value.isascii() for value in keys.values()):
        identifier.SpecificCharacterSet = "ISO_IR 192"
    identifier.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(identifier, keyword, value or None)
    return identifier


def text(row: Dataset, keyword: str) -> str:
    """The value as text, bounded; of several the first."""
    try:
        value = row.get(keyword)
    except Exception:  # what another archive sends may be no value of its VR
        return ""
    if isinstance(value, (list, tuple)) or hasattr(value, "append"):
        value = value[0] if value else ""
    return "" if value is None else str(value).strip(" \0")[:LONGEST]


def _study(row: Dataset) -> RemoteStudy:
    modalities = row.get("ModalitiesInStudy") or ()
    several = [modalities] if isinstance(modalities, str) else list(modalities)
    return RemoteStudy(
        study_instance_uid=text(row, "StudyInstanceUID"),
        patient_id=text(row, "PatientID"),
        issuer_of_patient_id=text(row, "IssuerOfPatientID"),
        patient_name=text(row, "PatientName"),
        patient_birth_date=text(row, "PatientBirthDate"),
        patient_sex=text(row, "PatientSex"),
        date=text(row, "StudyDate"),
        time=text(row, "StudyTime"),
        accession_number=text(row, "AccessionNumber"),
        description=text(row, "StudyDescription"),
        modalities=tuple(str(one)[:16] for one in several if one)[:20],
        number_of_series=_whole(row, "NumberOfStudyRelatedSeries"),
        number_of_instances=_whole(row, "NumberOfStudyRelatedInstances"),
    )


def _whole(row: Dataset, keyword: str) -> int | None:
    said = text(row, keyword)
    return int(said) if said.isascii() and said.isdigit() and len(said) < 9 else None
