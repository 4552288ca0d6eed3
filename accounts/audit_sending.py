"""The record on its way to a collector of audit messages: over TLS (RFC 5425), TCP (RFC 6587) or UDP (RFC 5426).

The place is kept in a file: the number of the newest event that the collector has taken. It moves on only when a whole batch
was taken, so nothing is left out after an outage; what was on its way when the line broke may come twice.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from accounts.audit_export import Source, counted, syslog_line
from accounts.models import AuditEvent

BATCH = 200
PATIENCE_S = 10.0
PORTS = {"tls": 6514, "tcp": 6514, "udp": 514}
LARGEST_DATAGRAM = 65_000


@dataclass(frozen=True, slots=True)
class Collector:
    """Where the messages go."""

    way: str
    host: str
    port: int
    ca_file: str = ""
    """For TLS: authorities that may vouch for it; empty: those of the system."""


def collector_of(address: str, ca_file: str = "") -> Collector | None:
    """Of `tls://host:6514`, `tcp://host:6514` or `udp://host:514`; None for an empty one. Raises ValueError."""
    if not address:
        return None
    parts = urlsplit(address)
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("tls://host:6514, tcp://host:6514 or udp://host:514 is expected")
    return Collector(parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme], ca_file)


def this_server() -> Source:
    """Its name as syslog takes one: no blanks, ASCII."""
    return Source(re.sub(r"[^!-~]", "_", socket.gethostname())[:255] or "-", os.getpid())


# --- the place


def place_path() -> Path:
    return Path(settings.FARVIEW_DATA_DIR) / "audit_sent"


def place() -> int:
    """The newest event that was taken; 0: none yet."""
    try:
        text = place_path().read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return 0
    return int(text) if text.isdigit() else 0


def move_place(sequence: int) -> None:
    """Under its name whole or not at all."""
    path = place_path()
    draft = path.with_name(f".{path.name}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{sequence}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


# --- the way


def waiting(limit: int = BATCH) -> list[AuditEvent]:
    """The next events to be sent, oldest first. Asks the database."""
    return list(AuditEvent.objects.filter(sequence__gt=place()).order_by("sequence")[:limit])


def send(events: Sequence[AuditEvent], to: Collector) -> None:
    """Hand them over; returns when the collector has taken all, as far as its protocol can say. Raises OSError."""
    source = this_server()
    lines = [syslog_line(event, source) for event in events]
    if to.way == "udp":
        _by_datagrams(lines, to)
    else:
        _by_stream(b"".join(map(counted, lines)), to)


def _by_datagrams(lines: Sequence[bytes], to: Collector) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as line:
        line.connect(address)
        for one in lines:
            line.send(one[:LARGEST_DATAGRAM])


def _by_stream(content: bytes, to: Collector) -> None:
    with socket.create_connection((to.host, to.port), timeout=PATIENCE_S) as plain:
        if to.way == "tcp":
            plain.sendall(content)
            _hang_up(plain)
            return
        context = ssl.create_default_context(cafile=to.ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with context.wrap_socket(plain, server_hostname=to.host) as line:
            line.sendall(content)
            with contextlib.suppress(ssl.SSLEOFError):  # it closed without a word, but after it had read ours
                line.unwrap()  # returns when the other side has said goodbye as well (RFC 5425 4.4)


def _hang_up(line: socket.socket) -> None:
    """Nothing more comes; a collector that has read everything closes. One that was torn away raises here."""
    line.shutdown(socket.SHUT_WR)
    while line.recv(4096):
        pass
