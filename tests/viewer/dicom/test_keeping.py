"""What a volume keeps of the values of its frames: 16 bits wherever that loses nothing, and their meaning always."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.viewer.dicom.making import image_file, sources_of
from tests.viewer.dicom.slices import AXIAL, along, plan_of, stack_of
from viewer.dicom.luts import pack_lut
from viewer.dicom.pixels import read_encoded
from viewer.dicom.volumes import plan_volume
from viewer.engine.assembling import load_volume
from viewer.rendering.storing import convert
from viewer.rendering.volume import HOLE, LookupTable


@pytest.mark.parametrize(
    ("change", "dtype", "slope", "intercept"),
    [
        ({}, np.int16, 1.0, 0.0),
        ({"rescale": [1.0, -1024.0]}, np.int16, 1.0, -1024.0),
        ({"rescale": [1.0, -1024.0], "pixels": {"bits_stored": 12}}, np.int16, 1.0, 0.0),
        ({"pixels": {"pixel_representation": 0}}, np.int16, 1.0, 32767.0),
        ({"pixels": {"pixel_representation": 0}, "rescale": [0.5, 3.0]}, np.int16, 0.5, 3.0 + 32767 * 0.5),
        ({"rescale": [2.0222414, 0.0]}, np.int16, 2.0222414, 0.0),
        ({"rescale": [1.0, 0.25]}, np.int16, 1.0, 0.25),
        ({"rescale": [1.0, 1e9]}, np.int16, 1.0, 1e9),
        ({"pixels": {"bits_allocated": 32, "bits_stored": 32, "high_bit": 31}}, np.float32, 1.0, 0.0),
        ({"pixels": {"bits_allocated": 32, "floating": True}}, np.float32, 1.0, 0.0),
    ],
)
def test_values_are_16_bits_wherever_that_loses_nothing(
    change: dict[str, Any], dtype: type, slope: float, intercept: float
) -> None:
    storage = plan_of(*along(1.0, 2.0, **change)).storage
    assert (storage.dtype, storage.slope, storage.intercept) == (dtype, slope, intercept)


def test_slopes_that_differ_from_slice_to_slice_make_floats() -> None:
    frames = [*along(1.0, rescale=[0.5, 0.0]), *along(2.0, rescale=[0.7, 0.0])]
    assert plan_of(*frames).storage.dtype == np.float32
    frames = [*along(1.0, rescale=[1.0, -5.0]), *along(2.0, rescale=[1.0, 7.0])]
    assert plan_of(*frames).storage.dtype == np.float32
    short = {"bits_stored": 12}
    frames = [*along(1.0, rescale=[1.0, -5.0], pixels=short), *along(2.0, rescale=[1.0, 7.0], pixels=short)]
    assert plan_of(*frames).storage.dtype == np.int16


def test_signed_and_unsigned_images_are_kept_side_by_side_where_both_fit() -> None:
    bits = {"bits_stored": 12, "high_bit": 11}
    frames = [*along(1.0, pixels=bits | {"pixel_representation": 0}), *along(2.0, pixels=bits)]
    assert plan_of(*frames).storage == plan_of(*along(1.0, 2.0)).storage
    frames = [*along(1.0, pixels={"pixel_representation": 0}), *along(2.0)]
    assert plan_of(*frames).storage.dtype == np.float32


@pytest.mark.parametrize(("largest", "dtype"), [(32767, np.int16), (32768, np.float32)])
def test_a_modality_lut_is_kept_in_16_bits_where_its_entries_fit(largest: int, dtype: type) -> None:
    table = pack_lut(LookupTable(0, np.array([0, largest], np.uint16), 16))
    assert plan_of(*along(1.0, 2.0, index={"modality_lut": table})).storage.dtype == dtype


def test_a_pet_with_a_slope_for_each_slice_comes_out_in_its_unit(tmp_path: Path) -> None:
    slopes = (0.25, 0.5, 4.0)
    paths = [
        image_file(
            tmp_path / f"{z}.dcm",
            np.arange(16, dtype=np.int16).reshape(4, 4) * 100,
            Modality="PT",
            Units="BQML",
            ImagePositionPatient=[0, 0, z],
            ImageOrientationPatient=list(AXIAL),
            PixelSpacing=[4, 4],
            RescaleSlope=slope,
            RescaleIntercept=0,
        )
        for z, slope in enumerate(slopes)
    ]
    volume = load_volume(stack_of(*(one for path in paths for one in sources_of(path))))
    assert volume.values.dtype == np.float32
    expected = np.stack([np.arange(16).reshape(4, 4) * 100 * slope for slope in reversed(slopes)])
    np.testing.assert_array_equal(volume.values, expected)
    assert volume.description.unit == "BQML"


def test_padding_of_the_files_becomes_holes(tmp_path: Path) -> None:
    pixels = np.arange(16, dtype=np.int16).reshape(4, 4)
    pixels[0] = -2000
    paths = [
        image_file(
            tmp_path / f"{z}.dcm",
            pixels,
            PixelPaddingValue=-2000,
            ImagePositionPatient=[0, 0, z],
            ImageOrientationPatient=list(AXIAL),
            PixelSpacing=[1, 1],
            RescaleSlope=1,
            RescaleIntercept=-1024,
        )
        for z in range(3)
    ]
    volume = load_volume(stack_of(*(one for path in paths for one in sources_of(path))))
    assert volume.holes
    assert (volume.values[:, 0] == HOLE).all()
    np.testing.assert_array_equal(
        volume.values[1, 1:] * volume.slope + volume.intercept, pixels[1:].astype(float) - 1024
    )
    assert volume.bricks is not None
    assert volume.bricks.least[0, 0, 0] == 4


def test_colour_makes_a_volume_of_three_planes(tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (3, 5, 4, 3), np.uint8)
    paths = [
        image_file(
            tmp_path / f"{z}.dcm",
            pixels[z],
            ImagePositionPatient=[0, 0, -z],
            ImageOrientationPatient=list(AXIAL),
            PixelSpacing=[1, 1],
        )
        for z in range(3)
    ]
    volume = load_volume(stack_of(*(one for path in paths for one in sources_of(path))))
    assert volume.colour
    assert volume.bricks is None
    np.testing.assert_array_equal(volume.values, np.moveaxis(pixels, 3, 0))


def test_bytes_may_be_read_straight_into_the_volume_where_they_are_bare_numbers(tmp_path: Path) -> None:
    paths = [
        image_file(
            tmp_path / f"{z}.dcm",
            np.random.default_rng(z).integers(0, 4096, (4, 4), np.uint16),
            BitsStored=12,
            HighBit=11,
            ImagePositionPatient=[0, 0, z],
            ImageOrientationPatient=list(AXIAL),
            PixelSpacing=[1, 1],
            RescaleSlope=1,
            RescaleIntercept=-1000 - z,
        )
        for z in range(3)
    ]
    stack = stack_of(*(one for path in paths for one in sources_of(path)))
    plan = plan_volume(stack)
    cells = plan.raw()
    assert cells is not None
    values = np.empty(plan.frames_shape, np.int16)
    for number, one in enumerate(plan.frames):
        values[number] = np.frombuffer(read_encoded(one), "<i2").reshape(4, 4)
        assert not convert(values[number].reshape(-1), cells[number])
    np.testing.assert_array_equal(values, load_volume(stack).values)


@pytest.mark.parametrize(
    "change",
    [
        {"pixels": {"transfer_syntax_uid": "1.2.840.10008.1.2.4.80"}},
        {"pixels": {"little": False}},
        {"pixels": {"bits_allocated": 8, "bits_stored": 8, "high_bit": 7}},
        {"pixels": {"bits_allocated": 32, "bits_stored": 32, "high_bit": 31}},
        {"pixels": {"samples_per_pixel": 3, "photometric_interpretation": "RGB"}},
    ],
)
def test_other_bytes_are_decoded_first(change: dict[str, Any]) -> None:
    assert plan_of(*along(1.0, 2.0)).raw() is not None
    assert plan_of(*along(1.0, 2.0, **change)).raw() is None


@pytest.mark.parametrize("name", ["series/pet_body", "enhanced/EnhMR_BRTUM001_15f.dcm"])
def test_uncompressed_files_need_no_copy_on_their_way_into_a_volume(name: str, shared_data: Path) -> None:
    path = shared_data / name
    stack = stack_of(*(one for file in ([path] if path.is_file() else path.iterdir()) for one in sources_of(file)))
    plan = plan_volume(stack)
    cells = plan.raw()
    assert cells is not None
    values = np.empty(plan.frames_shape, np.int16)
    for number, one in enumerate(plan.frames):
        values[number] = np.frombuffer(read_encoded(one), np.int16).reshape(values[number].shape)
    assert len(set(cells)) == 1
    assert not convert(values.reshape(-1), cells[0])
    np.testing.assert_array_equal(values, load_volume(stack).values)
