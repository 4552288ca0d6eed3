"""One CUDA graphics processor: memory and copies are CuPy's, kernels are Numba's, both on one stream.

Everything here is called by the one thread of `device.Device`. CuPy and `numba.cuda` are optional packages
(requirements-gpu.txt) and are imported only when a graphics processor is looked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_OUT_OF_MEMORY = 2
"""cudaErrorMemoryAllocation and CUDA_ERROR_OUT_OF_MEMORY."""


class Cuda:
    """`cupy` and `cuda` are the modules; in tests they are what stands for them where there is no graphics processor."""

    def __init__(self, cupy: Any, cuda: Any, kernels: dict[str, Any], threads: tuple[int, int]) -> None:
        self._cupy = cupy
        self._kernels, self._threads = kernels, threads
        self._stream = cupy.cuda.Stream(non_blocking=True)
        self._launch_stream = cuda.external_stream(self._stream.ptr)
        self._landing = np.empty(0, np.uint8)

    @classmethod
    def open(cls) -> Cuda:
        """The first one that the driver shows (CUDA_VISIBLE_DEVICES chooses). Raises what CuPy, Numba or the driver raise."""
        import cupy
        from numba import config, cuda

        if not cupy.cuda.is_available():
            raise RuntimeError("the driver shows no graphics processor")
        from . import device_kernels

        config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # small pictures are meant
        return cls(cupy, cuda, device_kernels.kernels(), device_kernels.THREADS)

    @property
    def name(self) -> str:
        properties = self._cupy.cuda.runtime.getDeviceProperties(0)
        return str(properties["name"].decode())

    @property
    def memory(self) -> int:
        """Bytes that are free now."""
        return int(self._cupy.cuda.runtime.memGetInfo()[0])

    def upload(self, array: NDArray[Any]) -> Any:
        held = self._cupy.empty(array.shape, array.dtype)
        held.set(array, stream=self._stream)
        return held

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        return self._cupy.empty(shape, dtype)

    def launch(self, kernel: str, size: tuple[int, int], *arguments: Any) -> None:
        """A thread for each pixel of `size` (rows, columns)."""
        across, down = self._threads
        blocks = (-(-size[1] // across), -(-size[0] // down))
        self._kernels[kernel][blocks, self._threads, self._launch_stream](*arguments)

    def download(self, held: Any) -> NDArray[Any]:
        """Wait for all that was launched, and fetch an array. It lands in memory that cannot be swapped out, the only kind
        that the device writes to by itself, and is copied from there."""
        if self._landing.nbytes < held.nbytes:
            self._landing = np.frombuffer(self._cupy.cuda.alloc_pinned_memory(held.nbytes), np.uint8)
        landed: NDArray[Any] = self._landing[: held.nbytes].view(held.dtype).reshape(held.shape)
        held.get(stream=self._stream, out=landed)
        self._stream.synchronize()
        return np.array(landed)

    def release(self) -> None:
        """Give memory that nothing uses back to the driver."""
        self._cupy.get_default_memory_pool().free_all_blocks()

    def is_out_of_memory(self, error: BaseException) -> bool:
        """CuPy has an error of its own for it; the driver and Numba have a number."""
        numbers = (getattr(error, "status", None), getattr(error, "code", None))
        return isinstance(error, self._cupy.cuda.memory.OutOfMemoryError) or _OUT_OF_MEMORY in numbers
