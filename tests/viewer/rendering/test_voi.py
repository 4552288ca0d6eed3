"""Which window the first view has, which presets there are, and how a View asks for one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from viewer.rendering.presets import presets_for
from viewer.rendering.render import render, resolve
from viewer.rendering.view import BadView, View
from viewer.rendering.volume import Frame, LookupTable, Window

from .frames import frame, noise

CT = {"modality": "CT", "unit": "HU"}
LUT = LookupTable(0, np.arange(256, dtype=np.uint16), 8, "soft")


def window(of: Frame, **view: Any) -> tuple[Any, ...]:
    resolved = resolve(View.from_json(view), of)
    return resolved.window_center, resolved.window_width, resolved.voi_lut_function, resolved.preset


def test_the_first_window_of_the_file_comes_first() -> None:
    of = frame(noise((8, 8)), windows=(Window(200.0, 443.0, "SIGMOID"), Window(1.0, 2.0)), voi_luts=(LUT,), **CT)
    assert window(of) == (200.0, 443.0, "SIGMOID", None)


def test_else_the_first_voi_lut_by_its_name() -> None:
    of = frame(noise((8, 8)), voi_luts=(LUT,), **CT)
    assert window(of) == (None, None, None, "soft")
    assert window(of, window_width=50.0) == (40.0, 50.0, "LINEAR", None)


def test_a_ct_without_any_is_shown_as_soft_tissue() -> None:
    assert window(frame(noise((8, 8)), **CT)) == (40.0, 400.0, "LINEAR", None)
    assert window(frame(noise((8, 8)), modality="CT", unit="")) != (40.0, 400.0, "LINEAR", None)


def test_eight_bits_without_any_are_shown_as_they_are() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert window(frame(values)) == (128.0, 256.0, "LINEAR", None)
    assert np.array_equal(render(frame(values), View()).pixels, values)
    assert np.array_equal(render(frame(values, rescale_intercept=-100.0), View()).pixels, values)
    halved = render(frame(values, rescale_slope=0.5), View()).pixels
    assert np.array_equal(halved, values)


def test_one_bit_is_black_and_white() -> None:
    of = frame(noise((8, 8), np.uint8, 0, 2), bits_stored=1, modality="SEG")
    assert np.array_equal(render(of, View()).pixels, of.values * 255)


@pytest.mark.parametrize("modality", ["MR", "CR", "DX", "MG", "XA"])
def test_others_take_percentiles_without_padding(modality: str) -> None:
    values = np.tile(np.arange(1000, dtype=np.int16), (100, 1))
    values[:40] = -32768
    center, width, function, _ = window(frame(values, modality=modality, pixel_padding=(-32768, -32768)))
    assert (center - width / 2, center + width / 2) == pytest.approx((5, 995), abs=2)
    assert function == "LINEAR"


def test_pet_begins_at_zero() -> None:
    values = noise((64, 64), low=100, high=30000)
    center, width, function, _ = window(frame(values, modality="PT", unit="BQML", rescale_slope=2.0222414))
    assert center - width / 2 == pytest.approx(0)
    assert width == pytest.approx(60500, rel=0.02)
    assert function == "LINEAR_EXACT"


@pytest.mark.parametrize(
    "values", [np.full((8, 8), 7, np.int16), np.full((8, 8), np.nan, np.float32), np.zeros((8, 8), np.int16)]
)
def test_a_frame_of_one_value_or_of_none_has_a_window_too(values: np.ndarray) -> None:
    of = frame(values, pixel_padding=(0, 0))
    assert render(of, View()).pixels.shape == (8, 8)


def test_real_numbers_get_the_function_for_real_numbers() -> None:
    values = noise((64, 64), low=0, high=100).astype(np.float32) / 1000
    center, width, function, _ = window(frame(values))
    assert function == "LINEAR_EXACT"
    assert 0 < width < 0.11
    assert 0.02 < center < 0.08
    assert len(np.unique(render(frame(values), View()).pixels)) > 50


def test_an_explicit_window_keeps_the_function_of_the_file() -> None:
    of = frame(noise((8, 8)), windows=(Window(200.0, 443.0, "SIGMOID"),))
    assert window(of, window_center=100, window_width=50) == (100.0, 50.0, "SIGMOID", None)
    assert window(of, window_center=100, window_width=50, voi_lut_function="LINEAR")[2] == "LINEAR"
    assert window(frame(noise((8, 8))), window_center=100, window_width=50)[2] == "LINEAR"
    assert window(frame(noise((8, 8))), window_center=100, window_width=0.5)[2] == "LINEAR_EXACT"


def test_windows_that_files_should_not_hold_do_not_keep_the_picture_away() -> None:
    odd = (Window(math.nan, 5.0), Window(1.0, 0.0), Window(2.0, -4.0), Window(3.0, 0.5), Window(4.0, 9.0, "CUBIC"))
    of = frame(noise((8, 8)), windows=odd)
    assert window(of) == (3.0, 0.5, "LINEAR_EXACT", None)
    assert [preset["voi_lut_function"] for preset in presets_for(of.description)] == ["LINEAR_EXACT", "LINEAR"]
    only = frame(noise((8, 8)), windows=odd[:3])
    assert window(only)[2] == "LINEAR"
    assert presets_for(only.description) == []


def test_a_width_that_the_standard_forbids_is_refused() -> None:
    with pytest.raises(BadView, match="window_width"):
        window(frame(noise((8, 8))), window_center=100, window_width=0.5, voi_lut_function="LINEAR")


def test_presets_of_the_file_come_first_under_their_own_names() -> None:
    of = frame(
        noise((8, 8)), windows=(Window(1.0, 2.0, "LINEAR", "NORMAL"), Window(3.0, 4.0), Window(5.0, 6.0, "LINEAR", "NORMAL")),
        voi_luts=(LUT,), **CT,
    )  # fmt: skip
    presets = presets_for(of.description)
    assert [preset["name"] for preset in presets[:5]] == ["NORMAL", "window 2", "NORMAL (2)", "soft", "soft tissue"]
    assert [preset["source"] for preset in presets] == ["file"] * 4 + ["server"] * 9
    assert presets[3] == {"name": "soft", "source": "file", "voi_lut": True}
    assert presets[5] == {
        "name": "lung", "source": "server", "window_center": -600.0, "window_width": 1500.0, "voi_lut_function": "LINEAR",
    }  # fmt: skip
    for preset in presets:
        resolved = window(of, preset=preset["name"])
        if preset.get("voi_lut"):
            assert resolved == (None, None, None, preset["name"])
        else:
            assert resolved == (preset["window_center"], preset["window_width"], preset["voi_lut_function"], None)


def test_presets_for_ct_need_hounsfield_units() -> None:
    assert presets_for(frame(noise((8, 8)), modality="MR").description) == []
    with pytest.raises(BadView, match="preset"):
        window(frame(noise((8, 8)), modality="MR"), preset="lung")


def test_colour_takes_no_window_unless_it_is_asked_for() -> None:
    rgb = frame(noise((8, 8, 3), np.uint8, 0, 256), "RGB")
    assert window(rgb) == (None, None, None, None)
    assert np.array_equal(render(rgb, View()).pixels, rgb.values)
    assert window(rgb, window_center=100, window_width=50) == (100.0, 50.0, "LINEAR", None)
    assert window(rgb, window_center=100) == (None, None, None, None)
    grey = frame(rgb.values[:, :, 1].copy())
    view = View(window_center=100.0, window_width=50.0)
    assert np.array_equal(render(rgb, view).pixels[:, :, 1], render(grey, view).pixels)
    assert np.array_equal(render(rgb, View(inverted=True)).pixels, 255 - rgb.values)
    with pytest.raises(BadView, match="preset"):
        window(rgb, preset="lung")
