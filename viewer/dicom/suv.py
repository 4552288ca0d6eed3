"""Standardized uptake values by body weight: what a PET series says about dose, weight and time, and the factor that follows.

SUVbw (g/ml) = activity concentration (Bq/ml) x body weight (g) / injected dose (Bq), with the dose as it had decayed by the
moment that the values are corrected to (PS3.3 C.8.9.1, Decay Correction (0054,1102)). Which moment that is, and which private
elements count, follows the QIBA profile's pseudo-code. Nothing is guessed: where an input is missing or cannot be, there is no
SUV, and a reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from math import expm1, log
from typing import Any

from . import tags, values
from .elements import Dataset

UNIT = "g/ml"
SOURCE = "SUV by body weight"

_MOST_HALF_LIVES = 10.0
"""Between injection and scan: less than a thousandth of the dose would be left, so one of the times is wrong."""
_SAME_DAY = 6 * 3600.0
"""s: with a longer half-life the injection may have been days before, and its date must be said."""
_EARLY = timedelta(minutes=10)
"""A dynamic scan may begin this long before the injection."""
_AGREES = 1e-3
"""Relative difference of the factors of two images of one series."""
_PHILIPS, _GE = "PHILIPS PET PRIVATE GROUP", "GEMS_PETD_01"

_NUMBERS = (
    ("weight", tags.PATIENT_WEIGHT, "DS"),
    ("duration_ms", tags.ACTUAL_FRAME_DURATION, "IS"),
    ("reference_ms", tags.FRAME_REFERENCE_TIME, "DS"),
)
_OF_RADIOPHARMACEUTICAL = (
    ("dose", tags.RADIONUCLIDE_TOTAL_DOSE, "DS"),
    ("half_life", tags.RADIONUCLIDE_HALF_LIFE, "DS"),
)


def suv_index(dataset: Dataset) -> dict[str, Any]:
    """What one PET image says, for its index, as stored."""
    found: dict[str, Any] = {
        "units": values.code(dataset, tags.UNITS)[:16],
        "type": values.code(dataset, tags.SUV_TYPE)[:16],
        "decay": values.code(dataset, tags.DECAY_CORRECTION)[:16],
        "corrected": [text[:16].upper() for text in values.texts(dataset, tags.CORRECTED_IMAGE)[:32]],
        "series": [values.day(dataset, tags.SERIES_DATE), values.time_of_day(dataset, tags.SERIES_TIME)],
        "acquired": [values.day(dataset, tags.ACQUISITION_DATE), values.time_of_day(dataset, tags.ACQUISITION_TIME)],
        "zone": values.text(dataset, tags.TIMEZONE_OFFSET_FROM_UTC)[:5],
    }
    found |= {name: values.number(dataset, tag, vr) for name, tag, vr in _NUMBERS}
    items = dataset.items(tags.RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE)
    found["injections"] = len(items)
    for item in items[:1]:
        found |= {name: values.number(item, tag, vr) for name, tag, vr in _OF_RADIOPHARMACEUTICAL}
        found["start"] = values.time_of_day(item, tags.RADIOPHARMACEUTICAL_START_TIME)
        found["start_date_time"] = values.text(item, tags.RADIOPHARMACEUTICAL_START_DATE_TIME)[:26]
    if values.code(dataset, tags.PHILIPS_PET_CREATOR) == _PHILIPS:
        found["philips_suv"] = values.number(dataset, tags.PHILIPS_SUV_FACTOR, "DS")
        found["philips_activity"] = values.number(dataset, tags.PHILIPS_ACTIVITY_FACTOR, "DS")
    if values.code(dataset, tags.GE_PET_CREATOR) == _GE:
        found["ge_scan"] = values.text(dataset, tags.GE_PET_SCAN_DATE_TIME)[:26]
    return {"pet": {name: value for name, value in found.items() if value not in (None, "", [], ["", ""])}}


class NoSuv(ValueError):
    """Why there is no SUV, for the reader."""


@dataclass(frozen=True, slots=True)
class Suv:
    """SUVbw = modality value * `factor`."""

    factor: float
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """What it was made of, each with its unit in its name."""

    def to_json(self) -> dict[str, Any]:
        return {"factor": self.factor, "inputs": dict(self.inputs), "unit": UNIT}


def suv_of(indexes: Sequence[Mapping[str, Any]]) -> Suv | NoSuv | None:
    """Of a series, by the indexes of its images; None where it is no PET at all."""
    if not indexes or any(index.get("modality") != "PT" for index in indexes):
        return None
    try:
        return _of_series([index.get("pet", {}) for index in indexes])
    except NoSuv as reason:
        return reason


def _of_series(images: Sequence[Mapping[str, Any]]) -> Suv:
    if not all(images):
        raise NoSuv("the archive took these images in before it knew SUV; take them in again")
    earliest = min((when for image in images if (when := _acquired(image)) is not None), default=None)
    known: dict[str, Suv] = {}
    for image in images:
        said = repr(sorted((name, value) for name, value in image.items() if name not in _APART))
        scan = _scan_time(image, earliest) if _needs_time(image) else None
        key = f"{said} {scan}"
        if key not in known:
            known[key] = _of_image(image, scan)
    factors = [suv.factor for suv in known.values()]
    if max(factors) - min(factors) > _AGREES * min(factors):
        raise NoSuv("the images of this series disagree on weight, dose or times")
    return next(iter(known.values()))


_APART = frozenset({"acquired", "duration_ms", "reference_ms"})
"""May differ from image to image of one series."""


def _of_image(image: Mapping[str, Any], scan: tuple[datetime, str] | None) -> Suv:
    units = image.get("units")
    if units == "GML":
        kind = str(image.get("type", "BW"))
        if kind != "BW":
            raise NoSuv(f"the values are SUV of another kind ({kind})")
        return Suv(1.0, {"units": "GML", "method": "the values are SUV by body weight already"})
    if units == "CNTS" and image.get("philips_suv", 0.0) > 0.0:
        factor = float(image["philips_suv"])
        return Suv(factor, {"units": "CNTS", "method": "Philips private factor (7053,1000)", "factor": factor})
    scale = 1.0
    if units == "CNTS":
        scale = float(image.get("philips_activity", 0.0))
        if scale <= 0.0:
            raise NoSuv("the values are counts, and the file has no factor that makes Bq/ml of them")
    elif units != "BQML":
        raise NoSuv(f"the values are not in Bq/ml but in {units}" if units else "Units (0054,1001) is missing")
    return _by_weight(image, scan, scale)


def _by_weight(image: Mapping[str, Any], scan: tuple[datetime, str] | None, scale: float) -> Suv:
    for name, text in (("ATTN", "attenuation"), ("DECY", "decay")):
        if name not in image.get("corrected", []):
            raise NoSuv(f"Corrected Image (0028,0051) does not say that the images are corrected for {text}")
    decay = image.get("decay", "")
    if decay not in ("START", "ADMIN"):
        raise NoSuv(f"Decay Correction (0054,1102) is {decay or 'missing'}: START or ADMIN is needed")
    if image.get("injections", 0) > 1:
        raise NoSuv("several radiopharmaceuticals are named")
    weight = _needed(image, "weight", "Patient's Weight (0010,1030)", "kg", 0.01, 650.0)
    dose = _needed(image, "dose", "Radionuclide Total Dose (0018,1074)", "Bq", 1e5, 1e11)
    half_life = _needed(image, "half_life", "Radionuclide Half Life (0018,1075)", "s", 10.0, 1e9)
    inputs: dict[str, Any] = {
        "units": image["units"],
        "patient_weight_kg": weight,
        "total_dose_bq": dose,
        "half_life_s": half_life,
        "decay_correction": decay,
    }
    if scale != 1.0:
        inputs["philips_activity_factor"] = scale
    elapsed = 0.0
    if decay == "START":
        if scan is None:
            raise NoSuv("neither Series Time nor Acquisition Time says when the scan began")
        scanned, scan_source = scan
        injected, start_source = _injection(image, scanned, half_life)
        elapsed = (scanned - injected).total_seconds()
        if not -_EARLY.total_seconds() <= elapsed <= _MOST_HALF_LIVES * half_life:
            raise NoSuv(f"the injection at {injected} and the scan at {scanned} cannot belong together")
        inputs |= {
            "injected_at": injected.isoformat(),
            "injected_at_source": start_source,
            "scanned_at": scanned.isoformat(),
            "scanned_at_source": scan_source,
            "elapsed_s": elapsed,
        }
    decayed = dose * 2.0 ** (-elapsed / half_life)
    inputs["decayed_dose_bq"] = decayed
    return Suv(scale * weight * 1000.0 / decayed, inputs)


def _needed(image: Mapping[str, Any], name: str, words: str, unit: str, least: float, most: float) -> float:
    value = float(image.get(name) or 0.0)
    if value == 0.0:
        raise NoSuv(f"{words} is missing")
    if not least <= value <= most:
        raise NoSuv(f"{words} of {value:g} {unit} cannot be")
    return value


# --- times


def _needs_time(image: Mapping[str, Any]) -> bool:
    return image.get("decay") == "START" and image.get("units") in ("BQML", "CNTS")


def _scan_time(image: Mapping[str, Any], earliest: datetime | None) -> tuple[datetime, str] | None:
    """When the values are corrected to: the series' time, unless that is the time of a later processing."""
    series = _moment(*image.get("series", ("", "")))
    acquired = _acquired(image)
    if series is not None and (earliest is None or series <= earliest):
        return series, "Series Date and Time"
    private = _date_time(str(image.get("ge_scan", "")), image)
    if private is not None:
        return private, "GE private scan date and time (0009,100D)"
    reference, duration = image.get("reference_ms", 0.0), image.get("duration_ms", 0.0)
    if acquired is not None and reference > 0.0 and duration > 0.0 and image.get("half_life"):
        # How long after its begin a frame has its average count rate; Frame Reference Time counts to it from the scan's begin.
        return acquired - timedelta(milliseconds=reference) + _average(duration, float(image["half_life"])), (
            "Acquisition Time and Frame Reference Time"
        )
    return None if earliest is None else (earliest, "the earliest Acquisition Date and Time of the series")


