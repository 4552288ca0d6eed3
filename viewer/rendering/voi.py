"""Values of interest: which part of the modality values becomes black to white (PS3.3 C.11.2)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .grey import RAMP, SIGMOID
from .view import BadView
from .volume import FrameDescription, LookupTable, Window


@dataclass(frozen=True, slots=True)
class Curve:
    """A window function ready for the kernels; the meaning of the numbers is that of `grey.Greyscale`."""

    kind: int
    center: float
    width: float
    low: float
    high: float


def _linear(center: float, width: float) -> Curve:
    """C.11.2.1.2.1: x <= c - 0.5 - (w-1)/2 is black, x > c - 0.5 + (w-1)/2 white."""
    half = (width - 1.0) / 2.0
    return Curve(RAMP, center - 0.5, width - 1.0, center - 0.5 - half, center - 0.5 + half)


def _linear_exact(center: float, width: float) -> Curve:
    """C.11.2.1.3.2: as LINEAR, without the half and the one, for values that are no integers."""
    return Curve(RAMP, center, width, center - width / 2.0, center + width / 2.0)


def _sigmoid(center: float, width: float) -> Curve:
    """C.11.2.1.3.1."""
    return Curve(SIGMOID, center, width, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class VoiFunction:
    """A row of `VOI_FUNCTIONS`."""

    curve: Callable[[float, float], Curve]
    least_width: float
    """Inclusive; 0 stands for "more than nothing"."""


def curve_of(function: str, center: float, width: float) -> Curve:
    """The named window function. Raises `BadView` for a width that the standard forbids."""
    row = VOI_FUNCTIONS[function]
    if width < row.least_width or width <= 0.0:
        raise BadView(f"window_width: {function} needs {'at least 1' if row.least_width else 'more than 0'}")
    return row.curve(float(center), float(width))


def file_windows(description: FrameDescription) -> tuple[Window, ...]:
    """The file's windows as they can be drawn.

    Without sound numbers a window is left out. A LINEAR one narrower than 1, which the standard forbids but files hold, is
    drawn as LINEAR_EXACT; a function nobody knows is LINEAR, which is what its absence means (C.11.2.1.3).
    """
    sound = []
    for window in description.windows:
        if math.isfinite(window.center) and math.isfinite(window.width) and window.width > 0.0:
            function = window.voi_lut_function if window.voi_lut_function in VOI_FUNCTIONS else "LINEAR"
            if window.width < VOI_FUNCTIONS[function].least_width:
                function = "LINEAR_EXACT"
            sound.append(window if function == window.voi_lut_function else replace(window, voi_lut_function=function))
    return tuple(sound)


def display_of(table: LookupTable) -> NDArray[np.float64]:
    """A VOI LUT as y in 0..255, one for each entry (C.11.2.1.1)."""
    return table.data.astype(np.float64) * 255.0 / float(2**table.bits - 1)


def default_voi(description: FrameDescription, values: NDArray[np.generic]) -> Window | LookupTable:
    """The VOI of the first view: the file's first window, else its first VOI LUT, else what suits the modality.

    `values`: the stored values of the frame, (rows, columns).
    """
    return described_voi(description) or voi_from_percentiles(description, values)


def described_voi(description: FrameDescription) -> Window | LookupTable | None:
    """The same where no pixel has to be looked at for it; else None."""
    windows = file_windows(description)
    if windows:
        return windows[0]
    if description.voi_luts:
        return description.voi_luts[0]
    if description.bits_stored == 1:
        return Window(1.0, 2.0, "LINEAR", "full range")
    if description.modality == "CT" and description.unit == "HU":
        return SOFT_TISSUE
    return _full_8_bit(description) if _is_plain_8_bit(description) else None


def default_function(description: FrameDescription, values: NDArray[np.generic], width: float) -> str:
    """The function for a window that names none: the file's own, else the one that suits the width and the values."""
    windows = file_windows(description)
    if windows and width >= VOI_FUNCTIONS[windows[0].voi_lut_function].least_width:
        return windows[0].voi_lut_function
    return "LINEAR" if width >= 1.0 and whole_numbers(description, values) else "LINEAR_EXACT"


