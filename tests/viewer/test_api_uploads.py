"""Putting files in over HTTP: forms, bodies and zips; who may, for whom; and what happens when there is no room."""

from __future__ import annotations

import errno
import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from accounts.models import AuditEvent, Membership, Organization, Role, User
from tests.viewer.archive.objects import ct_slice, save, slices
from tests.viewer.conftest import person, signed_in
from viewer.archive import storage
from viewer.archive.rows import DatabaseBusy
from viewer.archive.storage import BlobStore
from viewer.models import Instance, Study

pytestmark = pytest.mark.usefixtures("store")

UPLOADS = "/api/uploads/"


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    return save(ct_slice(), tmp_path / "image.dcm").read_bytes()


def sent(client: Client, *contents: bytes, query: str = "", **fields: Any) -> HttpResponse:
    files = [SimpleUploadedFile(f"{n}.dcm", content) for n, content in enumerate(contents)]
    return client.post(UPLOADS + query, {"file": files, **fields})


def outcomes(answer: HttpResponse) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [outcome["outcome"] for outcome in answer.json()["outcomes"]]


def packed(*contents: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}.dcm", content)
    return buffer.getvalue()


def test_a_form_with_a_file_becomes_a_study(alice: Client, image: bytes) -> None:
    answer = sent(alice, image, path="cd/a.dcm")
    assert answer.json() == {
        "outcomes": [{"name": "cd/a.dcm", "outcome": "stored", "reason": "", "study_instance_uid": "1.2.3"}]
    }
    assert Study.objects.get().organization.name == "hospital"
    event = AuditEvent.objects.get(action="study.receive")
    assert (event.actor, event.origin, event.detail["door"]) == ("alice", "127.0.0.1", "upload")


def test_sending_again_is_harmless_and_says_so(alice: Client, image: bytes) -> None:
    assert [outcomes(sent(alice, image)) for _ in range(3)] == [["stored"], ["duplicate"], ["duplicate"]]
    assert Instance.objects.count() == 1


def test_several_files_have_an_outcome_each(alice: Client, tmp_path: Path) -> None:
    contents = [path.read_bytes() for path in slices(tmp_path / "in", 3)]
    assert sorted(outcomes(sent(alice, *contents, b"words, words"))) == ["refused"] + ["stored"] * 3
    assert sorted(outcomes(sent(alice, *contents, b"words, words"))) == ["duplicate"] * 3 + ["refused"]


def test_what_lies_beside_images_in_a_folder_is_skipped_not_refused(alice: Client) -> None:
    assert outcomes(sent(alice, b"words, words", path="cd/readme.txt")) == ["skipped"]
    assert outcomes(sent(alice, b"words, words", path="readme.txt")) == ["refused"]


@pytest.mark.parametrize("media_type", ["application/dicom", "application/octet-stream", "text/plain"])
def test_the_body_may_be_the_file_itself(alice: Client, image: bytes, media_type: str) -> None:
    answer = alice.post(f"{UPLOADS}?name=a.dcm", image, content_type=media_type)
    assert outcomes(answer) == ["stored"]
    assert answer.json()["outcomes"][0]["name"] == "a.dcm"


@pytest.mark.parametrize("form", [True, False])
def test_a_zip_is_opened(alice: Client, tmp_path: Path, form: bool) -> None:
    body = packed(*(path.read_bytes() for path in slices(tmp_path / "in", 5)))
    answer = sent(alice, body) if form else alice.post(UPLOADS, body, content_type="application/zip")
    assert outcomes(answer) == ["stored"] * 5


def test_refusals_give_reasons_and_are_written_down(alice: Client, image: bytes) -> None:
    answer = sent(alice, image[:-10])
    [told] = answer.json()["outcomes"]
    assert told["outcome"] == "refused"
    assert "cut short" in told["reason"]
    event = AuditEvent.objects.get(action="object.refuse")
    assert (event.actor, event.detail["count"]) == ("alice", 1)


def test_a_request_without_a_file_says_so(alice: Client) -> None:
    for answer in (alice.post(UPLOADS, {}), alice.post(UPLOADS, b"", content_type="application/dicom")):
        assert answer.status_code == 400
        assert "No file came" in answer.json()["detail"]


