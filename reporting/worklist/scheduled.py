"""Orders that wait for their images, as the modality worklist tells them; and what modalities say they have done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone as clock

from reporting.models import Order, ReadingItem
from reporting.worklist.events import changed, order_noted, whole
from viewer.models import DicomPeer, PerformedStep
from viewer.objects.header import new_uid
from viewer.scheduling import ScheduledStep

EVENTS = {"IN PROGRESS": "exam_begun", "COMPLETED": "exam_ended", "DISCONTINUED": "exam_discontinued"}
"""By the status of a performed step."""
STEP = "00400270"
"""Scheduled Step Attributes Sequence; in the DICOM JSON model attributes go by their tags."""


def scheduled(peer: DicomPeer) -> Iterator[ScheduledStep]:
    """Examinations of the peer's organization that were ordered and not yet made, the earliest first."""
    rows = ReadingItem.objects.filter(
        organization=peer.organization, status="scheduled", order__status="ordered", exam_ended_at=None
    ).exclude(order__source="study")
    keys = list(rows.order_by("order__scheduled_at", "ordered_at", "pk").values_list("order", flat=True))
    for start in range(0, len(keys), AT_ONCE):
        found = Order.objects.select_related("patient", "organization").in_bulk(keys[start : start + AT_ONCE])
        for key in keys[start : start + AT_ONCE]:
            if key in found:
                yield _step(found[key] if found[key].study_instance_uid else _named(found[key], peer))


AT_ONCE = 200


def _named(order: Order, peer: DicomPeer) -> Order:
    """The order with a UID for the study that is to come: modalities write it into the images, which are known by it."""

    def write() -> Order:
        held: Order = (
            Order.objects.select_for_update(of=("self",)).select_related("patient", "organization").get(pk=order.pk)
        )
        if not held.study_instance_uid:
            held.study_instance_uid = str(new_uid())
            held.save(update_fields=["study_instance_uid", "updated_at"])
            order_noted("change", held, f"dicom:{peer.ae_title}", detail={"changed": ["study_instance_uid"]})
        return held

    return whole(write)


def _step(order: Order) -> ScheduledStep:
    patient = order.patient
    text = order.procedure_text or order.procedure_code
    code = (order.procedure_code, order.procedure_code_system or "L", text)
    return ScheduledStep(
        identifier=str(order.pk),
        accession_number=order.accession_number,
        study_instance_uid=order.study_instance_uid,
        patient_id=patient.patient_id,
        issuer_of_patient_id=patient.issuer_of_patient_id,
        patient_name=order.patient_name or patient.name,
        patient_birth_date=order.patient_birth_date or patient.birth_date,
        patient_sex=order.patient_sex or patient.sex,
        modality=order.modality,
        description=text,
        procedure_code=code if order.procedure_code else None,
        starts_at=order.scheduled_at or order.requested_at or order.created_at,
        referring_physician=order.referring_physician,
        reason=order.reason,
        placer_order_number=order.placer_order_number,
        filler_order_number=order.filler_order_number,
    )


# --- what was done


def performed(step: PerformedStep) -> None:
    """Tell the reading items of the orders that a step was for. Within the transaction that keeps the step."""
    kind = EVENTS.get(step.status)
    for order in orders_of(step) if kind else []:
        item = ReadingItem.objects.select_for_update(of=("self",)).select_related(*BESIDE).filter(order=order).first()
        if item is None or item.status == "cancelled" or _known(item, step, kind or ""):
            continue
        fields = []
        if kind != "exam_begun":
            item.exam_ended_at = ended_at(step)
            fields.append("exam_ended_at")
        by = f"dicom:{step.peer.ae_title}" if step.peer else "dicom"
        changed(item, kind or "", by, fields, detail={"performed_step": step.sop_instance_uid})


BESIDE = ("organization", "order__patient", "study")


def _known(item: ReadingItem, step: PerformedStep, kind: str) -> bool:
    """A step that goes on may be told of often; its state is an event once."""
    return bool(item.events.filter(kind=kind, detail__performed_step=step.sop_instance_uid).exists())


def orders_of(step: PerformedStep) -> list[Order]:
    """The orders that a step names by Study Instance UID or accession number, of the patient whom it names."""
    named = Q(pk__in=[])
    for item in step.attributes.get(STEP, {}).get("Value", []):
        study, accession = _first(item, "0020000D"), _first(item, "00080050")
        if study:
            named |= Q(study_instance_uid=study)
        elif accession:
            named |= Q(accession_number=accession)
    rows = Order.objects.filter(named, organization=step.organization, status="ordered").exclude(source="study")
    patient = _first(step.attributes, "00100020")
    return [order for order in rows.select_related("patient").order_by("id") if order.patient.patient_id == patient]


def ended_at(step: PerformedStep) -> datetime:
    """When it ended, by its own words, in its own zone or that of the organization; else now."""
    date, time = _first(step.attributes, "00400250"), _first(step.attributes, "00400251")
    digits = date + time.partition(".")[0].ljust(6, "0")[:6]
    now: datetime = clock.now()
    try:
        said = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=_zone(step)).astimezone(UTC)
    except ValueError:
        return now
    return min(said, now)


def _zone(step: PerformedStep) -> tzinfo:
    offset = _first(step.attributes, "00080201")
    if len(offset) == 5 and offset[0] in "+-" and offset[1:].isdigit():
        minutes = int(offset[1:3]) * 60 + int(offset[3:])
        return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
    return ZoneInfo(step.organization.time_zone)


def _first(attributes: dict[str, Any], tag: str) -> str:
    values = attributes.get(tag, {}).get("Value") or [""]
    return str(values[0])
