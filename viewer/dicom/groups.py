"""What may differ from frame to frame: place, spacing, modality transform, windows, and what parts stacks.

The same readers serve a classic image, where these stand in the data set itself, and the functional groups of an
enhanced one (PS3.3 C.7.6.16), shared and per frame. A group is a JSON object that holds only what was found.
"""

from __future__ import annotations

import math
import re
from typing import Any

from . import tags, values
from .elements import Dataset
from .masks import frame_shifts, intensity_index
from .shutters import shutter_index

Group = dict[str, Any]

_CALIBRATED = {"GEOMETRY", "FIDUCIAL"}
_MOST_WINDOWS = 32
_PROJECTIONS = frozenset({"CR", "DX", "MG", "XA", "RF", "IO", "PX", "RG"})


def classic_group(dataset: Dataset, modality: str, warnings: list[str]) -> Group:
    """The group of an image whose attributes stand in the data set itself."""
    group: Group = {}
    _place(dataset, dataset, group, warnings)
    _spacing(dataset, modality, group)
    _rescale(dataset, group)
    _windows(dataset, group, warnings)
    _put(group, "temporal", values.integer(dataset, tags.TEMPORAL_POSITION_IDENTIFIER, "IS"))
    _put(group, "echo", values.number(dataset, tags.ECHO_TIME, "DS"))
    _put(group, "echo_number", values.integer(dataset, tags.ECHO_NUMBERS, "IS"))
    _put(group, "b_value", values.number(dataset, tags.DIFFUSION_B_VALUE, "FD"))
    _put(group, "trigger", values.number(dataset, tags.TRIGGER_TIME, "DS"))
    _put(group, "acquisition", values.integer(dataset, tags.ACQUISITION_NUMBER, "IS"))
    _put(group, "slice_location", values.number(dataset, tags.SLICE_LOCATION, "DS"))
    _thickness(dataset, group)
    _acquired(dataset, group)
    return group


def functional_group(item: Dataset, modality: str, warnings: list[str]) -> Group:
    """One item of the Shared or Per-Frame Functional Groups Sequence."""
    group: Group = {}
    position = _first(item, tags.PLANE_POSITION_SEQUENCE)
    orientation = _first(item, tags.PLANE_ORIENTATION_SEQUENCE)
    _place(position, orientation, group, warnings)
    measures = _first(item, tags.PIXEL_MEASURES_SEQUENCE)
    if measures is not None:
        _spacing(measures, modality, group)
        _thickness(measures, group)
    transform = _first(item, tags.PIXEL_VALUE_TRANSFORMATION_SEQUENCE)
    if transform is not None:
        _rescale(transform, group)
    voi = _first(item, tags.FRAME_VOI_LUT_SEQUENCE)
    if voi is not None:
        _windows(voi, group, warnings)
    content = _first(item, tags.FRAME_CONTENT_SEQUENCE)
    if content is not None:
        _put(group, "stack", values.text(content, tags.STACK_ID)[:16] or None)
        _put(group, "in_stack", values.integer(content, tags.IN_STACK_POSITION_NUMBER, "UL"))
        _put(group, "temporal", values.integer(content, tags.TEMPORAL_POSITION_INDEX, "UL"))
        _put(group, "acquisition", values.integer(content, tags.FRAME_ACQUISITION_NUMBER, "US"))
        _acquired(content, group)
    for sequence, tag, name in _FUNCTIONAL_NUMBERS:
        inner = _first(item, sequence)
        if inner is not None:
            _put(group, name, values.number(inner, tag, "FD"))
    anatomy = _first(item, tags.FRAME_ANATOMY_SEQUENCE)
    if anatomy is not None:
        _put(group, "laterality", values.code(anatomy, tags.FRAME_LATERALITY)[:16] or None)
    shutter = _first(item, tags.FRAME_DISPLAY_SHUTTER_SEQUENCE)
    if shutter is not None:
        group |= shutter_index(shutter)
    properties = _first(item, tags.FRAME_PIXEL_DATA_PROPERTIES_SEQUENCE)
    if properties is not None:
        group |= intensity_index(properties)
        if "spacing" not in group:
            _spacing(properties, modality, group)
    _put(group, "pixel_shift", frame_shifts(item) or None)
    return group


def _put(group: Group, name: str, value: object) -> None:
    if value is not None:
        group[name] = value


def _first(dataset: Dataset, tag: int) -> Dataset | None:
    items = dataset.items(tag)
    return items[0] if items else None


def _place(position: Dataset | None, orientation: Dataset | None, group: Group, warnings: list[str]) -> None:
    """Position (0020,0032) and orientation (0020,0037), the latter made exactly orthonormal; a bad one is left out."""
    if position is not None:
        found = values.numbers(position, tags.IMAGE_POSITION_PATIENT, "DS")
        if len(found) == 3 and all(abs(value) < 1e6 for value in found):
            group["position"] = found
    if orientation is not None and tags.IMAGE_ORIENTATION_PATIENT in orientation:
        cosines = orthonormal(values.numbers(orientation, tags.IMAGE_ORIENTATION_PATIENT, "DS"))
        if cosines is not None:
            group["orientation"] = cosines
        elif orientation.raw(tags.IMAGE_ORIENTATION_PATIENT).strip():
            _once(warnings, "the image orientation is not two directions at right angles and was left out")


