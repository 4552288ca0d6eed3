"""Our rows as resources of FHIR R4: Patient, ImagingStudy, ServiceRequest, DiagnosticReport."""

from __future__ import annotations

from django.urls import reverse

from reporting.exports.document import SignedReport
from reporting.fhir.elements import (
    GENDERS,
    Json,
    bare,
    coding,
    date,
    identifier,
    instant,
    moment,
    names,
    reference,
    spoken,
)
from reporting.models import Order, Report, ReportVersion
from viewer.models import Instance, Patient, Series, Study

STATUSES = {
    "preliminary": "preliminary",
    "pending_cosign": "preliminary",
    "returned": "preliminary",
    "final": "final",
    "appended": "appended",
    "corrected": "corrected",
    "cancelled": "cancelled",
    "entered_in_error": "entered-in-error",
}
"""State of a report -> DiagnosticReport.status; a correction of content alone is "amended"."""
PRIORITIES = {"STROKE": "stat", "TRAUMA": "stat", "STAT": "stat", "URGENT": "urgent", "ROUTINE": "routine"}
ENDED = {"cancelled": "revoked", "discontinued": "revoked"}
RADIOLOGY = {"coding": [coding("RAD", "http://terminology.hl7.org/CodeSystem/v2-0074", "Radiology")]}
IMAGING = {"coding": [coding("363679005", "SCT", "Imaging")]}
REPORT_CODE = coding("18748-4", "LN", "Diagnostic imaging study")
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
                identifier(f"urn:oid:{row.study_instance_uid}", "urn:dicom:uid"),
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
        Instance.objects.filter(series=row).order_by("instance_number", "id") if whole else Instance.objects.none()
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
                **{"uid": uid, "sopClass": {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{kind}"}},
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
    withdrawn = said.state in ("entered_in_error", "cancelled")
    study = row.study
    return bare(
        {
            "resourceType": "DiagnosticReport",
            "id": str(row.uid),
            "meta": {"versionId": str(version.number), "lastUpdated": instant(version.at)},
            "language": said.language,
            "identifier": [
                identifier(f"urn:uuid:{row.uid}", "urn:ietf:rfc:3986"),
                identifier(study.accession_number, kind="ACSN"),
            ],
            "basedOn": [reference("ServiceRequest", row.order_id)] if _was_asked_for(row) else [],
            "status": _status(said),
            "category": [RADIOLOGY],
            "code": {"coding": [REPORT_CODE], "text": said.title},
            "subject": reference("Patient", study.patient_id, spoken(study.stated_patient["name"])),
            "effectiveDateTime": moment(study.date, study.time, study.timezone_offset, study.organization.time_zone),
            "issued": instant(version.at),
            "performer": [{"display": str(row.organization)}],
            "resultsInterpreter": [{"display": name} for name in _signers(said)],
            "imagingStudy": [reference("ImagingStudy", study.pk)],
            "conclusion": "" if withdrawn else _conclusion(said),
            "presentedForm": [] if withdrawn else [_form(row, kind) for kind in ("pdf", "html")],
        }
    )


def _was_asked_for(row: Report) -> bool:
    return row.order is not None and row.order.source != "study"


def _status(said: SignedReport) -> str:
    if said.state == "corrected" and said.reason_code == "content":
        return "amended"
    return STATUSES[said.state]


def _signers(said: SignedReport) -> list[str]:
    signatures = [*said.signatures, *(one.signature for one in said.addenda)]
    return list(dict.fromkeys(one.name for one in signatures))


def _conclusion(said: SignedReport) -> str:
    """The impression, and what was added since."""
    parts = [
        "\n".join(f"{entry.label}: {entry.text}" if entry.label else entry.text for entry in section.entries)
        for section in said.sections
        if section.name == "impression" or (section.code is not None and section.code.value == "19005-8")
    ]
    return "\n\n".join(filter(None, [*parts, *(f"Addendum: {one.text}" for one in said.addenda)]))


def _form(row: Report, kind: str) -> Json:
    media_type = {"pdf": "application/pdf", "html": "text/html"}[kind]
    return {"contentType": media_type, "url": f"{reverse('api-reports')}{row.pk}/export/{kind}", "title": "Report"}
