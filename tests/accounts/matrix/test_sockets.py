"""The sockets, message by message, by everybody: what is named and there answers as what is named and is not there."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings

from accounts.models import Organization
from tests.accounts.matrix.test_matrix import plain
from tests.accounts.matrix.world import PEOPLE, READERS, World, build
from tests.viewer.serving.conftest import ORIGIN, Dial, dial, in_thread
from viewer.archive import outbox
from viewer.archive.ingest import ingest_file
from viewer.archive.rows import patiently
from viewer.consumers import NOT_THERE, SIGN_IN_FIRST
from viewer.live import messages as live
from viewer.models import Series
from viewer.serving.news import NewsTail
from viewer.serving.runtime import runtime
from viewer.streaming.protocol import MESSAGES

__all__ = ["dial"]

VIEWER, NEWS, LIVE = "/ws/viewer/", "/ws/news/", "/ws/live/"
SHUT_OUT = {
    VIEWER: {
        **dict.fromkeys(("nobody", "disabled", "expired_token", "revoked_token"), SIGN_IN_FIRST),
        "guest_revoked": SIGN_IN_FIRST,
        "member_of_nothing": NOT_THERE,
    },
    NEWS: {
        **dict.fromkeys(("nobody", "disabled", "expired_token", "revoked_token"), SIGN_IN_FIRST),
        "guest_revoked": SIGN_IN_FIRST,
        **dict.fromkeys(("guest_expired", "guest_elsewhere"), NOT_THERE),
    },
}
"""Who opens no socket, and with which code it closes; all others come in. Who came by a link that has run out sees nothing."""


@dataclass(frozen=True)
class Script:
    """Messages to send. Texts that are names of the world stand for what is there, and for what is not."""

    messages: tuple[dict[str, Any], ...]
    own: bool = False
    """Over a series of one's own, which is shown first."""


def _open(viewport: str = "a", series: str = "series_instance_uid", **view: Any) -> dict[str, Any]:
    return {"type": "series.open", "viewport": viewport, "series": series, "view": view}


def _change(**view: Any) -> dict[str, Any]:
    return {"type": "view.change", "viewport": "a", "change": 7, "view": view}


_MEASURE = {"type": "measure", "viewport": "a", "index": 1, "id": "m", "kind": "probe", "points": [[1, 1]]}
NAMING: tuple[dict[str, Any], ...] = (
    {"fusion": {"series": "series_instance_uid"}},
    {"fusion": {"series": "series_instance_uid", "organization": "home"}},
    {"segmentations": [{"sop_instance_uid": "sop_instance_uid", "segments": "all"}]},
    {"presentation_state": "sop_instance_uid"},
    {"sop_instance_uid": "sop_instance_uid"},
)
"""All parts of a View that name something."""
SCRIPTS: dict[str, tuple[Script, ...]] = {
    "hello": (Script(({"type": "hello", "protocol": 1},)),),
    "series.open": (
        Script((_open(),)),
        Script((_open(organization="home"),)),
        Script((_open(series="study_instance_uid"),)),
        Script((_open(series="sop_instance_uid"),)),
        *(Script((_open(**view),)) for view in NAMING),
        *(Script((_open(series="own", **view),), own=True) for view in NAMING),
    ),
    "view.change": (
        Script((_open(), _change(frame=1))),
        Script((_change(series="series_instance_uid"),)),
        *(Script((_change(**view),), own=True) for view in NAMING),
        Script((_change(series="series_instance_uid"),), own=True),
    ),
    "frame.shown": (Script((_open(), {"type": "frame.shown", "viewport": "a", "index": 1})),),
    "measure": (Script((_open(), _MEASURE)), Script((_MEASURE,))),
    "viewport.close": (Script((_open(), {"type": "viewport.close", "viewport": "a"})),),
}
"""By the type of what a client sends: a type without a row fails."""
UNANSWERED = ("frame.shown", "viewport.close")

SHOWN = {"series": "series_instance_uid", "organization": "home", "study": "study_instance_uid"}
OWN = {"series": "own", "organization": "away", "study": "own_study"}
LAID = {"series": "own", "view": {"fusion": {"series": "series_instance_uid", "organization": "home"}}}
POINTED = {
    "space": "image",
    "sop_instance_uid": "sop_instance_uid",
    "frame_number": 1,
    "kind": "slice",
    "point": [1, 2],
}
_JOIN: dict[str, Any] = {"type": "live.join", "window": "w", "cells": {}}
LIVE_SCRIPTS: dict[str, tuple[tuple[dict[str, Any], ...], ...]] = {
    "hello": (({"type": "hello", "protocol": 1},),),
    "live.join": (({**_JOIN, "cells": {"0": SHOWN}},), ({**_JOIN, "cells": {"0": {**SHOWN, "organization": "away"}}},)),
    "live.leave": ((_JOIN, {"type": "live.leave"}),),
    "live.look": (({"type": "live.look"},),),
    "live.steer": ((_JOIN, {"type": "live.steer", "together": False}),),
    "live.change": (
        (_JOIN, {"type": "live.change", "change": 1, "cells": {"0": SHOWN}}),
        (
            _JOIN,
            {"type": "live.change", "change": 1, "cells": {"0.place": {"series": "series_instance_uid", "view": {}}}},
        ),
        (
            _JOIN,
            {"type": "live.change", "change": 1, "cells": {"0": OWN}},
            {"type": "live.change", "change": 2, "cells": {"0.layers": LAID}},
        ),
    ),
    "live.cursor": ((_JOIN, {"type": "live.cursor", "pane": 0, "series": "series_instance_uid", "at": POINTED}),),
}
"""Of the socket of live sessions, said over a study of one's own."""

