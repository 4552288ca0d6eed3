"""Loading what is laid on a frame: bits of overlay planes, a presentation state, the frames of a mask."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.dicom.decode import decode
from viewer.dicom.errors import DicomError
from viewer.dicom.frames import FrameSource
from viewer.dicom.layout import FrameLayout
from viewer.dicom.masks import MaskPlan, own_plan
from viewer.dicom.overlay_planes import GROUPS, needs_cells, planes_of, read_planes
from viewer.dicom.pixels import read_encoded
from viewer.dicom.presentation_states import StateFile, is_state, read_state
from viewer.dicom.series import InstanceFile
from viewer.dicom.shutters import shutter_of
from viewer.rendering.dressing import Extras, ModalityStep
from viewer.rendering.subtraction import Subtraction
from viewer.rendering.view import BadView, View, needs_volume
from viewer.rendering.volume import OverlayPlane, Shutter

from .cache import Cache
from .children import DecodeChild, DecodeChildren
from .errors import CannotDraw
from .frames import Frames, is_compressed, unreadable
from .series import OpenSeries
from .workers import Priority, WorkerPool

Objects = Mapping[str, InstanceFile]
"""By SOP Instance UID: objects of the same study that a View names and its reader may see."""

_STATES = 256
_PLANES = 32 << 20
"""Bytes of overlay bits that are kept."""
_MOST_AVERAGED = 64
"""Frames of a mask."""


def by_uid(files: Iterable[InstanceFile]) -> dict[str, InstanceFile]:
    return {str(file.index["sop"]): file for file in files}


class ExtrasLoader:
    """Lives on the event loop; `start` gives it the engine's threads."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._states: Cache[str, StateFile] = Cache(_STATES, lambda _: 1)
        self._planes: Cache[tuple[str, int, tuple[int, ...]], tuple[OverlayPlane, ...]] = Cache(
            _PLANES, lambda planes: 256 + sum(plane.bits.nbytes for plane in planes)
        )

    def start(self, readers: WorkerPool[None], children: DecodeChildren) -> None:
        self._readers, self._children = readers, children

    async def load(
        self, series: OpenSeries, view: View, source: FrameSource, objects: Objects, priority: Priority
    ) -> Extras | None:
        """What `view`, with its place in the series, lays on its frame; None for nothing. Raises BadView, CannotDraw."""
        said = source.group.get("shutter") or source.instance.index.get("shutter")
        asked = (view.mask, view.overlays, view.presentation_state) != (None, (), None)
        if not (asked or said) or needs_volume(view):
            return None
        notes: list[str] = []
        state = (
            None if view.presentation_state is None else await self._state(view.presentation_state, objects, priority)
        )
        if state is not None and not state.is_about(source.sop_instance_uid, source.frame_number):
            notes.append("the presentation state is not about this image")
            state = None
        notes += () if state is None else state.notes
        overlays = await self._overlays(view, source, state, priority)
        subtraction = await self._subtraction(series, view, source, state, notes, priority)
        shutter = None if said is None or state is not None else await self._shutter(said, source, notes, priority)
        return Extras(
            overlays=overlays,
            shutter=shutter,
            modality=None if state is None or state.modality is None else _modality(state.modality),
            state=None if state is None else state.presentation(source.sop_instance_uid, source.frame_number),
            subtraction=subtraction,
            notes=tuple(notes),
        )

    async def listed(self, series: OpenSeries, files: Iterable[InstanceFile]) -> list[dict[str, Any]]:
        """Presentation states among `files` that are about images of the series, as `series.opened` lists them."""
        images = {sop for sop, _ in series.places}
        found = []
        for file in files:
            if not is_state(str(file.index.get("class", ""))):
                continue
            try:
                state = await self._read(file, Priority.INTERACTIVE)
            except CannotDraw:
                continue
            if images & state.about.keys():
                found.append({"sop_instance_uid": state.uid, "label": state.label, "description": state.description})
        return found

    # --- presentation states

    async def _state(self, uid: str, objects: Objects, priority: Priority) -> StateFile:
        file = objects.get(uid)
        if file is None:
            raise BadView("presentation_state: there is no such object in this study")
        if not is_state(str(file.index.get("class", ""))):
            raise BadView("presentation_state: this object is none that can be applied")
        try:
            return await self._read(file, priority)
        except CannotDraw as error:
            raise BadView(f"presentation_state: {error}") from None

    async def _read(self, file: InstanceFile, priority: Priority) -> StateFile:
        def read(_: None) -> StateFile:
            try:
                return read_state(file.path)
            except (DicomError, OSError) as error:
                raise unreadable(error) from error

        return await self._states.load(file.digest, partial(self._readers.submit, read), priority)

    # --- overlay planes

    async def _overlays(
        self, view: View, source: FrameSource, state: StateFile | None, priority: Priority
    ) -> tuple[OverlayPlane, ...]:
        asked = set(GROUPS) if view.overlays == "all" else {int(group, 16) for group in view.overlays}
        asked |= set(() if state is None else state.activated)
        found = await self._planes_in(asked, source, priority)
        return (*found, *(() if state is None else state.overlays))

    async def _planes_in(
        self, asked: Collection[int], source: FrameSource, priority: Priority
    ) -> tuple[OverlayPlane, ...]:
        """Those of the image's planes that are in these groups."""
        groups = tuple(plane["group"] for plane in planes_of(source) if plane["group"] in asked)
        if not groups:
            return ()
        key = (source.digest, source.frame_number, groups)
        return await self._planes.load(key, partial(self._read_planes, source, groups), priority)

    async def _shutter(
        self, said: Mapping[str, Any], source: FrameSource, notes: list[str], priority: Priority
    ) -> Shutter | None:
        """The image's own (PS3.3 C.7.6.11), or of a frame of an enhanced one (Frame Display Shutter Sequence (0018,9472))."""
        bitmap = {said["group"]} if "group" in said else set()
        planes = {plane.group: plane for plane in await self._planes_in(bitmap, source, priority)}
        shutter = shutter_of(said, planes)
        if shutter is None or not said["whole"]:
            notes.append("a shutter of the image is not applied: its shape is not understood")
        return shutter

    def _read_planes(self, source: FrameSource, groups: tuple[int, ...], priority: Priority) -> Any:
        def read(cells: Any) -> tuple[OverlayPlane, ...]:
            try:
                return tuple(read_planes(source, groups, cells))
            except (DicomError, OSError) as error:
                raise unreadable(error) from error

        def in_reader(_: None) -> tuple[OverlayPlane, ...]:
            return read(lambda layout: decode(read_encoded(source), layout).values)

        def in_child(child: DecodeChild) -> tuple[OverlayPlane, ...]:
            def cells(layout: FrameLayout) -> NDArray[np.generic]:
                return child.decode(read_encoded(source), layout).values

            return read(cells)

        inside = needs_cells([plane for plane in planes_of(source) if plane["group"] in groups])
        if inside and is_compressed(source):
            return self._children.submit(in_child, priority)
        return self._readers.submit(in_reader, priority)

    # --- subtraction

    async def _subtraction(
        self,
        series: OpenSeries,
        view: View,
        source: FrameSource,
        state: StateFile | None,
        notes: list[str],
        priority: Priority,
    ) -> Subtraction | None:
        plan, places = self._plan(series, view, source, state, notes)
        if plan is None:
            return None
        frames = {place: series.stacks[view.stack].frames[place] for place in places}
        loaded = {place: await self._frames.load(frame, priority) for place, frame in frames.items()}
        count = len(plan.mask)
        said = {**source.instance.index.get("mask", {}), **source.group}
        return Subtraction(
            mask=tuple(loaded[place] for place in places[:count]),
            contrast=tuple(loaded[place] for place in places[count:]),
            places=tuple(places[:count]),
            shift=plan.shift,
            regions=plan.regions,
            relationship=said.get("relationship", ""),
            sign=said.get("sign", 1),
        )

    def _plan(
        self, series: OpenSeries, view: View, source: FrameSource, state: StateFile | None, notes: list[str]
    ) -> tuple[MaskPlan | None, list[int]]:
        """What is subtracted, and the places in the stack of the mask's frames and then of the image's."""
        mask, here = view.mask, view.frame or 0
        if mask is not None and mask.frame is not None:
            return MaskPlan((mask.frame + 1,), (here + 1,), mask.shift or (0.0, 0.0)), [mask.frame, here]
        items = state.masks(source.sop_instance_uid) if mask is None and state is not None else ()
        if mask is not None:
            items = source.instance.index.get("mask", {}).get("items", ())
        if not items:
            return None, []
        plan = own_plan(items, source.frame_number, source.frames_in_instance, source.group)
        if plan is None or len(plan.mask) + len(plan.contrast) > _MOST_AVERAGED:
            notes.append("the subtraction of the file does not reach this image: it is shown as it is")
            return None, []
        places = [series.places.get((source.sop_instance_uid, n)) for n in (*plan.mask, *plan.contrast)]
        if any(place is None or place[0] != view.stack for place in places):
            raise BadView("mask: its frames are not in this stack")
        if mask is not None and mask.shift is not None:
            plan = MaskPlan(plan.mask, plan.contrast, mask.shift)
        return plan, [place[1] for place in places if place is not None]


def _modality(said: tuple[float, float, Any, str]) -> ModalityStep:
    slope, intercept, table, unit = said
    return ModalityStep(slope, intercept, table, unit)
