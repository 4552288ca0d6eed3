"""The server's side of the DICOM node: begins its process, begins it anew when it falls, ends it with the server."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import subprocess
import sys
import threading
import time

from django.apps import apps

logger = logging.getLogger(__name__)

RESTS_S = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Before it is begun anew, longer each time."""
STEADY_S = 60.0
"""Who ran for so long is begun anew as if for the first time."""
STOPS_WITHIN_S = 7.8


class Supervisor:
    """One child process, in the process group of the server. Its thread lives as long as the server: the child's kernel tells
    it of the end of the thread that began it."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="dicom supervisor", daemon=True)

    @property
    def listening(self) -> bool:
        """Whether the node takes associations at this moment."""
        return self._ready.is_set()

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None else None

    def start(self) -> None:
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Until it listens."""
        return self._ready.wait(seconds)

    def stop(self) -> None:
        """Ask it to end, and see to it that it does."""
        self._stopping.set()
        child = self._child
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        try:
            child.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(1)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                status = self._once()
            except OSError as problem:
                status = problem.errno or 1
            if self._stopping.is_set():
                return
            failures = 0 if time.monotonic() - began > STEADY_S else failures + 1
            rest = RESTS_S[min(max(failures, 1), len(RESTS_S)) - 1]
            logger.error("The DICOM node ended (%d); it begins anew in %.0f s", status, rest)
            self._stopping.wait(rest)

    def _once(self) -> int:
        """Run one child to its end; its exit status."""
        lifeline_read, lifeline_write = os.pipe()
        ready_read, ready_write = os.pipe()
        try:
            self._child = subprocess.Popen(
                [
                    *(sys.executable, sys.argv[0], "dicom_node"),
                    *("--lifeline", str(lifeline_read), "--ready", str(ready_write)),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=(lifeline_read, ready_write),
            )
            os.close(ready_write)
            ready_write = -1
            if self._stopping.is_set():  # told to while it was being begun
                self._child.terminate()
            if self._said_ready(ready_read):
                self._ready.set()
            return self._child.wait()
        finally:
            self._ready.clear()
            for handle in (lifeline_read, lifeline_write, ready_read, ready_write):
                if handle >= 0:
                    os.close(handle)

    def _said_ready(self, handle: int) -> bool:
        """It has, or it ended without."""
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        while not poll.poll(500):
            if self._child is None or self._child.poll() is not None:
                return False
        return bool(os.read(handle, 64))


def supervisor() -> Supervisor | None:
    """That of this process, where a DICOM node was begun; kept on the app's configuration."""
    found = getattr(apps.get_app_config("viewer"), "dicom_node", None)
    return found if isinstance(found, Supervisor) else None


def begin() -> Supervisor:
    """Begin the node beside this process."""
    made = Supervisor()
    apps.get_app_config("viewer").dicom_node = made  # type: ignore[attr-defined]
    made.start()
    return made


def listens() -> bool:
    """Whether whoever was promised a DICOM listener finds one."""
    found = supervisor()
    return found is None or found.listening
