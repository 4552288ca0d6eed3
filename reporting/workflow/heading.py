"""What stands on a report beside its text: the organization's head and foot, the examination and the order.

A signature states what people read of it, under its MAC: a report that is printed again in ten years is the one that was
signed, whatever the organization is called by then. What programs find each other by (UIDs, order numbers, addresses) is as
it stands today. Signatures that do not state it yet have today's rows.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from django.conf import settings

from reporting.exports.document import OrderFacts, Site, StudyFacts
from reporting.models import Report, ReportingSite, ReportVersion
from reporting.worklist import images
from viewer.models import Study

SITE = ("title", "letterhead", "address", "footer", "language", "time_zone")
STUDY = ("study_id", "date", "time", "timezone_offset", "description", "institution", "referring_physician")
ORDER = ("procedure_code", "procedure_code_system", "procedure_text", "reason", "requested_at")


def heading_of(report: Report) -> dict[str, Any]:
    """What a signature states of it: {"site", "examination", "order"}, the last null where nobody ordered it."""
    order = _order_now(report)
    return {
        "site": _part(_site_now(report), SITE),
        "examination": _part(_study_now(report), STUDY),
        "order": _part(order, ORDER) if order is not None else None,
    }


def site_of(report: Report, text: ReportVersion) -> Site:
    """The organization that answers for a text."""
    return replace(_site_now(report), **_stated(text, "site", SITE))


def study_of(report: Report, text: ReportVersion) -> StudyFacts:
    """The examination that a text is about."""
    accession_number = str(text.context.get("accession_number") or report.study.accession_number)
    read = {"accession_number": accession_number, "modalities": _modalities(report.study, text)}
    return replace(_study_now(report), **read, **_stated(text, "examination", STUDY))


def order_of(report: Report, text: ReportVersion) -> OrderFacts | None:
    """The order of a text; None: nobody ordered it. Of one that came after the signature only its numbers are known."""
    now = _order_now(report)
    if "heading" not in text.context:
        return now
    said = _stated(text, "order", ORDER)
    if now is None and not said:
        return None
    at = said.pop("requested_at", None)
    numbers = replace(now or OrderFacts(), **_part(OrderFacts(), ORDER))
    return replace(numbers, **said, requested_at=datetime.fromisoformat(at) if at else None)


def _stated(text: ReportVersion, part: str, names: tuple[str, ...]) -> dict[str, Any]:
    said = (text.context.get("heading") or {}).get(part) or {}
    return {name: said[name] for name in names if name in said}


def _part(facts: Any, names: tuple[str, ...]) -> dict[str, Any]:
    said = asdict(facts)
    return {name: said[name].isoformat() if isinstance(said[name], datetime) else said[name] for name in names}


def _site_now(report: Report) -> Site:
    organization = report.organization
    row = ReportingSite.objects.filter(organization=organization).first() or ReportingSite()
    return Site(
        name=organization.name,
        title=organization.title or organization.name,
        letterhead=row.letterhead,
        address=row.address,
        footer=row.footer,
        language=row.language,
        time_zone=organization.time_zone or "UTC",
        appended_as_correction=row.appended_as_correction,
        dicom_web=f"{settings.FARVIEW_PUBLIC_URL}/dicom-web",
    )


def _study_now(report: Report) -> StudyFacts:
    study, order = report.study, report.order
    return StudyFacts(
        study_instance_uid=study.study_instance_uid,
        accession_number=study.accession_number,
        study_id=study.study_id,
        date=study.date,
        time=study.time,
        timezone_offset=study.timezone_offset,
        description=study.description,
        modalities=(),
        institution=study.institution,
        referring_physician=(order.referring_physician if order else "") or study.referring_physician,
    )


def _modalities(study: Study, text: ReportVersion) -> tuple[str, ...]:
    """Of the images that were read: as the signature states them, for a draft as they are."""
    if not text.meaning:
        return tuple(images.modalities_of(study))
    stated = text.context.get("modalities")
    return tuple(stated if isinstance(stated, list) else images.modalities_of(study, text.at))


def _order_now(report: Report) -> OrderFacts | None:
    order = report.order
    if order is None or order.source == "study":
        return None
    return OrderFacts(
        placer_order_number=order.placer_order_number,
        filler_order_number=order.filler_order_number,
        procedure_code=order.procedure_code,
        procedure_code_system=order.procedure_code_system,
        procedure_text=order.procedure_text,
        reason=order.reason,
        requested_at=order.requested_at,
        referring_identifier=order.referring_identifier,
    )
