"""Measurements over REST: the server's own numbers, kept with their version, for those who may see the study."""

from __future__ import annotations

import math
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonschema
import pytest
from django.db import connections
from django.middleware.csrf import get_token
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from accounts.models import AuditEvent, Organization, Role, User
from tests.viewer.conftest import person, signed_in
from tests.viewer.marks.drawing import (
    DOOR,
    LINE,
    PLAIN,
    asked,
    in_prior,
    listed,
    made,
    posted,
    put,
)
from tests.viewer.marks.drawing import plain as plain
from tests.viewer.marks.drawing import prior as prior
from tests.viewer.marks.drawing import stack as stack
from tests.viewer.test_api_schema import _closed as closed
from viewer.models import Measurement, Outbox

# --- the numbers are the server's


@pytest.mark.usefixtures("stack")
def test_a_length_in_the_patient_is_measured_by_the_server_and_kept(alice: Client) -> None:
    mark = made(
        alice, "length", LINE, values={"length": {"value": 1.0, "unit": "mm", "source": "me"}}, label=" Nodule "
    )
    assert mark["values"]["length"]["value"] == pytest.approx(5.0)
    assert (mark["values"]["length"]["unit"], mark["values"]["length"]["source"]) == ("mm", "Pixel Spacing")
    assert (mark["version"], mark["label"], mark["author"], mark["source"]) == (1, "Nodule", "alice", "reader")
    assert (mark["sop_instance_uid"], mark["frame_number"]) == ("1.2.3.4.1", 1)
    assert (mark["frame_of_reference_uid"], mark["space"]) == ("1.2.3.99", "patient")
    assert listed(alice) == [mark]


@pytest.mark.usefixtures("stack")
def test_a_point_of_the_stored_frame_is_the_pixel_there(alice: Client) -> None:
    """However the picture was turned on the page: points are those of the stored frame."""
    turned = {
        **asked("probe", [[3, 5]])["view"],
        "rotation": 90,
        "flip_horizontal": True,
        "size": [300, 500],
        "zoom": 2,
    }
    mark = made(alice, "probe", [[3, 5]], view=turned)
    assert mark["values"]["value"] == {
        "value": 10.0 * (8 * 5 + 3 - 32),
        "unit": "HU",
        "source": "the pixel under the point",
    }
    assert [mark["values"][axis]["value"] for axis in "xyz"] == pytest.approx([10 + 3 * 0.5, 20 + 5 * 2, 5])


@pytest.mark.usefixtures("stack")
def test_a_region_on_a_plane_through_the_volume_is_measured_there(alice: Client) -> None:
    view = {"plane": "coronal", "center": [12, 26, 15], "size": [100, 100]}
    mark = made(alice, "rectangle", [[10.2, 26, 20], [12.3, 26, 10]], view=view)
    assert mark["values"]["area"]["value"] == pytest.approx(2.1 * 10)
    assert mark["values"]["mean"]["unit"] == "HU"
    # Row 3 of every slice lies at y = 26; columns 1 to 4 lie within.
    assert mark["values"]["mean"]["value"] == pytest.approx(10 * (8 * 3 + 2.5 - 32))
    assert (mark["sop_instance_uid"], mark["frame_number"], mark["frame_of_reference_uid"]) == ("", None, "1.2.3.99")


