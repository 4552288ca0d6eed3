"""`resolve(view, source)`: everything that a View leaves to the server, decided for one frame or one volume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from . import planes
from .colour import COLOR_MAPS, GREY, is_colour
from .dressing import own_voi, state_of
from .fusion import resolve_fusion
from .presented import default_size
from .presets import Preset, named_presets, preset_of
from .sampling import resolved_size
from .segments import check_projection
from .transfer import presets_for
from .view import BadView, View, needs_volume, varied
from .voi import curve_of, default_function, default_voi, described_voi, voi_from_percentiles
from .volume import Frame, FrameDescription, LookupTable, Volume, Window

Default = Callable[[FrameDescription], Preset]


def resolve(view: View, source: Frame | Volume, fused: Volume | None = None) -> View:
    """Fill everything the View leaves to the server. Resolving twice is resolving once.

    `frame`, the place in the stack, is left to whoever holds the stack. A window is explicit numbers afterwards, unless a VOI
    LUT of the file is used: then `preset` is its name. What plays no part in the picture is given back. `fused` is the volume
    of `view.fusion`; without it that is left as it is. Raises `BadView` for what cannot be drawn.
    """
    check_projection(view)
    return _of_volume(view, source, fused) if isinstance(source, Volume) else _of_frame(view, source)


def _of_frame(view: View, frame: Frame) -> View:
    if needs_volume(view):
        field = "plane" if view.plane != "acquired" else "fusion" if view.fusion is not None else "projection"
        raise BadView(f"{field}: a single image is drawn as it was acquired")
    description = frame.description
    zoom, size = _size_of_frame(view, frame)
    colour = is_colour(frame)
    differs = frame.dressing is not None and frame.dressing.subtracted is not None
    return varied(
        view,
        center=None,
        slab_thickness=0.0,
        volume_preset=None,
        clip=None,
        sop_instance_uid=description.sop_instance_uid,
        frame_number=description.frame_number,
        # A picture with colours of its own takes no map.
        color_map=None if colour else _color_map(view),
        zoom=zoom,
        size=size,
        mask=view.mask if differs else None,
        presentation_state=view.presentation_state if state_of(frame) else None,
        **(_colour_window(view) if colour else _grey_window(view, frame, _default_of(frame))),
    )


def _size_of_frame(view: View, frame: Frame) -> tuple[float | str | None, tuple[int, int]]:
    state = state_of(frame)
    if state is not None:
        view = default_size(view, state)
        view = varied(view, rotation=(state.rotation + view.rotation) % 360)  # a flip leaves the sides as they are
    return resolved_size(view, frame.description)


def _of_volume(view: View, volume: Volume, fused: Volume | None) -> View:
    zoom, size = planes.resolved_size(view, volume.geometry)
    acquired = view.plane == "acquired"
    if acquired and not 0 <= (view.frame or 0) < volume.frames:
        raise BadView(f"frame: this stack has {volume.frames}, counted from 0")
    view = varied(
        view,
        frame=view.frame if acquired else None,
        sop_instance_uid=view.sop_instance_uid if acquired else None,
        frame_number=view.frame_number if acquired else None,
        center=None if acquired else view.center or planes.default_center(view, volume.geometry),
        zoom=zoom,
        size=size,
        mask=None,
        overlays=(),
        presentation_state=None,
    )
    if view.projection == "volume":
        return _lit(view, volume)
    colour = volume.colour
    fusion = view.fusion
    return varied(
        view,
        slab_thickness=0.0 if view.projection == "slice" else view.slab_thickness,
        volume_preset=None,
        clip=None,
        color_map=None if colour else _color_map(view),
        fusion=fusion if fusion is None or fused is None else resolve_fusion(fusion, volume, fused),
        **(_colour_window(view) if colour else _grey_window(view, volume.as_frame, _default_of_volume(volume))),
    )


def _lit(view: View, volume: Volume) -> View:
    """A volume picture: light through the whole volume unless a slab is asked for; colours come from the preset alone."""
    if volume.colour:
        raise BadView("projection: a volume picture is made from grey values, not from colours")
    if view.fusion is not None:
        raise BadView("fusion: nothing is laid over a volume picture")
    offered = presets_for(volume.description)
    if view.volume_preset is not None and view.volume_preset not in offered:
        raise BadView(f"volume_preset: one of {', '.join(offered)} is needed")
    return varied(
        view,
        slab_thickness=view.slab_thickness or "all",
        volume_preset=view.volume_preset or offered[0],
        window_center=None,
        window_width=None,
        voi_lut_function=None,
        preset=None,
        inverted=False,
        color_map=None,
    )


def _color_map(view: View) -> str:
    if view.color_map is not None and view.color_map not in COLOR_MAPS:
        raise BadView(f"color_map: one of {', '.join(COLOR_MAPS)} is needed")
    return view.color_map or GREY


# --- windows


def _default_of(frame: Frame) -> Default:
    return lambda description: own_voi(frame, description) or default_voi(description, frame.values)


def _default_of_volume(volume: Volume) -> Default:
    """As for its frames, but a window from the pixels is one from all of them."""

    def default(description: FrameDescription) -> Preset:
        said = described_voi(replace(volume.description, voi_luts=description.voi_luts))
        return said or voi_from_percentiles(description, volume.as_frame.values)

    return default


def _grey_window(view: View, frame: Frame, default: Default) -> dict[str, Any]:
    """The four fields of the window: explicit numbers, or the name of a VOI LUT of the file."""
    description = frame.description
    preset = _chosen_preset(view, description, default)
    if isinstance(preset, LookupTable):
        return {"preset": _name_of(preset, description)}
    center = preset.center if view.window_center is None else view.window_center
    width = preset.width if view.window_width is None else view.window_width
    function = view.voi_lut_function
    if function is None and view.window_center is None and view.window_width is None:
        function = preset.voi_lut_function
    if function is None:
        function = default_function(description, frame.values, width)
    return _window(center, width, function)


def _window(center: float, width: float, function: str) -> dict[str, Any]:
    curve_of(function, center, width)  # refuses a width that the function does not allow
    return {"window_center": center, "window_width": width, "voi_lut_function": function, "preset": None}


def _chosen_preset(view: View, description: FrameDescription, default: Default) -> Preset:
    """The window or VOI LUT that gives what the View does not say; a VOI LUT only where the View says nothing."""
    if view.preset is not None:
        return preset_of(description, view.preset)
    if view.window_center is not None and view.window_width is not None:
        return Window(view.window_center, view.window_width)
    chosen = default(description)
    partly = view.window_center is not None or view.window_width is not None or view.voi_lut_function is not None
    if isinstance(chosen, LookupTable) and partly:
        chosen = default(replace(description, voi_luts=()))
    return chosen


def _name_of(table: LookupTable, description: FrameDescription) -> str:
    return next(name for name, (preset, _) in named_presets(description).items() if preset is table)


def _colour_window(view: View) -> dict[str, Any]:
    """Colour is drawn as it is; a window is applied to each channel, 0..255, when one is asked for in full."""
    if view.preset is not None:
        raise BadView("preset: none are the presets of a colour image")
    if view.window_center is None or view.window_width is None:
        return {"window_center": None, "window_width": None, "voi_lut_function": None}
    function = view.voi_lut_function or ("LINEAR" if view.window_width >= 1.0 else "LINEAR_EXACT")
    return _window(view.window_center, view.window_width, function)
