"""Frames of an instance, one by one: keys for sorting, where the bytes are, and what the frame is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viewer.rendering.volume import FrameDescription, Palette, Plane, Point, SourceLossy, Window

from .errors import DicomError
from .layout import FrameLayout
from .luts import unpack_lut
from .series import InstanceFile
from .ultrasound_regions import regions_of

Directions = tuple[Point, Point]


@dataclass(frozen=True, slots=True)
class FrameSource:
    """One frame that can be read alone. Cheap: the description is built from the index when somebody asks for it."""

    instance: InstanceFile = field(repr=False)
    frame_number: int
    """1-based."""
    group: Mapping[str, Any] = field(repr=False, compare=False)
    """The frame's own attributes laid over those that all frames of the instance share."""

    @property
    def path(self) -> Path:
        return self.instance.path

    @property
    def digest(self) -> str:
        return self.instance.digest

    @property
    def sop_instance_uid(self) -> str:
        return str(self.instance.index["sop"])

    @property
    def instance_number(self) -> int | None:
        number: int | None = self.instance.index["number"]
        return number

    @property
    def frames_in_instance(self) -> int:
        return int(self.instance.index["frames"])

    @property
    def modality(self) -> str:
        return str(self.instance.index["modality"])

    @property
    def frame_of_reference_uid(self) -> str:
        return str(self.instance.index.get("frame_of_reference", ""))

    @property
    def position(self) -> Point | None:
        found = self.group.get("position")
        return None if found is None else (found[0], found[1], found[2])

    @property
    def orientation(self) -> Directions | None:
        """Row and column direction, unit vectors."""
        found = self.group.get("orientation")
        return None if found is None else ((found[0], found[1], found[2]), (found[3], found[4], found[5]))

    @property
    def pixel_spacing(self) -> tuple[float, float] | None:
        found = self.group.get("spacing")
        return None if found is None else (found[0], found[1])

    @property
    def rescale(self) -> tuple[float, float]:
        """Slope and intercept from stored to modality values, where no Modality LUT stands in their place."""
        return _rescale(self.instance.index, self.group, [])

    @property
    def stack_id(self) -> str:
        return str(self.group.get("stack", ""))

    @property
    def temporal_position(self) -> int | None:
        return self.group.get("temporal")

    @property
    def echo_time(self) -> float | None:
        return self.group.get("echo")

    @property
    def b_value(self) -> float | None:
        return self.group.get("b_value")

    @property
    def layout(self) -> FrameLayout:
        """How the pixels lie in the bytes that `pixels.read_encoded` gives for this frame."""
        pixels: dict[str, Any] = {name: value for name, value in self._pixels.items() if name not in _PLACES}
        layout = FrameLayout(**pixels)
        if "offset" not in self._pixels:
            return layout
        first_bit = layout.native_bits * (self.frame_number - 1)
        if "deflated" in self._pixels:
            start, end = self._bytes(layout)
            pixels["inflated"] = (self._pixels["offset"] + start, end - start)
        # A frame of words in the wrong order is read from an even byte on, so that its pairs stay together.
        pixels["first_bit"] = first_bit % (16 if layout.swapped_bytes else 8)
        return FrameLayout(**pixels)

    @property
    def places(self) -> list[tuple[int, int]]:
        """(offset, length) in the file of the bytes that this frame is decoded from, in order."""
        pixels = self._pixels
        if "fragments" in pixels:
            flat = pixels["fragments"][self.frame_number - 1]
            return list(zip(flat[::2], flat[1::2], strict=True))
        if "deflated" in pixels:
            return [(pixels["deflated"][0], pixels["deflated"][1])]
        start, end = self._bytes(FrameLayout(**{n: v for n, v in pixels.items() if n not in _PLACES}))
        return [(pixels["offset"] + start, end - start)]

    def description(self) -> FrameDescription:
        """Everything that the pipelines and the corners of the viewport need (PS3.4 N.2)."""
        return describe(self)

    def labels(self) -> dict[str, str]:
        """Texts for the corners of the viewport that belong to this frame."""
        return _labels(self.instance.index, self.group)

    @property
    def _pixels(self) -> Mapping[str, Any]:
        pixels: Mapping[str, Any] = self.instance.index["pixels"]
        return pixels

    def _bytes(self, layout: FrameLayout) -> tuple[int, int]:
        """First byte and byte after the last of a native frame, from the start of the pixel data."""
        first_bit = layout.native_bits * (self.frame_number - 1)
        start, end = first_bit // 8, (first_bit + layout.native_bits + 7) // 8
        return (start & ~1, end + (end & 1)) if layout.swapped_bytes else (start, end)


def frame_sources(instance: InstanceFile) -> list[FrameSource]:
    """The frames of an instance in the order of the file; none where it has no pixels or they are not drawn."""
    index = instance.index
    if index.get("v") != 1:
        raise DicomError("the index was written by another version", "index")
    if not index["frames"] or "not_drawn" in index:
        return []
    shared: dict[str, Any] = index.get("shared", {})
    per_frame = index.get("per_frame")
    if per_frame is None:
        return [FrameSource(instance, number + 1, shared) for number in range(index["frames"])]
    return [FrameSource(instance, number + 1, shared | own) for number, own in enumerate(per_frame)]