def test_nothing_of_an_upload_stays_behind(
    alice: Client, image: bytes, store: BlobStore, settings: LazySettings
) -> None:
    before = sorted(Path(settings.FARVIEW_TMP_DIR).iterdir())
    sent(alice, image, b"words, words")
    alice.post(UPLOADS, packed(image), content_type="application/zip")
    assert sorted(Path(settings.FARVIEW_TMP_DIR).iterdir()) == before
    assert list(store.incoming.iterdir()) == []


# --- who may, and for whom


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.TECHNOLOGIST, 200),
        (Role.RADIOLOGIST, 200),
        (Role.ADMIN, 200),
        (Role.RESIDENT, 404),
        (Role.REFERRER, 404),
    ],
)
def test_roles_that_may_upload(hospital: Organization, image: bytes, role: str, status: int) -> None:
    assert sent(signed_in(person("someone", hospital, role)), image).status_code == status


def test_nobody_uploads_without_signing_in(client: Client, image: bytes, db: None) -> None:
    assert sent(client, image).status_code == 401
    assert Instance.objects.count() == 0


def test_nobody_uploads_into_another_organization(alice: Client, elsewhere: Organization, image: bytes) -> None:
    for name in ("elsewhere", "nowhere"):
        assert sent(alice, image, query=f"?organization={name}").status_code == 404
    assert Instance.objects.count() == 0


def test_who_uploads_for_several_names_one(alice: Client, elsewhere: Organization, image: bytes) -> None:
    Membership.objects.create(user=User.objects.get(username="alice"), organization=elsewhere, role=Role.TECHNOLOGIST)
    answer = sent(alice, image)
    assert (answer.status_code, answer.json()["organizations"]) == (409, ["elsewhere", "hospital"])
    assert outcomes(sent(alice, image, query="?organization=elsewhere")) == ["stored"]
    assert Study.objects.get().organization == elsewhere


def test_a_browser_needs_its_forms_token(hospital: Organization, image: bytes) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("someone", hospital, Role.TECHNOLOGIST))
    assert sent(client, image).status_code == 403
    assert Instance.objects.count() == 0


# --- no room


def test_a_nearly_full_disk_is_507_and_nothing_is_kept(
    alice: Client, image: bytes, store: BlobStore, settings: LazySettings
) -> None:
    settings.FARVIEW_MIN_FREE_BYTES = 1 << 60
    answer = sent(alice, image)
    assert answer.status_code == 507
    assert "nearly full" in answer.json()["detail"]
    assert answer.json()["outcomes"] == []
    assert [path for path in store.root.rglob("*") if path.is_file() and path.name != ".lock"] == []
    settings.FARVIEW_MIN_FREE_BYTES = 0
    assert outcomes(sent(alice, image)) == ["stored"], "and it takes objects again at once"


def test_a_disk_that_fills_up_tells_what_was_stored_before(
    alice: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.archive.ingest.BATCH_S", -1.0)
    contents = [path.read_bytes() for path in slices(tmp_path / "in", 4)]
    real = os.fsync

    def full(handle: int) -> None:
        if Instance.objects.count() >= 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(storage.os, "fsync", full)
    answer = sent(alice, *contents)
    assert answer.status_code == 507
    assert [outcome["outcome"] for outcome in answer.json()["outcomes"]] == ["stored"] * 2
    assert Instance.objects.count() == 2


def test_a_body_over_the_limit_is_413(alice: Client, image: bytes, settings: LazySettings) -> None:
    settings.FARVIEW_MAX_OBJECT_BYTES = settings.FARVIEW_MAX_ZIP_BYTES = 100
    assert alice.post(UPLOADS, image + bytes(1 << 20), content_type="application/dicom").status_code == 413
    assert alice.post(UPLOADS, image, content_type="application/dicom").status_code == 413


def test_a_file_over_the_objects_limit_is_refused_with_the_limit(
    alice: Client, image: bytes, settings: LazySettings
) -> None:
    settings.FARVIEW_MAX_OBJECT_BYTES = 100
    [told] = sent(alice, image).json()["outcomes"]
    assert (told["outcome"], "limit of 100" in told["reason"]) == ("refused", True)


def test_a_busy_database_is_503_and_may_be_tried_again(
    alice: Client, image: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*args: Any) -> None:
        raise DatabaseBusy("the database is busy; try again later")

    monkeypatch.setattr("viewer.archive.rows.record", busy)
    answer = sent(alice, image)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
