"""The same UIDs in two organizations over the socket: each reader's planes and projections are of their own volume."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from channels.testing import WebsocketCommunicator

from accounts.models import User
from tests.viewer.archive.objects import slices
from tests.viewer.serving.conftest import ORIGIN, Dial, People, cookie_of, dial, in_thread, people
from tests.viewer.test_share_socket import served
from viewer.archive.ingest import ingest_file
from viewer.models import Series
from viewer.serving.runtime import Runtime

__all__ = ["dial", "people", "served"]

COUNT, SIDE = 12, 16
VALUES = {"north": -60, "south": 140}
"""Of every voxel of that organization's volume."""
WINDOW = {"window_center": 40, "window_width": 400, "voi_lut_function": "LINEAR", "size": [32, 32]}
VIEWS: dict[str, dict[str, Any]] = {
    "frame": {"frame": 3},
    "coronal": {"plane": "coronal"},
    "mip": {"plane": "sagittal", "projection": "mip", "slab_thickness": "all"},
}


@pytest.fixture
async def series(people: People, tmp_path: Path) -> str:
    def taken_in() -> str:
        for organization in (people.north, people.south):
            pixels = np.full((SIDE, SIDE), VALUES[organization.name], "<i2").tobytes()
            folder = tmp_path / organization.name
            for path in slices(folder, COUNT, Rows=SIDE, Columns=SIDE, PixelData=pixels):
                assert ingest_file(path, organization, "test", "").outcome == "stored"
        assert Series.objects.count() == 2
        return Series.objects.values_list("series_instance_uid", flat=True).distinct().get()

    return await in_thread(taken_in)()


async def looks(dial: Dial, user: User, series: str) -> dict[str, int]:
    """The grey value in the middle of each of VIEWS, at rest."""
    socket, connected, _ = await dial("/ws/viewer/", {**await in_thread(cookie_of)(user), b"origin": ORIGIN.encode()})
    assert connected
    seen = {}
    for viewport, view in VIEWS.items():
        opening = {"type": "series.open", "viewport": viewport, "series": series, "view": {**WINDOW, **view}}
        await socket.send_to(json.dumps(opening))
        picture = await exact(socket, viewport)
        seen[viewport] = int(picture[picture.shape[0] // 2, picture.shape[1] // 2])
    await socket.disconnect()
    return seen


async def exact(socket: WebsocketCommunicator, viewport: str) -> np.ndarray:
    while True:
        message = await socket.receive_from(timeout=30)
        if isinstance(message, str):
            assert json.loads(message)["type"] != "error", message
            continue
        length = int.from_bytes(message[:4], "big")
        header = json.loads(message[4 : 4 + length])
        shown = {"type": "frame.shown", "viewport": header["viewport"], "index": header["index"]}
        await socket.send_to(json.dumps(shown))
        if header["viewport"] == viewport and header["exact"]:
            return np.asarray(PIL.Image.open(io.BytesIO(message[4 + length :])))


async def test_planes_and_projections_are_of_ones_own_volume_at_once_and_again(
    dial: Dial, people: People, served: Runtime, series: str
) -> None:
    wanted = {
        name: dict.fromkeys(VIEWS, int(((value - 39.5) / 399 + 0.5) * 255 + 0.5))  # PS3.3 C.11.2.1.2.1
        for name, value in VALUES.items()
    }
    assert wanted["north"] != wanted["south"]
    for _ in range(2):
        north, south = await asyncio.gather(looks(dial, people.alice, series), looks(dial, people.charlie, series))
        assert {"north": north, "south": south} == wanted
