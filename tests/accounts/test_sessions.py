"""Everyone sees where they are signed in, and ends what is not theirs any more."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Organization, User
from accounts.reauthentication import SIGNED_IN_AT
from accounts.sessions import described
from tests.accounts.conftest import PASSWORD, person

PAGE, END = "/accounts/sessions/", "/accounts/sessions/end/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/604.1"
)


def browser(name: str, agent: str = FIREFOX, address: str = "10.0.0.1") -> Client:
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    client.post("/accounts/sign-in/", {"username": name, "password": PASSWORD})
    assert "_auth_user_id" in client.session
    return client


def rows_shown(client: Client) -> list[str]:
    return re.findall(r'<li class="card".*?</li>', client.get(PAGE).content.decode(), re.DOTALL)


def number_of(row: str) -> str:
    return re.search(r'name="session" value="(\d+)"', row)[1]


def test_the_list_shows_browser_system_and_address_and_which_one_this_is(alice, charlie):
    here, there = browser("alice"), browser("alice", SAFARI, "10.0.0.7")
    browser("charlie")
    first, second = rows_shown(here)
    assert "Firefox, Windows" in first
    assert "10.0.0.1" in first
    assert "This one" in first
    assert "Safari, iPad" in second
    assert "10.0.0.7" in second
    assert "This one" not in second
    text = here.get(PAGE).content.decode()
    assert not [one for one in (here, there) if one.session.session_key in text]


def test_signing_out_there_ends_that_session_alone_and_is_written_down(alice):
    here, there, third = (browser("alice") for _ in range(3))
    for row in rows_shown(here)[1:]:
        if UserSession.objects.get(pk=number_of(row)).session_key == there.session.session_key:
            here.post(END, {"session": number_of(row)})
    assert there.get(PAGE).status_code == 302
    assert third.get(PAGE).status_code == here.get(PAGE).status_code == 200
    assert len(rows_shown(here)) == 2
    event = AuditEvent.objects.get(action="session.end")
    assert (event.actor, event.detail["person"]) == ("alice", "alice")


def test_signing_out_everywhere_else_leaves_this_one(alice, charlie):
    here, there, third, other = browser("alice"), browser("alice"), browser("alice"), browser("charlie")
    here.post(END, {"session": "others"})
    assert [one.get(PAGE).status_code for one in (here, there, third, other)] == [200, 302, 302, 200]
    assert len(rows_shown(here)) == 1


@pytest.mark.parametrize("which", ["others", "that one"])
def test_who_proved_long_ago_who_they_are_is_asked_before_another_session_ends(alice, which):
    here, there = browser("alice"), browser("alice")
    row = UserSession.objects.get(session_key=there.session.session_key)
    session = here.session
    session[SIGNED_IN_AT] -= 300
    session["account_authentication_methods"] = []
    session.save()
    asked = "others" if which == "others" else row.pk
    answer = here.post(END, {"session": asked})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/confirm/?next=%2Faccounts%2Fsessions%2F")
    assert there.get(PAGE).status_code == 200
    assert here.post("/accounts/confirm/", {"password": PASSWORD, "next": PAGE})["Location"] == PAGE
    assert here.post(END, {"session": asked})["Location"] == PAGE
    assert there.get(PAGE).status_code == 302


def test_this_session_itself_is_ended_without_being_asked(alice):
    here = browser("alice")
    session = here.session
    session[SIGNED_IN_AT] -= 300
    session["account_authentication_methods"] = []
    session.save()
    assert here.post(END, {"session": UserSession.objects.get().pk})["Location"] == "/accounts/sign-in/"


def test_nobody_ends_the_session_of_somebody_else(alice, bob, charlie):
    browser("alice")
    number = UserSession.objects.get().pk
    for other in ("bob", "charlie"):
        assert browser(other).post(END, {"session": number}).status_code == 404
    assert UserSession.objects.filter(pk=number).exists()
    assert Client().post(END, {"session": number}).status_code == 302
    assert UserSession.objects.filter(pk=number).exists()


@pytest.mark.parametrize("number", ["", "0", "x", "999999999999999999999", "-1"])
def test_a_number_that_names_none_of_mine_is_not_there(alice, number):
    assert browser("alice").post(END, {"session": number}).status_code == 404


def test_signing_out_takes_the_row_along(alice):
    here = browser("alice")
    here.post("/accounts/sign-out/")
    assert not UserSession.objects.exists()


def test_a_session_whose_hour_has_passed_is_shown_no_more(alice):
    here, there = browser("alice"), browser("alice")
    Session.objects.filter(session_key=there.session.session_key).update(expire_date=timezone.now())
    assert len(rows_shown(here)) == 1
    assert UserSession.objects.count() == 1


def test_the_session_of_a_changed_password_is_still_in_the_list(alice):
    here = browser("alice")
    new = "a lighthouse in the fog"
    data = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/accounts/password/", data).status_code == 302
    assert ["This one" in row for row in rows_shown(here)] == [True]


def test_rows_of_sessions_that_must_be_over_are_swept_when_somebody_signs_in(alice, charlie):
    browser("alice")
    UserSession.objects.update(created_at=timezone.now() - timedelta(hours=12, seconds=1))
    browser("charlie")
    assert UserSession.objects.get().user.username == "charlie"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox, Windows"),
        (SAFARI, "Safari, iPad"),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36",
            "Chrome, Linux",
        ),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0", "Edge, Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
            "Safari, macOS",
        ),
        ("python-requests/2.32.3", "python-requests"),
        ("", ""),
        ("<script>alert(1)</script>", "<script>alert(1)<"),
    ],
)
def test_browsers_are_said_in_plain_words(agent, words):
    assert described(agent) == words


def test_what_a_program_calls_itself_is_text(alice):
    text = browser("alice", "<script>alert(1)").get(PAGE).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_administrators_see_and_end_sessions_of_people_whom_they_manage_wholly(alice, charlie, boss):
    both = person("dora", ("default", "resident"), ("elsewhere", "resident"))
    browsers = {name: browser(name) for name in ("alice", "charlie", "dora")}
    keeper = browser("boss")
    numbers = {row.user.username: row.pk for row in UserSession.objects.select_related("user")}
    text = keeper.get("/admin/usersessions/usersession/").content.decode()
    assert [name for name in ("alice", "charlie", "dora") if f">{name}<" in text] == ["alice"]
    for number in numbers.values():
        keeper.post("/admin/usersessions/usersession/", {"action": "sign_out_there", "_selected_action": [number]})
    assert {name: one.get(PAGE).status_code for name, one in browsers.items()} == {
        "alice": 302,
        "charlie": 200,
        "dora": 200,
    }
    event = AuditEvent.objects.filter(action="session.end", actor="boss").get(detail__person="alice")
    assert event.outcome == "success"
    assert both.is_active


def test_who_administers_nothing_finds_no_such_page(alice, bob):
    for name in ("alice", "bob"):
        assert browser(name).get("/admin/usersessions/usersession/").status_code == 404


def test_keys_of_sessions_are_nowhere_in_the_administration(alice, boss):
    key = browser("alice").session.session_key
    number = UserSession.objects.get().pk
    keeper = browser("boss")
    for address in ("", f"{number}/change/"):
        assert key not in keeper.get(f"/admin/usersessions/usersession/{address}").content.decode()


def test_an_operator_sees_all(alice, charlie):
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    alice.memberships.create(organization=Organization.objects.get(name="default"), role="admin")
    browser("charlie")
    assert ">charlie<" in browser("alice").get("/admin/usersessions/usersession/").content.decode()
