"""Whoever is asked again who they are gets a new key for the same session; the old one opens nothing (ASVS 5.0, 7.2.4)."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts import sessions
from accounts.acts import ACTS
from accounts.models import Membership
from tests.accounts.conftest import PASSWORD
from tests.viewer.serving.conftest import ORIGIN, cookie_of, dial, in_thread, people  # noqa: F401
from viewer.serving.life import watch

CONFIRM, PAGE, STATE = "/accounts/confirm/", "/accounts/sessions/", "/accounts/session/"


@pytest.fixture
def browser(alice) -> Client:
    return signed_in("alice")


def signed_in(name: str) -> Client:
    client = Client(headers={"user-agent": "Mozilla/5.0 Firefox/140.0"})
    client.post("/accounts/sign-in/", {"username": name, "password": PASSWORD})
    return client


def key_of(client: Client) -> str:
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def with_key(key: str) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    return client


def confirmed(client: Client, password: str = PASSWORD) -> None:
    client.post(CONFIRM, {"password": password, "next": PAGE})


def test_being_asked_again_gives_a_new_key_and_the_old_one_is_nobodys_at_once(browser):
    old, row = key_of(browser), UserSession.objects.get()
    held = {name: value for name, value in browser.session.items() if name != "account_authentication_methods"}
    confirmed(browser)
    assert key_of(browser) != old
    assert with_key(old).get(STATE).json() == {"signed_in": False}
    assert browser.get(STATE).json()["name"] == "alice"
    assert Session.objects.get().session_key == key_of(browser)
    now = UserSession.objects.get()
    assert (now.pk, now.session_key, now.created_at) == (row.pk, key_of(browser), row.created_at)
    assert held.items() <= dict(browser.session.items()).items(), "also the hour at which it ends"


def test_a_wrong_password_changes_no_key(browser):
    old = key_of(browser)
    confirmed(browser, "not this one")
    assert key_of(browser) == old
    assert browser.get(STATE).json()["signed_in"]


def test_the_clock_of_idleness_and_the_list_go_on_under_the_new_key(browser):
    row = UserSession.objects.get()
    confirmed(browser)
    assert ACTS.last(row.pk)
    assert browser.get(PAGE).content.decode().count('<li class="card"') == 1
    assert "This one" in browser.get(PAGE).content.decode()
    ACTS.forget(row.pk)
    UserSession.objects.update(last_seen_at=timezone.now() - sessions.timedelta(minutes=15))
    assert browser.get(STATE).json() == {"signed_in": False}


def test_an_answer_to_the_old_key_takes_no_cookie_away(browser):
    """It may come after the answer that brought the new one."""
    old = with_key(key_of(browser))
    confirmed(browser)
    assert settings.SESSION_COOKIE_NAME not in old.get("/api/me/").cookies
    gone = browser.post("/accounts/sign-out/").cookies[settings.SESSION_COOKIE_NAME]
    assert (gone.value, gone["max-age"]) == ("", 0)


def test_signing_out_elsewhere_and_everywhere_else_finds_the_session_under_its_new_key(browser):
    there, third = signed_in("alice"), signed_in("alice")
    row = UserSession.objects.get(session_key=key_of(there))
    confirmed(there)
    sessions.end(row, why="a row that was read before the key changed")
    assert [one.get(STATE).json()["signed_in"] for one in (browser, there, third)] == [True, False, True]
    confirmed(third)
    browser.post("/accounts/sessions/end/", {"session": "others"})
    assert [one.get(STATE).json()["signed_in"] for one in (browser, third)] == [True, False]
    assert Session.objects.count() == UserSession.objects.count() == 1


def test_a_changed_password_keeps_the_row_of_this_session(browser):
    row, old, new = UserSession.objects.get().pk, key_of(browser), "a lighthouse in the fog"
    browser.post("/accounts/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert key_of(browser) != old
    assert UserSession.objects.get(pk=row).session_key == key_of(browser)


def test_two_answers_that_want_a_new_key_make_one_session(browser, monkeypatch):
    """The slower one finds the key gone: it leaves no second session behind that no list shows."""
    once, slow = sessions.renew, []

    def beside(request: object) -> None:
        slow.append(request)
        if len(slow) == 1:
            with_key(request.COOKIES[settings.SESSION_COOKIE_NAME]).post(CONFIRM, {"password": PASSWORD})  # type: ignore[attr-defined]
        once(request)

    monkeypatch.setattr("accounts.middleware.renew", beside)
    confirmed(browser)
    assert len(slow) == 2
    assert Session.objects.get().session_key == UserSession.objects.get().session_key


def test_where_the_new_key_cannot_be_stored_the_old_one_stays(browser, monkeypatch, caplog):
    def busy(request: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(sessions, "_renew", busy)
    old = key_of(browser)
    confirmed(browser)
    assert key_of(browser) == old
    assert browser.get(STATE).json()["signed_in"]
    assert "keeps its key" in caplog.text


def test_a_session_of_an_older_version_gets_its_number_with_its_next_page(browser):
    session = browser.session
    del session[sessions.NUMBER]
    session.save()
    row = UserSession.objects.get().pk
    assert sessions.number_of(session) == row
    assert browser.get(PAGE).status_code == 200
    assert browser.session[sessions.NUMBER] == row


# --- sockets


async def test_the_sockets_stay_and_still_end_with_the_session(dial, people) -> None:  # noqa: F811
    client = await in_thread(Client)()
    await in_thread(client.force_login)(people.alice)
    cookie = {b"cookie": f"{settings.SESSION_COOKIE_NAME}={key_of(client)}".encode(), b"origin": ORIGIN.encode()}
    line, let_in, _ = await dial("/ws/viewer/", cookie)
    assert let_in
    await in_thread(renewed)(client)
    await watch().check()
    await line.send_json_to({"type": "hello", "protocol": 1})
    assert (await line.receive_json_from(timeout=60))["type"] == "hello"
    _line, let_in_again, _code = await dial("/ws/viewer/", cookie)
    assert not let_in_again, "the key with which the socket came is nobody's"
    await in_thread(sessions.end)(await in_thread(UserSession.objects.get)(), why="ended there")
    await watch().check()
    assert (await line.receive_json_from())["code"] == "signed_out"
    assert (await line.receive_output())["code"] == 4401


async def test_a_socket_under_a_changed_key_whose_rights_change_is_asked_to_come_again(dial, people) -> None:  # noqa: F811
    client = await in_thread(Client)()
    await in_thread(client.force_login)(people.alice)
    cookie = {b"cookie": f"{settings.SESSION_COOKIE_NAME}={key_of(client)}".encode(), b"origin": ORIGIN.encode()}
    line, let_in, _ = await dial("/ws/viewer/", cookie)
    assert let_in
    await in_thread(renewed)(client)
    await in_thread(Membership.objects.filter(user=people.alice).update)(role="resident")
    await watch().check()
    assert (await line.receive_output())["code"] == 4000


def renewed(client: Client) -> None:
    """As the answer of a page that asked again does."""
    request = sessions.HttpRequest()
    request.session = client.session
    sessions.renew(request)
    assert not Session.objects.filter(session_key=key_of(client)).exists()
