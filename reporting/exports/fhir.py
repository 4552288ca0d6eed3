"""A signed report as a FHIR R4 Bundle: what it is about, its numbers and pictures, and itself as PDF and HTML.

By default a collection, a record that says nothing about what its receiver has already. As a transaction (IHE RAD-141) every
resource is created or brought up to date by an identifier that is unique in the world: sending it twice changes nothing.
"""

from __future__ import annotations

import json
import math
from urllib.parse import quote

from reporting.exports import fhir_parts as parts
from reporting.exports import fhir_types as fhir
from reporting.exports import identifiers, page, pdf, sheet
from reporting.exports import sr_codes as codes
from reporting.exports.cleaning import cleaned, line
from reporting.exports.dicom_subject import signatures_of
from reporting.exports.document import Code, Entry, Picture, Signature, SignedReport, SourceImage
from reporting.exports.fhir_types import Json, bare, concept, identifier, reference, uuid

MEDIA_TYPE = "application/fhir+json"

STATUS: dict[str, str] = {
    "preliminary": "preliminary",
    "pending_cosign": "preliminary",
    "returned": "preliminary",
    "final": "final",
    "appended": "appended",
    "corrected": "corrected",
    "cancelled": "cancelled",
    "entered_in_error": "entered-in-error",
}
OBSERVED = {"appended": "final", "amended": "amended"}
"""Status of an Observation where it is not that of the report."""
CATEGORY = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD", "display": "Radiology"}]
}
IMAGING = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "imaging",
            "display": "Imaging",
        }
    ]
}


