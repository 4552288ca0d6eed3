"""Decoders that do what the worst files make real ones do. Run in decode children."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass

import numpy as np


@dataclass
class Decoded:
    values: np.ndarray
    photometric_interpretation: str = "MONOCHROME2"


def decode(encoded: bytes, layout: object) -> Decoded:
    return BEHAVIOURS[encoded.split(b" ")[0]](encoded, layout)


def _echo(encoded: bytes, layout: object) -> Decoded:
    return Decoded(np.frombuffer(encoded, np.uint8).reshape(1, -1))


def _zeros(encoded: bytes, layout: object) -> Decoded:
    return Decoded(np.zeros(layout, np.int16))  # type: ignore[call-overload]


def _pid(encoded: bytes, layout: object) -> Decoded:
    return Decoded(np.array([[os.getpid()]], np.int32))


def _foreign(encoded: bytes, layout: object) -> Decoded:
    found = [name for name in ("django", "pydicom", "channels", "numba") if name in sys.modules]
    return Decoded(np.array([[len(found)]], np.uint8), ",".join(found))


def _bomb(encoded: bytes, layout: object) -> Decoded:
    return Decoded(np.ones((1 << 20, 1 << 14), np.uint16))


def _hang(encoded: bytes, layout: object) -> Decoded:
    time.sleep(600)
    raise AssertionError


def _crash(encoded: bytes, layout: object) -> Decoded:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def _once(encoded: bytes, layout: object) -> Decoded:
    """Dies the first time, answers the second: `layout` is a file that remembers."""
    path = str(layout)
    if not os.path.exists(path):
        with open(path, "w"):
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    return Decoded(np.array([[7]], np.uint8))


def _fail(encoded: bytes, layout: object) -> Decoded:
    raise ValueError("a marker is missing")


def _objects(encoded: bytes, layout: object) -> Decoded:
    return Decoded(np.empty((2, 2), "U4"))


BEHAVIOURS = {
    b"echo": _echo,
    b"zeros": _zeros,
    b"pid": _pid,
    b"foreign": _foreign,
    b"bomb": _bomb,
    b"hang": _hang,
    b"crash": _crash,
    b"once": _once,
    b"fail": _fail,
    b"objects": _objects,
}
