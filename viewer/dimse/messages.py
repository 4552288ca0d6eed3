"""Messages (PS3.7) of an accepted association: pynetdicom's, where objects go straight to files, and with limits."""

from __future__ import annotations

import logging
import queue
import time
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import A_RELEASE

from viewer.dimse import counting
from viewer.dimse.limits import Limits
from viewer.dimse.store_request import begun
from viewer.dimse.store_response import in_one_piece
from viewer.dimse.storing_file import ArrivingFile
from viewer.dimse.upper_layer import INVALID

if TYPE_CHECKING:
    from viewer.dimse.association import Accepted

logger = logging.getLogger(__name__)

LOOK_S = 0.25
NOTHING = (None, None)


class Messages(DIMSEServiceProvider):
    """Puts messages together. The data set of an object to store goes to a file of the store as it comes."""

    def __init__(self, assoc: Accepted, bounds: Limits) -> None:
        super().__init__(assoc)
        self._bounds = bounds
        self._arriving: ArrivingFile | None = None
        self._requests: deque[Any] = deque()
        """Requests that came while an answer was waited for; they have their turn afterwards."""

    def get_msg(self, block: bool = False) -> Any:
        """The next message. Who waits (`block`) has asked something and wants the answer, not a request that crossed it; a
        peer that wants to leave has none."""
        if not block:
            return self._requests.popleft() if self._requests else super().get_msg(block=False)
        until = time.monotonic() + (self.dimse_timeout or LOOK_S)
        while time.monotonic() < until:
            try:
                found = self.msg_queue.get(timeout=LOOK_S)
            except queue.Empty:
                if isinstance(self.dul.peek_next_pdu(), A_RELEASE) or not self.dul.is_alive():
                    return NOTHING
                continue
            if found[1] is None or getattr(found[1], "MessageIDBeingRespondedTo", None) is not None:
                return found
            self._requests.append(found)
        return NOTHING

    @property
    def waiting(self) -> bool:
        """Whether messages wait for their turn."""
        return bool(self._requests) or not self.msg_queue.empty()

    def receive_primitive(self, primitive: Any) -> None:
        if self.message is None:
            self.message = begun(primitive)
        super().receive_primitive(primitive)
        message = self.message
        if message is None:
            self._arriving = None  # whole, and in the hands of whoever serves it
            if self.msg_queue.qsize() + len(self._requests) > self._bounds.requests_ahead:
                self._refuse_more("sends more requests than it may")
        elif isinstance(message, C_STORE_RQ) and message._data_set_file is None:
            self._begin_file(message)
        elif message.encoded_command_set.tell() > self._bounds.control_bytes:
            self._refuse_more("sends an endless command")
        elif message.data_set is not None and message.data_set.tell() > self._bounds.identifier_bytes:
            self._refuse_more("sends an endless query")

    def send_msg(self, primitive: Any, context_id: int) -> None:
        counting.answered(primitive)
        if isinstance(primitive, C_STORE) and primitive.MessageIDBeingRespondedTo is not None:
            answer = in_one_piece(primitive, context_id, self.maximum_pdu_size)
            if answer is not None:
                self.dul.send_pdu(answer)
                return
        super().send_msg(primitive, context_id)

    def _begin_file(self, message: C_STORE_RQ) -> None:
        context = self.assoc._accepted_cx.get(cast(int, message.context_id))
        if context is None:
            self._refuse_more("sends an object in no context")
            return
        command = message.command_set
        self._arriving = ArrivingFile(
            sop_class_uid=str(command.get("AffectedSOPClassUID") or ""),
            sop_instance_uid=str(command.get("AffectedSOPInstanceUID") or ""),
            transfer_syntax_uid=str(context.transfer_syntax[0]),
            limit=self._bounds.object_bytes,
        )
        begun = message.data_set.getvalue() if message.data_set is not None else b""
        if begun:  # the command and the first of the data came in one PDU
            self._arriving.write(begun)
            message.data_set.seek(0)  # type: ignore[union-attr]
            message.data_set.truncate()  # type: ignore[union-attr]
        message._data_set_file = self._arriving  # type: ignore[assignment]

    def _refuse_more(self, what: str) -> None:
        logger.warning("A DICOM peer %s", what)
        self.dul.event_queue.put(INVALID)

    @property
    def busy(self) -> bool:
        """A message is half here, or waits for its turn."""
        return self.message is not None or self.waiting

    def forget(self) -> None:
        """The association has ended: what was not served will not be."""
        if self._arriving is not None:
            self._arriving.close()
        while self.waiting:
            _, request = self.get_msg()
            file = getattr(request, "_dataset_file", None)
            if file is not None:
                file.close()
