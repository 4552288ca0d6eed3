"""`resolve(view, frame)`: everything that a View leaves to the server, decided for one frame."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .colour import COLOR_MAPS, GREY, is_colour
from .presets import Preset, named_presets, preset_of
from .sampling import resolved_size
from .view import BadView, View, needs_volume
from .voi import curve_of, default_function, default_voi
from .volume import Frame, FrameDescription, LookupTable, Window


def resolve(view: View, frame: Frame) -> View:
    """Fill everything the View leaves to the server. Resolving twice is resolving once.

    `frame`, the place in the stack, is left to whoever holds the stack. A window is explicit numbers afterwards, unless a VOI
    LUT of the file is used: then `preset` is its name. Raises `BadView` for what this frame cannot be drawn with.
    """
    if needs_volume(view):
        field = "plane" if view.plane != "acquired" else "fusion" if view.fusion is not None else "projection"
        raise BadView(f"{field}: a single image is drawn as it was acquired")
    description = frame.description
    zoom, size = resolved_size(view, description)
    colour = is_colour(frame)
    window = _colour_window(view) if colour else _grey_window(view, frame)
    return replace(
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
        **window,
    )


def _color_map(view: View) -> str:
    if view.color_map is not None and view.color_map not in COLOR_MAPS:
        raise BadView(f"color_map: one of {', '.join(COLOR_MAPS)} is needed")
    return view.color_map or GREY


def _grey_window(view: View, frame: Frame) -> dict[str, Any]:
    """The four fields of the window: explicit numbers, or the name of a VOI LUT of the file."""
    description = frame.description
    preset = _chosen_preset(view, frame)
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


def _chosen_preset(view: View, frame: Frame) -> Preset:
    """The window or VOI LUT that gives what the View does not say; a VOI LUT only where the View says nothing."""
    if view.preset is not None:
        return preset_of(frame.description, view.preset)
    if view.window_center is not None and view.window_width is not None:
        return Window(view.window_center, view.window_width)
    default = default_voi(frame.description, frame.values)
    partly = view.window_center is not None or view.window_width is not None or view.voi_lut_function is not None
    if isinstance(default, LookupTable) and partly:
        default = default_voi(replace(frame.description, voi_luts=()), frame.values)
    return default


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
