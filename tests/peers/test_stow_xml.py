"""Instances as DCMTK's dcm2xml describes them (PS3.19 A.1) come in by STOW-RS (PS3.18 10.5.2); the files are the judge."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from django.test import Client

from tests.peers.conftest import Dcmtk
from tests.viewer.conftest import alice as alice
from tests.viewer.conftest import hospital as hospital
from tests.viewer.conftest import store as store
from tests.viewer.dicomweb.test_store import multipart
from viewer.archive.storage import BlobStore, blob_store
from viewer.models import Instance

pytestmark = pytest.mark.django_db
XML = "application/dicom+xml"
NAMES = ("PatientName", "ReferringPhysicianName")


def stow(client: Client, *parts: tuple[str, bytes]) -> int:
    body, kind = multipart(*parts, kind=XML)
    return int(client.post("/dicom-web/studies", body, content_type=kind).status_code)


def described(dcmtk: Dcmtk, path: Path) -> bytes:
    done = dcmtk("dcm2xml", "-nat", "+Eb", "+U8", path)
    assert done.returncode == 0, done.stderr
    return done.stdout.encode()


def held() -> pydicom.Dataset:
    return pydicom.dcmread(blob_store().path(Instance.objects.get().blob_id))


@pytest.mark.parametrize(
    "name", ["charset/chrX1.dcm", "charset/chrGreek.dcm", "derived/sr_basic_text.dcm", "charset/chrArab.dcm"]
)
def test_an_instance_comes_as_xml(dcmtk: Dcmtk, alice: Client, store: BlobStore, shared_data: Path, name: str) -> None:
    assert stow(alice, (XML, described(dcmtk, shared_data / name))) == 200
    came, file = held(), pydicom.dcmread(shared_data / name)
    assert came.SOPInstanceUID == file.SOPInstanceUID
    for one in (came, file):
        one.decode()
        one.pop("SpecificCharacterSet", None)
    for keyword in NAMES:  # dcm2xml repeats a group that is not there, and leaves out one of mere signs
        names = [str(one.pop(keyword).value).split("=")[:2] for one in (came, file)]
        assert [name.strip("^") for name in names[0]] == [name.strip("^") for name in names[1]]
    assert came.to_json_dict() == file.to_json_dict()


def test_pixels_come_in_a_part_of_their_own(dcmtk: Dcmtk, alice: Client, store: BlobStore, shared_data: Path) -> None:
    file = pydicom.dcmread(shared_data / "charset/chrX1.dcm")
    text = described(dcmtk, shared_data / "charset/chrX1.dcm").decode()
    start, end = text.index("<InlineBinary>"), text.index("</InlineBinary>") + len("</InlineBinary>")
    text = f'{text[:start]}<BulkData uri="bulk/1"/>{text[end:]}'
    pixels = ("Content-Type: application/octet-stream\r\nContent-Location: bulk/1", file.PixelData)
    assert stow(alice, (XML, text.encode()), pixels) == 200
    assert held().PixelData == file.PixelData


ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>'
ID = b'<DicomAttribute tag="00100020" vr="LO">%s</DicomAttribute>'
BAD: dict[str, bytes] = {
    "cut short": b"<NativeDicomModel>",
    "another document": b"<other/>",
    "entities": ENTITIES + b"<NativeDicomModel>" + ID % b"&b;" + b"</NativeDicomModel>",
    "endless": b"<NativeDicomModel>" + b'<DicomAttribute tag="00081140" vr="SQ"><Item number="1">' * 5000,
    "no tag": b'<NativeDicomModel><DicomAttribute vr="LO"/></NativeDicomModel>',
    "a far value": b"<NativeDicomModel>" + ID % b'<Value number="99999999999">1</Value>' + b"</NativeDicomModel>",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_is_no_native_model_is_refused(alice: Client, store: BlobStore, text: bytes) -> None:
    assert stow(alice, (XML, text)) == 400
    assert not Instance.objects.exists()
