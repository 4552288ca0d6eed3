"""`render(frame, view) -> Picture`: the one function behind every picture that leaves the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .colour import GREY
from .drawing import draw_slice
from .encode import ENCODERS, encode
from .geometry import PictureGeometry, picture_geometry, picture_millimetres
from .resolve import resolve
from .sampling import Placement, coarser, place
from .view import View
from .volume import Frame, FrameDescription, LookupTable, Palette

__all__ = ["PROJECTIONS", "RENDERER", "Picture", "render", "resolve", "warm"]

RENDERER = "numba/1"
"""Kernel family and version; the version grows whenever any byte of any picture changes."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture: `pixels` are 8 bits, (rows, columns) grey or (rows, columns, 3) RGB, C-contiguous."""

    pixels: NDArray[np.uint8]
    sampling: str
    """`native`, `enlarged`, `reduced` or `reformatted`."""
    geometry: PictureGeometry | None
    millimetres: tuple[float, float] | None
    """mm between the picture's rows and between its columns, where the file says so."""
    millimetres_source: str
    """What says so ("Pixel Spacing"); empty without millimetres."""
    view: View
    """Resolved: what was drawn, with nothing left to choose."""


def render(frame: Frame, view: View, most: int | None = None) -> Picture:
    """Draw one frame. Pure, safe in any thread, the same bytes every time. Raises `BadView`.

    With `most` the picture has that many pixels at most, over the same part of the patient: geometry and millimetres are
    those of the pixels drawn; `view` and `sampling` stay those of the picture that was asked for.
    """
    view = resolve(view, frame)
    asked = place(view, frame.description)
    placement = asked if most is None else coarser(asked, most)
    millimetres = picture_millimetres(placement, frame.description)
    return Picture(
        pixels=PROJECTIONS[view.projection](frame, view, placement),
        sampling=asked.sampling,
        geometry=picture_geometry(placement, frame.description),
        millimetres=millimetres,
        millimetres_source=frame.description.pixel_spacing_source if millimetres else "",
        view=view,
    )


def warm() -> None:
    """Compile every kernel for every kind of stored value, or load it from disk, so that no reader waits for it."""
    table = LookupTable(0, np.zeros(2, np.uint16), 8)
    window = View(window_center=1.0, window_width=2.0)
    for dtype in (np.uint8, np.uint16, np.int16, np.float64):
        few_values = np.tile(np.arange(32, dtype=dtype), (32, 1))
        many_values = np.arange(64, dtype=dtype).reshape(8, 8)
        for size in ((32, 32), (40, 40), (20, 20)):
            render(_plain(few_values), replace(window, size=size))
        render(_plain(few_values, modality_lut=table), window)
        render(_plain(many_values), window)
    colour = np.zeros((32, 32, 3), np.uint8)
    pictures = [render(_plain(colour, photometric), View()).pixels for photometric in ("RGB", "YBR_FULL")]
    pictures += [render(_plain(few_values), replace(window, color_map=name)).pixels for name in (GREY, "hot_iron")]
    pictures.append(render(_plain(few_values, palette=Palette(table, table, table)), View()).pixels)
    for pixels in pictures:
        for media_type in ENCODERS:
            encode(pixels, media_type)


def _plain(values: NDArray[np.generic], photometric: str = "MONOCHROME2", **more: Any) -> Frame:
    """A frame of nothing but these values; `more` are fields of its description."""
    bits = 8 * values.dtype.itemsize
    description = FrameDescription(
        rows=values.shape[0],
        columns=values.shape[1],
        samples_per_pixel=3 if values.ndim == 3 else 1,
        photometric_interpretation=photometric,
        bits_allocated=bits,
        bits_stored=bits,
        pixel_representation=0,
        modality="OT",
        sop_instance_uid="1",
        frame_number=1,
        **more,
    )
    return Frame(values, photometric, description)


PROJECTIONS: dict[str, Callable[[Frame, View, Placement], NDArray[np.uint8]]] = {"slice": draw_slice}
"""How the pixels of a View are made, by its `projection`."""
