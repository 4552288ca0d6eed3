"""Softcopy presentation states (PS3.3 A.33.1 grey, A.33.2 colour): how one frame was shown, and what was drawn on it.

A state stands for itself: nothing of the image's own values, windows or polarity holds under it (PS3.4 N.2), so all of it is
written out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import ImageCms
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import ColorSoftcopyPresentationStateStorage, GrayscaleSoftcopyPresentationStateStorage
from pydicom.valuerep import PersonName

from viewer.rendering.volume import LookupTable, Window

from .header import Reference, decimal, put_uid, referenced_sop

GREY, COLOUR = str(GrayscaleSoftcopyPresentationStateStorage), str(ColorSoftcopyPresentationStateStorage)
LAYER = "MEASUREMENTS"
TEXT = 1024

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A line, region or point. Points are [column, row] of the stored frame, pixel centres at whole numbers."""

    graphic: str
    """POINT, POLYLINE, ELLIPSE (ends of the major axis, then of the minor one): PS3.3 C.10.5.1.2."""
    points: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """Text at a place of the frame."""

    text: str
    at: Pair
    pointing: bool = False
    """Whether what is meant is the very place."""


@dataclass(frozen=True, slots=True)
class State:
    """How one frame was shown."""

    of: Reference
    frame_number: int | None
    """None where the object has one frame."""
    made_by: str
    """family^given"""
    description: str
    area: tuple[tuple[int, int], tuple[int, int]]
    """Pixels of the stored frame, [column, row] from 0, that lie at the top left and at the bottom right of the picture."""
    pixel_spacing: Pair | None
    """mm between rows and between columns."""
    pixel_aspect_ratio: Pair = (1.0, 1.0)
    rotation: int = 0
    """Degrees clockwise, and then:"""
    flip: bool = False
    """left and right exchanged."""
    colour: bool = False
    """Of an image with colours of its own; what follows does not apply to it then."""
    rescale: tuple[float, float, str] | None = None
    """Slope, intercept, and what they give."""
    modality_lut: LookupTable | None = None
    voi: Window | LookupTable | None = None
    inverse: bool = False
    drawings: tuple[Drawing, ...] = ()
    words: tuple[Words, ...] = field(default=())
    label: str = "KEY IMAGE"
    """Capital letters, digits and spaces, 16 of them (CS)."""


def sop_class(state: State) -> str:
    return COLOUR if state.colour else GREY


def write(d: Dataset, state: State) -> None:
    """Add the modules of a presentation state to a data set of `header.new_object`."""
    d.Laterality = None
    d.ContentLabel, d.ContentDescription = state.label[:16].rstrip(), state.description[:64] or None
    d.PresentationCreationDate, d.PresentationCreationTime = d.InstanceCreationDate, d.InstanceCreationTime
    d.ContentCreatorName = PersonName(state.made_by)
    image = referenced_sop(state.of.sop_instance_uid, state.of.sop_class_uid, state.frame_number)
    series = Dataset()
    put_uid(series, "SeriesInstanceUID", state.of.series_instance_uid)
    series.ReferencedImageSequence = [image]
    d.ReferencedSeriesSequence = [series]
    d.DisplayedAreaSelectionSequence = [_area(state)]
    if state.rotation or state.flip:
        d.ImageHorizontalFlip, d.ImageRotation = "Y" if state.flip else "N", state.rotation
    if state.colour:
        d.ICCProfile = srgb_profile()
    else:
        _grey_values(d, state)
    if state.drawings or state.words:
        _drawn(d, state)


def _area(state: State) -> Dataset:
    """PS3.3 C.10.4; pixels count from 1."""
    item = Dataset()
    (left, top), (right, bottom) = state.area
    item.DisplayedAreaTopLeftHandCorner = [left + 1, top + 1]
    item.DisplayedAreaBottomRightHandCorner = [right + 1, bottom + 1]
    item.PresentationSizeMode = "SCALE TO FIT"
    if state.pixel_spacing is not None:
        item.PresentationPixelSpacing = [decimal(one) for one in state.pixel_spacing]
    else:
        item.PresentationPixelAspectRatio = [max(1, round(one)) for one in state.pixel_aspect_ratio]
    return item


# --- grey values