def _average(duration_ms: float, half_life: float) -> timedelta:
    """From the begin of a frame to when its count rate is the frame's average."""
    constant = 0.6931471805599453 / half_life
    decays = constant * duration_ms / 1000.0
    if decays < 1e-6:
        return timedelta(milliseconds=duration_ms / 2.0)
    return timedelta(seconds=log(decays / -expm1(-decays)) / constant)


def _acquired(image: Mapping[str, Any]) -> datetime | None:
    return _moment(*image.get("acquired", ("", "")))


def _injection(image: Mapping[str, Any], scanned: datetime, half_life: float) -> tuple[datetime, str]:
    whole = _date_time(str(image.get("start_date_time", "")), image)
    if whole is not None:
        return whole, "Radiopharmaceutical Start DateTime (0018,1078)"
    clock = _moment(scanned.strftime("%Y%m%d"), str(image.get("start", "")))
    if clock is None:
        raise NoSuv("Radiopharmaceutical Start Time (0018,1072) is missing")
    if half_life > _SAME_DAY:
        raise NoSuv(
            "the day of the injection is not said, and with this half-life it may have been days before the scan"
        )
    if clock <= scanned + _EARLY:
        return clock, "Radiopharmaceutical Start Time (0018,1072), on the day of the scan"
    return clock - timedelta(days=1), "Radiopharmaceutical Start Time (0018,1072), on the day before the scan"


