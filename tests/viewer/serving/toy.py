"""The web server with an application that does nothing but send and receive: `python -m tests.viewer.serving.toy PORT`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup(set_prefix=False)

from django.core.management import call_command  # noqa: E402

from viewer.serving import admission  # noqa: E402
from viewer.serving.body import Body  # noqa: E402
from viewer.serving.web import WebServer  # noqa: E402

PIECE = bytes(256 * 1024)
counts = {"sent": 0, "received": 0, "asked": 0}


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await (socket if scope["type"] == "websocket" else page)(scope, receive, send)


async def socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    if scope["path"].startswith("/deny/"):
        await send({"type": "websocket.close", "code": int(scope["path"].rsplit("/", 1)[1])})
        return
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        counts["received"] += 1
        if message.get("text") == "flood":
            for _ in range(400):
                await send({"type": "websocket.send", "bytes": PIECE})
                counts["sent"] += len(PIECE)
        elif message.get("text") == "think":
            await asyncio.sleep(3600)
        else:
            await send({"type": "websocket.send", "text": str(len(message.get("text") or message.get("bytes") or b""))})


async def page(scope: dict[str, Any], receive: Any, send: Any) -> None:
    counts["asked"] += 1
    pieces, content = 1, json.dumps(counts).encode()
    if scope["path"] == "/stream":
        pieces, content = 400, PIECE
    elif scope["path"] == "/healthz":
        counts["asked"] -= 1
    elif scope["path"] == "/whole":
        file = receive.take() if isinstance(receive, Body) else None
        content = json.dumps({"length": sum(len(line) for line in iter(lambda: file.read(65536), b""))}).encode()
        file.close()
    else:
        length = 0
        while True:
            message = await receive()
            length += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        if scope["path"] != "/counts":
            content = json.dumps({"length": length}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    for left in reversed(range(pieces)):
        await send({"type": "http.response.body", "body": content, "more_body": left > 0})
        counts["sent"] += len(content) if pieces > 1 else 0


async def nothing() -> None:
    return None


asks_the_database = admission._welcome


def welcome(path: str, headers: list[tuple[bytes, bytes]], length: int) -> admission.Verdict:
    """Lets in by a header, so that no account is needed; everyone else is asked about as ever."""
    return admission.Verdict() if (b"x-let-in", b"1") in headers else asks_the_database(path, headers, length)


if __name__ == "__main__":
    admission._welcome = welcome
    call_command("migrate", verbosity=0)
    from twisted.internet import reactor  # chosen by now

    port = int(sys.argv[1])
    WebServer(
        application,
        listen=lambda factory: reactor.listenTCP(port, factory, interface="127.0.0.1"),
        starting=nothing,
        listening=lambda: None,
        stopping=nothing,
    ).run()
