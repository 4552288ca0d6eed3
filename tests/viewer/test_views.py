"""The pages: who sees them, what they hand to the browser, and what is written down."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from accounts.models import AuditEvent, Membership, Organization, Role, User
from tests.viewer.archive.objects import ct_slice, save
from viewer.archive.ingest import ingest_file

pytestmark = pytest.mark.usefixtures("store")

STUDY = "/studies/1.2.3/"


@pytest.fixture
def chest(hospital: Organization, tmp_path: Path) -> str:
    ingest_file(save(ct_slice(), tmp_path / "a.dcm"), hospital, "ingest", "")
    return STUDY


def test_the_study_list_is_the_front_door(chest: str, alice: Client) -> None:
    answer = alice.get("/")
    assert answer.status_code == 200
    assert "Doe" not in answer.content.decode(), "patients come by the list's own request, never in the page"


def test_the_viewer_page_carries_its_study(chest: str, alice: Client) -> None:
    page = alice.get(chest).content.decode()
    found = re.search(r'<script id="study-data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    study = json.loads(found[1])
    assert (study["patient"]["name"], study["series"][0]["series_instance_uid"]) == ("Doe^Jane", "1.2.3.4")
    hanging = study.pop("hanging")
    assert study == alice.get("/api/studies/1.2.3/").json()
    assert hanging == alice.get("/api/studies/1.2.3/hanging/").json()
    assert hanging["stages"][0]["viewports"][0]["series_instance_uid"] == "1.2.3.4"


def test_a_name_is_text_and_never_markup(hospital: Organization, alice: Client, tmp_path: Path) -> None:
    payload = "</script><img src=x onerror=alert(1)>"
    image = ct_slice(PatientName=payload, StudyDescription=payload[:60], SeriesDescription=payload[:60])
    ingest_file(save(image, tmp_path / "a.dcm"), hospital, "ingest", "")
    for address in (STUDY, "/"):
        assert "<img src=x" not in alice.get(address).content.decode()


@pytest.mark.parametrize("address", [STUDY, "/studies/9.9/", "/studies/not-a-uid/", STUDY + "?organization=hospital"])
def test_a_page_of_others_is_as_if_it_did_not_exist(
    chest: str, bob: Client, charlie: Client, client: Client, address: str
) -> None:
    assert [person.get(address).status_code for person in (bob, charlie)] == [404, 404]
    answer = client.get(address)
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/sign-in/")


def test_the_same_study_in_two_organizations_asks_which(
    chest: str, elsewhere: Organization, alice: Client, tmp_path: Path
) -> None:
    ingest_file(save(ct_slice(), tmp_path / "copy.dcm"), elsewhere, "ingest", "")
    Membership.objects.create(user=User.objects.get(username="alice"), organization=elsewhere, role=Role.RESIDENT)
    answer = alice.get(chest)
    assert answer.status_code == 409
    assert "?organization=elsewhere" in answer.content.decode()
    assert alice.get(f"{chest}?organization=elsewhere").status_code == 200


def first_view(page: str) -> Any:
    found = re.search(r'<script id="first-view" type="application/json">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1]) if found else None


def test_a_link_to_a_picture_hands_its_view_to_the_page(chest: str, alice: Client) -> None:
    view = {"series": "1.2.3.4", "frame": 0, "window_center": 40, "window_width": 400, "rotation": 90}
    answer = alice.get(chest, {"view": json.dumps(view)})
    assert (answer.status_code, first_view(answer.content.decode())) == (200, view)
    assert first_view(alice.get(chest).content.decode()) is None


def test_a_link_with_markup_in_it_is_text(chest: str, alice: Client) -> None:
    view = {"series": "1.2.3.4", "preset": "</script><img src=x onerror=alert(1)>"}
    page = alice.get(chest, {"view": json.dumps(view)}).content.decode()
    assert "<img src=x" not in page
    assert first_view(page) == view


@pytest.mark.parametrize(
    ("view", "named"),
    [
        ("{", "not JSON"),
        ("[" * 12_000, "not JSON"),
        ("[]", "a View is a JSON object"),
        ("{}", "series"),
        ('{"frame": 0}', "series"),
        ('{"series": "1.2.3.4", "colour": "red"}', "colour"),
        ('{"series": "1.2.3.4", "window_width": -1, "window_center": 0}', "window_width"),
        ('{"series": "1.2.3.4", "window_center": NaN, "window_width": 5}', "window_center"),
        ('{"series": "1.2.3.4", "<img src=x>": 1}', "&lt;img src=x&gt;"),
        ('{"series": "' + "1" * 20_000 + '"}', "longer"),
    ],
)
def test_a_link_to_what_cannot_be_drawn_says_so_and_leads_to_the_study(
    chest: str, alice: Client, view: str, named: str
) -> None:
    answer = alice.get(chest, {"view": view})
    text = answer.content.decode()
    assert answer.status_code == 400
    assert named in text
    assert "<img src=x" not in text
    found = re.search(r'href="(/studies/[^"]+)"', text)
    assert found is not None
    assert alice.get(found[1].replace("&amp;", "&")).status_code == 200


def test_a_bad_link_to_a_study_of_others_is_as_if_it_did_not_exist(chest: str, bob: Client, charlie: Client) -> None:
    assert [person.get(chest, {"view": "{"}).status_code for person in (bob, charlie)] == [404, 404]


def test_a_link_into_several_organizations_keeps_its_view(
    chest: str, elsewhere: Organization, alice: Client, tmp_path: Path
) -> None:
    ingest_file(save(ct_slice(), tmp_path / "copy.dcm"), elsewhere, "ingest", "")
    Membership.objects.create(user=User.objects.get(username="alice"), organization=elsewhere, role=Role.RESIDENT)
    view = {"series": "1.2.3.4", "preset": 'Lung & "bone"'}
    text = alice.get(chest, {"view": json.dumps(view)}).content.decode()
    found = re.search(r'href="(\?organization=hospital[^"]*)"', text)
    assert found is not None
    assert first_view(alice.get(chest + html.unescape(found[1])).content.decode()) == view


def test_every_opening_is_written_down(chest: str, alice: Client) -> None:
    for _ in range(2):
        alice.get(chest)
    events = AuditEvent.objects.filter(action="study.view")
    assert [(e.actor, e.organization, e.patient_id, e.detail) for e in events] == [
        ("alice", "hospital", "P1", {"door": "page"})
    ] * 2


def test_a_browser_keeps_no_page_with_patients(chest: str, alice: Client) -> None:
    assert "no-store" in alice.get(chest)["Cache-Control"]


def test_the_upload_page_is_for_those_who_may(alice: Client, bob: Client, client: Client) -> None:
    assert [person.get("/upload/").status_code for person in (alice, bob, client)] == [200, 404, 302]


def test_pages_are_read_and_nothing_else(chest: str, alice: Client) -> None:
    for address in ("/", chest, "/upload/"):
        assert alice.post(address).status_code == 405


@pytest.mark.parametrize("address", ["/", "/studies/1.2.3/", "/api/studies/", "/api/series/1.2.3.4/frame", "/healthz"])
@pytest.mark.parametrize(
    ("problem", "status"), [(OperationalError("no such table: patient Doe"), 503), (ValueError("Doe"), 500)]
)
def test_what_nobody_foresaw_is_told_in_words_and_a_database_that_is_away_as_busy(
    address: str, problem: Exception, status: int, chest: str, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise problem

    alice.raise_request_exception = False
    monkeypatch.setattr("accounts.middleware.live_token", fail)
    answer = alice.get(address, headers={"Authorization": "Bearer x"})
    text = answer.content.decode()
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)
    assert "Doe" not in text
    assert "Traceback" not in text
    assert ("detail" in answer.json()) if address.startswith("/api/") else ("<main" in text)


@pytest.mark.parametrize("pixels", [0, 3_000_000])
def test_the_page_knows_how_many_pixels_a_diagnostic_display_has(
    chest: str, alice: Client, settings: Any, pixels: int
) -> None:
    settings.FARVIEW_DIAGNOSTIC_PIXELS = pixels
    assert f'data-diagnostic-pixels="{pixels}"' in alice.get(chest).content.decode()
