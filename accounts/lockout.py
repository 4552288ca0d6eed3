"""Five wrong passwords in a quarter of an hour, for one name from one address, and that door stays shut for a while.

A try counts from the moment it begins, so that many at once are counted too; success takes its tries back.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import FailedSignIn

WINDOW = timedelta(minutes=15)
TRIES_PER_NAME = 5
TRIES_PER_ADDRESS = 50
"""For many names from one address; a clinic behind one address has many people who mistype."""


def name_digest(name: str) -> str:
    """A name as it is kept: keyed, because people type passwords into the wrong field."""
    return hmac.new(settings.SECRET_KEY.encode(), name.strip().casefold().encode(), hashlib.sha256).hexdigest()


def begin_try(name: str, address: str) -> bool:
    """Count one try; False when it must not even be looked at."""
    now, digest = timezone.now(), name_digest(name)
    with transaction.atomic():
        FailedSignIn.objects.filter(at__lte=now - WINDOW).delete()
        recent = FailedSignIn.objects.filter(address=address)
        if recent.count() >= TRIES_PER_ADDRESS or recent.filter(name_digest=digest).count() >= TRIES_PER_NAME:
            return False
        FailedSignIn.objects.create(name_digest=digest, address=address, at=now)
    return True


def succeed(name: str, address: str) -> None:
    """The right password was given: what came before it is forgotten."""
    FailedSignIn.objects.filter(name_digest=name_digest(name), address=address).delete()
