"""A DICOM node: the report's objects by C-STORE (PS3.4 B), the same that this archive files, under the same UIDs.

The peer is the row of the organization whose AE title is the destination's address. A second sending after a crash is of the
same bytes, which a node that holds them already takes for what they are.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pydicom
from django.conf import settings

from reporting.delivery.outcomes import NotReached, NotSent, Outgoing
from reporting.delivery.to_archive import unpacked
from viewer.dimse import calling, sending
from viewer.models import DicomPeer
from viewer.serving.database import database

IDENTITY = ["SOPClassUID", "SOPInstanceUID"]


async def send(outgoing: Outgoing) -> str:
    """Send every object; returns what arrived. Raises NotSent."""
    peer = await database(peer_of)(outgoing)
    return await asyncio.to_thread(_store, peer, outgoing.data)


async def test(outgoing: Outgoing) -> str:
    """C-ECHO; returns how it went. Raises NotSent."""
    peer = await database(peer_of)(outgoing)
    try:
        return await asyncio.to_thread(calling.echo, peer)
    except calling.NotReached as problem:
        raise NotReached(str(problem)) from None


def peer_of(outgoing: Outgoing) -> DicomPeer:
    """The peer of this AE title. Raises NotSent."""
    rows = DicomPeer.objects.filter(ae_title=outgoing.address, organization__name=outgoing.organization, active=True)
    found = list(rows.exclude(port=None).order_by("pk")[:2])
    if not found:
        raise NotSent(f"no DICOM peer of this organization with the AE title {outgoing.address} can be called")
    if len(found) > 1:
        raise NotSent(f"several DICOM peers of this organization have the AE title {outgoing.address}")
    return found[0]


def _store(peer: DicomPeer, data: bytes) -> str:
    with tempfile.TemporaryDirectory(dir=settings.FARVIEW_TMP_DIR, prefix="delivery-") as folder:
        files = [_placed(Path(folder), number, file) for number, (_, file) in enumerate(unpacked(data))]
        try:
            result = sending.store(peer, files)
        except calling.NotReached as problem:
            raise NotReached(str(problem)) from None
    if result.failed:
        _, _, words = result.failed[0]
        raise NotSent(
            f"{len(result.failed)} of {len(files)} objects did not arrive: {words}", unreachable=bool(result.broken)
        )
    if result.broken:
        raise NotSent(result.broken, unreachable=True)
    return f"{len(result.sent)} of {len(files)} objects arrived at {peer.ae_title}"


def _placed(folder: Path, number: int, data: bytes) -> sending.Outgoing:
    path = folder / str(number)
    path.write_bytes(data)
    said = pydicom.dcmread(path, specific_tags=IDENTITY)
    return sending.Outgoing(
        path, str(said.SOPClassUID), str(said.SOPInstanceUID), str(said.file_meta.TransferSyntaxUID)
    )
