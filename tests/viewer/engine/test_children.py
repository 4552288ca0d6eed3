"""A frame that kills its decoder kills a child, never the server, and the reader is told why."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from viewer.engine.children import KEEP_SHARED, DecodeChild, DecodeChildren
from viewer.engine.errors import CannotDecode
from viewer.engine.workers import Priority

MIB = 1 << 20
DECODER = "tests.viewer.engine.decoders:decode"


@pytest.fixture(scope="module")
def child() -> Iterator[DecodeChild]:
    child = DecodeChild(256 * MIB, 20.0, DECODER)
    child.ready()
    yield child
    child.close()


def test_values_come_back_as_they_were_decoded(child: DecodeChild) -> None:
    decoded = child.decode(b"echo of the bytes", None)
    assert decoded.values.tobytes() == b"echo of the bytes"
    assert decoded.photometric_interpretation == "MONOCHROME2"
    assert child.decode(b"zeros", (512, 512)).values.dtype == np.int16


def test_a_child_serves_many_frames(child: DecodeChild) -> None:
    pids = {int(child.decode(b"pid", None).values[0, 0]) for _ in range(5)}
    assert pids == {child.pid}


def test_a_child_knows_neither_the_web_nor_a_dicom_reader(child: DecodeChild) -> None:
    assert child.decode(b"foreign", None).photometric_interpretation == ""


def test_a_decoders_error_is_told_and_the_child_lives(child: DecodeChild) -> None:
    pid = child.pid
    with pytest.raises(CannotDecode, match="a marker is missing"):
        child.decode(b"fail", None)
    assert child.decode(b"echo", None).values.shape == (1, 4)
    assert child.pid == pid


def test_a_bomb_takes_a_child_with_it_and_nothing_else(child: DecodeChild) -> None:
    with pytest.raises(CannotDecode, match="more memory than one frame may take"):
        child.decode(b"bomb", None)
    assert child.decode(b"echo", None).values.shape == (1, 4)


def test_a_crash_is_named_and_the_next_frame_is_decoded(child: DecodeChild) -> None:
    with pytest.raises(CannotDecode, match="SIGSEGV"):
        child.decode(b"crash", None)
    assert child.decode(b"echo", None).values.shape == (1, 4)


def test_a_child_killed_between_frames_is_replaced_unseen(child: DecodeChild) -> None:
    former = child.pid
    assert former is not None
    os.kill(former, signal.SIGKILL)
    assert child.decode(b"echo", None).values.shape == (1, 4)
    assert child.pid != former


def test_a_child_killed_for_no_fault_of_the_frame_is_asked_again(child: DecodeChild, tmp_path: Path) -> None:
    child.decode(b"echo", None)
    assert child.decode(b"once", str(tmp_path / "died")).values[0, 0] == 7


def test_an_answer_that_is_no_picture_is_refused(child: DecodeChild) -> None:
    with pytest.raises(CannotDecode):
        child.decode(b"objects", None)


def test_a_hang_is_cut_and_not_tried_again() -> None:
    child = DecodeChild(256 * MIB, 0.3, DECODER)
    try:
        child.decode(b"echo", None)
        with pytest.raises(CannotDecode, match=r"longer than 0.3 seconds"):
            child.decode(b"hang", None)
        assert child.decode(b"echo", None).values.shape == (1, 4)
    finally:
        child.close()


def test_shared_memory_that_grew_is_given_back(child: DecodeChild) -> None:
    child.decode(b"zeros", (4096, 4096))
    assert os.fstat(child._shared).st_size <= KEEP_SHARED


async def test_a_reader_is_served_before_what_is_loaded_ahead() -> None:
    children = DecodeChildren(1, 256 * MIB, 20.0, DECODER)
    order: list[str] = []

    def decode(name: str) -> object:
        return lambda child: (child.decode(b"echo", None), order.append(name))

    # The child is still starting, so all of these wait together.
    jobs = [children.submit(decode(f"ahead {n}"), Priority.PREFETCH) for n in range(3)]
    jobs.append(children.submit(decode("reader"), Priority.INTERACTIVE))
    await asyncio.gather(*(job.future for job in jobs))
    children.stop()
    await asyncio.to_thread(children.join)
    assert order[0] == "reader"


SERVER = """
import sys, time
from viewer.engine.children import DecodeChild
if __name__ == "__main__":
    child = DecodeChild(256 << 20, 20.0, "tests.viewer.engine.decoders:decode")
    child.ready()
    print(child.pid, flush=True)
    child.decode(sys.argv[1].encode(), None)
    time.sleep(60)
"""


@pytest.mark.parametrize("doing", ["echo", "hang"])
def test_children_die_with_the_server(doing: str, tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, str(script), doing], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}
    ) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        server.kill()
        server.wait()
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists() or "Z (zombie)" in Path(f"/proc/{pid}/status").read_text():
            return
        time.sleep(0.05)
    pytest.fail("the decode child outlived its server")
