"""Decode children, seen from the server: one process a core, each with a thread here that waits for it.

A child that dies, hangs or answers nonsense is killed and replaced, and the one who waited is told why.
"""

from __future__ import annotations

import json
import logging
import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import reduction
from multiprocessing.context import ForkServerProcess
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import decode_child
from .errors import CannotDecode
from .reading import read_into
from .workers import Job, Priority, WorkerPool

DECODER = "viewer.dicom.decode:decode"
MAX_ANSWER = 64 << 10
KEEP_SHARED = 16 << 20
"""A shared memory that grew beyond this is given back after the frame."""
START_SECONDS = 60.0

logger = logging.getLogger(__name__)

_starting = threading.Lock()
"""`multiprocessing` keeps its list of processes without a lock of its own."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Stored values of one frame, (rows, columns) or (rows, columns, samples), and what colours they are in."""

    values: NDArray[Any]
    photometric_interpretation: str


class DecodeChild:
    """One child process. Used by one thread only; `decode` blocks it."""

    def __init__(self, memory: int, seconds: float, decoder: str = DECODER) -> None:
        self._memory, self._seconds, self._decoder = memory, seconds, decoder
        self._shared = os.memfd_create("farview-frame", os.MFD_CLOEXEC)
        self._served = 0
        """Frames the present process has answered."""
        self._process: ForkServerProcess | None = None

    @property
    def pid(self) -> int | None:
        """Of the process that serves now."""
        return self._process.pid if self._process else None

    def decode(self, encoded: bytes, layout: Any) -> Decoded:
        """Decode one frame; `CannotDecode` says why not.

        A process that dies although it served before may have died of something else (what earlier frames left behind,
        the machine's memory), so the frame is tried once more in a fresh one. Time that ran out is not tried again.
        """
        self.ready()
        if self._served:
            try:
                return self._ask(encoded, layout)
            except _Died:
                pass
        try:
            return self._ask(encoded, layout)
        except _Died as died:
            raise CannotDecode(f"This image cannot be decoded: {died}.") from None

    def ready(self) -> None:
        """See to it that a living process waits for work."""
        if self._process is not None and not self._process.is_alive():
            self._end()
        if self._process is None:
            self._start()

    def close(self) -> None:
        """End the process and give the shared memory back."""
        self._end()
        os.close(self._shared)

    def _ask(self, encoded: bytes, layout: Any) -> Decoded:
        try:
            os.pwrite(self._shared, encoded, 0)
            self._pipe.send((layout, len(encoded)))
            if not self._pipe.poll(self._seconds):
                self._replace()
                raise CannotDecode(f"This image cannot be decoded: it took longer than {self._seconds:g} seconds.")
            answer = json.loads(self._pipe.recv_bytes(MAX_ANSWER))
        except (EOFError, OSError, ValueError):
            raise _Died(self._replace()) from None
        try:
            if answer.get("memory"):  # what the codec left allocated is anybody's guess
                self._replace()
                raise _Died(str(answer["error"])) from None
            self._served += 1
            if "error" in answer:
                raise CannotDecode(f"This image cannot be decoded: {answer['error']}.")
            return self._collect(answer)
        except (AttributeError, KeyError, TypeError, ValueError):
            self._replace()
            raise CannotDecode("This image cannot be decoded: the decoder answered with no picture.") from None
        finally:
            if os.fstat(self._shared).st_size > KEEP_SHARED:
                os.ftruncate(self._shared, 0)

    def _collect(self, answer: dict[str, Any]) -> Decoded:
        """Copy the values out of the shared memory. The child's word about their size is checked: ValueError."""
        shape, dtype = tuple(int(n) for n in answer["shape"]), np.dtype(str(answer["dtype"]))
        size = math.prod(shape) * dtype.itemsize
        if dtype.kind not in "uifb" or min(shape, default=0) < 1 or size > os.fstat(self._shared).st_size:
            raise ValueError("no picture")
        values = np.empty(shape, dtype)
        if not read_into(self._shared, 0, values):
            raise ValueError("fewer bytes than the answer says")
        return Decoded(values, str(answer["photometric_interpretation"]))

    def _start(self) -> None:
        context = multiprocessing.get_context("forkserver")
        with _starting:
            # Only what decoding needs is imported before the fork; the default would import the server's main module.
            context.set_forkserver_preload([decode_child.__name__, self._decoder.partition(":")[0]])
            self._pipe, theirs = context.Pipe()
            process = context.Process(
                target=decode_child.main,
                args=(theirs, self._decoder, self._memory, self._seconds),
                name="farview-decode",
                daemon=True,
            )
            process.start()
        theirs.close()
        self._process, self._served = process, 0
        reduction.send_handle(self._pipe, self._shared, process.pid)
        if not self._pipe.poll(START_SECONDS):
            raise RuntimeError("a decode child did not start")
        self._pipe.recv_bytes(MAX_ANSWER)

    def _replace(self) -> str:
        """Kill what is left of the process and start another; returns how it ended, in words."""
        how = _how_it_ended(self._end())
        os.ftruncate(self._shared, 0)
        self._start()
        return how

    def _end(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        self._pipe.close()
        process.join(0.2)
        if process.is_alive():
            process.kill()
            process.join(5)
        code = process.exitcode
        with suppress(ValueError):
            process.close()
        return code


class _Died(Exception):
    """The child ended instead of answering."""


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"the decoder was stopped by {signal.Signals(-code).name}"
    return "the decoder ended without an answer"


class DecodeChildren:
    """All children of this server. `submit` takes what is to be done with one child, and answers on the event loop."""

    def __init__(self, children: int, memory: int, seconds: float, decoder: str = DECODER) -> None:
        self.pool: WorkerPool[DecodeChild] = WorkerPool(
            "decode", children, lambda: _enter(memory, seconds, decoder), DecodeChild.close
        )

    def submit(self, work: Callable[[DecodeChild], Any], priority: Priority) -> Job[DecodeChild, Any]:
        """Queue `work`, which is given the child to decode with."""
        return self.pool.submit(work, priority)

    def stop(self) -> None:
        """Drop what waits; children end when they are done."""
        self.pool.stop()

    def join(self) -> None:
        """Wait until every child has ended; blocks."""
        self.pool.join()


def _enter(memory: int, seconds: float, decoder: str) -> DecodeChild:
    child = DecodeChild(memory, seconds, decoder)
    try:
        child.ready()
    except Exception:  # tried again with the first frame, whose reader is told then
        logger.exception("a decode child did not start")
    return child
