"""Reading items and orders as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import Role, User
from reporting.models import CriticalResult, Order, ReadingItem, Report
from reporting.workflow.states import APART
from reporting.worklist import double_reading
from reporting.worklist.claiming import EXPIRY, holder, shown_status
from reporting.worklist.events import shown
from reporting.worklist.listing import Place
from reporting.worklist.states import STEPS
from viewer.models import Study

CLOCKS = (
    *("ordered_at", "exam_ended_at", "last_image_at", "ready_at", "claimed_at"),
    *("preliminary_at", "final_at", "delivered_at", "critical_acknowledged_at"),
)


def items_told(rows: Iterable[tuple[ReadingItem, Place]], user: User, now: datetime) -> list[dict[str, Any]]:
    """Items as lists show them. A few queries in all, however many items."""
    rows = list(rows)
    ids = [item.pk for item, _ in rows]
    reports = newest_reports(ids)
    critical = set(
        CriticalResult.objects.filter(report__item__in=ids, closed_at=None).values_list("report__item", flat=True)
    )
    roles = user.roles()
    twice = double_reading.ended_by(user, (item.pk for item, _ in rows if double_reading.is_open(item)))
    return [
        _told(
            item,
            place,
            user,
            now,
            reports.get(item.pk),
            item.pk in critical,
            roles.get(item.organization_id, set()),
            item.pk in twice,
        )
        for item, place in rows
    ]


def newest_reports(ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """(id, state) of the newest report of each item; one of two reads apart is none."""
    rows = (
        Report.objects.filter(item__in=list(ids))
        .exclude(state__in=APART)
        .order_by("id")
        .values_list("item", "id", "state")
    )
    return {item: (report, state) for item, report, state in rows}


def _told(
    item: ReadingItem,
    place: Place,
    user: User,
    now: datetime,
    report: tuple[int, str] | None,
    critical: bool,
    roles: set[str],
    ended: bool,
) -> dict[str, Any]:
    return {
        "id": item.pk,
        "version": item.version,
        "organization": item.organization.name,
        "status": shown_status(item, now),
        "reading_class": item.reading_class,
        "score": place.score.points,
        "why": [{"words": part.words, "points": part.points} for part in place.score.why],
        "target_minutes": place.target_minutes or None,
        "due_at": _due(place),
        "clocks": {name: _time(getattr(item, name)) for name in CLOCKS},
        "patient": _patient(item),
        "study": study_told(item.study),
        "order": order_told(item.order),
        "accession_number": item.order.accession_number or (item.study.accession_number if item.study else ""),
        "assigned_to": _person(item.assigned_to, user),
        "claimed_by": _claim(item, user, now),
        "held_reason": item.held_reason,
        "note": item.note,
        "report": {"id": report[0], "state": report[1]} if report else None,
        "critical": critical,
        "double_reading": {"complete": item.blind_reads} if item.double_reading else None,
        "may": acts(item, user, roles, now, ended),
    }


def acts(item: ReadingItem, user: User, roles: set[str], now: datetime, ended: bool) -> list[str]:
    """What this person can do with the item now. `ended`: they have read it apart, and another reads it next."""
    reader, status = holder(item, now), shown_status(item, now)
    mine = reader is not None and reader.pk == user.pk
    theirs = reader is not None and not mine
    asks_why = theirs or (item.assigned_to_id not in (None, user.pk) and status == "assigned")
    elsewhere = double_reading.is_open(item) and (ended or Role.RADIOLOGIST not in roles)
    possible = {
        "claim": not asks_why and not elsewhere,
        "take": asks_why and not elsewhere,
        "heartbeat": mine,
        "release": mine,
        "put-aside": mine,
        "free": reader is not None,
        "hold": not theirs,
        "correct": not theirs,
        "cancel": not mine,
    }
    return [
        action
        for action, step in STEPS.items()
        if status in step.before and roles & set(step.roles) and possible.get(action, True)
    ]


def _due(place: Place) -> str | None:
    return None if place.since is None else _time(place.since + timedelta(minutes=place.target_minutes))


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _patient(item: ReadingItem) -> dict[str, str]:
    """As the order states them; what it leaves out as the images do."""
    order, study = item.order, item.study
    stated: Mapping[str, str] = study.stated_patient if study else {}
    patient = order.patient
    return {
        "name": order.patient_name or stated.get("name", "") or patient.name,
        "id": patient.patient_id,
        "birth_date": order.patient_birth_date or stated.get("birth_date", "") or patient.birth_date,
        "sex": order.patient_sex or stated.get("sex", "") or patient.sex,
    }


def study_told(study: Study | None) -> dict[str, Any] | None:
    if study is None:
        return None
    return {
        "study_instance_uid": study.study_instance_uid,
        "date": study.date,
        "description": study.description,
        "modalities": [code for code in study.modalities.split("\\") if code],
        "number_of_series": study.number_of_series,
        "number_of_instances": study.number_of_instances,
    }


def order_told(order: Order) -> dict[str, Any]:
    return {
        "id": order.pk,
        **{name: getattr(order, name) for name in ORDER_COLUMNS},
        "requested_at": _time(order.requested_at),
        "scheduled_at": _time(order.scheduled_at),
    }


ORDER_COLUMNS = (
    *("accession_number", "placer_order_number", "filler_order_number"),
    *("procedure_code", "procedure_code_system", "procedure_text", "modality", "body_part", "laterality"),
    *("reading_class", "reason", "referring_physician", "referring_identifier", "study_instance_uid"),
    *("status", "source"),
)


def whole_order(order: Order) -> dict[str, Any]:
    """An order by itself, with its patient and where its item stands."""
    item: ReadingItem | None = getattr(order, "item", None)
    patient = order.patient
    return {
        **order_told(order),
        "organization": order.organization.name,
        "patient": {
            "patient_id": patient.patient_id,
            "issuer_of_patient_id": patient.issuer_of_patient_id,
            "name": order.patient_name or patient.name,
            "birth_date": order.patient_birth_date or patient.birth_date,
            "sex": order.patient_sex or patient.sex,
        },
        "item": {"id": item.pk, "status": shown_status(item)} if item else None,
        "study": study_told(item.study) if item else None,
    }


def _person(person: User | None, user: User) -> dict[str, Any] | None:
    return None if person is None else {"name": shown(person), "mine": person.pk == user.pk}


def _claim(item: ReadingItem, user: User, now: datetime) -> dict[str, Any] | None:
    reader = holder(item, now)
    if reader is None or item.claim_seen_at is None:
        return None
    return {**(_person(reader, user) or {}), "until": (item.claim_seen_at + EXPIRY).isoformat()}


def address_of(item: ReadingItem) -> str | None:
    """Where it is read: the viewer page with the report beside the images."""
    if item.study is None:
        return None
    said = urlencode({"organization": item.organization.name, "report": 1})
    return f"{reverse('study', args=[item.study.study_instance_uid])}?{said}"
