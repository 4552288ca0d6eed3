"""Backups that the server makes by itself: when the next one is due, what it is called, which old ones go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from viewer.archive import backup

logger = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
AGAIN_AFTER = timedelta(hours=1)
"""Between two tries when one failed."""
STEM, SUFFIX = "farview-", ".backup"
NICENESS = 10


def name_of(at: datetime) -> str:
    return f"{STEM}{at:%Y%m%dT%H%M%SZ}{SUFFIX}"


def is_due(state: dict[str, Any], hours: float, now: datetime) -> bool:
    """`state` as `backup.state` tells it. One that failed is tried again sooner than the next would be due."""
    tried = [_moment(state["newest"]["at"])] if state["newest"] else []
    if state["problem"] and not (state["newest"] and state["newest"]["damaged"]):
        failed = _moment(state["problem"]["at"])
        if not tried or failed > tried[0]:
            return now >= failed + min(AGAIN_AFTER, timedelta(hours=hours))
    return not tried or now >= tried[0] + timedelta(hours=hours)


def outlived(names: Iterable[str], keep: int) -> list[str]:
    """Names of our own that are older than the newest `keep`; 0 keeps all. Files of other names are nobody's business."""
    ours = sorted(name for name in names if name.startswith(STEM) and name.endswith(SUFFIX))
    return ours[:-keep] if keep else []


async def backups() -> None:
    """For as long as the server serves."""
    if not settings.FARVIEW_BACKUP_DIR or not settings.FARVIEW_BACKUP_HOURS:
        return
    while True:
        try:
            state = await asyncio.to_thread(backup.state)
            if is_due(state, settings.FARVIEW_BACKUP_HOURS, datetime.now(UTC)):
                await _make(Path(settings.FARVIEW_BACKUP_DIR))
        except Exception:
            logger.exception("cannot make a backup")
        await asyncio.sleep(LOOK_SECONDS)


async def _make(folder: Path) -> None:
    """In a process of its own, which readers do not feel. It keeps its state itself; what it could not, is kept here."""
    target = folder / name_of(datetime.now(UTC))
    if not folder.is_dir():
        return _failed(f"the folder {folder} (FARVIEW_BACKUP_DIR) is not there")
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, sys.argv[0], "backup", str(target)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, running.pid, NICENESS)
    try:
        _, said = await running.communicate()
    except asyncio.CancelledError:
        running.kill()
        raise
    if running.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        return _failed(lines[-1] if lines else f"it ended with {running.returncode}")
    logger.info("a backup was made")
    for name in outlived(os.listdir(folder), settings.FARVIEW_BACKUP_KEEP):
        (folder / name).unlink(missing_ok=True)
    return None


def _failed(text: str) -> None:
    logger.error("no backup was made: %s", text)
    backup.remember_problem(text)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
