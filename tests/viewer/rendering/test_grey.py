"""The greyscale pipeline equals the judge to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer.rendering.render import render
from viewer.rendering.view import View
from viewer.rendering.volume import Frame, LookupTable

from . import judge
from .frames import dataset_of, frame, noise


def drawn(of: Frame, **view: Any) -> np.ndarray:
    return render(of, View.from_json(view)).pixels


def judged(of: Frame, **choice: Any) -> np.ndarray:
    return judge.grey_picture(dataset_of(of), of.values, **choice)


STORED = {
    "signed 16": noise((23, 31)),
    "unsigned 16": noise((23, 31), np.uint16, 0, 65536),
    "unsigned 8": noise((23, 31), np.uint8, 0, 256),
    "signed 8": noise((23, 31), np.int8, -128, 128),
    "signed 32": noise((23, 31), np.int32, -(2**31), 2**31),
    "unsigned 32": noise((23, 31), np.uint32, 0, 2**32),
    "one bit": noise((23, 31), np.uint8, 0, 2),
    "big endian": noise((23, 31)).astype(">i2"),
    "32-bit floats": noise((23, 31)).astype(np.float32) / 7,
    "64-bit floats": noise((23, 31)).astype(np.float64) / 7,
    "every second column": noise((23, 62))[:, ::2],
}


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("kind", STORED)
def test_every_kind_of_stored_value_is_drawn_as_the_standard_says(kind: str, function: str) -> None:
    values = STORED[kind]
    of = frame(values, rescale_slope=1.5, rescale_intercept=-24.0)
    center, width = float(np.mean(values)) * 1.5 - 24, max((float(values.max()) - float(values.min())) / 3, 1.25)
    for inverted in (False, True):
        view = {"window_center": center, "window_width": width, "voi_lut_function": function, "inverted": inverted}
        expected = judged(of, window=(center, width, function), inverted=inverted)
        assert np.array_equal(drawn(of, **view), expected)
        assert len(np.unique(expected)) >= 2


@settings(deadline=None, max_examples=150)
@given(
    center=st.floats(-2000, 3000) | st.integers(-2000, 3000).map(float),
    width=st.floats(1, 6000) | st.integers(1, 6000).map(float),
    slope=st.sampled_from([1.0, 2.0, 0.5, -1.0, 2.0222414, 0.684, 32.1216]),
    intercept=st.sampled_from([0.0, -1024.0, -4047.0, 12.7]),
    function=st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
    photometric=st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    inverse=st.booleans(),
    inverted=st.booleans(),
    padding=st.sampled_from([None, (-1000, -1000), (0, 30)]),
)
def test_any_window_equals_the_judge(
    center: float, width: float, slope: float, intercept: float, function: str,
    photometric: str, inverse: bool, inverted: bool, padding: tuple[int, int] | None,
) -> None:  # fmt: skip
    values = noise((64, 64))
    values[0, :40], values[1, :31] = -1000, np.arange(31)
    of = frame(
        values, photometric,
        rescale_slope=slope, rescale_intercept=intercept, presentation_inverse=inverse, pixel_padding=padding,
    )  # fmt: skip
    view = {"window_center": center, "window_width": width, "voi_lut_function": function, "inverted": inverted}
    expected = judged(of, window=(center, width, function), inverted=inverted)
    assert np.array_equal(drawn(of, **view), expected)


@pytest.mark.parametrize("width", [1.0, 1.5, 2.0])
def test_the_narrowest_windows_keep_their_step(width: float) -> None:
    of = frame(np.arange(-4, 6, dtype=np.int16)[None])
    expected = judged(of, window=(0.5, width, "LINEAR"))
    assert np.array_equal(drawn(of, window_center=0.5, window_width=width, voi_lut_function="LINEAR"), expected)
    assert set(np.unique(expected)) >= {0, 255}


def lut(first: int, count: int, bits: int) -> LookupTable:
    data = np.random.default_rng(count).integers(0, 2**bits, count).astype(np.uint16)
    return LookupTable(first, data, bits, "file's own")


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_a_voi_lut_clamps_at_its_ends_and_is_scaled_to_its_bits(bits: int) -> None:
    of = frame(noise((40, 50), low=-300, high=900), voi_luts=(lut(-100, 700, bits),), rescale_intercept=-20.0)
    assert np.array_equal(drawn(of, preset="file's own"), judged(of, voi_lut=0))
    assert np.array_equal(drawn(of, preset="file's own", inverted=True), judged(of, voi_lut=0, inverted=True))


@pytest.mark.parametrize("first", [-100, 0, 200])
def test_a_modality_lut_clamps_at_its_ends_and_feeds_the_window(first: int) -> None:
    of = frame(
        noise((40, 50), low=-300, high=900), "MONOCHROME1", modality_lut=lut(first, 700, 12), pixel_padding=(-50, 10)
    )
    for function in ("LINEAR", "SIGMOID"):
        view = {"window_center": 2000, "window_width": 2500, "voi_lut_function": function}
        assert np.array_equal(drawn(of, **view), judged(of, window=(2000.0, 2500.0, function)))


def test_both_luts_follow_each_other() -> None:
    of = frame(noise((40, 50), np.uint16, 0, 5000), modality_lut=lut(16, 4096, 12), voi_luts=(lut(100, 2000, 10),))
    assert np.array_equal(drawn(of, preset="file's own"), judged(of, voi_lut=0))


def test_a_modality_lut_reads_32_bit_and_floating_values_too() -> None:
    small = noise((20, 20), np.uint16, 0, 900)
    expected = judged(frame(small, modality_lut=lut(16, 700, 12)), window=(2000.0, 2500.0, "LINEAR"))
    for dtype in (np.int32, np.float32):
        of = frame(small.astype(dtype), modality_lut=lut(16, 700, 12))
        picture = drawn(of, window_center=2000, window_width=2500, voi_lut_function="LINEAR")
        assert np.array_equal(picture, expected)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("inverted", [False, True])
def test_padding_is_black_whatever_the_polarity(photometric: str, inverted: bool) -> None:
    values = noise((16, 16), low=0, high=100)
    values[4:8] = -2000
    of = frame(values, photometric, pixel_padding=(-2000, -2000))
    picture = drawn(of, window_center=50, window_width=100, inverted=inverted)
    assert (picture[4:8] == 0).all()
    assert picture.max() > 200


def test_what_is_no_number_is_background() -> None:
    values = np.full((4, 4), 10.0, np.float32)
    values[1, 1], values[2, 2] = np.nan, np.inf
    picture = drawn(frame(values), window_center=0, window_width=10, voi_lut_function="LINEAR_EXACT", inverted=True)
    assert picture[1, 1] == 0
    assert picture[0, 0] == 0
    bright = drawn(frame(values), window_center=0, window_width=10, voi_lut_function="LINEAR_EXACT")
    assert bright[1, 1] == 0
    assert bright[2, 2] == 255
