"""Who and what an object is about: patient, study and series attributes (PS3.3 C.7.1, C.7.2, C.7.3).

Field names are those of `viewer.models`, values fit their columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import tags, values
from .elements import Dataset
from .errors import Refused
from .text import fold

REQUESTS = 20
"""Of one series; further ones are not looked for."""


@dataclass(frozen=True, slots=True)
class PatientAttributes:
    patient_id: str = ""
    issuer_of_patient_id: str = ""
    name: str = ""
    name_folded: str = ""
    birth_date: str = ""
    sex: str = ""


@dataclass(frozen=True, slots=True)
class StudyAttributes:
    study_instance_uid: str = ""
    study_id: str = ""
    accession_number: str = ""
    date: str = ""
    time: str = ""
    timezone_offset: str = ""
    description: str = ""
    description_folded: str = ""
    referring_physician: str = ""
    institution: str = ""
    patient_age: str = ""


@dataclass(frozen=True, slots=True)
class RequestAttributes:
    """One item of the Request Attributes Sequence (PS3.3 table 10-9)."""

    accession_number: str = ""
    requested_procedure_id: str = ""
    scheduled_procedure_step_id: str = ""


@dataclass(frozen=True, slots=True)
class SeriesAttributes:
    series_instance_uid: str = ""
    modality: str = ""
    number: int | None = None
    description: str = ""
    body_part_examined: str = ""
    laterality: str = ""
    protocol_name: str = ""
    station_name: str = ""
    manufacturer: str = ""
    date: str = ""
    time: str = ""
    performed_date: str = ""
    performed_time: str = ""
    requests: tuple[RequestAttributes, ...] = ()


def patient_attributes(dataset: Dataset) -> PatientAttributes:
    """Raises Refused where a Patient ID would have to be cut, and so could become another person's."""
    name = values.name(dataset, tags.PATIENT_NAME)[:400]
    return PatientAttributes(
        patient_id=_whole(dataset, tags.PATIENT_ID, 64, "Patient ID"),
        issuer_of_patient_id=_whole(dataset, tags.ISSUER_OF_PATIENT_ID, 64, "Issuer of Patient ID"),
        name=name,
        name_folded=fold(name)[:400],
        birth_date=values.day(dataset, tags.PATIENT_BIRTH_DATE),
        sex=values.code(dataset, tags.PATIENT_SEX)[:16],
    )


def study_attributes(dataset: Dataset) -> StudyAttributes:
    """Raises Refused where the study has no UID, or an accession number that would have to be cut."""
    description = _line(dataset, tags.STUDY_DESCRIPTION, 200)
    zone = values.text(dataset, tags.TIMEZONE_OFFSET_FROM_UTC)
    age = values.text(dataset, tags.PATIENT_AGE)
    return StudyAttributes(
        study_instance_uid=needed_uid(dataset, tags.STUDY_INSTANCE_UID, "Study Instance UID"),
        study_id=_line(dataset, tags.STUDY_ID, 16),
        accession_number=_whole(dataset, tags.ACCESSION_NUMBER, 64, "Accession Number"),
        date=values.day(dataset, tags.STUDY_DATE),
        time=values.time_of_day(dataset, tags.STUDY_TIME),
        timezone_offset=zone if re.fullmatch(r"[+-]\d{4}", zone) else "",
        description=description,
        description_folded=fold(description)[:200],
        referring_physician=values.name(dataset, tags.REFERRING_PHYSICIAN_NAME)[:400],
        institution=_line(dataset, tags.INSTITUTION_NAME, 200),
        patient_age=age if re.fullmatch(r"\d{1,3}[DWMY]", age) else "",
    )


def series_attributes(dataset: Dataset) -> SeriesAttributes:
    """Raises Refused where the series has no UID."""
    return SeriesAttributes(
        series_instance_uid=needed_uid(dataset, tags.SERIES_INSTANCE_UID, "Series Instance UID"),
        modality=values.code(dataset, tags.MODALITY)[:16],
        number=values.integer(dataset, tags.SERIES_NUMBER, "IS"),
        description=_line(dataset, tags.SERIES_DESCRIPTION, 200),
        body_part_examined=_line(dataset, tags.BODY_PART_EXAMINED, 64),
        laterality=(values.code(dataset, tags.LATERALITY) or values.code(dataset, tags.IMAGE_LATERALITY))[:16],
        protocol_name=_line(dataset, tags.PROTOCOL_NAME, 200),
        station_name=_line(dataset, tags.STATION_NAME, 64),
        manufacturer=_line(dataset, tags.MANUFACTURER, 200),
        date=values.day(dataset, tags.SERIES_DATE),
        time=values.time_of_day(dataset, tags.SERIES_TIME),
        performed_date=values.day(dataset, tags.PERFORMED_PROCEDURE_STEP_START_DATE),
        performed_time=values.time_of_day(dataset, tags.PERFORMED_PROCEDURE_STEP_START_TIME),
        requests=tuple(map(_request, dataset.items(tags.REQUEST_ATTRIBUTES_SEQUENCE)[:REQUESTS])),
    )


def _request(item: Dataset) -> RequestAttributes:
    return RequestAttributes(
        accession_number=_line(item, tags.ACCESSION_NUMBER, 64),
        requested_procedure_id=_line(item, tags.REQUESTED_PROCEDURE_ID, 64),
        scheduled_procedure_step_id=_line(item, tags.SCHEDULED_PROCEDURE_STEP_ID, 64),
    )


def needed_uid(dataset: Dataset, tag: int, name: str) -> str:
    value = values.uid(dataset, tag)
    if not value:
        raise Refused(f"no {name}" if not dataset.raw(tag).strip(b"\0 ") else f"{name} is no UID", "no_identity")
    return value


def _line(dataset: Dataset, tag: int, longest: int) -> str:
    return " ".join(values.text(dataset, tag).split())[:longest].rstrip()


def _whole(dataset: Dataset, tag: int, longest: int, name: str) -> str:
    value = values.text(dataset, tag)
    if len(value) > longest:
        raise Refused(f"{name} is longer than {longest} characters", "malformed")
    return value
