"""Orders and reading items after a correction of the archive: they follow within the same transaction."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Q, QuerySet

from accounts.models import User
from reporting.models import Order, ReadingItem
from reporting.worklist import acts, corrected, grants, images, items, matching, orders
from reporting.worklist.claiming import CLAIM, holder, let_go
from reporting.worklist.events import changed, order_noted
from reporting.worklist.refusals import Overtaken, Refused, WrongPatient
from reporting.worklist.states import COSIGN, DONE
from viewer.archive.correcting import CannotCorrect, Done
from viewer.archive.correcting_facts import STATED
from viewer.archive.correcting_orders import OrderChoice
from viewer.dicom.text import fold
from viewer.models import Correction, CorrectionKind, Patient, Study

MOST = 50
NOTE = 1000
SIGNED = (*COSIGN, *DONE)
UNREAD = ("scheduled", "arriving", "hold", "ready", "assigned", "put_aside")


def follow(done: Done) -> None:
    """Bring orders and items of what was corrected up to date. Raises CannotCorrect where a report stands in the way."""
    try:
        FOLLOWING[done.act.kind](done)
        _hold_signed(done)
    except (Refused, WrongPatient, Overtaken) as problem:
        raise CannotCorrect(f"a report or its reader stands in the way: {problem}") from None


def choices(study: Study, words: str) -> list[OrderChoice]:
    """Open orders that wait for images: of the study's patient, or those that hold all of some words."""
    rows = Order.objects.filter(organization=study.organization, status="ordered", item__study=None)
    rows = rows.exclude(source="study").select_related("patient")
    if not words.split():
        rows = rows.filter(patient=study.patient_id)
    for word in words.split()[:8]:
        rows = rows.filter(
            Q(accession_number__icontains=word)
            | Q(patient__patient_id__icontains=word)
            | Q(patient__name_folded__contains=fold(word))
            | Q(procedure_text__icontains=word)
        )
    return [_choice(order, study) for order in rows.order_by("-scheduled_at", "-id")[:MOST]]


def _choice(order: Order, study: Study) -> OrderChoice:
    return OrderChoice(
        identifier=str(order.pk),
        accession_number=order.accession_number,
        description=order.procedure_text,
        referring_physician=order.referring_physician,
        patient_id=order.patient.patient_id,
        patient_name=order.patient_name or order.patient.name,
        modality=order.modality,
        scheduled_at=order.scheduled_at.isoformat() if order.scheduled_at else "",
        same_patient=order.patient_id == study.patient_id or not matching.patients_differ(order, study),
    )


# --- the patient


def _patient_updated(done: Done) -> None:
    """An order states its patient in columns of the same names as a study's."""
    _restate(Order.objects.filter(patient=done.act.patient, status="ordered"), done)


def _restate(rows: QuerySet[Order], done: Done) -> None:
    columns = {STATED[name]: value for name, value in done.act.after.items() if name in STATED}
    for order in rows.order_by("id"):
        if any(getattr(order, name) != value for name, value in columns.items()):
            orders.correct(order, columns, done.who.actor, done.who.request)


def _merged(done: Done) -> None:
    former, now = done.former, done.act.patient
    if former is None or now is None:
        return
    rows = Order.objects.filter(patient=former)
    if done.act.undoes is not None:
        rows = Order.objects.filter(pk__in=_kept(done.act.undoes, "after"))
    moved = list(rows.select_related("organization", "patient").order_by("id"))
    for order in moved:
        _give(order, now, done)
    _keep(done.act, [], [order.pk for order in moved])
    _restate(Order.objects.filter(pk__in=[order.pk for order in moved], status="ordered"), done)


def _give(order: Order, patient: Patient, done: Done) -> None:
    order.patient = patient
    order.save(update_fields=["patient", "updated_at"])
    order_noted("patient", order, done.who.actor, request=done.who.request, detail={"correction": done.act.pk})


def _another_patient(done: Done) -> None:
    for study in done.studies:
        for item in items.of_study(study):
            if item.order.source == "study":
                _give(item.order, study.patient, done)
                said = study.stated_patient
                columns = {f"patient_{name}": value for name, value in said.items()}
                orders.correct(item.order, columns, done.who.actor, done.who.request)
            elif matching.patients_differ(item.order, study):
                _part(item, done, "the images are of another patient")
        _items_for(study, done)
        grants.settle(study)


# --- the order


def _another_order(done: Done) -> None:
    (study,) = done.studies
    actor, request = done.who.actor, done.who.request
    standing = items.of_study(study)
    former = [item.order_id for item in standing if item.order.source != "study"]
    wanted = done.order
    if done.act.undoes is not None:
        wanted = next((str(pk) for pk in _kept(done.act.undoes, "before")), "")
    for item in standing:
        if item.order.source == "study":
            own = {"accession_number": study.accession_number, "procedure_text": study.description}
            orders.correct(item.order, own, actor, request)
    if wanted:
        _link(study, standing, wanted, done)
        _keep(done.act, former, [int(wanted)])
        return
    for item in standing:
        if item.order.source != "study" and matching.numbers_differ(item.order, study):
            _part(item, done, "the images are of another order")
    _items_for(study, done)


