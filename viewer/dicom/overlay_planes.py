"""Overlay planes, groups 6000 to 601E (PS3.3 C.9.2): what an index keeps of them, and their bits for one frame.

`overlays` of an index is a list of objects: `group`, `rows`, `columns`, `origin` [row, column] as stored, `type`, `label`,
`description`, `roi` {"area", "mean", "sd"}, `frames` and `first` of a multi-frame overlay; and where the bits are: `offset`,
`length` and `swapped` of Overlay Data (with `deflated` as pixels have it), or `bit`, the place in the cells of the pixel data
(retired in 2004).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.rendering.volume import OverlayPlane

from . import tags, values
from .elements import UNDEFINED, Dataset
from .errors import DicomError
from .frames import FrameSource
from .header import Header
from .layout import FrameLayout
from .native import inflated_range

GROUPS = tags.OVERLAY_GROUPS
_MOST_BITS = 2**28
"""Of one frame of a plane."""

Index = Mapping[str, Any]
Cells = Callable[[FrameLayout], NDArray[np.generic]]
"""The cells of a frame's pixels, decoded as a layout says."""


def overlay_index(header: Header, pixels: Index | None) -> list[dict[str, Any]]:
    """The planes of a header; header warnings grow by those that cannot be used. `pixels` as the index has them."""
    found = []
    for group in GROUPS:
        plane = _plane(header, group, pixels)
        if isinstance(plane, str):
            header.warnings.append(f"the overlay {group:04X} was left out: {plane}")
        elif plane is not None:
            found.append(plane)
    return found


def _plane(header: Header, group: int, pixels: Index | None) -> dict[str, Any] | str | None:
    dataset, base = header.dataset, group << 16
    rows = values.integer(dataset, base | tags.OVERLAY_ROWS)
    columns = values.integer(dataset, base | tags.OVERLAY_COLUMNS)
    data = dataset.elements.get(base | tags.OVERLAY_DATA)
    position = values.integer(dataset, base | tags.OVERLAY_BIT_POSITION) or 0
    if data is None and rows is None:
        return None
    if not rows or not columns:
        return "it has no rows and columns"
    if rows * columns > _MOST_BITS:
        return "it is over the limit"
    frames = values.integer(dataset, base | tags.OVERLAY_FRAMES, "IS") or 1
    plane: dict[str, Any] = {"group": group, "rows": rows, "columns": columns, **_words(dataset, base)}
    origin = values.numbers(dataset, base | tags.OVERLAY_ORIGIN, "SS")
    plane["origin"] = [int(origin[0]), int(origin[1])] if len(origin) >= 2 else [1, 1]
    if frames > 1 or base | tags.OVERLAY_IMAGE_FRAME_ORIGIN in dataset:
        plane["frames"] = max(1, frames)
        plane["first"] = values.integer(dataset, base | tags.OVERLAY_IMAGE_FRAME_ORIGIN) or 1
    if data is None or data.length == 0:
        return plane | {"bit": position} if _embedded(pixels, position, rows, columns) else "it has no bits"
    if data.length == UNDEFINED or data.length * 8 < rows * columns * max(1, frames):
        return "it has too few bits"
    plane |= {"offset": data.offset, "length": data.length}
    if not dataset.little and data.vr != "OB":
        plane["swapped"] = True
    if header.deflated:
        plane["deflated"] = [header.dataset_offset, header.file_size - header.dataset_offset]
    return plane


def _words(dataset: Dataset, base: int) -> dict[str, Any]:
    found: dict[str, Any] = {"type": values.code(dataset, base | tags.OVERLAY_TYPE) or "G"}
    for tag, name in ((tags.OVERLAY_LABEL, "label"), (tags.OVERLAY_DESCRIPTION, "description")):
        text = values.text(dataset, base | tag)[:64]
        if text:
            found[name] = text
    numbers = {
        name: values.number(dataset, base | tag, vr)
        for tag, name, vr in (
            (tags.OVERLAY_ROI_AREA, "area", "IS"),
            (tags.OVERLAY_ROI_MEAN, "mean", "DS"),
            (tags.OVERLAY_ROI_STANDARD_DEVIATION, "sd", "DS"),
        )
    }
    known = {name: number for name, number in numbers.items() if number is not None}
    return found | {"roi": known} if known else found


