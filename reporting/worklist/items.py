"""Reading items: made of orders and of studies, and tied to one another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from accounts.origin import Request
from reporting.models import Order, ReadingItem, Report, ReportingSite
from reporting.worklist import double_reading, grants, images, matching
from reporting.worklist.events import FARVIEW, announce, changed, in_turn, order_noted, whole
from reporting.worklist.states import resting
from viewer.models import Study

CLOSED_REPORTS = ("cancelled", "entered_in_error")
COPIED = (
    *("procedure_code", "procedure_code_system", "procedure_text", "reading_class", "reason", "laterality"),
    *("referring_physician", "referring_identifier", "referrer", "requested_at"),
)
"""Of an order, for further images under the same accession number."""


def item_for_study(study: Study, actor: User | str = FARVIEW, request: Request | None = None) -> ReadingItem:
    """The reading item of a study. Images that came without an order, or before reporting did, get an order of their own."""
    found = of_study(study)
    return found[0] if found else whole(lambda: taken_in(study, actor, request)[0])


def of_study(study: Study) -> list[ReadingItem]:
    """Its items that stand, the oldest first."""
    rows = ReadingItem.objects.filter(study=study).exclude(status="cancelled")
    return list(rows.select_related("order__patient", "organization", "study__patient").order_by("id"))


def written(item: ReadingItem) -> bool:
    """Whether somebody writes, or has written, a report for it."""
    return Report.objects.filter(item=item).exclude(state__in=CLOSED_REPORTS).exists()


def _read_twice(item: ReadingItem) -> bool:
    """Whether two read it apart: decided before anybody writes, and kept."""
    return item.double_reading or (not written(item) and double_reading.asked_for(item))


# --- from an order


def item_for_order(order: Order, actor: User | str, request: Request | None = None) -> ReadingItem:
    """A new order's item, with its images where they came before it. Within a transaction."""
    for study in matching.studies_for(order):
        made = next((item for item in of_study(study) if item.order.source == "study"), None)
        if made is not None:
            return _adopted(made, order, actor, request)
    item = ReadingItem.objects.create(
        organization=order.organization,
        order=order,
        reading_class=order.reading_class,
        ordered_at=order.requested_at or order.created_at,
    )
    changed(item, "ordered", actor, (), request=request, detail={"source": order.source})
    find_images(item, actor, request)
    return item


def find_images(item: ReadingItem, actor: User | str = FARVIEW, request: Request | None = None) -> bool:
    """Tie an item without images to a study that is here already; whether there was one. Within a transaction."""
    if item.events.filter(kind="moved_away").exists():  # a person took its images away, and a person gives it others
        return False
    for study in matching.studies_for(item.order):
        made = [other for other in of_study(study) if other.order.source == "study"]
        if images.newest_at(study) is None or any(other.claimed_by_id or written(other) for other in made):
            continue
        for other in made:
            give_way(other, item, actor, request)
        tie(item, study, actor, request)
        return True
    return False


def _adopted(made: ReadingItem, order: Order, actor: User | str, request: Request | None) -> ReadingItem:
    """An item made of images alone goes on under the order that came late, also while somebody reads it."""
    own, study = made.order, made.study
    same_class = made.reading_class == own.reading_class
    made.order, made.reading_class = order, order.reading_class if same_class else made.reading_class
    made.ordered_at = order.requested_at or order.created_at
    made.double_reading = _read_twice(made)
    _same_patient(order, study)
    changed(
        made,
        "order_came",
        actor,
        ("order", "reading_class", "ordered_at", "double_reading"),
        request=request,
        detail={"order": order.pk},
    )
    _close(own, actor, request)
    Report.objects.filter(item=made, signed_version=0).update(order=order)
    grants.settle(study)
    return made


def give_way(made: ReadingItem, item: ReadingItem, actor: User | str, request: Request | None) -> None:
    """An item made of images alone ends: another one has them now."""
    made.status, made.study = "cancelled", None
    changed(made, "gave_way", actor, ("status", "study"), request=request, detail={"to_item": item.pk})
    _close(made.order, actor, request)


def _close(order: Order, actor: User | str, request: Request | None) -> None:
    """An order that stood in for a real one."""
    order.status = "cancelled"
    order.save(update_fields=["status", "updated_at"])
    order_noted("replace", order, actor, request=request)


