"""The sign-in page, the way out, the password page, and the lock after five tries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import lockout
from accounts.models import AuditEvent, FailedSignIn
from tests.accounts.conftest import PASSWORD, person

SIGN_IN = "/accounts/sign-in/"


def try_in(client: Client, name: str, password: str, address: str = "10.0.0.1", **data):
    return client.post(SIGN_IN, {"username": name, "password": password, **data}, REMOTE_ADDR=address)


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_page_has_one_name_field_and_one_password_field(client, db):
    text = client.get(SIGN_IN).content.decode()
    assert text.count('type="text"') == 1
    assert text.count('type="password"') == 1
    assert 'name="username"' in text
    assert 'name="password"' in text


def test_the_right_password_signs_in_under_a_fresh_session_and_is_written_down(client, alice):
    client.get(SIGN_IN)
    client.session["before"] = True
    session = client.session
    session.save()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = session.session_key
    response = try_in(client, "alice", PASSWORD)
    assert response.status_code == 302
    assert response["Location"] == "/"
    assert client.session.session_key != session.session_key
    event = AuditEvent.objects.get(action="sign-in")
    assert (event.actor, event.role, event.outcome, event.origin) == ("alice", "radiologist", "success", "10.0.0.1")


def test_the_way_goes_on_to_the_page_that_was_asked_for_but_never_off_this_server(client, alice):
    assert try_in(client, "alice", PASSWORD, next="/studies/1.2.3/")["Location"] == "/studies/1.2.3/"
    client.logout()
    assert try_in(client, "alice", PASSWORD, next="https://evil.example/")["Location"] == "/"
    client.logout()
    assert try_in(client, "alice", PASSWORD, next="//evil.example/")["Location"] == "/"


@pytest.mark.parametrize("case", ["wrong password", "unknown name", "disabled"])
def test_what_does_not_match_says_the_same_whatever_is_wrong(client, alice, case):
    if case == "disabled":
        alice.is_active = False
        alice.save()
    name = "nobody" if case == "unknown name" else "alice"
    response = try_in(client, name, PASSWORD if case == "disabled" else "wrong")
    assert response.status_code == 200
    assert "do not match" in response.content.decode()
    assert not signed_in(client)
    assert AuditEvent.objects.get(action="sign-in").outcome == "failure"


def test_what_was_typed_into_the_name_field_is_not_kept_unless_it_is_a_name(client, alice):
    try_in(client, "my secret password", "alice")
    assert AuditEvent.objects.get(action="sign-in").actor == ""
    assert "secret" not in str(FailedSignIn.objects.values().get())


def test_the_sixth_try_is_not_even_looked_at(client, alice):
    for _ in range(5):
        assert try_in(client, "alice", "wrong").status_code == 200
    response = try_in(client, "Alice ", PASSWORD)
    assert response.status_code == 429
    response = try_in(client, "alice", PASSWORD)
    assert response.status_code == 429
    assert "Too many tries" in response.content.decode()
    assert not signed_in(client)
    assert AuditEvent.objects.filter(action="sign-in", outcome="failure").last().detail == {"reason": "locked"}


def test_the_lock_is_for_one_name_and_one_address(client, alice, charlie):
    for _ in range(5):
        try_in(client, "alice", "wrong")
    assert try_in(client, "charlie", PASSWORD).status_code == 302
    client.logout()
    assert try_in(client, "alice", PASSWORD, address="10.0.0.2").status_code == 302


def test_the_lock_opens_after_a_quarter_of_an_hour(client, alice):
    for _ in range(5):
        try_in(client, "alice", "wrong")
    FailedSignIn.objects.update(at=timezone.now() - timedelta(minutes=15, seconds=1))
    assert try_in(client, "alice", PASSWORD).status_code == 302


def test_success_forgets_the_tries_before_it(client, alice):
    for _ in range(4):
        try_in(client, "alice", "wrong")
    try_in(client, "alice", PASSWORD)
    client.logout()
    assert not FailedSignIn.objects.exists()
    for _ in range(4):
        assert try_in(client, "alice", "wrong").status_code == 200


def test_trying_many_names_from_one_address_is_locked_too(db):
    for number in range(lockout.TRIES_PER_ADDRESS):
        assert lockout.begin_try(f"name{number}", "10.0.0.1") is lockout.Try.GO
    assert lockout.begin_try("one more", "10.0.0.1") is lockout.Try.LOCKED_NOW
    assert lockout.begin_try("one more", "10.0.0.1") is lockout.Try.LOCKED
    assert lockout.begin_try("one more", "10.0.0.2") is lockout.Try.GO


def test_whoever_goes_on_knocking_fills_no_record(client, alice):
    for _ in range(9):
        try_in(client, "alice", "wrong")
    assert AuditEvent.objects.filter(action="sign-in").count() == 6
    assert FailedSignIn.objects.count() == 6


@pytest.mark.parametrize("name", ["x" * 151, "ali\0ce"])
def test_a_name_that_cannot_be_is_refused_in_words(client, db, name):
    text = try_in(client, name, "wrong").content.decode()
    assert "missing" not in text
    assert "do not match" in text or "Null characters" in text


def test_the_session_ends_twelve_hours_after_signing_in_however_busy_it_is(client, alice):
    try_in(client, "alice", PASSWORD)
    end = client.session.get_expiry_date()
    assert timedelta(hours=11, minutes=59) < end - timezone.now() <= timedelta(hours=12)
    session = client.session
    session["something"] = "changed"
    session.save()
    assert client.session.get_expiry_date() == end


def test_signing_out_needs_a_post_and_the_form_of_our_own_page(alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.get(reverse("sign-out")).status_code == 405
    assert client.post(reverse("sign-out")).status_code == 403
    assert signed_in(client)


def test_signing_out_ends_the_session_and_is_written_down(client, alice):
    client.force_login(alice)
    assert client.post(reverse("sign-out")).status_code == 302
    assert not signed_in(client)
    assert AuditEvent.objects.filter(action="sign-out", actor="alice").count() == 1


def test_a_form_that_stood_open_too_long_says_so(alice):
    client = Client(enforce_csrf_checks=True)
    response = client.post(SIGN_IN, {"username": "alice", "password": PASSWORD})
    assert response.status_code == 403
    assert "stood open too long" in response.content.decode()


def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(client, alice):
    other = Client()
    for one in (client, other):
        try_in(one, "alice", PASSWORD)
    new = {"new_password1": "two lanterns over it", "new_password2": "two lanterns over it"}
    assert client.post("/accounts/password/", {"old_password": "wrong", **new}).status_code == 200
    assert client.post("/accounts/password/", {"old_password": PASSWORD, **new}).status_code == 302
    assert client.get("/accounts/password/").status_code == 200
    assert other.get("/accounts/password/").status_code == 302


def test_a_weak_password_is_refused_with_the_reason(client, alice):
    client.force_login(alice)
    weak = {"old_password": PASSWORD, "new_password1": "password", "new_password2": "password"}
    text = client.post("/accounts/password/", weak).content.decode()
    assert "too short" in text
    assert 'aria-invalid="true"' in text


def test_ending_all_sessions_of_a_person_ends_them(client, alice):
    try_in(client, "alice", PASSWORD)
    alice.end_sessions()
    assert client.get("/accounts/password/").status_code == 302


def test_a_name_of_markup_is_text(client, db):
    person("<script>alert(1)</script>")
    client.get(SIGN_IN)
    assert b"<script>alert" not in try_in(client, "<script>alert(1)</script>", "wrong").content


def test_a_page_offers_only_the_doors_that_open(client, alice, bob, boss):
    offered = {}
    for user in (alice, bob, boss):
        client.force_login(user)
        text = client.get("/accounts/password/").content.decode()
        offered[user.username] = {door for door in ("/upload/", "/admin/") if f'href="{door}"' in text}
    assert offered == {"alice": {"/upload/"}, "bob": set(), "boss": {"/upload/", "/admin/"}}
