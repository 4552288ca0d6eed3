"""Whatever takes a right away ends the sockets that came by it: frames stream, it happens, and in five seconds it is over."""

from __future__ import annotations

import contextlib
import json
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.live import LiveServer

SECONDS = 5.0
WAIT = 60.0
HEAD = "ct_head_gantry_tilt_ge_jpll"

COMING = """
import json
from datetime import timedelta
from django.conf import settings
from django.test import Client
from django.utils import timezone
from accounts import sharing
from accounts.authentication import issue
from accounts.models import *
from viewer.archive import emergency
from viewer.models import *

home = Organization.objects.get(name="default")
study = Study.objects.get()
soon = timezone.now() + timedelta(hours=1)
maker = User.objects.create_user("maker")
Membership.objects.create(user=maker, organization=home, role="radiologist")
told = {}
for name, (role, by, reason) in json.loads(EVENTS).items():
    if reason == "share":
        wish = sharing.Wish(study_instance_uid=study.study_instance_uid, recipient=name)
        link, _ = sharing.make(maker, home, wish, None)
        user = link.guest
        link.recipient = name
        link.save()
        Grant.objects.get_or_create(study=study, user=user, reason="share", defaults={"until": soon})
    else:
        user = User.objects.create_user(name, password="a lantern over the harbour")
        Membership.objects.create(user=user, organization=home, role=role)
        if reason == "emergency":
            emergency.open_study(user, emergency.Asked("because of this test", study.study_instance_uid), None)
        elif reason:
            Grant.objects.create(study=study, user=user, reason=reason, until=soon)
    if by == "token":
        told[name] = {"Authorization": "Bearer " + issue(user, name)}
    else:
        client = Client()
        client.force_login(user)
        name_of = settings.SESSION_COOKIE_NAME
        told[name] = {"Cookie": name_of + "=" + client.cookies[name_of].value, "Origin": settings.FARVIEW_PUBLIC_URL}
print(json.dumps({"headers": told, "series": Series.objects.get().series_instance_uid}))
"""

GOING = """
import json, time
from datetime import timedelta
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from allauth.usersessions.models import UserSession
from accounts import sessions, sharing
from accounts.models import *
from viewer.archive import emergency
from viewer.models import *

cookies = json.loads(COOKIES)
person = lambda name: User.objects.get(username=name)
link = lambda name: ShareLink.objects.get(recipient=name)
later = lambda: timezone.now() + timedelta(seconds=0.5)

def client(name):
    found = Client(headers={"host": "127.0.0.1"})
    found.cookies[settings.SESSION_COOKIE_NAME] = cookies[name]
    return found

def saved(row, **changes):
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()

def confirmed(name):
    asked = client(name)
    asked.post("/accounts/confirm/", {"password": "a lantern over the harbour"})
    now = asked.cookies[settings.SESSION_COOKIE_NAME].value
    assert now != cookies[name] and not Session.objects.filter(session_key=cookies[name]).exists()

def new_password(name):
    user = person(name)
    user.set_password("another lantern over it")
    user.save()

ACTS = {
    "sign_out": lambda name: client(name).post("/accounts/sign-out/"),
    "sign_out_everywhere": lambda name: person(name).end_sessions(),
    "disabled": lambda name: saved(person(name), is_active=False),
    "role_changed": lambda name: saved(Membership.objects.get(user=person(name)), role="referrer"),
    "membership_removed": lambda name: Membership.objects.get(user=person(name)).delete(),
    "token_revoked": lambda name: saved(ApiToken.objects.get(name=name), revoked_at=timezone.now()),
    "token_runs_out": lambda name: ApiToken.objects.filter(name=name).update(expires_at=later()),
    "link_revoked": lambda name: sharing.revoke(link(name), None, None),
    "link_runs_out": lambda name: [
        ShareLink.objects.filter(recipient=name).update(expires_at=later()),
        Grant.objects.filter(user=link(name).guest).update(until=later()),
    ],
    "grant_ended": lambda name: Grant.objects.get(user=person(name)).end(),
    "grant_runs_out": lambda name: Grant.objects.filter(user=person(name)).update(until=later()),
    "emergency_ended": lambda name: emergency.end(EmergencyAccess.objects.get(user=person(name))),
    "emergency_runs_out": lambda name: [
        EmergencyAccess.objects.filter(user=person(name)).update(until=later()),
        Grant.objects.filter(user=person(name)).update(until=later()),
    ],
    "session_deleted": lambda name: Session.objects.get(session_key=cookies[name]).delete(),
    "session_runs_out": lambda name: Session.objects.filter(session_key=cookies[name]).update(expire_date=later()),
    "password_changed": new_password,
    "ended_there_after_being_asked_again": lambda name: [
        confirmed(name), sessions.end(UserSession.objects.get(user=person(name)), why="ended there")
    ],
}
confirmed(json.loads(STAYING))
at = {}
for name in json.loads(EVENTS):
    if name in ACTS:
        ACTS[name](name)
        at[name] = time.time() + (0.5 if "runs_out" in name else 0)
print(json.dumps(at))
"""