def describe(source: FrameSource) -> FrameDescription:
    """The description of one frame, from the index alone."""
    index, group, layout = source.instance.index, source.group, source.layout
    warnings = list(index.get("warnings", []))
    slope, intercept = _rescale(index, group, warnings)
    palette = [unpack_lut(table) for table in index.get("palette", [])]
    padding = index.get("padding")
    aspect = index.get("aspect", (1.0, 1.0))
    lossy = index.get("lossy")
    position, orientation = source.position, source.orientation
    return FrameDescription(
        rows=layout.rows,
        columns=layout.columns,
        samples_per_pixel=layout.samples_per_pixel,
        photometric_interpretation=layout.photometric_interpretation,
        bits_allocated=layout.bits_allocated,
        bits_stored=layout.bits_stored,
        pixel_representation=layout.pixel_representation,
        modality=source.modality,
        sop_instance_uid=source.sop_instance_uid,
        frame_number=source.frame_number,
        rescale_slope=slope,
        rescale_intercept=intercept,
        modality_lut=unpack_lut(index["modality_lut"]) if "modality_lut" in index else None,
        unit=_unit(index, group),
        windows=_windows(source, layout, slope, intercept, warnings),
        voi_luts=tuple(unpack_lut(table) for table in index.get("voi_luts", [])),
        pixel_padding=(padding[0], padding[1]) if padding else None,
        presentation_inverse=bool(index.get("inverse")),
        palette=Palette(*palette) if palette else None,
        plane=Plane(position, *orientation) if position is not None and orientation is not None else None,
        frame_of_reference_uid=source.frame_of_reference_uid,
        pixel_spacing=source.pixel_spacing,
        pixel_spacing_source=group.get("spacing_source", ""),
        pixel_aspect_ratio=(aspect[0], aspect[1]),
        regions=regions_of(index),
        source_lossy=SourceLossy(lossy[0], lossy[1]) if lossy else None,
        labels=_labels(index, group),
        warnings=tuple(warnings),
    )


def _rescale(index: Mapping[str, Any], group: Mapping[str, Any], warnings: list[str]) -> tuple[float, float]:
    if index.get("unscaled") or "modality_lut" in index:
        return 1.0, 0.0
    slope, intercept = group.get("rescale", (1.0, 0.0))
    if slope == 0:
        warnings.append("the rescale slope is zero and was left out")
        return 1.0, 0.0
    return float(slope), float(intercept)


def _unit(index: Mapping[str, Any], group: Mapping[str, Any]) -> str:
    """The unit of modality values: HU for a rescaled CT that names no other (PS3.3 C.8.2.1.1.2)."""
    if "unit" in index:
        return str(index["unit"])
    if index.get("unscaled") or "modality_lut" in index:
        return ""
    named = str(group.get("rescale_type", ""))
    if index["modality"] == "CT" and "rescale" in group and named.upper() in ("", "HU", "US"):
        return "HU"
    return "" if named.upper() in ("US", "UNSPECIFIED") else named


def _windows(
    source: FrameSource, layout: FrameLayout, slope: float, intercept: float, warnings: list[str]
) -> tuple[Window, ...]:
    """Windows in modality values. Some MR, PT and NM files state them in stored values; that shows where the center lies
    outside all that rescaling can give and inside what is stored."""
    windows = [Window(float(c), float(w), function, name) for c, w, function, name in source.group.get("windows", [])]
    if source.modality not in ("MR", "PT", "NM") or (slope, intercept) == (1.0, 0.0) or layout.floating:
        return tuple(windows)
    low, high = source.instance.index.get("extremes") or _stored_range(layout)
    ends = sorted((low * slope + intercept, high * slope + intercept))
    if windows and all(not ends[0] <= w.center <= ends[1] and low <= w.center <= high for w in windows):
        warnings.append("the file's windows fit only stored values and were converted")
        windows = [
            Window(w.center * slope + intercept, w.width * abs(slope), w.voi_lut_function, w.explanation)
            for w in windows
        ]
    return tuple(windows)


def _stored_range(layout: FrameLayout) -> tuple[int, int]:
    if layout.pixel_representation:
        half = 1 << (layout.bits_stored - 1)
        return -half, half - 1
    return 0, (1 << layout.bits_stored) - 1


def _labels(index: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, str]:
    """Texts for the corners of the viewport that belong to this frame."""
    labels: dict[str, str] = dict(index.get("labels", {}))
    if index["number"] is not None:
        labels["instance_number"] = str(index["number"])
    for name, key, pattern in _GROUP_LABELS:
        value = group.get(key)
        if value is not None:
            labels[name] = pattern.format(value)
    acquired = group.get("acquired")
    if acquired:
        labels["acquisition_date"], labels["acquisition_time"] = acquired
    return {name: text for name, text in labels.items() if text}


_PLACES = frozenset({"offset", "fragments", "deflated"})

_GROUP_LABELS = (
    ("slice_location", "slice_location", "{:.2f}"),
    ("slice_thickness", "thickness", "{:g}"),
    ("spacing_between_slices", "between", "{:g}"),
    ("echo_time", "echo", "{:g}"),
    ("b_value", "b_value", "{:g}"),
    ("trigger_time", "trigger", "{:g}"),
    ("temporal_position", "temporal", "{}"),
    ("stack_id", "stack", "{}"),
    ("laterality", "laterality", "{}"),
)
