"""Key images over REST: the server draws them itself, keeps what draws them again, and tells whether it still does."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Organization
from tests.viewer.archive.objects import ct_slice, save, slices
from viewer.api import key_images as doors
from viewer.archive.ingest import ingest_file
from viewer.marks import key_images, key_objects
from viewer.models import KeyImage, Outbox, Study

pytestmark = pytest.mark.usefixtures("store")

DOOR = "/api/studies/1.2.3/key-images/"
RAMP = np.arange(-8, 8, dtype="<i2").reshape(4, 4) * 30
VIEW = {"window_center": 40, "window_width": 400, "size": [64, 48], "rotation": 90}


@pytest.fixture
def ramp(hospital: Organization, tmp_path: Path) -> Path:
    path = save(ct_slice(PixelData=RAMP.tobytes()), tmp_path / "ramp.dcm")
    ingest_file(path, hospital, "ingest", "")
    return path


def marked(client: Client, view: Any = VIEW, series: str = "1.2.3.4", **more: Any) -> HttpResponse:
    return client.post(DOOR, json.dumps({"series": series, "view": view, **more}), content_type="application/json")


def test_the_server_draws_the_picture_itself_and_keeps_what_draws_it_again(ramp: Path, alice: Client) -> None:
    answer = marked(alice, note="this one")
    assert answer.status_code == 201
    kept = answer.json()
    drawn = alice.get("/api/series/1.2.3.4/frame", {"view": json.dumps(VIEW)})
    assert kept["view"] == json.loads(drawn["Farview-View"])
    assert kept["sha256"] == drawn["Farview-Sha256"]
    assert (kept["rows"], kept["columns"], kept["note"], kept["author"]) == (64, 48, "this one", "alice")
    assert (kept["sop_instance_uid"], kept["frame_number"]) == ("1.2.3.4.1", 1)
    again = alice.get(kept["picture"])
    pixels = np.asarray(PIL.Image.open(io.BytesIO(again.content)))
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == kept["sha256"]
    assert alice.get(DOOR).json()["key_images"] == [{**kept, "draws_the_same": None}]
    assert alice.get(f"{DOOR}{kept['uid']}/").json() == {**kept, "draws_the_same": None}


def test_news_and_audit_say_that_there_is_one(ramp: Path, alice: Client) -> None:
    uid = marked(alice).json()["uid"]
    alice.delete(f"{DOOR}{uid}/")
    news = Outbox.objects.filter(kind="key_images.changed")
    assert [row.payload for row in news] == [{"study_instance_uid": "1.2.3", "uid": uid}] * 2
    events = AuditEvent.objects.filter(action__startswith="key_image.").order_by("sequence")
    assert [(e.action, e.actor, e.object_uid, e.patient_id) for e in events] == [
        ("key_image.create", "alice", uid, "P1"),
        ("key_image.delete", "alice", uid, "P1"),
    ]


def test_a_deleted_one_is_off_the_list_and_its_row_stays(ramp: Path, alice: Client) -> None:
    uid = marked(alice).json()["uid"]
    assert alice.delete(f"{DOOR}{uid}/").status_code == 204
    assert alice.get(DOOR).json()["key_images"] == []
    assert alice.delete(f"{DOOR}{uid}/").status_code == 404
    assert KeyImage.objects.get(uid=uid).deleted_at is not None


def test_whether_it_still_draws_the_same_is_worked_out_when_asked(ramp: Path, alice: Client) -> None:
    marked(alice)
    assert [one["draws_the_same"] for one in alice.get(DOOR, {"check": "1"}).json()["key_images"]] == [True]
    KeyImage.objects.update(sha256="0" * 64)
    assert [one["draws_the_same"] for one in alice.get(DOOR, {"check": "1"}).json()["key_images"]] == [False]


def test_many_are_checked_some_at_a_time_and_it_is_said_how_many(
    ramp: Path, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "CHECKED_AT_ONCE", 2)
    uids = [marked(alice, {**VIEW, "size": [8, 8 + number]}).json()["uid"] for number in range(5)]
    begin, seen = None, []
    while True:
        asked = {"check": "1", **({"check_from": begin} if begin else {})}
        answer = alice.get(DOOR, asked).json()
        said = {one["uid"]: one["draws_the_same"] for one in answer["key_images"]}
        seen.append([uid for uid in uids if said[uid] is not None])
        assert (len(said), answer["checked"]) == (5, len(seen[-1]))
        begin = answer["check_from"]
        if begin is None:
            break
    assert seen == [uids[:2], uids[2:4], uids[4:]]
    assert alice.get(DOOR, {"check": "1", "check_from": "1.2"}).status_code == 400


def test_checking_ends_when_it_takes_long(ramp: Path, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "CHECKING_SECONDS", -1.0)
    uids = [marked(alice, {**VIEW, "size": [8, 8 + number]}).json()["uid"] for number in range(3)]
    answer = alice.get(DOOR, {"check": "1"}).json()
    assert (answer["checked"], answer["check_from"]) == (1, uids[1])


# --- its note


def noted(client: Client, kept: dict[str, Any], said: Any, **changed: Any) -> HttpResponse:
    body = json.dumps({"version": kept["version"], "note": said, **changed})
    return client.put(f"{DOOR}{kept['uid']}/", body, content_type="application/json")


def test_its_note_can_be_changed_and_nothing_else_of_it(ramp: Path, alice: Client) -> None:
    kept = marked(alice, note="first").json()
    answer = noted(alice, kept, "second", view={}, sha256="0", author="mallory")
    assert answer.status_code == 200, answer.content
    assert answer.json() == {**kept, "note": "second", "version": 2, "draws_the_same": None}
    assert alice.get(DOOR).json()["key_images"] == [answer.json()]
    assert Outbox.objects.filter(kind="key_images.changed").count() == 2
    assert AuditEvent.objects.filter(action="key_image.change", actor="alice", object_uid=kept["uid"]).count() == 1


def test_who_changes_a_note_that_changed_meanwhile_is_told_and_changes_nothing(ramp: Path, alice: Client) -> None:
    kept = marked(alice).json()
    noted(alice, kept, "mine")
    late = noted(alice, kept, "yours")
    assert (late.status_code, late.json()["current"]["note"]) == (409, "mine")
    assert KeyImage.objects.get().note == "mine"


@pytest.mark.parametrize("change", [{"version": None}, {"version": True}, {"note": "x" * 1001}, {"note": 1}])
def test_a_note_that_is_none_is_400(ramp: Path, alice: Client, change: dict[str, Any]) -> None:
    kept = marked(alice, note="first").json()
    assert noted(alice, kept, "second", **change).status_code == 400
    assert KeyImage.objects.get().note == "first"


def test_a_changed_note_is_written_into_the_archive_by_itself(ramp: Path, alice: Client) -> None:
    kept = marked(alice, note="first").json()
    alice.post(f"{DOOR}object/", "{}", content_type="application/json")
    KeyImage.objects.update(created_at=timezone.now() - timedelta(hours=1))
    study, before = Study.objects.get(), timezone.now() - timedelta(minutes=5)
    noted(alice, kept, "second")
    assert key_objects.due(timezone.now() + timedelta(seconds=61), before) == [study]
    assert key_objects.due(timezone.now(), before) == [], "it has not come to rest"


def test_a_picture_of_a_volume_can_be_one_too(hospital: Organization, alice: Client, tmp_path: Path) -> None:
    for path in slices(tmp_path, 6):
        ingest_file(path, hospital, "ingest", "")
    kept = marked(alice, {"plane": "coronal", "size": [32, 32]}).json()
    assert (kept["sop_instance_uid"], kept["frame_number"]) == ("", None)
    assert kept["view"]["plane"] == "coronal"
    assert [one["draws_the_same"] for one in alice.get(DOOR, {"check": "1"}).json()["key_images"]] == [True]


def test_its_thumbnail_shows_the_same_part_in_fewer_pixels(ramp: Path, alice: Client) -> None:
    kept = marked(alice, {**VIEW, "size": [960, 480], "zoom": 2.0, "pan": [0.1, 0.2]}).json()
    small = PIL.Image.open(io.BytesIO(alice.get(kept["thumbnail"]).content))
    large = PIL.Image.open(io.BytesIO(alice.get(kept["picture"]).content))
    assert small.size == (96, 192)
    shrunk = np.asarray(large.convert("L").resize(small.size, PIL.Image.Resampling.BOX), dtype=float)
    assert np.abs(shrunk - np.asarray(small.convert("L"), dtype=float)).mean() < 4


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("{", "body"),
        ("[]", "body"),
        ("[" * 30_000, "body"),
        ("x" * 70_000, "body"),
        ({"series": "1.2.3.4"}, "view"),
        ({"series": "1.2.3.4", "view": []}, "view"),
        ({"series": "1.2.3.4", "view": {"preset": "x" * 20_000}}, "view"),
        ({"series": "1.2.3.4", "view": {"colour": 1}}, "colour"),
        ({"series": "1.2.3.4", "view": {"series": "9.9"}}, "series"),
        ({"series": "1.2.3.4", "view": {"organization": "elsewhere"}}, "organization"),
        ({"series": "1.2.3.4", "view": {"size": [9000, 9000]}}, "size"),
        ({"series": "1.2.3.4", "view": {"frame": 7}}, "frame"),
        ({"series": ["1.2.3.4"], "view": {}}, "series"),
        ({"series": "1.2.3.4", "view": {}, "note": "x" * 1001}, "note"),
        ({"series": "1.2.3.4", "view": {}, "measurements": "all"}, "measurements"),
        ({"series": "1.2.3.4", "view": {}, "measurements": [1]}, "measurements"),
        ({"series": "1.2.3.4", "view": {}, "measurements": ["\ud800"]}, "measurements"),
    ],
)
def test_what_cannot_be_marked_is_400_and_named(ramp: Path, alice: Client, body: Any, named: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    answer = alice.post(DOOR, text, content_type="application/json")
    assert answer.status_code == 400
    assert named in answer.json()["detail"]
    assert not KeyImage.objects.exists()


def test_a_series_of_another_study_is_not_marked_in_this_one(
    ramp: Path, hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    ingest_file(save(ct_slice("1.9.1.1", "1.9", "1.9.1"), tmp_path / "b.dcm"), hospital, "ingest", "")
    assert marked(alice, series="1.9.1").status_code == 404


def test_a_study_has_only_so_many(ramp: Path, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_images, "MOST", 2)
    assert [marked(alice).status_code for _ in range(3)] == [201, 201, 400]


def test_a_note_is_kept_as_text_whatever_it_holds(ramp: Path, alice: Client) -> None:
    note = "<script>alert(1)</script> \u202eabc \ud800"
    kept = marked(alice, note=note)
    assert kept.status_code == 201
    assert kept.json()["note"] == note.encode(errors="replace").decode()


def test_key_images_of_others_are_as_if_they_did_not_exist(
    ramp: Path, alice: Client, bob: Client, charlie: Client, client: Client
) -> None:
    uid = marked(alice).json()["uid"]
    for person, status in ((bob, 404), (charlie, 404), (client, 401)):
        assert person.get(DOOR).status_code == status
        assert person.get(f"{DOOR}{uid}/").status_code == status
        assert marked(person).status_code == status
        assert noted(person, {"uid": uid, "version": 1}, "mine").status_code == status
        assert person.delete(f"{DOOR}{uid}/").status_code == status
    assert KeyImage.objects.get().deleted_at is None
