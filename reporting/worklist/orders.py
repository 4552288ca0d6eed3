"""Orders: placed, changed and cancelled, by people and by messages, each as often as it likes to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts.models import Organization, User
from accounts.origin import Request
from accounts.states import digest_of_row
from reporting.models import Order
from reporting.worklist import grants, items
from reporting.worklist.classes import CLASSES
from reporting.worklist.events import changed, in_turn, order_noted, whole
from reporting.worklist.refusals import BadOrder, WrongPatient
from viewer.dicom.text import fold
from viewer.models import Patient

LATERALITIES = ("", "L", "R", "B")


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """The patient as an order states them. Name in the form family^given^..., birth date YYYYMMDD."""

    patient_id: str
    issuer_of_patient_id: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str = ""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order as it came. Empty: not said."""

    organization: Organization
    patient: PatientFacts
    accession_number: str = ""
    placer_order_number: str = ""
    filler_order_number: str = ""
    procedure_code: str = ""
    procedure_code_system: str = ""
    procedure_text: str = ""
    modality: str = ""
    body_part: str = ""
    laterality: str = ""
    reading_class: str = ""
    reason: str = ""
    referring_physician: str = ""
    referring_identifier: str = ""
    study_instance_uid: str = ""
    requested_at: datetime | None = None
    scheduled_at: datetime | None = None
    exam_ended_at: datetime | None = None


COLUMNS = tuple(
    field.name for field in fields(OrderFacts) if field.name not in ("organization", "patient", "exam_ended_at")
)
"""Of OrderFacts, those that are columns of an order."""
NUMBERS = ("filler_order_number", "placer_order_number", "accession_number")


def place(facts: OrderFacts, source: str, actor: User | str, request: Request | None = None) -> Order:
    """The order of these facts: a new one with its reading item, or the one that is known by its numbers, brought up to date.

    Raises BadOrder, and WrongPatient where a known order number comes with another patient.
    """
    check(facts)

    def write() -> Order:
        in_turn(facts.organization)
        known = find(facts)
        if known is not None:
            return _changed(known, _said(facts), actor, request, facts.exam_ended_at)
        return _new(facts, source, actor, request)

    return whole(write)


def change(order: Order, facts: OrderFacts, actor: User | str, request: Request | None = None) -> Order:
    """Bring an order up to date with what `facts` say; what they leave empty stays. Raises BadOrder, WrongPatient."""
    check(facts)
    if _differs(order, facts.patient):
        raise WrongPatient(f"Order {order} is that of another patient.")
    return whole(lambda: _changed(order, _said(facts), actor, request, facts.exam_ended_at))


def correct(order: Order, columns: Mapping[str, Any], actor: User | str, request: Request | None = None) -> Order:
    """Set columns of an order (of COLUMNS), also to nothing. Raises BadOrder."""
    check_columns(columns)
    return whole(lambda: _changed(order, dict(columns), actor, request, None))


def cancel(
    order: Order, actor: User | str, reason: str = "", request: Request | None = None, *, discontinued: bool = False
) -> Order:
    """The examination is not wanted any more. An item that nobody reads ends with it; what is being read or signed stays."""

    def write() -> Order:
        held = Order.objects.select_for_update(of=("self",)).select_related("organization", "patient").get(pk=order.pk)
        if held.status != "ordered":
            return held
        state = digest_of_row(held)
        held.status = "discontinued" if discontinued else "cancelled"
        held.save(update_fields=["status", "updated_at"])
        order_noted("cancel", held, actor, before=state, request=request, detail={"reason": reason})
        _end_item(held, actor, reason, request)
        return held

    return whole(write)


def _end_item(order: Order, actor: User | str, reason: str, request: Request | None) -> None:
    item = getattr(order, "item", None)
    if item is None:
        return
    before = item.status
    if before in ENDED_WITH_ORDER and not items.written(item):
        item.status = "cancelled"
    changed(item, "order_cancelled", actor, ("status",), request=request, detail={"before": before, "reason": reason})
    grants.settle(item.study)


ENDED_WITH_ORDER = ("scheduled", "arriving", "hold", "ready", "assigned", "put_aside")


def find(facts: OrderFacts) -> Order | None:
    """The order that these facts are of, by filler, placer or accession number in this order. Raises WrongPatient where a
    filler or placer number is known for another patient."""
    known = Order.objects.filter(organization=facts.organization).exclude(source="study").select_related("patient")
    for name in NUMBERS:
        number = getattr(facts, name)
        found = known.filter(_not_otherwise(facts, name), **{name: number}).order_by("-id").first() if number else None
        if found is None:
            continue
        if not _differs(found, facts.patient):
            return found
        if name != "accession_number":
            raise WrongPatient(f"The order number {number} is that of another patient.")
    return None


def _not_otherwise(facts: OrderFacts, name: str) -> Q:
    """Of what is known by a weaker number: not what bears another stronger one. Orders may share an accession number."""
    wanted = Q()
    for stronger in NUMBERS[: NUMBERS.index(name)]:
        if getattr(facts, stronger):
            wanted &= Q(**{stronger: ""}) | Q(**{stronger: getattr(facts, stronger)})
    return wanted


def _differs(order: Order, patient: PatientFacts) -> bool:
    """Whether an order names another patient than these facts, by Patient ID and its issuer."""
    ours = order.patient
    issuers = {ours.issuer_of_patient_id, patient.issuer_of_patient_id} - {""}
    return ours.patient_id != patient.patient_id or len(issuers) > 1


