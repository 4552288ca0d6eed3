"""A study to take away: whole, readable by others, only for whom it may be, and with nothing in it that was rejected."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import zipfile
from pathlib import Path

import pydicom
import pytest
from django.test import Client
from django.utils import timezone
from pydicom.fileset import FileSet

from accounts.models import AuditEvent, Organization, User
from tests.viewer.archive.objects import ct_slice, save, slices
from tests.viewer.dicomweb.asking import ask
from viewer.archive.ingest import ingest_file
from viewer.archive.storage import blob_store
from viewer.models import Correction, CorrectionKind, Grant, Instance, Study

pytestmark = [
    pytest.mark.usefixtures("store"),
    pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning"),  # of pydicom's FileSet
]

DOOR = "/api/studies/1.2.3/export.zip"
IMPLICIT = "1.2.840.10008.1.2"


@pytest.fixture
def chest(hospital: Organization, tmp_path: Path) -> Study:
    for path in (*slices(tmp_path / "a", 3), *slices(tmp_path / "b", 1, series="1.2.3.5", SeriesNumber=2)):
        ingest_file(path, hospital, "ingest", "")
    return Study.objects.get()


def unpacked(body: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return folder


def test_a_study_comes_byte_for_byte_with_a_dicomdir_that_pydicom_follows(
    alice: Client, chest: Study, tmp_path: Path
) -> None:
    answer = ask(alice, DOOR + "?purpose=second_opinion")
    assert answer.status == 200
    assert answer.type == "application/zip"
    assert answer.response["Content-Disposition"] == 'attachment; filename="1.2.3.zip"'
    folder = unpacked(answer.body, tmp_path / "out")
    listed = FileSet(folder / "DICOMDIR")
    assert {one.SOPInstanceUID for one in listed} == set(Instance.objects.values_list("sop_instance_uid", flat=True))
    for one in listed:
        held = Instance.objects.get(sop_instance_uid=one.SOPInstanceUID)
        assert hashlib.sha256(Path(one.path).read_bytes()).hexdigest() == held.blob_id
        assert Path(one.path).read_bytes()[:128] == bytes(128)
    assert [len(listed.find(SeriesInstanceUID=uid)) for uid in ("1.2.3.4", "1.2.3.5")] == [3, 1]
    assert "4 objects in 2 series" in (folder / "README.TXT").read_text("ascii")
    (event,) = AuditEvent.objects.filter(action="export.study")
    assert (event.actor, event.purpose, event.study_instance_uid) == ("alice", "second_opinion", "1.2.3")
    assert event.detail["instances"] == 4


def test_dcmtk_reads_the_dicomdir_and_finds_every_file(alice: Client, chest: Study, tmp_path: Path) -> None:
    folder = unpacked(ask(alice, DOOR).body, tmp_path / "out")
    before = records(folder)
    assert {kind: before.count(kind) for kind in set(before)} == {"PATIENT": 1, "STUDY": 1, "SERIES": 2, "IMAGE": 4}
    mended = subprocess.run(
        ["/usr/bin/dcmmkdir", "+U", "-Nxc", "+I", "+r", "+id", folder, "+D", folder / "DICOMDIR", "DICOM"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not [line for line in mended.stderr.splitlines() if line.startswith(("E:", "F:"))]
    assert sorted(records(folder)) == sorted(before)


def records(folder: Path) -> list[str]:
    """Types of the records of a DICOMDIR, as DCMTK reads it."""
    shown = subprocess.run(["/usr/bin/dcmdump", folder / "DICOMDIR"], capture_output=True, text=True, check=True)
    assert shown.stderr == ""
    return re.findall(r"\(0004,1430\) CS \[(.*?)\]", shown.stdout)


def test_names_of_files_are_as_media_want_them(alice: Client, chest: Study, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(ask(alice, DOOR).body)) as archive:
        for name in archive.namelist():
            for part in name.removesuffix(".TXT").split("/"):
                assert part.isascii()
                assert part == part.upper()
                assert 0 < len(part) <= 8


def test_a_series_comes_alone(alice: Client, chest: Study, tmp_path: Path) -> None:
    folder = unpacked(ask(alice, "/api/series/1.2.3.5/export.zip").body, tmp_path / "out")
    assert [one.SOPInstanceUID for one in FileSet(folder / "DICOMDIR")] == ["1.2.3.5.1"]
    (event,) = AuditEvent.objects.filter(action="export.series")
    assert event.object_uid == "1.2.3.5"


def test_bob_charlie_and_nobody_take_nothing_away(bob: Client, charlie: Client, chest: Study) -> None:
    for door in (DOOR, "/api/series/1.2.3.4/export.zip"):
        assert ask(bob, door).status == ask(charlie, door).status == 404
        assert ask(Client(), door).status == 401
    assert not AuditEvent.objects.filter(action__startswith="export").exists()
    assert {event.actor for event in AuditEvent.objects.filter(outcome="denied")} == {"bob", "charlie"}


def test_a_referrer_takes_what_was_granted(bob: Client, chest: Study) -> None:
    Grant.objects.create(study=chest, user=User.objects.get(username="bob"), reason="order")
    assert ask(bob, DOOR).status == 200


def test_corrections_are_applied_and_rejected_objects_are_left_out(
    alice: Client, chest: Study, hospital: Organization, tmp_path: Path
) -> None:
    Correction.objects.create(
        organization=hospital,
        kind=CorrectionKind.PATIENT_UPDATED,
        study=chest,
        before={"PatientName": "Doe^Jane"},
        after={"PatientName": "Müller^Jörg"},
        at=timezone.now(),
    )
    Instance.objects.filter(sop_instance_uid="1.2.3.4.2").update(rejection="113001")
    folder = unpacked(ask(alice, DOOR).body, tmp_path / "out")
    listed = FileSet(folder / "DICOMDIR")
    assert len(listed) == 3
    assert {str(one.load().PatientName) for one in listed} == {"Müller^Jörg"}
    directory = pydicom.dcmread(folder / "DICOMDIR")
    assert str(directory.DirectoryRecordSequence[0].PatientName) == "Müller^Jörg"
    assert (
        pydicom.dcmread(io.BytesIO(blob_store().path(Instance.objects.first().blob_id).read_bytes())).PatientName
        == "Doe^Jane"
    )


def test_implicit_files_become_explicit_ones_with_the_same_pixels(
    alice: Client, hospital: Organization, tmp_path: Path
) -> None:
    image = pydicom.dcmread(save(ct_slice(), tmp_path / "a.dcm"))
    image.file_meta.TransferSyntaxUID = IMPLICIT
    image.PixelData = bytes(range(32))
    pydicom.dcmwrite(tmp_path / "b.dcm", image, implicit_vr=True, little_endian=True)
    ingest_file(tmp_path / "b.dcm", hospital, "ingest", "")
    (one,) = FileSet(unpacked(ask(alice, DOOR).body, tmp_path / "out") / "DICOMDIR")
    loaded = one.load()
    assert loaded.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert loaded.PixelData == bytes(range(32))


def test_what_cannot_be_read_is_counted_and_the_rest_comes(alice: Client, chest: Study, tmp_path: Path) -> None:
    lost, cut = Instance.objects.order_by("id")[:2]
    blob_store().path(lost.blob_id).unlink()
    blob_store().path(cut.blob_id).write_bytes(b"")
    folder = unpacked(ask(alice, DOOR).body, tmp_path / "out")
    assert len(FileSet(folder / "DICOMDIR")) == 2
    assert "2 objects could not be read and are MISSING" in (folder / "README.TXT").read_text()


def test_an_unknown_purpose_is_told(alice: Client, chest: Study) -> None:
    assert ask(alice, DOOR + "?purpose=fun").status == 400
