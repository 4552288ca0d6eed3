"""Windows by name: those of the file first, then the usual ones for CT."""

from __future__ import annotations

from typing import Any

from .view import BadView
from .voi import SOFT_TISSUE, file_windows
from .volume import FrameDescription, LookupTable, Window

Preset = Window | LookupTable


def named_presets(description: FrameDescription) -> dict[str, tuple[Preset, str]]:
    """{name: (window or VOI LUT, "file" or "server")} in the order in which a reader wants them.

    The file's explanations (0028,1055) and (0028,3003) are the names; one without, or a name used twice, is numbered.
    """
    presets: dict[str, tuple[Preset, str]] = {}
    for number, window in enumerate(file_windows(description), 1):
        presets[_free_name(window.explanation, f"window {number}", presets)] = (window, "file")
    for number, table in enumerate(description.voi_luts, 1):
        presets[_free_name(table.explanation, f"VOI LUT {number}", presets)] = (table, "file")
    if description.modality == "CT" and description.unit == "HU":
        for window in CT_PRESETS:
            presets.setdefault(window.explanation, (window, "server"))
    return presets


def preset_of(description: FrameDescription, name: str) -> Preset:
    """The window or VOI LUT of that name. Raises `BadView` naming what there is."""
    presets = named_presets(description)
    if name not in presets:
        raise BadView(f"preset: {', '.join(presets) or 'none'} are the presets of this image")
    return presets[name][0]


def presets_for(description: FrameDescription) -> list[dict[str, Any]]:
    """As the protocol lists them: name, source, and a window or `"voi_lut": true`."""
    return [
        {"name": name, "source": source} | _numbers(preset)
        for name, (preset, source) in named_presets(description).items()
    ]


def _numbers(preset: Preset) -> dict[str, Any]:
    if isinstance(preset, LookupTable):
        return {"voi_lut": True}
    return {
        "window_center": preset.center,
        "window_width": preset.width,
        "voi_lut_function": preset.voi_lut_function,
    }


def _free_name(explanation: str, otherwise: str, taken: dict[str, tuple[Preset, str]]) -> str:
    name = explanation.strip()[:100] or otherwise
    number = 2
    while name in taken:
        name = f"{explanation.strip()[:100] or otherwise} ({number})"
        number += 1
    return name


CT_PRESETS: tuple[Window, ...] = (
    SOFT_TISSUE,
    Window(-600.0, 1500.0, "LINEAR", "lung"),
    Window(480.0, 2500.0, "LINEAR", "bone"),
    Window(40.0, 80.0, "LINEAR", "brain"),
    Window(90.0, 150.0, "LINEAR", "liver"),
    Window(80.0, 400.0, "LINEAR", "mediastinum"),
    Window(75.0, 215.0, "LINEAR", "subdural"),
    Window(40.0, 40.0, "LINEAR", "stroke"),
    Window(170.0, 600.0, "LINEAR", "angio"),
)
"""Centre and width in HU."""
