"""A beating heart as an ultrasound sector: apical four chambers, speckle that moves with the tissue, an ECG trace.

Computed along the beams (depth x angle), blurred as a transducer blurs, compressed logarithmically and converted to a
picture with square pixels of known size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewer.phantom import facts

Array = NDArray[np.float32]

ROWS, COLUMNS, FRAMES = 600, 800, 60
FRAME_TIME_MS = 33.333
PIXEL = facts.ULTRASOUND_PIXEL
APEX = (400.0, 22.0)
"""Column and row of the transducer's face, where depth is 0."""
DEPTH = 158.0
HALF_ANGLE = 0.68
BEAT_FRAMES = 30


def target_pixel(target: tuple[float, float]) -> tuple[float, float]:
    """Column and row of a wire in the picture."""
    return APEX[0] + target[0] / PIXEL, APEX[1] + target[1] / PIXEL


LEAFLETS = ((0.0, 11.0, 0.0, 1.0), (35.0, 23.0, 0.0, -1.0), (-35.0, -26.0, -3.0, 1.0), (-7.0, -16.0, -3.0, -1.0))
"""Of the two inlet valves: x of the hinge and of the tip, mm towards the transducer, which way the tip leans."""


@dataclass(frozen=True)
class Beat:
    """The heart at one moment: `squeeze` 0 (filled) to 1 (contracted), `opening` of the two inlet valves 0 to 1."""

    squeeze: float
    opening: float

    @classmethod
    def at(cls, frame: int) -> Beat:
        phase = (frame % BEAT_FRAMES) / BEAT_FRAMES
        squeeze = np.sin(np.pi * np.clip(phase / 0.42, 0, 1)) ** 1.3
        early = np.exp(-(((phase - 0.53) / 0.07) ** 2))
        late = 0.7 * np.exp(-(((phase - 0.90) / 0.05) ** 2))
        resting = 0.35 if 0.45 < phase < 0.96 else 0.0
        return cls(float(squeeze), float(min(max(early, late, resting), 1.0)))


def cine(frames: int = FRAMES, seed: int = 50) -> NDArray[np.uint8]:
    """(frames, ROWS, COLUMNS, 3) RGB."""
    rng = np.random.default_rng(seed)
    r = np.linspace(1.0, DEPTH, 460, dtype=np.float32)[:, None]
    theta = np.linspace(-HALF_ANGLE, HALF_ANGLE, 180, dtype=np.float32)[None, :]
    x, d = r * np.sin(theta), r * np.cos(theta)
    grains = (rng.standard_normal((700, 700)) + 1j * rng.standard_normal((700, 700))).astype(np.complex64)
    blur = _transducer(x.shape)
    convert = _conversion()
    gain = (1.0 - 0.25 * np.exp(-r / 16) + 0.15 * (r / DEPTH) + 0 * theta).astype(np.float32)
    out = np.zeros((frames, ROWS, COLUMNS, 3), np.uint8)
    for frame in range(frames):
        beat = Beat.at(frame)
        amplitude = _echo(x, d, beat)
        field = amplitude * _scatter(grains, x, d, beat, rng)
        for tx, td in facts.WIRES:
            near = (x - tx) ** 2 + (d - td) ** 2
            field.flat[int(near.argmin())] += 26.0
        seen = np.abs(np.fft.ifft2(np.fft.fft2(field) * blur))
        level = np.clip(1.0 + (20 * np.log10(seen + 1e-5) - 5.0) / 50.0, 0, 1) ** 1.15 * gain
        grey = convert(np.clip(level, 0, 1).astype(np.float32))
        out[frame] = (np.clip(grey, 0, 1) * 255 + 0.5).astype(np.uint8)[..., None]
        _furniture(out[frame], frame)
    return out


