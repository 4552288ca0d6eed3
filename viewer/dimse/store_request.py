"""The command of a C-STORE request as bytes (PS3.7 9.3.1.1): it comes before every object, so it is read without a data set.

Only the usual ones are read here: in one piece, with the elements of the standard and values that need no second look.
All others are pynetdicom's.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import P_DATA

WHOLE_COMMAND = 3
"""Bits of the message control header (PS3.8 E.2)."""
C_STORE_RQ_FIELD = 0x0001
NO_DATA_SET = 0x0101
LONGEST = 1024
UID = re.compile(rb"[0-9.]{1,64}\Z")
TITLE = re.compile(rb"[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?\Z")


class StoreRequest(C_STORE_RQ):
    """A request whose command is known; its data set is still to come."""

    def __init__(self, command: dict[str, Any]) -> None:
        # Not the one it stands for, which makes a data set of nothing.
        self.context_id: int | None = None
        self.encoded_command_set, self.data_set = BytesIO(), BytesIO()
        self.command_set = command  # type: ignore[assignment]
        self._data_set_path = self._data_set_file = None

    def decode_msg(self, primitive: P_DATA, assoc: Any = None) -> bool:
        if self.context_id is None:
            (self.context_id, _), *fragments = primitive.presentation_data_value_list
            primitive = P_DATA()
            primitive.presentation_data_value_list.extend(fragments)
        return super().decode_msg(primitive, assoc)

    def message_to_primitive(self) -> C_STORE:
        request = C_STORE()
        for name, value in self.command_set.items():
            setattr(request, str(name), value)
        request.DataSet = self.data_set
        request._context_id = self.context_id
        request._dataset_file = self._data_set_file
        return request


def begun(primitive: P_DATA) -> StoreRequest | None:
    """The request that these first fragments begin; None where they begin something else, or anything unusual."""
    fragments = primitive.presentation_data_value_list
    if not fragments or len(fragments[0][1]) > LONGEST or fragments[0][1][0] & 3 != WHOLE_COMMAND:
        return None
    try:
        command = _read(bytes(fragments[0][1][1:]))
    except (KeyError, ValueError, struct.error):
        return None
    if (
        command.pop("CommandField", None) != C_STORE_RQ_FIELD
        or command.pop("CommandDataSetType", 0x0101) == NO_DATA_SET
    ):
        return None
    return StoreRequest(command) if command.keys() >= NEEDED else None


def _read(command: bytes) -> dict[str, Any]:
    """By keyword. Raises KeyError, ValueError and struct.error at what is unusual."""
    found, place, last = dict[str, Any](), 0, -1
    while place < len(command):
        group, number, length = struct.unpack_from("<HHI", command, place)
        value, place = command[place + 8 : place + 8 + length], place + 8 + length
        if group or number <= last or len(value) != length:
            raise ValueError("not in order, or cut short")
        last = number
        name, read = ELEMENTS[number]
        found[name] = read(value)
    found.pop("CommandGroupLength", None)
    return found


def _number(value: bytes) -> int:
    return int(struct.unpack("<H", value)[0])


def _uid(value: bytes) -> str:
    return _text(UID, value.rstrip(b"\0"))


def _title(value: bytes) -> str:
    return _text(TITLE, value.strip(b" "))


def _text(allowed: re.Pattern[bytes], value: bytes) -> str:
    if not allowed.match(value):
        raise ValueError("not a value of its kind")
    return value.decode("ascii")


ELEMENTS: dict[int, tuple[str, Callable[[bytes], Any]]] = {
    0x0000: ("CommandGroupLength", len),
    0x0002: ("AffectedSOPClassUID", _uid),
    0x0100: ("CommandField", _number),
    0x0110: ("MessageID", _number),
    0x0700: ("Priority", _number),
    0x0800: ("CommandDataSetType", _number),
    0x1000: ("AffectedSOPInstanceUID", _uid),
    0x1030: ("MoveOriginatorApplicationEntityTitle", _title),
    0x1031: ("MoveOriginatorMessageID", _number),
}
NEEDED = {"AffectedSOPClassUID", "AffectedSOPInstanceUID", "MessageID", "Priority"}
