"""Believe one reverse proxy, and nobody else, about who called and over which scheme."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]

SECURE = {"http": "https", "ws": "wss", "https": "https", "wss": "wss"}


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.strip().removeprefix("[").removesuffix("]")))
    except ValueError:
        return None


class TrustedProxy:
    """An ASGI wrapper: requests that come from `proxy` carry the caller in X-Forwarded-For and the scheme in
    X-Forwarded-Proto; from anybody else both headers are taken away, so that nothing behind can be fooled by them."""

    def __init__(self, application: Application, proxy: str = "") -> None:
        self.application = application
        self.proxy = proxy

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] in {"http", "websocket"}:
            scope = self._believed(scope)
        await self.application(scope, receive, send)

    def _believed(self, scope: dict[str, Any]) -> dict[str, Any]:
        forwarded = {
            name: value.decode("latin-1") for name, value in scope["headers"] if name.startswith(b"x-forwarded-")
        }
        headers = [(name, value) for name, value in scope["headers"] if not name.startswith(b"x-forwarded-")]
        scope = {**scope, "headers": headers}
        client = scope.get("client")
        if not self.proxy or not client or client[0] != self.proxy:
            return scope
        # The proxy appends the address it saw; what stands before it was written by the caller.
        caller = _address(forwarded.get(b"x-forwarded-for", "").rsplit(",", 1)[-1])
        if caller:
            scope["client"] = [caller, 0]
        if forwarded.get(b"x-forwarded-proto", "").strip().lower() == "https":
            scope["scheme"] = SECURE[scope.get("scheme", "http")]
        return scope