def _link(study: Study, standing: list[ReadingItem], wanted: str, done: Done) -> None:
    rows = Order.objects.filter(organization=study.organization, status="ordered").select_related("patient", "item")
    order = rows.filter(pk=int(wanted)).first() if wanted.isdigit() else None
    if order is None:
        raise CannotCorrect("there is no such open order")
    if matching.patients_differ(order, study):
        raise CannotCorrect("the order is for another patient: correct the patient of the study first")
    actor = done.who.actor
    if not isinstance(actor, User):
        raise CannotCorrect("a person gives a study to an order")
    if any(item.order_id == order.pk for item in standing):
        return
    if standing:
        acts.link(standing[0].pk, actor, order=order, reason=done.act.reason, request=done.who.request)
    else:
        acts.link(order.item.pk, actor, study=study, reason=done.act.reason, request=done.who.request)


# --- series and objects


def _fewer(done: Done) -> None:
    """What has lost all of its images waits for others, or ends. What has some is looked at as ever when news comes."""
    for study in done.studies:
        if study.emptied:
            for item in items.of_study(study):
                _part(item, done, "its images were moved or rejected")
            grants.settle(study)


def _part(item: ReadingItem, done: Done, why: str) -> None:
    """An item and its images part. Where somebody reads or has written, it is held, and the images stay with the report."""
    actor, request = done.who.actor, done.who.request
    detail = {"correction": done.act.pk, "reason": done.act.reason}
    if item.status not in UNREAD:
        changed(item, "corrected", actor, (), request=request, detail=detail)
    elif items.written(item) or holder(item) is not None:
        items.hold_back(item, "wrong_patient", f"Corrected: {why}. {done.act.reason}", actor, request)
    elif item.order.source == "study":
        item.status, item.study = "cancelled", None
        changed(item, "gave_way", actor, ("status", "study"), request=request, detail=detail)
    else:
        acts.lose_study(item)
        changed(item, "moved_away", actor, acts.LOST, request=request, detail=detail)


def _items_for(study: Study, done: Done) -> None:
    """What is left without an item gets one, of the order that is its own now where there is one."""
    if study.emptied:
        return
    actor, request = done.who.actor, done.who.request
    waiting = next((order for order in matching.orders_for(study).agreeing if items.waits(order)), None)
    standing = items.of_study(study)
    if waiting is not None and all(_gives_way(item) for item in standing):
        for item in standing:
            items.give_way(item, waiting.item, actor, request)
        items.tie(waiting.item, study, actor, request)
    elif not standing and images.newest_at(study) is not None:
        items.taken_in(study, actor, request)


def _gives_way(item: ReadingItem) -> bool:
    return item.order.source == "study" and item.status in UNREAD and not items.written(item) and holder(item) is None


# --- what is signed already


def _hold_signed(done: Done) -> None:
    """An examination whose signed report may not hold any more waits for a person; it goes back to where it was once what made
    it doubtful is undone."""
    for study in done.studies:
        held = [item for item in items.of_study(study) if _doubted(item, study, done)]
        if held:
            grants.settle(study)


def _doubted(item: ReadingItem, study: Study, done: Done) -> bool:
    """Whether it was held now, or let go."""
    actor, request = done.who.actor, done.who.request
    text = corrected.signed_text(item)
    if text is None:
        return False
    reason, words = corrected.doubt(study, text)
    if reason and item.status in SIGNED:
        detail = {"reason": reason, "note": words[:NOTE], "before": item.status, "correction": done.act.pk}
        let_go(item)
        item.status, item.held_reason, item.note = "hold", reason, words[:NOTE]
    elif not reason and item.status == "hold" and (before := _held_from(item)):
        detail = {"correction": done.act.pk}
        item.status, item.held_reason, item.note = before, "", ""
    else:
        return False
    fields = (*CLAIM, "status", "held_reason", "note")
    changed(item, "held" if reason else "corrected", actor, fields, request=request, detail=detail)
    return True


def _held_from(item: ReadingItem) -> str:
    """The state from which a correction held it; "": a person did, or the act stands."""
    last = item.events.filter(kind="held").order_by("-id").first()
    return str(last.detail.get("before", "")) if last is not None and "correction" in last.detail else ""


# --- which orders an act has moved, for its undoing


def _keep(act: Correction, before: list[int], after: list[int]) -> None:
    Correction.objects.create(
        organization=act.organization,
        kind=act.kind,
        patient=act.patient,
        before={ORDERS: " ".join(map(str, before))},
        after={ORDERS: " ".join(map(str, after))},
        reason=act.reason,
        source=act.source,
        actor=act.actor,
        actor_name=act.actor_name,
        at=act.at,
        part_of=act,
    )


def _kept(act: Correction, when: str) -> list[int]:
    rows = Correction.objects.filter(part_of=act, study=None).values_list(when, flat=True)
    return [int(pk) for row in rows for pk in row.get(ORDERS, "").split()]


ORDERS = "orders"


FOLLOWING: dict[str, Callable[[Done], None]] = {
    CorrectionKind.PATIENT_UPDATED: _patient_updated,
    CorrectionKind.PATIENTS_MERGED: _merged,
    CorrectionKind.PATIENTS_LINKED: lambda done: None,
    CorrectionKind.STUDY_OF_ANOTHER_PATIENT: _another_patient,
    CorrectionKind.STUDY_OF_ANOTHER_ORDER: _another_order,
    CorrectionKind.SERIES_MOVED: _fewer,
    CorrectionKind.REJECTED: _fewer,
}