# --- from images


def taken_in(study: Study, actor: User | str = FARVIEW, request: Request | None = None) -> list[ReadingItem]:
    """The items of a study that has none yet: of its orders, or of an order made for it. Within a transaction."""
    in_turn(study.organization)
    found = of_study(study)
    if found:
        return found
    match = matching.orders_for(study)
    free = [order for order in match.agreeing if waits(order)]
    if free:
        for order in free:
            tie(order.item, study, actor, request)
        return [order.item for order in free]
    return [made_for(study, actor, request, match)]


def waits(order: Order) -> bool:
    """Is its item still without images?"""
    return hasattr(order, "item") and order.item.study_id is None and order.item.status == "scheduled"


def made_for(
    study: Study, actor: User | str, request: Request | None = None, match: matching.Match | None = None
) -> ReadingItem:
    """An order and item of a study's own. Where an order of another patient carries its number, a person has to look first.
    Within a transaction."""
    match = match or matching.Match()
    like = match.agreeing[0] if match.agreeing else None
    stated = study.stated_patient
    order = Order.objects.create(
        organization=study.organization,
        patient=study.patient,
        accession_number=study.accession_number,
        patient_name=stated["name"],
        patient_birth_date=stated["birth_date"],
        patient_sex=stated["sex"],
        study_instance_uid=study.study_instance_uid,
        source="study",
        **{
            "procedure_text": study.description,
            "referring_physician": study.referring_physician,
            **images.facts_of(study),
            **({name: getattr(like, name) for name in COPIED if getattr(like, name)} if like else {}),
        },
    )
    order_noted("place", order, actor, request=request)
    item = ReadingItem.objects.create(
        organization=study.organization,
        order=order,
        study=study,
        status="arriving",
        reading_class=order.reading_class,
        last_image_at=images.newest_at(study),
    )
    changed(item, "arrived", actor, (), request=request, detail={"like_order": like.pk} if like else {})
    if match.disputed:
        disputed, reasons = match.disputed[0]
        reason = "wrong_patient" if matching.patients_differ(disputed, study) else "other"
        hold_back(item, reason, f"Not taken for order {disputed}: {'; '.join(reasons)}.", actor, request, disputed)
    become_ready(item, actor, request)
    grants.settle(study)
    return item


def hold_mixed(item: ReadingItem, actor: User | str) -> bool:
    """Hold what has images of two patients, unless a person has looked at that before. Within a transaction."""
    doubt = matching.mixed(item.study) if item.study is not None else ""
    if not doubt or item.status not in ("arriving", "ready", "assigned", "put_aside"):
        return False
    if item.events.filter(kind="held", detail__note=doubt[:1000]).exists():
        return False
    hold_back(item, "wrong_patient", doubt, actor)
    grants.settle(item.study)
    return True


def hold_back(
    item: ReadingItem,
    reason: str,
    note: str,
    actor: User | str,
    request: Request | None = None,
    order: Order | None = None,
) -> None:
    """Nobody reads it until a person has looked at why images, or images and an order, do not agree."""
    item.status, item.held_reason, item.note = "hold", reason, note[:1000]
    detail = {"reason": reason, "note": item.note, **({"order": order.pk} if order else {})}
    changed(item, "held", actor, ("status", "held_reason", "note"), request=request, detail=detail)


def tie(
    item: ReadingItem,
    study: Study,
    actor: User | str,
    request: Request | None = None,
    kind: str = "arrived",
    detail: dict[str, Any] | None = None,
) -> None:
    """These are the images of that order. Within a transaction; who calls has seen to it that the patients agree."""
    item.study, item.last_image_at = study, images.newest_at(study)
    if item.status == "scheduled":
        item.status = "arriving"
    _same_patient(item.order, study)
    _fill(item.order, study)
    fields = ("study", "status", "last_image_at", "held_reason", "note", "ready_at")
    changed(item, kind, actor, fields, request=request, detail=detail)
    become_ready(item, actor, request)
    grants.settle(study)


def _fill(order: Order, study: Study) -> None:
    """What the order leaves open as the images say it; and their own UID where a modality did not take the order's."""
    fields = images.fill(order, study)
    if order.study_instance_uid not in ("", study.study_instance_uid):
        order.study_instance_uid = study.study_instance_uid
        fields.append("study_instance_uid")
    if fields:
        order.save(update_fields=[*fields, "updated_at"])


