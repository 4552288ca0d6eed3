"""The answer to a C-STORE as bytes (PS3.7 9.3.1.2): it goes out after every object, so it is written without a data set."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import P_DATA

C_STORE_RSP = 0x8001
NO_DATA_SET = 0x0101
LAST_OF_A_COMMAND = b"\x03"
"""Message control header (PS3.8 E.2)."""
PDV_HEAD = 6
"""Length, context and control header in front of a fragment (PS3.8 9.3.5.1)."""


def in_one_piece(response: C_STORE, context_id: int, pdu_bytes: int) -> P_DATA | None:
    """The answer, ready to send; None where it is an unusual one: of more than a peer takes at once, or with elements that
    are said to be wrong."""
    if response.OffendingElement is not None:
        return None
    command = encoded(response)
    if pdu_bytes and len(command) + PDV_HEAD > pdu_bytes:
        return None
    data = P_DATA()
    data.presentation_data_value_list.append((context_id, LAST_OF_A_COMMAND + command))
    return data


def encoded(response: C_STORE) -> bytes:
    """The command set, implicit VR little endian (PS3.7 6.3.1), in order of tags."""
    elements = b"".join(_elements(response))
    return _element(0x0000, struct.pack("<I", len(elements))) + elements


def _elements(response: C_STORE) -> Iterator[bytes]:
    if response.AffectedSOPClassUID is not None:
        yield _element(0x0002, _even(response.AffectedSOPClassUID, b"\0"))
    yield _element(0x0100, _number(C_STORE_RSP))
    yield _element(0x0120, _number(response.MessageIDBeingRespondedTo))
    yield _element(0x0800, _number(NO_DATA_SET))
    yield _element(0x0900, _number(response.Status))
    if response.ErrorComment:
        yield _element(0x0902, _even(response.ErrorComment, b" "))
    if response.AffectedSOPInstanceUID is not None:
        yield _element(0x1000, _even(response.AffectedSOPInstanceUID, b"\0"))


def _element(number: int, value: bytes) -> bytes:
    return struct.pack("<HHI", 0x0000, number, len(value)) + value


def _number(value: int | None) -> bytes:
    return struct.pack("<H", value or 0)


def _even(text: str, padding: bytes) -> bytes:
    value = text.encode("ascii", "replace")
    return value + padding if len(value) % 2 else value