def _embedded(pixels: Index | None, position: int, rows: int, columns: int) -> bool:
    """Whether the bits can stand beside the stored ones in the cells of the pixel data."""
    if pixels is None or pixels.get("floating") or pixels["samples_per_pixel"] != 1:
        return False
    high, stored = pixels["high_bit"], pixels["bits_stored"]
    outside = position > high or position <= high - stored
    return (
        outside and 0 < position < pixels["bits_allocated"] and (rows, columns) == (pixels["rows"], pixels["columns"])
    )


# --- what is told, and what is drawn


def planes_of(source: FrameSource) -> list[Index]:
    """What the index knows of the planes that lie on this frame."""
    return [
        plane for plane in source.instance.index.get("overlays", []) if _part(plane, source.frame_number) is not None
    ]


def told(plane: Index) -> dict[str, Any]:
    """A plane for a client: {"group", "label", "description", "type", "roi"}."""
    return {
        "group": f"{plane['group']:04X}",
        "label": plane.get("label", ""),
        "description": plane.get("description", ""),
        "type": "roi" if plane["type"] == "R" else "graphics",
        "roi": plane.get("roi"),
    }


def needs_cells(planes: Sequence[Index]) -> bool:
    return any("bit" in plane for plane in planes)


def cells_layout(layout: FrameLayout) -> FrameLayout:
    """The layout that gives whole cells, with all their bits, in place of stored values."""
    bits = layout.bits_allocated
    return replace(layout, bits_stored=bits, high_bit=bits - 1, pixel_representation=0)


def read_planes(source: FrameSource, groups: Collection[int], cells: Cells) -> list[OverlayPlane]:
    """The planes of these groups with their bits for the frame. Raises DicomError, OSError; blocks.

    `cells` is asked only where a plane lies in the pixel data.
    """
    planes = [plane for plane in planes_of(source) if plane["group"] in groups]
    whole: NDArray[np.generic] | None = None
    found = []
    for plane in planes:
        if "bit" in plane:
            whole = cells(cells_layout(source.layout)) if whole is None else whole
            bits = (whole.astype(np.uint32) >> plane["bit"] & 1).astype(np.bool_)
        else:
            bits = read_bits(source.path, plane, _part(plane, source.frame_number) or 0)
        found.append(plane_of(plane, bits))
    return found


def plane_of(plane: Index, bits: NDArray[np.bool_]) -> OverlayPlane:
    row, column = plane["origin"]
    return OverlayPlane(plane["group"], bits, (row - 1, column - 1), plane["type"] == "R")


def _part(plane: Index, frame_number: int) -> int | None:
    """Which frame of the overlay lies on a frame of the image (C.9.3); None where none does."""
    if "frames" not in plane or "bit" in plane:
        return 0
    part = frame_number - plane["first"]
    return part if 0 <= part < plane["frames"] else None


def read_bits(path: os.PathLike[str], plane: Index, part: int) -> NDArray[np.bool_]:
    """Bits follow each other from the lowest of each byte on; frames begin wherever the one before ended."""
    count = plane["rows"] * plane["columns"]
    first = part * count
    start, end = first // 8 & ~1, (first + count + 7) // 8
    end = min(end + (end & 1), plane["length"])
    raw = _read(path, plane, start, end - start)
    if plane.get("swapped"):
        raw = np.frombuffer(raw[: len(raw) // 2 * 2], ">u2").astype("<u2").tobytes()
    bits = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")[first - start * 8 :][:count]
    if bits.size < count:
        raise DicomError("the stored file is shorter than its index says", "cut")
    return bits.reshape(plane["rows"], plane["columns"]).astype(np.bool_)


def _read(path: os.PathLike[str], plane: Index, start: int, length: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if "deflated" not in plane:
            return os.pread(descriptor, length, plane["offset"] + start)
        offset, size = plane["deflated"]
        return inflated_range(os.pread(descriptor, size, offset), plane["offset"] + start, length)
    finally:
        os.close(descriptor)