def _same_patient(order: Order, study: Study | None) -> None:
    """Where one side leaves the issuer of a Patient ID out, order and images get one row of the patient, that of the images."""
    if study is None or order.patient_id == study.patient_id:
        return
    if matching.confirmed(matching.of_order(order), matching.of_study(study)):
        order.patient = study.patient
        order.save(update_fields=["patient", "updated_at"])


def images_came(study: Study, actor: User | str = FARVIEW) -> list[ReadingItem]:
    """Objects of a study have come: its items know when the last image did, and are made when there are none.

    Objects without images make no item. An item that was cancelled stays so. Old images make one only for an order.
    """
    newest = images.newest_at(study)
    if newest is None:
        return []

    def write() -> list[ReadingItem]:
        found = of_study(study)
        if not found and not ReadingItem.objects.filter(study=study).exists():
            return taken_in(study, actor) if _is_work(study) else []
        for item in found:
            item.study = study
            if item.last_image_at is None or newest > item.last_image_at:
                _later(item, newest, actor)
            hold_mixed(item, actor)
        return found

    return whole(write)


def _later(item: ReadingItem, newest: datetime, actor: User | str) -> None:
    """More images. While a study arrives that is no event; afterwards it is, once for each time that some come."""
    before, item.last_image_at = item.last_image_at, newest
    again = before is None or newest - before > timedelta(seconds=settings.FARVIEW_ARRIVAL_QUIET_SECONDS)
    if item.status != "arriving" and again:
        changed(item, "images_came", actor, ("last_image_at",))
    else:
        item.save(update_fields=["last_image_at"])
        announce(item)


def _is_work(study: Study) -> bool:
    """Whether images that nobody ordered are to be read: those of a time long ago come to be compared with."""
    days = settings.FARVIEW_WORKLIST_DAYS
    if not days or not study.date:
        return True
    match = matching.orders_for(study)
    return study.date >= f"{timezone.now() - timedelta(days=days):%Y%m%d}" or bool(match.agreeing or match.disputed)


# --- ready to be read


def become_ready(item: ReadingItem, actor: User | str = FARVIEW, request: Request | None = None) -> bool:
    """An arriving item whose last image is long enough ago can be read, where no technologist has to say so. Whether it is so
    now. Within a transaction."""
    if item.status != "arriving" or (item.last_image_at is not None and item.last_image_at > quiet_since()):
        return False
    if wants_quality_control(item.organization_id) or hold_mixed(item, actor):
        return False
    make_ready(item, actor, request)
    return True


def make_ready(
    item: ReadingItem,
    actor: User | str,
    request: Request | None = None,
    fields: Sequence[str] = (),
    detail: dict[str, Any] | None = None,
) -> None:
    """Offer it to readers. The clock keeps the first time. Within a transaction."""
    item.status = resting(has_images=item.study_id is not None, assigned=item.assigned_to_id is not None)
    item.double_reading = _read_twice(item)
    if item.status != "scheduled":
        item.ready_at = item.ready_at or timezone.now()
    fields = ("status", "ready_at", "double_reading", *fields)
    changed(item, "ready", actor, fields, request=request, detail=detail)


def settle_arrivals() -> int:
    """Make ready what has arrived; how many were."""
    waiting = ReadingItem.objects.filter(status="arriving", last_image_at__lte=quiet_since(), study__isnull=False)
    controlled = ReportingSite.objects.filter(quality_control=True).values("organization")
    due = list(waiting.exclude(organization__in=controlled).order_by("id").values_list("pk", flat=True)[:AT_ONCE])
    return sum(whole(lambda pk=pk: _settled(pk)) for pk in due)  # type: ignore[misc]


def _settled(item_id: int) -> bool:
    rows = ReadingItem.objects.select_for_update(of=("self",)).select_related("order__patient", "organization", "study")
    return become_ready(rows.get(pk=item_id))


AT_ONCE = 200


def quiet_since() -> datetime:
    return timezone.now() - timedelta(seconds=settings.FARVIEW_ARRIVAL_QUIET_SECONDS)


def wants_quality_control(organization_id: int) -> bool:
    return ReportingSite.objects.filter(organization_id=organization_id, quality_control=True).exists()
