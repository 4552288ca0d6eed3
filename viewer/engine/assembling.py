"""The frames of a plan, stored in one array, to a finished volume."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from viewer.dicom.decode import load_frame
from viewer.dicom.stacks import Stack
from viewer.dicom.volumes import VolumePlan, plan_volume
from viewer.rendering.bricks import bricks_of
from viewer.rendering.storing import Run, lay, serial, store
from viewer.rendering.volume import Bricks, Volume


def assemble(
    plan: VolumePlan, values: NDArray[np.generic], holes: bool, run: Run = serial, bricks: Bricks | None = None
) -> Volume:
    """`values`: the frames of `plan`, stored in the order and shape of `plan.frames_shape`; `holes` as `store` told; `bricks`
    of these frames where they are known."""
    if plan.layers is not None:
        values = lay(values, plan.layers, run)
        holes = holes or bool((plan.layers.below < 0).any())
        bricks = None
    values.flags.writeable = False
    description = plan.description()
    return Volume(
        key=plan.key,
        values=values,
        geometry=plan.geometry,
        description=replace(description, warnings=(*description.warnings, *plan.warnings)),
        slope=plan.storage.slope,
        intercept=plan.storage.intercept,
        holes=holes,
        corrections=plan.corrections,
        bricks=None if plan.storage.colour else bricks or bricks_of(values, run),
        gaps=plan.gaps,
        places=plan.places,
    )


def load_volume(stack: Stack) -> Volume:
    """A volume read and decoded in this process, frame by frame: for tools and tests, the engine loads in parallel.

    Raises NoVolume with the reason where the stack makes none, CannotDecode, OSError.
    """
    plan = plan_volume(stack)
    values = np.empty(plan.frames_shape, plan.storage.dtype)
    holes = False
    for number, source in enumerate(plan.frames):
        holes |= store(load_frame(source), plan.storage, values[..., number, :, :])
    return assemble(plan, values, holes)
