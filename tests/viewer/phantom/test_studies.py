"""The files of the demonstration: complete, valid, the same every time."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLSLossless

from viewer.phantom import brain, ct, facts, mammogram, radiograph, studies, ultrasound

SMALL = (40, 96, 96)


def write_small(folder: Path) -> list[Path]:
    """Every kind of file once, as small as it gets."""
    exposure = radiograph.Exposure(facts.scan(SMALL))
    return [
        *studies.write_ct(folder, shape=SMALL, exposure=exposure),
        *studies.write_ct(folder, prior=True, shape=(20, 96, 96)),
        *studies.write_radiographs(folder, exposure),
        *studies.write_ultrasound(folder, frames=4),
        *studies.write_mammograms(folder),
    ]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_small(tmp_path_factory.mktemp("studies"))


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return studies.write_mr(tmp_path_factory.mktemp("head"))


def one_of_each(files: list[Path]) -> list[Path]:
    return list({(path.parent.name, path.name[:3]): path for path in files}.values())


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_writing_again_gives_the_same_bytes(files: list[Path], tmp_path: Path) -> None:
    again = write_small(tmp_path)
    assert [path.name for path in again] == [path.name for path in files]
    assert [digest(path) for path in again] == [digest(path) for path in files]


def test_every_object_has_its_own_uid_under_the_free_root(files: list[Path], head: list[Path]) -> None:
    read = [pydicom.dcmread(path, stop_before_pixels=True) for path in files + head]
    uids = [d.SOPInstanceUID for d in read]
    assert len(set(uids)) == len(uids)
    for d in read:
        for uid in (d.SOPInstanceUID, d.StudyInstanceUID, d.SeriesInstanceUID, d.file_meta.ImplementationClassUID):
            assert uid.startswith("2.25."), uid
            assert uid.is_valid, uid


def test_nobody_could_take_the_patients_for_real(files: list[Path], head: list[Path]) -> None:
    for path in files + head:
        d = pydicom.dcmread(path, stop_before_pixels=True)
        assert str(d.PatientName).startswith("Phantom^")
        assert d.PatientID.startswith("PHANTOM-")
        assert (d.Manufacturer, d.BurnedInAnnotation) == ("Farview Phantom", "NO")
        assert d.TimezoneOffsetFromUTC == "+0100"
        assert d.AccessionNumber
        assert d.StudyDescription


def test_one_study_has_one_frame_of_reference(files: list[Path], head: list[Path]) -> None:
    frames: dict[str, set[str]] = {}
    for path in files + head:
        d = pydicom.dcmread(path, stop_before_pixels=True)
        if "FrameOfReferenceUID" in d:
            frames.setdefault(d.StudyInstanceUID, set()).add(d.FrameOfReferenceUID)
    assert len(frames) == 3
    assert all(len(uids) == 1 for uids in frames.values())


def test_the_ct_and_its_prior_hold_the_same_hounsfield_units_in_two_codings(files: list[Path]) -> None:
    current, prior = (
        pydicom.dcmread(next(p for p in files if p.parent.name == name)) for name in ("ada-ct", "ada-ct-prior")
    )
    assert current.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert prior.file_meta.TransferSyntaxUID == JPEGLSLossless
    assert current.PatientID == prior.PatientID
    for d in (current, prior):
        values = d.pixel_array * float(d.RescaleSlope) + float(d.RescaleIntercept)
        assert values.min() >= -1024
        assert np.median(values[:3]) == pytest.approx(-1000, abs=15), "air above the patient"
    volume, _ = ct.chest_ct(SMALL)
    assert (current.pixel_array == volume[0]).all()


def test_the_radiographs_come_in_both_polarities_with_the_same_meaning(files: list[Path]) -> None:
    frontal, lateral = (pydicom.dcmread(p) for p in files if p.parent.name == "ada-dx")
    assert (frontal.PhotometricInterpretation, lateral.PhotometricInterpretation) == ("MONOCHROME2", "MONOCHROME1")
    assert (frontal.PresentationLUTShape, lateral.PresentationLUTShape) == ("IDENTITY", "INVERSE")
    assert (frontal.Rows, frontal.Columns) == (radiograph.ROWS, radiograph.COLUMNS)
    assert frontal.pixel_array.max() <= 4095
    background, spine = frontal.pixel_array[800, 5], frontal.pixel_array[800, radiograph.COLUMNS // 2]
    assert background < spine, "air beside the patient is dark in MONOCHROME2"
    assert lateral.pixel_array[800, 5] > lateral.pixel_array[800, radiograph.ROWS // 2]


def test_mammograms_lie_with_their_chest_wall_at_the_edge_that_their_orientation_says(files: list[Path]) -> None:
    read = [pydicom.dcmread(p) for p in files if p.parent.name == "clara-mg"]
    assert [(d.ImageLaterality, d.ViewPosition) for d in read] == [("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO")]
    for d in read:
        middle = d.pixel_array[mammogram.ROWS // 2 - 40 : mammogram.ROWS // 2 + 40]
        left, right = middle[:, 1:40].mean(), middle[:, -40:-1].mean()
        row = d.PatientOrientation[0]
        assert (left > 400, right > 400) == ((True, False) if row == "A" else (False, True))


@pytest.mark.parametrize("study", ["clara-mg", "clara-mg-prior"])
def test_the_outermost_grains_are_twenty_millimetres_apart_and_the_mass_is_new(files: list[Path], study: str) -> None:
    for view in (mammogram.View("L", "CC"), mammogram.View("L", "MLO")):
        read = (pydicom.dcmread(p) for p in files if p.parent.name == study)
        picture = next(
            d for d in read if (d.ImageLaterality, d.ViewPosition) == ("L", view.position)
        ).pixel_array.astype(float)
        found = [brightest(picture, view, grain) for grain in facts.CALCIFICATIONS[:2]]
        assert np.hypot(*np.subtract(*found)) * mammogram.PIXEL == pytest.approx(20.0, abs=0.1)
        column, row = mammogram.place(view, facts.MASS.depth, facts.MASS.height[view.position])
        j, i, reach = round(row), round(column), round(12 / mammogram.PIXEL)
        near = picture[j - reach : j + reach, i - reach : i + reach]
        body = picture[j - 20 : j + 20, i - 20 : i + 20].mean()
        assert (body > np.median(near) + 250) == (study == "clara-mg")


def brightest(picture: np.ndarray, view: mammogram.View, grain: facts.Spot) -> tuple[float, float]:
    """Centre of gravity of what stands out around a grain's place: (column, row)."""
    column, row = mammogram.place(view, grain.depth, grain.height[view.position])
    j, i = round(row) - 6, round(column) - 6
    patch = picture[j : j + 13, i : i + 13]
    above = np.clip(patch - np.median(patch) - 300, 0, None)
    rows, columns = np.mgrid[j : j + 13, i : i + 13]
    return (above * columns).sum() / above.sum(), (above * rows).sum() / above.sum()


