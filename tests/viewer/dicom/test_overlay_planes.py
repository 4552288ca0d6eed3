"""Planes 60xx: what of them is known, and their bits, for every way in which a file can hold them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from viewer.dicom.decode import decode
from viewer.dicom.errors import DicomError
from viewer.dicom.frames import FrameSource
from viewer.dicom.overlay_planes import GROUPS, planes_of, read_planes, told
from viewer.dicom.pixels import read_encoded
from viewer.dicom.read import read_instance
from viewer.rendering.volume import OverlayPlane

from .making import image_dataset, sources_of, write
from .states import overlay

RANDOM = np.random.default_rng(60)


def read(source: FrameSource) -> list[OverlayPlane]:
    return read_planes(source, list(GROUPS), lambda layout: decode(read_encoded(source), layout).values)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, "1.2.840.10008.1.2.1"]
)
def test_planes_are_read_in_every_encoding(tmp_path: Path, syntax: str) -> None:
    dataset = image_dataset(np.arange(35, dtype=np.uint16).reshape(5, 7))
    one, other = RANDOM.random((5, 7)) > 0.5, RANDOM.random((3, 11)) > 0.5
    overlay(dataset, 0x6000, one, label="marks", description="drawn by hand")
    overlay(dataset, 0x601E, other, kind="R", origin=(-1, 3), area=12, mean="4.5", sd="1.25")
    if syntax == ExplicitVRBigEndian:
        for group in (0x6000, 0x601E):  # words are written the other way round
            data = dataset[group << 16 | 0x3000]
            data.value = np.frombuffer(data.value, "<u2").astype(">u2").tobytes()
        dataset["PixelData"].value = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    path = tmp_path / "one.dcm"
    dataset.save_as(path, enforce_file_format=True)

    (source,) = sources_of(path)
    first, second = read(source)
    assert (first.group, first.origin, first.region) == (0x6000, (0, 0), False)
    assert (second.group, second.origin, second.region) == (0x601E, (-2, 2), True)
    assert np.array_equal(first.bits, one)
    assert np.array_equal(second.bits, other)
    assert [told(plane) for plane in planes_of(source)] == [
        {"group": "6000", "label": "marks", "description": "drawn by hand", "type": "graphics", "roi": None},
        {
            "group": "601E",
            "label": "",
            "description": "",
            "type": "roi",
            "roi": {"area": 12.0, "mean": 4.5, "sd": 1.25},
        },
    ]
    assert read_instance(path).warnings == []


def test_frames_of_an_overlay_lie_on_the_frames_that_it_names(tmp_path: Path) -> None:
    """5 x 5 bits: the second frame begins in the middle of a byte."""
    dataset = image_dataset(np.zeros((6, 5, 5), np.uint8))
    frames = RANDOM.random((3, 5, 5)) > 0.5
    still = RANDOM.random((5, 5)) > 0.5
    overlay(dataset, 0x6000, frames, first=3)
    overlay(dataset, 0x6002, still)
    sources = sources_of(write(tmp_path / "clip.dcm", dataset))
    for number, source in enumerate(sources, 1):
        planes = {plane.group: plane.bits for plane in read(source)}
        assert np.array_equal(planes[0x6002], still)  # without frames of its own it lies on all
        if 3 <= number <= 5:
            assert np.array_equal(planes[0x6000], frames[number - 3])
        else:
            assert 0x6000 not in planes


def test_bits_that_stand_in_the_cells_of_the_pixels_are_planes_too(tmp_path: Path) -> None:
    """Retired in 2004, and met in archives: 12 bits stored, a plane each in bits 12 and 15."""
    stored = RANDOM.integers(0, 4096, (2, 6, 8)).astype(np.uint16)
    low, high = RANDOM.random((2, 6, 8)) > 0.5, RANDOM.random((2, 6, 8)) > 0.5
    cells = stored | (low.astype(np.uint16) << 12) | (high.astype(np.uint16) << 15)
    dataset = image_dataset(cells, BitsStored=12, HighBit=11)
    for group, position in ((0x6000, 12), (0x6002, 15), (0x6004, 5)):
        base = group << 16
        for number, vr, value in ((0x10, "US", 6), (0x11, "US", 8), (0x40, "CS", "G"), (0x50, "SS", [1, 1])):
            dataset.add_new(base | number, vr, value)
        dataset.add_new(base | 0x0100, "US", 16)
        dataset.add_new(base | 0x0102, "US", position)
    path = write(tmp_path / "old.dcm", dataset)
    for number, source in enumerate(sources_of(path)):
        planes = read(source)
        assert [plane.group for plane in planes] == [0x6000, 0x6002]
        assert np.array_equal(planes[0].bits, low[number])
        assert np.array_equal(planes[1].bits, high[number])
        assert np.array_equal(decode(read_encoded(source), source.layout).values, stored[number])
    assert "the overlay 6004 was left out: it has no bits" in read_instance(path).warnings


def test_a_plane_without_all_its_bits_is_left_out_and_said(tmp_path: Path) -> None:
    dataset = image_dataset(np.zeros((9, 9), np.uint8))
    overlay(dataset, 0x6000, np.ones((9, 9), bool))
    dataset[0x60003000].value = dataset[0x60003000].value[:8]
    overlay(dataset, 0x6002, np.ones((9, 9), bool))
    dataset[0x60020010].value = 0
    path = write(tmp_path / "cut.dcm", dataset)
    assert planes_of(sources_of(path)[0]) == []
    assert read_instance(path).warnings == [
        "the overlay 6000 was left out: it has too few bits", "the overlay 6002 was left out: it has no rows and columns",
    ]  # fmt: skip


def test_a_file_that_has_shrunk_is_an_error_and_no_picture(tmp_path: Path) -> None:
    dataset = overlay(image_dataset(np.zeros((64, 64), np.uint8)), 0x6000, np.ones((64, 64), bool))
    path = write(tmp_path / "one.dcm", dataset)
    (source,) = sources_of(path)
    path.write_bytes(path.read_bytes()[: planes_of(source)[0]["offset"] + 10])
    with pytest.raises(DicomError):
        read(source)


def test_a_real_file_shows_what_its_maker_drew(shared_data: Path) -> None:
    """A lesion that was marked, and letters in the corners: 484 x 484 bits, read by pydicom too."""
    import pydicom

    path = shared_data / "windows" / "MR-SIEMENS-overlays_multiVOI.dcm"
    (plane,) = read(sources_of(path)[0])
    assert np.array_equal(plane.bits, pydicom.dcmread(path).overlay_array(0x6000) > 0)
    assert 100 < plane.bits.sum() < plane.bits.size / 10
