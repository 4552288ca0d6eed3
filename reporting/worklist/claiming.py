"""A claim: who reads an examination now. It holds as long as its page says so every few seconds, and frees itself after."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.origin import Request
from reporting.models import ReadingItem, Report
from reporting.worklist import double_reading
from reporting.worklist.events import FARVIEW, changed, locked, shown, whole
from reporting.worklist.refusals import Assigned, Held, Refused
from reporting.worklist.states import COSIGN, may_follow, resting

EXPIRY = timedelta(seconds=90)
HEARTBEAT = timedelta(seconds=20)
"""How often a page is asked to say that it is still there."""
CLAIM = ("claimed_by", "claim_token", "claim_seen_at")
NAMED = {"preliminary": "reported, and waits for its co-signature", "pending_cosign": "waiting for a co-signature"}


def holder(item: ReadingItem, now: datetime | None = None) -> User | None:
    """Who has it open; None: nobody, or nobody who was heard of lately."""
    if item.claimed_by_id is None or item.claim_seen_at is None:
        return None
    return item.claimed_by if item.claim_seen_at > (now or timezone.now()) - EXPIRY else None


def held_by(item: ReadingItem) -> Held:
    """The refusal that says who has it open, and until when at least."""
    seen = item.claim_seen_at or timezone.now()
    return Held(shown(item.claimed_by) if item.claimed_by else "", seen + EXPIRY)


def writing(item: ReadingItem) -> tuple[User, datetime] | None:
    """Who writes its report now, without having claimed it here, and when they were heard of last."""
    now = timezone.now()
    open_ones = Report.objects.filter(item=item, locked_by__isnull=False, lock_seen_at__gt=now - EXPIRY)
    report = open_ones.select_related("locked_by").first()
    if report is None or report.locked_by is None or report.lock_seen_at is None:
        return None
    return report.locked_by, report.lock_seen_at


def shown_status(item: ReadingItem, now: datetime | None = None) -> str:
    """The state as it is for everybody: a claim that has run out is none."""
    if item.status == "claimed" and holder(item, now) is None:
        return resting(has_images=item.study_id is not None, assigned=item.assigned_to_id is not None)
    return item.status


def claim(
    item_id: int,
    user: User,
    *,
    token: str = "",
    reason: str = "",
    version: int | None = None,
    request: Request | None = None,
) -> ReadingItem:
    """Take an item to read it; its `claim_token` is what its page shows with every heartbeat.

    Another's claim, or an item assigned to another, is taken over only with a reason. Raises NotFound, Held, Assigned,
    Refused, Overtaken.
    """

    def write() -> ReadingItem:
        item = locked(item_id, version)
        return claimed(item, user, token=token, reason=reason, request=request)

    return whole(write)


def claimed(
    item: ReadingItem, user: User, *, token: str = "", reason: str = "", request: Request | None = None
) -> ReadingItem:
    """As `claim`, of an item that this transaction has locked."""
    other = holder(item)
    mine = other is not None and other.pk == user.pk
    writer = None if mine else writing(item)
    if not may_follow("claim", item.status) or item.study_id is None:
        raise Refused(f"This is {item.get_status_display().lower()}: nobody can read it now.")
    if why := double_reading.why_not(item, user):
        raise Refused(why)
    if other is not None and not mine and not reason:
        raise held_by(item)
    if writer is not None and writer[0].pk != user.pk and not reason:
        raise Held(shown(writer[0]), writer[1] + EXPIRY)
    assigned = item.assigned_to if item.status not in COSIGN else None
    if assigned is not None and assigned.pk != user.pk and not mine and not reason:
        raise Assigned(shown(assigned))
    now = timezone.now()
    item.claimed_by, item.claim_token, item.claim_seen_at = user, token or secrets.token_urlsafe(24), now
    if mine:  # another window of the same reader, or the same one again
        item.save(update_fields=[*CLAIM, "updated_at"])
        return item
    item.claimed_at = now
    if item.status not in COSIGN:
        item.status = "claimed"
    former = next((one for one in (other, writer and writer[0], assigned) if one and one.pk != user.pk), None)
    kind, detail = "claimed", {}
    if former is not None:
        kind, detail = "taken_over", {"from": former.get_username(), "reason": reason}
        _stop_writing(item, user)
    changed(item, kind, user, (*CLAIM, "claimed_at", "status"), request=request, detail=detail, purpose=reason[:64])
    return item


def _stop_writing(item: ReadingItem, user: User | None = None) -> None:
    """Whoever writes its report, other than `user`, holds it no longer."""
    open_ones = Report.objects.filter(item=item, locked_by__isnull=False)
    if user is not None:
        open_ones = open_ones.exclude(locked_by=user)
    open_ones.update(locked_by=None, lock_token="", lock_seen_at=None)


def seen(item: ReadingItem, user: User) -> bool:
    """`user` was heard of, who reads it; False: they do not read it (any more). Within a transaction."""
    now = timezone.now()
    theirs = ReadingItem.objects.filter(pk=item.pk, claimed_by=user, claim_seen_at__gt=now - EXPIRY)
    return bool(theirs.update(claim_seen_at=now))


def heartbeat(item_id: int, user: User, token: str = "") -> ReadingItem:
    """The page that reads it is still there. Raises NotFound, Held, and Refused where the claim has ended."""

    def write() -> ReadingItem:
        item = locked(item_id)
        _own(item, user, token)
        item.claim_seen_at = timezone.now()
        item.save(update_fields=["claim_seen_at"])
        return item

    return whole(write)


def release(
    item_id: int, user: User, token: str = "", version: int | None = None, request: Request | None = None
) -> ReadingItem:
    """Let go of it. Raises NotFound, Held, Refused, Overtaken."""

    def write() -> ReadingItem:
        item = locked(item_id, version)
        _own(item, user, token)
        released(item, user, request)
        return item

    return whole(write)


def released(item: ReadingItem, user: User, request: Request | None = None) -> None:
    """As `release`, of an item that this transaction has locked and `user` reads."""
    let_go(item)
    changed(item, "released", user, (*CLAIM, "status"), request=request)


def put_aside(
    item_id: int, user: User, note: str, token: str = "", version: int | None = None, request: Request | None = None
) -> ReadingItem:
    """Let go of it for later, with what it waits for. Raises NotFound, Held, Refused, Overtaken."""
    if not note.strip():
        raise Refused("Say what it waits for.")

    def write() -> ReadingItem:
        item = locked(item_id, version)
        _own(item, user, token)
        if not may_follow("put-aside", item.status):
            raise Refused(f"This is {NAMED.get(item.status, item.status)}: it cannot be put aside.")
        let_go(item)
        item.status, item.note = "put_aside", note.strip()
        changed(item, "put_aside", user, (*CLAIM, "status", "note"), request=request, detail={"note": item.note})
        return item

    return whole(write)


def free(
    item_id: int, actor: User, reason: str, version: int | None = None, request: Request | None = None
) -> ReadingItem:
    """An administrator takes a claim away. Raises NotFound, Refused, Overtaken."""

    def write() -> ReadingItem:
        item = locked(item_id, version)
        former = holder(item)
        if former is None:
            raise Refused("Nobody is reading this.")
        let_go(item)
        _stop_writing(item)
        detail = {"from": former.get_username(), "reason": reason}
        changed(item, "freed", actor, (*CLAIM, "status"), request=request, detail=detail, purpose=reason[:64])
        return item

    return whole(write)


def let_go(item: ReadingItem) -> None:
    """Nobody reads it; saving is the caller's (CLAIM and status)."""
    item.claimed_by, item.claim_token, item.claim_seen_at = None, "", None
    if item.status == "claimed":
        item.status = resting(has_images=item.study_id is not None, assigned=item.assigned_to_id is not None)


