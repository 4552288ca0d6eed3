"""A signed report as DICOM SR: TID 2000 "Basic Diagnostic Imaging Report" (PS3.16) in an Enhanced SR (PS3.3 A.35.2).

Every line of the report is a TEXT of its section, inferred from the number and the images that it states. One that was
withdrawn becomes a rejection note that names what it takes back.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

from pydicom.dataset import Dataset

from reporting.exports import dicom_values as fit
from reporting.exports import identifiers, rejection, sheet
from reporting.exports import sr_codes as words
from reporting.exports.cleaning import cleaned
from reporting.exports.dicom_subject import (
    REPORT_CLASS,
    VERIFYING,
    begun,
    evidence_of,
    flags_of,
    local,
    signatures_of,
)
from reporting.exports.document import (
    Addendum,
    Code,
    Entry,
    OrderFacts,
    Picture,
    Section,
    Signature,
    SignedReport,
    headed,
)
from viewer.objects import codes
from viewer.objects.content import (
    CONTAINS,
    CONTEXT,
    INFERRED,
    MODIFIES,
    coded,
    container,
    image,
    number,
    person,
    text,
    uid_ref,
)
from viewer.objects.content import Code as Concept
from viewer.objects.header import Reference, SeriesOfObject, encoded, evidence

MEDIA_TYPE = "application/dicom"
NUMBER = 9710
"""Of the series that reports lie in."""

STUDY: Concept = ("121018", "DCM", "Procedure Study Instance UID")
PLACER: Concept = ("121020", "DCM", "Placer Number")
FILLER: Concept = ("121021", "DCM", "Filler Number")
ACCESSION: Concept = ("121022", "DCM", "Accession Number")
ORGANIZATION: Concept = ("121009", "DCM", "Person Observer's Organization Name")
ROLE: Concept = ("121010", "DCM", "Person Observer's Role in the Organization")
DEVICE_TYPE: Concept = ("122142", "DCM", "Acquisition Device Type")


def make(report: SignedReport) -> bytes:
    """The file. Raises NoSuchForm for a report that has no object in its state."""
    report = cleaned(report)
    if report.state in rejection.TITLES:
        return rejection.make(report)
    return encoded(dataset(report))


def dataset(report: SignedReport) -> Dataset:
    flags = flags_of(report)
    series = SeriesOfObject(
        sop_class_uid=REPORT_CLASS,
        modality="SR",
        series_instance_uid=identifiers.series(report.uid, "report"),
        number=NUMBER,
        description="Report",
        instance_number=report.version,
        sop_instance_uid=identifiers.report_object(report.uid, report.version, report.told_since),
    )
    d = begun(report, series)
    d.update(_root(report))
    d.CompletionFlag, d.VerificationFlag, d.PreliminaryFlag = flags.completion, flags.verification, flags.preliminary
    if flags.verification == "VERIFIED":
        d.VerifyingObserverSequence = [_verifier(one, report) for one in verifiers(report)]
    d.AuthorObserverSequence = [_author(one, report) for one in authors(report)]
    d.ReferencedPerformedProcedureStepSequence = []
    d.PerformedProcedureCodeSequence = []
    if report.order is not None:
        d.ReferencedRequestSequence = [_request(report.order, report)]
    references = evidence_of(report)
    if references:
        d.CurrentRequestedProcedureEvidenceSequence = evidence(references)
    if report.predecessors:
        d.PredecessorDocumentsSequence = evidence(_predecessors(report))
    d.CodingSchemeIdentificationSequence = [_own_scheme()]
    return d


# --- who


def authors(report: SignedReport) -> list[Signature]:
    """Who wrote it: the residents and readers who signed as authors, else whoever signed first; and who added to it."""
    own = [one for one in report.signatures if one.meaning == "author"] or list(report.signatures[:1])
    return _once([*own, *(one.signature for one in report.addenda)])


def verifiers(report: SignedReport) -> list[Signature]:
    """Who answers for it, each with the time of the signature itself."""
    found = [one for one in signatures_of(report) if one.meaning in VERIFYING]
    return found or signatures_of(report)[-1:]


def _once(signatures: Iterable[Signature]) -> list[Signature]:
    found: dict[str, Signature] = {}
    for one in signatures:
        found.setdefault(one.username, one)
    return list(found.values())


def _identified(one: Signature) -> list[Dataset]:
    return [fit.code_item(Code(one.username, codes.OWN, one.name or one.username))]


def _organization(report: SignedReport) -> str:
    return fit.line(report.site.title or report.site.name)


def _verifier(one: Signature, report: SignedReport) -> Dataset:
    d = Dataset()
    d.VerifyingObserverName = fit.spoken(one.name or one.username) or "?"
    d.VerifyingObserverIdentificationCodeSequence = _identified(one)
    d.VerifyingOrganization = _organization(report) or "?"
    d.VerificationDateTime = fit.moment(local(one.at, report))
    return d


def _author(one: Signature, report: SignedReport) -> Dataset:
    d = Dataset()
    d.ObserverType = "PSN"
    d.PersonName = fit.spoken(one.name or one.username) or "?"
    d.PersonIdentificationCodeSequence = _identified(one)
    d.InstitutionName = _organization(report)
    d.InstitutionCodeSequence = []
    return d


# --- what it answers and what it follows


def _request(order: OrderFacts, report: SignedReport) -> Dataset:
    d = Dataset()
    d.StudyInstanceUID = report.study.study_instance_uid
    d.ReferencedStudySequence = []
    fit.put(d, "AccessionNumber", fit.line(report.study.accession_number, 10_000))
    d.PlacerOrderNumberImagingServiceRequest = fit.line(order.placer_order_number)
    d.FillerOrderNumberImagingServiceRequest = fit.line(order.filler_order_number)
    d.RequestedProcedureID = ""
    d.RequestedProcedureDescription = fit.line(order.procedure_text)
    d.RequestedProcedureCodeSequence = [fit.code_item(code)] if (code := _procedure(report)) else []
    d.ReasonForTheRequestedProcedure = fit.line(order.reason)
    return d


def _procedure(report: SignedReport) -> Code | None:
    order = report.order
    if order is None or not order.procedure_code.strip():
        return None
    system = order.procedure_code_system.strip() or codes.OWN
    return Code(order.procedure_code, system, order.procedure_text or order.procedure_code)


def _predecessors(report: SignedReport) -> list[Reference]:
    study, series = report.study.study_instance_uid, identifiers.series(report.uid, "report")
    return [Reference(study, series, REPORT_CLASS, uid) for uid in report.predecessors]


def _own_scheme() -> Dataset:
    d = Dataset()
    d.CodingSchemeDesignator, d.CodingSchemeName = codes.OWN, codes.OWN_NAME
    return d


# --- content (TID 2000)


def _root(report: SignedReport) -> Dataset:
    found = [
        *_modifiers(report),
        *(one for author in _once([*authors(report), *verifiers(report)]) for one in _observer(author, report)),
        *_procedure_context(report),
        *(made for one in headed(report.sections) if (made := _section(one, report)) is not None),
        *_others(report),
    ]
    return container("", words.title_of(report.study.modalities), found, template="2000")


def _modifiers(report: SignedReport) -> Iterator[Dataset]:
    procedure = _procedure(report)
    if procedure is not None:
        reported = coded(MODIFIES, codes.PROCEDURE, codes.IMAGING)
        reported.ConceptCodeSequence = [fit.code_item(procedure)]
        yield reported
    for modality in dict.fromkeys(report.study.modalities):
        if modality in words.MODALITIES:
            yield coded(MODIFIES, DEVICE_TYPE, (modality, "DCM", words.MODALITIES[modality]))
    language = re.match(r"[a-zA-Z]{2,3}", report.language)
    tag = language[0].lower() if language else "en"
    meaning = words.LANGUAGES.get(tag, tag)
    yield coded(MODIFIES, codes.LANGUAGE, (tag, "RFC5646", meaning))


def _observer(one: Signature, report: SignedReport) -> Iterator[Dataset]:
    """TID 1003."""
    yield coded(CONTEXT, codes.OBSERVER_TYPE, codes.PERSON)
    yield person(CONTEXT, codes.PERSON_NAME, fit.spoken(one.name or one.username) or "?")
    if organization := _organization(report):
        yield text(CONTEXT, ORGANIZATION, organization)
    role = {"radiologist": ("309343006", "SCT", "Physician"), "resident": ("405277009", "SCT", "Resident")}
    if known := role.get(one.role.casefold()):
        yield coded(CONTEXT, ROLE, known)


def _procedure_context(report: SignedReport) -> Iterator[Dataset]:
    """TID 1005."""
    yield uid_ref(CONTEXT, STUDY, report.study.study_instance_uid)
    order = report.order
    said = {
        PLACER: order.placer_order_number if order else "",
        FILLER: order.filler_order_number if order else "",
        ACCESSION: report.study.accession_number,
    }
    for concept, value in said.items():
        if value.strip():
            yield text(CONTEXT, concept, value.strip())


def _section(sections: Sequence[Section], report: SignedReport) -> Dataset | None:
    """A section, with those under it that have no code of their own: their titles begin their texts."""
    section = sections[0]
    heading = words.heading_of(section.name, section.code)
    element = words.element_of(heading)
    inside = [
        one
        for part in sections
        for entry in part.entries
        if entry.text.strip()
        for one in _entry(entry, element, report, part.title.strip() if part.under else "")
    ]
    if not inside:
        return None
    made = container(CONTAINS, words.FINDING, inside)
    title = section.title.strip() or section.name
    made.ConceptNameCodeSequence = [fit.code_item(heading or Code(section.name[:16], codes.OWN, title))]
    return made


def _entry(entry: Entry, element: Concept, report: SignedReport, title: str = "") -> Iterator[Dataset]:
    """TID 2002: a text, inferred from the number and the images that it states (TID 2001)."""
    words_of = ": ".join(filter(None, (title, entry.label.strip(), entry.text)))
    made = text(CONTAINS, element, words_of)
    inside = [*_numbers(entry), *_images(entry, report)]
    if inside:
        made.ContentSequence = inside
    yield made


def _numbers(entry: Entry) -> Iterator[Dataset]:
    unit = ucum(entry.units)
    if entry.number is None or not math.isfinite(entry.number) or not entry.codes or unit is None:
        return
    made = number(codes.CONCEPTS["length"], entry.number, unit)
    made.ConceptNameCodeSequence = [fit.code_item(entry.codes[0])]
    made.RelationshipType = INFERRED
    yield made


def ucum(unit: str) -> Concept | None:
    """A unit of a template, in UCUM already; None for what cannot be one."""
    value = unit.strip() or "1"
    if not re.fullmatch(r"[!-~]{1,16}", value) or "\\" in value:
        return None
    known = next((code for code in codes.UNITS.values() if code[0] == value), None)
    return known or (value, "UCUM", value)


def _images(entry: Entry, report: SignedReport) -> Iterator[Dataset]:
    linked = [one for one in report.pictures if one.position in entry.pictures]
    for picture in linked:
        if len(picture.sources) == 1:
            yield from _sources(picture, report)


def _sources(picture: Picture, report: SignedReport) -> Iterator[Dataset]:
    purpose = words.MEASURED_ON if picture.kind == "measurement" else words.ILLUSTRATION
    for one in picture.sources:
        study = one.study_instance_uid or report.study.study_instance_uid
        made = image(
            INFERRED,
            Reference(study, one.series_instance_uid, one.sop_class_uid, one.sop_instance_uid),
            None,
            purpose,
        )
        if one.frames:
            made.ReferencedSOPSequence[0].ReferencedFrameNumber = list(one.frames)
        yield made


def _others(report: SignedReport) -> Iterator[Dataset]:
    if report.reason:
        yield container(CONTAINS, words.REASON, [text(CONTAINS, words.FINDING, report.reason)])
    if report.pictures:
        yield container(CONTAINS, words.KEY_IMAGES, [_picture(one, report) for one in report.pictures])
    told = [line for line in sheet.sheet_of(report).criticals if line.strip()]
    if told:
        yield container(CONTAINS, words.CRITICAL, [text(CONTAINS, words.FINDING, line) for line in told])
    for added in report.addenda:
        yield _addendum(added, report)


def _picture(picture: Picture, report: SignedReport) -> Dataset:
    """What a picture shows, with its digest, inferred from every image that it was drawn from, and its numbers."""
    said = [
        picture.caption,
        *map(sheet.measured, picture.measurements),
        f"SHA-256 {picture.sha256}, {picture.renderer}",
    ]
    made = text(CONTAINS, words.FINDING, "\n".join(line for line in said if line.strip()))
    inside = [*_sources(picture, report), *(one for mark in picture.measurements for one in _measured(mark))]
    if inside:
        made.ContentSequence = inside
    return made


def _measured(mark: object) -> Iterator[Dataset]:
    """The numbers of a measurement that have a concept of their own."""
    values = mark.get("values") if isinstance(mark, dict) else None
    for name, said in values.items() if isinstance(values, dict) else ():
        concept = codes.CONCEPTS.get(name)
        value = said.get("value") if isinstance(said, dict) else None
        if concept is None or isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            continue
        made = number(concept, float(value), codes.unit_code(str(said.get("unit") or "")))
        made.RelationshipType = INFERRED
        yield made


def _addendum(added: Addendum, report: SignedReport) -> Dataset:
    """A section with an observer of its own (TID 2000 row 9)."""
    signed = sheet.signed_by(added.signature, report)
    inside = [
        *_observer(added.signature, report),
        text(CONTAINS, words.FINDING, added.text if added.text.strip() else "–"),
        text(CONTAINS, codes.COMMENT, signed),
    ]
    return container(CONTAINS, words.ADDENDUM, inside)
