"""A second volume laid over a picture, in colours: PET over CT. What lies over each other lies at the same patient point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .colour import COLOR_MAPS
from .compiled import compiled
from .drawing import grey_pipeline
from .fields import BadView
from .grey import Greyscale
from .view import Fusion, View
from .voi import curve_of, default_function, described_voi, voi_from_percentiles
from .volume import Volume, Window

OPACITY = 0.5
COLOR_MAP = "hot_iron"
_FADES = 32
"""Grey levels at the lower end of the window over which an overlay fades in."""


def resolve_fusion(fusion: Fusion, volume: Volume, fused: Volume) -> Fusion:
    """Fill what a fusion leaves to the server. Raises `BadView` where the two cannot be laid over each other."""
    here, there = volume.geometry.frame_of_reference_uid, fused.geometry.frame_of_reference_uid
    if not here or here != there:
        raise BadView("fusion: the two series have no frame of reference in common, so nobody knows how they lie")
    if fused.colour:
        raise BadView("fusion: a series in colour cannot be laid over another")
    if fusion.color_map is not None and fusion.color_map not in COLOR_MAPS:
        raise BadView(f"fusion: color_map: one of {', '.join(COLOR_MAPS)} is needed")
    center, width, function = _window(fusion, fused)
    return replace(
        fusion,
        window_center=center,
        window_width=width,
        voi_lut_function=function,
        color_map=fusion.color_map or COLOR_MAP,
        opacity=OPACITY if fusion.opacity is None else fusion.opacity,
    )


def _window(fusion: Fusion, fused: Volume) -> tuple[float, float, str]:
    center, width, function = fusion.window_center, fusion.window_width, fusion.voi_lut_function
    frame = fused.as_frame
    if center is None or width is None:
        default = described_voi(replace(fused.description, voi_luts=()))
        if not isinstance(default, Window):
            default = voi_from_percentiles(frame.description, frame.values)
        if center is None and width is None:
            function = function or default.voi_lut_function
        center = default.center if center is None else center
        width = default.width if width is None else width
    function = function or default_function(frame.description, frame.values, width)
    try:
        curve_of(function, center, width)
    except BadView as error:
        raise BadView(f"fusion: {error}") from error
    return center, width, function


def overlay_pipeline(fusion: Fusion, fused: Volume) -> Greyscale:
    """Where in its window each value of a resolved overlay lies; polarity is for grey pictures and plays no part."""
    window = View(
        window_center=fusion.window_center,
        window_width=fusion.window_width,
        voi_lut_function=fusion.voi_lut_function,
    )
    return grey_pipeline(window, fused.as_frame)._replace(inverted=False)


def blend(picture: NDArray[np.uint8], levels: NDArray[np.uint8], fusion: Fusion) -> NDArray[np.uint8]:
    """(rows, columns, 3): the picture, grey or RGB, under the overlay's grey `levels` in its colours.

    The overlay has its full `opacity` from an eighth of its window on and fades to nothing below, so that it leaves no trace
    where it shows nothing or does not reach.
    """
    if fusion.color_map is None or fusion.opacity is None:
        raise BadView("fusion: the View is not resolved")
    shares = np.minimum(np.arange(256) / _FADES, 1.0).astype(np.float32) * np.float32(fusion.opacity)
    blended = np.empty((*levels.shape, 3), np.uint8)
    channels = 1 if picture.ndim == 2 else 3
    _blend(picture.reshape(-1), channels, levels.reshape(-1), COLOR_MAPS[fusion.color_map], shares, blended.reshape(-1))
    return blended


@compiled
def _blend(
    below: NDArray[np.uint8],
    channels: int,
    levels: NDArray[np.uint8],
    colours: NDArray[np.uint8],
    shares: NDArray[np.float32],
    blended: NDArray[np.uint8],
) -> None:
    for i in range(levels.size):
        level = levels[i]
        share = shares[level]
        for channel in range(3):
            base = np.float32(below[i * channels + (channel if channels == 3 else 0)])
            value = base + (np.float32(colours[level, channel]) - base) * share
            blended[3 * i + channel] = np.uint8(np.int32(value + np.float32(0.5)))
