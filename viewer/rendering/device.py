"""Volumes drawn by a graphics processor, where there is one.

`find` looks for it, `Device` draws. The work of a pixel is the same code as on the CPU (`device_kernels`), so the pictures are
the same; volumes stay on the device, and what comes back is the finished 8-bit picture. Whatever goes wrong is a
`DeviceFailed` with a note for the reader, and the CPU draws the picture: never a black frame.

One thread of its own does everything that touches the device, a picture after the other. Threads that draw wait for it
without the interpreter lock, for a while: a device that does not answer is given up.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .compositing import ClipBox, describe
from .device_check import differences
from .device_cuda import Cuda
from .device_memory import HeldVolumes, TooLargeForDevice
from .grey import Greyscale
from .projections import PROJECTIONS, Rays
from .transfer import TransferTable
from .volume import Volume

RENDERER = "cuda/1"
"""Kernel family and version; the version grows whenever any byte of any picture changes."""

DRAW_SECONDS = 10.0
"""For one picture and those that wait before it; bringing a large volume to the device takes a tenth of a second."""
WARM_SECONDS = 300.0
"""For compiling the kernels."""
_SHARE = 0.75
"""Of the device's free memory, for volumes, where the settings do not say how much."""

Pixels = NDArray[np.uint8]
Size = tuple[int, int]
T = TypeVar("T")

logger = logging.getLogger(__name__)


class DeviceFailed(Exception):
    """The device did not draw this picture; the text is for the reader."""


class Processor(Protocol):
    """What `Device` asks of a graphics processor; `device_cuda.Cuda` is one."""

    @property
    def name(self) -> str: ...

    @property
    def memory(self) -> int: ...

    def upload(self, array: NDArray[Any]) -> Any: ...

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any: ...

    def launch(self, kernel: str, size: Size, *arguments: Any) -> None: ...

    def download(self, held: Any) -> NDArray[Any]: ...

    def release(self) -> None: ...

    def is_out_of_memory(self, error: BaseException) -> bool: ...


Draw = Callable[[Processor, HeldVolumes], Pixels]


