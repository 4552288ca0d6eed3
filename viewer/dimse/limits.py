"""What a peer may ask of the listener, and who has an association at the moment. All checked before anything is allocated."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Limits:
    pdu_bytes: int = 2**20
    """Of one PDU, its head left out; a longer one ends the association before a byte of it is read."""
    control_bytes: int = 2**16
    """Of a PDU that neither asks for an association nor carries data, and of a command set."""
    identifier_bytes: int = 16 * 2**20
    """Of a data set that is no object to store: a query, a list of references."""
    object_bytes: int = 4 * 2**30
    associations: int = 50
    idle_s: float = 60.0
    """Nothing moves in an association for so long; also the longest time for one PDU, in and out."""
    negotiation_s: float = 10.0
    """From the connection to the whole request for an association."""
    waiting: int = 256
    """Connections that have said nothing yet."""
    waiting_of_one: int = 64
    """Of one address; its oldest gives way to its newest."""
    negotiating: int = 64
    """Associations that have begun to ask and are not admitted yet; one address may have half."""
    requests_ahead: int = 16
    """Messages of one association that wait for their turn; nobody was invited to send more than one (PS3.7 D.3.3.3)."""

    @property
    def of_one_peer(self) -> int:
        """Associations that one peer may hold."""
        return max(1, self.associations // 2)

    @property
    def negotiating_of_one(self) -> int:
        return max(1, self.negotiating // 2)


def limits() -> Limits:
    """The limits of the settings."""
    return Limits(
        pdu_bytes=settings.FARVIEW_MAX_PDU_BYTES,
        object_bytes=settings.FARVIEW_MAX_OBJECT_BYTES,
        associations=max(1, settings.FARVIEW_DICOM_ASSOCIATIONS),
        idle_s=float(max(1, settings.FARVIEW_DICOM_IDLE_SECONDS)),
    )


class Seats:
    """How many associations are negotiated, of all peers and of each. A connection that was never admitted takes none."""

    def __init__(self, bounds: Limits) -> None:
        self._bounds = bounds
        self._lock = threading.Lock()
        self._taken: Counter[int] = Counter()

    def take(self, peer: int) -> bool:
        """Whether there is one for this peer; it is to be given back."""
        with self._lock:
            if self._taken.total() >= self._bounds.associations or self._taken[peer] >= self._bounds.of_one_peer:
                return False
            self._taken[peer] += 1
            return True

    def give_back(self, peer: int) -> None:
        with self._lock:
            self._taken[peer] -= 1
            if self._taken[peer] <= 0:
                del self._taken[peer]

    @property
    def taken(self) -> int:
        with self._lock:
            return self._taken.total()
