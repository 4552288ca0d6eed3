"""Share links: one study or one report for somebody who has no account. Knows rows and secrets, nothing of pictures.

Whoever comes by a link is signed in as the link's own guest, a person who holds nothing but the role GUEST in one
organization. Ending the link disables that person, and with that ends every session and every connection of the link.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import Signal, receiver
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts import audit
from accounts.authentication import digest_of
from accounts.models import READING_ROLES, AuditEvent, Membership, Organization, Role, ShareLink, User
from accounts.origin import Request
from accounts.recovery import tell

USUAL_DAYS, LONGEST_DAYS = 3, 30
MOST_USES = 1000
PIN_DIGITS, PIN_LONGEST = 6, 12
WRONG_PINS = 5
TOO_MANY = "wrong PINs"
NOTICED = timedelta(days=7)
"""For so long its maker is shown on every page that wrong PINs ended a link, until they have looked at their links."""
LOOKED = "looked_at_shares"
"""In a session: when its person last looked at their links."""
MAIL = """Five wrong PINs ended a link that {name} had made. Somebody else may have its address.

Which one, and what to do, is told here:
{link}
"""
LONGEST_SESSION = timedelta(hours=12)
QUIET = timedelta(minutes=15)
"""Tries of a link that is shut are written down once within this time: whoever goes on knocking fills no record."""
PURPOSE = "share"

ended = Signal()
"""Sent with `link` in the transaction that ends it."""


class Shut(Enum):
    """Why a link opens nothing; the visitor is not told which."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    USED_UP = "used up"
    OWNER_LEFT = "owner left"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to share, and how."""

    study_instance_uid: str
    recipient: str
    scope: str = ShareLink.Scope.STUDY
    report: int | None = None
    days: int = USUAL_DAYS
    pin: str = ""
    """Digits; empty: none is asked for."""
    most_uses: int | None = None


def new_pin() -> str:
    return "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))


def may_share(user: User, organization: Organization) -> bool:
    """Who reads in an organization may share its studies."""
    return user.organizations_as(READING_ROLES).filter(pk=organization.pk).exists()


# --- the owner's side


def make(
    owner: User, organization: Organization, wish: Wish, request: Request, patient_id: str = ""
) -> tuple[ShareLink, str]:
    """A new link with its guest, and its address: the one moment at which that can be read. Within the caller's transaction,
    which also grants the guest what the link opens."""
    raw = secrets.token_urlsafe(32)
    guest = User(username=f"share-{secrets.token_hex(6)}")
    guest.set_unusable_password()
    guest.save(force_insert=True)
    Membership.objects.create(user=guest, organization=organization, role=Role.GUEST)
    link = ShareLink.objects.create(
        organization=organization,
        guest=guest,
        digest=digest_of(raw),
        scope=wish.scope,
        study_instance_uid=wish.study_instance_uid,
        report=wish.report,
        recipient=wish.recipient,
        made_by=owner,
        expires_at=timezone.now() + timedelta(days=wish.days),
        pin=make_password(wish.pin) if wish.pin else "",
        most_uses=wish.most_uses,
    )
    detail = {"days": wish.days, "pin": bool(wish.pin), "most_uses": wish.most_uses, "guest": guest.username}
    _note("share.make", link, owner, request, patient_id=patient_id, **detail)
    return link, settings.FARVIEW_PUBLIC_URL + reverse("share", args=[raw])


def links_of(user: User) -> QuerySet[ShareLink]:
    """The links that `user` may look after: their own, and all of organizations that they administer."""
    administered = user.organizations_as((Role.ADMIN,))
    return ShareLink.objects.filter(Q(made_by=user) | Q(organization__in=administered)).select_related(
        "organization", "guest", "made_by", "revoked_by"
    )


def revoke(link: ShareLink, by: User | None, request: Request | None, reason: str = "") -> bool:
    """End a link and everything that came by it; False when it had ended already. Within a transaction."""
    now = timezone.now()
    if not ShareLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now, revoked_by=by):
        return False
    link.revoked_at, link.revoked_by = now, by
    guest = User.objects.get(pk=link.guest_id)
    guest.is_active = False
    guest.save()
    guest.end_sessions()
    ended.send(sender=ShareLink, link=link)
    _note("share.revoke", link, by or guest, request, reason=reason)
    return True


def uses_of(link: ShareLink, most: int = 100) -> Iterator[tuple[datetime, str]]:
    """(when, from where) of each time somebody came in by the link, the newest first."""
    rows = AuditEvent.objects.filter(actor=link.guest.username, action="share.open", outcome="success")
    yield from rows.order_by("-sequence").values_list("at", "origin")[:most]


def ended_by_wrong_pins(user: Any, since: str = "") -> int:
    """How many links of this maker wrong PINs have ended of late, and after the moment `since` (ISO 8601), which was noted when
    they last looked."""
    if not isinstance(user, User) or user.pk is None:
        return 0
    ended = ShareLink.objects.filter(made_by=user, failed_pins__gte=WRONG_PINS, revoked_by=None)
    looked = parse_datetime(since) if since else None
    return ended.filter(revoked_at__gt=max(filter(None, (timezone.now() - NOTICED, looked)))).count()


# --- the visitor's side


def find(raw: str) -> ShareLink | None:
    """The link behind an address, whatever has become of it."""
    return ShareLink.objects.select_related("organization", "guest", "made_by").filter(digest=digest_of(raw)).first()


def shut(link: ShareLink) -> Shut | None:
    """Why the link opens nothing by now; None: it opens."""
    states = (
        (link.revoked_at is not None or not link.guest.is_active, Shut.REVOKED),
        (link.expires_at <= timezone.now(), Shut.EXPIRED),
        (link.most_uses is not None and link.uses >= link.most_uses, Shut.USED_UP),
        (not link.made_by.is_active, Shut.OWNER_LEFT),
    )
    return next((why for holds, why in states if holds), None)


def note_shut(link: ShareLink, why: Shut, request: Request) -> None:
    """Write down that somebody came with a link that opens nothing."""
    lately = AuditEvent.objects.filter(
        actor=link.guest.username, action="share.open", outcome="denied", at__gt=timezone.now() - QUIET
    )
    if not lately.exists():
        _note("share.open", link, link.guest, request, outcome="denied", reason=why.value)


def count_try(link: ShareLink) -> bool:
    """Count one try of a PIN before it is looked at, so that many at once are no more than five. False: there were five."""
    left = ShareLink.objects.filter(pk=link.pk, revoked_at=None, failed_pins__lt=WRONG_PINS)
    return bool(left.update(failed_pins=F("failed_pins") + 1))


def pin_is(link: ShareLink, pin: str) -> bool:
    """Whether this is the link's PIN. Takes its time, as every look at a password does."""
    return len(pin) <= PIN_LONGEST and check_password(pin, link.pin)


