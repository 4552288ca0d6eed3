"""`View`: what the reader wants to see, as a small frozen value. A picture is a pure function of (pixels, View).

The fields are those of the protocol (docs/protocol.md) and never change their meaning: signed reports keep Views for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


class BadView(ValueError):
    """The View cannot be drawn; the message names the field and says what is allowed."""


@dataclass(frozen=True, slots=True)
class View:
    """One picture. `None` means "the server chooses"; a resolved View has nothing left to choose."""

    series: str | None = None
    organization: str | None = None
    stack: int = 0
    plane: str = "acquired"
    frame: int | None = None
    sop_instance_uid: str | None = None
    frame_number: int | None = None
    projection: str = "slice"
    slab_thickness: float = 0.0
    window_center: float | None = None
    window_width: float | None = None
    voi_lut_function: str | None = None
    preset: str | None = None
    inverted: bool = False
    color_map: str | None = None
    rotation: int = 0
    flip_horizontal: bool = False
    flip_vertical: bool = False
    zoom: float | str | None = None
    pixel_spacing: float | None = None
    pan: tuple[float, float] = (0.0, 0.0)
    size: tuple[int, int] | None = None
