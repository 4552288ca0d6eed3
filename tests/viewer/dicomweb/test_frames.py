"""Frames by WADO-RS: the pixels of every real file through the whole door, and in which words they are asked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from django.test import Client
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import get_expected_length

from accounts.models import Organization
from tests.viewer.dicom.test_decode import LOSSY, digest, known_frames, manifest, within_a_step  # noqa: F401
from tests.viewer.dicomweb.asking import address, ask, each_alone, stored
from viewer.dicom.layout import FrameLayout
from viewer.dicom.read import read_instance
from viewer.models import Instance

pytestmark = pytest.mark.usefixtures("store")

ELE = "1.2.840.10008.1.2.1"
NATIVE = ("1.2.840.10008.1.2", ELE, "1.2.840.10008.1.2.2")
TYPES = {
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    **{f"1.2.840.10008.1.2.4.{number}": "image/jpeg" for number in (50, 51, 53, 55, 57, 70)},
    **{f"1.2.840.10008.1.2.4.{number}": "image/jls" for number in (80, 81)},
    **{f"1.2.840.10008.1.2.4.{number}": "image/jp2" for number in (90, 91)},
    **{f"1.2.840.10008.1.2.4.{number}": "image/jphc" for number in (201, 202, 203)},
}
"""PS3.18 table 8.7.3-5."""
OCTETS = 'multipart/related; type="application/octet-stream"'


def layout_of(instance: Instance) -> FrameLayout:
    pixels = instance.index["pixels"]
    return FrameLayout(**{k: v for k, v in pixels.items() if k not in ("offset", "fragments", "deflated")})


def test_the_first_frame_of_every_real_file_has_the_values_that_other_decoders_found(
    alice: Client,
    shared_data: Path,
    manifest: dict[str, Any],  # noqa: F811
) -> None:
    names = [name for name in known_frames(manifest) if "HTJ2K" not in name]
    seen, wrong = set(), []
    for path, instance, query in each_alone([shared_data / name for name in names], "alice"):
        answer = ask(alice, f"{address(instance, '/frames/1')}?organization={query['organization']}", OCTETS)
        assert answer.status == 200, path
        ((media_type, location, content),) = answer.parts
        assert media_type == "application/octet-stream"
        assert location.endswith("/frames/1")
        layout, item = layout_of(instance), manifest[path.relative_to(shared_data).as_posix()]
        values = values_of(content, layout)
        known = {str(item.get(letter, ""))[:16] for letter in "ABC"}
        if digest(values) not in known and not within_a_step(path, layout, values, item):
            wrong.append(str(path))
        seen.add(instance.transfer_syntax_uid)
    assert not wrong
    assert len(seen) >= 15


def values_of(content: bytes, layout: FrameLayout) -> np.ndarray:
    """Stored values of a frame's bytes: little endian, colours by pixel or by plane as the header says."""
    if layout.bits_allocated == 1:
        return np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")[: layout.rows * layout.columns]
    values = np.frombuffer(content, layout.dtype.newbyteorder("<"))
    native = layout.transfer_syntax_uid in NATIVE
    if native and layout.subsampled:
        pairs = values.reshape(-1, 4)
        return np.stack([pairs[:, [0, 2, 3]], pairs[:, [1, 2, 3]]], axis=1).reshape(layout.shape)
    if native and layout.planar_configuration and layout.samples_per_pixel == 3:
        values = np.moveaxis(values.reshape(3, layout.rows, layout.columns), 0, 2)
    above = layout.bits_allocated - 1 - layout.high_bit
    beside = layout.bits_allocated - layout.bits_stored
    unsigned = values.astype(f"u{values.dtype.itemsize}") if not layout.floating and beside else values
    if unsigned is not values:
        values = (unsigned << above).astype(values.dtype, casting="unsafe").view(layout.dtype) >> beside
    return np.ascontiguousarray(values.reshape(layout.shape))