def make(report: SignedReport, transaction: bool = False) -> bytes:
    """The Bundle as JSON in UTF-8."""
    return json.dumps(bundle(report, transaction), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def bundle(report: SignedReport, transaction: bool = False) -> Json:
    made = _Resources(cleaned(report))
    entries = [made.report(), made.patient(), *made.order(), made.study(), made.organization(), *made.people()]
    entries += [*made.numbers(), *made.pictures(), *made.endpoints()]
    found = {
        "resourceType": "Bundle",
        "identifier": uuid(identifiers.resource(report.uid, "bundle", report.version)),
        "type": "transaction" if transaction else "collection",
        "timestamp": made.issued,
        "entry": [_entry(*one, transaction=transaction) for one in entries],
    }
    bared: Json = bare(found)
    return bared


def _entry(key: str, resource: Json, *, transaction: bool) -> Json:
    found: Json = {"fullUrl": f"urn:uuid:{key}", "resource": resource}
    if transaction:
        found["request"] = _request(resource)
    return found


def _request(resource: Json) -> Json:
    """What is said of a report is brought up to date; what it is about is made where it is not there yet."""
    kind = resource["resourceType"]
    unique = (fhir.URI, fhir.DICOM_UID)
    known = next((one for one in resource.get("identifier", []) if one and one.get("system") in unique), None)
    asked = f"identifier={quote(known['system'] + '|' + known['value'], safe='')}" if known else ""
    if asked and kind in ("DiagnosticReport", "Observation", "Media"):
        return {"method": "PUT", "url": f"{kind}?{asked}"}
    return {"method": "POST", "url": kind, "ifNoneExist": asked}


def status_of(report: SignedReport) -> str:
    """DiagnosticReport.status; a correction of content alone is "amended"."""
    state = STATUS.get(report.state, "unknown")
    return "amended" if state == "corrected" and report.reason_code == "content" else state


class _Resources:
    """The resources of one report; each is (its UUID, itself)."""

    def __init__(self, report: SignedReport) -> None:
        self.of = report
        signatures = signatures_of(report)
        self.signatures = signatures
        self.issued = fhir.instant(signatures[-1].at if signatures else None)
        self.status = status_of(report)
        self.observed = OBSERVED.get(self.status, self.status)
        self.withdrawn = report.state in ("cancelled", "entered_in_error")

    def key(self, *names: object) -> str:
        return identifiers.resource(self.of.uid, *names)

    def report(self) -> tuple[str, Json]:
        of = self.of
        words = sheet.sheet_of(of)
        return self.key("report"), {
            "resourceType": "DiagnosticReport",
            "language": words.language,
            "text": {"status": "generated", "div": parts.narrative(words)},
            "identifier": [
                {"system": fhir.URI, "value": f"urn:uuid:{of.uid}"},
                identifier(of.study.accession_number, kind="ACSN"),
            ],
            "basedOn": [reference(self.key("order"))] if of.order else [],
            "status": self.status,
            "category": [CATEGORY],
            "code": parts.code_of(of),
            "subject": self._subject(),
            "effectiveDateTime": fhir.examined(of),
            "issued": self.issued,
            "performer": [reference(self.key("organization"), of.site.title or of.site.name)],
            "resultsInterpreter": [reference(self._person(one), one.name) for one in self._signers()],
            "result": [reference(key) for key, _ in (*self.numbers(), *self._observed_pictures())],
            "imagingStudy": [reference(self.key("study"))],
            "media": [
                {"comment": fhir.string(line(one.caption)), "link": reference(self.key("media", one.position))}
                for one in of.pictures
            ],
            "conclusion": "" if self.withdrawn else fhir.string(parts.conclusion(of)),
            "presentedForm": [
                fhir.attachment("application/pdf", pdf.make(of), "Report", words.language, self.issued),
                fhir.attachment("text/html", page.make(of), "Report", words.language, self.issued),
            ],
        }

    def _subject(self) -> Json:
        return reference(self.key("patient"), fhir.spoken(self.of.patient.name))

    def patient(self) -> tuple[str, Json]:
        patient = self.of.patient
        issuer = patient.issuer_of_patient_id.strip()
        is_oid = "." in issuer and issuer.isascii() and issuer.replace(".", "").isdigit()
        number = identifier(patient.patient_id, f"urn:oid:{issuer}" if is_oid else "", "MR")
        if number and issuer and not is_oid:
            number["assigner"] = {"display": line(issuer)}
        return self.key("patient"), {
            "resourceType": "Patient",
            "identifier": [number],
            "name": fhir.names(patient.name),
            "gender": fhir.GENDERS.get(patient.sex, "unknown" if patient.sex.strip() else ""),
            "birthDate": fhir.date(patient.birth_date),
        }

    def order(self) -> list[tuple[str, Json]]:
        order = self.of.order
        if order is None:
            return []
        code = Code(order.procedure_code, order.procedure_code_system, order.procedure_text)
        requester = {
            "identifier": identifier(order.referring_identifier),
            "display": next((one["text"] for one in fhir.names(self.of.study.referring_physician)), ""),
        }
        return [
            (
                self.key("order"),
                {
                    "resourceType": "ServiceRequest",
                    "identifier": [
                        uuid(self.key("order")),
                        identifier(order.placer_order_number, kind="PLAC"),
                        identifier(order.filler_order_number, kind="FILL"),
                        identifier(self.of.study.accession_number, kind="ACSN"),
                    ],
                    "status": "revoked" if self.status == "cancelled" else "completed",
                    "intent": "order",
                    "category": [concept(Code("363679005", "SCT", "Imaging"))],
                    "code": concept(code, order.procedure_text or order.procedure_code),
                    "subject": self._subject(),
                    "authoredOn": fhir.instant(order.requested_at),
                    "requester": requester,
                    "reasonCode": [{"text": fhir.string(order.reason)}],
                },
            )
        ]

    def study(self) -> tuple[str, Json]:
        """All that was read."""
        of, study = self.of, self.of.study
        listed = [
            {"uid": series, "instance": [parts.instance(uid, kind) for kind, uid in instances]}
            for series, instances in of.study_series.items()
        ]
        return self.key("study"), {
            "resourceType": "ImagingStudy",
            "identifier": [
                {"system": fhir.DICOM_UID, "value": f"urn:oid:{study.study_instance_uid}"},
                identifier(study.accession_number, kind="ACSN"),
            ],
            "status": "available",
            "modality": [parts.modality(one) for one in study.modalities if one.strip()],
            "subject": self._subject(),
            "started": fhir.examined(of),
            "basedOn": [reference(self.key("order"))] if of.order else [],
            "numberOfSeries": len(listed) or None,
            "numberOfInstances": sum(len(one["instance"]) for one in listed) or None,
            "description": fhir.string(study.description),
            "endpoint": [reference(key) for key, _ in self.endpoints()],
            "series": [{**one, "modality": parts.modality((*study.modalities, "OT")[0])} for one in listed],
        }

    def endpoints(self) -> list[tuple[str, Json]]:
        """Where the images can be had (WADO-RS), when the site says so."""
        if not self.of.site.dicom_web:
            return []
        address = f"{self.of.site.dicom_web.rstrip('/')}/studies/{self.of.study.study_instance_uid}"
        return [(self.key("endpoint"), {**parts.wado(address), "identifier": [uuid(self.key("endpoint"))]})]

    def organization(self) -> tuple[str, Json]:
        site = self.of.site
        return self.key("organization"), {
            "resourceType": "Organization",
            "identifier": [uuid(self.key("organization"))],
            "name": line(site.title or site.name) or "?",
            "address": [{"text": fhir.string(site.address)}],
        }

    # --- people

    def _person(self, one: Signature) -> str:
        return self.key("person", one.username)

    def _signers(self) -> list[Signature]:
        return list({one.username: one for one in self.signatures}.values())

    def people(self) -> list[tuple[str, Json]]:
        found: list[tuple[str, Json]] = []
        for one in self._signers():
            name = line(one.name or one.username) or "?"
            person = {
                "resourceType": "Practitioner",
                "identifier": [uuid(self._person(one)), identifier(one.username)],
                "name": [{"text": name}],
            }
            found.append((self._person(one), person))
            role = {
                "resourceType": "PractitionerRole",
                "identifier": [uuid(self.key("role", one.username))],
                "practitioner": reference(self._person(one), name),
                "organization": reference(self.key("organization")),
                "code": [{"text": fhir.string(one.role)}],
            }
            found.append((self.key("role", one.username), role))
        return found

    # --- numbers and pictures

    def _observation(self, key: str, code: Json, more: Json) -> tuple[str, Json]:
        made = {
            "resourceType": "Observation",
            "identifier": [uuid(key)],
            "status": self.observed,
            "category": [IMAGING],
            "code": code,
            "subject": self._subject(),
            "effectiveDateTime": fhir.examined(self.of),
            "issued": self.issued,
            "performer": [reference(self._person(one), one.name) for one in self._signers()[-1:]],
        }
        return key, {**made, **more}

    def numbers(self) -> list[tuple[str, Json]]:
        """Each number that a code says the meaning of."""
        found = []
        for section in self.of.sections:
            for place, entry in enumerate(section.entries):
                if entry.number is not None and math.isfinite(entry.number) and entry.codes:
                    found.append(
                        self._number(self.key("number", section.name, entry.field_id, place), entry, entry.number)
                    )
        return found

    def _number(self, key: str, entry: Entry, number: float) -> tuple[str, Json]:
        more = {"derivedFrom": [reference(self.key("study"))], "valueQuantity": fhir.quantity(number, entry.units)}
        return self._observation(key, concept(entry.codes[0], entry.label), more)

    def pictures(self) -> list[tuple[str, Json]]:
        return [*(self._media(one) for one in self.of.pictures), *self._observed_pictures()]

    def _media(self, picture: Picture) -> tuple[str, Json]:
        """The frozen picture itself."""
        key = self.key("media", picture.position)
        return key, {
            "resourceType": "Media",
            "identifier": [uuid(key)],
            "status": "entered-in-error" if self.status == "entered-in-error" else "completed",
            "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/media-type", "code": "image"}]},
            "subject": self._subject(),
            "issued": self.issued,
            "deviceName": line(picture.renderer),
            "height": picture.rows or None,
            "width": picture.columns or None,
            "content": fhir.attachment("image/png", picture.png, picture.caption, created=self.issued),
            "note": [{"text": f"SHA-256 of its pixels: {picture.sha256}"}],
        }

    def _observed_pictures(self) -> list[tuple[str, Json]]:
        return [self._seen(one) for one in self.of.pictures]

    def _seen(self, picture: Picture) -> tuple[str, Json]:
        """What a picture shows: its words, its numbers, the images that it was drawn from (in the way of IHE IMR)."""
        selections = self._selections(picture)
        key = self.key("picture", picture.position)
        return self._observation(
            key,
            concept(Code(*codes.KEY_IMAGES)),
            {
                "contained": selections,
                "valueString": fhir.string(picture.caption) or "–",
                "derivedFrom": [
                    *({"reference": f"#{one['id']}"} for one in selections),
                    reference(self.key("media", picture.position)),
                ],
                "component": [one for mark in picture.measurements for one in parts.components(mark)],
            },
        )

    def _selections(self, picture: Picture) -> list[Json]:
        """An ImagingStudy for each study, of the images named alone."""
        own = self.of.study.study_instance_uid
        studies: dict[str, dict[str, list[SourceImage]]] = {}
        for one in picture.sources:
            series = studies.setdefault(one.study_instance_uid or own, {})
            series.setdefault(one.series_instance_uid, []).append(one)
        return [
            {
                "resourceType": "ImagingStudy",
                "id": f"selection-{number}",
                "identifier": [{"system": fhir.DICOM_UID, "value": f"urn:oid:{study}"}],
                "status": "available",
                "subject": self._subject(),
                "series": [
                    {
                        "uid": series,
                        "modality": parts.modality((*self.of.study.modalities, "OT")[0]),
                        "instance": [
                            parts.instance(one.sop_instance_uid, one.sop_class_uid, one.frames) for one in images
                        ],
                    }
                    for series, images in all_series.items()
                ],
            }
            for number, (study, all_series) in enumerate(studies.items(), 1)
        ]