def free_expired() -> int:
    """Free what nobody was heard to read for EXPIRY; how many there were."""
    over = ReadingItem.objects.filter(claimed_by__isnull=False)
    over = over.filter(Q(claim_seen_at=None) | Q(claim_seen_at__lte=timezone.now() - EXPIRY))
    return sum(whole(lambda pk=pk: _expired(pk)) for pk in list(over.values_list("pk", flat=True)[:200]))  # type: ignore[misc]


def _expired(item_id: int) -> bool:
    item = locked(item_id)
    if item.claimed_by_id is None or holder(item) is not None:  # heard of in the meantime
        return False
    former = item.claimed_by.get_username()  # type: ignore[union-attr]
    let_go(item)
    changed(item, "claim_expired", FARVIEW, (*CLAIM, "status"), detail={"from": former})
    return True


def _own(item: ReadingItem, user: User, token: str) -> None:
    """Raises Held or Refused unless the item is open by this person, in this window where a token is shown."""
    if item.claimed_by_id is not None and item.claimed_by_id != user.pk:
        other = holder(item)
        if other is not None:
            raise held_by(item)
    if item.claimed_by_id != user.pk:
        raise Refused("You are not reading this any more: the claim has ended.")
    if token and item.claim_token != token:
        raise Refused("You have opened this in another window.")
