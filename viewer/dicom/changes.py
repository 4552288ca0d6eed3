"""What of a stored object leaves changed, and what it was before (Original Attributes Sequence, PS3.3 C.12.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

SYSTEM = "FARVIEW"
"""Modifying System (0400,0563)."""


@dataclass(frozen=True, slots=True)
class Original:
    """One item of the Original Attributes Sequence (0400,0561)."""

    modified_at: str
    """DT."""
    modifying_system: str
    reason: str
    """CORRECT, COERCE or LOSSY."""
    source: str
    """Of the earlier values; may be empty."""
    attributes: Mapping[str, str]
    """DICOM keyword -> value before."""
    sequences: Dataset | None = None
    """Those that were there before, whole."""


@dataclass(frozen=True, slots=True)
class Changes:
    """How one object leaves. Nothing in here: as stored."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    """Keyword -> value, at its top level."""
    original: tuple[Original, ...] = ()
    moved: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Study and series as the object names them -> the study that the series is in now."""
    moved_at: str = ""
    """DT of the last of these moves."""

    def __bool__(self) -> bool:
        return bool(self.attributes or self.moved)


AS_STORED = Changes()
