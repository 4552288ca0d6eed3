"""A guest's socket: every picture is stamped, and when the link ends none leaves any more, within five seconds."""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from channels.testing import WebsocketCommunicator
from django.test import RequestFactory

from accounts import sharing
from accounts.models import ShareLink
from tests.viewer.serving.conftest import ORIGIN, Dial, People, cookie_of, dial, in_thread, people
from viewer.archive.ingest import ingest_file
from viewer.models import Grant, Series
from viewer.serving.life import watch
from viewer.serving.runtime import Runtime, runtime
from viewer.serving.watch import PERIOD_SECONDS

__all__ = ["dial", "people"]


@pytest.fixture
async def served(people: People, settings: Any, tmp_path: Path) -> AsyncIterator[Runtime]:
    settings.FARVIEW_CACHE_DIR = tmp_path
    held = runtime()
    await held.start()
    yield held
    await held.stop()


@pytest.fixture
async def series(people: People, shared_data: Path) -> str:
    image = min((shared_data / "series" / "mr_head_sag_HFDR").glob("*.dcm"))
    assert (await in_thread(ingest_file)(image, people.north, "test", "test")).outcome == "stored"
    return (await Series.objects.aget()).series_instance_uid


def shared(people: People) -> ShareLink:
    study = Series.objects.get().study
    wish = sharing.Wish(study_instance_uid=study.study_instance_uid, recipient="Dr. Outside")
    link, _ = sharing.make(people.alice, people.north, wish, RequestFactory().get("/"))
    Grant.objects.create(study=study, user=link.guest, reason="share", until=link.expires_at)
    link.guest.refresh_from_db()
    return link


async def frame(socket: WebsocketCommunicator, *, exact: bool) -> tuple[dict[str, Any], bytes]:
    while True:
        message = await socket.receive_from(timeout=20)
        if isinstance(message, bytes):
            length = int.from_bytes(message[:4], "big")
            header = json.loads(message[4 : 4 + length])
            await socket.send_to(json.dumps({"type": "frame.shown", "viewport": "a", "index": header["index"]}))
            assert header["stamped"] is True, "no picture without the stamp, moving or still"
            if header["exact"] is exact:
                return header, message[4 + length :]
        else:
            assert json.loads(message)["type"] != "error", message


async def test_every_picture_is_stamped_until_the_link_ends_and_none_comes_after(
    dial: Dial, people: People, served: Runtime, series: str
) -> None:
    link = await in_thread(shared)(people)
    socket, connected, _ = await dial(
        "/ws/viewer/", {**await in_thread(cookie_of)(link.guest), b"origin": ORIGIN.encode()}
    )
    assert connected
    opening = {"type": "series.open", "viewport": "a", "series": series, "view": {"size": [128, 128]}}
    await socket.send_to(json.dumps(opening))
    await frame(socket, exact=False)
    header, payload = await frame(socket, exact=True)
    pixels = np.asarray(PIL.Image.open(io.BytesIO(payload)))
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == header["sha256"]

    assert await in_thread(sharing.revoke)(link, people.alice, None, "by hand")
    begun = time.monotonic()
    await watch().check()
    assert PERIOD_SECONDS + time.monotonic() - begun < 5
    await socket.send_to(json.dumps({"type": "view.change", "viewport": "a", "change": 1, "view": {"invert": True}}))
    told = []
    while (message := await socket.receive_output(timeout=5))["type"] != "websocket.close":
        told.append(message)
    assert message["code"] == 4401
    assert not any(one.get("bytes") for one in told)


async def test_the_stamp_is_the_connections_own(dial: Dial, people: People, served: Runtime, series: str) -> None:
    """Alice and a guest look at the same picture at once: hers is bare, before and after."""
    link = await in_thread(shared)(people)
    digests = {}
    for name, user in (("guest", link.guest), ("alice", people.alice)):
        socket, _, _ = await dial("/ws/viewer/", {**await in_thread(cookie_of)(user), b"origin": ORIGIN.encode()})
        opening = {"type": "series.open", "viewport": "a", "series": series, "view": {"size": [128, 128]}}
        await socket.send_to(json.dumps(opening))
        while True:
            message = await socket.receive_from(timeout=20)
            if isinstance(message, bytes):
                header = json.loads(message[4 : 4 + int.from_bytes(message[:4], "big")])
                await socket.send_to(json.dumps({"type": "frame.shown", "viewport": "a", "index": header["index"]}))
                assert header["stamped"] is (name == "guest")
                if header["exact"]:
                    digests[name] = header["sha256"]
                    break
    assert digests["guest"] != digests["alice"]


async def test_a_guest_hears_no_news(dial: Dial, people: People, served: Runtime, series: str) -> None:
    link = await in_thread(shared)(people)
    _, connected, code = await dial("/ws/news/", {**await in_thread(cookie_of)(link.guest), b"origin": ORIGIN.encode()})
    assert (connected, code) == (False, 4404)