class Device:
    """Draws as `reformat` does on the CPU. Safe in any thread. Every method that draws raises `DeviceFailed`.

    `open_processor` is called on the device's own thread too: who uses a graphics processor from one thread alone meets none
    of the traps of its contexts.
    """

    renderer = RENDERER

    def __init__(self, open_processor: Callable[[], Processor], limit: int = 0) -> None:
        """`limit`: bytes of the device's memory for volumes; 0 for a share of what is free."""
        self.name = ""
        self.lost = ""
        """Why the device was given up, for the log and the reader; empty while it draws."""
        self.volumes: HeldVolumes | None = None
        """None until the device was opened."""
        self._open_processor, self._limit, self._seconds = open_processor, limit, WARM_SECONDS
        self._processor: Processor | None = None
        self._wishes: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="device", daemon=True)
        self._thread.start()

    # --- pictures

    def sampled(
        self,
        volume: Volume,
        rays: Rays,
        projection: str,
        size: Size,
        sub: int,
        pipeline: Greyscale,
        floor: float,
        ceiling: float,
        channel: int | None = None,
    ) -> Pixels:
        """`projections.project` for (rows x sub, columns x sub) rays and `grey.shade` of it: (rows, columns)."""

        def draw(processor: Processor, volumes: HeldVolumes) -> Pixels:
            held = volumes.get(volume.key, volume.values)
            values = held if channel is None else held[channel]
            sampled = processor.empty((size[0] * sub, size[1] * sub), np.float32)
            ends = np.float32(floor), np.float32(ceiling)
            packed = processor.upload(rays.packed)
            way = PROJECTIONS[projection]
            processor.launch("project", sampled.shape, values, packed, rays.samples, way, volume.holes, *ends, sampled)
            picture = processor.empty(size, np.uint8)
            numbers = processor.upload(_numbers_of(pipeline))
            # An array of no length cannot be had on a device.
            table = processor.upload(pipeline.table if pipeline.table.size else np.zeros(1))
            curve, inverted = int(pipeline.curve), bool(pipeline.inverted)
            processor.launch("finish", size, sampled, sub, numbers, curve, table, inverted, picture)
            return processor.download(picture)

        return self._drawn(draw)

    def lit(self, volume: Volume, rays: Rays, table: TransferTable, clip: ClipBox | None, size: Size) -> Pixels:
        """`compositing.composite` of a whole picture: (rows, columns, 3)."""
        numbers = describe(volume, rays, table, clip)

        def draw(processor: Processor, volumes: HeldVolumes) -> Pixels:
            values = volumes.get(volume.key, volume.values)
            arrays = [processor.upload(array) for array in (table.colours, table.leaps, numbers)]
            picture = processor.empty((*size, 3), np.uint8)
            processor.launch("composite", size, values, volume.holes, *arrays, picture)
            return processor.download(picture)

        return self._drawn(draw)

    # --- its life

    def open(self) -> None:
        """Find the device. Raises `DeviceFailed` where there is none."""

        def opened() -> None:
            try:
                self._processor = processor = self._open_processor()
                self.volumes = HeldVolumes(
                    self._limit or int(processor.memory * _SHARE), processor.upload, processor.release
                )
                self.name = processor.name
            except Exception as error:
                self.lost = f"There is no graphics processor to draw with ({error})."
                raise DeviceFailed(self.lost) from error

        self._ask(opened)

    def warm(self) -> None:
        """Compile the kernels and compare what they draw with the CPU; a device that draws otherwise is given up. Some
        seconds; not to be called in a thread that others wait for."""
        try:
            wrong = differences(self)
        except DeviceFailed:
            return
        finally:
            self._seconds = DRAW_SECONDS
        if wrong:
            self.give_up(f"The graphics processor draws otherwise than the CPU ({wrong}).")

    def give_up(self, reason: str) -> None:
        """Draw nothing any more: what a driver has met with stays for the rest of the process."""
        if not self.lost:
            self.lost = reason
            logger.error("%s Volumes are drawn by the CPU until the server is started anew.", reason)

    def close(self) -> None:
        """Stop. Does not wait for a device that does not answer."""
        self.lost = self.lost or "The graphics processor is not used any more."
        self._wishes.put(None)
        self._thread.join(timeout=1.0)

    # --- its thread

    def _drawn(self, draw: Draw) -> Pixels:
        return self._ask(lambda: self._with_room(draw))

    def _ask(self, wish: Callable[[], T]) -> T:
        """What `wish` gives on the device's thread, if it does so in time."""
        if self.lost:
            raise DeviceFailed(self.lost)
        future: Future[T] = Future()
        self._wishes.put((wish, future))
        try:
            return future.result(timeout=self._seconds)
        except DeviceFailed:
            raise
        except TimeoutError:
            future.cancel()
            self.give_up("The graphics processor does not answer.")
        except Exception as error:
            logger.exception("The graphics processor failed")
            self.give_up(f"The graphics processor failed ({type(error).__name__}).")
        raise DeviceFailed(self.lost)

    def _work(self) -> None:
        while (asked := self._wishes.get()) is not None:
            wish, future = asked
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(wish())
                except BaseException as error:
                    future.set_exception(error)
            del asked, wish, future  # they hold on to volumes
        if self.volumes is not None:
            with suppress(Exception):  # of a device that failed
                self.volumes.clear()

    def _with_room(self, draw: Draw) -> Pixels:
        """Draw; where memory runs out, once more with no other volume on the device."""
        processor, volumes = self._processor, self.volumes
        if processor is None or volumes is None:
            raise DeviceFailed("The graphics processor was not opened.")
        try:
            try:
                return draw(processor, volumes)
            except Exception as error:
                if not processor.is_out_of_memory(error):
                    raise
            volumes.clear()
            processor.release()
            return draw(processor, volumes)
        except TooLargeForDevice as error:
            raise DeviceFailed("This volume takes more memory than the graphics processor has for volumes.") from error
        except Exception as error:
            if not processor.is_out_of_memory(error):
                raise
            logger.warning("The graphics processor is out of memory: %s", error)
            raise DeviceFailed("The graphics processor is out of memory.") from error


def find(setting: str, limit: int = 0, open_processor: Callable[[], Processor] | None = None) -> Device | None:
    """The graphics processor of this machine. `setting`: "off" looks for none; "auto" is content where there is none; "on"
    expects one, and where there is none every picture of a volume says so. `limit`: bytes of its memory for volumes, 0 for
    most of what is free. `Device.warm` is to be called before readers come."""
    if setting == "off":
        return None
    device = Device(open_processor or _open_cuda, limit)
    try:
        device.open()
    except DeviceFailed as failed:
        if setting == "on":
            logger.error("%s Volumes are drawn by the CPU.", failed)
            return device
        packages = not isinstance(failed.__cause__, ImportError)
        logger.log(logging.WARNING if packages else logging.DEBUG, "%s", failed)
        device.close()
        return None
    return device


def _open_cuda() -> Processor:
    return Cuda.open()


def _numbers_of(pipeline: Greyscale) -> NDArray[np.float64]:
    """What the kernel `finish` takes of a pipeline as numbers."""
    window = (pipeline.center, pipeline.width, pipeline.low, pipeline.high, pipeline.table_first)
    return np.array((pipeline.slope, pipeline.intercept, *window), np.float64)
