"""The page of one's own tokens: made with scopes and an end, shown once, revoked, and nobody else's to see."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.authentication import digest_of, issue
from accounts.models import ApiToken, AuditEvent
from tests.accounts.conftest import PASSWORD

PAGE = "/accounts/tokens/"


def signed_in(name: str) -> Client:
    client = Client()
    client.post("/accounts/sign-in/", {"username": name, "password": PASSWORD})
    return client


@pytest.fixture
def at(alice) -> Client:
    return signed_in("alice")


def make(client: Client, **given: object):
    return client.post(PAGE, {"name": "PACS", "days": "90", "scopes": ["fhir:read"], **given})


def raw_of(answer) -> str:
    return re.search(r'<code id="token">([^<]+)</code>', answer.content.decode())[1]


def test_a_token_is_made_and_shown_once(at, alice, client):
    answer = make(at)
    raw, token = raw_of(answer), ApiToken.objects.get()
    assert "no-store" in answer["Cache-Control"]
    assert (token.user, token.digest, token.scopes, token.name) == (alice, digest_of(raw), ["fhir:read"], "PACS")
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)
    assert raw not in at.get(PAGE).content.decode()
    assert client.get("/fhir/Patient", headers={"Authorization": f"Bearer {raw}"}).status_code == 200
    assert client.get("/api/studies/", headers={"Authorization": f"Bearer {raw}"}).status_code == 404
    event = AuditEvent.objects.get(action="token.issue")
    assert (event.actor, event.detail["scopes"], event.detail["days"]) == ("alice", ["fhir:read"], 90)
    assert raw not in str(event.detail)


def test_its_last_use_is_told(at):
    raw = raw_of(make(at))
    assert "never used" in at.get(PAGE).content.decode()
    Client().get("/fhir/Patient", headers={"Authorization": f"Bearer {raw}"})
    assert f"last used on {timezone.now():%Y-%m-%d}" in at.get(PAGE).content.decode()


@pytest.mark.parametrize(
    "given",
    [
        {"scopes": []},
        {"scopes": ["fhir:read"], "everything": "on"},
        {"scopes": ["no such scope"]},
        {"days": "0"},
        {"days": "367"},
        {"days": "forever"},
        {"name": ""},
        {"name": "x" * 101},
    ],
)
def test_what_is_not_sound_makes_none(at, given):
    assert make(at, **given).status_code == 400
    assert not ApiToken.objects.exists()


def test_everything_is_asked_for_by_name(at):
    make(at, scopes=[], everything="on")
    assert ApiToken.objects.get().scopes == []


def test_a_revoked_token_is_good_for_nothing(at, client):
    raw = raw_of(make(at))
    assert at.post(f"{PAGE}{ApiToken.objects.get().pk}/revoke/")["Location"] == PAGE
    assert client.get("/fhir/Patient", headers={"Authorization": f"Bearer {raw}"}).status_code == 401
    assert AuditEvent.objects.filter(action="token.revoke", actor="alice").count() == 1
    assert "PACS" not in at.get(PAGE).content.decode()


@pytest.mark.parametrize("who", ["bob", "charlie", "boss"])
def test_nobody_sees_or_revokes_what_is_somebody_elses(request, at, who):
    make(at)
    request.getfixturevalue(who)
    other = signed_in(who)
    assert "PACS" not in other.get(PAGE).content.decode()
    assert other.post(f"{PAGE}{ApiToken.objects.get().pk}/revoke/").status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_a_token_makes_no_tokens(alice):
    headers = {"Authorization": f"Bearer {issue(alice)}"}
    given = {"name": "more", "days": "90", "everything": "on"}
    assert Client().get(PAGE, headers=headers).status_code == 404
    assert Client().post(PAGE, given, headers=headers).status_code == 404
    assert ApiToken.objects.count() == 1


def test_a_form_of_somebody_elses_page_makes_none(alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert make(client).status_code == 403
    assert not ApiToken.objects.exists()


def test_a_name_is_text(at):
    make(at, name="<script>alert(1)</script>")
    assert "<script>alert" not in at.get(PAGE).content.decode()


def test_whoever_signed_in_long_ago_is_asked_again(at, settings):
    session = at.session
    session["signed_in_at"] = 0.0
    session["account_authentication_methods"] = []
    session.save()
    answer = make(at)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/confirm/?next=")
    assert not ApiToken.objects.exists()