def _grey_values(d: Dataset, state: State) -> None:
    """Modality LUT (C.11.1), Softcopy VOI LUT (C.11.8), Softcopy Presentation LUT (C.11.6)."""
    if state.modality_lut is not None:
        item = _table(state.modality_lut, state.modality_lut.data)
        item.ModalityLUTType = "US"
        d.ModalityLUTSequence = [item]
    elif state.rescale is not None:
        slope, intercept, kind = state.rescale
        d.RescaleIntercept, d.RescaleSlope, d.RescaleType = decimal(intercept), decimal(slope), kind[:64] or "US"
    if state.voi is not None:
        item = Dataset()
        if isinstance(state.voi, LookupTable):
            item.VOILUTSequence = [_table(state.voi, _of_16_bits(state.voi))]
        else:
            item.WindowCenter, item.WindowWidth = decimal(state.voi.center), decimal(state.voi.width)
            item.VOILUTFunction = state.voi.voi_lut_function
        d.SoftcopyVOILUTSequence = [item]
    d.PresentationLUTShape = "INVERSE" if state.inverse else "IDENTITY"


def _table(table: LookupTable, data: NDArray[np.uint16]) -> Dataset:
    """A LUT item (C.11.1.1): 2^16 entries are written as 0; descriptor and first value are SS where that is negative.

    Entries take 8 bits where that is enough for all of them, else 16, whatever the file had: others read no third kind.
    """
    item = Dataset()
    count, first = len(data), int(table.first_value_mapped)
    small = int(data.max()) <= 255
    numbers, vr = [0 if count == 2**16 else count, first, 8 if small else 16], "US"
    if first < 0:
        numbers, vr = [_signed(number) for number in numbers], "SS"
    item.add(DataElement(0x00283002, vr, numbers))
    if table.explanation:
        item.LUTExplanation = table.explanation[:64]
    entries = data.astype("u1" if small else "<u2").tobytes()
    item.add(DataElement(0x00283006, "OW", entries + b"\0" * (len(entries) % 2)))
    return item


def _of_16_bits(table: LookupTable) -> NDArray[np.uint16]:
    """Entries of a VOI LUT over the whole of 16 bits: what counts in them is the share of their range."""
    most = 2 ** max(1, min(16, table.bits)) - 1
    spread: NDArray[np.uint64] = (table.data.astype(np.uint64) * 65535 + most // 2) // most
    return np.minimum(spread, 65535).astype(np.uint16)


def _signed(number: int) -> int:
    return number - 2**16 if number >= 2**15 else number


# --- drawings


def _drawn(d: Dataset, state: State) -> None:
    """Graphic Annotation (C.10.5) and Graphic Layer (C.10.7). The corner of the first pixel is (0, 0)."""
    layer = Dataset()
    layer.GraphicLayer, layer.GraphicLayerOrder = LAYER, 1
    layer.GraphicLayerRecommendedDisplayGrayscaleValue = 0xFFFF
    d.GraphicLayerSequence = [layer]
    item = Dataset()
    item.GraphicLayer = LAYER
    if state.words:
        item.TextObjectSequence = [_words(one) for one in state.words]
    if state.drawings:
        item.GraphicObjectSequence = [_drawing(one) for one in state.drawings]
    d.GraphicAnnotationSequence = [item]


def _drawing(drawing: Drawing) -> Dataset:
    item = Dataset()
    item.GraphicAnnotationUnits, item.GraphicDimensions = "PIXEL", 2
    item.NumberOfGraphicPoints = len(drawing.points)
    item.GraphicData = _corners(drawing.points)
    item.GraphicType = drawing.graphic
    if drawing.graphic != "POINT" and (drawing.graphic == "ELLIPSE" or drawing.points[0] == drawing.points[-1]):
        item.GraphicFilled = "N"
    return item


def _words(words: Words) -> Dataset:
    item = Dataset()
    item.AnchorPointAnnotationUnits = "PIXEL"
    item.UnformattedTextValue = words.text[:TEXT]
    item.AnchorPoint = _corners([words.at])
    item.AnchorPointVisibility = "Y" if words.pointing else "N"
    return item


def _corners(points: Sequence[Pair]) -> list[float]:
    """From pixel centres at whole numbers to the corner of the first pixel at (0, 0)."""
    return [float(number) + 0.5 for point in points for number in point]


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """The ICC profile of sRGB, the same bytes every day: its date of making is set to that of the standard."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes((7, 207, 0, 10, 0, 18, 0, 0, 0, 0, 0, 0))
    profile[84:100] = bytes(16)
    return bytes(profile) + b"\0" * (len(profile) % 2)
