"""What of a stored object leaves changed, and what it was before (Original Attributes Sequence, PS3.3 C.12.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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


@dataclass(frozen=True, slots=True)
class Changes:
    """How one object leaves: keyword -> value of attributes at its top level. Nothing in here: as stored."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    original: tuple[Original, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.attributes)


AS_STORED = Changes()
