"""Query parameters of rendered resources (PS3.18 8.3.5) as a View of one frame."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from viewer.archive.query import BadQuery
from viewer.rendering.fields import LARGEST_SIDE
from viewer.rendering.sampling import pixel_shape
from viewer.rendering.view import View
from viewer.rendering.volume import FrameDescription

QUALITY: Final = 90
FUNCTIONS: Final = {"linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}
ANNOTATIONS: Final = frozenset({"patient", "technique", "none", ""})
NUMBER_LENGTH: Final = 20


@dataclass(frozen=True, slots=True)
class Region:
    """Of the stored frame, in its pixels: left, top, width, height; turned round where a flip is asked for."""

    left: float
    top: float
    width: float
    height: float
    flip_horizontal: bool = False
    flip_vertical: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """How a frame is to be rendered. Nothing said: as it is, one pixel to one, in the first window of the file."""

    viewport: tuple[int, int] | None = None
    """Columns and rows at most; the picture keeps the shape of the frame."""
    region: Region | None = None
    window: tuple[float, float, str] | None = None
    quality: int = QUALITY

    def view(self, sop_instance_uid: str, frame_number: int, frame: FrameDescription) -> View:
        """The View that is drawn. Raises BadQuery for a region that is not within the frame."""
        view: dict[str, object] = {"sop_instance_uid": sop_instance_uid, "frame_number": frame_number}
        if self.window is not None:
            center, width, function = self.window
            view |= {"window_center": center, "window_width": width, "voi_lut_function": function}
        if self.viewport is not None or self.region is not None:
            view |= self._placed(frame)
        return View.from_json(view)

    def _placed(self, frame: FrameDescription) -> dict[str, object]:
        region = self.region or Region(0, 0, frame.columns, frame.rows)
        if region.left + region.width > frame.columns or region.top + region.height > frame.rows:
            raise BadQuery("viewport", f"the frame has {frame.columns} columns and {frame.rows} rows")
        height, width = pixel_shape(frame)
        height, width = height / min(height, width), width / min(height, width)
        columns, rows = self.viewport or (round(region.width * width), round(region.height * height))
        scale = min(rows / (region.height * height), columns / (region.width * width))
        size = [max(1, math.floor(side * scale + 0.5)) for side in (region.height * height, region.width * width)]
        placed: dict[str, object] = {"size": size}
        if self.region is not None:
            fit = min(size[0] / (frame.rows * height), size[1] / (frame.columns * width))
            across = (frame.columns / 2 - region.left - region.width / 2) * scale * width / size[1]
            down = (frame.rows / 2 - region.top - region.height / 2) * scale * height / size[0]
            placed |= {
                "zoom": scale / fit,
                "pan": [-across if region.flip_horizontal else across, -down if region.flip_vertical else down],
                "flip_horizontal": region.flip_horizontal,
                "flip_vertical": region.flip_vertical,
            }
        return placed


def wish_of(asked: Mapping[str, str]) -> Wish:
    """Of the parameters `viewport`, `window`, `quality`; `annotation` may name what is never burnt in here. Raises BadQuery."""
    annotations = {part.strip().lower() for part in asked.get("annotation", "").split(",")}
    if not annotations <= ANNOTATIONS:
        raise BadQuery("annotation", "patient, technique or none are expected; none of them is burnt in")
    quality = numbers("quality", asked["quality"], 1)[0] if asked.get("quality") else QUALITY
    if not (1 <= quality <= 100 and quality == int(quality)):
        raise BadQuery("quality", "a whole number from 1 to 100 is expected")
    viewport, region = _viewport(asked["viewport"]) if asked.get("viewport") else (None, None)
    return Wish(viewport, region, _window(asked["window"]) if asked.get("window") else None, int(quality))


def _viewport(text: str) -> tuple[tuple[int, int], Region | None]:
    """`vw,vh[,sx,sy,sw,sh]`, any of the last four left out (PS3.18 8.3.5.1.3)."""
    parts = text.split(",")
    if len(parts) not in (2, 6):
        raise BadQuery("viewport", "vw,vh or vw,vh,sx,sy,sw,sh is expected")
    columns, rows = numbers("viewport", ",".join(parts[:2]), 2)
    if not all(1 <= side <= LARGEST_SIDE and side == int(side) for side in (columns, rows)):
        raise BadQuery("viewport", f"whole numbers of pixels from 1 to {LARGEST_SIDE} are expected")
    if len(parts) == 2:
        return (int(columns), int(rows)), None
    left, top, width, height = numbers("viewport", ",".join(parts[2:]), 4)
    return (int(columns), int(rows)), region_of("viewport", left, top, width, height)


def region_of(field: str, left: float, top: float, width: float, height: float) -> Region:
    """A negative width or height turns the picture round. Raises BadQuery."""
    if left < 0 or top < 0 or not width or not height:
        raise BadQuery(field, "a region within the frame is expected")
    return Region(left, top, abs(width), abs(height), width < 0, height < 0)


def _window(text: str) -> tuple[float, float, str]:
    """`center,width,function` (PS3.18 8.3.5.1.4)."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in (2, 3) or (parts[2:] and parts[2].lower() not in FUNCTIONS):
        raise BadQuery("window", f"center,width,function is expected, the last one of {', '.join(FUNCTIONS)}")
    return window_of("window", ",".join(parts[:2]), parts[2].lower() if parts[2:] else "linear")


def window_of(field: str, text: str, function: str = "linear") -> tuple[float, float, str]:
    """Raises BadQuery."""
    center, width = numbers(field, text, 2)
    if width < 1 if function == "linear" else width <= 0:
        raise BadQuery(field, "the width is too small")
    return center, width, FUNCTIONS[function]


def numbers(field: str, text: str, count: int) -> list[float]:
    parts = [part.strip() for part in text.split(",")]
    try:
        found = [float(part) for part in parts if len(part) <= NUMBER_LENGTH]
    except ValueError:
        found = []
    if len(found) != count or not all(map(math.isfinite, found)):
        raise BadQuery(field, f"{count} number{'s' if count > 1 else ''} expected, parted by commas")
    return found
