"""Radiographs of the CT phantom: attenuation summed along parallel rays, then the logarithm and the sharpening of a detector.

Soft tissue comes from the painted CT (before ribs and lung vessels), everything thin from its own formula, so that the
picture is as fine as a detector's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from viewer.phantom import facts, kernels
from viewer.phantom.shapes import Slab, Tubes

Image = NDArray[np.float32]
PIXEL = 0.175
"""mm at the detector; the magnification of parallel rays is 1."""
ROWS, COLUMNS = 1680, 2048
TOP = 203.0
"""z (mm) of the first row."""
WATER = 0.0205
"""Attenuation of water per mm at the mean energy."""
LUNG = -868.0


@dataclass(frozen=True)
class Thin:
    """Tubes that are drawn after the organs, and again in radiographs: `shadow` is their density against what they lie in
    (water 1; 0: not drawn there)."""

    solid: Tubes
    shadow: float
    tree: bool = False
    """Branches of a tree overlap all over."""
    whole: bool = False
    """All of it hangs together."""


@dataclass
class Exposure:
    """Path sums of soft tissue, collected while the CT is painted: mm of water, (slices, columns) and (slices, rows)."""

    scan: facts.Scan
    frontal: Image = field(init=False)
    lateral: Image = field(init=False)

    def __post_init__(self) -> None:
        slices, rows, columns = self.scan.shape
        self.frontal = np.zeros((slices, columns), np.float32)
        self.lateral = np.zeros((slices, rows), np.float32)

    def collect(self, slab: Slab, first: int) -> None:
        """Add a painted slab, without the couch."""
        _, dy, dx = self.scan.spacing
        last = int((110.0 - self.scan.origin[1]) / dy)
        density = np.clip(slab.values[:, :last] * 1e-3 + 1.0, 0, None)
        density[density < 0.02] = 0.0
        behind = density[:, int((95.0 - self.scan.origin[1]) / dy) :]
        behind[behind < 0.12] = 0.0  # the mattress
        self.frontal[first : first + len(density)] = density.sum(axis=1) * dy
        self.lateral[first : first + len(density), :last] = density.sum(axis=2) * dx


def frontal(exposure: Exposure, thin: Sequence[Thin], seed: int = 30) -> NDArray[np.uint16]:
    """Postero-anterior view, (ROWS, COLUMNS), 12 bit: dense tissue is bright; the patient's left is at the right."""
    left = -PIXEL * (COLUMNS - 1) / 2
    image = _resample(exposure.frontal, exposure.scan, exposure.scan.origin[0], exposure.scan.spacing[2], left, COLUMNS)
    return _develop(_with_thin(image, thin, left, 0, 1), seed, letter="L", flip=False)


def lateral(exposure: Exposure, thin: Sequence[Thin], seed: int = 31) -> NDArray[np.uint16]:
    """Left lateral view, (ROWS, ROWS), 12 bit: the front of the chest is at the left."""
    left = -PIXEL * (ROWS - 1) / 2
    image = _resample(exposure.lateral, exposure.scan, exposure.scan.origin[1], exposure.scan.spacing[1], left, ROWS)
    return _develop(_with_thin(image, thin, left, 1, 0), seed, letter="L", flip=True)


def _with_thin(image: Image, thin: Sequence[Thin], left: float, horizontal: int, beam: int) -> Image:
    layer = np.zeros_like(image)
    for part in thin:
        if part.shadow == 0:
            continue
        for line in _lines(part, beam):
            kernels.cast_shadow(
                image,
                layer,
                np.float32(left),
                np.float32(TOP),
                np.float32(PIXEL),
                line,
                horizontal,
                beam,
                np.float32(part.shadow),
            )
    nodule = facts.NODULE
    rows, columns = image.shape
    z = TOP - PIXEL * np.arange(rows)[:, None] - nodule.center[2]
    u = left + PIXEL * np.arange(columns)[None, :] - nodule.center[horizontal]
    chord = 2 * np.sqrt(np.clip((nodule.diameter / 2) ** 2 - z * z - u * u, 0, None))
    image += (chord * (nodule.hounsfield - LUNG) * 1e-3).astype(np.float32)
    return image


