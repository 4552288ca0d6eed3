"""Where a request comes from. The server has read the trusted proxy's headers before (and thrown away everybody else's)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class HasMeta(Protocol):
    """A Django or a REST framework request."""

    META: dict[str, Any]


Request = HasMeta | Mapping[str, Any]
"""A request, or the scope of a WebSocket."""


def header(request: Request, name: str) -> str:
    """One header's text ("" when absent) of a request or of a WebSocket's scope; `name` like "authorization"."""
    if isinstance(request, Mapping):
        wanted = name.encode("ascii")
        return next((value.decode("latin-1") for key, value in request.get("headers", ()) if key == wanted), "")
    return str(request.META.get("HTTP_" + name.upper().replace("-", "_"), ""))


def client_address(request: Request | None) -> str:
    """The caller's address, to write down and to count tries by; "" when there is none."""
    if request is None:
        return ""
    if isinstance(request, Mapping):
        return str((request.get("client") or ("",))[0] or "")[:64]
    return str(request.META.get("REMOTE_ADDR") or "")[:64]
