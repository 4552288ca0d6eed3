"""What a token of given scopes opens, door by door: never more than its person may, and nothing that its scopes do not name."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import policy, scopes
from accounts.authentication import issue, principal_of_scope
from accounts.models import ApiToken, AuditEvent, Role, User
from tests.accounts.conftest import person
from tests.accounts.test_every_door import GHOST, address

DOORS = [
    (route, name)
    for route, name in policy.doors()
    if "(?P" not in route and (rule := policy.rule_named(name)) is not None and not rule.public
]
SHUT = "insufficient_scope"

OPENED: dict[tuple[str, ...], set[tuple[str, str]]] = {
    ("dicomweb:read",): {("get", "dicomweb-studies"), ("get", "wado-uri"), ("get", "dicomweb-frames")},
    ("dicomweb:store",): {("post", "dicomweb-studies"), ("post", "dicomweb-study"), ("post", "api-uploads")},
    ("fhir:read",): {("get", "fhir-search"), ("get", "fhir-read")},
    ("reports:read",): {("get", "api-report"), ("get", "api-report-export"), ("get", "result")},
    ("reports:write",): {("get", "api-report"), ("post", "api-report-sign"), ("post", "api-reports")},
    ("worklist",): {("get", "api-worklist"), ("post", "api-orders"), ("post", "api-worklist-claim")},
    ("api:read",): {("get", "api-studies"), ("get", "api-frame"), ("get", "api-report"), ("get", "api-worklist")},
    ("api:write",): {("get", "api-studies"), ("post", "api-measurements"), ("post", "api-report-sign")},
    ("admin",): {("get", "admin:index"), ("get", "metrics"), ("post", "admin:accounts_user_add")},
    ("metrics",): {("get", "metrics")},
    ("fhir:read", "metrics"): {("get", "fhir-search"), ("get", "metrics")},
}
"""Written by hand: a few of the doors that these scopes are for."""
NEVER: dict[tuple[str, ...], set[str]] = {
    ("dicomweb:read",): {"api-studies", "study", "fhir-search", "api-report", "admin:index", "password", "study-list"},
    ("dicomweb:store",): {"api-studies", "api-frame", "api-report-sign", "api-measurements:post"},
    ("fhir:read",): {"api-studies", "dicomweb-studies", "api-worklist", "metrics"},
    ("reports:read",): {"api-studies", "api-frame", "dicomweb-studies", "api-orders"},
    ("worklist",): {"api-report", "api-studies", "fhir-search"},
    ("api:read",): {"dicomweb-studies", "fhir-search", "admin:index", "password", "study"},
    ("metrics",): {"api-studies", "admin:index", "api-worklist-readers"},
    ("admin",): {"api-studies", "dicomweb-studies", "fhir-search", "api-report", "study"},
    ("no such scope",): {"api-studies", "dicomweb-studies", "fhir-search", "admin:index", "metrics"},
}


@pytest.fixture
def everybody(db) -> User:
    """Somebody with every role: what is shut to their token is shut by its scopes."""
    return person("everybody", *(("default", role) for role in Role.values if role != "guest"))


def shut(client: Client, raw: str, method: str, route: str) -> bool:
    """True when the scopes shut the door; what the view would say is not asked for."""
    answer = getattr(client, method)(address(route, GHOST), headers={"Authorization": f"Bearer {raw}"})
    return answer.status_code == 404 and SHUT in answer.headers.get("WWW-Authenticate", "")


@pytest.mark.parametrize("granted", OPENED, ids=" ".join)
def test_a_token_opens_what_its_scopes_name(everybody, granted):
    client, raw = Client(), issue(everybody, scopes=granted)
    routes = {name: route for route, name in DOORS}
    for method, name in OPENED[granted]:
        assert not shut(client, raw, method, routes[name]), (method, name)


@pytest.mark.parametrize("granted", NEVER, ids=" ".join)
def test_and_nothing_else(everybody, granted):
    client, raw = Client(), issue(everybody, scopes=granted)
    routes = {name: route for route, name in DOORS}
    for wanted in NEVER[granted]:
        name = wanted.removesuffix(":post")
        assert shut(client, raw, "post" if wanted.endswith(":post") else "get", routes[name]), wanted


@pytest.mark.parametrize("granted", [name for name, scope in scopes.SCOPES.items() if not scope.changes])
def test_a_token_to_read_changes_nothing_anywhere(everybody, granted):
    client, raw = Client(), issue(everybody, scopes=[granted])
    for route, name in DOORS:
        for method in ("post", "put", "patch", "delete"):
            assert shut(client, raw, method, route), (method, name)


def test_a_scope_gives_no_right_that_its_person_lacks(bob):
    client, raw = Client(), issue(bob, scopes=["admin", "worklist"])
    for path in ("/admin/", "/metrics", "/api/worklist/"):
        assert client.get(path, headers={"Authorization": f"Bearer {raw}"}).status_code == 404


def test_whoever_is_shut_out_is_told_which_scopes_would_do(alice, client):
    raw = issue(alice, scopes=["metrics"])
    answer = client.get("/fhir/Patient", headers={"Authorization": f"Bearer {raw}"})
    assert answer.json() == {"detail": "Not found."}
    assert answer["WWW-Authenticate"] == 'Bearer realm="farview", error="insufficient_scope", scope="fhir:read"'


def test_a_token_without_scopes_carries_all_rights_of_its_person(alice, client):
    assert client.get("/api/studies/", headers={"Authorization": f"Bearer {issue(alice)}"}).status_code == 200


def test_whatever_its_scopes_a_token_says_who_it_is(alice, client):
    raw = issue(alice, scopes=["dicomweb:read"])
    assert client.get("/api/me/", headers={"Authorization": f"Bearer {raw}"}).status_code == 200


@pytest.mark.parametrize(
    ("granted", "viewer", "news"),
    [
        ((), None, None),
        (("api:read",), None, None),
        (("worklist",), "not_found", None),
        (("dicomweb:read",), "not_found", "not_found"),
    ],
)
def test_sockets_ask_for_scopes_too(alice, granted, viewer, news):
    scope = {"headers": [(b"authorization", f"Bearer {issue(alice, scopes=granted)}".encode())]}
    principal = principal_of_scope(scope)
    assert principal.scopes == granted
    assert policy.websocket_refusal("/ws/viewer/", principal.user, principal.scopes) == viewer
    assert policy.websocket_refusal("/ws/news/", principal.user, principal.scopes) == news


def test_a_large_body_is_refused_before_a_byte_of_it_is_kept(alice):
    assert policy.may_send_to("/dicom-web/studies", alice)
    assert policy.may_send_to("/dicom-web/studies", alice, ("dicomweb:store",))
    assert not policy.may_send_to("/dicom-web/studies", alice, ("dicomweb:read",))
    assert not policy.may_send_to("/no/such/door/", alice)


def test_every_pattern_of_a_scope_names_a_door_that_there_is():
    names = {name for _, name in policy.doors()} | set(policy.WEBSOCKET_RULES)
    for title, scope in scopes.SCOPES.items():
        for pattern in (*scope.looks, *scope.changes):
            assert any(scopes.Scope("", looks=(pattern,)).opens(name, changes=False) for name in names), (
                title,
                pattern,
            )


def test_the_command_makes_tokens_of_scopes(alice):
    out = io.StringIO()
    call_command("issue_token", "alice", "--scope", "fhir:read", "--scope", "worklist", stdout=out)
    token = ApiToken.objects.get()
    assert token.scopes == ["fhir:read", "worklist"]
    assert token.expires_at is None
    assert AuditEvent.objects.get(action="token.issue").detail["scopes"] == ["fhir:read", "worklist"]
    with pytest.raises(CommandError, match="--scope"):
        call_command("issue_token", "alice", "--scope", "everything", stdout=out)
