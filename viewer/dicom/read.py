"""A DICOM file to its attributes and its index: all that is ever asked of its header, read once, at ingest.

An index is a JSON object:

- `v` its version; `sop`, `class`, `modality`, `number` (Instance Number); `frames`, 0 without pixels; `not_drawn`, the reason
  why no frame can be drawn; `warnings`
- `pixels`: the fields of `layout.FrameLayout`, and where the bytes are: `offset` of native pixel data, with `deflated`
  [offset, length] of a deflated data set that `offset` then lies in; or `fragments`, for each frame [offset, length, ...]
- `shared` and `per_frame`: groups (`groups.py`) of what may differ between frames: `position`, `orientation`, `spacing` and its
  source, `rescale`, `windows`, `stack`, `temporal`, `echo`, `b_value`, `trigger`, `acquired`, `pixel_shift`, ...
- `overlays` (`overlay_planes.py`), `mask` (`masks.py`)
- `modality_lut`, `voi_luts`, `palette` (`luts.pack_lut`), `padding`, `extremes`, `unit`, `unscaled`, `inverse`, `aspect`,
  `lossy`, `cine`, `labels`, `frame_of_reference`

What a file does not say is not there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import tags, values
from .attributes import (
    PatientAttributes,
    SeriesAttributes,
    StudyAttributes,
    needed_uid,
    patient_attributes,
    series_attributes,
    study_attributes,
)
from .elements import Dataset
from .errors import Refused
from .header import MEDIA_STORAGE_DIRECTORY, Header, looks_like_dicom, opened
from .image_index import image_index
from .limits import Limits
from .objects import is_image_class, not_drawn_reason
from .pixel_index import pixel_index

__all__ = ["INDEX_VERSION", "ParsedInstance", "looks_like_dicom", "read_instance"]

INDEX_VERSION = 1
"""Of the shape of an index: another one cannot be used."""
READ_AS = 3
"""Counts up whenever more is read of a header than before; an archive that was read by less is read again
(`viewer.archive.reading_anew`). 2: shutters of images and frames, the direction of a mask's shift.
3: the shift of a mask for each frame, and what values stand for, of enhanced angiograms."""

_PIXELS = (tags.PIXEL_DATA, tags.FLOAT_PIXEL_DATA, tags.DOUBLE_FLOAT_PIXEL_DATA)


@dataclass(frozen=True, slots=True)
class ParsedInstance:
    """What one file says of itself. `index` is JSON and holds what sorting, describing and reading its frames need."""

    patient: PatientAttributes
    study: StudyAttributes
    series: SeriesAttributes
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    instance_number: int | None = None
    number_of_frames: int = 0
    """0 for an object without pixels."""
    rows: int | None = None
    columns: int | None = None
    index: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    is_directory: bool = False
    """A DICOMDIR: it names other files and is itself nothing to keep."""


def read_instance(path: Path, limits: Limits = Limits()) -> ParsedInstance:  # noqa: B008 - frozen
    """Read one file. Raises NotDicom or Refused, with a reason for a person, and OSError; nothing else.

    Lengths are held against the file, and sizes against the limits, before anything is allocated.
    """
    with opened(path, limits) as header:
        media_class = values.uid(header.meta, tags.MEDIA_STORAGE_SOP_CLASS_UID)
        if media_class == MEDIA_STORAGE_DIRECTORY:
            return _directory(header)
        return _instance(header, limits)


def _directory(header: Header) -> ParsedInstance:
    return ParsedInstance(
        PatientAttributes(),
        StudyAttributes(),
        SeriesAttributes(),
        sop_instance_uid=values.uid(header.meta, tags.MEDIA_STORAGE_SOP_INSTANCE_UID),
        sop_class_uid=MEDIA_STORAGE_DIRECTORY,
        transfer_syntax_uid=header.transfer_syntax_uid,
        is_directory=True,
    )


def _instance(header: Header, limits: Limits) -> ParsedInstance:
    dataset, warnings = header.dataset, header.warnings
    sop_instance_uid = needed_uid(dataset, tags.SOP_INSTANCE_UID, "SOP Instance UID")
    sop_class_uid = needed_uid(dataset, tags.SOP_CLASS_UID, "SOP Class UID")
    patient, study, series = patient_attributes(dataset), study_attributes(dataset), series_attributes(dataset)
    number = values.integer(dataset, tags.INSTANCE_NUMBER, "IS")
    index: dict[str, Any] = {
        "v": INDEX_VERSION,
        "sop": sop_instance_uid,
        "class": sop_class_uid,
        "modality": series.modality,
        "number": number,
        "frames": 0,
    }
    frames, rows, columns = 0, None, None
    if any(tag in dataset for tag in _PIXELS):
        pixels, frames, reason = pixel_index(header, limits, warnings)
        rows, columns = pixels["rows"], pixels["columns"]
        index |= {"pixels": pixels, "frames": frames}
        if reason:
            index["not_drawn"] = reason
        index |= image_index(header, series.modality, pixels, frames, limits)
    else:
        index["not_drawn"] = _without_pixels(dataset, sop_class_uid, warnings)
    if warnings:
        index["warnings"] = list(warnings)
    return ParsedInstance(
        patient,
        study,
        series,
        sop_instance_uid,
        sop_class_uid,
        header.transfer_syntax_uid,
        number,
        frames,
        rows,
        columns,
        index,
        list(warnings),
    )


def _without_pixels(dataset: Dataset, sop_class_uid: str, warnings: list[str]) -> str:
    if not is_image_class(sop_class_uid):
        return not_drawn_reason(sop_class_uid)
    # An image without pixels is most likely the front part of one. Where the old group lengths (gggg,0000) tell that
    # one of the last groups is whole, it is a header that was written alone.
    if not dataset.ends_with_whole_group:
        raise Refused("cut short or damaged: an image without pixel data", "cut")
    warnings.append("an image without pixel data: a header alone")
    return "a header without pixels: nothing to draw"
