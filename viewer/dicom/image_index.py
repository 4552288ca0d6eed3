"""What drawing and sorting need of an image besides its pixels, as JSON: the rest of an index."""

from __future__ import annotations

from typing import Any

from . import tags, values
from .elements import Dataset
from .errors import DicomError, Refused
from .groups import Group, classic_group, functional_group
from .header import Header
from .limits import Limits
from .luts import pack_lut, read_lut, read_palette
from .masks import mask_index
from .overlay_planes import overlay_index
from .shutters import shutter_index
from .suv import suv_index
from .syntaxes import LOSSY_METHODS, MAYBE_LOSSY_METHODS
from .ultrasound_regions import region_index
from .view_codes import view_position

_FOR_DISPLAY_UNSCALED = frozenset({"XA", "RF"})


def image_index(header: Header, modality: str, pixels: dict[str, Any], frames: int, limits: Limits) -> dict[str, Any]:
    """The index of an image, `pixels` left out. Header warnings grow by what had to be mended. Raises Refused."""
    dataset, warnings = header.dataset, header.warnings
    index: dict[str, Any] = {"shared": _shared(dataset, modality, warnings)}
    per_frame = _per_frame(dataset, modality, frames, index["shared"], warnings)
    if any(per_frame):
        index["per_frame"] = per_frame
    signed = bool(pixels["pixel_representation"])
    index |= _value_transform(dataset, modality, index["shared"], signed, limits, warnings)
    index |= _padding(dataset, pixels)
    if values.code(dataset, tags.PRESENTATION_LUT_SHAPE) == "INVERSE":
        index["inverse"] = True
    if pixels["photometric_interpretation"] == "PALETTE COLOR":
        try:
            tables, mended = read_palette(dataset, signed=signed)
        except DicomError as error:
            raise Refused(f"a palette image cannot be drawn: {error.reason}", error.code) from None
        index["palette"] = [pack_lut(table) for table in tables]
        warnings += mended
    aspect = values.numbers(dataset, tags.PIXEL_ASPECT_RATIO, "IS")
    if len(aspect) == 2 and min(aspect) > 0 and aspect[0] != aspect[1]:
        index["aspect"] = aspect
    index |= _lossy(dataset, header.transfer_syntax_uid) | _cine(dataset, frames) | mask_index(dataset)
    index |= shutter_index(dataset)
    overlays = overlay_index(header, pixels)
    if overlays:
        index["overlays"] = overlays
    if modality == "PT":
        index |= suv_index(dataset)
    index |= region_index(dataset)
    index["labels"] = _labels(dataset)
    frame_of_reference = values.uid(dataset, tags.FRAME_OF_REFERENCE_UID)
    if frame_of_reference:
        index["frame_of_reference"] = frame_of_reference
    return index


def _shared(dataset: Dataset, modality: str, warnings: list[str]) -> Group:
    shared = classic_group(dataset, modality, warnings)
    for item in dataset.items(tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE)[:1]:
        shared |= functional_group(item, modality, warnings)
    return shared


def _per_frame(dataset: Dataset, modality: str, frames: int, shared: Group, warnings: list[str]) -> list[Group]:
    """One group a frame, holding only what differs from the shared one."""
    items = dataset.items(tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)
    if items and len(items) != frames:
        warnings.append(f"{len(items)} groups of attributes for {frames} frames")
    groups = [functional_group(item, modality, warnings) for item in items[:frames]]
    groups += [{} for _ in range(frames - len(groups))]
    offsets = values.numbers(dataset, tags.GRID_FRAME_OFFSET_VECTOR, "DS")
    if not items and frames > 1 and len(offsets) >= frames and "position" in shared and "orientation" in shared:
        groups = [{"position": place} for place in _dose_positions(shared, offsets[:frames])]
    return [{name: value for name, value in group.items() if shared.get(name) != value} for group in groups]


def _dose_positions(shared: Group, offsets: list[float]) -> list[list[float]]:
    """Planes of a dose grid along the normal (PS3.3 C.8.8.3.2); absolute z offsets are told by a first one not 0."""
    x, y, z = shared["position"]
    (a, b, c), (d, e, f) = shared["orientation"][:3], shared["orientation"][3:]
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    start = offsets[0] if offsets[0] != 0 else 0.0
    steps = [(offset - start) * (normal[2] if start else 1.0) for offset in offsets]
    return [[x + step * normal[0], y + step * normal[1], z + step * normal[2]] for step in steps]


