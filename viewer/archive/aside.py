"""Long work beside the server: in a process of its own that readers do not feel, one of a kind at a time, with a word kept on
how it went."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

NICENESS = 10


class Busy(Exception):
    """Work of this kind is being done already; the message says which."""


async def run_command(*words: str) -> str:
    """One of `manage.py`. "" where it went well, else the last line of what it said was wrong. It ends with its caller."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, sys.argv[0], *words),
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
    lines = said.decode(errors="replace").strip().splitlines()
    return (lines[-1] if lines else f"it ended with {running.returncode}") if running.returncode else ""


@contextlib.contextmanager
def alone(name: str, otherwise: str) -> Iterator[None]:
    """Holds the lock `name` of the data folder. Raises Busy with the words `otherwise` where another process does."""
    handle = os.open(Path(settings.FARVIEW_DATA_DIR) / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(otherwise) from None
        yield
    finally:
        os.close(handle)


def keep_state(name: str, value: dict[str, Any]) -> None:
    """As the file `name` of the data folder, whole or not at all."""
    target = Path(settings.FARVIEW_DATA_DIR) / name
    draft = target.with_name(f".{name}.{secrets.token_hex(8)}")
    draft.write_text(json.dumps(value))
    draft.chmod(0o600)
    os.replace(draft, target)
