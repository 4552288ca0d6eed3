"""What codestreams say of themselves against what the header says: signs, precision, colour."""

from __future__ import annotations

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom.uid import RLELossless

from tests.viewer.dicom.making import image_dataset, sources_of, write
from tests.viewer.dicom.test_native import layout
from viewer.dicom.decode import decode, load_frame
from viewer.dicom.errors import CannotDecode
from viewer.dicom.jpeg import stream_header

JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
J2K_LOSSLESS = "1.2.840.10008.1.2.4.90"
J2K = "1.2.840.10008.1.2.4.91"
HTJ2K_LOSSLESS = "1.2.840.10008.1.2.4.201"
HTJ2K_RPCL = "1.2.840.10008.1.2.4.202"
HTJ2K = "1.2.840.10008.1.2.4.203"
RANDOM = np.random.default_rng(11)

LOSSLESS = {
    JPEG_LOSSLESS: lambda pixels: imagecodecs.jpeg8_encode(pixels, lossless=True),
    JPEG_LS: imagecodecs.jpegls_encode,
    J2K_LOSSLESS: lambda pixels: imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", reversible=True, level=0),
    HTJ2K_LOSSLESS: lambda pixels: imagecodecs.htj2k_encode(pixels, reversible=True),
    HTJ2K_RPCL: lambda pixels: imagecodecs.htj2k_encode(pixels, reversible=True),
}


