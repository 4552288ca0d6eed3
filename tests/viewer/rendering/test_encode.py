"""Bytes that other programs read: lossless means lossless, grey stays grey."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from viewer.rendering.encode import ENCODERS, encode

from .frames import noise


def smooth(shape: tuple[int, ...]) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    grey = (128 + 100 * np.sin(rows / 9) * np.cos(columns / 7)).astype(np.uint8)
    return grey if len(shape) == 2 else np.stack((grey, 255 - grey, grey // 2), axis=-1)


SHAPES = [(1, 1), (1, 300), (300, 1), (97, 131), (97, 131, 3), (1, 1, 3), (512, 512)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("make", [smooth, lambda shape: noise(shape, np.uint8, 0, 256)])
@pytest.mark.parametrize("media_type", [name for name, row in ENCODERS.items() if row.lossless])
def test_lossless_pictures_come_back_to_the_bit(shape: tuple[int, ...], make, media_type: str) -> None:
    pixels = make(shape)
    image = Image.open(io.BytesIO(encode(pixels, media_type)))
    assert image.get_format_mimetype() == media_type
    assert image.mode == ("L" if pixels.ndim == 2 else "RGB")
    assert np.array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("media_type", [name for name, row in ENCODERS.items() if not row.lossless])
def test_lossy_pictures_come_back_nearly(shape: tuple[int, ...], media_type: str) -> None:
    pixels = smooth(shape)
    image = Image.open(io.BytesIO(encode(pixels, media_type, 95)))
    assert image.get_format_mimetype() == media_type
    back = np.asarray(image.convert("L" if pixels.ndim == 2 else "RGB"))
    assert back.shape == pixels.shape
    assert np.abs(back.astype(int) - pixels).mean() < 3


def test_a_grey_jpeg_has_one_component() -> None:
    assert Image.open(io.BytesIO(encode(smooth((64, 64)), "image/jpeg"))).mode == "L"


def test_quality_buys_bytes() -> None:
    pixels = smooth((300, 300, 3))
    for media_type in ("image/jpeg", "image/webp"):
        sizes = [len(encode(pixels, media_type, quality)) for quality in (1, 50, 95)]
        assert sizes == sorted(sizes)
        assert len(set(sizes)) == 3


def test_an_unknown_media_type_is_refused() -> None:
    with pytest.raises(ValueError, match="image/png"):
        encode(smooth((4, 4)), "image/gif")
