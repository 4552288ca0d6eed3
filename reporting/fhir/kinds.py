"""The kinds of resources: what of each a person may see, how it is searched and read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from accounts.audit_reading import events_for
from accounts.models import READING_ROLES, Role, User
from reporting.exports.fhir import STATUS
from reporting.exports.fhir_types import Json
from reporting.fhir import audit_events, resources
from reporting.fhir.searching import (
    Condition,
    by_code,
    by_day,
    by_key,
    by_moment,
    by_reference,
    by_text,
    by_token,
    by_uuid,
    number,
)
from reporting.models import Order, Report, ReportVersion
from reporting.visibility import visible_reports
from reporting.workflow.reading import NotSigned, signed_report
from viewer.dicom.text import fold
from viewer.models import Patient, Series, Study

logger = logging.getLogger(__name__)

Told = Callable[[Any], Json]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource."""

    visible: Callable[[User], QuerySet[Any]]
    """Rows, with what telling of them takes."""
    parameters: Mapping[str, Condition]
    types: Mapping[str, str]
    """Of each parameter, for the CapabilityStatement."""
    one: Callable[[QuerySet[Any], str], Any]
    """The row of an id, or None."""
    told: Callable[[Sequence[Any], bool], list[Json]]
    """Resources of rows; the flag: each whole."""
    study_of: Callable[[Any], Study | None] = field(default=lambda row: None)
    """Whose viewing is written down."""
    noted: str = "fhir"
    """What reading and searching it are called in the record."""
    counted: bool = True
    """Whether a search says how many it found in all."""


def _plain_uid(value: str) -> str:
    return value.removeprefix("urn:oid:").removeprefix("urn:uuid:")


def _by_number(rows: QuerySet[Any], key: str) -> Any:
    found = number(key)
    return None if found is None else rows.filter(pk=found).first()


# --- patients


def _patients(user: User) -> QuerySet[Patient]:
    """All of organizations where the person reads; else those of studies that were granted to them."""
    reading = Q(organization__in=user.organizations_as(READING_ROLES))
    granted = Q(pk__in=Study.objects.visible_to(user).values("patient"))
    return Patient.objects.filter(reading | granted).select_related("organization")


# --- studies


def _studies(user: User) -> QuerySet[Study]:
    return Study.objects.visible_to(user).listed().select_related("patient", "organization")


def _told_studies(rows: Sequence[Study], whole: bool) -> list[Json]:
    series: dict[int, list[Series]] = {}
    found = Series.objects.held().filter(study__in=[row.pk for row in rows]).defer("stacks")
    for one in found.order_by("number", "id"):
        series.setdefault(one.study_id, []).append(one)
    return [resources.imaging_study(row, series.get(row.pk, []), whole=whole) for row in rows]


# --- requests


def _orders(user: User) -> QuerySet[Order]:
    """Of organizations where the person reads, and those that they placed as a referrer. What stands in for an order that
    images came without was never asked for."""
    reading = Q(organization__in=user.organizations_as(READING_ROLES))
    own = Q(referrer=user, organization__in=user.organizations_as((Role.REFERRER,)))
    rows = Order.objects.filter(reading | own).exclude(source="study")
    return rows.select_related("patient", "organization", "item__study__patient", "item__study__organization")


def _study_of_order(row: Order) -> Study | None:
    item = getattr(row, "item", None)
    return item.study if item is not None else None


# --- reports


def _reports(user: User) -> QuerySet[Report]:
    signed = ReportVersion.objects.filter(report=OuterRef("pk"), number=OuterRef("signed_version"))
    rows = visible_reports(user).filter(signed_version__gt=0).annotate(signed_at=Subquery(signed.values("at")[:1]))
    return rows.select_related("study__patient", "study__organization", "organization", "order")


def _report(rows: QuerySet[Report], key: str) -> Report | None:
    return rows.filter(by_uuid("uid")(key)).first()


def _told_reports(rows: Sequence[Report], whole: bool) -> list[Json]:
    versions = {
        one.report_id: one
        for one in ReportVersion.objects.filter(report__in=[row.pk for row in rows], number=F("report__signed_version"))
    }
    return [one for row in rows if row.pk in versions and (one := _told_report(row, versions[row.pk])) is not None]


def _told_report(row: Report, version: ReportVersion) -> Json | None:
    """None where the row says that it is signed and no signature is found: nothing of it leaves."""
    try:
        return resources.diagnostic_report(row, version, signed_report(row, pictures=False))
    except NotSigned:
        logger.error("report %s has a signed version and no signature: it is not told (manage.py verify)", row.pk)
        return None


