"""What `manage.py verify` reads beside the archive's own bytes and the record: chains and rows that other apps keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

Check = Callable[[], Iterator[str]]
"""Reads what there is to read; what is wrong, in sentences that name it."""
Owners = Callable[[str], Iterable[str]]
"""SHA-256 of stored bytes -> what they are, in words."""

CHECKS: dict[str, Check] = {}
OWNERS: list[Owners] = []


def add(name: str, check: Check, owners: Owners | None = None) -> None:
    """Called from the `ready` of an app; a second one of the same name takes the first one's place."""
    CHECKS[name] = check
    if owners is not None and owners not in OWNERS:
        OWNERS.append(owners)