def note_wrong(link: ShareLink, request: Request) -> None:
    """Write down a wrong PIN; the fifth ends the link. Within a transaction."""
    link.refresh_from_db(fields=["failed_pins", "revoked_at"])
    _note("share.open", link, link.guest, request, outcome="failure", reason="wrong PIN", tries=link.failed_pins)
    if link.failed_pins >= WRONG_PINS:
        revoke(link, None, request, reason=TOO_MANY)
        owner, address = link.made_by, settings.FARVIEW_PUBLIC_URL + reverse("shares")
        transaction.on_commit(lambda: tell(owner, "wrong PINs ended a link", MAIL, address))


def use(link: ShareLink, request: Request) -> bool:
    """Use the link once. Of two who come for its last use, one gets in. Within a transaction."""
    now = timezone.now()
    good = ShareLink.objects.filter(pk=link.pk, revoked_at=None, expires_at__gt=now)
    good = good.filter(Q(most_uses=None) | Q(uses__lt=F("most_uses")))
    if not good.update(uses=F("uses") + 1, last_used_at=now, failed_pins=0):
        return False
    _note("share.open", link, link.guest, request)
    return True


def link_of(user: Any) -> ShareLink | None:
    """The link by which `user` came; None for everybody who has an account."""
    if not isinstance(user, User) or user.pk is None:
        return None
    return ShareLink.objects.select_related("organization", "made_by").filter(guest=user).first()


def session_ends(link: ShareLink) -> datetime:
    """When whoever comes in now is signed out at the latest."""
    return min(link.expires_at, timezone.now() + LONGEST_SESSION)


# --- whoever leaves takes their links along


@receiver(post_save, sender=User)
def end_links_of_the_disabled(sender: type[User], instance: User, created: bool = False, **_: Any) -> None:
    if not created and not instance.is_active:
        _end_all(ShareLink.objects.filter(made_by=instance))


@receiver(post_save, sender=Membership)
@receiver(post_delete, sender=Membership)
def end_links_of_who_reads_no_more(
    sender: type[Membership], instance: Membership, created: bool = False, **_: Any
) -> None:
    if created or instance.role == Role.GUEST:
        return
    links = ShareLink.objects.filter(made_by=instance.user_id, revoked_at=None)
    held = Membership.objects.filter(user=instance.user_id, role__in=READING_ROLES)
    _end_all(links.exclude(organization__in=held.values("organization")))


def _end_all(links: QuerySet[ShareLink]) -> None:
    for link in links.filter(revoked_at=None, expires_at__gt=timezone.now()).select_related("organization", "guest"):
        with transaction.atomic():
            revoke(link, None, None, reason="owner left")


def _note(
    action: str,
    link: ShareLink,
    actor: User,
    request: Request | None,
    outcome: str = "success",
    patient_id: str = "",
    **detail: Any,
) -> None:
    audit.record(
        action,
        actor=actor,
        request=request,
        organization=link.organization.name,
        patient_id=patient_id,
        study_instance_uid=link.study_instance_uid,
        outcome=outcome,
        purpose=PURPOSE,
        detail={"link": link.pk, "scope": link.scope, "report": link.report, **detail},
    )
