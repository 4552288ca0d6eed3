"""The record told to a collector of audit messages for as long as the server serves (FARVIEW_AUDIT_SYSLOG)."""

from __future__ import annotations

import asyncio
import logging

from django.conf import settings

from accounts.audit_sending import BATCH, Collector, collector_of, move_place, send, waiting
from viewer.serving.database import database

logger = logging.getLogger(__name__)

REST_S = 2.0
LONGEST_REST_S = 60.0


async def forward() -> None:
    """Send what waits, rest, go on; an outage is told of once, and waited for longer and longer."""
    to = collector_of(settings.FARVIEW_AUDIT_SYSLOG, settings.FARVIEW_AUDIT_CA_FILE)
    rest, down = REST_S, False
    while to is not None:
        try:
            more = await one_batch(to) == BATCH
            if down:
                logger.warning("the collector of audit messages takes them again")
            rest, down = 0.0 if more else REST_S, False
        except Exception as problem:
            if not down:
                logger.warning("the collector of audit messages takes none now: %s", problem)
            rest, down = min(max(rest, REST_S) * 2, LONGEST_REST_S), True
        await asyncio.sleep(rest)


async def one_batch(to: Collector) -> int:
    """How many went. Raises OSError where the collector took none."""
    events = await database(waiting)()
    if events:
        await asyncio.to_thread(send, events, to)
        await asyncio.to_thread(move_place, events[-1].sequence)
    return len(events)