def _said(facts: OrderFacts) -> dict[str, Any]:
    said = {name: getattr(facts, name) for name in COLUMNS if getattr(facts, name)}
    stated = {"patient_name": "name", "patient_birth_date": "birth_date", "patient_sex": "sex"}
    return {**said, **{ours: value for ours, theirs in stated.items() if (value := getattr(facts.patient, theirs))}}


def _new(facts: OrderFacts, source: str, actor: User | str, request: Request | None) -> Order:
    order = Order.objects.create(
        organization=facts.organization,
        patient=patient_row(facts.organization, facts.patient),
        referrer=grants.referrer_of(facts.organization, facts.referring_identifier),
        source=source,
        created_by=actor if isinstance(actor, User) else None,
        **_said(facts),
    )
    order_noted("place", order, actor, request=request)
    item = items.item_for_order(order, actor, request)
    if facts.exam_ended_at:
        item.exam_ended_at = facts.exam_ended_at
        item.save(update_fields=["exam_ended_at"])
    return order


def patient_row(organization: Organization, facts: PatientFacts) -> Patient:
    """The patient of an order; a new row where no images have told of them. An ID without its issuer is that of the one patient
    who bears it."""
    known = Patient.objects.filter(organization=organization, patient_id=facts.patient_id, only_study_uid="")
    if not facts.issuer_of_patient_id:
        found = list(known[:2])
        if len(found) == 1:
            return found[0]
    made, _ = Patient.objects.get_or_create(
        organization=organization,
        issuer_of_patient_id=facts.issuer_of_patient_id,
        patient_id=facts.patient_id,
        only_study_uid="",
        defaults={
            "name": facts.name,
            "name_folded": fold(facts.name),
            "birth_date": facts.birth_date,
            "sex": facts.sex,
        },
    )
    return made


def _changed(
    order: Order, columns: dict[str, Any], actor: User | str, request: Request | None, exam_ended_at: datetime | None
) -> Order:
    """Within a transaction. The item's class follows the order's unless a person gave it another."""
    rows = Order.objects.select_for_update(of=("self",)).select_related("organization", "patient")
    order = rows.get(pk=order.pk)
    before = {name: getattr(order, name) for name in columns}
    new = {name: value for name, value in columns.items() if value != before[name]}
    item = getattr(order, "item", None)
    if item is not None and exam_ended_at and item.exam_ended_at != exam_ended_at:
        item.exam_ended_at = exam_ended_at
        changed(item, "exam_ended", actor, ("exam_ended_at",), request=request)
    if not new:
        return order
    state = digest_of_row(order)
    for name, value in new.items():
        setattr(order, name, value)
    if "referring_identifier" in new:
        order.referrer = grants.referrer_of(order.organization, order.referring_identifier)
    order.save()
    told = {name: [_plain(before[name]), _plain(value)] for name, value in new.items() if name in TOLD}
    order_noted("change", order, actor, before=state, request=request, detail={"changed": sorted(new), **told})
    if item is not None:
        _follow(item, before, new, told, actor, request)
    return order


def _follow(item: Any, before: dict[str, Any], new: dict[str, Any], told: Any, actor: Any, request: Any) -> None:
    """The item after its order was changed."""
    touched = []
    if "reading_class" in new and item.reading_class == before["reading_class"]:
        item.reading_class = new["reading_class"]
        touched.append("reading_class")
    if new.get("requested_at"):
        item.ordered_at = new["requested_at"]
        touched.append("ordered_at")
    changed(item, "order_changed", actor, touched, request=request, detail={"changed": sorted(new), **told})
    if item.study_id is None and item.status == "scheduled":
        items.find_images(item, actor, request)
    grants.settle(item.study)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


TOLD = (
    *("accession_number", "placer_order_number", "filler_order_number", "procedure_code", "laterality"),
    *("modality", "body_part", "reading_class", "study_instance_uid", "referring_identifier"),
)
"""Columns whose old and new value the events say; what people write about patients is not repeated there."""


def check(facts: OrderFacts) -> None:
    """Raises BadOrder for what no order can hold."""
    if not facts.patient.patient_id:
        raise BadOrder("patient_id", "an order names its patient by a Patient ID")
    if not any(getattr(facts, name) for name in (*NUMBERS, "study_instance_uid")):
        raise BadOrder("accession_number", "an order has a number, or names its study")
    for name, most in (("patient_id", 64), ("issuer_of_patient_id", 64), ("name", 400), ("sex", 16)):
        if len(getattr(facts.patient, name)) > most:
            raise BadOrder(name, f"more than {most} characters")
    birth_date = facts.patient.birth_date
    if birth_date and not (len(birth_date) == 8 and birth_date.isascii() and birth_date.isdigit()):
        raise BadOrder("birth_date", "a date as YYYYMMDD is expected")
    check_columns(_said(facts))


def check_columns(columns: Mapping[str, Any]) -> None:
    """Raises BadOrder for values that do not fit, and for what is no column."""
    for name, value in columns.items():
        if name not in SETTABLE:
            raise BadOrder(name, "an order has no such field")
        most = Order._meta.get_field(name).max_length
        if isinstance(value, str) and most and len(value) > most:
            raise BadOrder(name, f"more than {most} characters")
    if columns.get("laterality", "") not in LATERALITIES:
        raise BadOrder("laterality", "L, R, B (both) or nothing")
    if "reading_class" in columns and columns["reading_class"] not in CLASSES:
        raise BadOrder("reading_class", f"one of {', '.join(CLASSES)}")


SETTABLE = (*COLUMNS, "patient_name", "patient_birth_date", "patient_sex")
