"""Key images write themselves into the archive: a task of the server."""

from __future__ import annotations

from datetime import datetime

from viewer.api.key_images import draw_kept
from viewer.marks import key_objects
from viewer.serving.database import database
from viewer.tasks import repeatedly

PERIOD_SECONDS = 20.0
ACTOR = "farview"


class KeyImageObjects:
    """Writes what is due. The first look is at everything: a server that was stopped too early catches up."""

    def __init__(self) -> None:
        self._since: datetime | None = None

    async def look(self) -> list[str]:
        """Write what is due now; the SOP Instance UIDs written."""
        self._since, written = await key_objects.write_due(ACTOR, draw_kept, self._since, database)
        return written

    async def run(self) -> None:
        """Look for as long as the process serves."""
        await repeatedly(self.look, PERIOD_SECONDS, "key images to write")
