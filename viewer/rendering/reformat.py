"""One volume, a resolved View and a sight to pixels: rays, then VOI, polarity and colours, in bands of rows."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .colour import GREY, coloured
from .compositing import composite
from .drawing import colour_pipeline, grey_pipeline
from .fusion import blend, overlay_pipeline
from .grey import Greyscale, shade
from .planes import Sight
from .projections import project
from .storing import Run
from .transfer import table_of
from .view import BadView, Fusion, View
from .volume import Volume
from .voxels import as_frame, seen_range

Pixels = NDArray[np.uint8]

_GROUP = 4096
"""Samples: rows are grouped until a group takes so many, so that a quick picture is not parted into crumbs."""
_BLOCK = 2**16
"""Sampled values that are held at once in a band; they stay in the second-level cache."""

_OPPOSITE = {"mip": "minip", "minip": "mip"}


def draw_volume(volume: Volume, view: View, sight: Sight, run: Run, fused: Volume | None = None) -> Pixels:
    """(rows, columns) grey, or (rows, columns, 3) where there is colour. Background is black."""
    if view.projection == "volume":
        return _lit(volume, view, sight, run)
    if volume.colour:
        pipeline = colour_pipeline(view)
        channels = [_sampled(volume, view.projection, sight, pipeline, run, channel) for channel in range(3)]
        picture = np.stack(channels, axis=-1)
    else:
        picture = _sampled(volume, view.projection, sight, grey_pipeline(view, as_frame(volume)), run)
        if view.color_map not in (None, GREY):
            picture = coloured(picture, str(view.color_map))
    if view.fusion is None:
        return picture
    if fused is None:
        raise BadView("fusion: the other series is needed")
    return _overlaid(picture, view.projection, view.fusion, fused, sight, run)


def _overlaid(picture: Pixels, projection: str, fusion: Fusion, fused: Volume, sight: Sight, run: Run) -> Pixels:
    levels = _sampled(fused, projection, sight, overlay_pipeline(fusion, fused), run)
    return blend(picture, levels, fusion)


def _sampled(
    volume: Volume, projection: str, sight: Sight, pipeline: Greyscale, run: Run, channel: int | None = None
) -> Pixels:
    """One channel of a volume through a pipeline: (rows, columns)."""
    sub = sight.sub
    rays = sight.rays(volume.geometry, sub)
    if pipeline.slope < 0.0:  # the greatest modality value is the least of those kept
        projection = _OPPOSITE.get(projection, projection)
    # Means of several rays are made of the values themselves.
    floor, ceiling = seen_range(pipeline) if sub == 1 and projection in _OPPOSITE else (-math.inf, math.inf)
    rows, columns = sight.size
    picture = np.empty(sight.size, np.uint8)
    block = max(1, _BLOCK // (columns * sub * sub))

    def draw_rows(first: int, end: int) -> None:
        values = np.empty((min(block, end - first) * sub, columns * sub), np.float32)
        for top in range(first, end, block):
            bottom = min(top + block, end)
            part = values[: (bottom - top) * sub]
            project(volume, rays, projection, top * sub, bottom * sub, part, floor, ceiling, channel)
            shade(part, sub, pipeline, picture[top:bottom])

    _in_groups(draw_rows, rows, columns * sub * sub * rays.samples, run)
    return picture


def _lit(volume: Volume, view: View, sight: Sight, run: Run) -> Pixels:
    rays = sight.rays(volume.geometry)
    table = table_of(str(view.volume_preset), volume, sight.depth.step)
    rows, columns = sight.size
    picture = np.empty((rows, columns, 3), np.uint8)

    def draw_rows(first: int, end: int) -> None:
        composite(volume, rays, table, view.clip, first, end, picture[first:end])

    _in_groups(draw_rows, rows, columns * rays.samples, run)
    return picture


def _in_groups(draw_rows: Callable[[int, int], None], rows: int, work: int, run: Run) -> None:
    """`run` over groups of rows; `work` is that of one row in samples."""
    size = max(1, _GROUP // work)
    run(lambda first, end: draw_rows(first * size, min(end * size, rows)), -(-rows // size))
