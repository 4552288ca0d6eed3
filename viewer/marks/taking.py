"""The numbers of a measurement, found by the server in the voxels, whatever the page has shown meanwhile.

What is measured on is not a picture that was sent but the plane that the View means, at full quality: an acquired frame by its
stored pixels, anything else by the plane through the volume.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from viewer.engine.engine import Engine, OpenSeries
from viewer.rendering import planes
from viewer.rendering.measuring import CannotMeasure, Shown
from viewer.rendering.sampling import pixel_shape
from viewer.rendering.sheets import Stated
from viewer.rendering.view import View, needs_volume
from viewer.rendering.volume import Frame, Volume

from .asked import Asked


@dataclass(frozen=True, slots=True)
class Taken:
    """What was found: the numbers, and the image or the frame of reference they belong to."""

    values: dict[str, Any]
    notes: list[str]
    stack: int
    sop_instance_uid: str
    frame_number: int | None
    frame_of_reference_uid: str


async def place(engine: Engine, series: OpenSeries, asked: Asked) -> tuple[View, Frame | Volume]:
    """The plane that is measured on, and what it is made of. Raises BadView, CannotDraw, CannotMeasure."""
    view = asked.placed
    if needs_volume(view):
        if asked.space == "image":
            raise CannotMeasure("points of an image belong to an acquired image, not to a plane through a volume")
        view = await engine.resolve(series, view)
        return view, await engine.source(series, view)
    placed, _ = series.place(replace(view, zoom=None, pixel_spacing=None, size=None, rotation=0, pan=(0.0, 0.0)))
    placed = replace(placed, zoom="native", flip_horizontal=False, flip_vertical=False)
    frame = await engine.source(series, placed)
    description = frame.description
    return replace(placed, size=(description.rows, description.columns)), frame


async def take(engine: Engine, series: OpenSeries, asked: Asked, stated: Stated | None = None) -> Taken:
    """Measure. `stated` is a reader's calibration of the frame; it says the millimetres of what lies in the image alone.

    Raises BadView, CannotDraw, CannotMeasure.
    """
    view, source = await place(engine, series, asked)
    if isinstance(source, Volume):
        geometry = planes.sight(view, source, planes.center_of(view, source)).geometry()
        reference = source.geometry.frame_of_reference_uid
    else:
        geometry, reference = None, source.description.frame_of_reference_uid
    size = view.size or (1, 1)
    shown = Shown(view, size[0], size[1], geometry, stated if asked.space == "image" else None)
    if asked.kind == "calibration":
        shown = replace(shown, stated=None)
    found = await engine.measure(series, asked.kind, asked.points, shown)
    return Taken(
        values=found["values"],
        notes=found["notes"],
        stack=view.stack,
        sop_instance_uid=view.sop_instance_uid or "",
        frame_number=view.frame_number,
        frame_of_reference_uid=reference,
    )


async def calibrate(engine: Engine, series: OpenSeries, asked: Asked, by: str) -> Taken:
    """A line on an image whose true length a reader states: how large the pixels are then. Raises CannotMeasure."""
    if asked.space != "image" or asked.known is None:
        raise CannotMeasure(
            "this image lies in the patient, with millimetres of its own: there is nothing to calibrate"
        )
    taken = await take(engine, series, asked)
    _, frame = await place(engine, series, asked)
    shape = pixel_shape(frame.description)
    (a, b), (c, d) = asked.points
    line = math.hypot((c - a) * shape[1], (d - b) * shape[0])
    if line <= 0.0:
        raise CannotMeasure("the two ends are the same point")
    source = stated_by(by)
    known = {"value": asked.known, "unit": "mm", "source": source}
    mm = frame.description.pixel_spacing is not None
    scale = {"value": asked.known / line, "unit": "mm/mm" if mm else "mm/px", "source": source}
    return replace(taken, values={"known": known, "scale": scale, **taken.values})


def stated_by(name: str) -> str:
    """What says the millimetres of a calibrated image."""
    return f"calibrated by {name}"
