"""The daily run of the rules of retention, in a process of its own that readers do not feel."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from viewer.archive import retention, retention_run
from viewer.archive.aside import run_command
from viewer.models import Deletion

logger = logging.getLogger(__name__)

LOOK_SECONDS = 600.0
EVERY = timedelta(hours=24)
AGAIN_AFTER = timedelta(hours=1)
"""When the last one did not end well."""


def is_due(state: dict[str, Any] | None, now: datetime) -> bool:
    """`state` as `retention_run.state` tells it."""
    if state is None:
        return True
    since = now - datetime.fromisoformat(state["started"])
    return since >= (AGAIN_AFTER if state["problem"] else EVERY)


async def retention_runs() -> None:
    """For as long as the server serves. Without a rule that is on, and nothing left to finish, there is no process."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            if await asyncio.to_thread(_wanted):
                await _run()
        except Exception:
            logger.exception("the rules of retention could not be run")


def _wanted() -> bool:
    try:
        if not is_due(retention_run.state(), datetime.now(UTC)):
            return False
        return retention.rules_in_force().exists() or Deletion.objects.filter(finished_at=None).exists()
    finally:
        connection.close()


async def _run() -> None:
    if wrong := await run_command("retain"):
        logger.error("the rules of retention were not run to their end: %s", wrong)
