"""Where the pixels of an instance lie, checked against what the file holds (PS3.3 C.7.6.3, PS3.5 A.4)."""

from __future__ import annotations

from typing import Any

from . import tags, values
from .decode import DECODERS
from .elements import UNDEFINED, Dataset
from .encapsulated import frame_places
from .errors import Refused
from .header import Header
from .layout import FrameLayout
from .limits import Limits
from .syntaxes import DEFLATED_DATASET, DEFLATED_FRAMES, NATIVE, REFERENCED, VIDEO

_DATA_TAGS = (tags.PIXEL_DATA, tags.FLOAT_PIXEL_DATA, tags.DOUBLE_FLOAT_PIXEL_DATA)
_COLOUR = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"})
_SINGLE_BITS = NATIVE | {DEFLATED_DATASET, DEFLATED_FRAMES}
_GREY = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})


def pixel_index(header: Header, limits: Limits, warnings: list[str]) -> tuple[dict[str, Any], int, str]:
    """The `pixels` part of an index, the number of frames that can be had, and why they cannot be drawn ("" if they can).

    Raises Refused: pixels that the file does not hold, or more of them than the limits allow.
    """
    dataset = header.dataset
    tag = next(tag for tag in _DATA_TAGS if tag in dataset)
    described = _described(header, tag, warnings)
    frames = _number_of_frames(dataset, warnings)
    layout = FrameLayout(**described)
    if layout.rows == 0 or layout.columns == 0:
        raise Refused("pixel data without rows and columns", "malformed")
    if layout.rows * layout.columns * layout.samples_per_pixel > limits.max_pixels:
        raise Refused(f"a frame of {layout.rows} x {layout.columns} pixels is over the limit", "limit")
    if frames > limits.max_frames:
        raise Refused(f"{frames} frames are over the limit", "limit")
    reason = _not_drawn(layout)
    element = dataset.elements[tag]
    if element.length == UNDEFINED:
        if layout.transfer_syntax_uid in NATIVE or header.deflated:
            raise Refused("pixel data in fragments, which its transfer syntax does not know", "malformed")
        if layout.transfer_syntax_uid in VIDEO:
            return described | {"fragments": [_stream(header)]}, frames, reason
        places = frame_places(
            dataset.buffer, dataset, header.fragments or [], frames, layout.transfer_syntax_uid, little=header.little
        )
        return described | {"fragments": places}, _frames_found(len(places), frames, warnings), reason
    if layout.transfer_syntax_uid not in NATIVE and not header.deflated:
        raise Refused("pixel data of a compressed transfer syntax that is not in fragments", "malformed")
    if reason:
        return described, frames, reason
    described, layout = _resolve_subsampling(described, layout, element.length, frames, warnings)
    frames = _frames_found(element.length * 8 // layout.native_bits, frames, warnings)
    place: dict[str, Any] = {"offset": element.offset}
    if header.deflated:
        place["deflated"] = [header.dataset_offset, header.file_size - header.dataset_offset]
    return described | place, frames, reason


def _stream(header: Header) -> list[int]:
    """A video is one stream, however it is cut into fragments (PS3.5 8.2.5): its pieces behind the offset table, flat."""
    pieces = [number for offset, length in (header.fragments or [])[1:] if length for number in (offset, length)]
    if not pieces:
        raise Refused("cut short or damaged: the pixel data holds no video", "cut")
    return pieces


def _described(header: Header, tag: int, warnings: list[str]) -> dict[str, Any]:
    dataset = header.dataset
    floating = tag != tags.PIXEL_DATA
    allocated = values.integer(dataset, tags.BITS_ALLOCATED) or 0
    if floating:
        allocated = 32 if tag == tags.FLOAT_PIXEL_DATA else 64
    stored = values.integer(dataset, tags.BITS_STORED) or allocated
    high = values.integer(dataset, tags.HIGH_BIT)
    if not 1 <= allocated <= 64:
        raise Refused("pixel data without Bits Allocated", "malformed")
    if floating or stored > allocated:
        if not floating:
            warnings.append(f"{stored} bits stored do not fit {allocated} allocated")
        stored, high = allocated, allocated - 1
    if high is None or not stored - 1 <= high < allocated:
        if high is not None and high != stored - 1:
            warnings.append(f"high bit {high} does not fit {stored} bits of {allocated}")
        high = stored - 1
    samples = values.integer(dataset, tags.SAMPLES_PER_PIXEL) or 1
    photometric = values.code(dataset, tags.PHOTOMETRIC_INTERPRETATION)
    if not photometric:
        photometric = "RGB" if samples == 3 else "MONOCHROME2"
        warnings.append(f"no photometric interpretation; shown as {photometric}")
    return {
        "transfer_syntax_uid": header.transfer_syntax_uid,
        "rows": values.integer(dataset, tags.ROWS) or 0,
        "columns": values.integer(dataset, tags.COLUMNS) or 0,
        "samples_per_pixel": samples,
        "photometric_interpretation": photometric[:16],
        "bits_allocated": allocated,
        "bits_stored": stored,
        "high_bit": high,
        "pixel_representation": 1 if values.integer(dataset, tags.PIXEL_REPRESENTATION) == 1 else 0,
        "planar_configuration": 1 if values.integer(dataset, tags.PLANAR_CONFIGURATION) == 1 else 0,
        "floating": floating,
        "little": header.little,
        "swapped_bytes": not header.little and allocated == 8 and dataset.vr(tag) == "OW",
    }


def _number_of_frames(dataset: Dataset, warnings: list[str]) -> int:
    frames = values.integer(dataset, tags.NUMBER_OF_FRAMES, "IS")
    if frames is not None and frames < 1:
        warnings.append("the number of frames is below one; shown as one")
    return max(1, frames or 1)


def _frames_found(found: int, claimed: int, warnings: list[str]) -> int:
    if found == 0:
        raise Refused("cut short or damaged: the pixel data holds no whole frame", "cut")
    if found < claimed:
        warnings.append(f"the file claims {claimed} frames and holds {found}")
    elif found > claimed:
        warnings.append(f"the file holds {found} frames and claims {claimed}")
    return min(found, claimed)


def _not_drawn(layout: FrameLayout) -> str:
    """Why frames of this kind are not drawn, or ""."""
    syntax = layout.transfer_syntax_uid
    if syntax in VIDEO:
        return f"{VIDEO[syntax]} video: listed with the objects of the study"
    if syntax in REFERENCED:
        return "the pixels are on another server (JPIP): not drawn"
    if syntax not in DECODERS:
        return f"transfer syntax {syntax}: not known here"
    photometric, samples = layout.photometric_interpretation, layout.samples_per_pixel
    if photometric not in (_GREY if samples == 1 else _COLOUR if samples == 3 else ()):
        return f"{samples} samples per pixel of {photometric}: not drawn"
    if layout.bits_allocated == 1 and syntax not in _SINGLE_BITS:
        return "single bits in a compressed transfer syntax: not drawn"
    if layout.floating:
        return "" if samples == 1 else "floating point colour: not drawn"
    if layout.bits_allocated not in ((1, 8, 16, 32) if samples == 1 else (8, 16)):
        return f"{layout.bits_allocated} bits allocated: not drawn"
    return ""


def _resolve_subsampling(
    described: dict[str, Any], layout: FrameLayout, length: int, frames: int, warnings: list[str]
) -> tuple[dict[str, Any], FrameLayout]:
    """Native pixels that are called YBR_FULL_422 and are not subsampled are what their length says."""
    if layout.subsampled:
        whole = described | {"photometric_interpretation": "YBR_FULL"}
        if length * 8 >= FrameLayout(**whole).native_bits * frames or layout.columns % 2:
            warnings.append("called YBR_FULL_422, but its colours are not subsampled")
            return whole, FrameLayout(**whole)
    return described, layout
