"""Deliveries on their way: a task of the server.

Each destination has its rows sent one by one, oldest first; a destination that is slow or gone keeps no other waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time

from reporting.delivery import claims, payloads, schedule
from reporting.delivery.claims import Lost
from reporting.delivery.kinds import KINDS
from reporting.delivery.outcomes import NotSent, Outgoing, fault
from reporting.models import Delivery
from viewer.archive.rows import DatabaseBusy
from viewer.archive.storage import StorageFull
from viewer.serving.database import database
from viewer.tasks import repeatedly

logger = logging.getLogger(__name__)

PERIOD_S = 2.0
AT_ONCE = 4
"""Destinations."""


class Sender:
    """Sends what is due, for as long as the process serves."""

    def __init__(self) -> None:
        self._token = secrets.token_hex(16)
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._resting: dict[int, float] = {}
        """Destinations that cannot be reached, and until when nothing else is tried there."""

    async def run(self) -> None:
        try:
            await repeatedly(self.look, PERIOD_S, "reports to deliver")
        finally:
            for task in self._busy.values():
                task.cancel()

    async def look(self) -> None:
        """Begin on destinations for which something is due."""
        self._busy = {pk: task for pk, task in self._busy.items() if not task.done()}
        for pk in await database(claims.due_destinations)():
            if len(self._busy) >= AT_ONCE:
                break
            if pk not in self._busy and self._resting.get(pk, 0.0) <= time.monotonic():
                self._busy[pk] = asyncio.ensure_future(self._drain(pk))

    async def settle(self) -> None:
        """Look, and wait until what was begun is done."""
        await self.look()
        await asyncio.gather(*self._busy.values())

    async def _drain(self, destination: int) -> None:
        """Send one after the other until nothing is due or the destination is gone."""
        try:
            while delivery := await database(claims.claim)(destination, self._token):
                if not await self._deliver(delivery):
                    self._resting[destination] = time.monotonic() + schedule.plain_wait(delivery.tries)
                    return
            self._resting.pop(destination, None)
        except (Lost, DatabaseBusy) as problem:
            logger.warning("A delivery is left to another: %s", type(problem).__name__)
        except Exception as problem:
            logger.error("A delivery ended unforeseen, and is tried again: %s", fault(problem))

    async def _deliver(self, delivery: Delivery) -> bool:
        """One try; False when nothing more can be sent there for now."""
        try:
            answer = await self._held(delivery)
        except NotSent as problem:
            await database(claims.fail)(delivery, self._token, str(problem), problem.answer)
            return not problem.unreachable
        except (StorageFull, DatabaseBusy) as problem:
            await database(claims.fail)(delivery, self._token, str(problem))
            return False
        except Lost:
            raise
        except Exception as problem:  # what it says may name the patient, and stays in no row that administrators see
            logger.error("A report could not be sent: %s", fault(problem))
            await database(claims.fail)(delivery, self._token, f"It could not be sent ({type(problem).__name__}).")
            return True
        await database(claims.acknowledge)(delivery, self._token, answer)
        return True

    async def _held(self, delivery: Delivery) -> str:
        """Make and send it while saying that it is ours. Raises Lost when it no longer is."""
        work = asyncio.ensure_future(self._send(delivery))
        watch = asyncio.ensure_future(self._renew(delivery))
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise Lost
            return work.result()
        finally:
            for task in (work, watch):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(work, watch, return_exceptions=True)

    async def _send(self, delivery: Delivery) -> str:
        payload = await database(payloads.made)(delivery)
        await database(claims.begin)(delivery, self._token, payload)
        outgoing: Outgoing = await database(payloads.outgoing)(delivery, payload)
        return await KINDS[delivery.destination.kind].send(outgoing)

    async def _renew(self, delivery: Delivery) -> None:
        """Until the claim is lost."""
        while True:
            await asyncio.sleep(claims.RENEWED_EVERY_S)
            try:
                if not await database(claims.renew)(delivery, self._token):
                    return
            except Exception:
                logger.exception("cannot say that a delivery is still being sent")


async def deliver() -> None:
    """The task."""
    await Sender().run()