@pytest.mark.usefixtures("plain")
def test_an_image_without_a_place_is_measured_in_pixels_and_never_in_millimetres(alice: Client) -> None:
    mark = made(alice, "length", [[1, 1], [4, 5]], **PLAIN)
    assert mark["values"]["length"] == {"value": 5.0, "unit": "px", "source": "no source for millimetres"}
    assert mark["space"] == "image"
    region = made(alice, "rectangle", [[0.5, 0.5], [2.5, 2.5]], **PLAIN)["values"]
    assert (region["area"]["unit"], region["n"]["value"]) == ("px²", 4)
    refused = posted(alice, asked("length", LINE, **PLAIN))
    assert (refused.status_code, refused.json()["code"]) == (422, "cannot_measure")


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("kind", "points", "names"),
    [
        ("bidirectional", [*LINE, [10, 20, 5], [12, 18.5, 5]], {"long", "short", "product"}),
        ("cobb", [*LINE, [10, 20, 5], [12, 18.5, 5]], {"angle", "supplementary"}),
        ("angle", [*LINE, [12, 18.5, 5]], {"angle"}),
        ("arrow", LINE, set()),
        ("text", LINE[:1], set()),
    ],
)
def test_every_kind_has_its_numbers(alice: Client, kind: str, points: list[list[float]], names: set[str]) -> None:
    mark = made(alice, kind, points, label="here")
    assert set(mark["values"]) == names
    if kind == "cobb":
        angles = [mark["values"][name]["value"] for name in ("angle", "supplementary")]
        wanted = math.degrees(math.acos((3 * 2 + 4 * -1.5) / (5 * 2.5)))
        assert sorted(angles) == pytest.approx(sorted((wanted, 180 - wanted)))


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"kind": "guess"}, "kind"),
        ({"points": [[1, 2]]}, "points"),
        ({"points": [[1, 2, "x"], [1, 2, 3]]}, "points"),
        ({"points": [[1, 2, 3]] * 2001}, "points"),
        ({"points": [[1, 2, 10**400], [1, 2, 3]]}, "points"),
        ({"space": "picture"}, "space"),
        ({"view": "axial"}, "view"),
        ({"view": {"plane": "crosswise"}}, "plane"),
        ({"series": "1.2.3.5"}, "series"),
        ({"series": "../x"}, "series"),
        ({"label": "x" * 201}, "label"),
        ({"uid": "not a uid"}, "uid"),
        ({"follows": "1.2.3"}, "follows"),
        ({"frame_number": 0}, "frame_number"),
    ],
)
def test_what_is_no_measurement_is_400_naming_the_field(alice: Client, change: dict[str, Any], word: str) -> None:
    answer = posted(alice, {**asked("length", LINE), **change})
    assert (answer.status_code, word in answer.json()["detail"]) == (400, True), answer.content
    assert not Measurement.objects.exists()


def test_a_body_that_is_no_measurement_is_refused_before_it_fills_the_memory(stack: None, alice: Client) -> None:
    bodies = [b"[" * 100_000, b"{", b"[]", b'{"label": "' + b"x" * 300_000 + b'"}', b'{"points": [[NaN, 1, 2]]}']
    for body in bodies:
        answer = alice.post(DOOR, body, content_type="application/json")
        assert answer.status_code == 400, body[:20]


# --- versions


@pytest.mark.usefixtures("stack")
def test_a_change_gives_the_next_version_and_the_news_of_it(alice: Client) -> None:
    mark = made(alice, "length", LINE)
    moved = put(alice, mark["uid"], {"version": 1, "points": [LINE[0], [10, 20 + 7, 5]], "label": "again"}).json()
    assert (moved["version"], moved["label"], moved["uid"]) == (2, "again", mark["uid"])
    assert moved["values"]["length"]["value"] == pytest.approx(7)
    assert listed(alice) == [moved]
    news = Outbox.objects.filter(kind="measurements.changed")
    assert [one.payload for one in news] == [{"study_instance_uid": "1.2.3", "uid": mark["uid"]}] * 2
    assert list(AuditEvent.objects.filter(object_uid=mark["uid"]).values_list("action", "actor")) == [
        ("measurement.create", "alice"),
        ("measurement.change", "alice"),
    ]


@pytest.mark.usefixtures("stack")
def test_a_change_of_an_older_version_changes_nothing_and_is_told_what_there_is(alice: Client) -> None:
    mark = made(alice, "length", LINE)
    newest = put(alice, mark["uid"], {"version": 1, "label": "first"}).json()
    for answer in (
        put(alice, mark["uid"], {"version": 1, "label": "second"}),
        alice.delete(f"{DOOR}{mark['uid']}/?version=1"),
    ):
        assert (answer.status_code, answer.json()["current"]) == (409, newest)
    assert listed(alice) == [newest]
    assert put(alice, mark["uid"], {"label": "without a version"}).status_code == 400


@pytest.mark.usefixtures("stack")
def test_what_is_deleted_can_come_back(alice: Client) -> None:
    mark = made(alice, "length", LINE)
    gone = alice.delete(f"{DOOR}{mark['uid']}/").json()
    assert (gone["deleted"], gone["version"], listed(alice)) == (True, 2, [])
    blind = put(alice, mark["uid"], {"version": 2, "label": "x"})
    assert (blind.status_code, blind.json()["current"]["deleted"]) == (409, True)
    back = put(alice, mark["uid"], {"version": 2, "deleted": False}).json()
    assert (back["deleted"], back["version"], back["values"]) == (False, 3, mark["values"])
    assert listed(alice) == [back]
    told = list(AuditEvent.objects.filter(object_uid=mark["uid"]).order_by("sequence").values_list("detail", flat=True))
    assert "before" not in told[0]
    assert [one["before"] for one in told[1:]] == [one["after"] for one in told[:-1]], "each began where the last ended"
    assert len({one["after"] for one in told}) == len(told)


