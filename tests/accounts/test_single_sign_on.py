"""Single sign-on without a provider at hand: what groups give, and what a provider's logout ends. The real one: tests/peers."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client, RequestFactory

from accounts import openid, rates, sessions
from accounts.models import AuditEvent, Membership, Organization, User
from accounts.openid import PROVIDER
from accounts.single_sign_on import NotLetIn, check_the_table_of_roles, follow, let_in, roles_of, second_factor_in
from tests.accounts.conftest import PASSWORD, person

ISSUER = "https://login.hospital.example"
DOOR = "/accounts/single-sign-on/logout/"
EVENT = {"http://schemas.openid.net/event/backchannel-logout": {}}
OWN, FOREIGN = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


# --- what groups give

TABLE = {"readers": "default:radiologist", "both": ["default:resident", "north:admin"], "odd": "default:"}


@pytest.mark.parametrize(
    ("groups", "given"),
    [
        ([], set()),
        (["nobody's"], set()),
        (["readers", "readers"], {("default", "radiologist")}),
        (["readers", "both"], {("default", "radiologist"), ("default", "resident"), ("north", "admin")}),
    ],
)
def test_groups_give_what_the_table_says(groups: list[str], given: set[tuple[str, str]]) -> None:
    assert roles_of(groups, TABLE) == given


@pytest.mark.parametrize(("role", "faults"), [("radiologist", 0), ("guest", 1), ("chief", 1)])
def test_the_check_names_a_role_that_nobody_can_be_given(settings: Any, role: str, faults: int) -> None:
    settings.FARVIEW_OIDC_ROLES = {"group": f"default:{role}"}
    assert [one.id for one in check_the_table_of_roles()] == ["accounts.E002"] * faults


@pytest.mark.parametrize("role", ["guest", "chief"])
def test_no_group_gives_what_people_do_not_give(alice: User, role: str) -> None:
    follow(alice, {("default", role), ("default", "resident")}, RequestFactory().get("/"))
    assert set(alice.memberships.values_list("role", flat=True)) == {"radiologist", "resident"}


def test_a_disabled_person_is_not_let_in_and_gets_no_role(alice: User, settings: Any) -> None:
    settings.FARVIEW_OIDC_ROLES = {"staff": "default:admin"}
    User.objects.filter(pk=alice.pk).update(is_active=False)
    alice.refresh_from_db()
    with pytest.raises(NotLetIn) as refused:
        let_in(alice, {"sub": "a", "groups": ["staff"]}, RequestFactory().get("/"))
    assert refused.value.reason == "disabled"
    assert not Membership.objects.filter(user=alice, role="admin").exists()


@pytest.mark.parametrize(
    ("claims", "wanted", "had"),
    [
        ({"amr": ["pwd", "mfa"]}, "mfa", True),
        ({"acr": "urn:two"}, "urn:two", True),
        ({"amr": ["pwd"], "acr": "1"}, "mfa", False),
        ({"amr": "mfa"}, "mfa", False),
        ({"amr": [""], "acr": ""}, "", False),
        ({}, "mfa", False),
    ],
)
def test_a_second_factor_is_one_where_the_provider_says_the_word_of_the_settings(
    claims: dict[str, Any], wanted: str, had: bool
) -> None:
    assert second_factor_in(claims, wanted) is had


# --- signed out at the provider


@pytest.fixture(autouse=True)
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FARVIEW_OIDC_ISSUER, settings.FARVIEW_OIDC_CLIENT_ID = ISSUER, "farview"
    public = {**jwt.algorithms.RSAAlgorithm.to_jwk(OWN.public_key(), as_dict=True), "kid": "one", "alg": "RS256"}
    monkeypatch.setattr(openid.OpenId, "openid_config", {"issuer": ISSUER, "jwks_uri": "x"})
    monkeypatch.setattr(openid, "published_keys", lambda config: {"keys": [public]})
    rates.buckets().forget()


def session_of(name: str, sid: str | None = None) -> Client:
    """A session begun by the provider (with `sid`), or with a password (None)."""
    client = Client()
    client.post("/accounts/sign-in/", {"username": name, "password": PASSWORD})
    if sid is not None:
        UserSession.objects.filter(session_key=client.session.session_key).update(data={sessions.PROVIDER: sid})
    return client


def holds(client: Client) -> bool:
    return bool(client.get("/accounts/session/").json()["signed_in"])


def token(key: Any = OWN, typ: str | None = "logout+jwt", **changed: Any) -> str:
    now = int(time.time())
    said = {"iss": ISSUER, "aud": "farview", "iat": now, "exp": now + 120, "jti": "j-1", "events": EVENT, "sub": "a-1"}
    said = {name: value for name, value in {**said, **changed}.items() if value is not None}
    return jwt.encode(said, key, algorithm="RS256", headers={"kid": "one", **({"typ": typ} if typ else {})})


def told(raw: str) -> int:
    """By a caller with no cookie and no form token, as a provider is."""
    return Client(enforce_csrf_checks=True).post(DOOR, {"logout_token": raw}).status_code


@pytest.fixture
def alice_there(alice: User) -> User:
    SocialAccount.objects.create(user=alice, provider=PROVIDER, uid="a-1")
    return alice


def test_signed_out_at_the_provider_ends_what_it_began_and_nothing_else(alice_there: User, charlie: User) -> None:
    SocialAccount.objects.create(user=charlie, provider=PROVIDER, uid="c-1")
    by_provider, by_password, other = session_of("alice", "s-1"), session_of("alice"), session_of("charlie", "s-9")
    assert told(token()) == 200
    assert [holds(one) for one in (by_provider, by_password, other)] == [False, True, True]
    event = AuditEvent.objects.get(action="session.end")
    assert event.detail == {"person": "alice", "why": "signed out at the provider"}
    assert AuditEvent.objects.get(action="sign_on.logout").detail["sessions"] == 1


@pytest.mark.parametrize("subject", ["a-1", None])
def test_a_session_that_is_named_ends_alone(alice_there: User, subject: str | None) -> None:
    first, second = session_of("alice", "s-1"), session_of("alice", "s-2")
    assert told(token(sid="s-2", sub=subject)) == 200
    assert [holds(first), holds(second)] == [True, False]


def test_a_session_of_another_person_is_not_ended_by_its_name(alice_there: User, charlie: User) -> None:
    SocialAccount.objects.create(user=charlie, provider=PROVIDER, uid="c-1")
    theirs = session_of("charlie", "s-9")
    assert told(token(sid="s-9")) == 200
    assert holds(theirs)


def test_a_token_is_good_once(alice_there: User) -> None:
    session_of("alice", "s-1")
    raw = token()
    assert told(raw) == 200
    later = session_of("alice", "s-1")
    assert told(raw) == 400
    assert holds(later)
    assert told(token(jti="j-2")) == 200
    assert not holds(later)


FAULTS: dict[str, dict[str, Any]] = {
    "of another issuer": {"iss": "https://evil.example"},
    "for another client": {"aud": "another"},
    "over": {"exp": int(time.time()) - 3600},
    "without an end": {"exp": None},
    "made long ago": {"iat": int(time.time()) - 3600},
    "made tomorrow": {"iat": int(time.time()) + 86_400, "exp": int(time.time()) + 90_000},
    "without a time": {"iat": None},
    "without a name of its own": {"jti": None},
    "with no name": {"jti": ""},
    "an ID token": {"nonce": "x"},
    "of no event": {"events": None},
    "of another event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "of an event that is no object": {"events": {next(iter(EVENT)): True}},
    "events that are no object": {"events": [next(iter(EVENT))]},
    "about nobody": {"sub": None},
    "about a number": {"sub": None, "sid": 5},
    "of another kind": {"typ": "at+jwt"},
    "signed by another": {"key": FOREIGN},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_token_that_is_not_to_be_trusted_ends_nothing(alice_there: User, fault: str) -> None:
    here = session_of("alice", "s-1")
    assert told(token(**FAULTS[fault])) == 400
    assert holds(here)
    assert AuditEvent.objects.get(action="sign_on.logout").outcome == "denied"


@pytest.mark.parametrize("raw", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token_ends_nothing(alice_there: User, raw: str) -> None:
    here = session_of("alice", "s-1")
    assert told(raw) == 400
    assert holds(here)


def test_an_unsigned_token_ends_nothing(alice_there: User) -> None:
    here = session_of("alice", "s-1")
    said = jwt.decode(token(), options={"verify_signature": False})
    assert told(jwt.encode(said, "", algorithm="none", headers={"kid": "one"})) == 400
    assert told(jwt.encode(said, "farview" * 8, algorithm="HS256", headers={"kid": "one"})) == 400
    assert holds(here)


def test_without_a_provider_the_door_is_none_and_looking_is_no_logout(settings: Any, db: None) -> None:
    assert Client().get(DOOR).status_code == 405
    settings.FARVIEW_OIDC_ISSUER = ""
    assert told(token()) == 404


def test_a_caller_who_asks_on_and_on_is_told_to_wait(alice_there: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.single_sign_on_logout.PACE", rates.Pace("few", 2, 1))
    assert [told("x") for _ in range(3)] == [400, 400, 429]


def test_nobody_is_made_of_a_group_that_names_a_house_that_is_not_here(settings: Any, db: None) -> None:
    settings.FARVIEW_OIDC_ROLES = {"staff": "nowhere:radiologist"}
    Organization.objects.get_or_create(name="default")
    with pytest.raises(NotLetIn):
        let_in(None, {"sub": "n", "preferred_username": "nina", "groups": ["staff"]}, RequestFactory().get("/"))
    assert not User.objects.filter(username="nina").exists()


def test_a_person_of_two_houses_keeps_what_an_administrator_gave(db: None) -> None:
    dora = person("dora", ("default", "radiologist"), ("elsewhere", "resident"))
    follow(dora, {("default", "radiologist")}, RequestFactory().get("/"))
    follow(dora, set(), RequestFactory().get("/"))
    assert dora.memberships.count() == 2