def test_the_clip_is_lossy_and_says_so_and_its_wires_are_forty_millimetres_apart(files: list[Path]) -> None:
    d = pydicom.dcmread(next(p for p in files if p.parent.name == "clara-us"))
    assert d.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert (d.LossyImageCompression, d.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    assert d.LossyImageCompressionRatio > 3
    assert d.FrameTime == pytest.approx(33.333)
    region = d.SequenceOfUltrasoundRegions[0]
    picture = ultrasound.cine(1)[0, ..., 0].astype(float)
    found = []
    for target in facts.WIRES:
        column, row = ultrasound.target_pixel(target)
        j, i = int(row) - 12, int(column) - 12
        patch = np.clip(picture[j : j + 25, i : i + 25] - 150, 0, None)
        rows, columns = np.mgrid[j : j + 25, i : i + 25]
        found.append(((patch * columns).sum() / patch.sum(), (patch * rows).sum() / patch.sum()))
    pixels = np.hypot(found[0][0] - found[1][0], found[0][1] - found[1][1])
    assert pixels * region.PhysicalDeltaY * 10 == pytest.approx(40.0, abs=1.0)


def test_the_head_lies_along_its_stacks(head: list[Path]) -> None:
    series: dict[str, list[pydicom.Dataset]] = {}
    for path in head:
        d = pydicom.dcmread(path)
        series.setdefault(d.SeriesDescription, []).append(d)
    assert {name: len(images) for name, images in series.items()} == {"T2 axial": 32, "T1 axial": 32, "T1 sagittal": 30}
    for images in series.values():
        row, column = np.array(images[0].ImageOrientationPatient, float).reshape(2, 3)
        assert row @ column == pytest.approx(0, abs=1e-6)
        normal = np.cross(row, column)
        places = [float(normal @ np.array(d.ImagePositionPatient, float)) for d in images]
        assert np.abs(np.diff(places)) == pytest.approx(float(images[0].SpacingBetweenSlices), abs=1e-4)


def test_the_spots_in_the_white_matter_are_bright_where_they_should_be() -> None:
    for center, _ in facts.WHITE_MATTER_SPOTS:
        x, y, z = (np.array([[v]], np.float32) for v in center)
        t1, t2 = brain.tissue(x, y, z)[:, 0, 0]
        assert (t1, t2) == pytest.approx(brain.TISSUE["lesion"], rel=0.02)


DCIODVFY = shutil.which("dciodvfy")


@pytest.mark.skipif(
    DCIODVFY is None and "CI" not in os.environ, reason="dciodvfy is not installed (Debian: dicom3tools)"
)
@pytest.mark.parametrize("kind", ["ada-ct", "ada-ct-prior", "ada-dx", "clara-us", "clara-mg", "clara-mg-prior", "head"])
def test_an_independent_validator_finds_no_error(kind: str, request: pytest.FixtureRequest) -> None:
    files: list[Path] = request.getfixturevalue("head" if kind == "head" else "files")
    chosen = [p for p in one_of_each(files) if kind == "head" or p.parent.name == kind]
    assert chosen
    for path in chosen:
        said = subprocess.run([str(DCIODVFY), str(path)], capture_output=True, text=True, timeout=60, check=False)
        errors = [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]
        assert not errors, f"{path.name}: {errors}"


def test_progress_is_told_for_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(*_: object, **__: object) -> list[Path]:
        return []

    for name in ("write_ct", "write_radiographs", "write_mammograms", "write_mr", "write_ultrasound"):
        monkeypatch.setattr(studies, name, fake)
    told: list[tuple[str, float]] = []
    record: Callable[[str, float], None] = lambda step, share: told.append((step, share))  # noqa: E731
    assert studies.write_demonstration(tmp_path, record) == []
    steps = list(dict.fromkeys(step for step, _ in told))
    assert len(steps) == 6
    assert all((step, 0.0) in told and (step, 1.0) in told for step in steps)
