"""Mammograms: compressed breasts as sums along the beam, in the four views of a screening examination.

Parenchyma is noise whose amplitude falls with the spatial frequency to the power of 1.5, as in real mammograms (Burgess
et al. 2001, Med Phys 28:419), gathered in a cone behind the nipple; thin ridges of the same noise stand for septa.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewer.phantom import facts

Image = NDArray[np.float32]
PIXEL = 0.14
"""mm at the detector; the magnification of parallel rays is 1."""
ROWS, COLUMNS = 1680, 1024
HALF_HEIGHT = {"CC": 84.0, "MLO": 92.0}
DEPTH = {"CC": 104.0, "MLO": 108.0}
"""mm from the chest wall to the nipple."""
ROUNDED = 22.0
"""mm from the skin inwards in which the compressed breast is not yet of its full thickness."""
MUSCLE = (52.0, 118.0)
"""Width at the upper edge and length along the chest wall of the pectoral muscle in the oblique view, mm."""


@dataclass(frozen=True)
class View:
    """One picture of an examination: "L" or "R", "CC" or "MLO"."""

    side: str
    position: str

    @property
    def seed(self) -> int:
        return 40 + ["CC", "MLO"].index(self.position)


VIEWS = (View("R", "CC"), View("L", "CC"), View("R", "MLO"), View("L", "MLO"))


def take(view: View) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Today's picture and that of two years earlier, without the mass: (ROWS, COLUMNS), 12 bits, dense tissue bright. The chest
    wall is the left edge of a left breast, the right edge of a right one."""
    depth, height = _places()
    inside = _from_skin(view.position, depth, height)
    thickness = np.sqrt(1 - (1 - np.clip(inside / ROUNDED, 0, 1)) ** 2)
    plain = thickness**0.4 * (620 + 2150 * _tissue(view, depth, height, inside))
    plain += 420 * np.exp(-(((inside - 0.8) / 0.9) ** 2)) * (inside > 0)  # the skin, seen along
    now = before = plain
    if view.side == "L":
        before = plain + _grains(view, depth, height) * thickness
        now = before + _mass(view, depth, height) * thickness
    return _stored(now, inside, view, 90), _stored(before, inside, view, 190)


def _stored(value: Image, inside: Image, view: View, seed: int) -> NDArray[np.uint16]:
    quanta = np.random.default_rng(seed + view.seed).standard_normal(value.shape, dtype=np.float32)
    stored = np.clip(np.floor(value + quanta * 18 + 0.5), 0, 4095).astype(np.uint16)
    stored[inside <= 0] = 0
    return stored if view.side == "L" else np.ascontiguousarray(stored[:, ::-1])


def place(view: View, depth: float, height: float) -> tuple[float, float]:
    """(column, row) of a point `depth` mm from the chest wall and `height` mm above the nipple's line."""
    column = depth / PIXEL - 0.5
    return (column if view.side == "L" else COLUMNS - 1 - column), ROWS / 2 - 0.5 - height / PIXEL


def _places() -> tuple[Image, Image]:
    depth = (np.arange(COLUMNS, dtype=np.float32) + 0.5) * PIXEL
    height = (ROWS / 2 - 0.5 - np.arange(ROWS, dtype=np.float32)) * PIXEL
    return np.broadcast_to(depth, (ROWS, COLUMNS)), np.broadcast_to(height[:, None], (ROWS, COLUMNS))


def _from_skin(position: str, depth: Image, height: Image) -> Image:
    """About how far inside the skin, mm; below zero outside. The oblique breast hangs lower and runs up to the armpit."""
    oblique = position == "MLO"
    low = height + (9.0 if oblique else 0.0) * np.clip(depth / 60, 0, 1)
    reach = HALF_HEIGHT[position] * (0.86 + 0.84 * _sigmoid(low / 14) if oblique else 1.0)
    rounded = 1 - (np.abs(low / reach) ** 2.1 + (depth / DEPTH[position]) ** 2.3) ** (1 / 2.2)
    outline = rounded * 90
    nipple = 5.0 - np.hypot(depth - DEPTH[position] - 1.0, low)
    apart = np.abs(outline - nipple)  # one skin over both
    return (np.maximum(outline, nipple) + np.clip(4 - apart, 0, None) ** 2 / 16).astype(np.float32)


