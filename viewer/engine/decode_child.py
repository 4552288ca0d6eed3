"""The program of a decode child: take one encoded frame, decode it, hand the values back; until the pipe closes.

It meets bytes made by strangers, in codecs written in C. So it holds nothing worth having: no database, no web framework, no
DICOM reader, no path into the archive; it is bounded in memory, in the size of what it writes and in time, and what it
answers is read as JSON, never unpickled.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import math
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable
from multiprocessing import reduction
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np

PR_SET_PDEATHSIG = 1


def main(requests: Connection, decoder: str, memory: int, seconds: float) -> None:
    """Serve `requests`: (layout, number of encoded bytes) in, a JSON object out, both bodies through one shared memory.

    `decoder` is "module:function"; the function takes (encoded bytes, layout) and returns an object with `values` and
    `photometric_interpretation`.
    """
    _die_with_the_server()
    body = reduction.recv_handle(requests)
    decode = _import(decoder)
    _limit(memory)
    requests.send_bytes(b"{}")
    while True:
        try:
            layout, length = requests.recv()
        except (EOFError, OSError):
            return
        # The server's own clock cuts a hang; this one is for a child whose server is gone. Its default action needs no
        # interpreter, so a codec that never returns cannot hold it off.
        signal.alarm(math.ceil(seconds) + 5)
        answer, values = _answer(decode, os.pread(body, length, 0), layout)
        if values is not None:
            _write(body, values)
        signal.alarm(0)
        requests.send_bytes(json.dumps(answer).encode())


def _answer(
    decode: Callable[[bytes, Any], Any], encoded: bytes, layout: Any
) -> tuple[dict[str, Any], np.ndarray[Any, Any] | None]:
    try:
        decoded = decode(encoded, layout)
        values = np.ascontiguousarray(decoded.values)
    except MemoryError:
        return {"error": "it needs more memory than one frame may take", "memory": True}, None
    except Exception as error:
        memory = isinstance(error.__context__, MemoryError)
        return {"error": str(error) or type(error).__name__, "memory": memory}, None
    answer = {
        "shape": values.shape,
        "dtype": values.dtype.str,
        "photometric_interpretation": decoded.photometric_interpretation,
    }
    return answer, values


def _write(body: int, values: np.ndarray[Any, Any]) -> None:
    """All of `values` at the start of the shared memory."""
    rest, offset = values.reshape(-1).view(np.uint8).data, 0
    while offset < len(rest):
        offset += os.pwrite(body, rest[offset:], offset)


def _import(name: str) -> Callable[[bytes, Any], Any]:
    module, _, function = name.partition(":")
    found: Callable[[bytes, Any], Any] = getattr(importlib.import_module(module), function)
    return found


def _limit(memory: int) -> None:
    """`memory` bytes beyond what is mapped already (the libraries), no larger file than that, no core dumps."""
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, mapped + memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with_the_server() -> None:
    """Whatever ends the server ends this child: its parent is the fork server, which outlives the server while children do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the server decides when we go
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    server = multiprocessing.parent_process()
    if server is not None:
        threading.Thread(target=_watch, args=(server.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