def modality_values(description: FrameDescription, stored: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stored values through the Modality LUT or Rescale Slope and Intercept (C.11.1), for a handful of numbers."""
    table = description.modality_lut
    if table is None:
        return stored * description.rescale_slope + description.rescale_intercept
    entries = np.clip(stored - table.first_value_mapped, 0, table.data.size - 1).astype(np.int64)
    return table.data[entries].astype(np.float64)


def _is_plain_8_bit(description: FrameDescription) -> bool:
    return description.bits_stored == 8 and not description.pixel_representation and description.modality_lut is None


def _full_8_bit(description: FrameDescription) -> Window:
    """0..255 of the stored values, black to white: what a secondary capture or an ultrasound frame was made for."""
    low, high = sorted(float(x) for x in modality_values(description, np.array([0.0, 255.0])))
    return _between(low, high, "full range", "LINEAR" if abs(description.rescale_slope) == 1.0 else "LINEAR_EXACT")


def voi_from_percentiles(description: FrameDescription, values: NDArray[np.generic]) -> Window:
    """From the darkest to the brightest of the pixels, but for a few. `values`: stored values, (rows, columns)."""
    lower, upper = PERCENTILES.get(description.modality, PERCENTILES[""])
    stored = _sample(values, description.pixel_padding)
    if stored.size == 0:
        return Window(128.0, 256.0, "LINEAR", "from the pixels")
    low, high = (float(x) for x in np.percentile(modality_values(description, stored), (lower, upper)))
    if description.modality == "PT":
        low = 0.0
    if whole_numbers(description, values):
        return _between(float(np.floor(low)), float(np.ceil(high)), "from the pixels", "LINEAR")
    return _between(low, high, "from the pixels", "LINEAR_EXACT")


def whole_numbers(description: FrameDescription, values: NDArray[np.generic]) -> bool:
    """Whether modality values are one apart or more, so that LINEAR, which is made for integers, suits them."""
    return values.dtype.kind in "biu" and (
        description.modality_lut is not None or float(description.rescale_slope).is_integer()
    )


def _between(low: float, high: float, explanation: str, function: str) -> Window:
    """The window that shows `low` black and `high` white."""
    if function == "LINEAR":
        return Window((low + high + 1.0) / 2.0, max(high - low + 1.0, 2.0), function, explanation)
    width = high - low
    return Window((low + high) / 2.0, width if width > 1e-12 else 1.0, function, explanation)


def _sample(values: NDArray[np.generic], padding: tuple[int, int] | None) -> NDArray[np.float64]:
    """About 16,384 stored values, evenly spread over the frame, without padding and what is no number.

    Enough for a percentile, and a quarter of a millisecond where all voxels of a radiograph would take a hundred.
    """
    step = max(1, int(np.sqrt(values.size / 16384.0)))
    stored = values[::step, ::step].astype(np.float64).ravel()
    real = np.isfinite(stored)
    if padding is not None:
        real &= (stored < padding[0]) | (stored > padding[1])
    return np.asarray(stored[real])


VOI_FUNCTIONS: dict[str, VoiFunction] = {
    "LINEAR": VoiFunction(_linear, 1.0),
    "LINEAR_EXACT": VoiFunction(_linear_exact, 0.0),
    "SIGMOID": VoiFunction(_sigmoid, 0.0),
}
"""VOI LUT Function (0028,1056)."""

SOFT_TISSUE = Window(40.0, 400.0, "LINEAR", "soft tissue")

PERCENTILES: dict[str, tuple[float, float]] = {"PT": (0.0, 99.8), "NM": (0.0, 99.8), "": (0.5, 99.5)}
"""By modality, of the pixels that are no padding: black below the first, white above the second."""
