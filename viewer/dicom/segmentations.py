"""Segmentation objects (PS3.3 A.51, C.8.20): which segments there are, and which frame is a mask of which.

The pixels of their frames are read and decoded as those of any image; where the frames lie is in the index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from . import tags, values
from .cielab import Rgb, srgb
from .elements import Dataset
from .errors import DicomError
from .frames import FrameSource, frame_sources
from .header import opened
from .limits import Limits
from .series import InstanceFile

SOP_CLASSES = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
"""Segmentation and Label Map Segmentation Storage."""

KINDS = ("BINARY", "FRACTIONAL", "LABELMAP")

CODE_MEANING = 0x00080104
REFERENCED_SERIES_SEQUENCE = 0x00081115
REFERENCED_INSTANCE_SEQUENCE = 0x0008114A
REFERENCED_SOP_INSTANCE_UID = 0x00081155
REFERENCED_FRAME_NUMBER = 0x00081160
SOURCE_IMAGE_SEQUENCE = 0x00082112
DERIVATION_IMAGE_SEQUENCE = 0x00089124
CONTENT_LABEL = 0x00700080
SEGMENTATION_TYPE = 0x00620001
SEGMENT_SEQUENCE = 0x00620002
SEGMENTED_PROPERTY_CATEGORY = 0x00620003
SEGMENT_NUMBER = 0x00620004
SEGMENT_LABEL = 0x00620005
SEGMENT_ALGORITHM_TYPE = 0x00620008
SEGMENT_ALGORITHM_NAME = 0x00620009
SEGMENT_IDENTIFICATION_SEQUENCE = 0x0062000A
REFERENCED_SEGMENT_NUMBER = 0x0062000B
RECOMMENDED_DISPLAY_CIELAB = 0x0062000D
MAXIMUM_FRACTIONAL_VALUE = 0x0062000E
SEGMENTED_PROPERTY_TYPE = 0x0062000F

_READ = tags.KEPT | {
    value for name, value in dict(globals()).items() if name.isupper() and isinstance(value, int) and value > 0xFFFF
}


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment, or one region of interest of a structure set, as its file describes it."""

    number: int
    label: str = ""
    color: Rgb | None = None
    category: str = ""
    type: str = ""
    algorithm: str = ""


@dataclass(frozen=True, slots=True)
class MaskFrame:
    """One frame of a segmentation object."""

    source: FrameSource = field(repr=False)
    segment: int | None
    """Its Segment Number; None where the values of the frame are the numbers."""
    shown_on: tuple[tuple[str, int], ...]
    """(SOP Instance UID, frame number or 0 for all of it) of the images that it was made on."""


@dataclass(frozen=True, slots=True)
class SegmentationFile:
    kind: str
    """One of `KINDS`."""
    maximum: int
    """Of fractional values."""
    background: frozenset[int]
    """Values of a label map that are no segment."""
    segments: tuple[SegmentRow, ...]
    frames: tuple[MaskFrame, ...]
    refers_to: frozenset[str]
    """SOP Instance UIDs of all images that it names."""
    frame_of_reference_uid: str
    title: str
    not_drawn: str = ""
    """Why none of it can be drawn."""


def is_segmentation(instance: InstanceFile) -> bool:
    return str(instance.index.get("class", "")) in SOP_CLASSES


def read_segmentation(instance: InstanceFile, limits: Limits = Limits()) -> SegmentationFile:  # noqa: B008 - frozen
    """Read all but the pixels. Raises DicomError with a reason for a person, and OSError."""
    with opened(instance.path, limits, _READ) as header:
        return _read(instance, header.dataset)


