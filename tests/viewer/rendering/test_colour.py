"""Colour samples, palettes and colour maps."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_palette_files
from pydicom.pixels import convert_color_space

from viewer.rendering.colour import COLOR_MAPS
from viewer.rendering.render import render
from viewer.rendering.view import BadView, View
from viewer.rendering.volume import LookupTable, Palette

from . import judge
from .frames import frame, noise


def test_every_ybr_colour_becomes_the_rgb_of_the_equations() -> None:
    levels = np.arange(0, 256, 3, dtype=np.uint8)
    samples = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(86, -1, 3)
    picture = render(frame(samples, "YBR_FULL"), View()).pixels
    assert np.array_equal(picture, judge.ybr_to_rgb(samples))
    # An outside opinion, in 32-bit floats: a channel may differ by the rounding of one .5.
    assert np.abs(picture.astype(int) - convert_color_space(samples, "YBR_FULL", "RGB")).max() <= 1


@pytest.mark.parametrize("bits", [8, 10, 16])
@pytest.mark.parametrize("first", [-5, 0, 40])
def test_a_palette_clamps_at_its_ends(bits: int, first: int) -> None:
    random = np.random.default_rng(bits)
    tables = [LookupTable(first, random.integers(0, 2**bits, 150).astype(np.uint16), bits) for _ in range(3)]
    values = noise((20, 30), np.int16, -20, 250)
    picture = render(frame(values, "PALETTE COLOR", palette=Palette(*tables)), View()).pixels
    for channel, table in enumerate(tables):
        entries = table.data[np.clip(values.astype(int) - first, 0, 149)]
        assert np.array_equal(picture[:, :, channel], np.floor(entries * 255.0 / (2.0**bits - 1) + 0.5))


def test_colour_of_more_than_eight_bits_is_scaled() -> None:
    samples = noise((20, 30, 3), np.uint16, 0, 4096)
    picture = render(frame(samples, "RGB", bits_stored=12), View()).pixels
    assert np.array_equal(picture, np.floor(samples * 255.0 / 4095.0 + 0.5))


def test_colour_turns_and_moves_like_grey() -> None:
    samples = noise((13, 22, 3), np.uint8, 0, 256)
    picture = render(frame(samples, "RGB"), View(rotation=90, flip_vertical=True)).pixels
    assert np.array_equal(picture, judge.oriented(samples, 90, False, True))
    framed = render(frame(samples, "RGB"), View(zoom="native", size=(15, 26))).pixels
    assert np.array_equal(framed[1:14, 2:24], samples)
    assert framed.sum() == samples.sum()


@pytest.mark.parametrize("name", COLOR_MAPS)
def test_a_colour_map_begins_black_so_that_background_stays_black(name: str) -> None:
    colours = COLOR_MAPS[name]
    assert colours.shape == (256, 3)
    assert colours.dtype == np.uint8
    assert not colours[0].any()
    assert len(np.unique(colours, axis=0)) > 200


def test_a_colour_map_colours_the_grey_picture() -> None:
    values = noise((20, 30), np.uint8, 0, 256)
    grey = render(frame(values), View(size=(40, 90))).pixels
    coloured = render(frame(values), View(size=(40, 90), color_map="hot_iron")).pixels
    assert np.array_equal(coloured, COLOR_MAPS["hot_iron"][grey])


def test_grey_is_the_map_of_a_grey_picture_and_keeps_one_channel() -> None:
    picture = render(frame(noise((20, 30))), View())
    assert picture.pixels.ndim == 2
    assert picture.view.color_map == "grey"


def test_a_picture_with_its_own_colours_takes_no_map_and_says_so() -> None:
    picture = render(frame(noise((8, 8, 3), np.uint8, 0, 256), "RGB"), View(color_map="hot_iron"))
    assert picture.view.color_map is None


def test_an_unknown_map_is_refused() -> None:
    with pytest.raises(BadView, match="color_map"):
        render(frame(noise((8, 8))), View(color_map="ultraviolet"))


@pytest.mark.parametrize(("name", "file"), [("hot_iron", "hotiron.dcm"), ("pet", "pet.dcm")])
def test_a_map_named_as_in_the_standard_is_the_one_of_the_standard(name: str, file: str) -> None:
    palette = dcmread(get_palette_files(file)[0])
    for channel, colour in enumerate(("Red", "Green", "Blue")):
        entries = np.frombuffer(palette[f"{colour}PaletteColorLookupTableData"].value, np.uint8)
        assert np.array_equal(COLOR_MAPS[name][:, channel], entries)
