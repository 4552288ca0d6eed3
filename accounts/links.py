"""Links that sign one person in, once."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.authentication import digest_of
from accounts.models import SignInLink, User

LIFETIME = timedelta(hours=24)


def make_link(user: User, lifetime: timedelta = LIFETIME) -> str:
    """The address of a fresh link; the ones made for `user` before are worth nothing from now on."""
    raw = secrets.token_urlsafe(32)
    SignInLink.objects.filter(user=user, used_at=None).delete()
    SignInLink.objects.create(user=user, digest=digest_of(raw), expires_at=timezone.now() + lifetime)
    return settings.FARVIEW_PUBLIC_URL + reverse("sign-in-link", args=[raw])


def person_of_link(raw: str) -> User | None:
    """Whom the link would sign in; None when it is unknown, used or expired, or its person is disabled."""
    link = _good_links(raw).select_related("user").first()
    return link.user if link else None


def use_link(raw: str) -> User | None:
    """Use the link up and say whom it signs in. Of two who come at once, one."""
    person = person_of_link(raw)
    return person if person and _good_links(raw).update(used_at=timezone.now()) else None


def _good_links(raw: str):  # noqa: ANN202
    return SignInLink.objects.filter(
        digest=digest_of(raw), used_at=None, expires_at__gt=timezone.now(), user__is_active=True
    )