def _value_transform(
    dataset: Dataset, modality: str, shared: Group, signed: bool, limits: Limits, warnings: list[str]
) -> dict[str, Any]:
    """Modality LUT, VOI LUTs, unit, and the range of stored values where the file names it."""
    found: dict[str, Any] = {}
    relationship = values.code(dataset, tags.PIXEL_INTENSITY_RELATIONSHIP)
    if modality in _FOR_DISPLAY_UNSCALED and relationship in ("LOG", "DISP"):
        found["unscaled"] = True  # PS3.3 C.8.7.1.1.2
    modality_luts = dataset.items(tags.MODALITY_LUT_SEQUENCE)
    if modality_luts and "unscaled" not in found:
        table = read_lut(modality_luts[0], signed=signed, limits=limits)
        if table is None:
            warnings.append("the Modality LUT has no entries and was left out")
        else:
            found["modality_lut"] = pack_lut(table)
            _unit(found, values.text(modality_luts[0], tags.MODALITY_LUT_TYPE))
    rescale = shared.get("rescale")
    can_be_negative = (signed and "modality_lut" not in found) or bool(rescale and rescale[1] < 0)
    for item in dataset.items(tags.VOI_LUT_SEQUENCE)[:16]:
        table = read_lut(item, signed=can_be_negative, limits=limits)
        if table is None:
            warnings.append("a VOI LUT without entries was left out")
        else:
            found.setdefault("voi_luts", []).append(pack_lut(table))
    if modality == "PT":
        _unit(found, values.text(dataset, tags.UNITS))
    elif modality == "RTDOSE":
        scaling = values.number(dataset, tags.DOSE_GRID_SCALING, "DS")
        if scaling:
            shared["rescale"] = [scaling, 0.0]
            _unit(found, values.text(dataset, tags.DOSE_UNITS))
    vr = "SS" if signed else "US"
    low = values.integer(dataset, tags.SMALLEST_IMAGE_PIXEL_VALUE, vr)
    high = values.integer(dataset, tags.LARGEST_IMAGE_PIXEL_VALUE, vr)
    if low is not None and high is not None and low < high:
        found["extremes"] = [low, high]
    return found


def _unit(found: dict[str, Any], unit: str) -> None:
    if unit and unit.upper() not in ("US", "UNSPECIFIED"):
        found["unit"] = unit[:16]


def _padding(dataset: Dataset, pixels: dict[str, Any]) -> dict[str, Any]:
    """The range of stored values that are padding (PS3.3 C.7.5.1.1.2), in the pixels' own sign whatever VR it came in."""
    if pixels["samples_per_pixel"] != 1 or pixels["floating"]:
        return {}
    low = _stored_value(dataset, tags.PIXEL_PADDING_VALUE, pixels)
    if low is None:
        return {}
    limit = _stored_value(dataset, tags.PIXEL_PADDING_RANGE_LIMIT, pixels)
    high = low if limit is None else limit
    return {"padding": [min(low, high), max(low, high)]}


def _stored_value(dataset: Dataset, tag: int, pixels: dict[str, Any]) -> int | None:
    raw = dataset.raw(tag)
    if len(raw) not in (2, 4):
        return None
    signed = bool(pixels["pixel_representation"])
    value = int.from_bytes(raw, "little" if dataset.little else "big", signed=signed)
    bits = pixels["bits_stored"]
    if signed and 1 << (bits - 1) <= value < 1 << bits:
        value -= 1 << bits  # a signed value of fewer bits that was written without its sign
    return value


def _lossy(dataset: Dataset, syntax: str) -> dict[str, Any]:
    """(0028,2110..2114); a syntax that always loses something says so itself (PS3.3 C.7.6.1.1.5)."""
    said = values.code(dataset, tags.LOSSY_IMAGE_COMPRESSION)
    method = LOSSY_METHODS.get(syntax) or ("" if said == "00" else MAYBE_LOSSY_METHODS.get(syntax, ""))
    if said != "01" and not method:
        return {}
    ratios = values.texts(dataset, tags.LOSSY_IMAGE_COMPRESSION_RATIO)
    methods = values.texts(dataset, tags.LOSSY_IMAGE_COMPRESSION_METHOD)
    return {"lossy": ["/".join(ratios)[:64], "/".join(methods)[:64] or method]}


def _cine(dataset: Dataset, frames: int) -> dict[str, Any]:
    """Timing of a clip (PS3.3 C.7.6.5) as the file gives it."""
    found: dict[str, Any] = {}
    vector = values.numbers(dataset, tags.FRAME_TIME_VECTOR, "DS")
    if frames > 1 and len(vector) >= frames:
        found["vector"] = vector[:frames]
    for tag, name in _CINE_NUMBERS:
        value = values.number(dataset, tag, "DS")
        if value is not None and value > 0:
            found[name] = value
    return {"cine": found} if found else {}


def _labels(dataset: Dataset) -> dict[str, str]:
    found = {name: values.text(dataset, tag)[:64] for name, tag in _LABELS}
    found["view_position"] = view_position(dataset)[:64]
    found["patient_orientation"] = _patient_orientation(dataset)
    found["laterality"] = values.code(dataset, tags.IMAGE_LATERALITY) or values.code(dataset, tags.LATERALITY)
    return {name: value for name, value in found.items() if value}


def _patient_orientation(dataset: Dataset) -> str:
    r"""What lies at the right and at the bottom, "A\F" (PS3.3 C.7.6.1.1.1); "" where it is not said in a person's letters."""
    letters = [part.upper() for part in values.texts(dataset, tags.PATIENT_ORIENTATION)]
    animal = values.code(dataset, tags.ANATOMICAL_ORIENTATION_TYPE) == "QUADRUPED"
    sound = len(letters) == 2 and all(part and len(part) <= 3 and set(part) <= set("LRAPHF") for part in letters)
    return "\\".join(letters) if sound and not animal else ""


_CINE_NUMBERS = (
    (tags.FRAME_TIME, "frame_time"),
    (tags.RECOMMENDED_DISPLAY_FRAME_RATE, "display_rate"),
    (tags.CINE_RATE, "cine_rate"),
)

_LABELS = (
    ("contrast_agent", tags.CONTRAST_BOLUS_AGENT),
    ("image_type", tags.IMAGE_TYPE),
)
