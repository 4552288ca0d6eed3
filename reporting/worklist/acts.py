"""What people do to reading items beside reading them: quality control, assignment, class, corrections, re-linking."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from accounts.models import REPORTING_ROLES, User
from accounts.origin import Request
from reporting.models import Order, ReadingItem
from reporting.worklist import clocks, grants, images, items, matching, orders
from reporting.worklist.claiming import CLAIM, held_by, holder, let_go
from reporting.worklist.classes import CLASSES
from reporting.worklist.events import changed, locked, whole
from reporting.worklist.refusals import BadOrder, Refused, WrongPatient
from reporting.worklist.states import HOLD_REASONS, may_follow, resting
from viewer.archive.query import NotFound
from viewer.models import Study

CORRECTABLE = (
    *("laterality", "procedure_code", "procedure_code_system", "procedure_text"),
    *("modality", "body_part", "reading_class", "reason"),
)
NOTE = 1000


def _done(item_id: int, action: str, version: int | None, act: Callable[[ReadingItem], None]) -> ReadingItem:
    """Lock the item, see whether the table lets `action` follow, and act. Raises NotFound, Refused, Overtaken."""

    def write() -> ReadingItem:
        item = locked(item_id, version)
        if not may_follow(action, item.status):
            raise Refused(f"This is {item.get_status_display().lower()}: {action.replace('-', ' ')} cannot follow.")
        act(item)
        return item

    return whole(write)


def hold(
    item_id: int, actor: User, reason: str, note: str = "", version: int | None = None, request: Request | None = None
) -> ReadingItem:
    """Keep it from being read. Whoever reads it may hold it, nobody else may while they do."""
    if reason not in HOLD_REASONS:
        raise BadOrder("reason", f"one of {', '.join(HOLD_REASONS)}")
    if reason == "other" and not note.strip():
        raise BadOrder("note", "say what is wrong")

    def act(item: ReadingItem) -> None:
        reader = holder(item)
        if reader is not None and reader.pk != actor.pk:
            raise held_by(item)
        let_go(item)
        item.status, item.held_reason, item.note = "hold", reason, note.strip()[:NOTE]
        fields = (*CLAIM, "status", "held_reason", "note")
        changed(item, "held", actor, fields, request=request, detail={"reason": reason, "note": item.note})
        grants.settle(item.study)

    return _done(item_id, "hold", version, act)


def ready(
    item_id: int, actor: User, note: str = "", version: int | None = None, request: Request | None = None
) -> ReadingItem:
    """A person says that it can be read: the study is whole, and what it was held for is settled."""

    def act(item: ReadingItem) -> None:
        if item.study_id is None or images.newest_at(item.study) is None:  # type: ignore[arg-type]
            raise Refused("There are no images yet.")
        if item.held_reason == "wrong_patient" and not note.strip():
            raise BadOrder("note", "say how you know whose images these are")
        detail = {"held_for": item.held_reason, "note": note.strip()[:NOTE]}
        item.held_reason, item.note = "", note.strip()[:NOTE]
        status = clocks.reported(item)
        if status:  # a report was signed already: nobody reads it anew
            item.status = status
            changed(item, "ready", actor, ("status", "held_reason", "note"), request=request, detail=detail)
        else:
            items.make_ready(item, actor, request, ("held_reason", "note"), detail)
        grants.settle(item.study)

    return _done(item_id, "ready", version, act)


def assign(
    item_id: int, actor: User, to: User | None, version: int | None = None, request: Request | None = None
) -> ReadingItem:
    """Give it to one reader, or to nobody in particular."""

    def act(item: ReadingItem) -> None:
        if to is not None and not to.organizations_as(REPORTING_ROLES).filter(pk=item.organization_id).exists():
            raise BadOrder("to", "nobody of this name reports here")
        before = item.assigned_to
        item.assigned_to = to
        if item.status in ("ready", "assigned", "put_aside"):
            item.status = resting(has_images=True, assigned=to is not None)
        detail = {"from": before.get_username() if before else "", "to": to.get_username() if to else ""}
        kind = "assigned" if to is not None else "unassigned"
        changed(item, kind, actor, ("assigned_to", "status"), request=request, detail=detail)

    return _done(item_id, "assign", version, act)


def set_class(
    item_id: int, actor: User, reading_class: str, version: int | None = None, request: Request | None = None
) -> ReadingItem:
    """How soon it is to be read, as a person says."""
    if reading_class not in CLASSES:
        raise BadOrder("reading_class", f"one of {', '.join(CLASSES)}")

    def act(item: ReadingItem) -> None:
        before, item.reading_class = item.reading_class, reading_class
        if before != reading_class:
            detail = {"from": before, "to": reading_class}
            changed(item, "class_changed", actor, ("reading_class",), request=request, detail=detail)

    return _done(item_id, "class", version, act)


def correct(
    item_id: int,
    actor: User,
    columns: Mapping[str, Any],
    version: int | None = None,
    request: Request | None = None,
) -> ReadingItem:
    """Put right what the order says of the examination: side, procedure, class and their like."""
    for name in columns:
        if name not in CORRECTABLE:
            raise BadOrder(name, f"only {', '.join(CORRECTABLE)} are corrected here")

    def act(item: ReadingItem) -> None:
        if not _free_for(item, actor):
            raise held_by(item)
        orders.correct(item.order, columns, actor, request)
        item.refresh_from_db()

    return _done(item_id, "correct", version, act)


def cancel(
    item_id: int, actor: User, reason: str, version: int | None = None, request: Request | None = None
) -> ReadingItem:
    """It is not to be read."""
    if not reason.strip():
        raise BadOrder("reason", "say why")

    def act(item: ReadingItem) -> None:
        if items.written(item):
            raise Refused("A report has been begun: cancel that first.")
        before, item.status = item.status, "cancelled"
        detail = {"before": before, "reason": reason.strip()[:NOTE]}
        changed(item, "cancelled", actor, ("status",), request=request, detail=detail, purpose=reason[:64])
        grants.settle(item.study)

    return _done(item_id, "cancel", version, act)


def link(
    item_id: int,
    actor: User,
    *,
    study: Study | None = None,
    order: Order | None = None,
    reason: str = "",
    version: int | None = None,
    request: Request | None = None,
) -> ReadingItem:
    """Tie an item to another study, or its images to another order, which may be another patient's.

    Where the patients disagree a reason is asked for; it is written down with both Patient IDs, and while the images bear
    another Patient ID than the order the item is held. Images that an item loses get an item of their own. Returns the item
    that has the study now. Raises NotFound, WrongPatient, Refused, Overtaken.
    """
    moved: list[ReadingItem] = []

    def act(item: ReadingItem) -> None:
        if order is not None:
            if item.study is None:
                raise Refused("There are no images to move.")
            target = _item_of(order, item)
            moved.append(_moved(item, target, item.study, actor, reason, request))
        elif study is not None:
            if study.organization_id != item.organization_id:
                raise NotFound("there is no such study")
            holding = next((one for one in items.of_study(study) if one.pk != item.pk), None)
            moved.append(_moved(holding, item, study, actor, reason, request))
        else:
            raise BadOrder("study", "a study or an order is expected")

    _done(item_id, "link", version, act)
    return moved[0]


def _item_of(order: Order, item: ReadingItem) -> ReadingItem:
    if order.organization_id != item.organization_id or not hasattr(order, "item"):
        raise NotFound("there is no such order")
    if order.status != "ordered":
        raise Refused("That order is cancelled.")
    return locked(order.item.pk)


def _moved(
    source: ReadingItem | None, target: ReadingItem, study: Study, actor: User, reason: str, request: Request | None
) -> ReadingItem:
    """`study` belongs to `target` from now on, and no longer to `source`."""
    if target.study_id == study.pk:
        raise Refused("They belong together already.")
    for one in filter(None, (source, target)):
        if items.written(one):
            raise Refused(
                "A report has been begun: cancel it, or mark it as entered in error, before anything is moved."
            )
        if holder(one) is not None:
            raise held_by(one)
    numbers = matching.numbers_differ(target.order, study)
    if numbers:
        raise Refused(f"They do not belong together: {numbers}. Correct the order's number first.")
    reasons = matching.patients_differ(target.order, study)
    if reasons and not reason.strip():
        raise WrongPatient(f"Order and images name two patients: {'; '.join(reasons)}. Give a reason to go on.")
    detail = {
        "reason": reason.strip()[:NOTE],
        "patient_of_images": study.patient.patient_id,
        "patient_of_order": target.order.patient.patient_id,
        "agree": not reasons,
        "from_item": source.pk if source else None,
        "to_item": target.pk,
    }
    left = target.study
    if source is not None:
        _lose(source, target, actor, request, detail)
    if left is not None:
        lose_study(target)
    items.tie(target, study, actor, request, kind="moved_here", detail=detail)
    if target.order.patient_id != study.patient_id and target.status != "hold":
        note = f"The images are labelled as another patient's: {'; '.join(reasons)}."
        items.hold_back(target, "wrong_patient", note, actor, request, target.order)
    if left is not None and not items.of_study(left):
        items.made_for(left, actor, request)
    grants.settle(left)
    return target


def _lose(source: ReadingItem, target: ReadingItem, actor: User, request: Request | None, detail: Any) -> None:
    """An item without its images: one made of them alone ends, an order waits for others."""
    if source.order.source == "study":
        items.give_way(source, target, actor, request)
        return
    lose_study(source)
    changed(source, "moved_away", actor, LOST, request=request, detail=detail)


def lose_study(item: ReadingItem) -> None:
    if item.study is not None and item.order.study_instance_uid == item.study.study_instance_uid:
        item.order.study_instance_uid = ""
        item.order.save(update_fields=["study_instance_uid", "updated_at"])
    item.study, item.status, item.held_reason, item.note = None, "scheduled", "", ""
    item.last_image_at = item.ready_at = None


LOST = ("study", "status", "held_reason", "note", "last_image_at", "ready_at")


def _free_for(item: ReadingItem, actor: User) -> bool:
    reader = holder(item)
    return reader is None or reader.pk == actor.pk
