"""A real server in a process of its own, for tests that want the whole of it: sockets, signals, a browser."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hand import Hand

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 600.0
"""Compiling kernels for the first time is part of it."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def surroundings(**environment: str) -> dict[str, str]:
    """What a process of a server's own is started with."""
    outside = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    return {**outside, "PYTHONUNBUFFERED": "1", "NO_PROXY": "127.0.0.1,localhost", **environment}


@functools.cache
def migrated() -> Path:
    """A database as `manage.py migrate` leaves it, made once for all workers of a run: half of a first start goes there."""
    from tests.environment import RUN  # in a benchmark nobody has read it yet

    folder = RUN / "migrated"
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "copy.sqlite3"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "-v", "0"],
                cwd=ROOT,
                env=surroundings(FARVIEW_DATA_DIR=str(folder), FARVIEW_DICOM_PORT="0", DATABASE_URL=""),
                check=True,
            )
            making = folder / "copying"
            with (
                contextlib.closing(sqlite3.connect(folder / "farview.sqlite3")) as source,
                contextlib.closing(sqlite3.connect(making)) as copy,
            ):
                source.backup(copy)
            making.rename(made)
    return made


class LiveServer:
    """`manage.py serve` on its own port and data folder; a context manager. `dicom`: with a DICOM node beside it.

    An empty data folder gets a migrated database, unless `first_start` says that the server's own migrations are meant.
    """

    def __init__(
        self, data: Path | None = None, *, dicom: bool = False, first_start: bool = False, **environment: str
    ) -> None:
        self._first_start = first_start
        self._hand: Hand | None = None
        self._passing = data is None
        self.data = data or Path(tempfile.mkdtemp(prefix="farview-live-"))
        self.data.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.host = "127.0.0.1"
        self.url = f"http://{self.host}:{self.port}"
        self.environment = surroundings(
            FARVIEW_DATA_DIR=str(self.data),
            FARVIEW_PORT=str(self.port),
            FARVIEW_DICOM_PORT=str(free_port()) if dicom else "0",
        )
        self.environment.update(environment)
        self.log_path = self.data.parent / f"{self.data.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    # --- its life

    def command(self) -> list[str]:
        return [sys.executable, "manage.py", "serve"]

    def start(self, wait: bool = True) -> LiveServer:
        self._provide_database()
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if wait:
            self.wait_until_ready()
        return self

    def _provide_database(self) -> None:
        database = self.data / "farview.sqlite3"
        if not (self._first_start or database.exists() or self.environment.get("DATABASE_URL")):
            shutil.copyfile(migrated(), database)

    def wait_until_ready(self) -> None:
        assert self.process is not None
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log()}")
            if self.healthy():
                return
            time.sleep(0.05)
        raise RuntimeError(f"the server is not ready after {READY_SECONDS:.0f} s:\n{self.log()}")

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def terminate(self, timeout: float = 20.0) -> int:
        """SIGTERM to the server alone, as a service manager does; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """The whole group at once, nothing tidied."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)

    def stop(self) -> None:
        try:
            if self.process is not None and self.process.poll() is None:
                self.terminate()
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()
            if self._hand is not None:
                self._hand.close()
            if self._passing:
                shutil.rmtree(self.data, ignore_errors=True)
                self.log_path.unlink(missing_ok=True)

    def __enter__(self) -> LiveServer:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *problem: object) -> None:
        self.stop()

    # --- what is known of it

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def group(self) -> list[int]:
        """Every living process of the server's group."""
        assert self.process is not None
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(after_name[2]) == self.process.pid and after_name[0] != "Z":
                    found.append(int(entry.name))
        return found

    def group_after(self, seconds: float) -> list[int]:
        """Who is left of the group when all are gone, or after `seconds`."""
        end = time.monotonic() + seconds
        while self.group() and time.monotonic() < end:
            time.sleep(0.05)
        return self.group()

    def memory(self) -> int:
        """Resident bytes of the web process that are its own (not mapped files, not shared)."""
        assert self.process is not None
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))

    # --- what is done with it

    def manage(self, *arguments: object, input: str = "") -> subprocess.CompletedProcess[str]:
        """`manage.py ...` beside the server; fails the test when the command fails."""
        self._provide_database()
        if self._hand is None or self._hand.environment != self.environment:
            self._hand = Hand(self.environment)
        done = self._hand.manage(*map(str, arguments), given=input)
        assert done.returncode == 0, f"manage.py {arguments}: {done.stdout}{done.stderr}"
        return done

    def user(self, name: str, role: str = "radiologist", *organizations: str) -> tuple[str, str]:
        """(password, API token) of a new person."""
        password = secrets.token_urlsafe(16)
        named = [part for organization in organizations for part in ("--organization", organization)]
        self.manage("add_user", name, "--role", role, *named, "--password-stdin", input=password)
        return password, self.manage("issue_token", name).stdout.split()[-1]


@pytest.fixture(scope="session")
def live_server_process() -> Iterator[LiveServer]:
    """One real server for all tests that do not stop it; each makes users and studies of its own."""
    with LiveServer() as server:
        yield server
