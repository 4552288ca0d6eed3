"""The public address as the server itself finds it: does it open, whose certificate is there, and until when."""

from __future__ import annotations

import socket
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

SECONDS = 8.0
LOCAL = ("localhost", "127.0.0.1", "::1")
SOON_DAYS, VERY_SOON_DAYS = 30, 7

Note = tuple[str, str]
"""Level (error, warning, good) and a sentence."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of opening the address. `ends`: of its certificate; `problem`: why nothing came, in words."""

    ends: datetime | None = None
    problem: str = ""


def opened(public_url: str, file: str) -> Opened:
    """Ask for `file` at the address as a browser would. Blocks for seconds at most."""
    parts = urlsplit(public_url)
    try:
        ends = _certificate_end(parts.hostname or "", parts.port or 443) if parts.scheme == "https" else None
        request = urllib.request.Request(public_url + file, method="HEAD")  # noqa: S310 - the server's own setting
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310  # nosec B310  # the server's own setting
            return Opened(ends)
    except ssl.SSLCertVerificationError as problem:
        return Opened(problem=f"browsers will refuse its certificate ({problem.verify_message})")
    except urllib.error.HTTPError as problem:
        return Opened(
            problem=f"something answers there with {problem.code}: another server, or a proxy without its target"
        )
    except (OSError, ValueError) as problem:
        return Opened(problem=f"{getattr(problem, 'reason', None) or problem}")


def _certificate_end(host: str, port: int) -> datetime:
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as wrapped,
    ):
        seconds = ssl.cert_time_to_seconds(str((wrapped.getpeercert() or {})["notAfter"]))
    return datetime.fromtimestamp(seconds, UTC)


def notes(public_url: str, found: Opened, now: datetime) -> list[Note]:
    """What an administrator has to know of the address, the worst first."""
    parts = urlsplit(public_url)
    local = (parts.hostname or "") in LOCAL
    told: list[Note] = []
    if found.problem:
        told.append(("error", f"The server cannot open {public_url}: {found.problem}."))
    if parts.scheme != "https" and not local:
        told.append(
            ("error", "The address is http: passwords and patients' data travel readable, and cookies are not secure.")
        )
    if local:
        told.append(("warning", "The address names this machine: no other can open it. Set FARVIEW_PUBLIC_URL."))
    if found.ends is not None:
        days = (found.ends - now).days
        level = "error" if days < VERY_SOON_DAYS else "warning" if days < SOON_DAYS else "good"
        told.append((level, f"The certificate ends on {found.ends:%Y-%m-%d}, in {days} days."))
    if not found.problem:
        told.append(("good", f"The server opens {public_url}."))
    return told
