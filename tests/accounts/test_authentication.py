"""Tokens, links, and what raises a person's epoch."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.authentication import (
    LAST_USE_STEP,
    BearerToken,
    digest_of,
    issue,
    principal_of_scope,
    still_good,
    user_for_token,
)
from accounts.links import make_link, use_link
from accounts.models import ApiToken, AuditEvent, Organization, SignInLink, User
from tests.accounts.conftest import PASSWORD


def epoch_of(user: User) -> int:
    return User.objects.get(pk=user.pk).epoch


def test_a_token_is_its_persons_and_is_not_kept_itself(alice):
    raw = issue(alice, "a script")
    assert user_for_token(raw) == alice
    assert user_for_token(raw + "x") is None
    assert user_for_token("") is None
    assert user_for_token("\udcff") is None
    assert raw not in str(ApiToken.objects.values().get())


def test_a_token_ends_by_revoking_by_its_date_and_with_its_person(alice):
    revoked, expired, kept = issue(alice), issue(alice, expires=timezone.now()), issue(alice)
    ApiToken.objects.filter(digest=digest_of(revoked)).update(revoked_at=timezone.now())
    assert user_for_token(revoked) is None
    assert user_for_token(expired) is None
    assert user_for_token(kept) == alice
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert user_for_token(kept) is None


def test_last_use_is_noted_at_most_once_a_minute(alice, django_assert_num_queries):
    raw = issue(alice)
    user_for_token(raw)
    first = ApiToken.objects.get().last_used_at
    with django_assert_num_queries(1):
        user_for_token(raw)
    ApiToken.objects.update(last_used_at=first - LAST_USE_STEP)
    user_for_token(raw)
    assert ApiToken.objects.get().last_used_at > first


def test_the_rest_framework_takes_the_same_tokens(alice):
    def ask(header: str | None) -> Request:
        extra = {"HTTP_AUTHORIZATION": header} if header else {}
        return Request(APIRequestFactory().get("/", **extra))

    door = BearerToken()
    assert door.authenticate(ask(None)) is None
    assert door.authenticate(ask("Basic YTpi")) is None
    assert door.authenticate(ask(f"Bearer {issue(alice)}"))[0] == alice
    assert door.authenticate(ask(f"bearer {issue(alice)}"))[0] == alice
    with pytest.raises(AuthenticationFailed):
        door.authenticate(ask("Bearer wrong"))
    assert door.authenticate_header(ask(None)).startswith("Bearer")


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def test_looking_at_a_link_uses_nothing_up_and_says_only_whose_it_is(client, alice):
    alice.email = "alice@hospital.example"
    alice.save()
    path = path_of(make_link(alice))
    for _ in range(3):
        response = client.get(path)
        assert response.status_code == 200
        assert response["Referrer-Policy"] == "same-origin"
        assert "no-store" in response["Cache-Control"]
        assert "Sign in as alice" in response.content.decode()
        assert "hospital.example" not in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_link_signs_in_once(client, alice):
    path = path_of(make_link(alice))
    assert client.post(path).status_code == 302
    assert client.session["_auth_user_id"] == str(alice.pk)
    assert AuditEvent.objects.get(action="sign-in").detail == {"by": "link"}
    again = Client()
    assert again.post(path).status_code == 404
    assert again.get(path).status_code == 404
    assert "_auth_user_id" not in again.session


def test_of_two_who_use_a_link_one_comes_in(alice):
    raw = make_link(alice).rstrip("/").rsplit("/", 1)[1]
    assert [use_link(raw), use_link(raw)] == [alice, None]


@pytest.mark.parametrize("why", ["expired", "unknown", "disabled", "overtaken"])
def test_a_link_that_is_not_good_signs_nobody_in(client, alice, why):
    path = path_of(make_link(alice))
    if why == "expired":
        SignInLink.objects.update(expires_at=timezone.now())
    elif why == "unknown":
        path = path[:-2] + "/"
    elif why == "disabled":
        User.objects.update(is_active=False)
    else:
        make_link(alice)
    for ask in (client.get, client.post):
        response = ask(path)
        assert response.status_code == 404
        assert "was used or has expired" in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_another_page_cannot_push_somebody_through_a_link(alice):
    assert Client(enforce_csrf_checks=True).post(path_of(make_link(alice))).status_code == 403
    assert SignInLink.objects.get().used_at is None


def test_a_link_is_not_kept_itself(alice):
    raw = make_link(alice).rstrip("/").rsplit("/", 1)[1]
    assert raw not in str(SignInLink.objects.values().get())


def test_whoever_comes_by_a_link_without_a_password_is_asked_to_set_one(client, alice):
    alice.set_unusable_password()
    alice.save()
    response = client.post(path_of(make_link(alice)))
    assert response["Location"] == "/accounts/password/"
    assert b"old_password" not in client.get("/accounts/password/").content
    new = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    assert client.post("/accounts/password/", new).status_code == 302
    assert User.objects.get(pk=alice.pk).check_password(PASSWORD)
    assert "_auth_user_id" in client.session


def disable(user: User) -> None:
    user.is_active = False
    user.save()


def new_password(user: User) -> None:
    user.set_password("three lanterns over it")
    user.save(update_fields=["password"])


def take_role(user: User) -> None:
    user.memberships.get().delete()


def change_role(user: User) -> None:
    membership = user.memberships.get()
    membership.role = "referrer"
    membership.save()


def give_role(user: User) -> None:
    user.memberships.create(organization=Organization.objects.create(name="new"), role="resident")


def close_organization(user: User) -> None:
    Organization.objects.all().delete()


def end_sessions(user: User) -> None:
    user.end_sessions()


def revoke_token(user: User) -> None:
    token = user.api_tokens.get()
    token.revoked_at = timezone.now()
    token.save()


@pytest.mark.parametrize(
    "act",
    [disable, new_password, take_role, change_role, give_role, close_organization, end_sessions, revoke_token],
    ids=lambda act: act.__name__,
)
def test_whatever_ends_a_right_raises_the_epoch(alice, act):
    issue(alice)
    before = epoch_of(alice)
    act(User.objects.get(pk=alice.pk))
    assert epoch_of(alice) > before


def test_what_ends_no_right_leaves_the_epoch_alone(client, alice, charlie):
    before = epoch_of(alice)
    client.force_login(alice)
    issue(alice)
    User.objects.get(pk=alice.pk).save()
    charlie.end_sessions()
    assert epoch_of(alice) == before


def test_an_old_copy_of_a_person_never_turns_the_epoch_back(alice):
    old = User.objects.get(pk=alice.pk)
    alice.end_sessions()
    old.first_name = "Alice"
    old.save()
    now = User.objects.get(pk=alice.pk)
    assert (now.first_name, now.epoch, now.session_generation) == ("Alice", alice.epoch, alice.session_generation)


def scope_of(client: Client | None = None, raw: str | None = None) -> dict:
    headers = [(b"authorization", f"Bearer {raw}".encode())] if raw else []
    return {"headers": headers, "session": client.session if client else None}


def test_a_socket_is_the_tokens_or_else_the_sessions(client, alice, bob):
    client.force_login(alice)
    assert principal_of_scope(scope_of()) is None
    assert principal_of_scope(scope_of(client)).user == alice
    assert principal_of_scope(scope_of(client, issue(bob))).user == bob
    assert principal_of_scope(scope_of(client, "wrong")) is None
    alice.end_sessions()
    assert principal_of_scope(scope_of(client)) is None


def test_a_connection_is_good_until_its_end_or_until_something_is_withdrawn(alice, bob):
    soon = timezone.now() + timedelta(hours=1)
    of_alice = principal_of_scope(scope_of(raw=issue(alice, expires=soon)))
    of_bob = principal_of_scope(scope_of(raw=issue(bob)))
    assert still_good([of_alice, of_bob]) == [True, True]
    alice.end_sessions()
    assert still_good([of_alice, of_bob]) == [False, True]
    assert still_good([replace(of_bob, ends_at=timezone.now())]) == [False]
    bob.delete()
    assert still_good([of_bob]) == [False]
