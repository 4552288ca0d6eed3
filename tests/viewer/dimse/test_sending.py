"""Objects leave as they are stored, and what goes wrong is said in words."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import MPEG4HP41, ImplicitVRLittleEndian

from tests.live import free_port
from tests.viewer.archive.objects import ct_slice, save, slices
from tests.viewer.dimse.alone import DATA
from tests.viewer.dimse.receiver import CT, EXPLICIT, IMPLICIT, Receiver, data_set_of
from viewer.dicom.changes import Changes
from viewer.dimse import calling
from viewer.dimse.calling import NotReached, echo
from viewer.dimse.sending import LOST, NO_CONTEXT, Outgoing, batches, store
from viewer.engine.native import can_be_native
from viewer.models import DicomPeer

LOSSLESS = {f"1.2.840.10008.1.2.{tail}" for tail in ("4.57", "4.70", "4.80", "4.90", "4.201", "4.202", "5", "8.1")}
OF_ENCODING = {0x7FE00001, 0x7FE00002, 0x7FE00003, 0x00280006, 0xFFFCFFFC}
"""Offsets of fragments, the planar configuration, which colours have once they are not encapsulated, and padding at the end."""


def syntax_of(path: Path) -> str:
    return str(pydicom.dcmread(path, stop_before_pixels=True, force=True).file_meta.get("TransferSyntaxUID", ""))


def outgoing(path: Path, syntax: str = EXPLICIT, **more: object) -> Outgoing:
    said = pydicom.dcmread(path, stop_before_pixels=True)
    return Outgoing(path, str(said.SOPClassUID), str(said.SOPInstanceUID), syntax, **more)  # type: ignore[arg-type]


def peer(receiver: Receiver) -> DicomPeer:
    return DicomPeer(ae_title=receiver.ae_title, host="127.0.0.1", port=receiver.port)


def decoded(data: bytes, implicit: bool) -> Dataset:
    return (
        pydicom.dcmread(io.BytesIO(data), force=True)
        if implicit
        else pydicom.filereader.read_dataset(io.BytesIO(data), is_implicit_VR=False, is_little_endian=True)
    )


def test_the_stored_bytes_leave_in_the_syntax_they_are_stored_in(tmp_path: Path) -> None:
    paths = slices(tmp_path, 3)
    with Receiver() as receiver:
        told: list[tuple[str, int]] = []
        result = store(
            peer(receiver), [outgoing(path) for path in paths], lambda uid, status: told.append((uid, status))
        )
    assert [data for _, _, data in receiver.got] == [data_set_of(path) for path in paths]
    assert {syntax for _, syntax, _ in receiver.got} == {EXPLICIT}
    assert (result.sent, result.failed, result.broken) == (receiver.uids, [], "")
    assert told == [(uid, 0) for uid in receiver.uids]
    assert receiver.associations == 1


def test_native_pixels_are_written_in_the_native_syntax_that_a_peer_takes(tmp_path: Path) -> None:
    pixels = bytes(range(32))
    path = save(ct_slice(PixelData=pixels), tmp_path / "one.dcm")
    with Receiver(syntaxes=[IMPLICIT]) as receiver:
        assert store(peer(receiver), [outgoing(path)]).sent == ["1.2.3.4.1"]
    ((_, syntax, data),) = receiver.got
    found = pydicom.filereader.read_dataset(io.BytesIO(data), is_implicit_VR=True, is_little_endian=True)
    assert syntax == IMPLICIT
    assert (found.PatientName, found.PixelData, found.SOPInstanceUID) == ("Doe^Jane", pixels, "1.2.3.4.1")


def test_compressed_pixels_that_a_peer_does_not_take_are_refused_in_words_and_hold_up_no_others(tmp_path: Path) -> None:
    compressed, native = slices(tmp_path, 2)
    files = [outgoing(compressed, str(MPEG4HP41)), outgoing(native)]
    with Receiver() as receiver:
        result = store(peer(receiver), files)
    assert result.sent == receiver.uids == ["1.2.3.4.2"]
    ((uid, status, words),) = result.failed
    assert (uid, status) == ("1.2.3.4.1", NO_CONTEXT)
    assert words == "the peer does not take CT Image Storage in MPEG-4 AVC/H.264 High Profile / Level 4.1"


NOT_BY_PYDICOM = {"CTImage_JPEGProcess10_12_4.55.dcm", "CTImage_JPEGProcess6_8_4.53.dcm", "NM1_JPLY.dcm"}
COMPRESSED = sorted(
    path
    for folder in ("syntax_ctimage", "syntax_nema", "syntax_other", "colour")
    for path in (DATA / folder).glob("*.dcm")
    if can_be_native(syntax_of(path)) and path.name != "HTJ2KLossless_08_RGB.dcm"  # of no study, so never held
)


def test_all_compressed_objects_leave_decompressed_for_a_peer_that_takes_no_other() -> None:
    """pydicom is the judge of the values; lossy ones may differ by what two codecs make of the same bytes."""
    files = [outgoing(path, syntax_of(path)) for path in COMPRESSED]
    assert len({one.transfer_syntax_uid for one in files}) >= 11
    with Receiver(syntaxes=[IMPLICIT], classes=sorted({one.sop_class_uid for one in files})) as receiver:
        result = store(peer(receiver), files)
    assert (result.failed, len(receiver.got)) == ([], len(files))
    for path, (uid, syntax, data) in zip(COMPRESSED, receiver.got, strict=True):
        before = pydicom.dcmread(path)
        came = pydicom.filereader.read_dataset(io.BytesIO(data), is_implicit_VR=True, is_little_endian=True)
        came.file_meta = FileMetaDataset()
        came.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        assert syntax == IMPLICIT
        tags = [{element.tag for element in said if element.tag.element} for said in (came, before)]
        assert tags[0] ^ tags[1] <= OF_ENCODING, path.name
        assert came.SOPInstanceUID == before.SOPInstanceUID == uid
        if path.name in NOT_BY_PYDICOM:
            assert came.pixel_array.shape == (before.Rows, before.Columns)
            continue
        differ = np.abs(came.pixel_array.astype(int) - before.pixel_array.astype(int)).max()
        assert differ <= (0 if syntax_of(path) in LOSSLESS else 2), path.name


def test_a_sop_class_that_a_peer_does_not_take_is_named(tmp_path: Path) -> None:
    path = save(ct_slice(SOPClassUID="1.2.840.10008.5.1.4.1.1.4"), tmp_path / "mr.dcm")
    with Receiver() as receiver:
        result = store(peer(receiver), [outgoing(path)])
    assert [words for _, _, words in result.failed] == ["the peer does not take MR Image Storage"]


def test_a_file_whose_meta_information_names_another_object_leaves_under_its_own_uid(tmp_path: Path) -> None:
    """Some stations write a UID into the file meta information that is not that of the data set."""
    path = save(ct_slice(), tmp_path / "one.dcm")
    file = pydicom.dcmread(path)
    file.file_meta.MediaStorageSOPInstanceUID = "1.2.3.9.9"
    file.save_as(path, enforce_file_format=False)
    with Receiver() as receiver:
        assert store(peer(receiver), [outgoing(path)]).sent == ["1.2.3.4.1"]
    assert receiver.got[0][2] == data_set_of(path)


def test_corrections_are_applied_on_the_way_out_and_the_stored_file_stays(tmp_path: Path) -> None:
    path = save(ct_slice(), tmp_path / "one.dcm")
    before = path.read_bytes()
    with Receiver() as receiver:
        store(peer(receiver), [outgoing(path, changes=Changes({"PatientID": "P2", "PatientName": "Roe^Mary"}))])
    found = decoded(receiver.got[0][2], implicit=False)
    assert (found.PatientID, found.PatientName) == ("P2", "Roe^Mary")
    assert path.read_bytes() == before


def test_an_object_over_which_the_peer_ends_the_association_holds_up_no_others(tmp_path: Path) -> None:
    paths = slices(tmp_path, 4)
    with Receiver(answer=lambda uid: -1 if uid == "1.2.3.4.2" else 0) as receiver:
        result = store(peer(receiver), [outgoing(path) for path in paths])
    assert result.sent == receiver.uids == ["1.2.3.4.1", "1.2.3.4.3", "1.2.3.4.4"]
    assert [(uid, status) for uid, status, _ in result.failed] == [("1.2.3.4.2", LOST)]
    assert receiver.associations == 2


def test_a_peer_that_ends_every_association_is_left_alone(tmp_path: Path) -> None:
    paths = slices(tmp_path, 9)
    with Receiver(answer=lambda uid: -1) as receiver:
        result = store(peer(receiver), [outgoing(path) for path in paths])
    assert (bool(result.broken), result.sent, receiver.associations) == (True, [], 3)


def test_refusals_are_said_in_words_and_a_warning_is_an_acknowledgement(tmp_path: Path) -> None:
    statuses = {"1.2.3.4.1": 0xA700, "1.2.3.4.2": 0xB000, "1.2.3.4.3": 0xC123}
    with Receiver(answer=lambda uid: statuses[uid]) as receiver:
        result = store(peer(receiver), [outgoing(path) for path in slices(tmp_path, 3)])
    assert result.sent == ["1.2.3.4.2"]
    assert [words for _, _, words in result.failed] == [
        "the peer answered 0xA700 (out of resources)",
        "the peer answered 0xC123 (it cannot understand the object)",
    ]


def test_whoever_stops_it_ends_it_between_two_objects(tmp_path: Path) -> None:
    stop = threading.Event()
    with Receiver() as receiver:
        result = store(
            peer(receiver), [outgoing(path) for path in slices(tmp_path, 5)], lambda uid, status: stop.set(), stop
        )
    assert result.sent == receiver.uids == ["1.2.3.4.1"]


def test_who_moved_it_is_said(tmp_path: Path) -> None:
    with Receiver() as receiver:
        store(peer(receiver), [outgoing(path) for path in slices(tmp_path, 1)], originator=("MOVER", 7))
    assert receiver.originators == [("MOVER", 7)]


def test_a_large_object_is_read_no_faster_than_it_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = 0
    plain = calling._HeldBack.put

    def measured(self: calling._HeldBack, *given: object) -> None:
        nonlocal longest
        plain(self, *given)  # type: ignore[arg-type]
        longest = max(longest, self.qsize())

    monkeypatch.setattr(calling._HeldBack, "put", measured)
    path = save(ct_slice(Rows=2048, Columns=2048, PixelData=bytes(8 << 20)), tmp_path / "large.dcm")
    with Receiver() as receiver:
        assert store(peer(receiver), [outgoing(path)]).sent
    assert 0 < longest <= calling.PIECES_AHEAD + 1
    assert receiver.got[0][2] == data_set_of(path)


def test_one_association_asks_for_no_more_contexts_than_it_has_room_for() -> None:
    files = [Outgoing(Path("x"), f"1.2.3.{number}", f"1.2.4.{number}", EXPLICIT) for number in range(150)]
    found = list(batches(files))
    assert [one for batch in found for one in batch] == files
    assert [len(batch) for batch in found] == [60, 60, 30]  # each asks for explicit and implicit
    same = [Outgoing(Path("x"), CT, f"1.2.4.{number}", EXPLICIT) for number in range(500)]
    assert len(list(batches(same))) == 1


# --- who cannot be called


def said_of(row: DicomPeer) -> str:
    with pytest.raises(NotReached) as caught:
        echo(row)
    return str(caught.value)


def test_an_echo_says_that_the_peer_is_there() -> None:
    with Receiver() as receiver:
        assert echo(peer(receiver)).startswith("RECEIVER answers (C-ECHO, ")


def test_why_a_peer_cannot_be_called_is_said_in_words() -> None:
    port = free_port()
    nobody = DicomPeer(ae_title="NOBODY", host="127.0.0.1", port=port)
    assert said_of(nobody) == f"NOBODY at 127.0.0.1:{port} cannot be reached: connection refused"
    unknown = DicomPeer(ae_title="NOBODY", host="nobody.invalid", port=104)
    assert said_of(unknown) == "the name nobody.invalid is not known"
    calls_only = DicomPeer(ae_title="CALLER", host="10.1.0.0/16")
    assert said_of(calls_only) == "CALLER only calls: its row has no port to be called at"


def test_a_peer_that_does_not_know_us_is_said_to_be_so() -> None:
    with Receiver(knows=["SOMEBODY"]) as receiver:
        words = said_of(peer(receiver))
    assert words.endswith("refuses the association: it does not know our AE title FARVIEW")


def test_a_peer_called_by_tls_that_speaks_none_is_said_to_be_so(tmp_path: Path) -> None:
    with Receiver() as receiver:
        row = peer(receiver)
        row.tls = True
        assert "cannot be reached" in said_of(row)
