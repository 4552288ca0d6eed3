"""The viewer's socket: who may open which series, what is written down, and what a stored image does to it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from accounts.models import AuditEvent, Membership, Organization, User
from tests.viewer.archive.objects import save
from tests.viewer.marks.drawing import without_place
from tests.viewer.serving.conftest import Dial, People, dial, in_thread, people, token_of
from viewer.archive import outbox
from viewer.archive.ingest import ingest_file
from viewer.archive.storage import blob_store
from viewer.marks import asked as asking
from viewer.marks import measurements
from viewer.marks.measurements import Measured
from viewer.marks.taking import Taken
from viewer.models import Instance, Series, Study
from viewer.serving.news import NewsTail
from viewer.serving.runtime import Runtime, runtime

__all__ = ["dial", "people"]

VIEWER = "/ws/viewer/"


@pytest.fixture
def image(shared_data: Path) -> Path:
    return min((shared_data / "series" / "mr_head_sag_HFDR").glob("*.dcm"))


@pytest.fixture
async def served(people: People, settings: Any, tmp_path: Path) -> AsyncIterator[Runtime]:
    """The engine on the test's own loop, as `serve` has it on its; it keeps no frame from one test to the next."""
    settings.FARVIEW_CACHE_DIR = tmp_path
    held = runtime()
    await held.start()
    yield held
    await held.stop()


@pytest.fixture
async def series(image: Path, people: People) -> str:
    """One series at North."""
    outcome = await in_thread(ingest_file)(image, people.north, "test", "test")
    assert outcome.outcome == "stored"
    return (await Series.objects.aget()).series_instance_uid


def opening(series: str, **more: Any) -> str:
    view = {"plane": "acquired", "size": [64, 64], **more}
    return json.dumps({"type": "series.open", "viewport": "a", "series": series, "view": view})


async def heard(socket: WebsocketCommunicator, wanted: str) -> dict[str, Any]:
    """The next message of the type `wanted`; a frame's header stands for the frame."""
    while True:
        message = await socket.receive_from(timeout=20)
        if isinstance(message, bytes):
            found = json.loads(message[4 : 4 + int.from_bytes(message[:4], "big")])
            await socket.send_to(json.dumps({"type": "frame.shown", "viewport": "a", "index": found["index"]}))
        else:
            found = json.loads(message)
        if found["type"] == wanted:
            return dict(found)
        assert found["type"] != "error", found


async def socket_of(dial: Dial, user: User) -> WebsocketCommunicator:
    socket, connected, _ = await dial(VIEWER, await in_thread(token_of)(user))
    assert connected
    return socket


async def test_a_reader_opens_a_series_and_sees_it(dial: Dial, people: People, served: Runtime, series: str) -> None:
    socket = await socket_of(dial, people.alice)
    await socket.send_to(opening(series))
    opened = await heard(socket, "series.opened")
    assert (opened["series"], opened["frames"]) == (series, 1)
    assert (await heard(socket, "frame"))["view"]["organization"] == "north"
    event = await AuditEvent.objects.aget(action="study.view")
    assert (event.actor, event.organization, event.outcome) == ("alice", "north", "success")


async def test_a_stranger_is_told_what_one_is_told_of_what_does_not_exist(
    dial: Dial, people: People, served: Runtime, series: str
) -> None:
    socket = await socket_of(dial, people.charlie)
    answers = []
    for asked in (series, "1.2.3.4"):
        await socket.send_to(opening(asked))
        answers.append(json.loads(await socket.receive_from(timeout=20)))
    assert [answer["code"] for answer in answers] == ["not_found", "not_found"]
    assert answers[0] == answers[1]
    denied = AuditEvent.objects.filter(action="study.view", actor="charlie", outcome="denied")
    assert {event.object_uid async for event in denied} == {series, "1.2.3.4"}


async def test_a_series_in_two_organizations_of_one_reader_must_be_named(
    dial: Dial, people: People, served: Runtime, series: str, image: Path
) -> None:
    await Membership.objects.acreate(user=people.alice, organization=people.south, role="radiologist")
    await in_thread(ingest_file)(image, people.south, "test", "test")
    socket = await socket_of(dial, people.alice)
    await socket.send_to(opening(series))
    answer = json.loads(await socket.receive_from(timeout=20))
    assert answer["code"] == "bad_view"
    assert "north, south" in answer["message"]
    await socket.send_to(opening(series, organization="south"))
    assert (await heard(socket, "frame"))["view"]["organization"] == "south"


