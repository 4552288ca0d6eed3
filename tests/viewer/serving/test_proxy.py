from __future__ import annotations

from typing import Any

import pytest

from config import asgi
from viewer.serving.proxy import TrustedProxy

HEADERS = [(b"host", b"x"), (b"x-forwarded-for", b"203.0.113.9, 198.51.100.7"), (b"x-forwarded-proto", b"https")]


async def seen(
    proxy: str, caller: str, headers: list[tuple[bytes, bytes]] = HEADERS, kind: str = "http"
) -> dict[str, Any]:
    scopes: list[dict[str, Any]] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        scopes.append(scope)

    scope = {"type": kind, "scheme": "http" if kind == "http" else "ws", "client": [caller, 4711], "headers": headers}
    await TrustedProxy(application, proxy)(scope, None, None)
    return scopes[0]


async def test_the_named_proxy_is_believed_about_the_last_hop_and_the_scheme() -> None:
    scope = await seen("10.0.0.1", "10.0.0.1")
    assert scope["client"][0] == "198.51.100.7"
    assert scope["scheme"] == "https"


async def test_a_websocket_behind_the_proxy_is_secure_too() -> None:
    assert (await seen("10.0.0.1", "10.0.0.1", kind="websocket"))["scheme"] == "wss"


@pytest.mark.parametrize("proxy", ["", "10.0.0.2"])
async def test_anybody_else_is_not_and_the_headers_are_gone(proxy: str) -> None:
    scope = await seen(proxy, "10.0.0.1")
    assert scope["client"][0] == "10.0.0.1"
    assert scope["scheme"] == "http"
    assert scope["headers"] == [(b"host", b"x")]


async def test_an_address_that_is_none_changes_nothing() -> None:
    scope = await seen("10.0.0.1", "10.0.0.1", [(b"x-forwarded-for", b"<script>")])
    assert scope["client"][0] == "10.0.0.1"


@pytest.mark.parametrize(("caller", "believed"), [("10.0.0.1", "198.51.100.7"), ("10.0.0.2", "10.0.0.2")])
async def test_the_server_asks_it_about_every_request(
    caller: str, believed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scopes: list[dict[str, Any]] = []

    async def pages(scope: dict[str, Any], receive: Any, send: Any) -> None:
        scopes.append(scope)

    monkeypatch.setattr(asgi, "pages", pages)
    monkeypatch.setattr(asgi.application, "proxy", "10.0.0.1")
    scope = {"type": "http", "scheme": "http", "path": "/", "client": [caller, 4711], "headers": HEADERS}
    await asgi.application(scope, None, None)
    assert scopes[0]["client"][0] == believed
    assert b"x-forwarded-for" not in dict(scopes[0]["headers"])
