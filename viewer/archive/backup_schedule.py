"""Backups that the server makes by itself: when the next one is due, what it is called, which old ones go."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from viewer.archive import backup
from viewer.archive.aside import run_command

logger = logging.getLogger(__name__)

LOOK_SECONDS, ASKED_SECONDS = 60.0, 1.0
AGAIN_AFTER = timedelta(hours=1)
"""Between two tries when one failed."""
STEM, SUFFIX = "farview-", ".backup"


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


def wrong(state: dict[str, Any], hours: float, now: datetime) -> str:
    """ "failed": the newest try did not go well; "overdue": backups by the server do not happen; else empty."""
    if state["problem"]:
        return "failed"
    made = _moment(state["sound"]["at"]) if state["sound"] else None
    if hours and (made is None or now > made + timedelta(hours=2 * hours)):
        return "overdue"
    return ""


def standing() -> str:
    """As `wrong`, of this server now. One that has no folder for backups makes none, which is for its administrator to know."""
    hours = settings.FARVIEW_BACKUP_HOURS if settings.FARVIEW_BACKUP_DIR else 0
    state = backup.state()
    if hours and state["newest"] is None and not state["problem"]:
        return ""  # the first is being made
    return wrong(state, hours, datetime.now(UTC))


def outlived(names: Iterable[str], keep: int) -> list[str]:
    """Names of our own that are older than the newest `keep`; 0 keeps all. Files of other names are nobody's business."""
    ours = sorted(name for name in names if name.startswith(STEM) and name.endswith(SUFFIX))
    return ours[:-keep] if keep else []


async def backups() -> None:
    """For as long as the server serves."""
    if not settings.FARVIEW_BACKUP_DIR:
        return
    while True:
        try:
            if await asyncio.to_thread(_wanted_now):
                await _make(Path(settings.FARVIEW_BACKUP_DIR))
        except Exception:
            logger.exception("cannot make a backup")
        for _ in range(int(LOOK_SECONDS / ASKED_SECONDS)):
            if _asked().exists():
                break
            await asyncio.sleep(ASKED_SECONDS)


def ask() -> None:
    """Have the server make one as soon as it looks, whatever the hours."""
    _asked().touch(mode=0o600)


def is_asked() -> bool:
    return _asked().exists()


def _wanted_now() -> bool:
    """Somebody asked for one, or one is due. Answered once."""
    if is_asked():
        _asked().unlink(missing_ok=True)
        return True
    hours = settings.FARVIEW_BACKUP_HOURS
    return bool(hours) and is_due(backup.state(), hours, datetime.now(UTC))


def _asked() -> Path:
    return Path(settings.FARVIEW_DATA_DIR) / "backup.asked"


async def _make(folder: Path) -> None:
    """In a process of its own, which readers do not feel. It keeps its state itself; what it could not, is kept here."""
    target = folder / name_of(datetime.now(UTC))
    if not folder.is_dir():
        return _failed(f"the folder {folder} (FARVIEW_BACKUP_DIR) is not there")
    if said := await run_command("backup", str(target)):
        return _failed(said)
    logger.info("a backup was made")
    for name in outlived(os.listdir(folder), settings.FARVIEW_BACKUP_KEEP):
        (folder / name).unlink(missing_ok=True)
    return None


def _failed(text: str) -> None:
    logger.error("no backup was made: %s", text)
    backup.remember_problem(text)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
