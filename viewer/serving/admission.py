"""Who may send a large body, and how large: asked when the headers are in, before a byte of it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings

from accounts.policy import may_send_to
from viewer.archive.storage import StorageFull, blob_store
from viewer.serving.database import database
from viewer.serving.entrance import guest_of

Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`status` 0 admits; else the HTTP status and a sentence for the person."""

    status: int = 0
    detail: str = ""


def body_limit(path: str) -> int:
    """Bytes that a request for `path` may carry."""
    for prefix, limit in LARGE_BODIES.items():
        if path.startswith(prefix):
            return int(getattr(settings, limit))
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def refused_by_size(path: str, length: int) -> Verdict:
    """413 for a body of `length` bytes that is over the limit of `path`."""
    limit = body_limit(path)
    if length > limit:
        return Verdict(413, f"a request here carries {limit} bytes at most")
    return Verdict()


async def admit(path: str, headers: Headers, length: int | None) -> Verdict:
    """May this caller send a body of `length` bytes (None: unknown, it is counted on the way)?

    More than fits in memory is taken only from those whom the door lets in; 507 when the disk would run low.
    """
    if length is not None and (verdict := refused_by_size(path, length)).status:
        return verdict
    return await database(_welcome)(path, list(headers), length or 0)


def _welcome(path: str, headers: list[tuple[bytes, bytes]], length: int) -> Verdict:
    guest = guest_of({"headers": headers})
    if guest is None:
        return Verdict(401, "sign in first")
    if not may_send_to(path, guest.principal.user, guest.principal.scopes):
        return Verdict(404, "not found")
    try:
        blob_store().check_room(length)
    except StorageFull as problem:
        return Verdict(507, str(problem))
    return Verdict()


LARGE_BODIES: Mapping[str, str] = {
    "/api/uploads/": "FARVIEW_MAX_ZIP_BYTES",
    "/dicom-web/studies": "FARVIEW_MAX_ZIP_BYTES",
}
"""Doors that take large bodies, and the setting that bounds them. Everywhere else DATA_UPLOAD_MAX_MEMORY_SIZE."""
