"""Frames into volumes: every value means what it meant, and what is no image is a hole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.viewer.rendering.frames import frame
from viewer.rendering.storing import convert, lay, store
from viewer.rendering.volume import HOLE, CellDescription, Layers, LookupTable, Palette, Storage

WHOLE, FLOATS = np.dtype(np.int16), np.dtype(np.float32)
RANDOM = np.random.default_rng(1976)


def kept(values: np.ndarray, storage: Storage, **attributes: Any) -> tuple[np.ndarray, bool]:
    """One frame in a volume of one slice, and whether it has holes."""
    out = np.empty((1, *values.shape), storage.dtype)
    holes = store(frame(values, **attributes), storage, out[0])
    return out[0], holes


def stored(kind: type, bits: int) -> np.ndarray:
    """All that so many bits can say, as far as 4,096 pixels go."""
    signed = np.dtype(kind).kind == "i"
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    values = np.linspace(low, high, 4096).round()
    return values.astype(kind).reshape(64, 64)


@pytest.mark.parametrize(
    ("kind", "bits", "slope", "intercept", "storage"),
    [
        (np.uint8, 8, 1.0, 0.0, Storage(WHOLE)),
        (np.int8, 8, 1.0, -5.0, Storage(WHOLE)),
        (np.uint16, 12, 1.0, -1024.0, Storage(WHOLE)),
        (np.int16, 12, 1.0, 0.0, Storage(WHOLE)),
        (np.int16, 15, 1.0, -1024.0, Storage(WHOLE, 1.0, -1024.0)),
        (np.uint16, 15, 2.0222414, -3.5, Storage(WHOLE, 2.0222414, -3.5)),
        (np.uint16, 12, -0.5, 7.0, Storage(WHOLE, -0.5, 7.0)),
        (np.int32, 14, 1.0, 1.0, Storage(WHOLE)),
    ],
)
def test_a_value_means_what_it_meant(kind: type, bits: int, slope: float, intercept: float, storage: Storage) -> None:
    values = stored(kind, bits)
    volume, holes = kept(values, storage, bits_stored=bits, rescale_slope=slope, rescale_intercept=intercept)
    assert not holes
    modality = values.astype(np.float64) * slope + intercept
    np.testing.assert_array_equal(volume * np.float64(storage.slope) + storage.intercept, modality)


def test_frames_with_intercepts_of_their_own_stand_side_by_side_in_modality_units() -> None:
    values = stored(np.uint16, 12)
    for intercept in (-1000.0, -1024.0):
        volume, _ = kept(values, Storage(WHOLE), bits_stored=12, rescale_intercept=intercept)
        np.testing.assert_array_equal(volume, values.astype(int) + int(intercept))


def test_a_real_value_that_would_be_taken_for_a_hole_is_moved_by_one() -> None:
    signed = np.array([[-32768, -32767], [0, 32767]], np.int16)
    volume, holes = kept(signed, Storage(WHOLE), bits_stored=16)
    assert (volume.tolist(), holes) == ([[-32767, -32767], [0, 32767]], False)
    unsigned = np.array([[0, 1], [65534, 65535]], np.uint16)
    volume, holes = kept(unsigned, Storage(WHOLE, 1.0, 32767.0), bits_stored=16)
    assert ((volume.astype(int) + 32767).tolist(), holes) == ([[0, 1], [65534, 65534]], False)


@pytest.mark.parametrize("kind", [np.int16, np.uint16])
@pytest.mark.parametrize("padding", [(-2000, -2000), (63536, 63536), (10, 20), (-32768, -32768), (0, 70000)])
def test_padding_is_a_hole(kind: type, padding: tuple[int, int]) -> None:
    values = stored(kind, 16)
    values[0, :4] = np.array([-2000, 15, -32768, 63536]).astype(kind)
    storage = Storage(WHOLE, 1.0, 0.0 if kind == np.int16 else 32767.0)
    volume, holes = kept(values, storage, bits_stored=16, pixel_padding=padding)
    expected = (values.astype(int) >= padding[0]) & (values.astype(int) <= padding[1])
    np.testing.assert_array_equal(volume == HOLE, expected)
    assert holes == expected.any()


@pytest.mark.parametrize(("kind", "signed"), [(np.uint16, False), (np.int16, True)])
@pytest.mark.parametrize(("bits", "high_bit"), [(16, 15), (12, 11), (12, 15), (10, 12), (8, 7)])
@pytest.mark.parametrize("padding", [None, (-3, 40)])
def test_bytes_converted_where_they_were_read_equal_frames_stored_one_by_one(
    kind: type, signed: bool, bits: int, high_bit: int, padding: tuple[int, int] | None
) -> None:
    """Bits beside the stored ones are rubbish."""
    words = RANDOM.integers(0, 65536, (3, 16, 16), np.uint16)
    real = (words >> (high_bit + 1 - bits)) & ((1 << bits) - 1)
    real = np.where(signed & (real >= 1 << (bits - 1)), real.astype(int) - (1 << bits), real).astype(kind)
    storage = Storage(WHOLE, 1.0, 0.0 if signed or bits < 16 else 32767.0)
    apart = np.empty((3, 16, 16), np.int16)
    described = {"bits_stored": bits, "pixel_padding": padding, "pixel_representation": int(signed)}
    holes = [store(frame(one, **described), storage, out) for one, out in zip(real, apart, strict=True)]
    raw = words.view(np.int16).copy()
    found = convert(raw.reshape(-1), storage.cells(CellDescription(bits, high_bit, signed, 0.0, padding)))
    np.testing.assert_array_equal(raw, apart)
    assert found == any(holes)
    assert (apart == HOLE).any() == any(holes)


def test_floats_are_modality_values_with_no_number_for_holes() -> None:
    values = np.array([[0.0, 1.5, np.nan], [np.inf, -np.inf, 3e38]])
    volume, holes = kept(values, Storage(FLOATS), rescale_slope=2.0, rescale_intercept=1.0)
    np.testing.assert_array_equal(volume, np.array([[1.0, 4.0, np.nan], [np.nan, np.nan, np.nan]], np.float32))
    assert holes
    values = np.array([[5, 6], [7, 8]], np.uint16)
    volume, holes = kept(values, Storage(FLOATS), rescale_slope=0.1, pixel_padding=(7, 7))
    np.testing.assert_array_equal(volume, np.array([[0.5, 0.6], [np.nan, 0.8]], np.float32))
    assert holes
    assert not kept(values, Storage(FLOATS))[1]


@pytest.mark.parametrize("storage", [Storage(WHOLE), Storage(FLOATS)])
def test_a_modality_lut_is_looked_up(storage: Storage) -> None:
    table = LookupTable(10, np.array([100, 300, 700], np.uint16), 16)
    values = np.array([[0, 10, 11], [12, 13, 5]], np.uint16)
    volume, holes = kept(values, storage, modality_lut=table, pixel_padding=(5, 5))
    hole = HOLE if storage.dtype == WHOLE else np.nan
    np.testing.assert_array_equal(volume, np.array([[100, 100, 300], [700, 700, hole]], storage.dtype))
    assert holes


def test_colour_is_three_planes() -> None:
    pixels = RANDOM.integers(0, 256, (4, 5, 3), np.uint8)
    volume = np.zeros((3, 2, 4, 5), np.int16)
    assert not store(
        frame(pixels, "RGB"),
        Storage(WHOLE, colour=True),
        volume[:, 1],
    )
    np.testing.assert_array_equal(np.moveaxis(volume[:, 1], 0, 2), pixels)
    assert not volume[:, 0].any()


def test_a_palette_is_seen_through() -> None:
    red, green, blue = (LookupTable(0, np.array(entries, np.uint16), 8) for entries in ([0, 255], [10, 20], [7, 9]))
    volume = np.zeros((3, 1, 2, 2), np.int16)
    indices = frame(np.array([[0, 1], [1, 0]], np.uint8), "PALETTE COLOR", palette=Palette(red, green, blue))
    store(indices, Storage(WHOLE, colour=True), volume[:, 0])
    assert volume[:, 0].reshape(3, 4).tolist() == [[0, 255, 255, 0], [10, 20, 20, 10], [7, 9, 9, 7]]


def test_a_frame_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="does not go into a slice"):
        store(frame(np.zeros((4, 4), np.uint16)), Storage(WHOLE), np.empty((4, 5), np.int16))
    with pytest.raises(ValueError, match="whole numbers"):
        store(frame(np.zeros((4, 4))), Storage(WHOLE), np.empty((4, 4), np.int16))


# --- uneven slices


@pytest.mark.parametrize("kind", [np.int16, np.float32])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_slices_are_laid_between_their_neighbours(kind: type, channels: tuple[int, ...]) -> None:
    frames = RANDOM.integers(-1000, 1000, (*channels, 3, 4, 5)).astype(kind)
    layers = Layers(np.array([0, 0, -1, 1, 2], np.int32), np.array([0.0, 0.25, 0.0, 0.5, 0.0], np.float32))
    laid = lay(frames, layers)
    first, second, third = (frames[..., k, :, :].astype(np.float64) for k in range(3))
    hole = np.full_like(first, HOLE if kind == np.int16 else np.nan)
    expected = np.stack([first, first * 0.75 + second * 0.25, hole, (second + third) / 2, third], axis=-3)
    if kind == np.int16:
        expected = np.floor(expected + 0.5)
    np.testing.assert_allclose(laid, expected.astype(kind), rtol=1e-6)
    assert not laid.flags.writeable


@pytest.mark.parametrize(("kind", "hole"), [(np.int16, HOLE), (np.float32, np.nan)])
def test_a_hole_beside_a_value_takes_no_part_in_their_mean(kind: type, hole: float) -> None:
    frames = np.array([[[10, hole], [hole, 4]], [[20, 7], [hole, 4]]], kind)
    laid = lay(frames, Layers(np.array([0], np.int32), np.array([0.3], np.float32)))
    np.testing.assert_array_equal(laid[0], np.array([[13, 7], [hole, 4]], kind))


# --- bricks


def test_bands_in_any_order_give_the_same() -> None:
    def backwards(work: Callable[[int, int], None], count: int) -> None:
        for number in reversed(range(count)):
            work(number, number + 1)

    values = RANDOM.integers(-1000, 1000, (30, 12, 20)).astype(np.int16)
    layers = Layers(np.arange(29, dtype=np.int32), np.linspace(0, 1, 29, dtype=np.float32))
    np.testing.assert_array_equal(lay(values, layers), lay(values, layers, backwards))


def test_a_decoded_frame_has_its_stored_bits_at_the_low_end_wherever_they_stood_in_the_file() -> None:
    volume, _ = kept(np.array([[4095, 0], [1, 2]], np.uint16), Storage(WHOLE), bits_stored=12)
    assert volume.tolist() == [[4095, 0], [1, 2]]
