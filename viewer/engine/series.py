"""A series that is open: its stacks, which frame a View means, and what a client is told about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from viewer.dicom.errors import DicomError
from viewer.dicom.frames import FrameSource, frame_sources
from viewer.dicom.overlay_planes import told
from viewer.dicom.series import SeriesContent
from viewer.dicom.stacks import Stack, build_stacks, undrawable
from viewer.dicom.suv import NoSuv, Suv, suv_of
from viewer.dicom.volumes import NoVolume, VolumePlan, plan_volume
from viewer.rendering import transfer
from viewer.rendering.colour import COLOR_MAPS
from viewer.rendering.fields import NAMED_PLANES
from viewer.rendering.presets import presets_for
from viewer.rendering.render import PROJECTIONS
from viewer.rendering.view import BadView, Mask, View, needs_volume, varied

from .errors import CannotDraw
from .places import places_of

FrameKey = tuple[str, int]
"""(digest of the file, frame number): the same frame is the same, whatever series, organization or version it is seen in."""


def key_of(source: FrameSource) -> FrameKey:
    """What a frame is kept under."""
    return source.digest, source.frame_number


@dataclass(frozen=True, slots=True, eq=False)
class OpenSeries:
    """Never changed: images that come later make another one, of another version."""

    series: str
    organization: str
    version: str
    stacks: tuple[Stack, ...]
    not_drawn: tuple[str, ...]
    """Why objects of this series are in no stack."""
    places: Mapping[tuple[str, int], tuple[int, int]]
    """(SOP Instance UID, frame number) to (stack, frame)."""
    keys: tuple[tuple[FrameKey, ...], ...]
    """`key_of` each frame of each stack."""
    plans: tuple[VolumePlan | NoVolume, ...]
    """What volume each stack makes, or why it makes none."""
    along: tuple[dict[str, Any] | None, ...]
    """`places_of` each stack."""
    suv: Suv | NoSuv | None = None
    """Of a PET series: how its values become SUV, or why they do not."""

    def place(self, view: View) -> tuple[View, FrameSource]:
        """The frame that `view` means, and the View with that frame named in both ways. A View through the volume means no
        frame: it comes back without one, and with the middle frame of its stack.

        The SOP Instance UID decides where it is given: it still names the same picture after images came between.
        Raises BadView for a place that is not there, CannotDraw where there is nothing to draw at all.
        """
        if not self.stacks:
            raise CannotDraw("cannot_decode", "; ".join(self.not_drawn) or "This series holds no images.")
        if view.sop_instance_uid is not None:
            found = self.places.get((view.sop_instance_uid, view.frame_number or 1))
            if found is None:
                raise BadView("sop_instance_uid, frame_number: no such frame in this series")
            number, frame = found
        elif view.frame_number is not None and view.frame is None:
            raise BadView("frame_number: counts the frames of an instance; name it by sop_instance_uid, or give frame")
        else:
            number, frame = view.stack, view.frame or 0
        if not 0 <= number < len(self.stacks):
            raise BadView(f"stack: this series has {len(self.stacks)}, counted from 0")
        frames = self.stacks[number].frames
        if not 0 <= frame < len(frames):
            raise BadView(f"frame: this stack has {len(frames)}, counted from 0")
        acquired = view.plane == "acquired"
        if view.mask is not None and not needs_volume(view):
            view = varied(view, mask=self._mask(view.mask, number))
        source = frames[frame if acquired else len(frames) // 2]
        uid, frame_number = (source.sop_instance_uid, source.frame_number) if acquired else (None, None)
        named = (self.series, self.organization, number, frame if acquired else None, uid, frame_number)
        if named == (view.series, view.organization, view.stack, view.frame, view.sop_instance_uid, view.frame_number):
            return view, source  # it was placed before
        placed = varied(
            view,
            series=self.series,
            organization=self.organization,
            stack=number,
            frame=frame if acquired else None,
            sop_instance_uid=uid,
            frame_number=frame_number,
        )
        return placed, source

    def _mask(self, mask: Mask, stack: int) -> Mask:
        """A mask as it can be had again: the file's own stays that, else a frame is named. Raises BadView."""
        if self.stacks[stack].kind != "cine":
            raise BadView("mask: only the images of a clip are subtracted from each other")
        frames = self.stacks[stack].frames
        if mask.frame is None and frames[0].instance.index.get("mask", {}).get("items"):
            return mask
        if (mask.frame or 0) >= len(frames):
            raise BadView(f"mask frame: this stack has {len(frames)}, counted from 0")
        return Mask(mask.frame or 0, mask.shift or (0.0, 0.0))

    def _mask_frames(self, stack: int) -> list[int] | None:
        """Places of the frames that the file averages to a mask; none where it names none, None where nothing is subtracted."""
        frames = self.stacks[stack].frames
        if self.stacks[stack].kind != "cine" or frames[0].layout.samples_per_pixel != 1:
            return None
        items = frames[0].instance.index.get("mask", {}).get("items", [])
        named: list[int] = next((item["frames"] for item in items if item["operation"] == "AVG_SUB"), [])
        found = [self.places.get((frames[0].sop_instance_uid, number)) for number in named]
        return [place[1] for place in found if place is not None and place[0] == stack]

    def volume_plan(self, stack: int, field: str) -> VolumePlan:
        """The volume that a stack makes. Raises BadView about the `field` that asks for one, saying why it makes none."""
        if not 0 <= stack < len(self.plans):
            raise BadView(f"{field}: the series has {len(self.plans)} stacks, counted from 0")
        plan = self.plans[stack]
        if isinstance(plan, NoVolume):
            raise BadView(f"{field}: this series makes no volume: {plan.reason}")
        return plan

    def where(self, view: View) -> dict[str, Any]:
        """The frame that `view` means, for an error that says which one."""
        placed, _ = self.place(view)
        return {"stack": placed.stack, "frame": placed.frame, "sop_instance_uid": placed.sop_instance_uid}

    def shares_window(self, stack: int) -> bool:
        """True for frames that were acquired together, which one window suits; false for single images, and where values have
        no unit and the file gives frames windows of their own, as MR scanners do slice by slice."""
        frames = self.stacks[stack].frames
        if self.stacks[stack].kind == "other":
            return False
        first = frames[0].group.get("windows")
        own = first is not None and any(one.group.get("windows") != first for one in frames)
        return not own or bool(frames[0].description().unit)

    def opened(self, view: View) -> dict[str, Any]:
        """What `series.opened` tells about the stack of `view`, besides the name of the viewport."""
        placed, source = self.place(view)
        stack, plan = self.stacks[placed.stack], self.plans[placed.stack]
        description = source.description()
        volume = None if isinstance(plan, NoVolume) else plan
        return {
            "series": self.series,
            "organization": self.organization,
            "series_version": self.version,
            "frames": len(stack.frames),
            "stacks": [self._stack(number) for number in range(len(self.stacks))],
            "view": placed.to_json(),
            "unit": description.unit,
            "presets": presets_for(description),
            "planes": list(NAMED_PLANES) if volume else ["acquired"],
            "projections": _projections(volume),
            "volume_presets": list(transfer.presets_for(description)) if volume and not volume.storage.colour else [],
            "color_maps": list(COLOR_MAPS),
            "suv": _told(self.suv),
            "mask_frames": self._mask_frames(placed.stack),
            "presentation_states": [],
            "geometry": None if volume is None else _geometry(volume),
            "geometry_reason": plan.reason if isinstance(plan, NoVolume) else None,
            "warnings": [*description.warnings, *(volume.warnings if volume else ()), *self.not_drawn],
        }

    def _stack(self, number: int) -> dict[str, Any]:
        stack = self.stacks[number]
        return {
            "stack": number,
            "label": stack.label,
            "kind": stack.kind,
            "frames": len(stack.frames),
            "frame_times_ms": stack.frame_times_ms,
            "frame_of_reference_uid": stack.frame_of_reference_uid,
            "places": self.along[number],
            "overlays": _overlays(stack),
            "one_window": self.shares_window(number),
        }


