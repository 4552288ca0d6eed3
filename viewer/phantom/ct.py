"""The CT phantom: anatomy painted slab by slab, noise, and the marks whose places are known exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from viewer.phantom import abdomen, chest, facts, frame, kernels
from viewer.phantom.radiograph import Exposure, Thin
from viewer.phantom.shapes import Balls, Deformation, Grid, Slab, Solid

SLAB = 8
STILL = Deformation(0, scale=0.0)


@dataclass(frozen=True)
class Body:
    """A scene to paint: `couch` as it stands; then, deformed, `organs` and `thin` parts (ribs, vessels of the lungs)."""

    deformation: Deformation
    couch: list[Solid]
    organs: list[Solid]
    thin: list[Thin]


@lru_cache(maxsize=1)
def build(detail: float = 1.0) -> Body:
    """The patient. `detail` < 1 thins out the vessel trees, for small test volumes."""
    bend = Deformation(1911)
    body = frame.make_frame()
    lungs = chest.make_lungs(body)
    organs: list[Solid] = [
        *frame.soft_wall(body),
        *frame.trunk_muscles(body, bend),
        *chest.lung_solids(lungs),
        *chest.fissures(lungs, bend),
        *chest.heart(),
        *frame.shoulder_muscles(bend),
        *frame.spine(body, bend),
        *abdomen.crura(bend),
        *abdomen.kidneys(bend),
        *abdomen.spleen(body, lungs.roof, bend),
        *abdomen.liver(body, lungs.roof, bend, detail),
        *abdomen.stomach(bend),
        *abdomen.small_bowel(bend),
        *abdomen.colon(bend),
        *abdomen.pancreas(bend),
        *chest.airways_and_gullet(bend),
        *chest.great_vessels(bend),
        *chest.coronaries(bend),
    ]
    thin = [*chest.lung_trees(lungs, bend, detail), *frame.ribs(body, bend)]
    return Body(bend, frame.couch(), organs, thin)


def marks(prior: bool) -> Balls:
    """The nodule and the beads, where `facts` says they are."""
    nodule = facts.PRIOR_NODULE if prior else facts.NODULE
    rows = [(*nodule.center, nodule.diameter / 2, nodule.hounsfield)]
    return Balls([*rows, *((*m.center, m.diameter / 2, m.hounsfield) for m in facts.MARKERS)])


class Noise:
    """Quantum noise as a scanner's reconstruction leaves it: mid frequencies, more in the middle of the body, streaks at the
    shoulders. A bank of periodic tiles, mixed anew for every slice; the same for one seed."""

    def __init__(self, seed: int, shape: tuple[int, int], spacing: float, strength: float) -> None:
        rng = np.random.default_rng(seed)
        self.seed, self.shape, self.strength = seed, shape, strength
        fy = np.fft.fftfreq(shape[0], spacing)[:, None]
        fx = np.fft.rfftfreq(shape[1], spacing)[None, :]
        f = np.hypot(fx, fy)
        ramp = f * np.exp(-((f / 0.36) ** 2))
        streaks = np.exp(-((fx / 0.035) ** 2)) * fy * np.exp(-((fy / 0.33) ** 2))
        cloudy = np.exp(-((f / 0.09) ** 2))
        self.fine = self._tiles(rng, ramp, 10)
        self.streak = self._tiles(rng, streaks, 5)
        self.cloudy = self._tiles(rng, cloudy, 5)
        y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
        r2 = ((x - shape[1] / 2) * spacing / 165) ** 2 + ((y - shape[0] / 2) * spacing / 115) ** 2
        self.sigma = (strength * (0.42 + 0.72 * np.exp(-r2 * 1.1))).astype(np.float32)

    def _tiles(self, rng: np.random.Generator, response: NDArray[np.floating], count: int) -> NDArray[np.float32]:
        white = rng.standard_normal((count, *self.shape), dtype=np.float32)
        tiles = np.fft.irfft2(np.fft.rfft2(white) * response.astype(np.float32), s=self.shape)
        return (tiles / tiles.std(axis=(1, 2), keepdims=True)).astype(np.float32)

    def mix(self, tiles: NDArray[np.float32], slices: range, tag: int) -> NDArray[np.float32]:
        """(len(slices), rows, columns), unit variance, neighbours alike by a third."""
        out = np.empty((len(slices), *self.shape), np.float32)
        for place, index in enumerate(slices):
            total = None
            for offset, weight in ((0, 0.92), (1, 0.39)):
                rng = np.random.default_rng((self.seed, tag, index + offset))
                tile = tiles[rng.integers(len(tiles))]
                rolled = np.roll(tile, (int(rng.integers(self.shape[0])), int(rng.integers(self.shape[1]))), (0, 1))
                rolled = rolled * np.float32(weight * rng.choice((-1.0, 1.0)))
                total = rolled if total is None else total + rolled
            out[place] = total
        return out


def paint(
    body: Body,
    scan: facts.Scan,
    *,
    prior: bool = False,
    strength: float = 15.0,
    progress: Callable[[float], None] = lambda share: None,
    exposure: Exposure | None = None,
) -> Iterator[tuple[int, NDArray[np.int16]]]:
    """Slabs of int16 HU in order: (index of the first slice, voxels). Two threads paint, a slab ahead.

    `exposure` collects what radiographs need. At the earlier date the patient lay elsewhere on the couch (`facts.PRIOR_SHIFT`).
    """
    grid = Grid(scan.shape, scan.spacing, scan.origin)
    shift = facts.PRIOR_SHIFT if prior else (0.0, 0.0, 0.0)
    origin = (scan.origin[0] - shift[0], scan.origin[1] - shift[1], scan.origin[2] - shift[2])
    shifted = Grid(scan.shape, scan.spacing, origin)
    balls = marks(prior)
    noise = Noise(21 if prior else 20, scan.shape[1:], scan.spacing[1], strength)

    def one(first: int) -> NDArray[np.int16]:
        count = min(SLAB, scan.shape[0] - first)
        slab = Slab.empty(grid, count)
        slab.start(first, STILL, -1000.0)
        for solid in body.couch:
            solid.paint(slab)
        slab.place(shifted, first)
        slab.deform(body.deformation)
        for solid in body.organs:
            solid.paint(slab)
        if exposure is not None:
            exposure.collect(slab, first)
        for part in body.thin:
            part.solid.paint(slab)
        slab.place(grid, first)
        balls.paint(slab)
        slices = range(first, first + count)
        shoulders = np.interp(slab.zs, [120, 165, 200], [0.05, 0.75, 1.15]).astype(np.float32)
        out = np.empty(slab.values.shape, np.int16)
        kernels.finish(
            slab.values, noise.mix(noise.fine, slices, 1), noise.mix(noise.streak, slices, 2), noise.sigma, shoulders,
            noise.mix(noise.cloudy, slices, 3) * np.float32(9.0), np.float32(-1024), np.float32(3071), out,
        )  # fmt: skip
        return out

    firsts = list(range(0, scan.shape[0], SLAB))
    with ThreadPoolExecutor(2, thread_name_prefix="phantom") as pool:
        pending = [pool.submit(one, first) for first in firsts[:3]]
        for place, first in enumerate(firsts):
            done = pending.pop(0).result()
            if place + 3 < len(firsts):
                pending.append(pool.submit(one, firsts[place + 3]))
            progress((place + 1) / len(firsts))
            yield first, done


def chest_ct(
    shape: tuple[int, int, int] = facts.CURRENT.shape, *, prior: bool = False, strength: float = 15.0
) -> tuple[NDArray[np.int16], facts.Scan]:
    """The whole volume, (slices, rows, columns) int16 HU, head to feet, and where it lies. Small shapes are quick."""
    scan = facts.scan(shape)
    volume = np.empty(shape, np.int16)
    for first, slab in paint(build(detail_for(scan)), scan, prior=prior, strength=strength):
        volume[first : first + len(slab)] = slab
    return volume, scan


def detail_for(scan: facts.Scan) -> float:
    """Share of the vessel trees that voxels of this size can show."""
    return min(1.0, scan.shape[1] / 512)
