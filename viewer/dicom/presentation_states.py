"""Softcopy presentation states (PS3.3 A.33.1, A.33.2, A.33.6): read whole, and what one says of one frame.

A state refers to images and frames; each of its parts may refer to fewer of them. What it leaves out is an identity: nothing of
the image's own stands in for it (PS3.4 N.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from viewer.rendering.volume import DisplayedArea, Graphic, LookupTable, OverlayPlane, Presentation, Shutter, Window

from . import state_tags as st
from . import tags, values
from .elements import Dataset
from .errors import DicomError
from .header import Header, opened
from .limits import Limits
from .luts import read_lut
from .overlay_planes import overlay_index, plane_of, read_bits
from .shutters import shutter_index, shutter_of
from .state_graphics import Layers, graphics_of, layers_of
from .state_masks import state_mask

T = TypeVar("T")

CLASSES = {
    "1.2.840.10008.5.1.4.1.1.11.1": "grey",
    "1.2.840.10008.5.1.4.1.1.11.2": "colour",
    "1.2.840.10008.5.1.4.1.1.11.5": "grey",
}
"""SOP classes that are applied."""

LIMITS = Limits(max_object_bytes=64 * 2**20, max_elements=200_000, max_items=50_000)

References = dict[str, frozenset[int]]
"""SOP Instance UID to the frames meant; no frames: all of them."""


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One thing that a state says, and of which images. No references: of all that the state is about."""

    says: T
    about: References


@dataclass(frozen=True, slots=True)
class StateFile:
    """A presentation state, whole."""

    uid: str
    label: str
    description: str
    about: References
    """The images that the state is about."""
    grey: bool
    """It says what grey values mean; one for colours does not."""
    modality: tuple[float, float, LookupTable | None, str] | None
    """Slope, intercept, table, unit; None where it says nothing."""
    voi: tuple[Part[Window | LookupTable], ...] = ()
    areas: tuple[Part[DisplayedArea], ...] = ()
    annotations: tuple[Part[tuple[Graphic, ...]], ...] = ()
    """In the order in which they are drawn."""
    table: LookupTable | None = None
    inverse: bool = False
    rotation: int = 0
    flip: bool = False
    shutters: tuple[Part[Shutter], ...] = ()
    mask: tuple[Part[Mapping[str, Any]], ...] = ()
    """Items as the index of an image has them."""
    overlays: tuple[OverlayPlane, ...] = ()
    """Its own planes that are to be seen."""
    activated: tuple[int, ...] = ()
    """Groups of the image's planes that are to be seen."""
    notes: tuple[str, ...] = field(default=())
    """What of it is not applied."""

    def is_about(self, sop_instance_uid: str, frame_number: int | None = None) -> bool:
        return _means(self.about, sop_instance_uid, frame_number)

    def presentation(self, sop_instance_uid: str, frame_number: int) -> Presentation:
        """What it says of one frame that it is about."""

        def said(parts: Sequence[Part[T]]) -> list[T]:
            return [part.says for part in parts if not part.about or _means(part.about, sop_instance_uid, frame_number)]

        return Presentation(
            uid=self.uid,
            voi=next(iter(said(self.voi)), None),
            table=self.table,
            inverse=self.inverse,
            rotation=self.rotation,
            flip=self.flip,
            area=next(iter(said(self.areas)), None),
            shutter=next(iter(said(self.shutters)), None),
            graphics=tuple(graphic for group in said(self.annotations) for graphic in group),
        )

    def masks(self, sop_instance_uid: str) -> list[Mapping[str, Any]]:
        """What it subtracts from the frames of an image that it is about."""
        return [part.says for part in self.mask if not part.about or sop_instance_uid in part.about]


def _means(about: References, sop_instance_uid: str, frame_number: int | None) -> bool:
    frames = about.get(sop_instance_uid)
    return frames is not None and (not frames or frame_number is None or frame_number in frames)


def is_state(sop_class_uid: str) -> bool:
    return sop_class_uid in CLASSES


