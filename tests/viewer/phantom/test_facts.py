"""What `facts` says is what the files hold, measured from voxels alone."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pydicom
import pytest

from viewer.phantom import chest_ct, facts
from viewer.phantom.studies import write_ct

SMALL = (84, 128, 128)


@pytest.fixture(scope="module")
def fine() -> tuple[np.ndarray, facts.Scan]:
    """A volume of 1.5 mm pixels without noise."""
    return chest_ct((168, 256, 256), strength=0.0)


def places(scan: facts.Scan) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """LPS coordinates of slices, rows and columns, mm."""
    x0, y0, z0 = scan.origin
    dz, dy, dx = scan.spacing
    slices, rows, columns = scan.shape
    return z0 - dz * np.arange(slices), y0 + dy * np.arange(rows), x0 + dx * np.arange(columns)


def middle_of(volume: np.ndarray, scan: facts.Scan, near: facts.Point, reach: float, background: float) -> np.ndarray:
    """The centre of mass of what is denser than the background around a place, LPS mm."""
    z, y, x = places(scan)
    k, j, i = (np.flatnonzero(np.abs(axis - at) <= reach) for axis, at in zip((z, y, x), near[::-1], strict=True))
    weight = np.clip(volume[np.ix_(k, j, i)].astype(float) - background, 0, None)
    weight[weight < 60] = 0
    total = weight.sum()
    return np.array(
        [
            (weight.sum((0, 1)) * x[i]).sum() / total,
            (weight.sum((0, 2)) * y[j]).sum() / total,
            (weight.sum((1, 2)) * z[k]).sum() / total,
        ]
    )


def test_every_bead_lies_where_it_should_to_half_a_voxel(fine: tuple[np.ndarray, facts.Scan]) -> None:
    volume, scan = fine
    half = np.array(scan.spacing[::-1]) / 2
    for marker in facts.MARKERS:
        found = middle_of(volume, scan, marker.center, marker.diameter, -925.0)
        assert (np.abs(found - marker.center) < half).all(), f"{marker.name}: {found}"


def test_distances_between_beads_measure_what_they_should(fine: tuple[np.ndarray, facts.Scan]) -> None:
    volume, scan = fine
    found = {m.name: middle_of(volume, scan, m.center, m.diameter, -925.0) for m in facts.MARKERS}
    for (a, b), millimetres in facts.marker_distances().items():
        assert np.linalg.norm(found[a] - found[b]) == pytest.approx(millimetres, abs=min(scan.spacing) / 2), (a, b)


def test_the_round_numbers_people_will_try_are_exact() -> None:
    known = facts.marker_distances()
    assert [known[pair] for pair in (("A", "B"), ("B", "C"), ("A", "D"), ("E", "F"))] == [200.0, 200.0, 200.0, 50.0]
    assert known["A", "C"] == pytest.approx(282.8427, abs=1e-4)


def test_the_nodule_has_its_place_its_size_and_its_density(fine: tuple[np.ndarray, facts.Scan]) -> None:
    volume, scan = fine
    nodule = facts.NODULE
    z, y, x = places(scan)
    away = np.sqrt(
        (z[:, None, None] - nodule.center[2]) ** 2 + (y[:, None] - nodule.center[1]) ** 2 + (x - nodule.center[0]) ** 2
    )
    inside = volume[away < nodule.diameter / 2 - 1.6]
    assert inside.size > 20
    assert inside.mean() == pytest.approx(nodule.hounsfield, abs=1.0)
    around = volume[(away > nodule.diameter / 2 + 2.5) & (away < nodule.diameter / 2 + 5)]
    assert np.median(around) < -750, "it lies in lung"
    near = away < nodule.diameter / 2 + 2.4
    lung = np.median(around)
    millilitres = ((volume[near] - lung) / (nodule.hounsfield - lung)).sum() * np.prod(scan.spacing)
    assert millilitres == pytest.approx(np.pi / 6 * nodule.diameter**3, rel=0.08)


def test_the_earlier_nodule_is_smaller_and_lies_where_the_patient_lay() -> None:
    volume, scan = chest_ct((168, 256, 256), prior=True, strength=0.0)
    found = middle_of(volume, scan, facts.PRIOR_NODULE.center, facts.PRIOR_NODULE.diameter * 0.8, -700.0)
    assert np.abs(found - facts.PRIOR_NODULE.center).max() < 0.8
    moved = np.subtract(facts.PRIOR_NODULE.center, facts.NODULE.center)
    assert moved == pytest.approx(facts.PRIOR_SHIFT)
    assert facts.PRIOR_NODULE.diameter < facts.NODULE.diameter


def test_noise_is_quantum_noise_without_a_bias() -> None:
    quiet, _ = chest_ct((16, 256, 256), strength=0.0)
    noisy, _ = chest_ct((16, 256, 256), strength=15.0)
    middle = (slice(None), slice(96, 160), slice(96, 160))
    dense = np.abs(quiet[middle].astype(int)) < 300
    difference = (noisy[middle].astype(int) - quiet[middle])[dense]
    assert abs(difference.mean()) < 0.5
    assert 8 < difference.std() < 25


def test_written_positions_and_spacing_are_those_of_the_scan(tmp_path: Path) -> None:
    scan = facts.scan(SMALL)
    files = [pydicom.dcmread(path, stop_before_pixels=True) for path in write_ct(tmp_path, shape=SMALL)]
    assert len(files) == SMALL[0]
    for index, d in enumerate(files):
        assert d.ImagePositionPatient == pytest.approx(
            [scan.origin[0], scan.origin[1], scan.origin[2] - index * scan.spacing[0]], abs=1e-6
        )
        assert d.ImageOrientationPatient == [1, 0, 0, 0, 1, 0]
        assert d.PixelSpacing == pytest.approx(scan.spacing[1:])
    steps = [a.ImagePositionPatient[2] - b.ImagePositionPatient[2] for a, b in itertools.pairwise(files)]
    assert steps == pytest.approx([scan.spacing[0]] * len(steps), abs=1e-6)


def test_the_scan_lies_the_same_in_any_number_of_voxels() -> None:
    def corner(scan: facts.Scan) -> list[float]:
        return [
            scan.origin[0] - scan.spacing[2] / 2,
            scan.origin[1] - scan.spacing[1] / 2,
            scan.origin[2] + scan.spacing[0] / 2,
        ]

    assert corner(facts.scan(SMALL)) == pytest.approx(corner(facts.CURRENT))
    assert facts.CURRENT.spacing == (1.25, 0.75, 0.75)
