"""A session ends when nobody acts in it, however often its pages ask for news."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import idle
from accounts.acts import ACTS, Acts
from accounts.authentication import issue
from accounts.models import AuditEvent
from accounts.sessions import NUMBER
from tests.accounts.conftest import PASSWORD
from tests.viewer.serving.conftest import ORIGIN, cookie_of, dial, in_thread, people  # noqa: F401
from viewer.serving.life import watch

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
FETCH = {"Sec-Fetch-Dest": "empty", "Accept": "application/json"}
PAGE = {"Sec-Fetch-Dest": "document", "Accept": "text/html"}
STATE = "/accounts/session/"


@pytest.fixture
def browser(alice, settings) -> Client:
    client = Client(headers={"user-agent": BROWSER})
    client.post("/accounts/sign-in/", {"username": "alice", "password": PASSWORD})
    return client


def ago(client: Client, **duration: float) -> None:
    """As if the last act in this session had been so long ago, for this process and for others."""
    number = client.session[NUMBER]
    ACTS.forget(number)
    UserSession.objects.filter(pk=number).update(last_seen_at=timezone.now() - timedelta(**duration))


def seen(client: Client) -> float:
    """Seconds since the last act that the row knows."""
    row = UserSession.objects.get(pk=client.session[NUMBER])
    return (timezone.now() - row.last_seen_at).total_seconds()


def test_after_a_quarter_of_an_hour_in_which_nothing_was_done_the_session_is_over(browser):
    ago(browser, minutes=14, seconds=59)
    assert browser.get("/", headers=PAGE).status_code == 200
    ago(browser, minutes=15)
    answer = browser.get("/", headers=PAGE)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/sign-in/?next=/")
    assert not Session.objects.exists()
    assert not UserSession.objects.exists()
    event = AuditEvent.objects.get(action="sign-out")
    assert (event.actor, event.detail) == ("alice", {"by": "idle"})


def test_a_program_is_told_so_by_status(browser):
    ago(browser, minutes=15)
    assert browser.get("/api/me/", headers=FETCH).status_code == 401


def test_what_is_changed_after_the_end_is_not_changed(browser):
    ago(browser, minutes=15)
    new = "a lighthouse in the fog"
    browser.post("/accounts/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert Client().login(username="alice", password=PASSWORD)


@pytest.mark.parametrize(
    ("method", "address", "headers", "counts"),
    [
        ("get", "/", PAGE, True),
        ("get", "/", {"Accept": "text/html"}, True),
        ("post", STATE, FETCH, True),
        ("get", STATE, FETCH, False),
        ("get", "/api/me/", FETCH, False),
        ("get", "/api/studies/", FETCH, False),
        ("get", "/api/me/", {"Sec-Fetch-Dest": "image", "Accept": "image/*"}, False),
        ("get", "/api/me/", {"Accept": "*/*"}, False),
        ("post", "/api/worklist/1/heartbeat/", FETCH, False),
        ("post", "/api/reports/1/lock/", FETCH, False),
        ("put", "/api/reports/1/", FETCH, True),
    ],
)
def test_only_a_persons_own_act_keeps_a_session(browser, method, address, headers, counts):
    ago(browser, minutes=10)
    getattr(browser, method)(address, headers=headers)
    assert (seen(browser) < 5) is counts


def test_a_program_with_a_cookie_acts_for_its_person(browser):
    ago(browser, minutes=10)
    browser.get("/api/me/", headers={"User-Agent": "python-requests/2.32.3", "Accept": "*/*"})
    assert seen(browser) < 5


def test_a_token_has_no_session_that_could_be_idle(browser, alice):
    ago(browser, minutes=15)
    token = {"Authorization": f"Bearer {issue(alice)}"}
    assert browser.get("/api/me/", headers=token).status_code == 200
    assert UserSession.objects.exists()


def test_a_busy_session_costs_no_question_to_the_rows_and_one_write_a_minute_at_most(browser, monkeypatch):
    monkeypatch.setattr(idle, "UserSession", None)
    for _ in range(20):
        assert browser.post(STATE, headers=FETCH).status_code == 200


def test_another_process_that_saw_an_act_keeps_the_session(browser):
    number = browser.session[NUMBER]
    ACTS.forget(number)
    ACTS.note(number, timezone.now() - timedelta(minutes=20))
    assert idle.idle_among((number,)) == set()  # the row says: just now


def test_zero_minutes_means_the_twelve_hours_alone(browser, settings):
    settings.FARVIEW_IDLE_MINUTES = 0
    ago(browser, hours=3)
    assert browser.get("/", headers=PAGE).status_code == 200
    assert browser.get(STATE).json()["idle_ends_in"] is None


def test_a_page_can_ask_how_long_the_session_lasts(browser):
    ago(browser, minutes=10)
    told = browser.get(STATE, headers=FETCH).json()
    assert 290 < told["idle_ends_in"] <= 300
    assert told["idle_seconds"] == 900
    assert 12 * 3600 - 60 < told["ends_in"] <= 12 * 3600
    assert (told["signed_in"], told["name"]) == (True, "alice")
    assert Client().get(STATE).json() == {"signed_in": False}


def test_the_state_is_nobodys_to_change_from_another_page(alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(STATE).status_code == 403


# --- sockets


@pytest.fixture
async def socket(dial, people) -> WebsocketCommunicator:  # noqa: F811
    line, let_in, _ = await dial(
        "/ws/viewer/", {**await in_thread(cookie_of)(people.alice), b"origin": ORIGIN.encode()}
    )
    assert let_in
    return line


def long_ago() -> None:
    row = UserSession.objects.get()
    ACTS.forget(row.pk)
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(minutes=15))


async def test_a_socket_of_an_idle_session_is_told_and_closed(socket) -> None:
    await in_thread(long_ago)()
    await watch().check()
    assert json.loads(await socket.receive_from())["code"] == "signed_out"
    assert (await socket.receive_output())["code"] == 4401
    event = await in_thread(AuditEvent.objects.get)(action="session.end")
    assert (event.actor, event.detail["why"]) == ("alice", "idle")
    assert not await in_thread(Session.objects.exists)()


@pytest.mark.parametrize(
    ("message", "keeps"),
    [
        ({"type": "view.change", "viewport": "v1", "change": 1, "view": {}}, True),
        ({"type": "frame.shown", "viewport": "v1", "index": 1}, False),
        ({"type": "hello", "protocol": 1}, False),
    ],
)
async def test_moving_a_view_keeps_the_session_and_what_the_page_says_by_itself_does_not(
    socket, message, keeps
) -> None:
    await in_thread(long_ago)()
    await socket.send_json_to(message)
    await socket.receive_nothing(0.1)
    await watch().check()
    assert await in_thread(Session.objects.exists)() is keeps


# --- memory alone


def test_memory_forgets_the_older_half_when_it_is_full(monkeypatch):
    monkeypatch.setattr("accounts.acts.REMEMBERED", 4)
    acts, now = Acts(), timezone.now()
    for number in range(5):
        acts.note(number, now + timedelta(seconds=number))
    assert [acts.last(number) is not None for number in range(5)] == [False, False, True, True, True]


def test_an_act_is_written_once_and_again_after_the_step():
    acts, now = Acts(), timezone.now()
    acts.note(1, now)
    assert acts.take_unwritten(now, timedelta(minutes=1)) == {1: now}
    acts.note(1, now + timedelta(seconds=59))
    assert acts.take_unwritten(now, timedelta(minutes=1)) == {}
    later = now + timedelta(seconds=60)
    acts.note(1, later)
    acts.note(1, now)
    assert acts.take_unwritten(later, timedelta(minutes=1)) == {1: later}
