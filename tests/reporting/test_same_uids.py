"""The same UIDs, Patient ID and accession number in two organizations: reports, what they show, their exports and links
are each organization's own. Each word, name and pixel below is of one of them alone."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from asgiref.sync import async_to_sync
from django.conf import LazySettings
from django.http import HttpResponse
from django.test import Client

from accounts.models import Organization, Role, User
from tests.accounts.matrix.world import one_connection
from tests.reporting.conftest import person, signed_in
from tests.reporting.talking import Json, opened, saved, send, signed
from tests.viewer.archive.objects import ct_slice, save
from viewer.archive.ingest import ingest_file
from viewer.models import Study
from viewer.serving.runtime import runtime

SIDE, NOW, BEFORE = 32, "1.2.3", "1.2.9"
PIXELS = {
    "ours": (np.arange(SIDE * SIDE, dtype="<i2").reshape(SIDE, SIDE) % 200),
    "theirs": (199 - np.arange(SIDE * SIDE, dtype="<i2").reshape(SIDE, SIDE) % 200),
}
WORDS = {"ours": "Apfelbaum", "theirs": "Birnbaum"}
NAMES = {"ours": "Ours^Anna", "theirs": "Theirs^Bea"}
VIEW = {"frame": 0, "zoom": "native", "window_center": 100, "window_width": 201}
RLE = "1.2.840.10008.1.2.5"


@dataclass
class House:
    """One organization, its radiologist, and what they wrote."""

    name: str
    client: Client
    key_image: Json
    report: Json
    prior: Json

    @property
    def other(self) -> str:
        return "theirs" if self.name == "ours" else "ours"


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch, settings: LazySettings, tmp_path: Path) -> Any:
    one_connection(monkeypatch)
    settings.FARVIEW_CACHE_DIR = tmp_path / "cache"
    settings.FARVIEW_CACHE_DIR.mkdir()
    runtime().stop_private()
    yield
    runtime().stop_private()


@pytest.fixture
def houses(db: None, own_folders: Path, tmp_path: Path) -> dict[str, House]:
    """Everything is there in both before anything is asked."""
    users: dict[str, User] = {}
    for name, pixels in PIXELS.items():
        organization = Organization.objects.create(name=name)
        users[name] = person(f"reader of {name}", organization, Role.RADIOLOGIST)
        for study, date in ((NOW, "20240131"), (BEFORE, "20200131")):
            image = ct_slice(
                f"{study}.4.1",
                study,
                f"{study}.4",
                **{"Rows": SIDE, "Columns": SIDE, "PixelData": pixels.tobytes(), "PatientName": NAMES[name]},
                StudyDate=date,
            )
            path = save(image, tmp_path / name / f"{study}.dcm")
            image.compress(RLE)  # decoded by children, whose frames are kept on disk
            image.save_as(path, enforce_file_format=True)
            assert ingest_file(path, organization, "test", "").outcome == "stored"
    return {name: written(name, signed_in(user)) for name, user in users.items()}


def written(name: str, client: Client) -> House:
    prior = signed(client, saved(client, opened(client, study_of(name, BEFORE)), text(name)))
    marked = send(
        client, "post", f"/api/studies/{NOW}/key-images/", {"series": f"{NOW}.4", "view": VIEW, "note": WORDS[name]}
    )
    assert marked.status_code == 201, marked.content
    linked = f"See [[key_image:{marked.json()['uid']}|image 1]]."
    report = saved(client, opened(client, study_of(name, NOW)), text(name, linked))
    return House(name, client, marked.json(), signed(client, report), prior)


def study_of(name: str, uid: str) -> Study:
    return Study.objects.get(organization__name=name, study_instance_uid=uid)


def text(name: str, more: str = "") -> Json:
    return {"findings": f"{WORDS[name]}. {more}", "impression": f"{WORDS[name]}."}


def body(answer: HttpResponse) -> bytes:
    async def whole() -> bytes:
        return b"".join([part async for part in answer])

    assert answer.status_code == 200, answer.content
    if not answer.streaming:
        return bytes(answer.content)
    return async_to_sync(whole)() if answer.is_async else b"".join(answer)


def grey(name: str) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1 with VIEW's window: 200 values over 256 grey levels."""
    return np.floor(np.clip(((PIXELS[name].astype(float) - 99.5) / 200 + 0.5) * 255, 0, 255) + 0.5)


def picture(raw: bytes) -> np.ndarray:
    return np.asarray(PIL.Image.open(io.BytesIO(raw)))


