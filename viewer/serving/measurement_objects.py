"""Reports of measurements write themselves: a task of the server that looks now and then for studies at rest."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from viewer.marks import reports
from viewer.serving.database import database

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 20.0
ACTOR = "farview"


class MeasurementObjects:
    """Writes what is due. The first look is at everything: a server that was stopped too early catches up."""

    def __init__(self) -> None:
        self._since: datetime | None = None

    async def look(self) -> list[str]:
        """Write what is due now; the SOP Instance UIDs written."""
        self._since, written = await database(reports.write_due)(ACTOR, self._since)
        return written

    async def run(self) -> None:
        """Look for as long as the process serves."""
        while True:
            try:
                await self.look()
            except Exception:
                logger.exception("cannot look for measurements to write")
            await asyncio.sleep(PERIOD_SECONDS)
