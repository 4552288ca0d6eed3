"""What a correction asks for, from the JSON of a request to the act."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rest_framework.request import Request

from accounts.models import Organization, User
from accounts.policy import CORRECTOR, organizations_for
from viewer.api.doors import data_of, text_of
from viewer.archive.correcting import Who, merge_patients, study_to_order, study_to_patient, update_patient
from viewer.archive.correcting_links import link_patients
from viewer.archive.correcting_orders import choices_for
from viewer.archive.correcting_series import merge_studies, move_series, split
from viewer.archive.query import BadQuery
from viewer.marks.rejecting import reject
from viewer.models import Correction, Instance, Patient, Series, Study

PERSON = {"name": "PatientName", "birth_date": "PatientBirthDate", "sex": "PatientSex"}
ORDER = {
    "accession_number": ("AccessionNumber", 64),
    "description": ("StudyDescription", 64),
    "referring_physician": ("ReferringPhysicianName", 400),
}
"""Field -> DICOM keyword and longest."""

Json = dict[str, Any]


def _person(study: Study, body: Json, who: Who) -> Correction | None:
    said = {keyword: text_of(body, name, 400) for name, keyword in PERSON.items() if name in body}
    if not said:
        raise BadQuery("name", "a name, birth date or sex is expected")
    birth_date = said.get("PatientBirthDate", "")
    if birth_date and not (len(birth_date) == 8 and birth_date.isascii() and birth_date.isdigit()):
        raise BadQuery("birth_date", "YYYYMMDD is expected")
    if len(said.get("PatientSex", "")) > 16:
        raise BadQuery("sex", "M, F, O or nothing is expected")
    return update_patient(study.patient, said, who)


def _to_patient(study: Study, body: Json, who: Who) -> Correction:
    return study_to_patient(study, _patient(study.organization, body), who)


def _merge_patient(study: Study, body: Json, who: Who) -> Correction:
    return merge_patients(study.patient, _patient(study.organization, body), who)


def _link_patient(study: Study, body: Json, who: Who) -> Correction:
    named = body.get("organization")
    home = study.organization
    if named and named != home.name:  # of two organizations, only who may correct in both
        found = organizations_for(who.actor, CORRECTOR).filter(name=str(named)).first()
        if found is None:
            raise BadQuery("organization", "there is no such organization")
        home = found
    return link_patients(study.patient, _patient(home, body), who)


def _patient(organization: Organization, body: Json) -> Patient:
    """A patient that is known there. Raises BadQuery."""
    wanted = {
        "patient_id": text_of(body, "patient_id", 64),
        "issuer_of_patient_id": text_of(body, "issuer", 64),
        "only_study_uid": "",
    }
    found = Patient.objects.filter(organization=organization, **wanted).select_related("organization").first()
    if not wanted["patient_id"] or found is None:
        raise BadQuery("patient_id", "there is no such patient")
    return found


def _order(study: Study, body: Json, who: Who) -> Correction:
    chosen = str(body.get("order") or "")
    said = {keyword: text_of(body, name, longest) for name, (keyword, longest) in ORDER.items() if name in body}
    if not chosen:
        return study_to_order(study, said, who)
    asked = (text_of(body, "q", 200), said.get("AccessionNumber", ""))
    listed = (one for words in asked for one in choices_for(study, words))
    named = next((one for one in listed if one.identifier == chosen), None)
    if named is None:
        raise BadQuery("order", "there is no such open order")
    return study_to_order(study, named.said, who, chosen)


def _split(study: Study, body: Json, who: Who) -> Correction:
    return split(study, _uids(body, "series"), who)


def _move(study: Study, body: Json, who: Who) -> Correction:
    return move_series(study, _uids(body, "series"), _target(study, body), who)


def _merge(study: Study, body: Json, who: Who) -> Correction:
    return merge_studies(study, _target(study, body), who)


def _target(study: Study, body: Json) -> Study:
    rows = Study.objects.filter(organization=study.organization_id, study_instance_uid=text_of(body, "target", 64))
    found = rows.select_related("patient", "organization").first()
    if found is None:
        raise BadQuery("target", "there is no such study")
    return found


def _reject(study: Study, body: Json, who: Who) -> Correction:
    uids = set(_uids(body, "instances"))
    series = Series.objects.filter(study=study, series_instance_uid__in=_uids(body, "series"))
    if "series" in body and series.count() != len(set(body["series"])):
        raise BadQuery("series", "series of the study are expected")
    uids |= set(Instance.objects.served().filter(series__in=series).values_list("sop_instance_uid", flat=True))
    actor = who.actor
    assert isinstance(actor, User)  # noqa: S101 - the door lets nobody else in
    return reject(study, sorted(uids), str(body.get("code")), who.reason, actor)


ACTS: Mapping[str, Callable[[Study, Json, Who], Correction | None]] = {
    "person": _person,
    "patient": _to_patient,
    "merge_patient": _merge_patient,
    "link_patient": _link_patient,
    "order": _order,
    "split": _split,
    "move": _move,
    "merge": _merge,
    "reject": _reject,
}


def body_of(request: Request) -> Json:
    body = data_of(request)
    if not isinstance(body, dict):
        raise BadQuery("body", "a JSON object is expected")
    return dict(body)


def _uids(body: Json, name: str) -> list[str]:
    value = body.get(name) or []
    if not isinstance(value, list) or len(value) > 10_000 or not all(isinstance(one, str) for one in value):
        raise BadQuery(name, "a list of UIDs is expected")
    return value
