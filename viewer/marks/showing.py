"""A key image of an acquired frame as a presentation state: its View, said in the words of PS3.3."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from viewer.dicom.frames import FrameSource
from viewer.models import KeyImage, Measurement
from viewer.objects.header import Reference
from viewer.objects.presentation_state import Drawing, State, Words
from viewer.rendering.colour import GREY
from viewer.rendering.presets import preset_of
from viewer.rendering.sampling import place
from viewer.rendering.view import View
from viewer.rendering.volume import FrameDescription, LookupTable, Window

from .annotating import Pair, drawings_of, pixels_in, pixels_of, words_of

Area = tuple[tuple[int, int], tuple[int, int]]

SAID = frozenset(
    {
        *("series", "organization", "stack", "frame", "sop_instance_uid", "frame_number", "slab_thickness"),
        *("window_center", "window_width", "voi_lut_function", "preset", "inverted"),
        *("rotation", "flip_horizontal", "flip_vertical", "zoom", "pixel_spacing", "pan", "size"),
    }
)
"""Fields of a View that a presentation state says, or need not say."""
_PLAIN = {"plane": "acquired", "projection": "slice", "color_map": GREY}


def is_plain(view: Mapping[str, Any]) -> bool:
    """Whether a resolved View shows an acquired frame with nothing that a presentation state here cannot say."""
    return all(
        name in SAID or value in (None, [], {}, False, _PLAIN.get(name)) for name, value in view.items()
    ) and view.get("plane") in (None, "acquired")


def state_of(
    kept: KeyImage,
    frame: FrameSource,
    image: Reference,
    frame_number: int | None,
    marks: Sequence[Measurement],
    made_by: str,
    label: str = "KEY IMAGE",
) -> State | None:
    """How a key image shows its frame; None where its colours are not those of the file. Raises BadView, DicomError."""
    view, description = View.from_json(kept.view), frame.description()
    colour = description.samples_per_pixel == 3 or description.palette is not None
    if colour and (view.window_center is not None or view.inverted):
        return None
    drawings, words = _annotations(frame, description, marks)
    turned = view.rotation + (180 if view.flip_vertical else 0)
    return State(
        of=image,
        frame_number=frame_number,
        made_by=made_by,
        label=label,
        description=" ".join(kept.note.split()) or _window_words(view),
        area=area_of(view, description),
        pixel_spacing=description.pixel_spacing,
        pixel_aspect_ratio=description.pixel_aspect_ratio,
        # Both flips at once are half a turn.
        rotation=turned % 360,
        flip=view.flip_horizontal != view.flip_vertical,
        colour=colour,
        rescale=None if colour else _rescale(frame, description),
        modality_lut=None if colour else description.modality_lut,
        voi=None if colour else _voi(view, description),
        inverse=view.inverted
        != (description.photometric_interpretation == "MONOCHROME1" or description.presentation_inverse),
        drawings=tuple(drawings),
        words=tuple(words),
    )


def _window_words(view: View) -> str:
    """For a state without a note."""
    if view.preset is not None:
        return f"Key image, {view.preset}"
    if view.window_center is None or view.window_width is None:
        return "Key image"
    return f"Key image, window {view.window_center:g}/{view.window_width:g}"


def area_of(view: View, description: FrameDescription) -> Area:
    """The pixels of the stored frame at the picture's top left and bottom right: those of which half at least is seen."""
    placement = place(view, description)
    rows, columns = placement.rows.length, placement.columns.length
    one, other = placement.voxel(-0.5, -0.5), placement.voxel(rows - 0.5, columns - 0.5)
    top, bottom = _ends(one[0], other[0], description.rows)
    left, right = _ends(one[1], other[1], description.columns)
    return (left, top), (right, bottom)


def _ends(one: float, other: float, count: int) -> tuple[int, int]:
    """First and last pixel along one axis between two edges (pixel centres at whole numbers), in the order of the edges."""
    low, high = min(one, other), max(one, other)
    first = min(max(math.floor(low + 1.0), 0), count - 1)
    last = min(max(math.ceil(high) - 1, first), count - 1)
    return (first, last) if one <= other else (last, first)


def _rescale(frame: FrameSource, description: FrameDescription) -> tuple[float, float, str] | None:
    """Where modality values are not what is stored (PS3.3 C.11.1)."""
    slope, intercept = description.rescale_slope, description.rescale_intercept
    if description.modality_lut is not None or (slope, intercept) == (1.0, 0.0):
        return None
    return slope, intercept, description.unit


def _voi(view: View, description: FrameDescription) -> Window | LookupTable | None:
    if view.preset is not None:
        return preset_of(description, view.preset)
    if view.window_center is None or view.window_width is None:
        return None
    return Window(view.window_center, view.window_width, view.voi_lut_function or "LINEAR")


def state_over(
    kept: KeyImage,
    header: Mapping[str, Any],
    captured: Reference,
    marks: Sequence[Measurement],
    frame_of_reference_uid: str,
    made_by: str,
    label: str,
) -> State | None:
    """The measurements that stand on a captured picture, beside its pixels; None where none does. `header` is the picture's."""
    spacing = header.get("pixel_spacing")
    drawings, words = _drawn(
        ((mark, pixels_in(mark, header, frame_of_reference_uid)) for mark in marks), tuple(spacing or (1.0, 1.0))
    )
    if not drawings and not words:
        return None
    return State(
        of=captured,
        frame_number=None,
        made_by=made_by,
        label=label,
        description=" ".join(kept.note.split()) or "Key image with its measurements",
        area=((0, 0), (kept.columns - 1, kept.rows - 1)),
        pixel_spacing=None,
        drawings=tuple(drawings),
        words=tuple(words),
    )


def _annotations(
    frame: FrameSource, description: FrameDescription, marks: Sequence[Measurement]
) -> tuple[list[Drawing], list[Words]]:
    return _drawn(((mark, pixels_of(mark, frame)) for mark in marks), description.pixel_spacing or (1.0, 1.0))


def _drawn(placed: Iterable[tuple[Measurement, list[Pair] | None]], spacing: Pair) -> tuple[list[Drawing], list[Words]]:
    drawings: list[Drawing] = []
    words: list[Words] = []
    for mark, points in placed:
        if points is None:
            continue
        drawings += drawings_of(mark.kind, points, spacing)
        written = words_of(mark, points)
        if written is not None:
            words.append(written)
    return drawings, words
