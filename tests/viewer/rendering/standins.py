"""What stands for a graphics processor where there is none: CuPy made of NumPy, beside Numba's own CUDA simulator."""

from __future__ import annotations

import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray


class OutOfMemoryError(Exception):
    """As CuPy's."""


class HeldArray(np.ndarray):
    """An array "on the device": `set` and `get` as CuPy's."""

    def set(self, array: NDArray[Any], stream: Any) -> None:
        assert self.dtype == array.dtype
        np.copyto(self, array)

    def get(self, stream: Any, out: NDArray[Any]) -> NDArray[Any]:
        np.copyto(out, self)
        return out


class CupyStandIn:
    """`memory`: bytes that the device has. `log`: what was asked of it."""

    def __init__(self, memory: int = 1 << 30) -> None:
        self.memory, self.used = memory, 0
        self.log: list[str] = []
        stream = SimpleNamespace(ptr=7, synchronize=lambda: self.log.append("synchronize"))
        self.cuda = SimpleNamespace(
            is_available=lambda: True,
            Stream=lambda non_blocking: stream,
            alloc_pinned_memory=self._pinned,
            memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
            runtime=SimpleNamespace(
                getDeviceProperties=lambda number: {"name": b"Stand-in"},
                memGetInfo=lambda: (self.memory - self.used, self.memory),
            ),
        )

    def empty(self, shape: tuple[int, ...], dtype: Any) -> HeldArray:
        array = np.zeros(shape, dtype).view(HeldArray)
        if self.used + array.nbytes > self.memory:
            raise OutOfMemoryError(f"{array.nbytes} bytes")
        self.used += array.nbytes
        weakref.finalize(array, self._freed, array.nbytes)
        return array

    def get_default_memory_pool(self) -> Any:
        return SimpleNamespace(free_all_blocks=lambda: self.log.append("free_all_blocks"))

    def _pinned(self, size: int) -> bytearray:
        self.log.append(f"pinned {size}")
        return bytearray(size)

    def _freed(self, size: int) -> None:
        self.used -= size


CUDA_STAND_IN = SimpleNamespace(external_stream=lambda pointer: 0)
"""What `Cuda` asks of `numba.cuda` beside kernels; the simulator does not have it."""
