"""Volumes in the memory of a graphics processor: bounded by bytes, least recently used first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


class TooLargeForDevice(Exception):
    """One volume takes more than all volumes together may take."""


@dataclass(slots=True)
class HeldCounts:
    """What happened so far."""

    hits: int = 0
    misses: int = 0
    """Volumes that were brought to the device."""
    evicted: int = 0


class HeldVolumes:
    """At most `limit` bytes of volumes. `upload` puts an array into the device's memory and raises where there is none left;
    `release` gives memory that nothing uses back to the driver. Called by the device's one thread."""

    def __init__(self, limit: int, upload: Callable[[NDArray[Any]], Any], release: Callable[[], None]) -> None:
        self.limit = limit
        self.used = 0
        self.counts = HeldCounts()
        self._upload, self._release = upload, release
        self._held: OrderedDict[str, tuple[Any, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: str, values: NDArray[Any]) -> Any:
        """The array of this key on the device, brought there where it is not."""
        found = self._held.get(key)
        if found is not None:
            self.counts.hits += 1
            self._held.move_to_end(key)
            return found[0]
        if values.nbytes > self.limit:
            raise TooLargeForDevice(f"{values.nbytes:,} bytes of {self.limit:,}")
        while self.used + values.nbytes > self.limit:
            self._evict()
        held = self._upload(values)
        self.counts.misses += 1
        self._held[key] = held, values.nbytes
        self.used += values.nbytes
        return held

    def clear(self) -> None:
        while self._held:
            self._evict()

    def _evict(self) -> None:
        _, (held, size) = self._held.popitem(last=False)
        del held  # before memory is given back
        self.used -= size
        self.counts.evicted += 1
        self._release()
