"""Our rows as resources of FHIR R4: Patient, ImagingStudy, ServiceRequest, DiagnosticReport."""

from __future__ import annotations

from django.urls import reverse

from reporting.exports import fhir_parts as parts
from reporting.exports.cleaning import cleaned
from reporting.exports.document import SignedReport
from reporting.exports.fhir import CATEGORY, status_of
from reporting.exports.fhir_types import (
    DICOM_UID,
    GENDERS,
    URI,
    Json,
    bare,
    coding,
    date,
    examined,
    identifier,
    instant,
    moment,
    names,
    spoken,
)
from reporting.fhir.elements import reference
from reporting.models import Order, Report, ReportVersion
from viewer.models import Instance, Patient, Series, Study

PRIORITIES = {"STROKE": "stat", "TRAUMA": "stat", "STAT": "stat", "URGENT": "urgent", "ROUTINE": "routine"}
ENDED = {"cancelled": "revoked", "discontinued": "revoked"}
IMAGING = {"coding": [coding("363679005", "SCT", "Imaging")]}
INSTANCES = 20_000
"""Listed of one study."""


def patient(row: Patient) -> Json:
    return bare(
        {
            "resourceType": "Patient",
            "id": str(row.pk),
            "identifier": [identifier(row.patient_id, _issuer(row.issuer_of_patient_id), "MR")],
            "name": names(row.name),
            "gender": GENDERS.get(row.sex, "unknown" if row.sex else ""),
            "birthDate": date(row.birth_date),
            "managingOrganization": {"display": str(row.organization)},
        }
    )


def _issuer(text: str) -> str:
    """A system is a URI; what an issuer calls itself is none, unless it is an OID."""
    return f"urn:oid:{text}" if text.replace(".", "").isdigit() and "." in text else ""


def imaging_study(row: Study, series: list[Series], *, whole: bool = False) -> Json:
    """`whole`: with each instance."""
    zone = row.organization.time_zone
    return bare(
        {
            "resourceType": "ImagingStudy",
            "id": str(row.pk),
            "meta": {"lastUpdated": instant(row.updated_at)},
            "identifier": [
                identifier(f"urn:oid:{row.study_instance_uid}", DICOM_UID),
                identifier(row.accession_number, kind="ACSN"),
            ],
            "status": "available",
            "modality": [coding(one, "DCM") for one in row.modalities.split("\\") if one],
            "subject": reference("Patient", row.patient_id, spoken(row.stated_patient["name"])),
            "started": moment(row.date, row.time, row.timezone_offset, zone),
            "referrer": {"display": spoken(row.referring_physician)},
            "numberOfSeries": row.number_of_series,
            "numberOfInstances": row.number_of_instances,
            "description": row.description,
            "series": [_series(one, row, zone, whole) for one in series],
        }
    )


def _series(row: Series, study: Study, zone: str, whole: bool) -> Json:
    instances = (
        Instance.objects.served().filter(series=row).order_by("instance_number", "id")
        if whole
        else Instance.objects.none()
    )
    listed = instances.values_list("sop_instance_uid", "sop_class_uid", "instance_number")[:INSTANCES]
    return {
        "uid": row.series_instance_uid,
        "number": row.number if row.number is not None and row.number >= 0 else None,
        "modality": coding(row.modality or "OT", "DCM"),
        "description": row.description,
        "numberOfInstances": row.number_of_instances,
        "bodySite": {"display": row.body_part_examined},
        "started": moment(row.date, row.time, study.timezone_offset, zone),
        "instance": [
            {
                **{"uid": uid, "sopClass": {"system": URI, "code": f"urn:oid:{kind}"}},
                "number": number if number is not None and number >= 0 else None,
            }
            for uid, kind, number in listed
        ],
    }


def service_request(row: Order) -> Json:
    item = getattr(row, "item", None)
    done = item is not None and item.status in ("final", "delivered")
    return bare(
        {
            "resourceType": "ServiceRequest",
            "id": str(row.pk),
            "meta": {"lastUpdated": instant(row.updated_at)},
            "identifier": [
                identifier(row.placer_order_number, kind="PLAC"),
                identifier(row.filler_order_number, kind="FILL"),
                identifier(row.accession_number, kind="ACSN"),
            ],
            "status": ENDED.get(row.status, "completed" if done else "active"),
            "intent": "order",
            "category": [IMAGING],
            "priority": PRIORITIES.get(row.reading_class, "routine"),
            "code": {
                "coding": [coding(row.procedure_code, row.procedure_code_system)] if row.procedure_code else [],
                "text": row.procedure_text or row.procedure_code,
            },
            "subject": reference("Patient", row.patient_id, spoken(row.patient_name)),
            "occurrenceDateTime": instant(row.scheduled_at),
            "authoredOn": instant(row.requested_at),
            "requester": {
                "identifier": identifier(row.referring_identifier),
                "display": spoken(row.referring_physician),
            },
            "reasonCode": [{"text": row.reason}],
            "bodySite": [{"text": " ".join(filter(None, (row.body_part, row.laterality)))}],
        }
    )


def diagnostic_report(row: Report, version: ReportVersion, said: SignedReport) -> Json:
    """The newest signed version. The whole of it, to print or to keep, is at the addresses of `presentedForm`."""
    said = cleaned(said)
    withdrawn = said.state in ("entered_in_error", "cancelled")
    study = row.study
    return bare(
        {
            "resourceType": "DiagnosticReport",
            "id": str(row.uid),
            "meta": {"versionId": str(version.number), "lastUpdated": instant(version.at)},
            "language": said.language,
            "identifier": [
                identifier(f"urn:uuid:{row.uid}", URI),
                identifier(study.accession_number, kind="ACSN"),
            ],
            "basedOn": [reference("ServiceRequest", row.order_id)] if _was_asked_for(row) else [],
            "status": status_of(said),
            "category": [CATEGORY],
            "code": parts.code_of(said),
            "subject": reference("Patient", study.patient_id, spoken(study.stated_patient["name"])),
            "effectiveDateTime": examined(said),
            "issued": instant(version.at),
            "performer": [{"display": str(row.organization)}],
            "resultsInterpreter": [{"display": name} for name in _signers(said)],
            "imagingStudy": [reference("ImagingStudy", study.pk)],
            "conclusion": "" if withdrawn else parts.conclusion(said),
            "presentedForm": [] if withdrawn else [_form(row, kind) for kind in ("pdf", "html")],
        }
    )


def _was_asked_for(row: Report) -> bool:
    return row.order is not None and row.order.source != "study"


def _signers(said: SignedReport) -> list[str]:
    signatures = [*said.signatures, *(one.signature for one in said.addenda)]
    return list(dict.fromkeys(one.name for one in signatures))


def _form(row: Report, kind: str) -> Json:
    media_type = {"pdf": "application/pdf", "html": "text/html"}[kind]
    return {"contentType": media_type, "url": f"{reverse('api-reports')}{row.pk}/export/{kind}", "title": "Report"}
