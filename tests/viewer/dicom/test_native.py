"""Uncompressed pixels: bits, bytes, signs, planes, and a frame read alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from tests.viewer.dicom.making import image_dataset, image_file, sources_of, write
from viewer.dicom.decode import decode, load_frame
from viewer.dicom.errors import CannotDecode
from viewer.dicom.layout import FrameLayout
from viewer.dicom.pixels import read_encoded, read_native

EXPLICIT = "1.2.840.10008.1.2.1"
RANDOM = np.random.default_rng(7)


def layout(**changes: Any) -> FrameLayout:
    known: dict[str, Any] = {
        "transfer_syntax_uid": EXPLICIT,
        "rows": 2,
        "columns": 4,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": 16,
        "bits_stored": 16,
        "high_bit": 15,
        "pixel_representation": 0,
    }
    return FrameLayout(**(known | changes))


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4"])
def test_integers_of_every_size_and_sign_come_as_stored(dtype: str, tmp_path: Path) -> None:
    info = np.iinfo(dtype)
    pixels = RANDOM.integers(info.min, info.max, size=(5, 7), dtype=dtype, endpoint=True)
    values = load_frame(sources_of(image_file(tmp_path / "a.dcm", pixels))[0]).values
    assert values.dtype == pixels.dtype
    assert np.array_equal(values, pixels)


@pytest.mark.parametrize("keyword", ["FloatPixelData", "DoubleFloatPixelData"])
def test_floating_point_pixels_come_as_stored(keyword: str, tmp_path: Path) -> None:
    pixels = RANDOM.normal(size=(5, 7)).astype("f4" if keyword == "FloatPixelData" else "f8")
    dataset = image_dataset(np.zeros((5, 7), dtype="u2"))
    del dataset.PixelData
    setattr(dataset, keyword, pixels.tobytes())
    dataset.BitsAllocated = pixels.dtype.itemsize * 8
    values = load_frame(sources_of(write(tmp_path / "a.dcm", dataset))[0]).values
    assert np.array_equal(values, pixels)


@given(st.integers(1, 16), st.booleans(), st.data())
def test_what_lies_beside_the_stored_bits_is_cut_off_and_the_sign_taken_from_the_high_bit(
    stored: int, signed: bool, data: st.DataObject
) -> None:
    high = data.draw(st.integers(stored - 1, 15))
    cells = RANDOM.integers(0, 65536, size=8, dtype=np.uint16)
    values = decode(
        cells.tobytes(), layout(bits_stored=stored, high_bit=high, pixel_representation=int(signed))
    ).values.ravel()
    for cell, value in zip(cells.tolist(), values.tolist(), strict=True):
        expected = (cell >> (high + 1 - stored)) % (1 << stored)
        if signed and expected >= 1 << (stored - 1):
            expected -= 1 << stored
        assert value == expected


@given(st.integers(1, 5), st.integers(1, 7), st.integers(1, 4))
def test_frames_of_single_bits_need_not_begin_at_a_byte(rows: int, columns: int, frames: int) -> None:
    bits = RANDOM.integers(0, 2, size=(frames, rows, columns), dtype=np.uint8)
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    for number in range(frames):
        first = number * rows * columns
        own = packed[first // 8 : (first + rows * columns + 7) // 8]
        kind = layout(rows=rows, columns=columns, bits_allocated=1, bits_stored=1, high_bit=0, first_bit=first % 8)
        assert np.array_equal(decode(own, kind).values, bits[number])


def test_planes_one_behind_the_other_become_pixels(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, size=(4, 6, 3), dtype=np.uint8)
    planar = np.ascontiguousarray(np.moveaxis(pixels, 2, 0)).tobytes()
    path = image_file(tmp_path / "a.dcm", pixels, PixelData=planar, PlanarConfiguration=1)
    assert np.array_equal(load_frame(sources_of(path)[0]).values, pixels)


def test_two_pixels_of_422_share_their_colour() -> None:
    encoded = bytes([10, 20, 100, 200, 30, 40, 101, 201])
    kind = layout(
        rows=1,
        columns=4,
        samples_per_pixel=3,
        photometric_interpretation="YBR_FULL_422",
        bits_allocated=8,
        bits_stored=8,
        high_bit=7,
    )
    decoded = decode(encoded, kind)
    assert decoded.photometric_interpretation == "YBR_FULL"
    assert decoded.values.tolist() == [[[10, 100, 200], [20, 100, 200], [30, 101, 201], [40, 101, 201]]]


def test_422_in_name_only_is_shown_as_its_length_says(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, size=(4, 6, 3), dtype=np.uint8)
    path = image_file(tmp_path / "a.dcm", pixels, PhotometricInterpretation="YBR_FULL_422")
    frame = load_frame(sources_of(path)[0])
    assert np.array_equal(frame.values, pixels)
    assert frame.photometric_interpretation == "YBR_FULL"
    assert any("not subsampled" in warning for warning in frame.description.warnings)


@pytest.mark.parametrize("shape", [(3, 5, 7), (2, 4, 6)])
@pytest.mark.parametrize("vr", ["OW", "OB"])
def test_bytes_in_big_endian_words_are_put_right_for_each_frame(
    shape: tuple[int, int, int], vr: str, tmp_path: Path
) -> None:
    pixels = RANDOM.integers(0, 256, size=shape, dtype=np.uint8)
    stored = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    if vr == "OW":
        stored = np.frombuffer(stored, dtype="<u2").astype(">u2").tobytes()
    dataset = image_dataset(pixels, PixelData=stored)
    dataset["PixelData"].VR = vr
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    path = tmp_path / "a.dcm"
    dataset.save_as(path, little_endian=False, implicit_vr=False, enforce_file_format=True)
    assert np.array_equal(np.stack([load_frame(source).values for source in sources_of(path)]), pixels)


def test_frames_of_a_deflated_file_are_found_in_what_it_inflates_to(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 65536, size=(4, 30, 20), dtype=np.uint16)
    path = write(tmp_path / "a.dcm", image_dataset(pixels), syntax=DeflatedExplicitVRLittleEndian)
    sources = sources_of(path)
    assert [source.layout.inflated is not None for source in sources] == [True] * 4
    assert np.array_equal(np.stack([load_frame(source).values for source in sources]), pixels)


def test_single_bits_of_a_deflated_file(tmp_path: Path) -> None:
    bits = RANDOM.integers(0, 2, size=(3, 3, 5), dtype=np.uint8)
    dataset = image_dataset(bits, BitsAllocated=1, BitsStored=1, HighBit=0)
    dataset.PixelData = np.packbits(bits.ravel(), bitorder="little").tobytes()
    path = write(tmp_path / "a.dcm", dataset, syntax=DeflatedExplicitVRLittleEndian)
    assert np.array_equal(np.stack([load_frame(source).values for source in sources_of(path)]), bits)


def test_one_frame_of_a_large_clip_is_read_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = RANDOM.integers(0, 65536, size=(50, 64, 64), dtype=np.uint16)
    sources = sources_of(image_file(tmp_path / "a.dcm", pixels))
    read: list[int] = []
    real = os.pread

    def counting(descriptor: int, length: int, offset: int) -> bytes:
        read.append(length)
        return real(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", counting)
    assert np.array_equal(read_native(sources[37]), pixels[37])
    assert sum(read) == 64 * 64 * 2


def test_a_file_that_shrank_after_it_was_indexed_is_an_error(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm", np.ones((64, 64), dtype=np.uint16))
    source = sources_of(path)[0]
    os.truncate(path, 4000)
    with pytest.raises(CannotDecode, match="shorter"):
        read_encoded(source)


def test_implicit_vr_is_read_like_explicit(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 4096, size=(5, 6), dtype=np.uint16)
    dataset = image_dataset(pixels, BitsStored=12, HighBit=11)
    path = write(tmp_path / "a.dcm", dataset, syntax=ImplicitVRLittleEndian)
    assert np.array_equal(load_frame(sources_of(path)[0]).values, pixels)


def test_overlays_in_the_unused_bits_are_no_part_of_the_picture(shared_data: Path) -> None:
    path = shared_data / "windows" / "MR-SIEMENS-overlays_multiVOI.dcm"
    assert load_frame(sources_of(path)[0]).values.max() < 4096
    assert pydicom.dcmread(path).BitsStored == 12