def _read(instance: InstanceFile, dataset: Dataset) -> SegmentationFile:
    kind = values.code(dataset, SEGMENTATION_TYPE)
    segments = tuple(_segment(item) for item in dataset.items(SEGMENT_SEQUENCE))
    if kind not in KINDS:
        raise DicomError(f"a segmentation of the type {kind[:16] or 'that is not said'} is not known", "segmentation")
    if not segments:
        raise DicomError("the segmentation names no segments", "segmentation")
    if len({segment.number for segment in segments}) < len(segments):
        raise DicomError("the segmentation gives one number to several segments", "segmentation")
    frames = tuple(_frames(instance, dataset, kind, {segment.number for segment in segments}))
    padding = values.integer(dataset, tags.PIXEL_PADDING_VALUE)
    listed = (
        values.uid(image, REFERENCED_SOP_INSTANCE_UID)
        for series in dataset.items(REFERENCED_SERIES_SEQUENCE)
        for image in series.items(REFERENCED_INSTANCE_SEQUENCE)
    )
    shown_on = (uid for frame in frames for uid, _ in frame.shown_on)
    return SegmentationFile(
        kind=kind,
        maximum=values.integer(dataset, MAXIMUM_FRACTIONAL_VALUE) or 255,
        background=frozenset({0} if padding is None else {0, padding}),
        segments=tuple(segment for segment in segments if segment.number or kind != "LABELMAP"),
        frames=frames,
        refers_to=frozenset({*listed, *shown_on} - {""}),
        frame_of_reference_uid=values.uid(dataset, tags.FRAME_OF_REFERENCE_UID),
        title=(values.text(dataset, tags.SERIES_DESCRIPTION) or values.text(dataset, CONTENT_LABEL))[:200],
        not_drawn=str(instance.index.get("not_drawn", "")) or ("" if frames else "it holds no frames"),
    )


def _segment(item: Dataset) -> SegmentRow:
    number = values.integer(item, SEGMENT_NUMBER)
    if number is None or not 0 <= number <= 0xFFFF:
        raise DicomError("a segment of the segmentation has no number", "segmentation")
    kind, name = values.text(item, SEGMENT_ALGORITHM_TYPE)[:16], values.text(item, SEGMENT_ALGORITHM_NAME)[:64]
    return SegmentRow(
        number,
        values.text(item, SEGMENT_LABEL)[:64],
        srgb(values.numbers(item, RECOMMENDED_DISPLAY_CIELAB, "US")),
        _meaning(item, SEGMENTED_PROPERTY_CATEGORY),
        _meaning(item, SEGMENTED_PROPERTY_TYPE),
        ", ".join(part for part in (kind.lower(), name) if part),
    )


def _meaning(item: Dataset, sequence: int) -> str:
    codes = item.items(sequence)
    return values.text(codes[0], CODE_MEANING)[:64] if codes else ""


def _frames(instance: InstanceFile, dataset: Dataset, kind: str, numbers: set[int]) -> Iterator[MaskFrame]:
    shared = dataset.items(tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE)[:1]
    groups = dataset.items(tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)
    for place, source in enumerate(frame_sources(instance)):
        own = groups[place : place + 1]
        segment = None if kind == "LABELMAP" else _segment_of(own + shared)
        if kind != "LABELMAP" and segment not in numbers:
            raise DicomError(
                f"frame {place + 1} of the segmentation belongs to no segment that it names", "segmentation"
            )
        yield MaskFrame(source, segment, tuple(_shown_on(own + shared)))


def _segment_of(groups: list[Dataset]) -> int | None:
    for group in groups:
        for item in group.items(SEGMENT_IDENTIFICATION_SEQUENCE)[:1]:
            return values.integer(item, REFERENCED_SEGMENT_NUMBER)
    return None


def _shown_on(groups: list[Dataset]) -> Iterator[tuple[str, int]]:
    for group in groups:
        for derivation in group.items(DERIVATION_IMAGE_SEQUENCE):
            for image in derivation.items(SOURCE_IMAGE_SEQUENCE):
                uid = values.uid(image, REFERENCED_SOP_INSTANCE_UID)
                for number in values.numbers(image, REFERENCED_FRAME_NUMBER, "IS") or [0.0]:
                    if uid:
                        yield uid, int(number)
