"""Reports of measurements write themselves, and those of others are read when they come: a task of the server."""

from __future__ import annotations

from datetime import datetime

from viewer.marks import others, reports
from viewer.serving.database import database
from viewer.tasks import repeatedly

PERIOD_SECONDS = 20.0
ACTOR = "farview"


class MeasurementObjects:
    """Writes what is due. The first look is at everything: a server that was stopped too early catches up. What others wrote
    before is read when somebody asks for the study."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._read: int | None = None

    async def look(self) -> list[str]:
        """Read what has come, and write what is due now; the SOP Instance UIDs written."""
        self._read = await database(others.read_new)(self._read)
        self._since, written = await database(reports.write_due)(ACTOR, self._since)
        return written

    async def run(self) -> None:
        """Look for as long as the process serves."""
        await repeatedly(self.look, PERIOD_SECONDS, "measurements to write")
