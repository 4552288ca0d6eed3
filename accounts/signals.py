"""What happens because something else did: withdrawn rights raise the epoch, signing in and out is written down.

Membership rows changed by `QuerySet.update` or `bulk_create` send no signal: whoever does that calls `User.withdraw`.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, sessions
from accounts.models import ApiToken, Membership, User
from accounts.reauthentication import SIGNED_IN_AT, way_in

RIGHTS_OF_A_PERSON = ("is_active", "password", "is_superuser")


@receiver(pre_save, sender=User)
def notice_withdrawn(sender: type[User], instance: User, raw: bool, **_: Any) -> None:
    """Remember what this save takes away, until it has happened."""
    before = None if raw or instance._state.adding else User.objects.filter(pk=instance.pk).values(*RIGHTS_OF_A_PERSON)
    held = before.first() if before is not None else None
    instance._withdrawn = bool(held) and any(held[name] != getattr(instance, name) for name in RIGHTS_OF_A_PERSON)  # type: ignore[attr-defined]


@receiver(post_save, sender=User)
def withdraw_after_save(sender: type[User], instance: User, **_: Any) -> None:
    """Disabling somebody and a new password end what is connected. (A new password ends the sessions too: Django.)"""
    if getattr(instance, "_withdrawn", False):
        instance._withdrawn = False  # type: ignore[attr-defined]
        instance.withdraw()


@receiver(post_save, sender=Membership)
@receiver(post_delete, sender=Membership)
def withdraw_after_membership(sender: type[Membership], instance: Membership, **_: Any) -> None:
    """A role given, changed or taken."""
    _withdraw(instance.user_id)


@receiver(post_save, sender=ApiToken)
@receiver(post_delete, sender=ApiToken)
def withdraw_after_token(sender: type[ApiToken], instance: ApiToken, created: bool = False, **_: Any) -> None:
    """A token revoked, shortened or deleted. A new one takes nothing away."""
    if not created:
        _withdraw(instance.user_id)


def _withdraw(user_id: int) -> None:
    person = User.objects.filter(pk=user_id).first()
    if person is not None:  # else the person goes too, and nothing is left to ask
        person.withdraw()


@receiver(user_logged_in)
def begin_session(sender: type[User], request: HttpRequest, user: User, **_: Any) -> None:
    """The session ends at a fixed hour, however busy it is: later saves keep the hour."""
    request.session.clear_expired()
    request.session.set_expiry(timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    sessions.begin(request, user)
    request.session[SIGNED_IN_AT] = time.time()
    audit.record("sign-in", actor=user, request=request, detail=way_in(request, user))


@receiver(user_logged_out)
def end_session(sender: type[User], request: HttpRequest, user: User | None, **_: Any) -> None:
    sessions.let_go(request.session)
    if user is not None:
        why = getattr(request, "sign_out_by", "")
        audit.record("sign-out", actor=user, request=request, detail={"by": why} if why else {})
