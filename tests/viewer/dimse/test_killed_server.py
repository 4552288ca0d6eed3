"""The whole server killed at random under C-STORE: every object that was answered by success is there afterwards.

Three kills; `make soak` makes it sixty. Each needs a server that starts anew, which is what takes the time. The other doors:
tests/viewer/archive.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE

from tests.live import LiveServer
from tests.viewer.archive.objects import ct_slice, save

pytestmark = pytest.mark.soak

ROUNDS = 60 if os.environ.get("FARVIEW_SOAK") else 3
SENDERS = 4


def send(port: int, numbers: Iterator[int], template: Path, told: set[str]) -> None:
    """One object after the other, until the server is gone."""
    entity = AE("SCANNER")
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 10
    entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    image = pydicom.dcmread(template)
    association = entity.associate("127.0.0.1", port, ae_title="FARVIEW")
    with contextlib.suppress(RuntimeError, ValueError):
        while association.is_established:
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.4.{next(numbers)}"
            if association.send_c_store(image).get("Status") == 0:
                told.add(str(image.SOPInstanceUID))
    association.kill()
    # pynetdicom leaves the socket of an association open that was never established.
    if association.dul.socket is not None and association.dul.socket.socket is not None:
        association.dul.socket.socket.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path / "var", dicom=True, FARVIEW_MIN_FREE_BYTES="0", FARVIEW_MIN_FREE_FRACTION="0")
    yield live
    live.stop()


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(server: LiveServer, tmp_path: Path) -> None:
    template = save(ct_slice("1.2.3.4.1"), tmp_path / "a.dcm")
    chance, numbers, told = random.Random(17), itertools.count(20_000_000), set[str]()
    port = int(server.environment["FARVIEW_DICOM_PORT"])
    for number in range(ROUNDS):
        server.start()
        if not number:
            server.manage("add_peer", "SCANNER", "127.0.0.1")
        before = len(told)
        senders = [threading.Thread(target=send, args=(port, numbers, template, told)) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        end = time.monotonic() + 60
        while len(told) == before and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(chance.uniform(0.05, 0.8))
        server.kill()
        for sender in senders:
            sender.join(30)
        assert len(told) > before, server.log()
    server.start()
    assert "as it was received" in server.manage("verify").stdout
    with contextlib.closing(sqlite3.connect(server.data / "farview.sqlite3")) as database:
        held = {uid for (uid,) in database.execute("SELECT sop_instance_uid FROM viewer_instance")}
        [(said,)] = database.execute("SELECT number_of_instances FROM viewer_study")
    assert told - held == set()
    assert said == len(held)
