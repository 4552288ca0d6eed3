"""The application as a server sees it: pages and REST, static files, sockets."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django import setup
from django.conf import settings
from django.urls import path

setup(set_prefix=False)

from viewer.consumers import NewsConsumer, ViewerConsumer  # noqa: E402 - the apps come first
from viewer.live_consumer import LiveConsumer  # noqa: E402 - the apps come first
from viewer.serving.pages import Pages  # noqa: E402 - the apps come first
from viewer.serving.proxy import TrustedProxy  # noqa: E402 - the apps come first
from viewer.serving.static import StaticFiles  # noqa: E402 - the apps come first

static_files = StaticFiles()
pages = Pages()


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Static files beside Django, everything else through it."""
    await (static_files if static_files.serves(scope["path"]) else pages)(scope, receive, send)


sockets = URLRouter(
    [
        path("ws/viewer/", ViewerConsumer.as_asgi()),
        path("ws/news/", NewsConsumer.as_asgi()),
        path("ws/live/", LiveConsumer.as_asgi()),
    ]
)


async def websocket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The socket named by the path; any other is refused as not there."""
    try:
        await sockets(scope, receive, send)
    except ValueError as problem:
        if "No route found" not in str(problem):
            raise
        await send({"type": "websocket.close", "code": 4404})


application = TrustedProxy(ProtocolTypeRouter({"http": http, "websocket": websocket}), settings.FARVIEW_TRUSTED_PROXY)
