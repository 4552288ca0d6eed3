"""`manage.py serve`: migrations, then one process tree: pages, sockets, engine, decode children, the DICOM node."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from viewer.archive.reading_anew import new_archive
from viewer.management.commands import demo
from viewer.models import Study

logger = logging.getLogger(__name__)

STOP_SECONDS = 15.0
"""After this long a stopping server ends whatever still runs."""
NODE_SECONDS = 60.0
"""How long a starting server waits for its DICOM node."""
STILL_SECONDS = 10.0
"""Between two lines about a step that goes on."""


class Command(BaseCommand):
    help = "Migrate the database, then serve pages, sockets and pictures until told to stop."
    requires_system_checks = ()  # made below, after the migrations they rely on

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--welcome",
            action="store_true",
            help="bring demonstration studies into an empty archive, and print a one-time sign-in link once the server is up",
        )

    def handle(self, *args: Any, welcome: bool = False, **options: Any) -> None:
        with one_server_per_data_folder():
            refuse_a_taken_port("FARVIEW_HOST", "FARVIEW_PORT")
            if settings.FARVIEW_DICOM_PORT:
                refuse_a_taken_port("FARVIEW_DICOM_HOST", "FARVIEW_DICOM_PORT")
            allow_many_connections()
            with self.step("Database"):
                call_command("migrate", interactive=False, verbosity=0)
            with self.step("Left-overs of earlier runs"):
                sweep()
            with self.step("Rendering kernels (compiled once, in about a minute, then kept)"):
                from viewer.engine.engine import warm

                warm()
            empty = not Study.objects.exists()
            if empty:
                new_archive()
            if welcome and (empty or demo.unfinished().exists()):
                self.bring_demonstration()
            self.serve(welcome)

    def serve(self, welcome: bool) -> None:
        # Twisted's reactor is chosen by the first import, and it must be the one that runs asyncio.
        from channels.routing import get_default_application

        from viewer.dimse import supervising
        from viewer.serving.life import Life, listener
        from viewer.serving.web import WebServer

        application = get_default_application()

        life = Life()
        node = supervising.begin() if settings.FARVIEW_DICOM_PORT else None

        async def starting() -> None:
            await life.start()
            if node is not None and not await asyncio.to_thread(node.wait, NODE_SECONDS):
                logger.error("The DICOM node does not listen yet; pages are served without it")

        def listening() -> None:
            self.say(f"Farview is ready at {settings.FARVIEW_PUBLIC_URL}/")
            if welcome:
                threading.Thread(target=self.print_link, name="first-admin", daemon=True).start()

        async def stopping() -> None:
            watchdog = threading.Timer(STOP_SECONDS, os._exit, args=(1,))
            watchdog.daemon = True
            watchdog.start()
            self.say("Farview is stopping")
            await asyncio.gather(life.stop(), *([asyncio.to_thread(node.stop)] if node is not None else []))

        server = WebServer(application, listen=listener(), starting=starting, listening=listening, stopping=stopping)
        server.run()
        if server.failed:
            sys.exit(1)

    def bring_demonstration(self) -> None:
        """In a process of its own, whose memory goes when it ends; an archive without it serves as well."""
        sys.stdout.flush()
        made = subprocess.run([sys.executable, sys.argv[0], "demo", "--if-empty"], check=False)
        if made.returncode:
            self.say("The demonstration studies could not be made; going on without them.")

    def print_link(self) -> None:
        try:
            call_command("first_admin", stdout=self.stdout, stderr=self.stderr)
        except Exception:
            logger.exception("cannot make a sign-in link; `manage.py first_admin` prints one")

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Name a step that lasts, and say now and then that it still does, so that nobody looks at a still screen for long."""
        started = time.monotonic()
        over = threading.Event()

        def tell() -> None:
            if not over.wait(1.0):
                self.say(f"{name} ...")
                while not over.wait(STILL_SECONDS):
                    self.say(f"{name} ... {time.monotonic() - started:.0f} s")

        threading.Thread(target=tell, name="step", daemon=True).start()
        try:
            yield
        finally:
            over.set()
        took = time.monotonic() - started
        if took > 1.0:
            self.say(f"{name}: {took:.1f} s")


@contextlib.contextmanager
def one_server_per_data_folder() -> Iterator[None]:
    """Hold the data folder for as long as this process lives; CommandError when another server holds it."""
    path = settings.FARVIEW_DATA_DIR / "serve.lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise CommandError(
            f"the data folder {settings.FARVIEW_DATA_DIR} cannot be written to ({problem.strerror}). "
            "Make it and everything in it writable for this user, or set FARVIEW_DATA_DIR to another folder."
        ) from problem
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 20).decode(errors="replace").strip()
            raise CommandError(
                f"a server (process {holder or 'unknown'}) already uses the data folder {settings.FARVIEW_DATA_DIR}. "
                "Stop it, or set FARVIEW_DATA_DIR to another folder."
            ) from None
        os.truncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)


def refuse_a_taken_port(at: str, setting: str) -> None:
    """CommandError in words when nothing can listen on the port of one setting at the address of the other."""
    host, port = getattr(settings, at), getattr(settings, setting)
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, number) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as problem:
        raise CommandError(
            f"cannot listen on {host}:{port}: {problem.strerror or problem}. Set {setting} to a free port "
            f"({at} for another address)."
        ) from problem


def allow_many_connections() -> None:
    """Raise the soft limit of open files to the hard one: every connection is one, and so is every spooled body."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, 65_536) if hard != resource.RLIM_INFINITY else 65_536
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


LEFT_BEHIND = ("*.upload*", "video-*.mp4", "outgoing-*")
"""Under FARVIEW_TMP_DIR: what came half, what was being made to be taken away, what was being sent."""


def sweep() -> None:
    """Remove what a killed server left: half-received files, and bytes that never got a row."""
    from viewer.archive.storage import blob_store
    from viewer.models import Blob

    def known(digests: list[str]) -> set[str]:
        return set(Blob.objects.filter(sha256__in=digests).values_list("sha256", flat=True))

    for pattern in LEFT_BEHIND:
        for path in Path(settings.FARVIEW_TMP_DIR).glob(pattern):
            path.unlink(missing_ok=True)  # only a server makes these, and there is no other
    store = blob_store()
    store.sweep_temporaries()
    try:
        store.sweep_orphans(known)
    except RuntimeError as problem:
        logger.error("stored files without a row: %s. `manage.py verify` says more.", problem)