def _one_by_one(tell: Told) -> Callable[[Sequence[Any], bool], list[Json]]:
    return lambda rows, whole: [tell(row) for row in rows]


def _of_patient(path: str) -> dict[str, Condition]:
    """`patient` and `subject`, and the same by the patient's number."""
    found: dict[str, Condition] = {}
    for name in ("patient", "subject"):
        found[name] = by_reference("Patient", path)
        found[f"{name}.identifier"] = by_token(f"{path}__patient_id")
    found["subject:Patient"] = found["subject"]
    return found


_OF_PATIENT = {"patient": "reference", "subject": "reference"}
_REPORT_STATES: dict[str, list[str]] = {}
for _state, _status in STATUS.items():
    _REPORT_STATES.setdefault(_status, []).append(_state)
_REPORT_STATES["amended"] = _REPORT_STATES["corrected"]

KINDS: dict[str, Kind] = {
    "Patient": Kind(
        visible=_patients,
        parameters={
            "_id": by_key(),
            "identifier": by_token("patient_id"),
            "name": by_text("name_folded", fold),
            "family": by_text("name_folded", fold),
            "birthdate": by_day("birth_date"),
            "gender": by_code("sex", {"male": ["M"], "female": ["F"], "other": ["O"], "unknown": [""]}),
        },
        types={
            **{"_id": "token", "identifier": "token", "name": "string", "family": "string"},
            **{"birthdate": "date", "gender": "token"},
        },
        one=_by_number,
        told=_one_by_one(resources.patient),
    ),
    "ImagingStudy": Kind(
        visible=_studies,
        parameters={
            "_id": by_key(),
            "_lastUpdated": by_moment("updated_at"),
            "identifier": by_token("study_instance_uid", "accession_number", plain=_plain_uid),
            "started": by_day("date"),
            "modality": by_token("modalities__contains"),
            "status": lambda value: Q() if value.rpartition("|")[2] == "available" else Q(pk__in=[]),
            **_of_patient("patient"),
        },
        types={
            **{"_id": "token", "_lastUpdated": "date", "identifier": "token", "started": "date", "modality": "token"},
            **{"status": "token", **_OF_PATIENT},
        },
        one=_by_number,
        told=_told_studies,
        study_of=lambda row: row,
    ),
    "ServiceRequest": Kind(
        visible=_orders,
        parameters={
            "_id": by_key(),
            "_lastUpdated": by_moment("updated_at"),
            "identifier": by_token("accession_number", "placer_order_number", "filler_order_number"),
            "authored": by_moment("requested_at"),
            "status": by_code("status", {"active": ["ordered"], "revoked": ["cancelled", "discontinued"]}),
            **_of_patient("patient"),
        },
        types={
            **{"_id": "token", "_lastUpdated": "date", "identifier": "token", "authored": "date", "status": "token"},
            **_OF_PATIENT,
        },
        one=_by_number,
        told=_one_by_one(resources.service_request),
        study_of=_study_of_order,
    ),
    "DiagnosticReport": Kind(
        visible=_reports,
        parameters={
            "_id": by_uuid("uid"),
            "_lastUpdated": by_moment("signed_at"),
            "issued": by_moment("signed_at"),
            "date": by_day("study__date"),
            "identifier": lambda value: (
                by_uuid("uid")(value.rpartition("|")[2]) | by_token("study__accession_number")(value)
            ),
            "status": by_code("state", _REPORT_STATES),
            "based-on": by_reference("ServiceRequest", "order"),
            **_of_patient("study__patient"),
        },
        types={
            **{"_id": "token", "_lastUpdated": "date", "issued": "date", "date": "date", "identifier": "token"},
            **{"status": "token", "based-on": "reference", **_OF_PATIENT},
        },
        one=_report,
        told=_told_reports,
        study_of=lambda row: row.study,
    ),
    "AuditEvent": Kind(
        visible=events_for,
        parameters={
            "_id": by_key("sequence"),
            "date": audit_events.by_date,
            "patient": audit_events.by_patient,
            "patient.identifier": by_token("patient_id"),
            "agent.identifier": by_token("actor"),
            "agent-name": lambda value: Q(actor=value),
            "entity.identifier": by_token("study_instance_uid", "object_uid", plain=_plain_uid),
            "outcome": audit_events.by_outcome,
            "subtype": by_token("action"),
            "site": by_token("organization"),
        },
        types={
            **{"_id": "token", "date": "date", "patient": "reference", "agent-name": "string"},
            **{"outcome": "token", "subtype": "token", "site": "token"},
        },
        one=audit_events.one_of,
        told=_one_by_one(audit_events.audit_event),
        noted="audit",
        counted=False,
    ),
}
