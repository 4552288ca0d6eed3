"""C-STORE: every object in every syntax as it comes, durable and recorded before the answer, or refused with the reason."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pydicom
import pytest
from django.db import transaction
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
)

from accounts.models import AuditEvent, Organization
from tests.viewer.archive.objects import ct_slice, save
from viewer.archive import rows, storage
from viewer.archive.ingest import ingest_file
from viewer.archive.storage import BlobStore
from viewer.dimse.listening import Node
from viewer.dimse.messages import Messages
from viewer.models import Blob, Conflict, DicomPeer, Instance, Quarantined, Study

from . import nodes

pytestmark = pytest.mark.django_db(transaction=True)

OUT_OF_RESOURCES, DOES_NOT_MATCH, CANNOT_UNDERSTAND, COERCED, NOT_AUTHORIZED = 0xA700, 0xA900, 0xC000, 0xB000, 0x0124


@pytest.fixture
def node(store: BlobStore, hospital: Organization) -> Iterator[Node]:
    nodes.peer(hospital)
    with nodes.listening() as made:
        yield made


def image(uid: str = "1.2.3.4.1", **changed: Any) -> Dataset:
    made = ct_slice(uid, **changed)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return made


def stored(uid: str) -> Path:
    return storage.blob_store().path(Instance.objects.get(sop_instance_uid=uid).blob_id)


def nothing_half_done() -> bool:
    return nodes.until(lambda: not list(storage.blob_store().incoming.glob("*")))


def data_set_bytes(path: Path) -> bytes:
    """All behind the meta information, by pydicom's reading of where that ends."""
    with open(path, "rb") as file:
        pydicom.filereader.read_preamble(file, force=True)
        pydicom.filereader._read_file_meta_info(file)
        return file.read()


def test_an_object_is_stored_under_a_right_header_and_in_the_record(node: Node, hospital: Organization) -> None:
    assert nodes.sent(node, image()) == [0]
    path = stored("1.2.3.4.1")
    read = pydicom.dcmread(path)
    assert path.read_bytes()[:132] == bytes(128) + b"DICM"
    assert read.file_meta.FileMetaInformationVersion == b"\0\1"
    assert read.file_meta.MediaStorageSOPClassUID == CTImageStorage
    assert read.file_meta.MediaStorageSOPInstanceUID == "1.2.3.4.1"
    assert read.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    length = read.file_meta.FileMetaInformationGroupLength
    assert data_set_bytes(path) == path.read_bytes()[144 + length :]  # preamble, prefix, the length's own 12 bytes
    assert read.PixelData == image().PixelData
    assert Study.objects.get().organization == hospital
    event = AuditEvent.objects.get(action="study.receive")
    assert (event.actor, event.origin, event.organization) == ("dicom:SCANNER", "127.0.0.1", "hospital")
    assert event.detail["door"] == "c-store"
    assert nothing_half_done()


def real_files(folder: Path) -> list[Path]:
    return [
        path for name in ("syntax_ctimage", "syntax_nema", "syntax_other") for path in sorted((folder / name).iterdir())
    ]


def test_every_syntax_comes_in_as_it_is(node: Node, shared_data: Path) -> None:
    seen: dict[str, int] = {}
    uids = set()
    for path in real_files(shared_data):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        syntax = str(header.file_meta.TransferSyntaxUID)
        status = nodes.sent_file(node, path, header.SOPClassUID, syntax)
        if "StudyInstanceUID" not in header:  # nobody could find it again
            assert status == CANNOT_UNDERSTAND
            assert data_set_bytes(storage.blob_store().path(Quarantined.objects.get().blob_id)) == data_set_bytes(path)
            continue
        assert status in (0, COERCED), path.name
        seen[syntax] = seen.get(syntax, 0) + 1
        if header.SOPInstanceUID not in uids:
            uids.add(header.SOPInstanceUID)
            kept = stored(header.SOPInstanceUID)
            assert data_set_bytes(kept) == data_set_bytes(path), path.name
            assert pydicom.dcmread(kept, stop_before_pixels=True).file_meta.TransferSyntaxUID == syntax
    assert len(seen) >= 14, seen
    assert {ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, JPEGLSLossless} <= set(seen)


