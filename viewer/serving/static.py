"""Static files under an address that holds the hash of them all, so that a browser asks for each once.

Served beside Django, before any session is looked up: nothing here is anyone's secret.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import mimetypes
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import SuspiciousOperation

Headers = list[tuple[bytes, bytes]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PIECE = 256 * 1024
FOR_EVER = b"public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent. `packed` is None where packing does not pay."""

    content: bytes
    packed: bytes | None
    media_type: str
    etag: str


class StaticFiles:
    """An ASGI application for `settings.STATIC_URL`; each file is read and packed once in its life."""

    def __init__(self) -> None:
        self._kept: dict[str, Asset] = {}

    def serves(self, path: str) -> bool:
        """Whether `path` is one of ours, also where it names another build."""
        return path.startswith("/static/")

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            await _answer(send, 405, [(b"allow", b"GET, HEAD")])
            return
        asset = await self._asset(scope["path"])
        if asset is None:
            await _answer(send, 404, [(b"cache-control", b"no-store")])
            return
        asked = dict(scope["headers"])
        headers = [(b"cache-control", FOR_EVER), (b"etag", asset.etag.encode()), (b"vary", b"accept-encoding")]
        if _etag_matches(asked.get(b"if-none-match", b""), asset.etag):
            await _answer(send, 304, headers)
            return
        content = asset.content
        if asset.packed is not None and _accepts_gzip(asked.get(b"accept-encoding", b"")):
            content = asset.packed
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-type", asset.media_type.encode()))
        await _answer(send, 200, headers, content, body=scope["method"] == "GET")

    async def _asset(self, path: str) -> Asset | None:
        if not path.startswith(settings.STATIC_URL):
            return None
        name = path.removeprefix(settings.STATIC_URL)
        if name not in self._kept:
            found = await asyncio.to_thread(read_asset, name)
            if found is None:
                return None
            self._kept[name] = found
        return self._kept[name]


def read_asset(name: str) -> Asset | None:
    """The file `name` below one of the static folders; None for whatever else the name is made to mean."""
    parts = name.split("/")
    if "\\" in name or "\0" in name or any(part in {"", ".", ".."} for part in parts):
        return None
    try:
        found = finders.find(name)
    except (SuspiciousOperation, ValueError, OSError):
        return None
    path = Path(found) if isinstance(found, str) else None
    if path is None or not path.is_file():
        return None
    content = path.read_bytes()
    media_type = MEDIA_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(content, 9, mtime=0) if path.suffix in PACKED and len(content) > 400 else None
    return Asset(content, packed, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def _etag_matches(header: bytes, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in header.decode("latin-1").split(",")}
    return etag in tags or "*" in tags


def _accepts_gzip(header: bytes) -> bool:
    for choice in header.decode("latin-1").lower().split(","):
        coding, _, weight = choice.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


async def _answer(send: Send, status: int, headers: Headers, content: bytes = b"", body: bool = True) -> None:
    headers = [*headers, (b"x-content-type-options", b"nosniff"), (b"cross-origin-resource-policy", b"same-origin")]
    if status != 304:
        headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for start in range(0, len(content) if body else 0, PIECE):
        piece = content[start : start + PIECE]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
PACKED = {".js", ".mjs", ".css", ".html", ".txt", ".json", ".map", ".svg", ".wasm", ".webmanifest"}