def _told(suv: Suv | NoSuv | None) -> dict[str, Any] | None:
    return {"reason": str(suv)} if isinstance(suv, NoSuv) else None if suv is None else suv.to_json()


def _overlays(stack: Stack) -> list[dict[str, Any]]:
    """Overlay planes on any frame of a stack, by group; numbers of a region only where they are those of all its frames."""
    found: dict[str, dict[str, Any]] = {}
    for source in stack.frames:
        for plane in source.instance.index.get("overlays", ()):
            one = told(plane)
            known = found.setdefault(one["group"], one)
            if known["roi"] != one["roi"]:
                known["roi"] = None
    return [found[group] for group in sorted(found)]


def _projections(plan: VolumePlan | None) -> list[str]:
    if plan is None:
        return ["slice"]
    return [name for name in PROJECTIONS if name != "volume" or not plan.storage.colour]


def open_series(content: SeriesContent) -> OpenSeries:
    """Build the stacks from the index rows; no file is read. Takes a moment for thousands of frames: not on the event loop."""
    sources: list[FrameSource] = []
    not_drawn: list[str] = []
    for instance in content.instances:
        try:
            sources += frame_sources(instance)
            reason = undrawable(instance)
        except DicomError as error:  # one object that cannot be understood hides none of the others
            reason = error.reason
        if reason is not None and reason not in not_drawn:
            not_drawn.append(reason)
    stacks = tuple(build_stacks(sources))
    return OpenSeries(
        series=content.series,
        organization=content.organization,
        version=content.version,
        stacks=stacks,
        not_drawn=tuple(not_drawn),
        places={
            (source.sop_instance_uid, source.frame_number): (number, frame)
            for number, stack in enumerate(stacks)
            for frame, source in enumerate(stack.frames)
        },
        keys=tuple(tuple(key_of(source) for source in stack.frames) for stack in stacks),
        plans=tuple(map(_plan, stacks)),
        suv=suv_of(list({source.digest: source.instance.index for source in sources}.values())),
        along=tuple(map(places_of, stacks)),
    )


def _plan(stack: Stack) -> VolumePlan | NoVolume:
    try:
        return plan_volume(stack)
    except NoVolume as reason:
        return reason


def _geometry(plan: VolumePlan) -> dict[str, Any]:
    """Of the volume: where its grid lies, LPS mm, and what was done to make it one."""
    geometry = plan.geometry
    return {
        "frame_of_reference_uid": geometry.frame_of_reference_uid,
        "shape": list(geometry.shape),
        "origin": list(geometry.origin),
        "steps": [list(step) for step in geometry.steps],
        "spacing": list(geometry.spacing),
        "spacing_between_slices": geometry.spacing[0],
        "corrections": list(plan.corrections),
        "gaps": [list(gap) for gap in plan.gaps],
    }