EVENTS: dict[str, tuple[str, str, str]] = {
    # what happens: role, how they came in, by which grant
    "sign_out": ("radiologist", "cookie", ""),
    "sign_out_everywhere": ("radiologist", "cookie", ""),
    "disabled": ("radiologist", "cookie", ""),
    "role_changed": ("radiologist", "cookie", ""),
    "membership_removed": ("radiologist", "cookie", ""),
    "token_revoked": ("radiologist", "token", ""),
    "token_runs_out": ("radiologist", "token", ""),
    "link_revoked": ("guest", "cookie", "share"),
    "link_runs_out": ("guest", "cookie", "share"),
    "grant_ended": ("referrer", "cookie", "administrator"),
    "grant_runs_out": ("referrer", "token", "administrator"),
    "emergency_ended": ("admin", "cookie", "emergency"),
    "emergency_runs_out": ("admin", "cookie", "emergency"),
    "session_deleted": ("radiologist", "cookie", ""),
    "session_runs_out": ("radiologist", "cookie", ""),
    "password_changed": ("radiologist", "cookie", ""),
    "ended_there_after_being_asked_again": ("radiologist", "cookie", ""),
}
STAYS = "asked_again"
"""Who proved anew who they are: their session has another key, and loses nothing."""


@dataclass
class Watched:
    """One socket that asks for the next picture as soon as one has come."""

    name: str
    line: ClientConnection
    series: str
    frames: list[float] = field(default_factory=list)
    closed_at: float | None = None
    code: int | None = None

    def run(self) -> None:
        opened = {"plane": "acquired", "size": [64, 64]}
        try:
            self.send("series.open", series=self.series, view=opened)
            for number in range(1, 100_000):
                index = self.next_frame()
                self.send("frame.shown", index=index)
                time.sleep(0.2)
                self.send("view.change", change=number, view={"window_width": 100 + number % 50})
        except ConnectionClosed as end:
            self.code = end.rcvd.code if end.rcvd else None
        self.closed_at = time.time()

    def send(self, kind: str, **said: object) -> None:
        self.line.send(json.dumps({"type": kind, "viewport": "a", **said}))

    def next_frame(self) -> int:
        while True:
            message = self.line.recv()
            if isinstance(message, bytes):
                self.frames.append(time.time())
                size = struct.unpack(">I", message[:4])[0]
                return int(json.loads(message[4 : 4 + size])["index"])


def until(happened: object, seconds: float = WAIT) -> None:
    end = time.monotonic() + seconds
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come to it"
        time.sleep(0.1)


@dataclass
class Told:
    watched: dict[str, Watched]
    at: dict[str, float]
    """When each of EVENTS had happened."""


@pytest.fixture(scope="module")
def told(shared_data: Path) -> Iterator[Told]:
    """All of it at once: everybody streams, everything happens, everybody is waited for."""
    with LiveServer() as server, contextlib.ExitStack() as lines:
        server.user("somebody")
        server.manage("ingest", shared_data / "series" / HEAD)
        people = json.dumps({**EVENTS, STAYS: ("radiologist", "cookie", "")})
        given = shell(server, COMING, EVENTS=people)
        address = f"ws://127.0.0.1:{server.port}/ws/viewer/"
        watched = {}
        for name, headers in given["headers"].items():
            line = lines.enter_context(connect(address, additional_headers=headers, max_size=None, open_timeout=WAIT))
            one = watched[name] = Watched(name, line, given["series"])
            threading.Thread(target=one.run, name=name, daemon=True).start()
        until(lambda: all(len(one.frames) >= 2 or one.closed_at for one in watched.values()))
        assert not [name for name, one in watched.items() if one.closed_at], "closed before anything happened"
        cookies = {
            name: said["Cookie"].partition("=")[2] for name, said in given["headers"].items() if "Cookie" in said
        }
        at = shell(server, GOING, EVENTS=people, COOKIES=json.dumps(cookies), STAYING=json.dumps(STAYS))
        time.sleep(max(0.0, max(at.values()) + SECONDS - time.time()))
        stays = watched[STAYS]
        seen = len(stays.frames)
        until(lambda: len(stays.frames) > seen or stays.closed_at)
        yield Told(watched, at)


def shell(server: LiveServer, code: str, **named: str) -> dict:
    values = "\n".join(f"{name} = {value!r}" for name, value in named.items())
    done = server.manage("shell", "-c", f"{values}\n{code}")
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


@pytest.mark.parametrize("name", EVENTS)
def test_the_socket_is_closed_within_five_seconds_and_no_frame_leaves_after(told: Told, name: str) -> None:
    one, at = told.watched[name], told.at[name]
    assert one.frames[0] < at, "it streamed before"
    assert one.closed_at is not None, "it is still open"
    assert one.closed_at - at <= SECONDS
    assert one.frames[-1] - at <= SECONDS
    assert one.code in {4000, 4401}


def test_whoever_lost_nothing_goes_on(told: Told) -> None:
    stays = told.watched[STAYS]
    assert stays.closed_at is None
    assert stays.frames[-1] > max(told.at.values()) + SECONDS


def test_every_event_of_the_list_happened(told: Told) -> None:
    assert told.at.keys() == EVENTS.keys()
