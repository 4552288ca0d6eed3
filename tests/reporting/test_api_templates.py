"""Doors of templates and macros: `/api/templates/`, `/api/macros/` and `/IHETemplateService/`, by those who may and may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.authentication import issue
from accounts.models import AuditEvent, Membership, Organization, Role, User
from reporting.models import Macro, ReadingItem, Template, TemplateChoice, TemplateVersion
from reporting.mrrt import read
from reporting.templating import storing
from tests.reporting.conftest import person, signed_in
from tests.reporting.test_templates import page, taken
from viewer.models import Study

SERVICE = "/IHETemplateService/"


def send(user: User, method: str, path: str, body: Any = None) -> HttpResponse:
    return getattr(signed_in(user), method)(path, body if body is not None else {}, content_type="application/json")


def by_token(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {issue(user)}"}


def put(user: User, identifier: str, html: str | bytes, query: str = "") -> HttpResponse:
    body = html.encode() if isinstance(html, str) else html
    return Client().put(f"{SERVICE}{identifier}{query}", body, content_type="text/html", headers=by_token(user))


def get(user: User, path: str = "", **headers: str) -> HttpResponse:
    return Client().get(f"{SERVICE}{path}", headers={**by_token(user), **headers})


# --- /api/templates/


@pytest.mark.usefixtures("store")
def test_a_reader_is_told_which_template_suits_and_why(alice: User, study: Study, item: ReadingItem) -> None:
    told = signed_in(alice).get(f"/api/templates/?study={study.study_instance_uid}").json()
    first = told["templates"][0]
    assert (first["identifier"], first["why"], first["version"]) == ("farview-ct-head", "Set for CT of the head.", 1)
    assert told["chosen"] == first["id"]
    assert {one["identifier"] for one in told["templates"]} >= {"free-text", "farview-mr-knee"}
    assert len(told["templates"]) == Template.objects.exclude(active_version=None).count()
    whole = signed_in(alice).get("/api/templates/").json()
    assert whole["chosen"] is None
    assert len(whole["templates"]) == len(told["templates"])


@pytest.mark.usefixtures("store")
def test_who_may_not_see_the_study_is_not_told_what_suits_it(
    alice: User, bob: User, charlie: User, rita: User, tess: User, boss: User, study: Study
) -> None:
    path = f"/api/templates/?study={study.study_instance_uid}"
    statuses = {
        user.username: signed_in(user).get(path).status_code for user in (alice, rita, bob, charlie, tess, boss)
    }
    assert statuses == {"alice": 200, "rita": 200, "bob": 404, "charlie": 404, "tess": 404, "boss": 404}
    assert Client().get(path).status_code == 401


@pytest.mark.usefixtures("store")
def test_a_reader_begins_with_their_own_default(alice: User, rita: User, study: Study, item: ReadingItem) -> None:
    knee = Template.objects.get(identifier="farview-mr-knee")
    answer = send(alice, "put", "/api/templates/default/", {"template": knee.pk, "study": study.study_instance_uid})
    assert (answer.status_code, answer.json()) == (200, {"template": knee.pk, "modality": "CT", "body_part": "HEAD"})
    path = f"/api/templates/?study={study.study_instance_uid}"
    first = signed_in(alice).get(path).json()["templates"][0]
    assert (first["id"], first["why"]) == (knee.pk, "Your default for CT of the head.")
    assert signed_in(rita).get(path).json()["chosen"] != knee.pk
    send(alice, "put", "/api/templates/default/", {"template": knee.pk, "modality": "ct", "body_part": "head"})
    assert TemplateChoice.objects.filter(reader=alice).count() == 1
    answer = send(alice, "put", "/api/templates/default/", {"template": None, "study": study.study_instance_uid})
    assert answer.json()["template"] is None
    assert not TemplateChoice.objects.filter(reader=alice).exists()
    assert AuditEvent.objects.filter(action="template.default", actor="alice").count() == 3


@pytest.mark.usefixtures("store")
def test_a_default_is_a_template_in_use_that_the_reader_sees(
    alice: User, bob: User, tess: User, boss: User, charlie: User, site: Organization, study: Study
) -> None:
    draft = taken(boss, site).version.template
    own = taken(boss, site, identifier="t-2").version
    storing.activate(own, boss)
    asked = {"template": own.template_id, "modality": "CT"}
    assert send(alice, "put", "/api/templates/default/", asked).status_code == 200
    for user in (bob, tess, boss, charlie):
        assert send(user, "put", "/api/templates/default/", asked).status_code == 404, user
    for wrong in (draft.pk, 10**30, -1, 0):
        assert send(alice, "put", "/api/templates/default/", {"template": wrong}).status_code == 404, wrong
    for body in ({}, {"template": "x"}, {"template": own.template_id, "modality": "x" * 40}, []):
        assert send(alice, "put", "/api/templates/default/", body).status_code == 400, body
    assert Client().put("/api/templates/default/", asked).status_code == 401


def test_templates_of_another_organization_are_not_listed(
    alice: User, charlie: User, boss: User, site: Organization
) -> None:
    own = taken(boss, site).version
    storing.activate(own, boss)
    assert own.template_id in {one["id"] for one in signed_in(alice).get("/api/templates/").json()["templates"]}
    assert own.template_id not in {one["id"] for one in signed_in(charlie).get("/api/templates/").json()["templates"]}


# --- /api/macros/


def test_macros_of_a_reader_and_of_a_site(
    alice: User, rita: User, boss: User, charlie: User, bob: User, tess: User
) -> None:
    made = send(alice, "post", "/api/macros/", {"shortcut": "nl", "text": "Normal lungs.\n{ht}"})
    assert made.status_code == 201, made.content
    assert (made.json()["mine"], made.json()["organization"]) == (True, None)
    again = send(
        alice, "post", "/api/macros/", {"shortcut": "nl", "text": "Clear lungs.", "spoken_name": "normal lungs"}
    )
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    sites = send(boss, "post", "/api/macros/", {"shortcut": "nl", "text": "Lungs: normal.", "organization": "default"})
    assert (sites.status_code, sites.json()["mine"], sites.json()["organization"]) == (201, False, "default")
    told = signed_in(alice).get("/api/macros/").json()["macros"]
    assert [(one["text"], one["mine"], one["may_change"]) for one in told] == [
        ("Clear lungs.", True, True),
        ("Lungs: normal.", False, False),
    ]
    assert [one["text"] for one in signed_in(rita).get("/api/macros/").json()["macros"]] == ["Lungs: normal."]
    assert signed_in(charlie).get("/api/macros/").json()["macros"] == []
    for user in (bob, tess):
        assert signed_in(user).get("/api/macros/").status_code == 404
    assert Client().get("/api/macros/").status_code == 401


def test_a_macro_is_deleted_by_whose_it_is(
    alice: User, rita: User, boss: User, charlie: User, site: Organization
) -> None:
    own = send(alice, "post", "/api/macros/", {"shortcut": "nl", "text": "x"}).json()["id"]
    sites = send(boss, "post", "/api/macros/", {"shortcut": "nl", "text": "y", "organization": "default"}).json()["id"]
    for user, pk in ((rita, own), (charlie, own), (boss, own), (alice, sites), (charlie, sites)):
        for method in ("delete", "get", "post"):
            assert getattr(signed_in(user), method)(f"/api/macros/{pk}/").status_code == 404, (user, pk, method)
    assert signed_in(alice).get(f"/api/macros/{own}/").status_code == 405
    assert signed_in(alice).delete(f"/api/macros/{own}/").status_code == 204
    assert signed_in(boss).delete(f"/api/macros/{sites}/").status_code == 204
    assert not Macro.objects.exists()
    assert signed_in(alice).delete(f"/api/macros/{10**30}/").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"shortcut": "n", "text": "x"},
        {"shortcut": "a b", "text": "x"},
        {"shortcut": "{nl}", "text": "x"},
        {"shortcut": "x" * 33, "text": "x"},
        {"shortcut": "nl", "text": ""},
        {"shortcut": "nl", "text": "  \n"},
        {"shortcut": "nl", "text": "x" * 8001},
        {"shortcut": "nl", "text": "see {nl}"},
        {"shortcut": "nl", "text": ["x"]},
        {"shortcut": "nl", "text": "x", "spoken_name": "x" * 101},
        [],
    ],
)
def test_a_macro_that_cannot_be_used_is_refused_with_the_field(alice: User, body: Any) -> None:
    answer = send(alice, "post", "/api/macros/", body)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert not Macro.objects.exists()


def test_a_macro_holds_no_evidence_and_no_control_signs(alice: User) -> None:
    answer = send(alice, "post", "/api/macros/", {"shortcut": "nl", "text": "a\x00b\r\nc [[key_image:1.2|image 1]]"})
    assert answer.status_code in (201, 400)
    answer = send(alice, "post", "/api/macros/", {"shortcut": "nl", "text": "a\r\nc [[key_image:1.2|image 1]]"})
    assert answer.json()["text"] == "a\nc image 1"


def test_macros_of_a_site_are_its_administrators_to_keep(alice: User, boss: User, charlie: User) -> None:
    for user in (alice, charlie):
        body = {"shortcut": "nl", "text": "x", "organization": "default"}
        assert send(user, "post", "/api/macros/", body).status_code == 404
    assert send(boss, "post", "/api/macros/", {"shortcut": "nl", "text": "x", "organization": "no"}).status_code == 404


# --- RAD-103: fetching


def test_a_template_is_fetched_as_it_is_kept(alice: User) -> None:
    version = Template.objects.get(identifier="farview-ct-head").active_version
    answer = get(alice, "farview-ct-head")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert answer.content.decode() == version.html
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["ETag"] == f'"{version.sha256}"'
    assert get(alice, "farview-ct-head", **{"If-None-Match": answer["ETag"]}).status_code == 304


def test_every_version_has_an_address_of_its_own_for_ever(boss: User, alice: User, site: Organization) -> None:
    first = taken(boss, site).version
    storing.activate(first, boss)
    second = taken(boss, site, label="Spleen").version
    assert get(alice, "t-1.2").status_code == 404  # a draft
    assert get(boss, "t-1.2").status_code == 200
    storing.activate(second, boss)
    assert get(alice, "t-1").content.decode() == first.html
    assert get(alice, "t-1.2").content.decode() == second.html
    storing.retire(first.template, boss)
    assert get(alice, "t-1.2").status_code == 200


def test_who_may_fetch(
    alice: User, rita: User, boss: User, bob: User, tess: User, charlie: User, site: Organization
) -> None:
    storing.activate(taken(boss, site).version, boss)
    told = {user.username: get(user, "t-1").status_code for user in (alice, rita, boss, bob, tess, charlie)}
    assert told == {"alice": 200, "rita": 200, "boss": 200, "bob": 404, "tess": 404, "charlie": 404}
    assert get(charlie, "t-1").content == get(charlie, "no-such").content
    assert get(charlie, "farview-ct-head").status_code == 200
    for path in ("t-1", ""):
        for method in ("get", "put", "post", "delete", "options"):
            assert getattr(Client(), method)(f"{SERVICE}{path}").status_code == 401
    assert AuditEvent.objects.filter(action="template.read", outcome="denied", actor="charlie").exists()


def test_the_same_identifier_in_two_organizations_asks_which(boss: User, site: Organization) -> None:
    other = Organization.objects.create(name="other")
    far = person("far", other, Role.ADMIN)
    storing.activate(taken(boss, site).version, boss)
    storing.activate(taken(far, other, label="Spleen").version, far)
    both = person("both", site, Role.RADIOLOGIST)
    Membership.objects.create(user=both, organization=other, role=Role.RADIOLOGIST)
    answer = get(both, "t-1")
    assert (answer.status_code, answer.json()["organizations"]) == (409, ["default", "other"])
    assert "Spleen" in get(both, "t-1?organization=other").content.decode()


# --- RAD-104: storing


def test_a_template_is_stored_and_is_not_in_use_by_that(boss: User, alice: User, shared_data: Path) -> None:
    html = (shared_data / "mrrt" / "minimal_mrrt.html").read_text()
    identifier = "2.25.329800735698586629295641978511506172918"
    answer = put(boss, identifier, html)
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["outcome"], told["version"], told["title"]) == ("new", 1, "CT Head without contrast")
    assert any("order.reason" in said for said in told["repairs"])
    assert answer["Location"] == f"{SERVICE}{identifier}?organization=default"
    assert Template.objects.get(identifier=identifier).active_version is None
    assert put(boss, identifier, html).status_code == 200
    assert TemplateVersion.objects.filter(template__identifier=identifier).count() == 1
    assert get(alice, identifier).status_code == 404
    assert read(get(boss, identifier).content.decode()).title == "CT Head without contrast"
    assert AuditEvent.objects.filter(action="template.store", actor="boss", outcome="success").count() == 1


def test_a_changed_body_needs_a_new_identifier(boss: User) -> None:
    assert put(boss, "t-1", page()).status_code == 201
    answer = put(boss, "t-1", page(label="Spleen"))
    assert answer.status_code == 409
    assert "new identifier" in answer.json()["detail"]
    assert TemplateVersion.objects.filter(template__identifier="t-1").count() == 1
    assert put(boss, "t-2", page("t-2", "Spleen")).status_code == 201


def test_what_cannot_be_used_is_refused_with_the_reasons(boss: User, shared_data: Path) -> None:
    folder = shared_data / "mrrt"
    for name, said in (
        ("missingAttributesInCodeElement", "line 25: a code of the template attributes without meaning"),
        ("noTemplateAttributesElement", "there are no template attributes"),
    ):
        [path] = folder.glob(f"*{name}*")
        answer = put(boss, "1.3.6.1.4.1.21367.13.199.1015", path.read_bytes())
        assert answer.status_code == 422
        assert answer.json()["problems"][0]["message"].startswith(said)
    assert put(boss, "t-1", page("t-other")).status_code == 422
    assert put(boss, "t-1", b"").status_code == 422
    assert put(boss, "t-1", b"x" * 5_000_000).status_code == 413
    assert not Template.objects.exclude(organization=None).exists()
    assert AuditEvent.objects.filter(action="template.store", outcome="failure").count() == 3


def test_who_may_store(
    alice: User, rita: User, boss: User, bob: User, tess: User, charlie: User, site: Organization
) -> None:
    for user in (alice, rita, bob, tess, charlie):
        assert put(user, "t-1", page()).status_code == 404, user
        assert put(user, "t-1", page(), "?organization=default").status_code == 404, user
    assert put(boss, "t-1", page(), "?organization=elsewhere").status_code == 404
    assert not Template.objects.exclude(organization=None).exists()
    assert put(boss, "t-1", page(), "?organization=default").status_code == 201


def test_a_cookie_alone_stores_nothing(boss: User) -> None:
    answer = signed_in(boss).put(f"{SERVICE}t-1", page(), content_type="text/html")
    assert answer.status_code == 403
    assert not Template.objects.filter(identifier="t-1").exists()


def test_whoever_manages_several_organizations_says_for_which(boss: User) -> None:
    other = Organization.objects.create(name="other")
    Membership.objects.create(user=boss, organization=other, role=Role.ADMIN)
    answer = put(boss, "t-1", page())
    assert (answer.status_code, answer.json()["organizations"]) == (409, ["default", "other"])
    assert put(boss, "t-1", page(), "?organization=other").status_code == 201
    assert Template.objects.get(identifier="t-1").organization == other


def test_identifiers_with_odd_signs_have_an_address(boss: User) -> None:
    html = page("http://example.org/templates/1")
    answer = put(boss, "http:%2F%2Fexample.org%2Ftemplates%2F1", html)
    assert answer.status_code == 201, answer.content
    where = answer["Location"].removeprefix(SERVICE)
    assert get(boss, where).status_code == 200


# --- RAD-105: asking


def listed(user: User, query: str = "") -> list[str]:
    answer = get(user, query)
    assert answer.status_code == 200, answer.content
    return [one["identifier"] for one in answer.json()["templates"]]


def test_templates_are_found_by_what_their_heads_say(
    alice: User, boss: User, site: Organization, shared_data: Path
) -> None:
    german = (shared_data / "mrrt" / "drg_CC-BY-4.0_041807.4.1706140000-us_fast.html").read_text()
    storing.activate(storing.take_in(read(german), german, boss, site).version, boss)
    assert "041807.4.1706140000" in listed(alice)
    assert listed(alice, "?language=de") == ["041807.4.1706140000"]
    assert listed(alice, "?title=knee") == ["farview-mr-knee"]
    assert listed(alice, "?dcterms.title=KNEE&type=IMAGE_REPORT_TEMPLATE") == ["farview-mr-knee"]
    assert listed(alice, "?modality=RID10357") == ["farview-mammography"]
    assert set(listed(alice, "?body-part=head")) == {"farview-ct-head", "farview-ct-stroke", "farview-mr-brain"}
    assert listed(alice, "?publisher=Deutsche") == ["041807.4.1706140000"]
    assert listed(alice, "?organization=default") == ["041807.4.1706140000"]
    assert listed(alice, "?status=RETIRED") == []
    assert listed(alice, "?title=nothing+of+the+kind") == []
    assert len(listed(alice, "?limit=3")) == 3
    assert listed(alice, "?limit=3&offset=3") == listed(alice)[3:6]
    for wrong in ("?colour=red", "?limit=x", "?limit=-1"):
        assert get(alice, wrong).status_code == 400


def test_a_list_tells_no_more_than_one_may_fetch(
    alice: User, rita: User, bob: User, tess: User, charlie: User, boss: User, site: Organization
) -> None:
    draft = taken(boss, site).version
    own = taken(boss, site, identifier="t-2").version
    storing.activate(own, boss)
    for user in (alice, rita):
        assert "t-2" in listed(user)
        assert "t-1" not in listed(user)
    assert {"t-1", "t-2"} <= set(listed(boss))
    assert listed(boss, "?status=DRAFT") == ["t-1"] == [draft.template.identifier]
    assert not {"t-1", "t-2"} & set(listed(charlie))
    for user in (bob, tess):
        assert get(user).status_code == 404
    for one in get(alice).json()["templates"]:
        assert get(alice, one["address"].removeprefix(SERVICE)).status_code == 200


def test_a_person_reads_the_list_as_a_page(alice: User) -> None:
    answer = signed_in(alice).get(SERVICE, headers={"Accept": "text/html"})
    assert answer["Content-Type"].startswith("text/html")
    assert "MR knee" in answer.content.decode()
    assert json.loads(signed_in(alice).get(f"{SERVICE}?format=json").content)["total"] >= 14


def test_nothing_else_is_done_at_the_service(boss: User) -> None:
    for path, method in (("", "post"), ("", "put"), ("t-1", "post"), ("t-1", "delete"), ("t-1", "patch")):
        answer = getattr(Client(), method)(f"{SERVICE}{path}", headers=by_token(boss))
        assert answer.status_code == 405
        assert "GET" in answer["Allow"]
