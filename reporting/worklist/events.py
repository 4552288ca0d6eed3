"""How every change of a reading item is written: the row with its next version, the event, the record, the news."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from django.db import connection
from django.utils import timezone

from accounts import audit, states
from accounts.models import Organization, User
from accounts.origin import Request
from reporting.models import ItemEvent, Order, ReadingItem
from reporting.worklist.refusals import Overtaken
from viewer.archive import outbox, rows
from viewer.archive.query import NotFound

FARVIEW = "farview"
"""The actor where nobody acted."""
NEWS = "worklist.changed"

Answer = TypeVar("Answer")


def whole(work: Callable[[], Answer]) -> Answer:
    """Run `work` within the transaction that the caller has begun, else in one of its own that waits for its turn."""
    return work() if connection.in_atomic_block else rows.patiently(work)


def in_turn(organization: Organization) -> None:
    """Let only one transaction at a time go on from here for an organization. SQLite has one writer anyway."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def locked(item_id: int, version: int | None = None) -> ReadingItem:
    """The item for a change, with all that changes look at. Raises NotFound, and Overtaken where `version` is an old one."""
    found = ReadingItem.objects.select_for_update(of=("self",)).select_related(*WITH).filter(pk=item_id).first()
    if found is None:
        raise NotFound("there is no such item in the worklist")
    if version is not None and version != found.version:
        raise Overtaken(found.version)
    return found


WITH = ("organization", "order__patient", "order__referrer", "study__patient", "assigned_to", "claimed_by")
"""What stands beside an item wherever it is shown or changed."""


def changed(
    item: ReadingItem,
    kind: str,
    actor: User | str,
    fields: Iterable[str],
    *,
    request: Request | None = None,
    detail: Mapping[str, Any] | None = None,
    purpose: str = "",
) -> None:
    """Save `fields` of the item as its next version, and write down that `kind` happened. Within a transaction."""
    item.version += 1
    item.save(update_fields=[*fields, "version", "updated_at"])
    said = {"status": item.status, **(detail or {})}
    ItemEvent.objects.create(item=item, kind=kind, at=timezone.now(), actor_name=name_of(actor)[:150], detail=said)
    study = item.study.study_instance_uid if item.study else ""
    audit.record(
        f"worklist.{kind}",
        actor=actor,
        request=request,
        organization=item.organization.name,
        patient_id=item.order.patient.patient_id,
        study_instance_uid=study,
        object_uid=f"item {item.pk}",
        purpose=purpose,
        detail=said,
    )
    announce(item)


def announce(item: ReadingItem) -> None:
    """Tell every page that shows the item. Within a transaction."""
    study = item.study.study_instance_uid if item.study else ""
    outbox.announce(NEWS, item.organization, {"item": item.pk, "study_instance_uid": study, "status": item.status})


def order_noted(
    action: str,
    order: Order,
    actor: User | str,
    *,
    before: str = "",
    request: Request | None = None,
    detail: Mapping[str, Any] | None = None,
    study_instance_uid: str = "",
) -> None:
    """Write down what became of an order; `before`: the digest of its row, where an act changed it."""
    audit.record(
        f"order.{action}",
        actor=actor,
        request=request,
        organization=order.organization.name,
        patient_id=order.patient.patient_id,
        study_instance_uid=study_instance_uid or order.study_instance_uid,
        object_uid=f"order {order.pk}",
        detail={"source": order.source, **(detail or {}), **states.told(before, states.digest_of_row(order))},
    )


def name_of(actor: User | str) -> str:
    return actor.get_username() if isinstance(actor, User) else str(actor)


def shown(user: User) -> str:
    """A person's name as others read it."""
    return user.get_full_name() or user.get_username()
