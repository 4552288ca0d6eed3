"""RT Structure Sets (PS3.3 A.19, C.8.8.5, C.8.8.6): regions of interest and their closed planar contours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import tags, values
from .cielab import Rgb
from .elements import Dataset
from .errors import DicomError
from .header import opened
from .limits import Limits
from .segmentations import REFERENCED_FRAME_NUMBER, REFERENCED_SOP_INSTANCE_UID, SegmentRow
from .series import InstanceFile

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"

MOST_POINTS = 20_000_000
"""Of all contours of a file: 480 MB as numbers."""
_LONGEST = 2**22
"""Bytes of one contour's text that are read."""

STRUCTURE_SET_LABEL = 0x30060002
REFERENCED_FRAME_OF_REFERENCE_SEQUENCE = 0x30060010
CONTOUR_IMAGE_SEQUENCE = 0x30060016
STRUCTURE_SET_ROI_SEQUENCE = 0x30060020
ROI_NUMBER = 0x30060022
REFERENCED_FRAME_OF_REFERENCE_UID = 0x30060024
ROI_NAME = 0x30060026
ROI_DISPLAY_COLOR = 0x3006002A
ROI_GENERATION_ALGORITHM = 0x30060036
ROI_CONTOUR_SEQUENCE = 0x30060039
CONTOUR_SEQUENCE = 0x30060040
CONTOUR_GEOMETRIC_TYPE = 0x30060042
CONTOUR_DATA = 0x30060050
RT_ROI_OBSERVATIONS_SEQUENCE = 0x30060080
REFERENCED_ROI_NUMBER = 0x30060084
RT_ROI_INTERPRETED_TYPE = 0x300600A4

_READ = (
    tags.KEPT
    | {
        value
        for name, value in dict(globals()).items()
        if name.isupper() and isinstance(value, int) and value >> 28 == 3
    }
    | {REFERENCED_SOP_INSTANCE_UID, REFERENCED_FRAME_NUMBER}
)
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One region of interest with the contours that can be filled."""

    row: SegmentRow
    frame_of_reference_uid: str
    contours: tuple[NDArray[np.float64], ...]
    """Each (points, 3), LPS mm."""
    left_out: int
    """Contours that enclose nothing: points, open lines."""


@dataclass(frozen=True, slots=True, eq=False)
class StructureSetFile:
    regions: tuple[Region, ...]
    refers_to: frozenset[str]
    frame_of_reference_uid: str
    title: str


def is_structure_set(instance: InstanceFile) -> bool:
    return str(instance.index.get("class", "")) == SOP_CLASS


def read_structure_set(instance: InstanceFile, limits: Limits = Limits()) -> StructureSetFile:  # noqa: B008 - frozen
    """Raises DicomError with a reason for a person, and OSError."""
    with opened(instance.path, limits, frozenset(_READ)) as header:
        return _read(header.dataset)


def _read(dataset: Dataset) -> StructureSetFile:
    rows = {row.number: (row, uid) for row, uid in _rows(dataset)}
    if not rows:
        raise DicomError("the structure set names no regions of interest", "segmentation")
    references: set[str] = set()
    contours: dict[int, list[NDArray[np.float64]]] = {number: [] for number in rows}
    colors: dict[int, Rgb | None] = {}
    left_out = dict.fromkeys(rows, 0)
    total = 0
    for item in dataset.items(ROI_CONTOUR_SEQUENCE):
        number = values.integer(item, REFERENCED_ROI_NUMBER, "IS")
        if number not in rows:
            continue  # contours of a region that the file does not name
        colors[number] = _color(item)
        for contour in item.items(CONTOUR_SEQUENCE):
            references |= {
                values.uid(image, REFERENCED_SOP_INSTANCE_UID) for image in contour.items(CONTOUR_IMAGE_SEQUENCE)
            }
            points = _points(contour)
            if points is None:
                left_out[number] += 1
                continue
            total += len(points)
            if total > MOST_POINTS:
                raise DicomError(f"the structure set has more than {MOST_POINTS:,} points", "limit")
            contours[number].append(points)
    regions = tuple(
        Region(_coloured(row, colors.get(number)), uid, tuple(contours[number]), left_out[number])
        for number, (row, uid) in rows.items()
    )
    title = values.text(dataset, STRUCTURE_SET_LABEL) or values.text(dataset, tags.SERIES_DESCRIPTION)
    return StructureSetFile(regions, frozenset(references - {""}), _frame_of_reference(dataset, regions), title[:200])


def _rows(dataset: Dataset) -> Iterator[tuple[SegmentRow, str]]:
    kinds = {
        values.integer(item, REFERENCED_ROI_NUMBER, "IS"): values.text(item, RT_ROI_INTERPRETED_TYPE)
        for item in dataset.items(RT_ROI_OBSERVATIONS_SEQUENCE)
    }
    for item in dataset.items(STRUCTURE_SET_ROI_SEQUENCE):
        number = values.integer(item, ROI_NUMBER, "IS")
        if number is not None and number >= 0:
            row = SegmentRow(
                number,
                values.text(item, ROI_NAME)[:64],
                type=kinds.get(number, "").lower()[:16],
                algorithm=values.text(item, ROI_GENERATION_ALGORITHM).lower()[:16],
            )
            yield row, values.uid(item, REFERENCED_FRAME_OF_REFERENCE_UID)


def _coloured(row: SegmentRow, color: Rgb | None) -> SegmentRow:
    return SegmentRow(row.number, row.label, color, row.category, row.type, row.algorithm)


def _color(item: Dataset) -> Rgb | None:
    found = values.numbers(item, ROI_DISPLAY_COLOR, "IS")
    if len(found) != 3 or not all(0 <= value <= 255 for value in found):
        return None
    return int(found[0]), int(found[1]), int(found[2])


def _points(contour: Dataset) -> NDArray[np.float64] | None:
    """(points, 3) of a closed contour; None of one that encloses nothing, or whose text is not whole points."""
    element = contour.elements.get(CONTOUR_DATA)
    if values.code(contour, CONTOUR_GEOMETRIC_TYPE) not in _CLOSED or element is None:
        return None
    if element.length > _LONGEST:
        raise DicomError("a contour of the structure set is too long", "limit")
    numbers = np.asarray(values.numbers(contour, CONTOUR_DATA, "DS"), np.float64)
    whole = len(numbers) >= 9 and len(numbers) % 3 == 0 and bool((abs(numbers) < 1e6).all())
    return numbers.reshape(-1, 3) if whole else None


def _frame_of_reference(dataset: Dataset, regions: tuple[Region, ...]) -> str:
    """That of most regions, else the one that the file names."""
    said = [region.frame_of_reference_uid for region in regions if region.frame_of_reference_uid]
    said += [
        values.uid(item, tags.FRAME_OF_REFERENCE_UID) for item in dataset.items(REFERENCED_FRAME_OF_REFERENCE_SEQUENCE)
    ]
    return max(said, key=said.count) if said else ""
