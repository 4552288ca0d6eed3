"""Who may call, and for what: rows of peers, by AE title and address. Whoever is in none is refused."""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from accounts import audit
from viewer.archive.rows import patiently
from viewer.models import DicomPeer

if TYPE_CHECKING:
    from viewer.dimse.listening import Accepted

logger = logging.getLogger(__name__)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

RIGHTS_ARE_ASKED_EVERY_S = 5.0
SEEN_IS_WRITTEN_EVERY_S = 60.0
DENIALS_EVERY_S = 60.0
MOST_DENIALS = 60
"""Callers remembered for the time above; beyond, denials are counted and not written."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Of an association (PS3.8 9.3.4): result, source, reason; and why, in words."""

    code: tuple[int, int, int]
    reason: str


UNKNOWN_CALLER = Refusal((1, 1, 3), "unknown caller")
UNKNOWN_CALLED = Refusal((1, 1, 7), "not our AE title")
NO_SEAT = Refusal((2, 3, 2), "too many associations")
NOT_NOW = Refusal((2, 3, 1), "the database does not answer")


class Withdrawn(Exception):
    """The peer's row has gone or was switched off since its association began."""


def peer_of(association: Any) -> DicomPeer:
    """The peer that an accepted association belongs to, as its row is now (asked again every few seconds).

    Raises Withdrawn."""
    accepted: Accepted = association
    peer = accepted.peer
    if peer is None:
        raise Withdrawn("an association without a peer")
    now = time.monotonic()
    if now - accepted.peer_asked_at > RIGHTS_ARE_ASKED_EVERY_S:
        found = DicomPeer.objects.select_related("organization").filter(pk=peer.pk, active=True).first()
        accepted.peer_asked_at, accepted.withdrawn = now, found is None
        accepted.peer = peer = found or peer
    if accepted.withdrawn:
        raise Withdrawn("the peer may not call any more")
    return peer


def caller(association: Any) -> DicomPeer:
    """The peer that an association was accepted from, as it was last seen: for the record, also of what it may not any more."""
    accepted: Accepted = association
    if accepted.peer is None:
        raise Withdrawn("an association without a peer")
    return accepted.peer


def may(association: Any, right: str) -> bool:
    """Whether its peer has a right now: store, query, retrieve, commit."""
    try:
        return bool(getattr(peer_of(association), f"may_{right}"))
    except Withdrawn:
        return False


def actor(peer: DicomPeer) -> str:
    """Who acts, as the record names peers."""
    return f"dicom:{peer.ae_title}"


def admitted(calling: str, called: str, address: str) -> DicomPeer | Refusal:
    """The peer that calls, or why nobody does."""
    if called != settings.FARVIEW_DICOM_AE_TITLE:
        return UNKNOWN_CALLED
    try:
        rows = list(DicomPeer.objects.select_related("organization").filter(ae_title=calling, active=True))
    except DatabaseError:
        logger.exception("Nobody can be admitted to the DICOM listener")
        return NOT_NOW
    return best_match(rows, address) or UNKNOWN_CALLER


def best_match(rows: list[DicomPeer], address: str) -> DicomPeer | None:
    """The row whose host is this address; a single address comes before a name, a name before a network, a small network
    before a large one."""
    caller = plain_address(address)
    if caller is None:
        return None
    ranked = sorted((rank, row.pk, row) for row in rows if (rank := _rank(row.host, caller)) is not None)
    return ranked[0][2] if ranked else None


def plain_address(text: str) -> Address | None:
    """An address, an IPv4 one within IPv6 as itself; None for what is none."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def _rank(host: str, caller: Address) -> int | None:
    """How closely a row's host names the caller, 0 the closest; None: not at all."""
    try:
        network = ipaddress.ip_network(host.strip(), strict=False)
    except ValueError:
        return 1 if caller in _addresses(host) else None
    if caller not in network:
        return None
    narrow = network.max_prefixlen - network.prefixlen
    return 0 if narrow == 0 else 1 + narrow


def _addresses(name: str) -> set[Address]:
    try:
        found = socket.getaddrinfo(name.strip(), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()
    return {address for entry in found if (address := plain_address(str(entry[4][0]))) is not None}


def seen(peer: DicomPeer) -> None:
    """Note that a peer has called, now and then."""
    now = timezone.now()
    if peer.last_seen_at is not None and (now - peer.last_seen_at).total_seconds() < SEEN_IS_WRITTEN_EVERY_S:
        return
    try:
        DicomPeer.objects.filter(pk=peer.pk).update(last_seen_at=now)
    except DatabaseError:
        logger.info("Could not note when a DICOM peer called last")


class Denials:
    """Refused callers in the record: one line for an address and a reason every minute, however often it calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written: dict[tuple[str, str], float] = {}
        self._unwritten: dict[tuple[str, str], int] = {}

    def note(self, refusal: Refusal, calling: str, called: str, address: str) -> None:
        key = (address, refusal.reason)
        count = self._count(key)
        if not count:
            return
        logger.warning("Refused a DICOM association from %s: %s", address, refusal.reason)
        detail = {"calling": calling, "called": called, "reason": refusal.reason, "count": count}
        try:
            patiently(
                lambda: audit.record(
                    "dicom.associate", actor=f"dicom:{calling}", origin=address, outcome="denied", detail=detail
                )
            )
        except Exception:
            logger.exception("A refused DICOM association could not be recorded")

    def _count(self, key: tuple[str, str]) -> int:
        """How many calls a line written now stands for; 0: none is to be written yet."""
        now = time.monotonic()
        with self._lock:
            for old in [one for one, at in self._written.items() if now - at > DENIALS_EVERY_S]:
                del self._written[old]
            if key in self._written or len(self._written) >= MOST_DENIALS:
                if key in self._unwritten or len(self._unwritten) < MOST_DENIALS:
                    self._unwritten[key] = self._unwritten.get(key, 0) + 1
                return 0
            self._written[key] = now
            return 1 + self._unwritten.pop(key, 0)
