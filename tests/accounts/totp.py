"""An authenticator app, written from RFC 4226 and RFC 6238 alone: HMAC-SHA-1, 30 seconds, six digits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time


def code_of(secret: str, at: float | None = None, *, steps: int = 0) -> str:
    """What the app shows for a base32 secret at a moment, or `steps` half minutes later."""
    counter = int(time.time() if at is None else at) // 30 + steps
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    mac = hmac.digest(key, counter.to_bytes(8, "big"), hashlib.sha1)
    start = mac[19] & 15
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