KINDS = {
    "viewer/marks/measurements.py": "measurements.changed",
    "viewer/marks/key_images.py": "key_images.changed",
    "viewer/marks/others.py": "measurements.changed",
    "viewer/archive/rows.py": "study.changed",
    "viewer/archive/correcting.py": "study.changed",
    "viewer/archive/transfers.py": "transfer.changed",
    "viewer/archive/emergency.py": "emergency.opened",
    "reporting/worklist/events.py": "worklist.changed",
    "reporting/workflow/versions.py": "report.changed",
    "reporting/critical/opening.py": "critical.changed",
}
"""By where it is told: the kinds of news. A place without a row fails."""


@pytest.fixture
async def world(transactional_db: None, settings: Any, tmp_path: Path, shared_data: Path) -> AsyncIterator[World]:
    """For real this time: sockets ask the database from threads of their own."""
    settings.FARVIEW_BLOB_DIR, settings.FARVIEW_CACHE_DIR = tmp_path / "blob", tmp_path
    settings.FARVIEW_MIN_FREE_BYTES, settings.FARVIEW_MIN_FREE_FRACTION = 0, 0.0
    settings.FARVIEW_BLOB_DIR.mkdir()
    found = await in_thread(build)(shared_data)
    held = runtime()
    await held.start()
    yield found
    await held.stop()


def headers_of(world: World, who: str) -> dict[bytes, bytes]:
    known = {name.lower().encode(): value.encode() for name, value in world.headers[who].items()}
    return {**known, b"origin": ORIGIN.encode()}


async def come_in(dial: Dial, path: str, world: World, who: str) -> WebsocketCommunicator:
    socket, connected, code = await dial(path, headers_of(world, who))
    assert connected, (who, path, code)
    return socket


def filled(value: Any, values: dict[str, str]) -> Any:
    """With what the world calls by that name."""
    if isinstance(value, dict):
        return {name: filled(one, values) if name != "type" else one for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, values) for one in value]
    return values.get(value, value) if isinstance(value, str) else value


async def answers_to(socket: WebsocketCommunicator, world: World, script: Script, values: dict[str, str]) -> list[str]:
    """One to each message, and nothing more until a greeting is answered; over one's own series, all until it is quiet."""
    found = []
    for message in script.messages:
        await socket.send_to(json.dumps(filled(message, values)))
        if not script.own and message["type"] not in UNANSWERED:
            found.append(_plain(await socket.receive_from(timeout=20), world))
    if script.own:
        while not await socket.receive_nothing(timeout=0.5):
            found.append(_plain(await socket.receive_from(timeout=20), world))
        return sorted(set(found))
    await socket.send_to('{"type": "hello", "protocol": 1}')
    last = await socket.receive_from(timeout=20)
    assert json.loads(last)["type"] == "hello", last
    return found


def _plain(message: str | bytes, world: World) -> str:
    """Of a frame what it shows, without when and how it was drawn."""
    if isinstance(message, str):
        return plain(message, world)
    header = json.loads(message[4 : 4 + int.from_bytes(message[:4], "big")])
    return plain(json.dumps({name: header.get(name) for name in ("type", "view", "warnings")}), world)


def test_every_type_of_message_has_a_row() -> None:
    assert SCRIPTS.keys() == MESSAGES.keys()


def test_every_kind_of_news_has_a_row() -> None:
    telling = {
        str(path.relative_to(settings.BASE_DIR))
        for room in ("viewer", "reporting", "accounts")
        for path in (settings.BASE_DIR / room).rglob("*.py")
        if re.search(r"outbox\.announce\(", path.read_text())
    }
    assert telling == KINDS.keys()


async def test_who_has_no_business_opens_no_socket(dial: Dial, world: World) -> None:
    for path, refused in SHUT_OUT.items():
        for who in PEOPLE:
            _, connected, code = await dial(path, headers_of(world, who))
            assert connected is (who not in refused), (path, who, code)
            assert connected or code == refused[who], (path, who, code)


