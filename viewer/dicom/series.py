"""What a door hands to the engine when a series is opened: files, their digests and their indexes; no rows, no users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class InstanceFile:
    """One stored instance: where its bytes are, what they are, and the index that `read_instance` made of them."""

    path: Path
    digest: str
    """SHA-256 of the file, in hex: the key of everything derived from it."""
    index: Mapping[str, Any] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SeriesContent:
    """A series as it is at one version; instances in any order."""

    series: str
    organization: str
    version: str
    instances: tuple[InstanceFile, ...]
