"""A DICOM node in the process of the test, and peers that talk to it by pynetdicom or by bare bytes."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import _config
from pynetdicom.association import Association
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from accounts.models import Organization
from tests.viewer.dimse.caller import Caller
from viewer.dimse.limits import Limits
from viewer.dimse.listening import Node
from viewer.models import DicomPeer

ALL_RIGHTS = {f"may_{right}": True for right in ("store", "query", "retrieve", "commit")}


def peer(organization: Organization, ae_title: str = "SCANNER", host: str = "127.0.0.1", **fields: Any) -> DicomPeer:
    return DicomPeer.objects.create(organization=organization, ae_title=ae_title, host=host, **{**ALL_RIGHTS, **fields})


@contextlib.contextmanager
def listening(tls: ssl.SSLContext | None = None, **bounds: Any) -> Iterator[Node]:
    """A node on a free port of this machine; everything of it has ended afterwards."""
    node = Node("FARVIEW", "127.0.0.1", 0, Limits(**bounds), tls)
    node.start()
    try:
        yield node
    finally:
        node.stop(5)
        assert until(lambda: not node.associations(), 10), "associations were left behind"


@contextlib.contextmanager
def associated(
    node: Node,
    contexts: Sequence[tuple[str, str | list[str]]] = ((CTImageStorage, ExplicitVRLittleEndian),),
    *,
    calling: str = "SCANNER",
    called: str = "FARVIEW",
    roles: Sequence[Any] = (),
    handlers: Sequence[Any] = (),
    tls: ssl.SSLContext | None = None,
) -> Iterator[Association]:
    """An association, whether it came about or not."""
    entity = Caller(ae_title=calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = 30
    association = entity.associate(
        "127.0.0.1",
        node.port,
        [build_context(*context) for context in contexts],
        ae_title=called,
        ext_neg=list(roles),
        evt_handlers=list(handlers),
        tls_args=(tls, "localhost") if tls is not None else None,
    )
    try:
        yield association
    finally:
        if association.is_established:
            association.release()
        association.kill()


@contextlib.contextmanager
def raw_files() -> Iterator[None]:
    """pynetdicom sends the bytes of a file as they are, instead of what it understands of them."""
    before, _config.STORE_SEND_CHUNKED_DATASET = _config.STORE_SEND_CHUNKED_DATASET, True
    try:
        yield
    finally:
        _config.STORE_SEND_CHUNKED_DATASET = before


def sent(node: Node, *objects: Dataset, **options: Any) -> list[int]:
    """Statuses of C-STORE, one for each object, in one association; -1 where no answer came."""
    contexts = list(dict.fromkeys((str(one.SOPClassUID), str(one.file_meta.TransferSyntaxUID)) for one in objects))
    with associated(node, contexts, **options) as association:
        assert association.is_established
        return [int(association.send_c_store(one).get("Status", -1)) for one in objects]


def sent_file(node: Node, path: Path, sop_class: str, syntax: str) -> int:
    """The status of one C-STORE of a file's own bytes."""
    with raw_files(), associated(node, [(sop_class, syntax)]) as association:
        assert association.accepted_contexts, "the context was refused"
        return int(association.send_c_store(path).get("Status", -1))


def echo(node: Node, calling: str = "SCANNER", called: str = "FARVIEW") -> bool:
    with associated(node, [(Verification, ExplicitVRLittleEndian)], calling=calling, called=called) as association:
        return association.is_established and association.send_c_echo().get("Status") == 0


def until(what: Callable[[], Any], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.01)
    return bool(what())


# --- bare bytes (PS3.8 9.3)


def connected(node: Node) -> socket.socket:
    return socket.create_connection(("127.0.0.1", node.port), timeout=10)


def associate_request(calling: str = "SCANNER", called: str = "FARVIEW", sop_class: str = CTImageStorage) -> bytes:
    """A-ASSOCIATE-RQ for one context in explicit VR little endian, its number 1."""
    abstract, transfer = item(0x30, sop_class.encode()), item(0x40, str(ExplicitVRLittleEndian).encode())
    content = (
        struct.pack(">HH", 1, 0)
        + called.ljust(16).encode()
        + calling.ljust(16).encode()
        + bytes(32)
        + item(0x10, b"1.2.840.10008.3.1.1.1")
        + item(0x20, bytes((1, 0, 0, 0)) + abstract + transfer)
        + item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3.4"))
    )
    return pdu(1, content)


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(content)) + content


def pdu(kind: int, content: bytes, length: int | None = None) -> bytes:
    return struct.pack(">BBI", kind, 0, len(content) if length is None else length) + content


def data(content: bytes, *, command: bool = False, last: bool = True, context: int = 1) -> bytes:
    """P-DATA-TF with one value (PS3.8 9.3.5, annex E.2)."""
    value = bytes((context, command + 2 * last)) + content
    return pdu(4, struct.pack(">I", len(value)) + value)


def store_command(uid: str = "1.2.3.4.1", sop_class: str = CTImageStorage) -> bytes:
    """The command set of a C-STORE-RQ (PS3.7 9.3.1.1), implicit VR little endian."""

    def element(number: int, value: bytes) -> bytes:
        return struct.pack("<HHI", 0, number, len(value)) + value

    def text(value: str) -> bytes:
        return (value + "\0" * (len(value) % 2)).encode()

    body = (
        element(0x0002, text(sop_class))
        + element(0x0100, struct.pack("<H", 1))
        + element(0x0110, struct.pack("<H", 7))
        + element(0x0700, struct.pack("<H", 0))
        + element(0x0800, struct.pack("<H", 1))
        + element(0x1000, text(uid))
    )
    return element(0x0000, struct.pack("<I", len(body))) + body


def answer_kind(connection: socket.socket) -> int | None:
    """The type of the next PDU; None where the connection ends instead."""
    try:
        head = connection.recv(6, socket.MSG_WAITALL)
        if len(head) < 6:
            return None
        connection.recv(int.from_bytes(head[2:6], "big"), socket.MSG_WAITALL)
    except ConnectionError:
        return None
    return head[0]


ACCEPTED, REJECTED, DATA, ABORTED = 2, 3, 4, 7