@pytest.mark.usefixtures("stack")
def test_the_same_thing_sent_twice_is_kept_once(alice: Client) -> None:
    body = asked("length", LINE, uid="2.25.77")
    first, second = posted(alice, body), posted(alice, body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    other = posted(alice, {**body, "points": [LINE[0], [0, 20, 5]]})
    assert (other.status_code, other.json()["current"]) == (409, first.json())


# --- who may


@pytest.mark.usefixtures("stack")
def test_others_are_told_what_they_would_be_told_if_nothing_were_there(
    alice: Client, bob: Client, charlie: Client, client: Client
) -> None:
    mark = made(alice, "length", LINE)
    one = f"{DOOR}{mark['uid']}/"
    for who, status in ((bob, 404), (charlie, 404), (client, 401)):
        answers = [
            who.get(DOOR),
            posted(who, asked("length", LINE)),
            put(who, mark["uid"], {"version": 1, "label": "mine"}),
            who.delete(one),
        ]
        assert {answer.status_code for answer in answers} == {status}
    assert listed(alice) == [mark]


@pytest.mark.usefixtures("stack")
def test_a_colleague_may_go_on_with_it_and_is_then_its_author(alice: Client, hospital: Organization) -> None:
    mark = made(alice, "length", LINE)
    dora = signed_in(person("dora", hospital, Role.RESIDENT))
    User.objects.filter(username="dora").update(first_name="Dora", last_name="Doe")
    labelled = put(dora, mark["uid"], {"version": 1, "label": "same line"}).json()
    assert (labelled["label"], labelled["author"]) == ("same line", "alice")
    moved = put(dora, mark["uid"], {"version": 2, "points": LINE[::-1]}).json()
    assert (moved["author"], AuditEvent.objects.filter(actor="dora", action="measurement.change").count()) == (
        "Dora Doe",
        2,
    )


# --- at once, and afterwards


@pytest.mark.django_db(transaction=True)
def test_of_two_who_change_it_at_once_one_is_told_what_the_other_did(stack: None, alice: Client) -> None:
    mark = made(alice, "length", LINE)
    labels = [f"hand {number}" for number in range(6)]
    clients = [signed_in(User.objects.get(username="alice")) for _ in labels]

    def change(client: Client, label: str) -> tuple[int, dict[str, Any]]:
        try:
            answer = put(client, mark["uid"], {"version": 1, "label": label})
            return answer.status_code, answer.json()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(labels)) as hands:
        answers = list(hands.map(change, clients, labels))
    assert sorted(status for status, _ in answers) == [200, *[409] * 5]
    kept = next(body for status, body in answers if status == 200)
    assert all(body["current"] == kept for status, body in answers if status == 409)
    assert Measurement.objects.get().version == 2


def test_answers_are_what_the_schema_says(prior: str, alice: Client) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        components = SchemaGenerator().get_schema(request=None, public=True)["components"]
    before = in_prior(alice, prior, "length", LINE)
    mark = made(alice, "length", LINE, follows=before["uid"])
    answers = {
        "Measurement": alice.get(f"{DOOR}{mark['uid']}/"),
        "MeasurementList": alice.get(f"{DOOR}?with_priors=1"),
        "Overtaken": put(alice, mark["uid"], {"version": 9}),
        "ObjectState": alice.get(f"{DOOR}object/"),
        "Written": alice.post(f"{DOOR}object/"),
        "Problem": posted(alice, {}),
    }
    for name, answer in answers.items():
        shape = {"$ref": f"#/components/schemas/{name}", "components": components}
        jsonschema.validate(answer.json(), closed(shape))
    assert answers["Measurement"].json() == mark
    assert answers["ObjectState"].json() == {"sop_instance_uid": None, "current": False}
    written = answers["Written"].json()["sop_instance_uid"]
    assert alice.get(f"{DOOR}object/").json() == {"sop_instance_uid": written, "current": True}


def test_a_browser_must_show_the_pages_own_token(stack: None, alice: Client) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.get(username="alice"))
    token = get_token(browser.get("/upload/").wsgi_request)
    browser.cookies["csrftoken"] = token
    assert posted(browser, asked("length", LINE)).status_code == 403
    body, headers = asked("length", LINE), {"X-CSRFToken": token}
    assert browser.post(DOOR, body, content_type="application/json", headers=headers).status_code == 201