def _tissue(view: View, depth: Image, height: Image, inside: Image) -> Image:
    """Share of glandular tissue, 0 to 1, and what lies before and behind it. Both breasts are alike but not the same."""
    own = {"L": 500, "R": 600}[view.side] + view.seed
    cloud = 0.8 * _noise(view.seed, 1.5) + 0.45 * _noise(own, 1.5)
    fine = _noise(own + 7, 1.3)
    septa = np.exp(-np.abs(fine) * 9) + 0.7 * np.exp(-np.abs(fine + 0.8 * cloud) * 11)
    behind_nipple = 1.15 - np.hypot((depth - 58) / 62, height / 58)
    gland = _sigmoid(1.25 * cloud + 3.0 * behind_nipple - 1.35) * np.clip((inside - 5) / 14, 0, 1)  # fat under the skin
    tissue = 0.10 + 0.52 * gland + 0.11 * septa * (0.35 + gland) + 0.03 * fine
    if view.position == "MLO":
        width, length = MUSCLE
        edge = width * np.clip(1 - (117 - height) / length, 0, None) ** 0.85 - depth - 3.0
        tissue = tissue + _sigmoid(edge / 1.1) * (0.55 - 0.75 * tissue + 0.02 * cloud)
    return np.clip(tissue, 0.04, 1.1).astype(np.float32)


def _sigmoid(value: Image) -> Image:
    return 1 / (1 + np.exp(-np.clip(value, -40, 40)))


def _noise(seed: int, power: float) -> Image:
    """(ROWS, COLUMNS) of noise of unit deviation whose amplitude falls as frequency ** -power; structures of 0.5 to 90 mm."""
    shape = ROWS // 2, COLUMNS
    white = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    fy, fx = np.fft.fftfreq(shape[0], 2 * PIXEL)[:, None], np.fft.rfftfreq(shape[1], 2 * PIXEL)[None, :]
    fall = np.maximum(np.hypot(fy, fx), 1 / 90) ** -power
    fall[0, 0] = 0
    coloured = np.fft.irfft2(np.fft.rfft2(white) * fall, s=shape)[:, : COLUMNS // 2]
    return _finer(_finer((coloured / coloured.std()).astype(np.float32)).T).T


def _finer(image: Image) -> Image:
    """Twice the rows, by linear interpolation."""
    above, below = np.vstack([image[:1], image[:-1]]), np.vstack([image[1:], image[-1:]])
    return np.stack([0.75 * image + 0.25 * above, 0.75 * image + 0.25 * below], axis=1).reshape(-1, image.shape[1])


def _mass(view: View, depth: Image, height: Image) -> Image:
    mass = facts.MASS
    across, up = depth - mass.depth, height - mass.height[view.position]
    away, angle = np.hypot(across, up), np.arctan2(up, across)
    body = 560 * _sigmoid((mass.diameter / 2 - away) / 0.5)
    rays = np.exp(-((np.sin(angle * 5.5 + 1.1 * np.sin(2 * angle)) / 0.25) ** 2)) * np.exp(-away / 8)
    return (body + 520 * rays * _sigmoid((away - mass.diameter / 2) / 0.5)).astype(np.float32)


def _grains(view: View, depth: Image, height: Image) -> Image:
    found = np.zeros(depth.shape, np.float32)
    for grain in facts.CALCIFICATIONS:
        away = np.hypot(depth - grain.depth, height - grain.height[view.position])
        found += (1500 * np.exp(-((away / (grain.diameter / 2)) ** 2) * np.log(2))).astype(np.float32)
    return found
