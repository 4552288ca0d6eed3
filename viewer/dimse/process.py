"""The DICOM node as a process of its own, so that taking images in does not take the interpreter from frames."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import ssl
import threading

from django.conf import settings

from viewer.dimse import jobs
from viewer.dimse.limits import limits
from viewer.dimse.listening import Node

logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
PATIENCE_S = 6.0
"""For objects on their way when the node is told to stop."""
LAST_S = 7.5
"""After this long a stopping node is gone, whatever still runs."""


def run(*, lifeline: int | None = None, ready: int | None = None) -> None:
    """Listen until told to stop by SIGTERM or SIGINT.

    `lifeline`: a file descriptor whose end means that the server has gone. `ready`: one to write a line to once
    the node listens.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if lifeline is not None:
        _die_with_the_server(lifeline)
    node = Node(
        settings.FARVIEW_DICOM_AE_TITLE,
        settings.FARVIEW_DICOM_HOST,
        settings.FARVIEW_DICOM_PORT,
        limits(),
        _tls() if settings.FARVIEW_DICOM_TLS == "on" else None,
    )
    node.start()
    running = jobs.start(stop)
    if ready is not None:
        os.write(ready, b"listening\n")
        os.close(ready)
    while not stop.wait(3600):
        pass
    watchdog = threading.Timer(LAST_S, os._exit, args=(1,))
    watchdog.daemon = True
    watchdog.start()
    node.stop(PATIENCE_S)
    for thread in running:
        thread.join(1.0)
    logging.shutdown()
    os._exit(0)  # threads of associations that were cut may still hang in the network


def _die_with_the_server(lifeline: int) -> None:
    """By two ways, since the first one knows the thread that began us and the second only a process that is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.read(lifeline, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.FARVIEW_TLS_CERT, settings.FARVIEW_TLS_KEY or None)
    return context