def tells(house: House, raw: bytes) -> None:
    """It holds what is this house's, and nothing of the other's."""
    assert WORDS[house.name].encode() in raw or NAMES[house.name].encode() in raw
    for foreign in (WORDS[house.other], NAMES[house.other], NAMES[house.other].replace("^", " ")):
        assert foreign.encode() not in raw


def test_reports_priors_and_drafts_are_ones_own(houses: dict[str, House]) -> None:
    for house in houses.values():
        (told,) = house.client.get("/api/reports/", {"study": NOW}).json()["reports"]
        assert told["id"] == house.report["id"]
        draft = opened(house.client, study_of(house.name, NOW), new=True)
        assert draft["organization"] == house.name
        assert {one["id"] for one in draft["priors"]} <= {house.prior["id"], house.report["id"]}
        assert house.prior["id"] in {one["id"] for one in draft["priors"]}
        saved(house.client, draft, text(house.name))
        tells(house, house.client.get(f"/api/reports/{draft['id']}/").content)
        assert houses[house.other].client.get(f"/api/reports/{draft['id']}/").status_code == 404
        study = house.client.get(f"/api/studies/{NOW}/").json()
        assert [one["organization"] for one in study["priors"]] == [house.name]
        tells(house, json.dumps(study).encode())


@pytest.mark.parametrize("kind", ["html", "fhir", "hl7", "sr"])
def test_exports_say_ones_own(houses: dict[str, House], kind: str) -> None:
    for _ in range(2):  # the second from what is kept
        for house in houses.values():
            door = f"/api/reports/{house.report['id']}/export/{kind}"
            raw = body(house.client.get(door))
            assert WORDS[house.name].encode() in raw
            tells(house, raw)
            assert houses[house.other].client.get(door).status_code == 404


def test_evidence_and_key_images_are_ones_own_pixels(houses: dict[str, House]) -> None:
    for house in houses.values():
        stranger = houses[house.other].client
        door = f"/api/reports/{house.report['id']}/evidence/"
        (shown,) = house.client.get(door).json()["evidence"]
        frozen = picture(body(house.client.get(shown["picture"])))
        assert np.array_equal(frozen, grey(house.name))
        assert house.key_image["sha256"] == hashlib.sha256(grey(house.name).astype("u1").tobytes()).hexdigest()
        (kept,) = house.client.get(f"/api/studies/{NOW}/key-images/").json()["key_images"]
        assert (kept["uid"], kept["note"]) == (house.key_image["uid"], WORDS[house.name])
        assert [stranger.get(one).status_code for one in (door, shown["picture"])] == [404, 404]
        theirs = {"version": kept["version"], "note": "another's"}
        changed = send(stranger, "put", f"/api/studies/{NOW}/key-images/{house.key_image['uid']}/", theirs)
        assert changed.status_code == 404


def test_decoded_frames_on_disk_are_of_ones_own_file(houses: dict[str, House], settings: LazySettings) -> None:
    """Looked at by both, by another engine that has nothing but the files; each file under what it was decoded from."""

    def look(house: House) -> np.ndarray:
        query = {"view": json.dumps(VIEW), "media_type": "image/png"}
        return picture(body(house.client.get(f"/api/series/{NOW}.4/frame", query)))

    for _ in range(2):
        for house in houses.values():
            assert np.array_equal(look(house), grey(house.name))
        runtime().stop_private()
    kept = [path for path in settings.FARVIEW_CACHE_DIR.rglob("*") if path.is_file()]
    assert len(kept) >= 2, "what was decoded was kept"


def test_a_share_link_opens_ones_own(houses: dict[str, House]) -> None:
    for house in houses.values():
        for wish in ({"scope": "study"}, {"scope": "report", "report": house.report["id"]}):
            asked = {"recipient": "Dr. Outside", **wish}
            made = send(house.client, "post", f"/api/studies/{NOW}/share-links/", asked)
            assert made.status_code == 201, made.content
            visitor = Client()
            door = "/share/" + made.json()["address"].partition("/share/")[2]
            onward = visitor.post(door)
            assert onward.status_code == 302
            if wish["scope"] == "report":
                tells(house, visitor.get("/shared/report/").content)
                continue
            tells(house, visitor.get(f"/api/studies/{NOW}/").content)
            query = {"view": json.dumps(VIEW), "media_type": "image/png"}
            seen = picture(body(visitor.get(f"/api/series/{NOW}.4/frame", query)))
            apart = {name: int((seen != grey(name)).sum()) for name in PIXELS}
            assert apart[house.name] < apart[house.other], "stamped, and otherwise the house's own"