def _lines(part: Thin, beam: int) -> list[NDArray[np.float32]]:
    """Tubes that hang together; branches of a tree by depth instead: far apart they add up, side by side they do not."""
    table = part.solid.table
    if part.whole:
        return [table]
    if part.tree:
        depth = ((table[:, beam] + table[:, 3 + beam]) / 36.0).round()
        return [table[depth == level] for level in np.unique(depth)]
    breaks = np.flatnonzero(np.abs(table[1:, 0:3] - table[:-1, 3:6]).max(axis=1) > 0.01) + 1
    return np.split(table, breaks)


def _resample(sums: Image, scan: facts.Scan, origin: float, step: float, left: float, columns: int) -> Image:
    """Path sums on the detector's pixels, by cubic interpolation in both directions."""
    down = _cubic((scan.origin[2] - TOP + PIXEL * np.arange(ROWS)) / scan.spacing[0], sums.shape[0])
    across = _cubic((left + PIXEL * np.arange(columns) - origin) / step, sums.shape[1])
    return np.ascontiguousarray(down @ sums @ across.T)


def _cubic(places: NDArray[np.float64], count: int) -> Image:
    """Weights (places, count) of the cubic B-spline: soft, never ringing."""
    distance = np.abs(places[:, None] - np.arange(count)[None, :])
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.where(distance < 1, near, far).astype(np.float32)


def _develop(path: Image, seed: int, letter: str, flip: bool) -> NDArray[np.uint16]:
    """Path lengths to stored values: noise of the quanta, the logarithm, more contrast for what is small."""
    rng = np.random.default_rng(seed)
    absorbed = path * np.float32(WATER)
    grain = rng.standard_normal(absorbed.shape, dtype=np.float32) * np.float32(0.012)
    absorbed += grain * np.exp(np.clip(absorbed - 2.2, -2, 3) * 0.5).astype(np.float32)
    wide = _soften(absorbed, 14.0)
    middle = _soften(absorbed, 1.2)
    shown = 0.60 * wide + 1.0 * (middle - wide) + 1.35 * (absorbed - middle)
    low, high = np.percentile(shown[middle > 0.7], (2, 97))
    # The shoulders of the characteristic curve; where nothing was in the beam, it is black.
    value = 4095 / (1 + np.exp(-3.7 * ((shown - low) / (high - low) - 0.50)))
    value = (value - 300) * 1.06
    _mark(value, letter, flip)
    return np.clip(np.floor(value + 0.5), 0, 4095).astype(np.uint16)


def _soften(image: Image, sigma: float) -> Image:
    """Gaussian smoothing, sigma in mm, by the Fourier transform on a padded picture."""
    rows, columns = image.shape
    spare = 64
    padded = np.pad(image, spare, mode="edge")
    fy = np.fft.fftfreq(padded.shape[0], PIXEL).astype(np.float32)[:, None]
    fx = np.fft.rfftfreq(padded.shape[1], PIXEL).astype(np.float32)[None, :]
    response = np.exp(-2 * (np.pi * sigma) ** 2 * (fx * fx + fy * fy)).astype(np.float32)
    soft = np.fft.irfft2(np.fft.rfft2(padded) * response, s=padded.shape)
    return soft[spare : spare + rows, spare : spare + columns].astype(np.float32)


LETTERS = {"L": ("1000", "1000", "1000", "1000", "1000", "1111")}


def _mark(value: NDArray[np.floating], letter: str, flip: bool) -> None:
    """The lead letter that says which side is which."""
    size = 16
    columns = value.shape[1]
    left = 120 if flip else columns - 200
    for j, line in enumerate(LETTERS[letter]):
        for i, cell in enumerate(line):
            if cell == "1":
                value[110 + j * size : 110 + (j + 1) * size, left + i * size : left + (i + 1) * size] = 3980