async def test_whoever_shows_a_series_is_told_of_later_images(
    dial: Dial, people: People, served: Runtime, series: str
) -> None:
    socket = await socket_of(dial, people.alice)
    await socket.send_to(opening(series))
    await heard(socket, "frame")
    tail = NewsTail()
    await tail.look()
    payload = {"study_instance_uid": "1", "series": [{"series_instance_uid": series, "series_version": "9"}]}
    await in_thread(outbox.announce)("study.changed", people.north, payload)
    await tail.look()
    assert (await heard(socket, "series.changed"))["series_version"] == "9"


async def test_what_is_measured_while_drawing_knows_the_calibration_of_now(
    dial: Dial, people: People, served: Runtime, tmp_path: Path
) -> None:
    picture = save(without_place(), tmp_path / "plain.dcm")
    await in_thread(ingest_file)(picture, people.north, "test", "test")
    socket = await socket_of(dial, people.alice)
    await socket.send_to(opening("1.2.3.5", zoom="native"))
    index = (await heard(socket, "frame"))["index"]

    async def length(number: int, kind: str = "length") -> dict[str, Any]:
        asked = {"type": "measure", "viewport": "a", "index": index, "id": str(number), "kind": kind}
        await socket.send_to(json.dumps({**asked, "points": [[1, 1], [4, 5]]}))
        found: dict[str, Any] = (await heard(socket, "measure.result"))["values"]["length"]
        return found

    assert (await length(1))["unit"] == "px"
    scale = {"value": 2.5, "unit": "mm/px", "source": "calibrated by alice"}
    taken = Taken({"scale": scale, "known": {}}, [], 0, "1.2.3.5.1", 1, "")
    body = {"kind": "calibration", "series": "1.2.3.5", "space": "image", "points": [[0, 0], [0, 4]], "view": {}}
    study = await Study.objects.select_related("organization", "patient").aget()
    asked = asking.new({**body, "known": 10})
    await in_thread(measurements.keep)(study, "", asked, Measured(taken), people.alice, None)
    assert await length(2) == {"value": pytest.approx(12.5), "unit": "mm", "source": "calibrated by alice"}
    assert (await length(3, "calibration"))["unit"] == "px", "a calibration says what the file says"


async def test_too_many_messages_close_the_connection(dial: Dial, people: People, served: Runtime) -> None:
    socket = await socket_of(dial, people.alice)
    for _ in range(200):
        await socket.send_to('{"type": "hello", "protocol": 1}')
    while (message := await socket.receive_output(timeout=10))["type"] == "websocket.send":
        pass
    assert message["code"] == 1008
    await socket.disconnect()
    event = await AuditEvent.objects.aget(action="door.refuse")
    assert (event.actor, event.outcome) == ("alice", "denied")
    assert event.detail == {"door": VIEWER, "reason": "too many requests"}


async def test_a_greeting_is_answered_with_the_build(
    dial: Dial, people: People, served: Runtime, settings: Any
) -> None:
    socket = await socket_of(dial, people.alice)
    await socket.send_to('{"type": "hello", "protocol": 1}')
    assert json.loads(await socket.receive_from(timeout=10)) == {
        "type": "hello",
        "protocol": 1,
        "build": settings.FARVIEW_BUILD,
    }


async def test_a_file_that_is_gone_is_an_error_and_not_the_end(
    dial: Dial, people: People, served: Runtime, series: str
) -> None:
    instance = await Instance.objects.aget()
    path = blob_store().path(instance.blob_id)
    path.rename(path.with_suffix(".gone"))
    try:
        socket = await socket_of(dial, people.alice)
        await socket.send_to(opening(series))
        while True:
            message = json.loads(await socket.receive_from(timeout=20))
            if message["type"] == "error":
                break
        assert message["code"] == "cannot_decode"
        assert str(path) not in message["message"]
        await socket.send_to('{"type": "hello", "protocol": 1}')
        assert (await heard(socket, "hello"))["build"]
    finally:
        path.with_suffix(".gone").rename(path)


async def test_organizations_are_no_oracle(dial: Dial, people: People, served: Runtime, series: str) -> None:
    socket = await socket_of(dial, people.charlie)
    await socket.send_to(opening(series, organization="north"))
    assert json.loads(await socket.receive_from(timeout=20))["code"] == "not_found"
    assert await Organization.objects.acount() == 2