def test_compressed_frames_leave_byte_for_byte_under_the_name_of_what_they_are(
    alice: Client, shared_data: Path
) -> None:
    seen = set()
    paths = [
        path
        for folder in ("syntax_ctimage", "syntax_nema", "cine")
        for path in sorted((shared_data / folder).iterdir())
    ]
    for path, instance, query in each_alone(paths, "alice"):
        syntax = instance.transfer_syntax_uid
        if syntax not in TYPES or syntax in seen:
            continue
        seen.add(syntax)
        where = f"{address(instance, '/frames/1')}?organization={query['organization']}"
        dataset = pydicom.dcmread(path)
        expected = next(generate_frames(dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames", 1))))
        named = TYPES[syntax]
        for accept, name in (
            (None, named),
            ("*/*", named),
            (f'multipart/related; type="{named}"', named),
            (f'multipart/related; type="{named}"; transfer-syntax={syntax}', named),
            (f"multipart/related; type={named}; transfer-syntax=*", named),
            ("multipart/related; type=image/*", named),
            (f"{OCTETS}; transfer-syntax=*", "application/octet-stream"),
            (f"{OCTETS}; transfer-syntax={syntax}, {OCTETS}; q=0.1", "application/octet-stream"),
        ):
            ((media_type, _, content),) = ask(alice, where, accept).parts
            assert content == expected, (path, accept)
            assert media_type == f"{name};transfer-syntax={syntax}"
        alone = ask(alice, where, named)
        assert (alone.type, alone.body) == (f"{named};transfer-syntax={syntax}", expected)
    assert len(seen) >= 9


def test_native_frames_are_the_bytes_of_the_file(alice: Client, hospital: Organization, shared_data: Path) -> None:
    path = shared_data / "cine" / "NM_heart_13f.dcm"
    instance, dataset = stored(path, hospital), pydicom.dcmread(path)
    size = get_expected_length(dataset) // 13
    answer = ask(alice, address(instance, "/frames/2,13,1"))
    assert [content for _, _, content in answer.parts] == [
        dataset.PixelData[(number - 1) * size : number * size] for number in (2, 13, 1)
    ]
    assert [re.search(r"frames/(\d+)$", location)[1] for _, location, _ in answer.parts] == ["2", "13", "1"]


def test_single_bits_begin_with_a_byte_in_every_frame(alice: Client, hospital: Organization, tmp_path: Path) -> None:
    from tests.viewer.archive.objects import ct_slice, save

    frames = np.random.default_rng(1).integers(0, 2, (3, 3, 5), dtype=np.uint8)
    made = ct_slice("1.2.3.9.1", series="1.2.3.9")
    made.Rows, made.Columns, made.NumberOfFrames = 3, 5, 3
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 1, 1, 0, 0
    made.PixelData = np.packbits(frames.reshape(-1), bitorder="little").tobytes()
    instance = stored(save(made, tmp_path / "bits.dcm"), hospital)
    answer = ask(alice, address(instance, "/frames/1,2,3"), OCTETS)
    got = [np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")[:15] for _, _, content in answer.parts]
    assert np.array_equal(np.stack(got), frames.reshape(3, 15))


def test_frames_that_are_not_there_and_lists_that_are_none(
    alice: Client, hospital: Organization, shared_data: Path
) -> None:
    instance = stored(shared_data / "cine" / "NM_heart_13f.dcm", hospital)
    assert ask(alice, address(instance, "/frames/14")).status == 404
    assert ask(alice, address(instance, "/frames/1,99999999")).status == 404
    for text in ("0", "-1", "1,", "one", "1;2", "01", "1,,2", "1-3"):
        assert ask(alice, address(instance, f"/frames/{text}")).status == 400, text
    document = stored(shared_data / "derived" / "sr_basic_text.dcm", hospital)
    assert ask(alice, address(document, "/frames/1")).status == 404


def test_what_cannot_be_given_is_told(alice: Client, hospital: Organization, shared_data: Path) -> None:
    instance = stored(shared_data / "cine" / "US_palette_10f_rle.dcm", hospital)
    refused = ask(alice, address(instance, "/frames/1"), 'multipart/related; type="image/jpeg"')
    assert refused.status == 406
    assert refused.response.json()["available"] == [
        "image/dicom-rle;transfer-syntax=1.2.840.10008.1.2.5",
        "application/octet-stream",
    ]
    assert ask(alice, address(instance, "/frames/1,2"), "application/octet-stream").status == 406
    one = ask(alice, address(instance, "/frames/2"), "application/octet-stream")
    assert len(one.body) == 430 * 600
    old = ask(alice, address(instance, "/frames/1"), "multipart/related; type=image/x-dicom-rle")
    assert old.parts[0][0] == "image/x-dicom-rle;transfer-syntax=1.2.840.10008.1.2.5"


def test_a_frame_that_the_client_has_is_not_sent_again(
    alice: Client, hospital: Organization, shared_data: Path
) -> None:
    where = address(stored(shared_data / "cine" / "NM_heart_13f.dcm", hospital), "/frames/1")
    first = ask(alice, where)
    assert ask(alice, where).body == first.body
    assert ask(alice, where, If_None_Match=first.response["ETag"]).status == 304


def test_a_damaged_frame_is_an_answer_and_not_a_broken_one(
    charlie: Client, elsewhere: Organization, shared_data: Path, tmp_path: Path
) -> None:
    whole = shared_data / "cine" / "US_palette_10f_jls_sameUID.dcm"
    raw = bytearray(whole.read_bytes())
    offset, length = read_instance(whole).index["pixels"]["fragments"][0]
    raw[offset + 2 : offset + length] = bytes(length - 2)
    path = tmp_path / "damaged.dcm"
    path.write_bytes(raw)
    instance = stored(path, elsewhere)
    refused = ask(charlie, address(instance, "/frames/1"), OCTETS)
    assert refused.status == 422
    assert refused.response.json()["code"] == "cannot_decode"
