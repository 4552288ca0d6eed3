"""Which fragments make which frame: offset tables, wrong tables, none."""

from __future__ import annotations

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended

from tests.viewer.dicom.making import image_dataset, sources_of, write
from viewer.dicom.decode import load_frame
from viewer.dicom.errors import Refused
from viewer.dicom.pixels import read_encoded
from viewer.dicom.read import read_instance

JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
ROWS, COLUMNS, FRAMES = 16, 24, 4
RANDOM = np.random.default_rng(5)
PIXELS = RANDOM.integers(0, 4096, (FRAMES, ROWS, COLUMNS), dtype=np.uint16)
STREAMS = [imagecodecs.jpeg8_encode(frame, lossless=True) for frame in PIXELS]


def items(*values: bytes) -> bytes:
    even = [value + b"\0" * (len(value) % 2) for value in values]
    return b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value for value in even)


def clip(path: Path, encapsulated: bytes, frames: int = FRAMES, **more: object) -> Path:
    """A compressed clip whose pixel data is exactly these items, ended by a delimiter."""
    dataset = image_dataset(PIXELS, NumberOfFrames=frames, BitsStored=12, HighBit=11, **more)
    dataset.PixelData = encapsulated
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return write(path, dataset, syntax=JPEG_LOSSLESS)


def halves(stream: bytes) -> list[bytes]:
    middle = len(stream) // 4 * 2
    return [stream[:middle], stream[middle:]]


def frames_of(path: Path) -> np.ndarray:
    return np.stack([load_frame(source).values for source in sources_of(path)])


def test_a_fragment_a_frame_needs_no_table(tmp_path: Path) -> None:
    assert np.array_equal(frames_of(clip(tmp_path / "a.dcm", items(b"", *STREAMS))), PIXELS)


def test_a_basic_offset_table_joins_the_fragments_of_a_frame(tmp_path: Path) -> None:
    encapsulated = encapsulate(STREAMS, fragments_per_frame=3, has_bot=True)
    assert np.array_equal(frames_of(clip(tmp_path / "a.dcm", encapsulated)), PIXELS)


def test_an_extended_offset_table_joins_the_fragments_of_a_frame(tmp_path: Path) -> None:
    parts = [half for stream in STREAMS for half in halves(stream)]
    encapsulated = items(b"", *parts)
    offsets, position = [], 0
    for stream in STREAMS:
        offsets.append(position)
        position += len(items(*halves(stream)))
    table = struct.pack(f"<{FRAMES}Q", *offsets)
    path = clip(tmp_path / "a.dcm", encapsulated, ExtendedOffsetTable=table, ExtendedOffsetTableLengths=table)
    assert np.array_equal(frames_of(path), PIXELS)


def test_pydicoms_extended_tables_are_read(tmp_path: Path) -> None:
    encapsulated, offsets, lengths = encapsulate_extended(STREAMS)
    path = clip(tmp_path / "a.dcm", encapsulated, ExtendedOffsetTable=offsets, ExtendedOffsetTableLengths=lengths)
    assert np.array_equal(frames_of(path), PIXELS)


@pytest.mark.parametrize(
    "table", [b"", struct.pack("<4I", 0, 5, 9, 12), struct.pack("<4I", 0, 0, 0, 0), b"\xff" * 16, b"\1"]
)
def test_without_a_sound_table_a_frame_begins_where_a_codestream_does(table: bytes, tmp_path: Path) -> None:
    encapsulated = items(table, *(half for stream in STREAMS for half in halves(stream)))
    assert np.array_equal(frames_of(clip(tmp_path / "a.dcm", encapsulated)), PIXELS)


def test_all_fragments_of_a_single_frame_belong_to_it(tmp_path: Path) -> None:
    parts = [STREAMS[0][start : start + 100] for start in range(0, len(STREAMS[0]), 100)]
    path = clip(tmp_path / "a.dcm", items(b"", *parts), frames=1)
    assert np.array_equal(frames_of(path)[0], PIXELS[0])


def test_one_frame_is_read_alone(tmp_path: Path) -> None:
    source = sources_of(clip(tmp_path / "a.dcm", items(b"", *STREAMS)))[2]
    assert read_encoded(source).rstrip(b"\0") == STREAMS[2].rstrip(b"\0")


def test_fewer_frames_than_claimed_come_with_a_warning(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.dcm", items(b"", *STREAMS[:2]))
    parsed = read_instance(path)
    assert parsed.number_of_frames == 2
    assert parsed.warnings == ["the file claims 4 frames and holds 2"]


def test_more_frames_than_claimed_come_with_a_warning(tmp_path: Path) -> None:
    parsed = read_instance(clip(tmp_path / "a.dcm", items(b"", *STREAMS), frames=3))
    assert parsed.number_of_frames == 3
    assert parsed.warnings == ["the file holds 4 frames and claims 3"]


@pytest.mark.parametrize("encapsulated", [items(b""), items(b"", b"", b"")])
def test_encapsulated_nothing_is_refused(encapsulated: bytes, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no whole frame"):
        read_instance(clip(tmp_path / "a.dcm", encapsulated))


def test_compressed_pixels_outside_fragments_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", image_dataset(PIXELS[0]))
    content = path.read_bytes()
    native = b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0"
    compressed = b"\x02\x00\x10\x00UI\x16\x001.2.840.10008.1.2.4.70"
    assert native in content
    path.write_bytes(content.replace(native, compressed))
    with pytest.raises(Refused, match="not in fragments"):
        read_instance(path)


def test_an_rle_frame_in_pieces_is_joined(shared_data: Path) -> None:
    source = sources_of(shared_data / "syntax_other" / "CT1_RLE_FRAGS.dcm")[0]
    assert len(source.places) > 1
    assert load_frame(source).values.min() == -2000
