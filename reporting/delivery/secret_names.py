"""Secrets of destinations: the row holds a name, the environment the secret.

A name is FARVIEW_DELIVERY_SECRET_<ORGANIZATION>__<WORDS>, so that nobody who administers one organization can have another's
sent to a server of theirs, or one of Farview's own.
"""

from __future__ import annotations

import os
import re

PREFIX = "FARVIEW_DELIVERY_SECRET_"
_WORDS = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)*\Z")


def prefix_of(organization: str) -> str:
    return f"{PREFIX}{organization.upper().replace('-', '_')}__"


def is_allowed(name: str, organization: str) -> bool:
    """May a destination of this organization name this secret?"""
    prefix = prefix_of(organization)
    return name.startswith(prefix) and _WORDS.match(name.removeprefix(prefix)) is not None


def secret(name: str, organization: str) -> str:
    """Raises LookupError naming what is missing, never what is there."""
    if not is_allowed(name, organization):
        raise LookupError(f"a secret of this organization is named {prefix_of(organization)}..., in capitals")
    found = os.environ.get(name, "")
    if not found:
        raise LookupError(f"the environment of the server has no {name}")
    return found
