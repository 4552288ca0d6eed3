"""Pictures over HTTP: the standard's pipeline to the grey, to whom, and how long a browser may believe what it holds."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pydicom
import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import AuditEvent, Membership, Organization, Role, User
from tests.viewer.archive.objects import ct_slice, save
from viewer.archive.ingest import ingest_file
from viewer.models import Series

pytestmark = pytest.mark.usefixtures("store")

FRAME = "/api/series/1.2.3.4/frame"
THUMBNAIL = "/api/series/1.2.3.4/thumbnail"
RAMP = np.arange(-8, 8, dtype="<i2").reshape(4, 4) * 30


@pytest.fixture
def ramp(hospital: Organization, tmp_path: Path) -> Path:
    """A slice whose values climb."""
    path = save(ct_slice(PixelData=RAMP.tobytes()), tmp_path / "ramp.dcm")
    ingest_file(path, hospital, "ingest", "")
    return path


def asked(client: Client, address: str = FRAME, view: Any = None, **others: Any) -> HttpResponse:
    text = view if isinstance(view, str) else json.dumps(view or {})
    return client.get(address, {"view": text, **others})


def picture(answer: HttpResponse) -> np.ndarray:
    return np.asarray(PIL.Image.open(io.BytesIO(answer.content)))


def windowed(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1, rounded as the protocol says."""
    grey = ((values.astype(float) - (center - 0.5)) / (width - 1) + 0.5) * 255
    return np.floor(np.clip(grey, 0, 255) + 0.5)


NATIVE = {"zoom": "native", "window_center": 40, "window_width": 400, "voi_lut_function": "LINEAR"}


def test_a_native_picture_is_the_standards_pipeline_to_the_grey(ramp: Path, alice: Client) -> None:
    answer = asked(alice, view=NATIVE)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert np.array_equal(picture(answer), windowed(RAMP, 40, 400))


def test_a_real_slice_is_too(shared_data: Path, hospital: Organization, alice: Client) -> None:
    path = shared_data / "syntax_ctimage" / "CTImage_JPEGLSLossless_4.80.dcm"
    ingest_file(path, hospital, "ingest", "")
    reference = pydicom.dcmread(shared_data / "syntax_ctimage" / "CTImage_ref_implicit.dcm")
    values = reference.pixel_array * float(reference.RescaleSlope) + float(reference.RescaleIntercept)
    padding = reference.pixel_array == reference.PixelPaddingValue
    wanted = np.where(padding, 0, windowed(values, 40, 400))
    answer = asked(alice, f"/api/series/{reference.SeriesInstanceUID}/frame", NATIVE)
    assert np.array_equal(picture(answer), wanted)


def test_the_headers_say_what_was_drawn(ramp: Path, alice: Client) -> None:
    answer = asked(alice, view=NATIVE)
    view = json.loads(answer["Farview-View"])
    assert (view["series"], view["organization"], view["sop_instance_uid"], view["frame"]) == (
        "1.2.3.4",
        "hospital",
        "1.2.3.4.1",
        0,
    )
    assert answer["Farview-Exact"] == "true"
    assert answer["Farview-Sha256"] == hashlib.sha256(picture(answer).tobytes()).hexdigest()
    assert answer["Farview-Sampling"] == "native"
    assert answer["Farview-Series-Version"] == "1"
    again = asked(alice, view=view)
    assert again.content == answer.content, "the resolved View draws the same picture"


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/webp"])
def test_a_lossy_picture_never_calls_itself_exact(ramp: Path, alice: Client, media_type: str) -> None:
    answer = asked(alice, view={"size": [64, 64]}, media_type=media_type)
    assert (answer.status_code, answer["Content-Type"]) == (200, media_type)
    assert (answer["Farview-Exact"], answer["Farview-Sha256"]) == ("false", "")
    assert PIL.Image.open(io.BytesIO(answer.content)).size == (64, 64)


@pytest.mark.parametrize(
    ("view", "others", "named"),
    [
        ("{", {}, "view"),
        ("[]", {}, "view"),
        ("[" * 10_000, {}, "view"),
        ('{"a": ' + "1" * 20_000 + "}", {}, "view"),
        ({"colour": "red"}, {}, "colour"),
        ({"window_width": -1, "window_center": 0}, {}, "window_width"),
        ('{"window_center": NaN, "window_width": 5}', {}, "window_center"),
        ({"frame": 1}, {}, "frame"),
        ({"stack": 3}, {}, "stack"),
        ({"size": [100_000, 100_000]}, {}, "size"),
        ({"series": "9.9"}, {}, "series"),
        ({"plane": "coronal"}, {}, "plane"),
        ({}, {"media_type": "image/gif"}, "media_type"),
        ({}, {"quality": "0"}, "quality"),
        ({}, {"quality": "best"}, "quality"),
    ],
)
def test_what_cannot_be_drawn_is_400_and_names_the_field(
    ramp: Path, alice: Client, view: Any, others: dict[str, str], named: str
) -> None:
    answer = asked(alice, view=view, **others)
    assert answer.status_code == 400
    assert named in answer.json()["detail"]


