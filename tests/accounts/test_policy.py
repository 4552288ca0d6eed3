"""Who comes through which door. A door without a rule is shut, and fails the suite."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from accounts import policy
from accounts.authentication import issue
from accounts.content_security import content_security_policy
from accounts.models import Organization, User
from viewer.models import Patient, Study


def answer(request: HttpRequest, **_: str) -> HttpResponse:
    return HttpResponse("inside")


urlpatterns = [
    path("", include("accounts.urls")),
    path("free/", answer, name="healthz"),
    path("list/", answer, name="study-list"),
    path("read/", answer, name="api-measurement-object"),
    path("look/", answer, name="study"),
    path("api/read/", answer, name="api-key-image-object"),
    path("up/", answer, name="upload"),
    path("manage/", include(([path("", answer, name="index")], "admin"))),
    path("forgotten/", answer, name="forgotten"),
    path("nameless/", answer),
]
with_these_doors = pytest.mark.urls("tests.accounts.test_policy")
DOORS = ("/free/", "/list/", "/look/", "/read/", "/up/", "/manage/")


def test_every_url_has_a_rule():
    assert policy.doors_without_rule() == []


def test_every_url_is_seen_by_that_test():
    names = {name for _, name in policy.doors()}
    assert {"sign-in", "sign-out", "sign-in-link", "password", "admin:index", "admin:accounts_user_change"} <= names


def test_every_rule_is_for_a_url_that_exists():
    names = {name for _, name in policy.doors()} | {"admin:*"}
    assert set(policy.RULES) <= names


def test_every_socket_has_a_rule_and_every_rule_a_socket():
    from config.asgi import sockets

    assert {f"/{route.pattern}" for route in sockets.routes} == set(policy.WEBSOCKET_RULES)


@with_these_doors
def test_a_url_without_a_rule_is_named_by_the_test_and_by_check():
    assert policy.doors_without_rule() == [
        "/forgotten/ (forgotten)",
        "/nameless/ (tests.accounts.test_policy.answer)",
    ]
    assert [warning.id for warning in policy.check_every_door_has_a_rule()] == ["accounts.W001"] * 2


@with_these_doors
@pytest.mark.parametrize("door", ["/forgotten/", "/nameless/"])
def test_a_url_without_a_rule_is_shut_for_everybody(client, boss, alice, door, caplog):
    boss.is_superuser = True
    boss.save()
    for user in (None, alice, boss):
        if user:
            client.force_login(user)
        assert client.get(door).status_code == 404
        assert "no rule in accounts.policy" in caplog.text
        caplog.clear()


@with_these_doors
@pytest.mark.parametrize(
    ("who", "open_doors"),
    [
        (None, {"/free/"}),
        ("bob", {"/free/", "/list/", "/look/"}),
        ("alice", {"/free/", "/list/", "/look/", "/read/", "/up/"}),
        ("charlie", {"/free/", "/list/", "/look/", "/read/", "/up/"}),
        ("boss", {"/free/", "/list/", "/look/", "/up/", "/manage/"}),
    ],
)
@pytest.mark.parametrize("by_token", [False, True])
def test_each_rule_lets_in_whom_it_names(client, who, open_doors, by_token, request):
    headers = {}
    if who:
        user = request.getfixturevalue(who)
        if by_token:
            headers = {"Authorization": f"Bearer {issue(user)}"}
        else:
            client.force_login(user)
    answers = {door: client.get(door, headers=headers).status_code for door in DOORS}
    shut = 404 if who else 302
    assert answers == {door: 200 if door in open_doors else shut for door in DOORS}


@with_these_doors
def test_a_referrer_looks_and_changes_nothing(client, bob, alice):
    client.force_login(bob)
    assert client.get("/look/").status_code == 200
    for method in (client.post, client.put, client.patch, client.delete):
        assert method("/look/").status_code == 404
    client.force_login(alice)
    assert client.post("/look/").status_code == 200


@with_these_doors
def test_nobody_is_sent_to_sign_in_and_back(client, db):
    assert client.get("/read/?a=1")["Location"] == "/accounts/sign-in/?next=/read/%3Fa%3D1"


@with_these_doors
@pytest.mark.parametrize(
    ("door", "headers"),
    [
        ("/api/read/", {}),
        ("/api/read/", {"Accept": "text/html"}),
        ("/read/", {"Accept": "application/json"}),
        ("/read/", {"Authorization": "Basic YTpi"}),
        ("/read/", {"Authorization": "Bearer wrong"}),
    ],
)
def test_a_program_that_is_nobody_gets_401_and_json(client, db, door, headers):
    for method in (client.get, client.post, client.put, client.patch, client.delete):
        response = method(door, headers=headers)
        assert response.status_code == 401
        assert "detail" in response.json()
        assert response["WWW-Authenticate"].startswith("Bearer")


@with_these_doors
def test_a_program_without_the_right_is_told_what_it_is_told_where_nothing_is(client, bob):
    response = client.get("/api/read/", headers={"Authorization": f"Bearer {issue(bob)}"})
    assert response.status_code == 404
    assert response.json() == {"detail": "Not found."}


@with_these_doors
def test_a_disabled_person_is_nobody(client, alice):
    raw = issue(alice)
    client.force_login(alice)
    alice.is_active = False
    alice.save()
    assert client.get("/read/").status_code == 302
    assert client.get("/read/", headers={"Authorization": f"Bearer {raw}"}).status_code == 401


@with_these_doors
def test_a_role_taken_away_shuts_the_door_at_the_next_request(client, alice):
    client.force_login(alice)
    assert client.get("/read/").status_code == 200
    alice.memberships.get().delete()
    assert client.get("/read/").status_code == 404


@with_these_doors
def test_of_a_cookie_and_a_token_the_token_decides(client, alice, bob):
    client.force_login(alice)
    assert client.get("/read/", headers={"Authorization": f"Bearer {issue(bob)}"}).status_code == 404
    assert client.get("/read/", headers={"Authorization": "Bearer wrong"}).status_code == 401
    client.force_login(bob)
    assert client.get("/read/", headers={"Authorization": f"Bearer {issue(alice)}"}).status_code == 200


@with_these_doors
def test_a_form_by_cookie_needs_our_page_and_a_program_with_a_token_does_not(alice):
    client = Client(enforce_csrf_checks=True)
    raw = issue(alice)
    assert client.post("/up/", headers={"Authorization": f"Bearer {raw}"}).status_code == 200
    client.force_login(alice)
    assert client.post("/up/").status_code == 403
    assert client.post("/up/", headers={"Authorization": "Bearer wrong"}).status_code == 401


@with_these_doors
def test_what_is_behind_a_rule_is_kept_by_no_browser(client, alice):
    client.force_login(alice)
    response = client.get("/read/")
    assert response["Cache-Control"] == "no-store"
    assert {"Cookie", "Authorization"} <= set(response["Vary"].split(", "))
    assert not client.get("/free/").has_header("Cache-Control")


@with_these_doors
@pytest.mark.parametrize("door", ["/free/", "/read/", "/forgotten/", "/accounts/sign-in/", "/not/there/"])
def test_every_answer_says_what_a_page_may_load(client, db, door):
    response = client.get(door)
    policy_text = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy_text
    assert "unsafe" not in policy_text
    assert "frame-ancestors 'none'" in policy_text
    assert response["X-Content-Type-Options"] == "nosniff"


def test_the_sockets_of_this_host_may_be_opened_and_a_false_host_adds_none(rf):
    assert "wss://testserver" in content_security_policy(rf.get("/"))
    assert "evil" not in content_security_policy(rf.get("/", HTTP_HOST="evil.example; script-src *"))


@with_these_doors
async def test_the_same_rules_hold_on_an_asynchronous_server(async_client, transactional_db):
    assert (await async_client.get("/free/")).status_code == 200
    assert (await async_client.get("/read/")).status_code == 302
    assert (await async_client.get("/api/read/", headers={"Authorization": "Bearer wrong"})).status_code == 401
    assert (await async_client.get("/forgotten/")).status_code == 404


@pytest.mark.parametrize(
    ("who", "viewer", "news"),
    [
        (None, "signed_out", "signed_out"),
        ("alice", None, None),
        ("bob", None, None),
        ("charlie", None, None),
        ("boss", None, None),
    ],
)
def test_sockets_have_rules_too(request, db, who, viewer, news):
    user = request.getfixturevalue(who) if who else None
    assert policy.websocket_refusal("/ws/viewer/", user) == viewer
    assert policy.websocket_refusal("/ws/news/", user) == news
    assert policy.websocket_refusal("/ws/live/", user) == viewer
    assert policy.websocket_refusal("/ws/forgotten/", user) == "not_found"


def study(organization: str, uid: str) -> Study:
    home, _ = Organization.objects.get_or_create(name=organization)
    patient = Patient.objects.create(organization=home, patient_id="1")
    return Study.objects.create(organization=home, patient=patient, study_instance_uid=uid)


def test_studies_are_seen_by_readers_of_their_organization_and_by_nobody_else(alice, bob, charlie, boss):
    ours, theirs = study("default", "1.2"), study("elsewhere", "1.2")
    assert list(Study.objects.visible_to(alice)) == [ours]
    assert list(Study.objects.visible_to(charlie)) == [theirs]
    boss.is_superuser = True
    boss.save()
    for user in (bob, boss, None):
        assert not Study.objects.visible_to(user).exists()
    alice.is_active = False
    alice.save()
    assert not Study.objects.visible_to(alice).exists()


def test_a_reader_of_two_organizations_sees_each_study_once(alice):
    ours, theirs = study("default", "1.2"), study("elsewhere", "1.3")
    for role in ("resident", "technologist"):
        alice.memberships.create(organization=theirs.organization, role=role)
    assert set(Study.objects.visible_to(alice)) == {ours, theirs}
    assert Study.objects.visible_to(alice).count() == 2


def test_where_a_person_may_upload_and_where_they_administer(alice, bob, boss):
    alice.memberships.create(organization=Organization.objects.create(name="far"), role="referrer")
    assert [one.name for one in policy.organizations_for(alice, policy.UPLOADER)] == ["default"]
    assert not policy.organizations_for(bob, policy.UPLOADER).exists()
    assert [one.name for one in policy.organizations_for(boss, policy.ADMIN)] == ["default"]
    assert not policy.organizations_for(None, policy.ADMIN).exists()


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "FOO"])
@pytest.mark.parametrize("path", ["/healthz", "/", "/admin/", "/api/studies/"])
def test_a_method_that_no_view_means_is_refused_everywhere(db: None, alice: User, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": f"Bearer {issue(alice)}"}):
        assert Client().generic(method, path, headers=headers).status_code == 405
