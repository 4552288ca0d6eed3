"""A place in a file becomes an array."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_into(descriptor: int, offset: int, out: NDArray[Any]) -> bool:
    """Fill contiguous `out` with the bytes from `offset` on, in as many calls as needed; False where the file ends first."""
    target = out.reshape(-1).view(np.uint8).data
    while target:
        count = os.preadv(descriptor, [target], offset)
        if not count:
            return False
        offset += count
        target = target[count:]
    return True