@pytest.mark.parametrize("kind", SCRIPTS)
async def test_what_is_named_and_there_answers_as_what_is_not(
    dial: Dial, world: World, kind: str, shared_data: Path, tmp_path: Path
) -> None:
    own = await in_thread(_own_series)(shared_data)
    said: list[str] = []
    for who in PEOPLE.keys() - SHUT_OUT[VIEWER].keys() - set(READERS):
        for script in SCRIPTS[kind]:
            if script.own and who != "stranger":
                continue  # nobody else has one
            answers = []
            for values in (world.real, world.ghost):
                socket = await come_in(dial, VIEWER, world, who)
                if script.own and kind != "series.open":
                    await socket.send_to(json.dumps(_open(series=own, size=[32, 32])))
                    assert json.loads(await socket.receive_from(timeout=20))["type"] == "series.opened"
                answers.append(await answers_to(socket, world, script, {**values, "own": own}))
                await socket.disconnect()
            real, ghost = answers
            said += [f"{who}: {script.messages}: {real} against {ghost}"] if real != ghost else []
            said += [f"{who} is told of {secret}" for secret in world.secrets if secret in "".join(real)]
    assert not said


def _own_series(shared_data: Path) -> str:
    away = Organization.objects.get(name="away")
    image = min((shared_data / "series" / "mr_head_sag_HFDR").glob("*.dcm"))
    assert ingest_file(image, away, "test", "").outcome == "stored"
    return Series.objects.get(organization=away).series_instance_uid


@pytest.mark.parametrize("who", READERS)
async def test_and_whoever_may_is_shown_it(dial: Dial, world: World, who: str) -> None:
    socket = await come_in(dial, VIEWER, world, who)
    await socket.send_to(json.dumps(filled(_open(size=[32, 32]), world.real)))
    opened = json.loads(await socket.receive_from(timeout=20))
    assert (opened["type"], opened["series"]) == ("series.opened", world.real["series_instance_uid"])


def test_every_type_of_message_of_a_live_session_has_a_row() -> None:
    assert LIVE_SCRIPTS.keys() == live.MESSAGES.keys()


async def test_the_live_session_of_a_study_is_entered_by_who_may_see_it(world: World, dial: Dial) -> None:
    """Guests of a link to it are not among them."""
    for who in PEOPLE:
        answers = []
        for values in (world.real, world.ghost):
            asked = f"{LIVE}?study={values['study_instance_uid']}&organization=home"
            _, connected, code = await dial(asked, headers_of(world, who))
            answers.append((connected, code if not connected else None))
        there, nowhere = answers
        assert there == ((True, None) if who in READERS else nowhere), who
        assert nowhere in ((False, NOT_THERE), (False, SIGN_IN_FIRST)), who


@pytest.mark.parametrize("kind", LIVE_SCRIPTS)
async def test_what_a_live_session_is_told_of_what_is_there_is_what_it_is_told_of_nothing(
    world: World, dial: Dial, kind: str, shared_data: Path
) -> None:
    own = await in_thread(_own_series)(shared_data)
    study = (await Series.objects.select_related("study").aget(series_instance_uid=own)).study.study_instance_uid
    for script in LIVE_SCRIPTS[kind]:
        answers = []
        for values in (world.real, world.ghost):
            socket = await come_in(dial, f"{LIVE}?study={study}&organization=away", world, "stranger")
            for message in script:
                await socket.send_to(json.dumps(filled(message, {**values, "own": own, "own_study": study})))
            found = []
            while not await socket.receive_nothing(timeout=0.3):
                found.append(await socket.receive_from(timeout=20))
            answers.append([plain(one, world) for one in found])
            await socket.disconnect()
            assert not [secret for secret in world.secrets if secret in "".join(found)]
        assert answers[0] == answers[1]


async def test_news_is_heard_by_who_it_is_for(dial: Dial, world: World) -> None:
    """Everything is told at the study's organization; a greeting sent afterwards is the next thing that the others hear."""
    home = await Organization.objects.aget(name="home")
    sockets = {who: await come_in(dial, NEWS, world, who) for who in PEOPLE.keys() - SHUT_OUT[NEWS].keys()}
    tail = NewsTail()
    await tail.look()
    for kind in sorted(set(KINDS.values())):
        payload = {"study_instance_uid": world.real["study_instance_uid"], "note": "Geheim"}
        await in_thread(lambda kind=kind, payload=payload: patiently(lambda: outbox.announce(kind, home, payload)))()
    assert await tail.look() == len(set(KINDS.values()))
    for socket in sockets.values():
        await socket.send_to(json.dumps({"type": "hello", **world.real}))
    told = {who: await _until_greeted(socket) for who, socket in sockets.items()}
    everything = set(KINDS.values()) - {"emergency.opened"}
    assert told == {
        who: everything if who in READERS else {"emergency.opened"} if who == "admin" else set() for who in sockets
    }


async def _until_greeted(socket: WebsocketCommunicator) -> set[str]:
    found: set[str] = set()
    while (kind := json.loads(await socket.receive_from(timeout=20))["type"]) != "hello":
        found.add(kind)
    return found
