"""One volume, a resolved View and a sight to pixels: rays, then VOI, polarity and colours, in bands of rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .colour import GREY, coloured
from .compositing import ClipBox, composite
from .drawing import colour_pipeline, grey_pipeline
from .fusion import blend, overlay_pipeline
from .grey import Greyscale, shade
from .planes import Sight
from .projections import Rays, project
from .storing import Run
from .transfer import TransferTable, table_of
from .view import BadView, View
from .volume import Volume
from .voxels import seen_range

Pixels = NDArray[np.uint8]

RENDERER = "numba/1"
"""Kernel family and version; the version grows whenever any byte of any picture changes."""

_GROUP = 4096
"""Samples: rows are grouped until a group takes so many, so that a quick picture is not parted into crumbs."""
_BLOCK = 2**16
"""Sampled values that are held at once in a band; they stay in the second-level cache."""

_OPPOSITE = {"mip": "minip", "minip": "mip"}


class Painter(Protocol):
    """A processor that draws: the CPU below, or a graphics device. The work of a pixel is the same on both."""

    @property
    def renderer(self) -> str:
        """Kernel family and version."""

    def sampled(
        self,
        volume: Volume,
        rays: Rays,
        projection: str,
        size: tuple[int, int],
        sub: int,
        pipeline: Greyscale,
        floor: float,
        ceiling: float,
        channel: int | None = None,
    ) -> Pixels:
        """`projections.project` for (rows x sub, columns x sub) rays and `grey.shade` of it: (rows, columns)."""

    def lit(
        self, volume: Volume, rays: Rays, table: TransferTable, clip: ClipBox | None, size: tuple[int, int]
    ) -> Pixels:
        """`compositing.composite` of a whole picture: (rows, columns, 3)."""


def draw_volume(volume: Volume, view: View, sight: Sight, painter: Painter, fused: Volume | None = None) -> Pixels:
    """(rows, columns) grey, or (rows, columns, 3) where there is colour. Background is black."""
    if view.projection == "volume":
        table = table_of(str(view.volume_preset), volume, sight.depth.step)
        return painter.lit(volume, sight.rays(volume.geometry), table, view.clip, sight.size)
    if volume.colour:
        pipeline = colour_pipeline(view)
        channels = [_sampled(volume, view.projection, sight, pipeline, painter, channel) for channel in range(3)]
        picture = np.stack(channels, axis=-1)
    else:
        picture = _sampled(volume, view.projection, sight, grey_pipeline(view, volume.as_frame), painter)
        if view.color_map not in (None, GREY):
            picture = coloured(picture, str(view.color_map))
    if view.fusion is None:
        return picture
    if fused is None:
        raise BadView("fusion: the other series is needed")
    levels = _sampled(fused, view.projection, sight, overlay_pipeline(view.fusion, fused), painter)
    return blend(picture, levels, view.fusion)


def _sampled(
    volume: Volume, projection: str, sight: Sight, pipeline: Greyscale, painter: Painter, channel: int | None = None
) -> Pixels:
    """One channel of a volume through a pipeline: (rows, columns)."""
    if pipeline.slope < 0.0:  # the greatest modality value is the least of those kept
        projection = _OPPOSITE.get(projection, projection)
    # Means of several rays are made of the values themselves.
    clamped = sight.sub == 1 and projection in _OPPOSITE
    floor, ceiling = seen_range(pipeline) if clamped else (-math.inf, math.inf)
    rays = sight.rays(volume.geometry, sight.sub)
    return painter.sampled(volume, rays, projection, sight.size, sight.sub, pipeline, floor, ceiling, channel)


class Cpu:
    """Draws in bands of rows, on the threads that `run` spreads them over."""

    renderer = RENDERER

    def __init__(self, run: Run) -> None:
        self._run = run

    def sampled(
        self,
        volume: Volume,
        rays: Rays,
        projection: str,
        size: tuple[int, int],
        sub: int,
        pipeline: Greyscale,
        floor: float,
        ceiling: float,
        channel: int | None = None,
    ) -> Pixels:
        rows, columns = size
        picture = np.empty(size, np.uint8)
        block = max(1, _BLOCK // (columns * sub * sub))

        def draw_rows(first: int, end: int) -> None:
            values = np.empty((min(block, end - first) * sub, columns * sub), np.float32)
            for top in range(first, end, block):
                bottom = min(top + block, end)
                part = values[: (bottom - top) * sub]
                project(volume, rays, projection, top * sub, bottom * sub, part, floor, ceiling, channel)
                shade(part, sub, pipeline, picture[top:bottom])

        self._in_groups(draw_rows, rows, columns * sub * sub * rays.samples)
        return picture

    def lit(
        self, volume: Volume, rays: Rays, table: TransferTable, clip: ClipBox | None, size: tuple[int, int]
    ) -> Pixels:
        picture = np.empty((*size, 3), np.uint8)

        def draw_rows(first: int, end: int) -> None:
            composite(volume, rays, table, clip, first, end, picture[first:end])

        self._in_groups(draw_rows, size[0], size[1] * rays.samples)
        return picture

    def _in_groups(self, draw_rows: Callable[[int, int], None], rows: int, work: int) -> None:
        """`run` over groups of rows; `work` is that of one row in samples."""
        group = max(1, _GROUP // work)
        self._run(lambda first, end: draw_rows(first * group, min(end * group, rows)), -(-rows // group))