def smooth(dtype: str, top: int) -> np.ndarray:
    """A picture with slopes and noise, as codecs expect."""
    rows, columns = np.mgrid[0:32, 0:48]
    return ((rows * columns) % (top // 2) + RANDOM.integers(0, top // 2, (32, 48))).astype(dtype)


@pytest.mark.parametrize("syntax", LOSSLESS)
@pytest.mark.parametrize("stored", [8, 10, 12, 16])
def test_lossless_unsigned_values_survive(syntax: str, stored: int) -> None:
    """OHIF/Viewers#5918, codecs#10: faults with JPEG-LS and JPEG 2000."""
    pixels = smooth("u1" if stored == 8 else "u2", 1 << stored)
    bits = 8 if stored == 8 else 16
    kind = layout(
        transfer_syntax_uid=syntax,
        rows=32,
        columns=48,
        bits_allocated=bits,
        bits_stored=stored,
        high_bit=stored - 1,
    )
    decoded = decode(LOSSLESS[syntax](pixels), kind)
    assert decoded.values.dtype == pixels.dtype
    assert np.array_equal(decoded.values, pixels)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_lossless_bit_patterns_of_signed_values_get_their_sign_from_the_header(syntax: str) -> None:
    """JPEG knows no sign, and JPEG 2000 writers often leave theirs out."""
    pixels = (smooth("i4", 4096) - 2048).astype("i2")
    kind = layout(transfer_syntax_uid=syntax, rows=32, columns=48, bits_stored=12, high_bit=11, pixel_representation=1)
    for pattern in (pixels.view("u2") & 0x0FFF, pixels.view("u2")):
        assert np.array_equal(decode(LOSSLESS[syntax](pattern), kind).values, pixels)


@pytest.mark.parametrize("syntax", [J2K_LOSSLESS, HTJ2K_LOSSLESS])
def test_a_signed_codestream_keeps_its_values(syntax: str) -> None:
    pixels = (smooth("i4", 4096) - 2048).astype("i2")
    kind = layout(transfer_syntax_uid=syntax, rows=32, columns=48, pixel_representation=1)
    assert np.array_equal(decode(LOSSLESS[syntax](pixels), kind).values, pixels)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_lossless_colour_survives_and_is_called_rgb(syntax: str) -> None:
    pixels = np.dstack([smooth("u1", 256) for _ in range(3)])
    kind = layout(
        transfer_syntax_uid=syntax,
        rows=32,
        columns=48,
        samples_per_pixel=3,
        photometric_interpretation="RGB",
        bits_allocated=8,
        bits_stored=8,
        high_bit=7,
    )
    encoded = (
        imagecodecs.jpeg8_encode(pixels, lossless=True, colorspace="RGB", outcolorspace="RGB")
        if syntax == JPEG_LOSSLESS
        else LOSSLESS[syntax](pixels)
    )
    decoded = decode(encoded, kind)
    assert decoded.photometric_interpretation == "RGB"
    assert np.array_equal(decoded.values, pixels)


@pytest.mark.parametrize("syntax", [J2K, HTJ2K])
def test_loss_may_overshoot_the_stored_range_and_never_wraps(syntax: str) -> None:
    pixels = np.where(RANDOM.integers(0, 2, (64, 64)), 4095, 0).astype("u2")
    encoded = (
        imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", level=60)
        if syntax == J2K
        else imagecodecs.htj2k_encode(pixels, level=0.01, reversible=False)
    )
    kind = layout(transfer_syntax_uid=syntax, rows=64, columns=64, bits_stored=12, high_bit=11)
    values = decode(encoded, kind).values.astype(int)
    assert values.max() == 4095
    assert values[pixels == 4095].min() > 2048


def with_adobe(encoded: bytes, transform: int) -> bytes:
    """The stream with nothing but an Adobe marker before its tables."""
    body = b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform)
    position = 2
    while encoded[position + 1] in (0xE0, 0xEE):
        position += 2 + struct.unpack_from(">H", encoded, position + 2)[0]
    return encoded[:2] + b"\xff\xee" + struct.pack(">H", len(body) + 2) + body + encoded[position:]


@pytest.mark.parametrize(
    ("transform", "named", "expected"),
    [(0, "YBR_FULL_422", "RGB"), (1, "RGB", "YBR_FULL"), (None, "RGB", "YBR_FULL"), (None, "YBR_FULL", "YBR_FULL")],
)
def test_a_jpeg_stream_knows_its_colour_space_better_than_the_header(
    transform: int | None, named: str, expected: str
) -> None:
    pixels = np.dstack([smooth("u1", 256) for _ in range(3)])
    encoded = imagecodecs.jpeg8_encode(pixels, level=90)
    assert stream_header(encoded).jfif
    if transform is not None:
        encoded = with_adobe(encoded, transform)
        assert not stream_header(encoded).jfif
    kind = layout(
        transfer_syntax_uid=JPEG_BASELINE,
        rows=32,
        columns=48,
        samples_per_pixel=3,
        photometric_interpretation=named,
        bits_allocated=8,
        bits_stored=8,
        high_bit=7,
    )
    assert decode(encoded, kind).photometric_interpretation == expected


def test_a_codestream_in_a_jp2_file_is_found() -> None:
    pixels = smooth("u2", 4096)
    encoded = imagecodecs.jpeg2k_encode(pixels, codecformat="jp2", reversible=True, level=0)
    assert not encoded.startswith(b"\xff\x4f")
    kind = layout(transfer_syntax_uid=J2K_LOSSLESS, rows=32, columns=48, bits_stored=12, high_bit=11)
    assert np.array_equal(decode(encoded, kind).values, pixels)


def test_a_plain_codestream_under_the_high_throughput_name_is_decoded() -> None:
    pixels = smooth("u2", 4096)
    encoded = imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", reversible=True, level=0)
    kind = layout(transfer_syntax_uid=HTJ2K_LOSSLESS, rows=32, columns=48, bits_stored=12, high_bit=11)
    assert np.array_equal(decode(encoded, kind).values, pixels)


def test_names_of_jpeg_2000_transforms_mean_rgb_where_there_is_no_codestream() -> None:
    kind = layout(
        samples_per_pixel=3, photometric_interpretation="YBR_RCT", bits_allocated=8, bits_stored=8, high_bit=7
    )
    assert decode(bytes(24), kind).photometric_interpretation == "RGB"


def test_more_components_or_bits_than_the_header_says_are_refused() -> None:
    colour = np.dstack([smooth("u1", 256) for _ in range(3)])
    grey = layout(rows=32, columns=48, bits_allocated=8, bits_stored=8, high_bit=7)
    for syntax, encode in LOSSLESS.items():
        kind = layout(**{name: getattr(grey, name) for name in grey.__slots__} | {"transfer_syntax_uid": syntax})
        with pytest.raises(CannotDecode, match="components"):
            decode(encode(colour), kind)
        with pytest.raises(CannotDecode, match="bits"):
            decode(encode(smooth("u2", 4096)), kind)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2"])
def test_rle_of_every_size(dtype: str, tmp_path: Path) -> None:
    pixels = smooth("i4", 250).astype(dtype)
    dataset = image_dataset(pixels)
    dataset.compress(RLELossless)
    frame = load_frame(sources_of(write(tmp_path / "a.dcm", dataset))[0])
    assert np.array_equal(frame.values, pixels)


def test_rle_colour_comes_by_pixel(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, (8, 10, 3), dtype=np.uint8)
    dataset = image_dataset(pixels)
    dataset.compress(RLELossless)
    dataset.PlanarConfiguration = 0
    frame = load_frame(sources_of(write(tmp_path / "a.dcm", dataset))[0])
    assert np.array_equal(frame.values, pixels)


@pytest.mark.parametrize(
    "header",
    [
        struct.pack("<16I", 0, *[0] * 15),
        struct.pack("<16I", 3, 64, 70, 75, *[0] * 12),
        struct.pack("<16I", 2, 64, 64, *[0] * 13),
        struct.pack("<16I", 2, 10, 70, *[0] * 13),
        struct.pack("<16I", 2, 64, 2**31, *[0] * 13),
    ],
)
def test_rle_headers_that_lie_are_refused(header: bytes) -> None:
    kind = layout(transfer_syntax_uid="1.2.840.10008.1.2.5")
    with pytest.raises(CannotDecode):
        decode(header + b"\x00\x01" * 40, kind)
