"""Which delivery is whose to send, and what became of it: every question is one statement of the database, so that two
processes never send the same row.

A claim is kept by saying again that one is still there; what a process that died had claimed is free `LEASE` later and is
sent again under the same control id.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts import audit
from reporting.delivery import schedule
from reporting.delivery.kinds import ACTOR, KINDS
from reporting.delivery.outcomes import Payload
from reporting.models import Delivery
from reporting.models.delivery import DeliveryState
from reporting.worklist import clocks
from viewer.archive.rows import patiently

LEASE = timedelta(seconds=20)
RENEWED_EVERY_S = 5.0
UNFINISHED = (DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.FAILED)
SETTLED = (DeliveryState.ACKNOWLEDGED, DeliveryState.SUPERSEDED)


class Lost(Exception):
    """The claim is another's by now; what is found out about the delivery is theirs to write down."""


def due() -> QuerySet[Delivery]:
    """Deliveries that may be sent now: active destination, not claimed, and nothing earlier of the same report waits for the
    same destination."""
    now = timezone.now()
    earlier = Delivery.objects.filter(
        destination=OuterRef("destination"),
        report=OuterRef("report"),
        report_version__number__lt=OuterRef("report_version__number"),
        state__in=UNFINISHED,
    )
    ready = Delivery.objects.filter(
        Q(claimed_until=None) | Q(claimed_until__lt=now),
        state__in=UNFINISHED,
        next_try_at__lte=now,
        destination__active=True,
        destination__kind__in=list(KINDS),
    )
    return ready.filter(~Exists(earlier))


def due_destinations() -> list[int]:
    return list(due().order_by("destination").values_list("destination", flat=True).distinct())


def claim(destination: int, token: str) -> Delivery | None:
    """The oldest due delivery to a destination, from now on `token`'s to send."""

    def taken() -> int | None:
        found = due().filter(destination=destination).order_by("id").values_list("pk", flat=True).first()
        if found is None:
            return None
        now = timezone.now()
        free = Delivery.objects.filter(Q(claimed_until=None) | Q(claimed_until__lt=now), pk=found, state__in=UNFINISHED)
        won = free.update(claim=token, claimed_until=now + LEASE, tries=F("tries") + 1, updated_at=now)
        return found if won else None

    pk = patiently(taken)
    if pk is None:
        return None
    rows = Delivery.objects.select_related("destination__organization", "report__study__patient", "payload")
    return rows.select_related("report_version", "report__order", "report__organization").get(pk=pk)


def renew(delivery: Delivery, token: str) -> bool:
    """Say that it is still being sent; False when it is no longer `token`'s."""
    return bool(_mine(delivery, token).update(claimed_until=timezone.now() + LEASE))


def begin(delivery: Delivery, token: str, payload: Payload) -> None:
    """Write down what is about to leave. From here on it may have arrived, whatever happens. Raises Lost."""
    now = timezone.now()
    values = {"state": DeliveryState.SENT, "sent_at": now, "control_id": payload.control_id, "payload": payload.blob}

    def write() -> None:
        _only(_mine(delivery, token).update(**values, updated_at=now))

    patiently(write)
    for name, value in values.items():
        setattr(delivery, name, value)


def acknowledge(delivery: Delivery, token: str, answer: str) -> None:
    """The receiver has it. Raises Lost."""

    def write() -> None:
        now = timezone.now()
        _only(
            _mine(delivery, token).update(
                state=DeliveryState.ACKNOWLEDGED,
                **{"acknowledged_at": now, "answer": answer[:8000], "problem": "", "claim": "", "claimed_until": None},
                updated_at=now,
            )
        )
        _supersede_earlier(delivery)
        _note(delivery, "success", answer)
        if all_arrived(delivery):
            clocks.delivered(delivery.report)

    patiently(write)


def fail(delivery: Delivery, token: str, problem: str, answer: str = "") -> None:
    """It did not arrive, or nobody knows: it is tried again, or waits for a person. Raises Lost."""

    def write() -> None:
        now = timezone.now()
        over = delivery.tries >= schedule.MOST_TRIES
        _only(
            _mine(delivery, token).update(
                state=DeliveryState.GIVEN_UP if over else DeliveryState.FAILED,
                next_try_at=now + schedule.wait(delivery.tries),
                **{"problem": problem[:1000], "answer": answer[:8000], "claim": "", "claimed_until": None},
                updated_at=now,
            )
        )
        if over:
            _note(delivery, "failure", problem)

    patiently(write)


def all_arrived(delivery: Delivery) -> bool:
    """Whether this version is the newest, and has reached every destination that is connected."""
    same = Delivery.objects.filter(report_version=delivery.report_version_id)
    newer = Delivery.objects.filter(
        report=delivery.report_id, report_version__number__gt=delivery.report_version.number
    )
    return not newer.exists() and not same.filter(destination__kind__in=list(KINDS)).exclude(state__in=SETTLED).exists()


# --- by a person


def try_again(rows: QuerySet[Delivery]) -> int:
    """Send what was given up, or waits, now. What a later version has overtaken is not sent any more."""
    now = timezone.now()
    open_ones = rows.filter(state__in=(DeliveryState.FAILED, DeliveryState.GIVEN_UP, DeliveryState.QUEUED))
    pks = [pk for pk in open_ones.values_list("pk", flat=True) if not _overtaken(pk)]
    return Delivery.objects.filter(pk__in=pks).update(
        state=DeliveryState.QUEUED, tries=0, next_try_at=now, updated_at=now
    )


def give_up(rows: QuerySet[Delivery]) -> int:
    """Send it no more by itself."""
    now = timezone.now()
    waiting = rows.filter(Q(claimed_until=None) | Q(claimed_until__lt=now), state__in=UNFINISHED)
    return waiting.update(state=DeliveryState.GIVEN_UP, problem="Given up by an administrator.", updated_at=now)


def _overtaken(pk: int) -> bool:
    row = Delivery.objects.select_related("report_version").get(pk=pk)
    return Delivery.objects.filter(
        destination=row.destination_id,
        report=row.report_id,
        report_version__number__gt=row.report_version.number,
        state=DeliveryState.ACKNOWLEDGED,
    ).exists()


# --- within a transaction


def _mine(delivery: Delivery, token: str) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, claim=token, state__in=UNFINISHED)


def _only(changed: int) -> None:
    if not changed:
        raise Lost


def _supersede_earlier(delivery: Delivery) -> None:
    """Every version is the whole report: one that never arrived is not sent after a later one that did."""
    earlier = Delivery.objects.filter(
        destination=delivery.destination_id,
        report=delivery.report_id,
        report_version__number__lt=delivery.report_version.number,
        state=DeliveryState.GIVEN_UP,
    )
    earlier.update(state=DeliveryState.SUPERSEDED, updated_at=timezone.now())


def _note(delivery: Delivery, outcome: str, words: str) -> None:
    report = delivery.report
    audit.record(
        "report.deliver",
        actor=ACTOR,
        organization=report.organization.name,
        patient_id=report.study.patient.patient_id,
        study_instance_uid=report.study.study_instance_uid,
        object_uid=str(report.uid),
        outcome=outcome,
        detail={
            **{"destination": delivery.destination.name, "kind": delivery.destination.kind},
            **{"version": delivery.report_version.number, "tries": delivery.tries, "control_id": delivery.control_id},
            **({"problem": words[:300]} if outcome == "failure" else {}),
        },
    )