def read_state(path: Path) -> StateFile:
    """Read one file. Raises DicomError with a reason for a person, OSError; blocks."""
    with opened(path, LIMITS, st.KEPT) as header:
        dataset = header.dataset
        sop_class = values.uid(dataset, tags.SOP_CLASS_UID)
        if sop_class not in CLASSES:
            raise DicomError("no presentation state of a kind that is applied here", "no_state")
        notes: list[str] = []
        grey = CLASSES[sop_class] == "grey"
        layers = layers_of(dataset)
        own = _own_overlays(path, header)
        activations = _activations(dataset)
        modality = _modality(dataset) if grey else None
        inputs_signed = modality is None or (modality[2] is None and (modality[0] < 0 or modality[1] < 0))
        if st.ICC_PROFILE in dataset:
            notes.append("the presentation state's colour profile is not applied")
        if st.MULTI_FRAME_PRESENTATION_SEQUENCE in dataset:
            notes.append("how the presentation state plays and filters a clip is not applied")
        return StateFile(
            uid=values.uid(dataset, tags.SOP_INSTANCE_UID),
            label=values.text(dataset, st.CONTENT_LABEL)[:64],
            description=values.text(dataset, st.CONTENT_DESCRIPTION)[:64],
            about=_about_series(dataset),
            grey=grey,
            modality=modality,
            voi=tuple(_voi(dataset, inputs_signed)) if grey else (),
            areas=tuple(_parts(dataset, st.DISPLAYED_AREA_SEQUENCE, lambda item: _area(item))),
            annotations=tuple(_annotations(dataset, layers, notes)),
            table=_presentation_table(dataset) if grey else None,
            inverse=grey and values.code(dataset, tags.PRESENTATION_LUT_SHAPE) == "INVERSE",
            rotation=_rotation(dataset, notes),
            flip=values.code(dataset, st.IMAGE_HORIZONTAL_FLIP) == "Y",
            shutters=tuple(_shutters(dataset, own, notes)),
            mask=tuple(_parts(dataset, tags.MASK_SUBTRACTION_SEQUENCE, state_mask)),
            overlays=tuple(plane for group, plane in own.items() if group in activations),
            activated=tuple(group for group in activations if group not in own),
            notes=tuple(dict.fromkeys(notes)),
        )


# --- what is meant


def _about_series(dataset: Dataset) -> References:
    found: References = {}
    for series in dataset.items(st.REFERENCED_SERIES_SEQUENCE):
        found |= _about(series)
    return found


def _about(dataset: Dataset) -> References:
    found: References = {}
    for image in dataset.items(st.REFERENCED_IMAGE_SEQUENCE):
        uid = values.uid(image, st.REFERENCED_SOP_INSTANCE_UID)
        if uid:
            frames = values.numbers(image, st.REFERENCED_FRAME_NUMBER, "IS")
            found[uid] = frozenset(int(frame) for frame in frames)
    return found


def _parts(dataset: Dataset, tag: int, read: Callable[[Dataset], T | None]) -> list[Part[T]]:
    found = []
    for item in dataset.items(tag):
        says = read(item)
        if says is not None:
            found.append(Part(says, _about(item)))
    return found


# --- grey values


def _modality(dataset: Dataset) -> tuple[float, float, LookupTable | None, str]:
    """Of the state alone: where it says nothing, values are what is stored."""
    items = dataset.items(tags.MODALITY_LUT_SEQUENCE)
    if items:
        table = read_lut(items[0], signed=False, limits=LIMITS)
        if table is not None:
            return 1.0, 0.0, table, _unit(values.text(items[0], tags.MODALITY_LUT_TYPE))
    slope = values.number(dataset, tags.RESCALE_SLOPE, "DS")
    intercept = values.number(dataset, tags.RESCALE_INTERCEPT, "DS")
    if slope is None or slope == 0 or intercept is None:
        return 1.0, 0.0, None, ""
    return slope, intercept, None, _unit(values.text(dataset, tags.RESCALE_TYPE))


def _unit(unit: str) -> str:
    return "" if unit.upper() in ("US", "UNSPECIFIED") else unit[:16]


