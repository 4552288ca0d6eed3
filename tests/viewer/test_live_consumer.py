"""The socket of live sessions: who comes in, what is written down, and that a right withdrawn ends it.

Alice and Rita read at North; Bob is a referrer there, to whom the study may be granted; Charlie reads at South.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.test import RequestFactory

from accounts import sharing
from accounts.models import AuditEvent, Membership, ShareLink, User
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.serving.conftest import ORIGIN, Dial, People, cookie_of, dial, in_thread, people, token_of
from viewer.archive.ingest import ingest_file
from viewer.live.messages import PER_SECOND
from viewer.live_consumer import rooms
from viewer.models import Grant, Study
from viewer.serving.life import watch

__all__ = ["dial", "people"]

SERIES, PRIOR = "1.2.3.4", "1.2.9.4"


@pytest.fixture
async def study(people: People, tmp_path: Path) -> Study:
    """One at North; and another one there, which is not granted to anybody."""
    for made in (ct_slice(), ct_slice("1.2.9.4.1", "1.2.9", PRIOR)):
        found = await in_thread(ingest_file)(save(made, tmp_path / "one.dcm"), people.north, "test", "test")
        assert found.outcome == "stored"
    return await Study.objects.aget(study_instance_uid="1.2.3")


@pytest.fixture
async def rita(people: People) -> User:
    """Another reader at North."""
    rita = await in_thread(User.objects.create_user)("rita", first_name="Rita", last_name="Reader")
    await Membership.objects.acreate(user=rita, organization=people.north, role="resident")
    return rita


def granted(study: Study, user: User) -> Grant:
    return Grant.objects.create(study=study, user=user, reason="referral")


def door(study: Study) -> str:
    return f"/ws/live/?study={study.study_instance_uid}&organization=north"


async def come(dial: Dial, study: Study, user: User) -> WebsocketCommunicator:
    socket, connected, code = await dial(door(study), await in_thread(token_of)(user))
    assert connected, code
    return socket


async def say(socket: WebsocketCommunicator, kind: str, **members: Any) -> None:
    await socket.send_to(json.dumps({"type": kind, **members}))


async def hear(socket: WebsocketCommunicator, kind: str) -> dict[str, Any]:
    while True:
        message = json.loads(await socket.receive_from(timeout=20))
        if message["type"] == kind:
            return dict(message)
        assert message["type"] != "error", message


def shown(series: str = SERIES, study: str = "1.2.3") -> dict[str, str]:
    return {"series": series, "organization": "north", "study": study}


def place(frame: int, series: str = SERIES) -> dict[str, Any]:
    return {"series": series, "view": {"frame": frame}}


async def join(socket: WebsocketCommunicator, window: str = "w", **cells: Any) -> dict[str, Any]:
    await say(socket, "live.join", window=window, cells=cells)
    return await hear(socket, "live.state")


async def test_two_readers_share_one_state_and_see_where_the_other_points(
    people: People, dial: Dial, study: Study, rita: User
) -> None:
    alice, other = await come(dial, study, people.alice), await come(dial, study, rita)
    assert (await hear(other, "live.who"))["members"] == []
    await join(alice, **{"0": shown(), "0.place": place(0)})
    told = await hear(other, "live.who")
    assert [(one["name"], one["mine"]) for one in told["members"]] == [("alice", False)]
    state = await join(other)
    assert state["cells"] == {"0": shown(), "0.place": place(0)}
    await say(other, "live.change", change=1, cells={"0.place": place(5)})
    assert (await hear(alice, "live.state"))["cells"] == {"0.place": place(5)}
    assert (await hear(other, "live.state"))["change"] == 1
    at = {"space": "image", "sop_instance_uid": "1.2.3.4.1", "frame_number": 1, "kind": "slice", "point": [1.0, 2.0]}
    await say(other, "live.cursor", pane=0, series=SERIES, at=at)
    cursor = await hear(alice, "live.cursor")
    assert (cursor["pane"], cursor["at"]) == (0, at)
    members = (await hear_members(alice, 2))["members"]
    assert {one["id"]: one["name"] for one in members}[cursor["member"]] == "Rita Reader"


async def hear_members(socket: WebsocketCommunicator, number: int) -> dict[str, Any]:
    """Who is there, once `number` are: said again where it was heard already."""
    await say(socket, "live.steer", together=True)
    while len((told := await hear(socket, "live.who"))["members"]) != number:
        pass
    return told


async def test_coming_in_and_going_are_written_down(people: People, dial: Dial, study: Study, rita: User) -> None:
    alice, other = await come(dial, study, people.alice), await come(dial, study, rita)
    await join(alice)
    await join(other)
    await say(other, "live.leave")
    await say(other, "hello", protocol=1)
    await hear(other, "hello")
    await alice.disconnect()
    found = AuditEvent.objects.filter(action__startswith="live.").order_by("sequence")
    events = [(one.actor, one.action, one.organization, one.study_instance_uid, one.patient_id) async for one in found]
    assert events == [
        ("alice", "live.join", "north", "1.2.3", "P1"),
        ("rita", "live.join", "north", "1.2.3", "P1"),
        ("rita", "live.leave", "north", "1.2.3", "P1"),
        ("alice", "live.leave", "north", "1.2.3", "P1"),
    ]


async def test_whoever_may_not_see_the_study_hears_what_one_hears_of_none(
    people: People, dial: Dial, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bob, at the same site, to whom it was not granted; Charlie, a stranger; a guest who may see it by a link."""
    link = await in_thread(_link)(people, study)
    heads = {
        "bob": await in_thread(token_of)(people.bob),
        "charlie": await in_thread(token_of)(people.charlie),
        "guest": {**await in_thread(cookie_of)(link.guest), b"origin": ORIGIN.encode()},
        "nobody": {},
    }
    for who, headers in heads.items():
        there = await dial(door(study), headers)
        nowhere = await dial("/ws/live/?study=1.2.3.99&organization=north", headers)
        unnamed = await dial("/ws/live/", headers)
        assert there[1:] == nowhere[1:] == unnamed[1:] == (False, 4401 if who == "nobody" else 4404), who
    denied = AuditEvent.objects.filter(action="study.view", outcome="denied", object_uid="1.2.3")
    assert {one.actor async for one in denied} == {"bob", "charlie"}


