"""Studies on their way to peers and from them: rows that are asked for, claimed, tried again and given up.

A claim is kept by saying again that one is still there; what a process that died had claimed is free `LEASE` later. One
transfer of a peer runs at a time.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import User
from accounts.origin import Request
from viewer.archive import outbox
from viewer.archive.rows import patiently
from viewer.models import DicomPeer, Study, Transfer, TransferState

NEWS = "transfer.changed"
LEASE = timedelta(seconds=30)
RENEWED_EVERY_S = 5.0
WAITING = (TransferState.QUEUED, TransferState.RUNNING, TransferState.FAILED)
"""States in which something is still to be done."""
FIRST_S, LONGEST_S, SPREAD = 5.0, 1800.0, 0.25
MOST_TRIES = 16
"""With the waits between them about five hours."""
SEND, RETRIEVE, PRIORS = "send", "retrieve", "priors"


class Lost(Exception):
    """The claim is another's by now, or the transfer was cancelled."""


# --- asked for


def ask(
    peer: DicomPeer,
    kind: str,
    *,
    study_instance_uid: str = "",
    series_instance_uid: str = "",
    sop_instance_uids: Sequence[str] = (),
    options: dict[str, Any] | None = None,
    reason: str = "person",
    user: User | None = None,
    priority: int = 0,
    request: Request | None = None,
) -> Transfer:
    """A new transfer, or the one that is on its way already. Within a transaction."""
    same = {
        **{"organization": peer.organization, "peer": peer, "kind": kind, "study_instance_uid": study_instance_uid},
        **{"series_instance_uid": series_instance_uid, "sop_instance_uids": sorted(sop_instance_uids)},
    }
    wanted = dict(options or {})
    known = Transfer.objects.filter(**same, state__in=WAITING)
    for row in known if kind != PRIORS else known.filter(options__patient=wanted.get("patient")):
        if row.priority < priority:
            row.priority = priority
            row.save(update_fields=["priority", "updated_at"])
        return cast(Transfer, row)
    made: Transfer = Transfer.objects.create(
        **same, options=wanted, reason=reason, asked_by=user, priority=priority, next_try_at=timezone.now()
    )
    note("ask", made, user or "farview", request=request)
    announce(made)
    return made


def cancel(transfer: Transfer, user: User, request: Request | None = None) -> bool:
    """Do no more of it. Within a transaction; False: it had ended already."""
    now = timezone.now()
    changed = (
        Transfer.objects.filter(pk=transfer.pk)
        .exclude(state__in=ENDED)
        .update(state=TransferState.CANCELLED, ended_at=now, updated_at=now)
    )
    return _told("cancel", transfer, user, request) if changed else False


def retry(transfer: Transfer, user: User, request: Request | None = None) -> bool:
    """Do what is left of it now. Within a transaction; False: nothing of it waits for a person."""
    now = timezone.now()
    again = (TransferState.GIVEN_UP, TransferState.FAILED, TransferState.CANCELLED)
    changed = Transfer.objects.filter(_free(now), pk=transfer.pk, state__in=again).update(
        state=TransferState.QUEUED, tries=0, failed=0, problem="", next_try_at=now, ended_at=None, updated_at=now
    )
    return _told("retry", transfer, user, request) if changed else False


ENDED = (TransferState.DONE, TransferState.GIVEN_UP, TransferState.CANCELLED)


def _told(act: str, transfer: Transfer, user: User, request: Request | None) -> bool:
    transfer.refresh_from_db()
    note(act, transfer, user, request=request)
    announce(transfer)
    return True


# --- claimed


def due() -> QuerySet[Transfer]:
    """What may be begun now: its peer is active, and none of the peer's is running."""
    now = timezone.now()
    running = Transfer.objects.filter(state=TransferState.RUNNING, claimed_until__gte=now)
    return Transfer.objects.filter(
        _free(now), state__in=WAITING, next_try_at__lte=now, peer__active=True, peer__port__isnull=False
    ).exclude(peer__in=running.values("peer"))


def due_peers() -> list[int]:
    return list(due().order_by("peer").values_list("peer", flat=True).distinct())


def claim(peer: int, token: str) -> Transfer | None:
    """The peer's next transfer, from now on `token`'s."""

    def taken() -> Transfer | None:
        now = timezone.now()
        DicomPeer.objects.select_for_update(no_key=True).filter(pk=peer).first()
        found = due().filter(peer=peer).order_by("-priority", "next_try_at", "id").values_list("pk", flat=True).first()
        if found is None:
            return None
        Transfer.objects.filter(pk=found).update(
            **{"state": TransferState.RUNNING, "claim": token, "claimed_until": now + LEASE},
            **{"tries": F("tries") + 1, "updated_at": now},
        )
        row: Transfer = Transfer.objects.select_related("peer__organization", "organization").get(pk=found)
        announce(row)
        return row

    return patiently(taken)


def renew(pks: Iterable[int], token: str) -> set[int]:
    """Say that these are still being worked on; returns those that still are `token`'s."""
    mine = Transfer.objects.filter(pk__in=list(pks), claim=token, state=TransferState.RUNNING)
    mine.update(claimed_until=timezone.now() + LEASE)
    return set(mine.values_list("pk", flat=True))


