"""What is answered to a C-STORE, byte by byte as PS3.7 9.3.1.2 has it, and as pynetdicom and pydicom read it."""

from __future__ import annotations

import io

import pytest
from pydicom.filereader import read_dataset
from pynetdicom.dimse_messages import C_STORE_RSP
from pynetdicom.dimse_primitives import C_STORE

from viewer.dimse.store_response import encoded, in_one_piece

CT = "1.2.840.10008.5.1.4.1.1.2"


def response(status: int = 0, comment: str = "", instance: str = "1.2.3.4") -> C_STORE:
    made = C_STORE()
    made.MessageID = made.MessageIDBeingRespondedTo = 0x0102
    made.AffectedSOPClassUID = CT
    made.AffectedSOPInstanceUID = instance
    made.Status = status
    if comment:
        made.ErrorComment = comment
    return made


def test_the_bytes_are_those_of_the_standard() -> None:
    assert encoded(response(0xB000, "odd")).hex() == (
        "0000000004000000" + "66000000"  # length of what follows
        "000002001a000000" + CT.encode().hex() + "00"  # Affected SOP Class UID, made even by a NUL
        "0000000102000000" + "0180"  # C-STORE-RSP
        "0000200102000000" + "0201"  # Message ID Being Responded To
        "0000000802000000" + "0101"  # no data set
        "0000000902000000" + "00b0"  # Status
        "0000020904000000" + b"odd ".hex() +  # Error Comment, made even by a space
        "0000001008000000" + b"1.2.3.4\0".hex()  # Affected SOP Instance UID
    )  # fmt: skip


@pytest.mark.parametrize("comment", ["", "even", "an odd comment"])
@pytest.mark.parametrize("status", [0x0000, 0xA700, 0xB000, 0xC000, 0x0124])
@pytest.mark.parametrize("instance", ["1.2.3", "1.22.3", "1.2." + "9" * 60])
def test_it_is_what_pynetdicom_would_have_sent(status: int, comment: str, instance: str) -> None:
    theirs = C_STORE_RSP()
    theirs.primitive_to_message(response(status, comment, instance))
    (piece,) = theirs.encode_msg(5, 16384)
    ours = in_one_piece(response(status, comment, instance), 5, 16384)
    assert ours is not None
    assert ours.presentation_data_value_list == piece.presentation_data_value_list


def test_pydicom_reads_it() -> None:
    read = read_dataset(io.BytesIO(encoded(response(0xB000, "kept aside"))), True, True)
    assert (read.CommandField, read.MessageIDBeingRespondedTo, read.Status) == (0x8001, 0x0102, 0xB000)
    assert (read.AffectedSOPClassUID, read.AffectedSOPInstanceUID, read.ErrorComment) == (CT, "1.2.3.4", "kept aside")
    assert read.CommandGroupLength == len(encoded(response(0xB000, "kept aside"))) - 12


def test_what_a_peer_does_not_take_in_one_piece_goes_the_usual_way() -> None:
    needed = len(encoded(response())) + 6
    assert in_one_piece(response(), 1, needed) is not None
    assert in_one_piece(response(), 1, 0) is not None, "0 is without a limit (PS3.8 D.1)"
    assert in_one_piece(response(), 1, needed - 1) is None
    with_element = response(0xC000)
    with_element.OffendingElement = [0x00100010]
    assert in_one_piece(with_element, 1, 16384) is None
