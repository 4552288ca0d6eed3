"""The organization's own archive: the report's DICOM objects, filed by the way of every other object.

What is kept as the payload is a zip of them, so that a second filing after a crash is of the same bytes and changes nothing.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

from accounts.models import Organization
from reporting.delivery.outcomes import NotSent, Outgoing
from viewer.archive.ingest import ingest, note_refusals
from viewer.archive.rows import OWN, DatabaseBusy, Sender
from viewer.archive.sources import Source
from viewer.archive.storage import StorageFull
from viewer.serving.database import database

ACTOR = "farview"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""Time of every entry: the same objects are the same zip."""


def packed(objects: Iterable[tuple[str, bytes]]) -> bytes:
    """(name, PS3.10 file) pairs as one zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in objects:
            archive.writestr(zipfile.ZipInfo(name, LONG_AGO), data)
    return file.getvalue()


def unpacked(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(entry.filename, archive.read(entry)) for entry in archive.infolist()]


async def send(outgoing: Outgoing) -> str:
    """File every object; returns how many are new. Raises NotSent."""
    return await database(_file)(outgoing)


def _file(outgoing: Outgoing) -> str:
    objects = unpacked(outgoing.data)
    sender = Sender(Organization.objects.get(name=outgoing.organization), ACTOR, OWN)
    sources = [Source(name, len(data), _opener(data), alone=True) for name, data in objects]
    try:
        told = list(ingest(sources, sender, batch=max(1, len(sources))))
    except (StorageFull, DatabaseBusy) as problem:
        raise NotSent(str(problem), unreachable=True) from None
    note_refusals(told, sender)
    for one in told:
        if one.outcome not in ("stored", "duplicate"):
            raise NotSent(f"{one.name}: {one.outcome}: {one.reason}")
    new = sum(one.outcome == "stored" for one in told)
    return f"{new} of {len(told)} objects are new in the archive"


def _opener(data: bytes):  # noqa: ANN202 - what Source.open is
    return lambda: io.BytesIO(data)
