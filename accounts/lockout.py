"""Five wrong passwords in a quarter of an hour, for one name from one address, and that door stays shut for a while.

A try counts from the moment it begins, so that many at once are counted too; success takes its tries back.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from enum import Enum

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import FailedSignIn

WINDOW = timedelta(minutes=15)
TRIES_PER_NAME = 5
TRIES_PER_ADDRESS = 50
"""For many names from one address; a clinic behind one address has many people who mistype."""


class Try(Enum):
    """What becomes of a try."""

    GO = "go"
    LOCKED_NOW = "locked now"
    """The first one that is refused: worth writing down."""
    LOCKED = "locked"
    """Another one; whoever goes on knocking fills no record."""


def name_digest(name: str) -> str:
    """A name as it is kept: keyed, because people type passwords into the wrong field."""
    return hmac.new(settings.SECRET_KEY.encode(), name.strip().casefold().encode(), hashlib.sha256).hexdigest()


def begin_try(name: str, address: str) -> Try:
    """Count one try; unless it may go on, its password must not even be looked at."""
    now, digest = timezone.now(), name_digest(name)
    with transaction.atomic():
        FailedSignIn.objects.filter(at__lte=now - WINDOW).delete()
        recent = FailedSignIn.objects.filter(address=address)
        of_name = recent.filter(name_digest=digest).count()
        above = max(recent.count() - TRIES_PER_ADDRESS, of_name - TRIES_PER_NAME)
        if above <= 0:
            FailedSignIn.objects.create(name_digest=digest, address=address, at=now)
    return Try.GO if above < 0 else Try.LOCKED_NOW if above == 0 else Try.LOCKED


def succeed(name: str, address: str) -> None:
    """The right password was given: what came before it is forgotten."""
    FailedSignIn.objects.filter(name_digest=name_digest(name), address=address).delete()
