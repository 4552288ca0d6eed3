"""An archive that an older version took in is read again by the server itself, while it serves: for what this version knows to
look for in a header."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

from django.conf import settings
from django.db import connection

from viewer.archive.aside import keep_state, run_command
from viewer.dicom.read import READ_AS
from viewer.models import Instance

logger = logging.getLogger(__name__)

STATE = "headers.read"


async def reading_anew() -> None:
    """Once for each version that reads more than the last, in a process of its own that readers do not feel. One that is cut
    off begins again with the next start of the server."""
    if await asyncio.to_thread(_is_read):
        return
    if await asyncio.to_thread(_holds_objects):
        logger.info("the headers of all stored objects are read again, as this version reads more of them")
        if said := await run_command("reindex"):
            logger.error("not all headers could be read again; `manage.py reindex` names them: %s", said)
    await asyncio.to_thread(keep_state, STATE, {"as": READ_AS})


def new_archive() -> None:
    """Of one that holds nothing yet: what comes in from now on is read by this version."""
    keep_state(STATE, {"as": READ_AS})


def _is_read() -> bool:
    try:
        kept = json.loads((Path(settings.FARVIEW_DATA_DIR) / STATE).read_text())
    except (OSError, ValueError):
        return False
    return isinstance(kept, dict) and kept.get("as") == READ_AS


def _holds_objects() -> bool:
    try:
        return Instance.objects.exists()
    finally:
        connection.close()