def _link(people: People, study: Study) -> ShareLink:
    wish = sharing.Wish(study_instance_uid=study.study_instance_uid, recipient="Dr. Outside")
    link, _ = sharing.make(people.alice, people.north, wish, RequestFactory().get("/"))
    Grant.objects.create(study=study, user=link.guest, reason="share", until=link.expires_at)
    return link


async def test_a_referrer_takes_part_and_is_never_told_of_the_prior_that_is_not_theirs(
    people: People, dial: Dial, study: Study
) -> None:
    await in_thread(granted)(study, people.bob)
    alice, bob = await come(dial, study, people.alice), await come(dial, study, people.bob)
    await join(alice, **{"0": shown(), "1": shown(PRIOR, "1.2.9"), "1.place": place(3, PRIOR)})
    assert (await join(bob))["cells"] == {"0": shown(), "1": {"hidden": True}}
    await say(alice, "live.change", change=1, cells={"0": shown(PRIOR, "1.2.9")})
    assert (await hear(bob, "live.state"))["cells"] == {"0": {"hidden": True}}
    for cells in ({"0": shown(PRIOR, "1.2.9")}, {"0.place": place(9, PRIOR)}):
        await say(bob, "live.change", change=1, cells=cells)
        while (told := json.loads(await bob.receive_from(timeout=20)))["type"] != "error":
            assert PRIOR not in json.dumps(told)
        assert told["code"] == "not_found"
    await say(alice, "live.look")
    assert (await hear(alice, "live.state"))["cells"].get("0.place") is None, "and Bob moved nothing of it"


async def test_a_right_withdrawn_ends_it_for_them_and_for_those_who_see_them(
    people: People, dial: Dial, study: Study
) -> None:
    grant = await in_thread(granted)(study, people.bob)
    alice, bob = await come(dial, study, people.alice), await come(dial, study, people.bob)
    await join(alice, **{"0": shown()})
    await join(bob)
    await hear_members(alice, 2)
    await in_thread(grant.end)()
    await watch().check()
    while (message := await bob.receive_output(timeout=5))["type"] != "websocket.close":
        pass
    assert message["code"] in (4000, 4401)
    await hear_members(alice, 1)
    assert (await dial(door(study), await in_thread(token_of)(people.bob)))[1:] == (False, 4404)


async def test_what_is_not_right_is_refused_in_words_and_changes_nothing(
    people: People, dial: Dial, study: Study
) -> None:
    alice = await come(dial, study, people.alice)
    await hear(alice, "live.who")
    for text, why in (
        ("nonsense", "one JSON object"),
        ('{"type": "view.change"}', "type: one of hello, live.join"),
        ('{"type": "live.change", "change": 1, "cells": {}}', "join the session first"),
        ('{"type": "live.join", "window": "w", "cells": {"17": null}}', "is no cell"),
        ('{"type": "live.join", "window": "w", "cells": {}, "as": "bob"}', "no field"),
    ):
        await alice.send_to(text)
        told = json.loads(await alice.receive_from(timeout=20))
        assert (told["type"], told["code"]) == ("error", "bad_message")
        assert why in told["message"]
    await join(alice)
    await say(alice, "live.join", window="w", cells={})
    while (told := json.loads(await alice.receive_from(timeout=20)))["type"] != "error":
        pass
    assert "already" in told["message"]


@pytest.mark.parametrize(
    ("message", "kind"), [({"type": "hello", "protocol": 1}, "other"), ({"type": "live.cursor"}, "merged")]
)
async def test_a_flood_ends_it(people: People, dial: Dial, study: Study, message: dict[str, Any], kind: str) -> None:
    alice = await come(dial, study, people.alice)
    await join(alice)
    for _ in range(3 * PER_SECOND[kind]):
        await alice.send_to(json.dumps(message))
    while (heard := await alice.receive_output(timeout=20))["type"] != "websocket.close":
        pass
    assert heard["code"] == 1008


async def test_too_long_a_message_ends_it(people: People, dial: Dial, study: Study) -> None:
    alice = await come(dial, study, people.alice)
    await alice.send_to(" " * ((64 << 10) + 1))
    while (heard := await alice.receive_output(timeout=20))["type"] != "websocket.close":
        pass
    assert heard["code"] == 1009


async def test_in_a_session_nothing_is_asked_of_the_database(
    people: People, dial: Dial, study: Study, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, other = await come(dial, study, people.alice), await come(dial, study, rita)
    await join(alice, **{"0": shown()})
    await join(other)

    def asked(*_: Any) -> Any:
        raise AssertionError("the database was asked")

    monkeypatch.setattr("viewer.live_consumer.database", asked)
    for change in range(1, 20):
        await say(alice, "live.change", change=change, cells={"0.place": place(change)})
    while (told := await hear(other, "live.state"))["cells"].get("0.place") != place(19):
        pass
    monkeypatch.undo()
    assert told["sequence"] == 20


async def test_nothing_is_left_of_a_session_that_is_over(people: People, dial: Dial, study: Study) -> None:
    for _ in range(2):
        alice = await come(dial, study, people.alice)
        assert (await join(alice, **{"0.place": place(7)}))["cells"] == {}, "no series, no place"
        await alice.disconnect()
    assert len(rooms()) == 0
