"""Django as an ASGI application that takes a spooled body as it lies instead of copying it."""

from __future__ import annotations

from typing import IO, Any

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler

from viewer.serving.body import Body


class Pages(ASGIHandler):
    """Django's own handler, but for the body."""

    async def read_body(self, receive: Any) -> IO[bytes]:
        """The request's body as a file at its beginning. Raises RequestAborted when there is none to be had."""
        if not isinstance(receive, Body):
            return await super().read_body(receive)
        file = receive.take()
        if file is None:
            raise RequestAborted()
        return file