def _chamber(x: Array, d: Array, center: tuple[float, float], half: tuple[float, float], power: float = 2.3) -> Array:
    """Mm outside a rounded chamber (negative inside)."""
    f = np.abs((x - center[0]) / half[0]) ** power + np.abs((d - center[1]) / half[1]) ** power
    return (f ** (1 / power) - 1) * min(half)


def _echo(x: Array, d: Array, beat: Beat) -> Array:
    """Strength of the echo of every place."""
    c = beat.squeeze
    plane = 104.0 - 9.0 * c  # the valve plane comes towards the apex
    lean = x - 0.10 * (d - 70)
    left = _chamber(
        lean, d, (17, (34 + plane) / 2 + 3 * c), (20.5 * (1 - 0.27 * c), (plane - 32) / 2 * (1 - 0.02 * c)), 2.1
    )
    right = _chamber(lean + 0.22 * (d - 70), d, (-21, (52 + plane) / 2), (13.5 * (1 - 0.24 * c), (plane - 50) / 2), 2.0)
    atrium_left = _chamber(lean, d, (16, plane + 4 + 16), (18 + 3 * c, 16 + 3 * c))
    atrium_right = _chamber(lean, d, (-22, plane + 2 + 15), (17 + 2 * c, 15 + 2 * c))
    wall = 9.0 + 4.2 * c
    muscle = np.minimum(
        np.minimum(left - wall, right - 4.5 - 1.5 * c), np.minimum(atrium_left - 2.6, atrium_right - 2.6)
    )
    strength = 0.22 + 0.10 * np.cos(x / 17 + d / 23) + 0.09 * np.cos(d / 6.5 + x / 40)  # what lies around
    strength = strength * np.where(d < 26, 1.6, 1.0)
    lung = np.clip((np.abs(x - 4) - 46 - 0.05 * d) / 10, 0, 1)
    strength = strength * (1 - 0.75 * lung)
    inside = _soft(-muscle)
    strength += (0.20 - strength) * inside
    sac = np.exp(-(((muscle - 0.8) / 1.3) ** 2))
    strength += sac * (0.75 * (d > 45) + 0.1)
    blood = np.minimum(np.minimum(left, right), np.minimum(atrium_left, atrium_right))
    inlets = np.minimum(_chamber(lean, d, (17, plane + 1), (15, 11)), _chamber(lean, d, (-21, plane - 1), (11.5, 10)))
    blood = np.minimum(blood, inlets)
    strength += (0.007 - strength) * _soft(-blood)
    rim = np.exp(-(((blood - 0.9) / 0.9) ** 2))
    strength += rim * 0.22
    for hinge_x, tip_x, shift, reach in LEAFLETS:
        hinge, tip = (hinge_x, plane + shift), (tip_x, plane + shift - 2.5)
        swing = beat.opening
        end = (hinge[0] + (tip[0] - hinge[0]) * (1 - 0.78 * swing) + reach * 0.5, tip[1] - 15 * swing)
        strength += 1.1 * np.exp(-((_to_line(lean, d, hinge, end) / 1.15) ** 2))
    chord = _to_line(lean, d, (8, plane - 18), (6 + 3 * c, plane - 34))
    strength += 0.45 * np.exp(-((chord / 2.2) ** 2))
    return np.clip(strength, 0.0, 3.0) * (1.0 - 0.30 * (d > 128))


def _to_line(x: Array, d: Array, a: tuple[float, float], b: tuple[float, float]) -> Array:
    """Mm to a line between two points."""
    lx, ld = b[0] - a[0], b[1] - a[1]
    t = np.clip(((x - a[0]) * lx + (d - a[1]) * ld) / (lx * lx + ld * ld), 0, 1)
    return np.hypot(x - a[0] - t * lx, d - a[1] - t * ld)


def _soft(inside: Array, width: float = 1.4) -> Array:
    return np.clip(inside / width + 0.5, 0, 1)


