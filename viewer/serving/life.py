"""What lives as long as the server does, and where it listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError

from viewer.serving.key_image_objects import KeyImageObjects
from viewer.serving.measurement_objects import MeasurementObjects
from viewer.serving.news import NewsTail
from viewer.serving.runtime import runtime
from viewer.serving.watch import Watch
from viewer.tasks import TASKS

WAITING_THREADS = 32


def many_may_wait() -> None:
    """The loop's threads wait for the database, disks and peers; they compute nothing. Python gives a machine of two
    processors six, which a few peers that answer slowly would keep from everybody's sockets and pages."""
    threads = ThreadPoolExecutor(WAITING_THREADS, thread_name_prefix="waiting")
    asyncio.get_running_loop().set_default_executor(threads)


class Life:
    """The engine and the tasks beside it: the news tail, the watch over who is connected, objects that write themselves."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start everything on the running loop; after this the server is ready."""
        many_may_wait()
        await runtime().start()
        tasks = (
            NewsTail().run(),
            watch().run(),
            MeasurementObjects().run(),
            KeyImageObjects().run(),
            *(begin() for begin in TASKS),
        )
        self._tasks = [asyncio.ensure_future(task) for task in tasks]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await runtime().stop()


def watch() -> Watch:
    """The watch of this process, kept on the app's configuration."""
    config = apps.get_app_config("viewer")
    found = getattr(config, "watch", None)
    if not isinstance(found, Watch):
        found = Watch()
        config.watch = found  # type: ignore[attr-defined]
    return found


def listener() -> Callable[[Any], Any]:
    """A function that makes a factory's server listen where the settings say, with TLS when they name a certificate."""
    from twisted.internet import reactor

    host, port = settings.FARVIEW_HOST, settings.FARVIEW_PORT
    if not settings.FARVIEW_TLS_CERT:
        return lambda factory: reactor.listenTCP(port, factory, backlog=256, interface=host)
    options = tls_options(settings.FARVIEW_TLS_CERT, settings.FARVIEW_TLS_KEY or settings.FARVIEW_TLS_CERT)
    return lambda factory: reactor.listenSSL(port, factory, options, backlog=256, interface=host)


def tls_options(certificate: str, key: str) -> Any:
    """TLS 1.2 and later with the certificate chain in the file `certificate` (own first) and the key in `key`, both PEM.

    Raises CommandError naming the setting when a file is missing or not what it should be.
    """
    from OpenSSL import crypto
    from twisted.internet import ssl

    try:
        pem = Path(certificate).read_bytes()
        end = b"-----END CERTIFICATE-----"
        parts = [part + end for part in pem.split(end)[:-1]]
        chain = [crypto.load_certificate(crypto.FILETYPE_PEM, part[part.index(b"-----BEGIN") :]) for part in parts]
        private = crypto.load_privatekey(crypto.FILETYPE_PEM, Path(key).read_bytes())
        own, *others = chain
    except (OSError, ValueError, crypto.Error) as problem:
        raise CommandError(f"FARVIEW_TLS_CERT or FARVIEW_TLS_KEY cannot be used: {problem}") from problem
    return ssl.CertificateOptions(
        privateKey=private, certificate=own, extraCertChain=others, raiseMinimumTo=ssl.TLSVersion.TLSv1_2
    )