def progress(transfer: Transfer, token: str) -> None:
    """Keep how far it has come: `total`, `done`, `failed`, `acknowledged`. Raises Lost."""

    def write() -> None:
        _mine(transfer, token, total=transfer.total, done=transfer.done, failed=transfer.failed)
        announce(transfer)

    patiently(write)


def finish(transfer: Transfer, token: str, problem: str = "") -> None:
    """All of it is done; `problem`: what a person should know all the same. Raises Lost."""
    _end(transfer, token, "done", TransferState.DONE, problem)


def give_up(transfer: Transfer, token: str, problem: str) -> None:
    """It waits for a person. Raises Lost."""
    _end(transfer, token, "give_up", TransferState.GIVEN_UP, problem)


def fail(transfer: Transfer, token: str, problem: str) -> None:
    """It is tried again by itself, or waits for a person after MOST_TRIES. Raises Lost."""
    if transfer.tries >= MOST_TRIES:
        give_up(transfer, token, f"{problem} (tried {transfer.tries} times)")
        return

    def write() -> None:
        when = timezone.now() + wait(transfer.tries)
        _let_go(transfer, token, state=TransferState.FAILED, problem=problem[:1000], next_try_at=when)
        announce(transfer)

    patiently(write)


def put_back(transfer: Transfer, token: str) -> None:
    """Somebody else goes on with it: the process ends. Raises Lost."""

    def write() -> None:
        _let_go(transfer, token, state=TransferState.QUEUED, tries=max(0, transfer.tries - 1))
        announce(transfer)

    patiently(write)


def leave(transfer: Transfer, token: str) -> None:
    """It was cancelled meanwhile: keep what the peer has acknowledged, and let whoever asks for it again begin at once."""
    mine = Transfer.objects.filter(pk=transfer.pk, claim=token).exclude(state=TransferState.RUNNING)
    values = {"acknowledged": transfer.acknowledged, "done": transfer.done, "total": transfer.total}
    patiently(lambda: mine.update(claim="", claimed_until=None, **values))


def wait(tries: int) -> timedelta:
    """Until the next try after the one of this number (from 1): doubled each time up to half an hour."""
    plain = min(LONGEST_S, FIRST_S * 2.0 ** min(max(tries, 1) - 1, 20))
    return timedelta(seconds=plain * random.uniform(1 - SPREAD, 1 + SPREAD))  # noqa: S311 - no secret


# --- within a transaction


def _free(now: datetime) -> Q:
    return Q(claimed_until=None) | Q(claimed_until__lt=now) | Q(claim="")


def _end(transfer: Transfer, token: str, act: str, state: str, problem: str) -> None:
    def write() -> None:
        _let_go(transfer, token, state=state, problem=problem[:1000], ended_at=timezone.now())
        note(act, transfer, "farview", outcome="success" if state == TransferState.DONE else "failure")
        announce(transfer)

    patiently(write)


def _let_go(transfer: Transfer, token: str, **values: Any) -> None:
    counts = {"total": transfer.total, "done": transfer.done, "failed": transfer.failed}
    _mine(transfer, token, claim="", claimed_until=None, **counts, **values)


def _mine(transfer: Transfer, token: str, **values: Any) -> None:
    now = timezone.now()
    rows = Transfer.objects.filter(pk=transfer.pk, claim=token, state=TransferState.RUNNING)
    if not rows.update(**values, acknowledged=transfer.acknowledged, updated_at=now):
        raise Lost
    for name, value in values.items():
        setattr(transfer, name, value)


def announce(transfer: Transfer) -> None:
    """Tell every page that shows it: numbers and states alone."""
    outbox.announce(
        NEWS,
        transfer.organization,
        {
            **{"transfer": transfer.pk, "kind": transfer.kind, "state": str(transfer.state)},
            **{"total": transfer.total, "done": transfer.done, "failed": transfer.failed},
        },
    )


def note(
    act: str, transfer: Transfer, actor: User | str, *, request: Request | None = None, outcome: str = "success"
) -> None:
    """Write down what became of it."""
    study = Study.objects.filter(
        organization=transfer.organization, study_instance_uid=transfer.study_instance_uid or "-"
    ).select_related("patient")
    found = study.first()
    audit.record(
        f"transfer.{act}",
        actor=actor,
        request=request,
        organization=transfer.organization.name,
        patient_id=found.patient.patient_id if found is not None else "",
        study_instance_uid=transfer.study_instance_uid,
        object_uid=f"transfer {transfer.pk}",
        outcome=outcome,
        detail={
            **{"kind": transfer.kind, "peer": transfer.peer.ae_title, "reason": transfer.reason},
            **{"series": transfer.series_instance_uid, "instances": len(transfer.sop_instance_uids)},
            **({"done": transfer.done, "failed": transfer.failed} if act in ("done", "give_up") else {}),
            **({"problem": transfer.problem[:300]} if outcome == "failure" else {}),
        },
    )