@pytest.mark.parametrize(
    ("sop_class", "syntax"),
    [
        ("1.2.276.0.99999.1", ExplicitVRLittleEndian),  # a private class
        ("1.2.840.10008.5.1.4.1.1.9999", ExplicitVRLittleEndian),  # one that the standard may yet make
        ("1.2.840.10008.5.1.4.1.1.5", ExplicitVRLittleEndian),  # a retired one
        (CTImageStorage, "1.2.840.113619.5.2"),  # a private syntax
    ],
)
def test_private_retired_and_future_classes_are_stored_like_any_other(
    node: Node, tmp_path: Path, sop_class: str, syntax: str
) -> None:
    made = image(SOPClassUID=sop_class)
    path = save(made, tmp_path / "one.dcm")
    if syntax != ExplicitVRLittleEndian:  # what is not known here is encapsulated (PS3.5 A.4)
        made.PixelData = pydicom.encaps.encapsulate([b"whatever"])
        made["PixelData"].VR = "OB"
        made["PixelData"].is_undefined_length = True
        made.file_meta.TransferSyntaxUID = JPEGLSLossless
        pydicom.dcmwrite(path, made, enforce_file_format=True)
        path.write_bytes(path.read_bytes().replace(JPEGLSLossless.encode(), syntax.encode().ljust(22, b"\0")))
    assert nodes.sent_file(node, path, sop_class, syntax) == 0
    row = Instance.objects.get()
    assert (row.sop_class_uid, row.transfer_syntax_uid) == (sop_class, syntax)


def test_of_several_syntaxes_the_first_is_taken_and_the_old_ones_last(node: Node) -> None:
    proposed = [ImplicitVRLittleEndian, ExplicitVRBigEndian, JPEGLSLossless, ExplicitVRLittleEndian]
    with nodes.associated(node, [(CTImageStorage, proposed)]) as association:
        (context,) = association.accepted_contexts
        assert context.transfer_syntax == [JPEGLSLossless]
    with nodes.associated(node, [(CTImageStorage, proposed[:2])]) as association:
        assert association.accepted_contexts[0].transfer_syntax == [ImplicitVRLittleEndian]


def test_what_is_no_object_gets_no_context_for_storing(node: Node) -> None:
    asked = [("1.2.840.10008.5.1.1.9", ExplicitVRLittleEndian), ("1.2.840.10008.1.3.10", ExplicitVRLittleEndian)]
    with nodes.associated(node, [*asked, (CTImageStorage, ExplicitVRLittleEndian)]) as association:
        assert [context.abstract_syntax for context in association.accepted_contexts] == [CTImageStorage]


def test_an_object_of_one_single_piece_is_stored_too(node: Node) -> None:
    """Command and data set in one PDU, as small senders do."""
    buffer = io.BytesIO()
    pydicom.filewriter.write_dataset(_explicit(buffer), ct_slice())
    with nodes.connected(node) as connection:
        connection.sendall(nodes.associate_request())
        assert nodes.answer_kind(connection) == nodes.ACCEPTED
        command, content = nodes.data(nodes.store_command(), command=True), nodes.data(buffer.getvalue())
        connection.sendall(nodes.pdu(4, command[6:] + content[6:]))
        assert nodes.answer_kind(connection) == nodes.DATA
    assert Instance.objects.get().sop_instance_uid == "1.2.3.4.1"


def _explicit(buffer: io.BytesIO) -> Any:
    from pydicom.filebase import DicomFileLike

    file = DicomFileLike(buffer)
    file.is_little_endian, file.is_implicit_VR = True, False
    return file


# --- what is refused


def test_a_data_set_of_another_object_than_the_command_says_is_refused_and_put_aside(node: Node) -> None:
    lying = image()

    def other_uid(request: Any) -> None:
        request.AffectedSOPInstanceUID = "1.2.3.4.777"

    with nodes.associated(node) as association:
        send = association.dimse.send_msg
        association.dimse.send_msg = lambda request, context: (other_uid(request), send(request, context))
        status = association.send_c_store(lying)
    assert status.Status == DOES_NOT_MATCH
    assert status.ErrorComment == "the data set is of another object than the command says"
    assert not Instance.objects.exists()
    assert Quarantined.objects.get().door == "c-store"
    assert AuditEvent.objects.get(action="object.refuse").actor == "dicom:SCANNER"
    assert nothing_half_done()


