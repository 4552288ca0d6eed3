"""One CUDA graphics processor: memory and copies are CuPy's, kernels are Numba's, both on one stream.

Everything here is called by the one thread of `device.Device`. CuPy and `numba.cuda` are optional packages
(requirements-gpu.txt) and are imported only when a graphics processor is looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_OUT_OF_MEMORY = 2
"""cudaErrorMemoryAllocation and CUDA_ERROR_OUT_OF_MEMORY."""


def _itself(array: Any) -> Any:
    return array


class Cuda:
    """`cupy` and `cuda` are the modules; in tests they are what stands for them where there is no graphics processor. `view`
    makes of an array of CuPy's what Numba takes without asking it again and again what it is."""

    def __init__(
        self,
        cupy: Any,
        cuda: Any,
        kernels: dict[str, Any],
        threads: tuple[int, int],
        view: Callable[[Any], Any] = _itself,
    ) -> None:
        self._cupy = cupy
        self._kernels, self._threads, self._view = kernels, threads, view
        self._ready: dict[tuple[Any, ...], Any] = {}
        self._stream = cupy.cuda.Stream(non_blocking=True)
        self._launch_stream = cuda.external_stream(self._stream.ptr)
        self._landing = np.empty(0, np.uint8)

    @classmethod
    def open(cls) -> Cuda:
        """The first one that the driver shows (CUDA_VISIBLE_DEVICES chooses). Raises what CuPy, Numba or the driver raise."""
        import cupy
        from cuda.core.utils import StridedMemoryView  # type: ignore[import-untyped]
        from numba import config, cuda

        if not cupy.cuda.is_available():
            raise RuntimeError("the driver shows no graphics processor")
        from . import device_kernels

        config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # small pictures are meant

        def view(array: Any) -> Any:
            # -1: nothing to wait for, all is on one stream.
            return StridedMemoryView.from_dlpack(array, stream_ptr=-1)

        return cls(cupy, cuda, device_kernels.kernels(), device_kernels.THREADS, view)

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
        """A thread for each pixel of `size` (rows, columns). Numba's own way from arguments to a compiled kernel takes three
        times as long as all the rest of a launch, so each kind of arguments goes it once."""
        across, down = self._threads
        blocks = (-(-size[1] // across), -(-size[0] // down))
        kinds: list[Any] = [kernel]
        given: list[Any] = []
        for argument in arguments:
            is_array = bool(getattr(argument, "shape", ()))
            kinds.append((argument.dtype, argument.ndim) if is_array else type(argument))
            given.append(self._view(argument) if is_array else argument)
        ready = self._ready.get(tuple(kinds))
        if ready is None:
            ready = self._ready[tuple(kinds)] = self._kernels[kernel].specialize(*given)
        ready[blocks, self._threads, self._launch_stream](*given)

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