def test_an_object_without_pictures_says_why(shared_data: Path, hospital: Organization, alice: Client) -> None:
    ingest_file(shared_data / "derived" / "sr_basic_text.dcm", hospital, "ingest", "")
    uid = Series.objects.get().series_instance_uid
    for address in (f"/api/series/{uid}/frame", f"/api/series/{uid}/thumbnail"):
        answer = alice.get(address)
        assert (answer.status_code, answer.json()["code"]) == (422, "cannot_decode")
        assert "structured report" in answer.json()["detail"]


@pytest.mark.parametrize("accept", ["image/png", "image/*", "text/html", "*/*"])
def test_whatever_a_client_accepts_it_gets_the_picture_or_the_reason(ramp: Path, alice: Client, accept: str) -> None:
    assert alice.get(FRAME, headers={"Accept": accept})["Content-Type"] == "image/png"
    refused = alice.get(FRAME, {"view": "{"}, headers={"Accept": accept})
    assert (refused.status_code, refused["Content-Type"]) == (400, "application/json")


# --- what a browser may keep


def test_an_exact_pictures_tag_is_its_hash_and_spares_sending_it_again(ramp: Path, alice: Client) -> None:
    first = asked(alice, view=NATIVE)
    assert first["ETag"] == f'"{first["Farview-Sha256"]}"'
    assert first["Cache-Control"] == "private, no-cache"
    again = alice.get(FRAME, {"view": json.dumps(NATIVE)}, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_thumbnail_is_a_small_jpeg_that_a_browser_asks_for_again(ramp: Path, alice: Client) -> None:
    answer = alice.get(THUMBNAIL, {"size": 64})
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert PIL.Image.open(io.BytesIO(answer.content)).size == (64, 64)
    again = alice.get(THUMBNAIL, {"size": 64}, headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    assert again["Cache-Control"] == "private, no-cache"
    assert {"Cookie", "Authorization"} <= set(again["Vary"].replace(" ", "").split(","))


def test_a_series_that_grew_has_another_thumbnail(
    ramp: Path, hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    before = alice.get(THUMBNAIL)["ETag"]
    ingest_file(save(ct_slice("1.2.3.4.2"), tmp_path / "b.dcm"), hospital, "ingest", "")
    assert alice.get(THUMBNAIL)["ETag"] != before


@pytest.mark.parametrize(
    "asked_for", [{"stack": "-1"}, {"stack": "x"}, {"size": "5"}, {"size": "9000"}, {"stack": "7"}]
)
def test_a_thumbnail_that_is_not_there_is_400(ramp: Path, alice: Client, asked_for: dict[str, str]) -> None:
    assert alice.get(THUMBNAIL, asked_for).status_code == 400


# --- who may


@pytest.mark.parametrize("address", [FRAME, THUMBNAIL, FRAME + "?organization=hospital", "/api/series/9.9/frame"])
def test_pictures_of_others_are_as_if_they_did_not_exist(
    ramp: Path, bob: Client, charlie: Client, client: Client, address: str
) -> None:
    assert [person.get(address).status_code for person in (bob, charlie, client)] == [404, 404, 401]


def test_what_one_may_no_longer_see_is_not_confirmed_by_its_tag(ramp: Path, alice: Client) -> None:
    tags = {address: alice.get(address)["ETag"] for address in (FRAME, THUMBNAIL)}
    Membership.objects.all().delete()
    for address, tag in tags.items():
        assert alice.get(address, headers={"If-None-Match": tag}).status_code == 404


def test_the_same_series_in_two_organizations_is_never_mixed(
    ramp: Path, elsewhere: Organization, alice: Client, charlie: Client, tmp_path: Path
) -> None:
    other = save(ct_slice(PixelData=RAMP[::-1].tobytes()), tmp_path / "other.dcm")
    ingest_file(other, elsewhere, "ingest", "")
    assert np.array_equal(picture(asked(alice, view=NATIVE)), windowed(RAMP, 40, 400))
    assert np.array_equal(picture(asked(charlie, view=NATIVE)), windowed(RAMP[::-1], 40, 400))
    assert alice.get(THUMBNAIL)["ETag"] != charlie.get(THUMBNAIL)["ETag"]
    Membership.objects.create(user=User.objects.get(username="alice"), organization=elsewhere, role=Role.RESIDENT)
    answer = asked(alice, view=NATIVE)
    assert (answer.status_code, answer.json()["organizations"]) == (409, ["elsewhere", "hospital"])
    for organization, values in (("hospital", RAMP), ("elsewhere", RAMP[::-1])):
        by_query = asked(alice, view=NATIVE, organization=organization)
        by_view = asked(alice, view={**NATIVE, "organization": organization})
        assert np.array_equal(picture(by_query), windowed(values, 40, 400))
        assert by_view.content == by_query.content
    assert asked(alice, view={"organization": "hospital"}, organization="elsewhere").status_code == 400


def test_looking_is_written_down_once(ramp: Path, alice: Client) -> None:
    for _ in range(3):
        asked(alice, view=NATIVE)
    assert AuditEvent.objects.filter(action="study.view", actor="alice").count() == 1