def test_a_damaged_object_is_not_understood_and_put_aside(node: Node, shared_data: Path, tmp_path: Path) -> None:
    whole = next((shared_data / "syntax_nema").glob("CT1_JLSL.dcm"))
    header = pydicom.dcmread(whole, stop_before_pixels=True)
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(whole.read_bytes()[:-5000])
    assert nodes.sent_file(node, cut, header.SOPClassUID, header.file_meta.TransferSyntaxUID) == CANNOT_UNDERSTAND
    assert not Instance.objects.exists()
    assert "cut short" in Quarantined.objects.get().reason
    assert nothing_half_done()


def test_a_full_disk_is_said_and_room_is_used_again(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    with nodes.associated(node) as association:
        with monkeypatch.context() as patched:
            patched.setattr(BlobStore, "check_room", _no_room)
            assert association.send_c_store(image("1.2.3.4.1")).Status == OUT_OF_RESOURCES
        assert association.send_c_store(image("1.2.3.4.1")).Status == 0, "the same association goes on"
    assert Instance.objects.count() == 1
    assert nothing_half_done()


def _no_room(self: BlobStore, wanted: int = 0) -> None:
    raise storage.StorageFull("the archive's disk is nearly full")


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fills_up_or_fails_half_way_leaves_nothing_behind(
    node: Node, monkeypatch: pytest.MonkeyPatch, call: str, fault: int
) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise OSError(fault, os.strerror(fault))

    with nodes.associated(node) as association:
        with monkeypatch.context() as patched:
            patched.setattr(storage, "os", _Os(**{call: failing}))
            answer = association.send_c_store(image())
            assert (answer.Status, bool(answer.get("ErrorComment"))) == (OUT_OF_RESOURCES, True)
        assert not Instance.objects.exists()
        assert not Blob.objects.exists()
        assert association.send_c_store(image()).Status == 0
    assert nothing_half_done()


class _Os:
    """The module `os`, some of its functions replaced, for one module alone."""

    def __init__(self, **replaced: Any) -> None:
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def test_a_database_that_is_busy_for_too_long_is_out_of_resources(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> None:
        raise rows.DatabaseBusy("the database is busy; try again later")

    with monkeypatch.context() as patched:
        patched.setattr(rows, "record", busy)
        assert nodes.sent(node, image()) == [OUT_OF_RESOURCES]
    assert nodes.sent(node, image()) == [0]


def test_an_object_over_the_limit_is_refused_and_the_next_one_taken(store: BlobStore, hospital: Organization) -> None:
    nodes.peer(hospital)
    with nodes.listening(object_bytes=4000) as node:
        assert nodes.sent(node, image(PixelData=bytes(8000)), image("1.2.3.4.2")) == [OUT_OF_RESOURCES, 0]
    assert [row.sop_instance_uid for row in Instance.objects.all()] == ["1.2.3.4.2"]
    assert nothing_half_done()


def test_a_right_that_is_withdrawn_ends_storing_in_an_open_association(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.dimse.admission.RIGHTS_ARE_ASKED_EVERY_S", 0.0)
    with nodes.associated(node) as association:
        assert association.send_c_store(image("1.2.3.4.1")).Status == 0
        DicomPeer.objects.update(may_store=False)
        assert association.send_c_store(image("1.2.3.4.2")).Status == NOT_AUTHORIZED
        DicomPeer.objects.update(may_store=True, active=False)
        assert association.send_c_store(image("1.2.3.4.2")).Status == NOT_AUTHORIZED
    assert Instance.objects.count() == 1


def test_a_connection_that_breaks_within_an_object_leaves_nothing(node: Node) -> None:
    with nodes.connected(node) as connection:
        connection.sendall(nodes.associate_request())
        assert nodes.answer_kind(connection) == nodes.ACCEPTED
        connection.sendall(nodes.data(nodes.store_command(), command=True))
        connection.sendall(nodes.data(bytes(10_000), last=False))
        assert nodes.until(lambda: list(storage.blob_store().incoming.glob("*")))
    assert nothing_half_done()
    assert nodes.until(lambda: not node.associations())
    assert not Instance.objects.exists()


# --- the same again, and others under its name


def test_other_bytes_under_a_held_uid_are_kept_aside_with_a_warning(node: Node) -> None:
    assert nodes.sent(node, image()) == [0]
    first = stored("1.2.3.4.1").read_bytes()
    assert nodes.sent(node, image(PixelData=bytes(range(32)))) == [COERCED]
    assert stored("1.2.3.4.1").read_bytes() == first
    other = Conflict.objects.get()
    assert pydicom.dcmread(storage.blob_store().path(other.blob_id)).PixelData == bytes(range(32))


def test_what_was_uploaded_before_is_no_other_object(node: Node, hospital: Organization, tmp_path: Path) -> None:
    uploaded = save(image(), tmp_path / "one.dcm")
    assert ingest_file(uploaded, hospital, "upload", "alice").outcome == "stored"
    assert nodes.sent(node, image()) == [0]
    assert not Conflict.objects.exists()
    assert stored("1.2.3.4.1").read_bytes() == uploaded.read_bytes()


def test_the_same_object_from_eight_senders_of_eight_names_is_one_row(store: BlobStore, hospital: Organization) -> None:
    names = [f"SCANNER{n}" for n in range(8)]
    for name in names:
        nodes.peer(hospital, name)
    with nodes.listening() as node, ThreadPoolExecutor(8) as senders:
        statuses = list(senders.map(lambda name: nodes.sent(node, image(), calling=name), names))
    assert statuses == [[0]] * 8
    assert Instance.objects.count() == Blob.objects.count() == 1
    assert not Conflict.objects.exists()


@pytest.mark.soak
def test_sending_a_thousand_objects_again_makes_no_row(node: Node) -> None:
    count = 1000 if os.environ.get("FARVIEW_SOAK") else 60
    objects = [image(f"1.2.3.4.{n}", InstanceNumber=n) for n in range(count)]
    assert nodes.sent(node, *objects) == [0] * count
    audited = AuditEvent.objects.count()
    assert nodes.sent(node, *objects) == [0] * count
    assert Instance.objects.count() == Blob.objects.count() == count
    assert AuditEvent.objects.count() == audited
    assert not Conflict.objects.exists()


# --- the order of things


def test_bytes_then_name_then_folder_then_rows_then_the_answer(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real = {"fsync": os.fsync, "replace": os.replace}

    def fsync(handle: int) -> None:
        target = os.readlink(f"/proc/self/fd/{handle}")
        real["fsync"](handle)
        if "blob" in target:
            order.append("fsync folder" if os.path.isdir(target) else "fsync file")

    def replace(old: Any, new: Any) -> None:
        real["replace"](old, new)
        order.append("rename")

    def send(self: Messages, primitive: Any, context: int) -> None:
        order.append("answer")
        real_send(self, primitive, context)

    def recorded(*arguments: Any) -> Any:
        assert transaction.get_connection().in_atomic_block is False
        found = real_record(*arguments)
        assert Instance.objects.exists()
        order.append("commit")
        return found

    real_send, real_record = Messages.send_msg, rows.record
    monkeypatch.setattr(storage, "os", _Os(fsync=fsync, replace=replace))
    monkeypatch.setattr(Messages, "send_msg", send)
    monkeypatch.setattr(rows, "record", recorded)
    assert nodes.sent(node, image()) == [0]
    shortened = [step for n, step in enumerate(order) if n == 0 or order[n - 1] != step]
    assert shortened == ["fsync file", "rename", "fsync folder", "commit", "answer"]


def test_what_is_said_to_be_stored_is_there_byte_by_byte(node: Node) -> None:
    objects = [image(f"1.2.3.4.{n}", PixelData=bytes([n]) * 32) for n in range(1, 20)]
    assert nodes.sent(node, *objects) == [0] * 19
    for row in Instance.objects.select_related("blob"):
        content = storage.blob_store().path(row.blob_id).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row.blob_id
        assert len(content) == row.blob.size
