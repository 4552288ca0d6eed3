"""Large files are read in a process of their own: it has so much time and memory and no more, and holds up nobody here.

A module that can be run so has `if __name__ == "__main__": answer(read)`, and is asked with `asked(module, path)`.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import Refused

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60
MEMORY = 2 << 30
"""Bytes of address space."""
AT_ONCE = 2
PATIENCE = 10.0
"""Seconds for which one waits until others are read."""

_turn = threading.BoundedSemaphore(AT_ONCE)


class Waiting(Exception):
    """Too many large files are being read at this moment."""


def asked(module: str, path: Path, seconds: float = SECONDS) -> Any:
    """What `module`, run as a process, has to say about a file. Raises Refused, Waiting."""
    if not _turn.acquire(timeout=PATIENCE):
        raise Waiting("large reports are being read; try again in a moment")
    try:
        command = [sys.executable, "-m", module, str(path.resolve())]
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False, cwd=ROOT)
    except subprocess.TimeoutExpired:
        raise Refused(f"reading it takes longer than {seconds:g} s", "limit") from None
    finally:
        _turn.release()
    if done.returncode != 0:
        raise Refused("reading it takes more memory or time than one report may", "limit")
    said = json.loads(done.stdout)
    if "refused" in said:
        raise Refused(*said["refused"])
    return said["found"]


def answer(read: Callable[[Path], Any]) -> None:
    """The child: reads the file that its argument names and writes what it found, as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        said = {"found": read(Path(sys.argv[1]))}
    except Refused as problem:
        said = {"refused": [problem.reason, problem.code]}
    json.dump(said, sys.stdout)