def _moment(day: str, time: str) -> datetime | None:
    """A date YYYYMMDD and a time HH[MM[SS[.F]]] as one."""
    found = re.fullmatch(r"(\d\d)(\d\d)?(\d\d)?(?:\.(\d{1,6}))?", time)
    if found is None or not day:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
    try:
        midnight = datetime.strptime(day, "%Y%m%d")
    except ValueError:
        return None
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    fraction = int((found[4] or "0").ljust(6, "0"))
    return midnight + timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=fraction)


def _date_time(text: str, image: Mapping[str, Any]) -> datetime | None:
    """A DT (PS3.5 6.2) on the clock of the other times: an offset counts where the data set names its own (0008,0201)."""
    found = re.fullmatch(r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)([+-]\d{4})?", text.strip())
    when = _moment(found[1], found[2]) if found else None
    own, offset = _offset(str(image.get("zone", ""))), _offset(found[3] or "") if found else None
    if when is None or own is None or offset is None:
        return when
    return when.replace(tzinfo=offset).astimezone(own).replace(tzinfo=None)


def _offset(text: str) -> timezone | None:
    if not re.fullmatch(r"[+-](0\d|1[0-4])[0-5]\d", text):
        return None
    minutes = int(text[1:3]) * 60 + int(text[3:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


# --- measured values

_NAMES = {"value": "suv", "mean": "suv_mean", "sd": "suv_sd", "min": "suv_min", "max": "suv_max"}


def with_suv(found: dict[str, Any], suv: Suv | NoSuv | None) -> dict[str, Any]:
    """What was measured on a PET, with the same values in SUV beside them, or a note why there are none."""
    values_in_suv = {name: found["values"][name] for name in _NAMES if name in found["values"]}
    if suv is None or not values_in_suv:
        return found
    if isinstance(suv, NoSuv):
        return {**found, "notes": [*found["notes"], f"no SUV: {suv}"]}
    more = {
        _NAMES[name]: {
            "value": number["value"] * suv.factor,
            "unit": UNIT,
            "source": f"{SOURCE}; {number['source']}",
            "inputs": dict(suv.inputs),
        }
        for name, number in values_in_suv.items()
    }
    return {**found, "values": {**found["values"], **more}}
