"""A frame with all that is laid on it: subtraction, presentation state, overlay planes. One place for what comes first.

A mask makes other values of the frame; a state says what values mean and how the frame lies; shutter and overlays go over the
finished picture, in this order (PS3.4 N.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import presented
from .appearance import Dressing, OverlayPlane, Presentation, Shutter
from .colour import is_colour
from .overlays import lay_over
from .sampling import Placement
from .subtraction import Subtraction, subtracted
from .view import View
from .volume import Frame, FrameDescription, LookupTable, Window

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class ModalityStep:
    """What a presentation state puts in the place of the image's own modality transformation (C.11.1)."""

    slope: float = 1.0
    intercept: float = 0.0
    table: LookupTable | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Extras:
    """What is laid on one frame, with everything loaded."""

    overlays: tuple[OverlayPlane, ...] = ()
    modality: ModalityStep | None = None
    """With a state alone."""
    state: Presentation | None = None
    shutter: Shutter | None = None
    """The image's own; what a state says of shutters stands in its place, also where it says nothing (PS3.4 N.2)."""
    subtraction: Subtraction | None = None
    notes: tuple[str, ...] = ()


def dressed(frame: Frame, extras: Extras) -> Frame:
    """The frame as it is drawn. Raises `BadView` for what cannot be."""
    notes = list(extras.notes)
    description, dressing = frame.description, Dressing()
    subtraction = extras.subtraction
    if extras.state is not None and is_colour(frame):
        notes.append("the presentation state's grey values do not apply to colours")
    elif extras.state is not None and extras.modality is not None:
        description = _with_modality(description, extras.modality)
        if subtraction is not None:
            through = extras.modality != ModalityStep() and not _is_plain(extras.modality)
            contrast = tuple(replace(one, description=description) for one in subtraction.contrast)
            mask = tuple(replace(one, description=description) for one in subtraction.mask)
            subtraction = replace(subtraction, contrast=contrast, mask=mask, through_lut=through)
    if subtraction is not None:
        frame = subtracted(subtraction)
        description, dressing = frame.description, frame.dressing or dressing
    if extras.state is not None:
        description = _with_voi(description, extras.state)
        if presented.stretches(extras.state, description):
            notes.append("the pixels keep the proportions of the image, not those of the presentation state")
    return replace(
        frame,
        description=description,
        dressing=replace(
            dressing, overlays=extras.overlays, state=extras.state, shutter=extras.shutter, notes=tuple(notes)
        ),
    )


def _is_plain(step: ModalityStep) -> bool:
    return step.table is None and (step.slope, step.intercept) == (1.0, 0.0)


def _with_modality(description: FrameDescription, step: ModalityStep) -> FrameDescription:
    """Windows and VOI LUTs of the file stay where its modality values do."""
    same = step.table is None and description.modality_lut is None
    same &= (step.slope, step.intercept) == (description.rescale_slope, description.rescale_intercept)
    return replace(
        description,
        rescale_slope=step.slope,
        rescale_intercept=step.intercept,
        modality_lut=step.table,
        unit=description.unit if same else step.unit,
        windows=description.windows if same else (),
        voi_luts=description.voi_luts if same else (),
    )


def _with_voi(description: FrameDescription, state: Presentation) -> FrameDescription:
    """A VOI LUT of the state is one of the image's, by name, behind the file's own."""
    if not isinstance(state.voi, LookupTable):
        return description
    return replace(description, voi_luts=(*description.voi_luts, state.voi))


# --- what a picture asks of it


def state_of(frame: Frame) -> Presentation | None:
    return None if frame.dressing is None else frame.dressing.state


def own_voi(frame: Frame, description: FrameDescription) -> Window | LookupTable | None:
    """The window that the dressing brings along, or the VOI LUT where `description` still has it; None where it has none."""
    if frame.dressing is None or is_colour(frame):
        return None
    state, difference = frame.dressing.state, frame.dressing.subtracted
    voi = None if state is None else state.voi
    if isinstance(voi, Window) or any(table is voi for table in description.voi_luts):
        return voi
    if difference is not None:
        return difference.window
    return None if state is None else presented.identity_window(description)


def laid_out(view: View, frame: Frame) -> View:
    """The plain View of the frame that lies as this one does, for `sampling.place`. `view` is resolved."""
    state = state_of(frame)
    return view if state is None else presented.laid_out(view, state, frame.description)


def finished(picture: Pixels, frame: Frame, placement: Placement) -> Pixels:
    """The drawn picture with shutter and overlays."""
    if frame.dressing is None:
        return picture
    state, shutter = frame.dressing.state, frame.dressing.shutter
    if state is not None:
        shutter = state.shutter
    if shutter is not None:
        picture = presented.covered(picture, shutter, placement, frame.description)
    return lay_over(picture, frame.dressing.overlays, placement) if frame.dressing.overlays else picture


def graphics(frame: Frame, placement: Placement) -> tuple[dict[str, Any], ...] | None:
    """Drawings of the state in pixels of the picture; None without a state."""
    state = state_of(frame)
    return None if state is None else tuple(presented.drawings(state, placement, frame.description))


def true_size_of(frame: Frame) -> tuple[float, float] | None:
    """mm (height, width) that a voxel shall have on the display, where the state asks for that."""
    state = state_of(frame)
    return None if state is None or state.area is None else state.area.true_size


def subtraction_of(frame: Frame) -> dict[str, Any] | None:
    """For the frame header: which frames were subtracted, and how."""
    done = None if frame.dressing is None else frame.dressing.subtracted
    if done is None:
        return None
    regions = {"regions": done.regions} if done.regions else {}
    return {"frames": list(done.frames), "shift": list(done.shift), "logarithmic": done.logarithmic, **regions}
