"""A receiver of C-STORE that does what a test wants of it: pynetdicom's, in this process, on a port of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification

from tests.live import free_port
from viewer.models import DicomPeer

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
CT = "1.2.840.10008.5.1.4.1.1.2"


class Receiver:
    """A context manager. `got`: (SOP Instance UID, transfer syntax, bytes of the data set), in the order of arrival."""

    def __init__(
        self,
        ae_title: str = "RECEIVER",
        syntaxes: Sequence[str] = (EXPLICIT, IMPLICIT),
        classes: Sequence[str] = (CT,),
        answer: Callable[[str], int] | None = None,
        knows: Sequence[str] = (),
        slow_s: float = 0.0,
        handlers: Sequence[tuple[Any, Callable[..., Any]]] = (),
    ) -> None:
        self.port, self.ae_title = free_port(), ae_title
        self.got: list[tuple[str, str, bytes]] = []
        self.associations = 0
        self._wires: list[Any] = []
        self.originators: list[tuple[Any, Any]] = []
        self._answer, self._slow_s, self._handlers = answer, slow_s, handlers
        self._entity = AE(ae_title)
        self._entity.require_calling_aet = list(knows)
        self._entity.maximum_pdu_size = 16384
        self._entity.add_supported_context(Verification)
        for one in classes:
            for syntax in syntaxes:
                self._entity.add_supported_context(one, syntax)

    def __enter__(self) -> Receiver:
        handlers = [(evt.EVT_C_STORE, self._take), (evt.EVT_ACCEPTED, self._count), (evt.EVT_CONN_OPEN, self._opened)]
        handlers = [*handlers, *self._handlers]
        self._server = self._entity.start_server(("127.0.0.1", self.port), block=False, evt_handlers=handlers)
        return self

    def __exit__(self, *problem: object) -> None:
        self._server.shutdown()
        for wire in self._wires:
            wire.close()

    def _opened(self, event: Any) -> None:
        self._wires.append(event.assoc.dul.socket.socket)

    def _count(self, event: Any) -> None:
        self.associations += 1

    def _take(self, event: Any) -> int:
        uid = str(event.request.AffectedSOPInstanceUID)
        if self._slow_s:
            time.sleep(self._slow_s)
        status = self._answer(uid) if self._answer else 0
        if status < 0:
            event.assoc.abort()
            return 0xC000
        self.originators.append(
            (event.request.MoveOriginatorApplicationEntityTitle, event.request.MoveOriginatorMessageID)
        )
        if status == 0:
            self.got.append((uid, str(event.context.transfer_syntax), event.encoded_dataset(include_meta=False)))
        return status

    def row(self, organization: Any, **more: Any) -> DicomPeer:
        """It, as a peer of an organization."""
        values = {"ae_title": self.ae_title, "host": "127.0.0.1", "port": self.port, **more}
        return DicomPeer.objects.create(organization=organization, **values)

    @property
    def uids(self) -> list[str]:
        return [uid for uid, _, _ in self.got]


def data_set_of(path: Path) -> bytes:
    """The bytes behind the file meta information, found by its group length (PS3.10 7.1), explicit little endian."""
    data = path.read_bytes()
    assert data[128:140] == b"DICM\x02\x00\x00\x00UL\x04\x00"
    return data[144 + int.from_bytes(data[140:144], "little") :]
