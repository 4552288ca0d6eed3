"""Refused bytes are kept aside for a person, within bounds, and nobody is told that they were stored."""

from __future__ import annotations

import contextlib
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent
from viewer.archive import quarantine, storage
from viewer.archive.rows import Sender
from viewer.archive.storage import BlobStore, Received, blob_store
from viewer.models import Blob, Instance, Quarantined

from .objects import ct_slice, save

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broken(tmp_path: Path) -> bytes:
    return save(ct_slice(), tmp_path / "one.dcm").read_bytes()[:-40]


def received(content: bytes) -> Received:
    return blob_store().receive(io.BytesIO(content), limit=1 << 30)


def temporary_files() -> list[Path]:
    return list(blob_store().incoming.iterdir())


def test_refused_bytes_are_there_with_their_reason_and_are_no_image(sender: Sender, broken: bytes) -> None:
    assert quarantine.keep(received(broken), sender, "cut short", sop_instance_uid="1.2.3.4.1")
    row = Quarantined.objects.get()
    assert (row.door, row.sender, row.reason, row.sop_instance_uid) == ("ingest", "a test", "cut short", "1.2.3.4.1")
    digest = hashlib.sha256(broken).hexdigest()
    assert row.blob_id == digest
    assert blob_store().path(digest).read_bytes() == broken
    assert not Instance.objects.exists()
    assert AuditEvent.objects.filter(action="object.quarantine", outcome="failure").count() == 1
    assert temporary_files() == []


def test_the_same_bytes_are_put_aside_once(sender: Sender, broken: bytes) -> None:
    assert quarantine.keep(received(broken), sender, "cut short")
    assert quarantine.keep(received(broken), sender, "cut short")
    assert Quarantined.objects.count() == Blob.objects.count() == 1
    assert AuditEvent.objects.filter(action="object.quarantine").count() == 1


def test_what_is_no_dicom_is_not_kept(sender: Sender) -> None:
    assert not quarantine.keep(received(b"MZ" + bytes(500)), sender, "not DICOM")
    assert not Blob.objects.exists()
    assert temporary_files() == []


def test_the_quarantine_is_bounded_by_bytes_and_by_number(
    sender: Sender, broken: bytes, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FARVIEW_QUARANTINE_BYTES = 2 * len(broken) + 10
    assert [quarantine.keep(received(broken + bytes([n])), sender, "x") for n in range(3)] == [True, True, False]
    settings.FARVIEW_QUARANTINE_BYTES = 1 << 30
    monkeypatch.setattr(quarantine, "MOST_OBJECTS", 2)
    assert not quarantine.keep(received(broken + b"another"), sender, "x")
    assert Quarantined.objects.count() == 2
    assert temporary_files() == []


def test_a_full_disk_leaves_the_refusal_as_it_is(
    sender: Sender, broken: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = received(broken)

    def full(self: BlobStore, taken: Received) -> Path:
        raise storage.StorageFull("full")

    monkeypatch.setattr(BlobStore, "keep", full)
    assert not quarantine.keep(one, sender, "cut short")
    assert not Quarantined.objects.exists()
    assert temporary_files() == []


def test_a_file_that_was_refused_stays_where_it_is(sender: Sender, broken: bytes, tmp_path: Path) -> None:
    path = tmp_path / "refused.dcm"
    path.write_bytes(broken)
    assert quarantine.keep_file(path, sender, "cut short", study_instance_uid="1.2.3")
    assert path.read_bytes() == broken
    assert Quarantined.objects.get().study_instance_uid == "1.2.3"
    assert not quarantine.keep_file(tmp_path / "absent", sender, "x")
    assert temporary_files() == []


def test_damage_in_the_quarantine_is_named_as_such(sender: Sender, broken: bytes) -> None:
    assert quarantine.keep(received(broken), sender, "cut short")
    path = blob_store().path(Quarantined.objects.get().blob_id)
    path.chmod(0o600)
    path.write_bytes(broken[:-1] + b"\xff")
    told = io.StringIO()
    with contextlib.suppress(SystemExit, CommandError):
        call_command("verify", stdout=told, stderr=told)
    assert f"an object refused by ingest, in the quarantine of {sender.organization.name}" in told.getvalue()