def _scatter(
    grains: NDArray[np.complex64], x: Array, d: Array, beat: Beat, rng: np.random.Generator
) -> NDArray[np.complex64]:
    """The tissue's own grain, carried along by the motion; a little of it is new in every frame."""
    near = np.exp(-(((x - 10) / 55) ** 2) - ((d - 75) / 60) ** 2)
    mx = x * (1 + 0.20 * beat.squeeze * near)
    md = d + 7.0 * beat.squeeze * near * np.clip((d - 35) / 60, 0, 1)
    i = ((mx + 130) / 0.40).astype(np.int32) % 700
    j = (md / 0.36).astype(np.int32) % 700
    fresh = rng.standard_normal(x.shape, dtype=np.float32) + 1j * rng.standard_normal(x.shape, dtype=np.float32)
    return grains[j, i] + np.complex64(0.22) * fresh.astype(np.complex64)


def _transducer(shape: tuple[int, ...]) -> NDArray[np.complex64]:
    """The blur of pulse and beam, as a filter of the Fourier transform: short along the beam, wide across."""
    fr = np.fft.fftfreq(shape[0])[:, None]
    ft = np.fft.fftfreq(shape[1])[None, :]
    filtered = np.exp(-2 * (np.pi * 1.15 * fr) ** 2 - 2 * (np.pi * 1.25 * ft) ** 2)
    return (filtered * 1.9).astype(np.complex64)


class _conversion:
    """From beams to a picture: bilinear, black outside the sector."""

    def __init__(self) -> None:
        row, column = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.float32)
        x, d = (column - APEX[0]) * PIXEL, (row - APEX[1]) * PIXEL
        r, theta = np.hypot(x, d), np.arctan2(x, d)
        fr, ft = (r - 1.0) / (DEPTH - 1.0) * 459, (theta + HALF_ANGLE) / (2 * HALF_ANGLE) * 179
        self.inside = (fr >= 0) & (fr < 458.9) & (ft >= 0) & (ft < 178.9) & (d > 0)
        fr, ft = fr[self.inside], ft[self.inside]
        self.i, self.j = fr.astype(np.int32), ft.astype(np.int32)
        self.wi, self.wj = fr - self.i, ft - self.j

    def __call__(self, beams: Array) -> Array:
        i, j, wi, wj = self.i, self.j, self.wi, self.wj
        out = np.zeros((ROWS, COLUMNS), np.float32)
        out[self.inside] = (1 - wi) * ((1 - wj) * beams[i, j] + wj * beams[i, j + 1]) + wi * (
            (1 - wj) * beams[i + 1, j] + wj * beams[i + 1, j + 1]
        )
        return out


def _furniture(picture: NDArray[np.uint8], frame: int) -> None:
    """Depth marks every 10 mm (longer every 50), a grey scale, and the ECG that runs along the bottom."""
    for step in range(int(DEPTH // 10) + 1):
        row = round(APEX[1] + step * 10 / PIXEL)
        picture[row - 1 : row + 1, COLUMNS - 24 - (8 if step % 5 == 0 else 0) : COLUMNS - 16] = (150, 160, 170)
    picture[60:316, 24:36] = np.arange(255, -1, -1, dtype=np.uint8)[:, None, None]
    t = np.arange(COLUMNS - 120)
    beat = ((t / len(t)) * 3.0) % 1.0
    now = frame / FRAMES * 2.0 / 3.0 * len(t)
    wave = 34 * np.exp(-(((beat - 0.04) / 0.012) ** 2)) - 9 * np.exp(-(((beat - 0.068) / 0.012) ** 2))
    wave += 6 * np.exp(-(((beat - 0.93) / 0.022) ** 2)) + 9 * np.exp(-(((beat - 0.32) / 0.045) ** 2))
    y = (ROWS - 22 - wave).astype(int)
    for column in range(1, len(t)):
        if 0 < column - now < 14:
            continue
        a, b = sorted((y[column - 1], y[column]))
        picture[a : b + 2, 60 + column] = (60, 200, 110)