def _voi(dataset: Dataset, inputs_signed: bool) -> list[Part[Window | LookupTable]]:
    def read(item: Dataset) -> Window | LookupTable | None:
        for table in item.items(tags.VOI_LUT_SEQUENCE):
            found = read_lut(table, signed=inputs_signed, limits=LIMITS)
            if found is not None:
                return LookupTable(
                    found.first_value_mapped, found.data, found.bits, found.explanation or "presentation state"
                )
        center = values.number(item, tags.WINDOW_CENTER, "DS")
        width = values.number(item, tags.WINDOW_WIDTH, "DS")
        if center is None or width is None or width <= 0:
            return None
        function = values.code(item, tags.VOI_LUT_FUNCTION)
        function = function if function in ("LINEAR_EXACT", "SIGMOID") else "LINEAR"
        return Window(center, width, "LINEAR_EXACT" if function == "LINEAR" and width < 1 else function)

    return _parts(dataset, st.SOFTCOPY_VOI_LUT_SEQUENCE, read)


def _presentation_table(dataset: Dataset) -> LookupTable | None:
    items = dataset.items(st.PRESENTATION_LUT_SEQUENCE)
    return read_lut(items[0], signed=False, limits=LIMITS) if items else None


# --- how it lies


def _rotation(dataset: Dataset, notes: list[str]) -> int:
    degrees = values.integer(dataset, st.IMAGE_ROTATION) or 0
    if degrees % 90:
        notes.append(f"the presentation state's rotation by {degrees} degrees is not applied")
        return 0
    return degrees % 360


def _area(item: Dataset) -> DisplayedArea | None:
    one = values.numbers(item, st.AREA_TOP_LEFT, "SL")
    other = values.numbers(item, st.AREA_BOTTOM_RIGHT, "SL")
    if len(one) < 2 or len(other) < 2 or max(map(abs, (*one, *other))) > 1e6:
        return None
    # Named after spatial transformation, counted before it: either may be the lesser.
    (left, right), (top, bottom) = (sorted((int(one[axis]) - 1, int(other[axis]) - 1)) for axis in (0, 1))
    mode = values.code(item, st.SIZE_MODE)
    magnification = values.number(item, st.MAGNIFICATION, "FL") if mode == "MAGNIFY" else None
    spacing = values.numbers(item, st.AREA_SPACING, "DS")
    aspect = spacing or values.numbers(item, st.AREA_ASPECT, "IS")
    sound = len(aspect) >= 2 and min(aspect[:2]) > 0
    return DisplayedArea(
        (top, bottom),
        (left, right),
        magnification if magnification and 0.01 <= magnification <= 100 else None,
        (aspect[0], aspect[1]) if sound else None,
        (spacing[0], spacing[1]) if mode == "TRUE SIZE" and spacing and sound else None,
    )


# --- overlays and drawings


def _shutters(dataset: Dataset, own: Mapping[int, OverlayPlane], notes: list[str]) -> list[Part[Shutter]]:
    """One for all images; of a state for angiograms one for each group of frames (C.11.20)."""
    found = _parts(dataset, tags.FRAME_DISPLAY_SHUTTER_SEQUENCE, lambda item: _shutter(item, own, notes))
    whole = _shutter(dataset, own, notes)
    return found if whole is None else [*found, Part(whole, {})]


def _shutter(dataset: Dataset, own: Mapping[int, OverlayPlane], notes: list[str]) -> Shutter | None:
    said = shutter_index(dataset).get("shutter")
    if said is None:
        return None
    shutter = shutter_of(said, own)
    if shutter is None or not said["whole"]:
        notes.append("a shutter of the presentation state is not applied: its shape is not understood")
    return shutter


def _own_overlays(path: Path, header: Header) -> dict[int, OverlayPlane]:
    return {plane["group"]: plane_of(plane, read_bits(path, plane, 0)) for plane in overlay_index(header, None)}


def _activations(dataset: Dataset) -> list[int]:
    return [
        group
        for group in tags.OVERLAY_GROUPS
        if values.text(dataset, group << 16 | tags.OVERLAY_ACTIVATION_LAYER).strip()
    ]


def _annotations(dataset: Dataset, layers: Layers, notes: list[str]) -> list[Part[tuple[Graphic, ...]]]:
    found = [
        (layers.order(item), Part(graphics_of(item, layers, notes), _about(item)))
        for item in dataset.items(st.GRAPHIC_ANNOTATION_SEQUENCE)
    ]
    return [part for _, part in sorted(found, key=lambda one: one[0])]
