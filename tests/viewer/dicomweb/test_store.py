"""STOW-RS: what comes is answered instance by instance, once it is durable."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from django.http import HttpResponse
from django.test import Client
from pydicom.encaps import generate_frames

from accounts.models import AuditEvent, Organization, Role
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.conftest import person, signed_in
from viewer.archive import storage
from viewer.archive.storage import BlobStore
from viewer.models import Conflict, Instance, Study

pytestmark = pytest.mark.usefixtures("store")

STUDIES = "/dicom-web/studies"
BOUNDARY = "a-boundary"


def multipart(*parts: tuple[str, bytes], kind: str = "application/dicom") -> tuple[bytes, str]:
    """A body of parts (their header lines, their content), and its Content-Type; written from RFC 2046."""
    lines = [
        f"--{BOUNDARY}\r\n{header}\r\n\r\n".encode() + content + b"\r\n"
        for header, content in ((f"Content-Type: {head}" if "\n" not in head else head, data) for head, data in parts)
    ]
    body = b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()
    return body, f'multipart/related; type="{kind}"; boundary={BOUNDARY}'


def stow(client: Client, *files: bytes, address: str = STUDIES, **headers: str) -> HttpResponse:
    body, kind = multipart(*(("application/dicom", one) for one in files))
    return client.post(address, body, content_type=kind, headers=headers)  # type: ignore[arg-type]


def told(answer: HttpResponse, tag: str) -> list[dict[str, Any]]:
    return list(json.loads(answer.content).get(tag, {}).get("Value", []))


def failures(answer: HttpResponse) -> list[int]:
    return [item["00081197"]["Value"][0] for tag in ("00081198", "0008119A") for item in told(answer, tag)]


def file_of(tmp_path: Path, **values: Any) -> bytes:
    return save(ct_slice(**values), tmp_path / "made.dcm").read_bytes()


def test_instances_are_stored_and_each_is_answered(alice: Client, tmp_path: Path) -> None:
    files = [file_of(tmp_path, SOPInstanceUID=f"1.2.3.4.{n}") for n in range(3)]
    answer = stow(alice, *files)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/dicom+json"
    stored = told(answer, "00081199")
    assert [item["00081155"]["Value"] for item in stored] == [["1.2.3.4.0"], ["1.2.3.4.1"], ["1.2.3.4.2"]]
    assert stored[0]["00081150"]["Value"] == ["1.2.840.10008.5.1.4.1.1.2"]
    assert stored[0]["00081190"]["Value"][0].endswith("/dicom-web/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.0")
    assert Instance.objects.count() == 3
    assert AuditEvent.objects.get(action="study.receive").detail["door"] == "stow"


def test_the_stored_bytes_are_those_that_came(alice: Client, tmp_path: Path, store: BlobStore) -> None:
    data = file_of(tmp_path)
    stow(alice, data)
    assert store.path(Instance.objects.get().blob_id).read_bytes() == data


def test_sending_again_is_harmless_and_said_to_be_stored(alice: Client, tmp_path: Path) -> None:
    data = file_of(tmp_path)
    first, second = stow(alice, data), stow(alice, data)
    assert first.content == second.content
    assert (second.status_code, Instance.objects.count()) == (200, 1)


def test_what_cannot_be_taken_is_named_beside_what_was(alice: Client, tmp_path: Path) -> None:
    answer = stow(alice, file_of(tmp_path), b"this is no DICOM")
    assert answer.status_code == 202
    assert (len(told(answer, "00081199")), failures(answer)) == (1, [0xC000])
    assert "not a DICOM file" in answer["Warning"]


def test_nothing_but_failures_is_a_conflict(alice: Client) -> None:
    assert stow(alice, b"this is no DICOM").status_code == 409


def test_a_file_cut_short_is_refused(alice: Client, tmp_path: Path) -> None:
    answer = stow(alice, file_of(tmp_path)[:-100])
    assert (answer.status_code, failures(answer)) == (409, [0xC000])
    assert not Instance.objects.exists()


def test_an_instance_of_another_study_than_the_address_names_is_refused(alice: Client, tmp_path: Path) -> None:
    here, there = (
        file_of(tmp_path),
        file_of(tmp_path, StudyInstanceUID="1.9", SeriesInstanceUID="1.9.1", SOPInstanceUID="1.9.1.1"),
    )
    answer = stow(alice, here, there, address=f"{STUDIES}/1.2.3")
    assert (answer.status_code, failures(answer)) == (202, [0xA900])
    assert [study.study_instance_uid for study in Study.objects.all()] == ["1.2.3"]


def test_other_bytes_under_a_uid_that_is_held_are_kept_aside_and_said_not_to_be_stored(
    alice: Client, tmp_path: Path
) -> None:
    stow(alice, file_of(tmp_path))
    answer = stow(alice, file_of(tmp_path, SeriesDescription="other"))
    assert (answer.status_code, failures(answer)) == (409, [0x0111])
    assert Conflict.objects.count() == 1


def test_a_full_disk_is_507_and_nothing_partial_stays(
    alice: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: BlobStore
) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    data = file_of(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(storage.os, "write", full)
        answer = stow(alice, data)
    assert (answer.status_code, failures(answer)) == (507, [0xA700])
    assert not [path for path in store.root.rglob("*") if path.is_file()]
    assert stow(alice, data).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"\r\n", f'multipart/related; type="application/dicom"; boundary={BOUNDARY}', 400),
        (b"--a-boundary--\r\n", f'multipart/related; type="application/dicom"; boundary={BOUNDARY}', 400),
        (b"--a-boundary\r\nContent-Type: application/dicom\r\n\r\ncut", f"multipart/related; boundary={BOUNDARY}", 400),
        (b"--a-boundary\r\nno header end", f"multipart/related; boundary={BOUNDARY}", 400),
        (b"--b\r\n\r\nx\r\n--b--", 'multipart/related; type="application/dicom"', 400),
        (b"--b\r\n\r\nx\r\n--b--", 'multipart/related; type="text/plain"; boundary=b', 415),
        (b"{}", "text/plain", 415),
        (b"--b\r\nContent-Type: application/dicom+json\r\n\r\n[1\r\n--b--",
         'multipart/related; type="application/dicom+json"; boundary=b', 400),
    ],
)  # fmt: skip
def test_a_body_that_is_none_is_refused_in_words(alice: Client, body: bytes, kind: str, status: int) -> None:
    answer = alice.post(STUDIES, body, content_type=kind)
    assert answer.status_code == status
    assert json.loads(answer.content)["detail"]


def test_one_instance_may_be_the_body_itself(alice: Client, tmp_path: Path) -> None:
    answer = alice.post(STUDIES, file_of(tmp_path), content_type="application/dicom")
    assert (answer.status_code, Instance.objects.count()) == (200, 1)


def test_who_may_not_upload_sees_no_door(bob: Client, tmp_path: Path) -> None:
    assert stow(bob, file_of(tmp_path)).status_code == 404
    assert not Instance.objects.exists()


def test_what_a_stranger_sends_becomes_their_own(alice: Client, charlie: Client, tmp_path: Path) -> None:
    data = file_of(tmp_path)
    assert (stow(alice, data).status_code, stow(charlie, data).status_code) == (200, 200)
    assert sorted(study.organization.name for study in Study.objects.all()) == ["elsewhere", "hospital"]


def test_who_uploads_for_several_names_one(hospital: Organization, elsewhere: Organization, tmp_path: Path) -> None:
    user = person("dora", hospital, Role.TECHNOLOGIST)
    user.memberships.create(organization=elsewhere, role=Role.TECHNOLOGIST)
    client = signed_in(user)
    assert stow(client, file_of(tmp_path)).status_code == 409
    assert stow(client, file_of(tmp_path), address=f"{STUDIES}?organization=elsewhere").status_code == 200


# --- DICOM JSON with bulk data


def described(dataset: pydicom.Dataset, *, uri: str = "bulk/1") -> bytes:
    said = dataset.to_json_dict(bulk_data_threshold=1 << 30)
    said["7FE00010"] = {"vr": "OW", "BulkDataURI": uri}
    return json.dumps([said]).encode()


def stow_json(client: Client, metadata: bytes, *bulk: tuple[str, bytes]) -> HttpResponse:
    parts = [("application/dicom+json", metadata), *bulk]
    body, kind = multipart(*parts, kind="application/dicom+json")
    return client.post(STUDIES, body, content_type=kind)


def held(store: BlobStore) -> pydicom.Dataset:
    return pydicom.dcmread(store.path(Instance.objects.get().blob_id))


def test_metadata_and_native_pixels_become_a_file(alice: Client, tmp_path: Path, store: BlobStore) -> None:
    image = pydicom.dcmread(save(ct_slice(), tmp_path / "a.dcm"))
    pixels = image.PixelData
    header = "Content-Type: application/octet-stream\r\nContent-Location: bulk/1"
    answer = stow_json(alice, described(image), (header, pixels))
    assert answer.status_code == 200, answer.content
    stored = held(store)
    assert stored.PixelData == pixels
    assert stored.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert str(stored.PatientName) == str(image.PatientName)
    assert np.array_equal(stored.pixel_array, image.pixel_array)


def test_metadata_and_compressed_frames_become_a_file(alice: Client, shared_data: Path, store: BlobStore) -> None:
    source = sorted((shared_data / "series" / "ct_chest_lidc0314_jpegls").glob("*.dcm"))[0]
    image = pydicom.dcmread(source)
    frame = next(generate_frames(image.PixelData, number_of_frames=1))
    header = "Content-Type: image/jls; transfer-syntax=1.2.840.10008.1.2.4.80\r\nContent-Location: bulk/1"
    answer = stow_json(alice, described(image), (header, frame))
    assert answer.status_code == 200, answer.content
    stored = held(store)
    assert stored.file_meta.TransferSyntaxUID == image.file_meta.TransferSyntaxUID
    assert np.array_equal(stored.pixel_array, image.pixel_array)


def test_bulk_data_that_did_not_come_fail_their_instance_alone(alice: Client, tmp_path: Path) -> None:
    image = pydicom.dcmread(save(ct_slice(), tmp_path / "a.dcm"))
    answer = stow_json(alice, described(image, uri="elsewhere/1"))
    assert (answer.status_code, failures(answer)) == (409, [0xC000])
    assert told(answer, "00081198")[0]["00081155"]["Value"] == [image.SOPInstanceUID]
