"""`render(source, view) -> Picture`: the one function behind every picture that leaves the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import storing
from .bricks import bricks_of
from .bricks import warm as warm_bricks
from .colour import GREY
from .device import DeviceFailed
from .drawing import draw_slice
from .dressing import finished, graphics, laid_out, subtraction_of, true_size_of
from .encode import ENCODERS, encode
from .geometry import PictureGeometry, picture_geometry, picture_millimetres
from .planes import Sight, center_of, fewer, scroll, sight, smallest_spacing
from .reformat import RENDERER, Cpu, Painter, draw_volume
from .regions import picture_scale
from .resolve import resolve
from .sampling import coarser, place
from .segments import Segmentation, draw_segments
from .segments import warm as warm_segments
from .storing import Run, serial
from .view import BadView, Fusion, View, needs_volume
from .volume import Frame, FrameDescription, LookupTable, Palette, Volume, VolumeGeometry

__all__ = ["PROJECTIONS", "RENDERER", "Picture", "needs_volume", "render", "resolve", "serial", "warm"]


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
    renderer: str = RENDERER
    """Kernel family and version that drew it."""
    warnings: tuple[str, ...] = ()
    """For the reader: those of the images, what was corrected to make a volume of them, what the device could not draw."""
    depth: Mapping[str, Any] | None = None
    """For scrolling through a volume, as the frame header of the protocol gives it; None for an acquired plane."""
    placement: Mapping[str, Any] | None = None
    """Of an acquired picture: where its pixels lie in the stored frame, as the frame header of the protocol gives it."""
    laid_out: View | None = None
    """Where a presentation state turns or enlarges the frame: the plain View that lies like it, for points on the picture."""
    graphics: tuple[Mapping[str, Any], ...] | None = None
    """Drawings of the presentation state in pixels of the picture; None without one."""
    subtraction: Mapping[str, Any] | None = None
    """What was subtracted, as the frame header of the protocol gives it."""
    true_size: tuple[float, float] | None = None
    """mm (height, width) that a stored voxel shall have on the display, where a presentation state asks for true size."""
    final: bool = True
    """The same pixels as without `most`: nothing was left out to be quick."""


def render(
    source: Frame | Volume,
    view: View,
    most: int | None = None,
    run: Run = serial,
    fused: Volume | None = None,
    device: Painter | None = None,
    segmented: Sequence[Segmentation] = (),
) -> Picture:
    """Draw one frame, or a volume for Views that `needs_volume`. Pure, safe in any thread, the same bytes every time and on
    any number of threads. Raises `BadView`.

    With `most` the picture has that many pixels at most, over the same part of the patient: geometry and millimetres are
    those of the pixels drawn; `view` and `sampling` stay those of the picture that was asked for. `fused` is the volume of
    `view.fusion`, `segmented` are the objects of `view.segmentations`. Volumes are drawn by `device` where there is one and it
    can; else by the CPU, with a note in `warnings`.
    """
    if isinstance(source, Volume):
        return _render_volume(source, view, most, run, fused, device, segmented)
    return _render_frame(source, view, most, segmented)


def _render_volume(
    volume: Volume,
    view: View,
    most: int | None,
    run: Run,
    fused: Volume | None,
    device: Painter | None,
    segmented: Sequence[Segmentation],
) -> Picture:
    if view.fusion is not None and fused is None:
        raise BadView("fusion: the series to lay over this one is needed")
    view = resolve(view, volume, fused)
    center = center_of(view, volume)
    whole = sight(view, volume, center)
    drawn = whole if most is None else fewer(whole, most, smallest_spacing(volume.geometry))
    pixels, renderer, notes = _painted(volume, view, drawn, run, fused, device)
    if view.segmentations:
        pixels = draw_segments(pixels, view, segmented, drawn.geometry())
    return Picture(
        pixels=pixels,
        sampling="reformatted",
        geometry=drawn.geometry(),
        millimetres=drawn.pixel_spacing,
        millimetres_source=_MILLIMETRES,
        view=view,
        renderer=renderer,
        warnings=(*volume.description.warnings, *volume.corrections, *notes),
        depth=None if view.plane == "acquired" else scroll(view, volume.geometry, center).to_json(),
        final=drawn is whole,
    )


def _painted(
    volume: Volume, view: View, drawn: Sight, run: Run, fused: Volume | None, device: Painter | None
) -> tuple[NDArray[np.uint8], str, tuple[str, ...]]:
    """Pixels, the renderer that made them, and notes: the CPU draws what the device cannot."""
    notes: tuple[str, ...] = ()
    if device is not None:
        try:
            return draw_volume(volume, view, drawn, device, fused), device.renderer, notes
        except DeviceFailed as failed:
            notes = (str(failed),)
    return draw_volume(volume, view, drawn, Cpu(run), fused), RENDERER, notes


def _render_frame(frame: Frame, view: View, most: int | None, segmented: Sequence[Segmentation]) -> Picture:
    view = resolve(view, frame)
    lies = laid_out(view, frame)
    asked = place(lies, frame.description)
    placement = asked if most is None else coarser(asked, most)
    millimetres = picture_millimetres(placement, frame.description)
    geometry = picture_geometry(placement, frame.description)
    pixels = finished(draw_slice(frame, view, placement), frame, placement)
    if view.segmentations:
        image = frame.description
        pixels = draw_segments(
            pixels, view, segmented, geometry, (placement, image.sop_instance_uid, image.frame_number)
        )
    return Picture(
        pixels=pixels,
        sampling=asked.sampling,
        geometry=geometry,
        millimetres=millimetres,
        millimetres_source=picture_scale(frame.description)[1] if millimetres else "",
        view=view,
        warnings=(*frame.description.warnings, *(frame.dressing.notes if frame.dressing else ())),
        placement=placement.to_json(),
        laid_out=None if lies is view else lies,
        graphics=graphics(frame, placement),
        subtraction=subtraction_of(frame),
        true_size=true_size_of(frame),
        final=placement is asked,
    )


def warm() -> None:
    """Compile every kernel for every kind of stored value, or load it from disk, so that no reader waits for it."""
    storing.warm()
    warm_bricks()
    warm_segments()
    pictures = [*_pictures_of_frames(), *_pictures_of_volumes()]
    for pixels in pictures:
        for media_type in ENCODERS:
            encode(pixels, media_type)


def _pictures_of_frames() -> list[NDArray[np.uint8]]:
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
    return pictures


def _pictures_of_volumes() -> list[NDArray[np.uint8]]:
    view = View(plane="axial", window_center=1.0, window_width=2.0, size=(20, 20), fusion=Fusion("1", opacity=0.5))
    pictures = []
    for dtype in (np.int16, np.float32):
        for holes in (False, True):
            volume = _plain_volume(np.zeros((9, 9, 9), dtype), holes)
            for projection in PROJECTIONS:
                fusion = None if projection == "volume" else view.fusion
                seen = replace(view, projection=projection, slab_thickness="all", fusion=fusion)
                pictures.append(render(volume, seen, fused=volume).pixels)
    coloured = _plain_volume(np.zeros((3, 9, 9, 9), np.int16), False)
    pictures.append(render(coloured, replace(view, fusion=None)).pixels)
    return pictures[-2:]


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


def _plain_volume(values: NDArray[np.generic], holes: bool) -> Volume:
    values.flags.writeable = False
    slices, rows, columns = values.shape[-3:]
    geometry = VolumeGeometry((slices, rows, columns), (0.0, 0.0, 0.0), ((0, 0, -1), (0, 1, 0), (1, 0, 0)), "1")
    bricks = None if values.ndim == 4 else bricks_of(values)
    description = _plain(values[..., 0, :, :]).description
    return Volume("warm", values, geometry, description, holes=holes, bricks=bricks)


PROJECTIONS = ("slice", "mip", "minip", "mean", "volume")
"""What a View may ask for; a stack that makes no volume has slices alone."""

_MILLIMETRES = "Pixel Spacing and Image Position"
"""What says how large the pixels of a reformatted picture are."""
