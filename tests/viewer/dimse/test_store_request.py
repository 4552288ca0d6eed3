"""Commands of C-STORE requests as pynetdicom writes them are read as it reads them; whatever is unusual is left to it."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from pynetdicom.dimse_messages import C_STORE_RQ, DIMSEMessage
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import P_DATA

from viewer.dimse.store_request import begun

NAMES = (
    *("AffectedSOPClassUID", "AffectedSOPInstanceUID", "MessageID", "Priority", "MessageIDBeingRespondedTo"),
    *("MoveOriginatorApplicationEntityTitle", "MoveOriginatorMessageID"),
)
CONTEXT = 7


def request(**changed: Any) -> C_STORE:
    made = C_STORE()
    made.AffectedSOPClassUID, made.AffectedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
    made.MessageID, made.Priority = 513, 2
    made.DataSet = io.BytesIO(b"the data set")
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def pieces(of: C_STORE, pdu: int = 16384) -> list[P_DATA]:
    message = C_STORE_RQ()
    message.primitive_to_message(of)
    return list(message.encode_msg(CONTEXT, pdu))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"Priority": 0, "MessageID": 65535},
        {"AffectedSOPInstanceUID": "1.2.33"},
        {"MoveOriginatorApplicationEntityTitle": "AN ARCHIVE", "MoveOriginatorMessageID": 9},
    ],
)
@pytest.mark.parametrize("together", [False, True])
def test_the_usual_ones_are_read_as_pynetdicom_reads_them(changed: dict[str, Any], together: bool) -> None:
    sent = pieces(request(**changed))
    if together:  # command and data in one PDU
        sent[0].presentation_data_value_list.extend(sent.pop().presentation_data_value_list)
    ours, theirs = begun(sent[0]), DIMSEMessage()
    assert ours is not None
    whole = [(ours.decode_msg(piece), theirs.decode_msg(piece)) for piece in sent]
    assert whole == [(False, False)] * (len(sent) - 1) + [(True, True)]
    read, meant = ours.message_to_primitive(), theirs.message_to_primitive()
    assert isinstance(meant, C_STORE)
    assert [getattr(read, name) for name in NAMES] == [getattr(meant, name) for name in NAMES]
    assert read._context_id == meant._context_id == CONTEXT
    assert read.is_valid_request
    assert read.DataSet is not None
    assert read.DataSet.getvalue() == b"the data set"


def command(*elements: tuple[int, bytes], control: int = 3) -> P_DATA:
    made = P_DATA()
    encoded = b"".join(struct.pack("<HHI", 0, number, len(value)) + value for number, value in elements)
    made.presentation_data_value_list.append((CONTEXT, bytes([control]) + encoded))
    return made


USUAL = {
    0x0002: b"1.2.840.10008.5.1.4.1.1.2\0",
    0x0100: b"\1\0",
    0x0110: b"\1\0",
    0x0700: b"\0\0",
    0x0800: b"\1\0",
    0x1000: b"1.2.3.4\0",
}


def test_a_command_written_by_hand_is_a_usual_one() -> None:
    assert begun(command(*USUAL.items())) is not None


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (0x0100, b"\x30\0"),  # C-ECHO-RQ
        (0x0100, b"\x01\x80"),  # C-STORE-RSP
        (0x0800, b"\1\1"),  # without a data set
        (0x0110, b"\1\0\0\0"),  # a number of four bytes
        (0x0110, b""),
        (0x1000, b"1.2.3\\1.2"),  # two values
        (0x1000, b""),
        (0x1000, b"1." + b"2" * 64),
        (0x1000, "1.2.\u0663".encode()),
        (0x0902, b"no element of a request "),
        (0x1030, b"A\\B "),
    ],
)
def test_what_is_unusual_is_left_to_pynetdicom(number: int, value: bytes) -> None:
    assert begun(command(*sorted({**USUAL, number: value}.items()))) is None


@pytest.mark.parametrize("missing", [0x0002, 0x0100, 0x0110, 0x0700, 0x0800, 0x1000])
def test_what_lacks_something_is_left_to_pynetdicom(missing: int) -> None:
    assert begun(command(*((number, value) for number, value in USUAL.items() if number != missing))) is None


def test_pieces_other_orders_and_cut_ones_are_left_to_pynetdicom() -> None:
    assert begun(command(*USUAL.items(), control=1)) is None
    assert begun(command(*USUAL.items(), control=2)) is None
    assert begun(command(*reversed(USUAL.items()))) is None
    assert begun(command((0x0002, USUAL[0x0002]), *USUAL.items())) is None
    assert begun(P_DATA()) is None
    usual = command(*USUAL.items())
    encoded = usual.presentation_data_value_list[0][1]
    for length in range(1, len(encoded)):
        cut = P_DATA()
        cut.presentation_data_value_list.append((CONTEXT, encoded[:length]))
        assert begun(cut) is None
    assert begun(pieces(request(), pdu=64)[0]) is None