def orthonormal(cosines: list[float]) -> list[float] | None:
    """Row and column direction of length one; None where they are further than rounding from right angles."""
    if len(cosines) != 6:
        return None
    row, column = cosines[:3], cosines[3:]
    long_row, long_column = math.hypot(*row), math.hypot(*column)
    if abs(long_row - 1) > 0.01 or abs(long_column - 1) > 0.01:
        return None
    if abs(sum(a * b for a, b in zip(row, column, strict=True))) > 0.01:
        return None
    return [value / long_row for value in row] + [value / long_column for value in column]


def _spacing(dataset: Dataset, modality: str, group: Group) -> None:
    """Millimetres between pixels, with the attribute that says so (PS3.3 10.7.1.3); nothing where none does."""
    imager = _pair(dataset, tags.IMAGER_PIXEL_SPACING)
    plain = _pair(dataset, tags.PIXEL_SPACING)
    if plain is not None:
        source = "Pixel Spacing"
        calibrated = values.code(dataset, tags.PIXEL_SPACING_CALIBRATION_TYPE)
        if calibrated in _CALIBRATED:
            source = f"Pixel Spacing (calibrated by {calibrated.lower()})"
        elif modality in _PROJECTIONS and imager == plain:
            source = "at the detector (Imager Pixel Spacing)"
        group["spacing"], group["spacing_source"] = plain, source
        return
    for tag, source in _OTHER_SPACINGS:
        found = _pair(dataset, tag)
        if found is not None:
            group["spacing"], group["spacing_source"] = found, source
            return


def _pair(dataset: Dataset, tag: int) -> list[float] | None:
    found = values.numbers(dataset, tag, "DS")
    return found[:2] if len(found) >= 2 and all(1e-6 < value < 1e5 for value in found[:2]) else None


def _rescale(dataset: Dataset, group: Group) -> None:
    slope = values.number(dataset, tags.RESCALE_SLOPE, "DS")
    intercept = values.number(dataset, tags.RESCALE_INTERCEPT, "DS")
    if slope is not None or intercept is not None:
        group["rescale"] = [1.0 if slope is None else slope, intercept or 0.0]
    _put(group, "rescale_type", values.text(dataset, tags.RESCALE_TYPE)[:16] or None)


def _windows(dataset: Dataset, group: Group, warnings: list[str]) -> None:
    """Windows (PS3.3 C.11.2.1.2) as [center, width, function, explanation]."""
    centers = values.numbers(dataset, tags.WINDOW_CENTER, "DS")
    widths = values.numbers(dataset, tags.WINDOW_WIDTH, "DS")
    if len(centers) != len(widths):
        _once(warnings, "the numbers of window centers and widths differ")
    explanations = values.texts(dataset, tags.WINDOW_CENTER_WIDTH_EXPLANATION)
    function = values.code(dataset, tags.VOI_LUT_FUNCTION) or "LINEAR"
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        _once(warnings, f"the VOI LUT function {function[:16]} is not known; shown as LINEAR")
        function = "LINEAR"
    found = []
    for index, (center, width) in enumerate(zip(centers[:_MOST_WINDOWS], widths, strict=False)):
        if width <= 0 or abs(center) > 1e12 or width > 1e12:
            _once(warnings, "a window without width was left out")
            continue
        kind = "LINEAR_EXACT" if function == "LINEAR" and width < 1 else function
        explanation = explanations[index][:64] if index < len(explanations) else ""
        found.append([center, width, kind, explanation])
    if found:
        group["windows"] = found


def _thickness(dataset: Dataset, group: Group) -> None:
    for tag, name in ((tags.SLICE_THICKNESS, "thickness"), (tags.SPACING_BETWEEN_SLICES, "between")):
        value = values.number(dataset, tag, "DS")
        if value is not None and value != 0:
            group[name] = abs(value)


def _acquired(dataset: Dataset, group: Group) -> None:
    """When the frame was acquired, as [date, time] as stored; of the content where the acquisition is not dated."""
    both = re.fullmatch(
        r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)?(?:[+-]\d{4})?",
        values.text(dataset, tags.FRAME_ACQUISITION_DATE_TIME) or values.text(dataset, tags.ACQUISITION_DATE_TIME),
    )
    date = values.day(dataset, tags.ACQUISITION_DATE) or (both[1] if both else "")
    time = values.time_of_day(dataset, tags.ACQUISITION_TIME) or ((both[2] or "") if both else "")
    if not date and not time:
        date, time = values.day(dataset, tags.CONTENT_DATE), values.time_of_day(dataset, tags.CONTENT_TIME)
    if date or time:
        group["acquired"] = [date, time]


def _once(warnings: list[str], text: str) -> None:
    if text not in warnings:
        warnings.append(text)


_OTHER_SPACINGS = (
    (tags.IMAGER_PIXEL_SPACING, "at the detector (Imager Pixel Spacing)"),
    (tags.IMAGE_PLANE_PIXEL_SPACING, "at the image plane (Image Plane Pixel Spacing)"),
    (tags.NOMINAL_SCANNED_PIXEL_SPACING, "Nominal Scanned Pixel Spacing"),
)

_FUNCTIONAL_NUMBERS = (
    (tags.MR_ECHO_SEQUENCE, tags.EFFECTIVE_ECHO_TIME, "echo"),
    (tags.MR_DIFFUSION_SEQUENCE, tags.DIFFUSION_B_VALUE, "b_value"),
    (tags.CARDIAC_SYNCHRONIZATION_SEQUENCE, tags.NOMINAL_CARDIAC_TRIGGER_DELAY_TIME, "trigger"),
)
