"""Transfers as a job of the DICOM process: one at a time for each peer, several peers side by side.

What was acknowledged is written down every second, so that a process that dies sends little again; whoever stops in order
sends nothing again.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connections

from viewer.archive import transfers
from viewer.archive.rows import DatabaseBusy
from viewer.archive.storage import StorageFull
from viewer.archive.transfers import Lost
from viewer.dimse import priors, queue_fetching, queue_sending
from viewer.dimse.calling import NotReached
from viewer.dimse.queue_work import InVain, Stopped, TryAgain, Work
from viewer.dimse.remote import NotAnswered
from viewer.models import Transfer

logger = logging.getLogger(__name__)

PERIOD_S = 1.0
AT_ONCE = 4
"""Peers."""
STOPS_WITHIN_S = 20.0

KINDS: dict[str, Callable[[Work], None]] = {
    transfers.SEND: queue_sending.run,
    transfers.RETRIEVE: queue_fetching.run,
    transfers.PRIORS: priors.run,
}
"""What doing a transfer is. It returns when all is done, or raises why not."""


@dataclass(slots=True)
class _Busy:
    """A thread at work for one peer."""

    thread: threading.Thread
    stop: threading.Event = field(default_factory=threading.Event)
    transfer: int = 0


class Queue:
    """Does what is due, for as long as the process lives."""

    def __init__(self, end: threading.Event) -> None:
        self._end = end
        self._token = secrets.token_hex(16)
        self._busy: dict[int, _Busy] = {}
        self._resting: dict[int, float] = {}
        """Peers that cannot be reached, and until when nothing else of theirs is tried."""
        self._renewed_at = 0.0

    def run(self) -> None:
        try:
            while not self._end.is_set():
                self.look()
                self._end.wait(PERIOD_S)
        finally:
            self._stop()

    def look(self) -> None:
        """Begin on peers for which something is due; say of what is running that it still is."""
        self._busy = {peer: one for peer, one in self._busy.items() if one.thread.is_alive()}
        try:
            self._renew()
            for peer in transfers.due_peers():
                if len(self._busy) >= AT_ONCE:
                    break
                if peer not in self._busy and self._resting.get(peer, 0.0) <= time.monotonic():
                    self._begin(peer)
        except DatabaseBusy as problem:
            logger.warning("Transfers wait: %s", problem)

    def settle(self) -> None:
        """Look, and wait until what was begun is done."""
        self.look()
        for one in list(self._busy.values()):
            while one.thread.is_alive():
                one.thread.join(PERIOD_S)
                self._renew()

    def _renew(self) -> None:
        if time.monotonic() - self._renewed_at < transfers.RENEWED_EVERY_S:
            return
        self._renewed_at = time.monotonic()
        running = {one.transfer: one.stop for one in self._busy.values() if one.transfer}
        held = transfers.renew(running, self._token) if running else set()
        for pk, stop in running.items():
            if pk not in held:
                stop.set()

    def _begin(self, peer: int) -> None:
        thread = threading.Thread(target=self._drain, args=(peer,), name="transfers", daemon=True)
        self._busy[peer] = _Busy(thread)
        thread.start()

    def _stop(self) -> None:
        for one in self._busy.values():
            one.stop.set()
        until = time.monotonic() + STOPS_WITHIN_S
        for one in self._busy.values():
            one.thread.join(max(0.0, until - time.monotonic()))

    # --- in a thread of a peer's own

    def _drain(self, peer: int) -> None:
        """One after the other until nothing is due or the peer is gone."""
        busy = self._busy[peer]
        try:
            while not self._end.is_set() and (transfer := transfers.claim(peer, self._token)):
                busy.stop, busy.transfer = threading.Event(), transfer.pk
                reached = self._do(transfer, busy.stop)
                busy.transfer = 0
                if not reached:
                    self._resting[peer] = time.monotonic() + transfers.wait(transfer.tries).total_seconds()
                    return
            self._resting.pop(peer, None)
        except DatabaseBusy as problem:
            logger.warning("Transfers of a peer wait: %s", problem)
        except Exception:
            logger.exception("A transfer ended unforeseen, and is tried again")
        finally:
            connections.close_all()

    def _do(self, transfer: Transfer, stop: threading.Event) -> bool:
        """One try of one transfer; False when the peer cannot be reached."""
        work = Work(transfer, self._token, stop)
        try:
            return self._tried(work)
        except Lost:
            transfers.leave(transfer, self._token)
            return True

    def _tried(self, work: Work) -> bool:
        transfer, token = work.transfer, self._token
        try:
            KINDS[transfer.kind](work)
            transfers.finish(transfer, token, work.remark)
        except NotReached as problem:
            transfers.fail(transfer, token, str(problem))
            return False
        except (TryAgain, NotAnswered, StorageFull) as problem:
            transfers.fail(transfer, token, str(problem))
        except InVain as problem:
            transfers.give_up(transfer, token, str(problem))
        except Stopped:
            transfers.put_back(transfer, token)
        except (Lost, DatabaseBusy):
            raise
        except Exception as problem:  # what it says may name the patient, and stays in no row that administrators see
            logger.exception("A transfer could not be done")
            transfers.fail(transfer, token, f"it could not be done ({type(problem).__name__})")
        return True


def run(stop: threading.Event) -> None:
    """The job."""
    Queue(stop).run()
