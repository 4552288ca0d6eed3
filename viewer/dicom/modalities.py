"""Which modalities (0008,0060) name objects about images and not images: PS3.3 C.7.3.1.1.1."""

from __future__ import annotations

from collections.abc import Iterable

NOT_IMAGES = frozenset(
    {
        *("SR", "KO", "PR", "SEG", "REG", "FID", "RWV", "DOC", "AU", "PLAN", "ASMT", "M3D", "TEXTUREMAP", "SMR"),
        *("RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD", "RTINTENT", "RTRAD", "RTSEGANN", "CTPROTOCOL", "XAPROTOCOL"),
    }
)
"""Made of images, or about them; also where they can be drawn."""
SECOND_HAND = frozenset({"OT", "SC"})
"""Pictures that do not say how they were taken."""


def examining(modalities: Iterable[str]) -> set[str]:
    """Those that say how somebody was examined."""
    return set(modalities) - NOT_IMAGES - SECOND_HAND - {""}
