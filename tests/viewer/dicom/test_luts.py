"""Lookup tables: descriptors, packing, signs, segments."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.pixels.processing import _expand_segmented_lut

from tests.viewer.dicom.making import image_dataset, image_file, item, sources_of, write
from viewer.dicom.errors import Refused
from viewer.dicom.luts import pack_lut, unpack_lut
from viewer.dicom.read import read_instance
from viewer.rendering.volume import LookupTable

COLOURS = ("Red", "Green", "Blue")


def palette_file(
    path: Path, descriptor: list[int], tables: list[bytes], *, segmented: bool = False, **more: object
) -> Path:
    dataset = image_dataset(np.zeros((4, 4), dtype=np.uint8), PhotometricInterpretation="PALETTE COLOR", **more)
    for colour, table in zip(COLOURS, tables, strict=True):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", descriptor)
        setattr(dataset, f"{'Segmented' if segmented else ''}{colour}PaletteColorLookupTableData", table)
    return write(path, dataset)


def test_a_table_survives_the_index() -> None:
    table = LookupTable(-5, np.arange(300, dtype=np.uint16), 12, "soft")
    again = unpack_lut(pack_lut(table))
    assert (again.first_value_mapped, again.bits, again.explanation) == (-5, 12, "soft")
    assert np.array_equal(again.data, table.data)


def test_palettes_of_shared_files_equal_those_pydicom_reads(shared_data: Path) -> None:
    for name in (
        "colour/TestPattern_Palette_16.dcm",
        "cine/US_palette_10f_rle.dcm",
        "colour/OT-PAL-8-face_nopreamble.dcm",
    ):
        palette = sources_of(shared_data / name)[0].description().palette
        assert palette is not None
        dataset = pydicom.dcmread(shared_data / name, force=True)
        for colour, table in zip(COLOURS, (palette.red, palette.green, palette.blue), strict=True):
            count, first, _bits = dataset[f"{colour}PaletteColorLookupTableDescriptor"].value
            raw = dataset[f"{colour}PaletteColorLookupTableData"].value
            assert table.first_value_mapped == first
            assert len(table.data) == count
            words = np.frombuffer(raw, dtype="<u2")[:count] if len(raw) >= 2 * count else np.frombuffer(raw, dtype="u1")
            assert np.array_equal(table.data, words[:count])


def test_entries_of_eight_bits_may_be_packed_two_to_a_word(tmp_path: Path) -> None:
    packed = bytes(range(0, 200, 2))
    palette = sources_of(palette_file(tmp_path / "a.dcm", [100, 0, 8], [packed] * 3))[0].description().palette
    assert palette is not None
    assert palette.green.data.tolist() == list(packed)
    assert palette.green.bits == 8


def test_zero_entries_stand_for_all_of_16_bits(tmp_path: Path) -> None:
    words = np.arange(65536, dtype="<u2").tobytes()
    palette = sources_of(palette_file(tmp_path / "a.dcm", [0, 0, 16], [words] * 3))[0].description().palette
    assert palette is not None
    assert len(palette.red.data) == 65536


def test_a_palette_that_claims_16_bits_and_holds_8_is_not_shown_black(tmp_path: Path) -> None:
    words = np.arange(256, dtype="<u2").tobytes()
    parsed = read_instance(palette_file(tmp_path / "a.dcm", [256, 0, 16], [words] * 3))
    assert any("claims 16 bits" in warning for warning in parsed.warnings)
    assert parsed.index["palette"][0]["bits"] == 8


@pytest.mark.parametrize(
    ("words", "expanded"),
    [
        ([0, 3, 10, 20, 30], [10, 20, 30]),
        ([0, 1, 0, 1, 4, 100], [0, 25, 50, 75, 100]),
        ([0, 2, 5, 6, 1, 2, 0, 2, 2, 0, 0], [5, 6, 3, 0, 5, 6, 3, 0]),
    ],
)
def test_segmented_palettes_are_expanded(words: list[int], expanded: list[int], tmp_path: Path) -> None:
    """Discrete, linear and indirect segments; the last example copies the first two segments."""
    raw = struct.pack(f"<{len(words)}H", *words)
    path = palette_file(tmp_path / "a.dcm", [len(expanded), 0, 16], [raw] * 3, segmented=True)
    palette = sources_of(path)[0].description().palette
    assert palette is not None
    assert palette.blue.data.tolist() == expanded
    assert expanded == _expand_segmented_lut(tuple(words), "H")


def test_segmented_palettes_never_grow_past_their_descriptor(tmp_path: Path) -> None:
    words = [0, 1, 7] + [1, 65535, 9] * 50
    raw = struct.pack(f"<{len(words)}H", *words)
    palette = (
        sources_of(palette_file(tmp_path / "a.dcm", [16, 0, 16], [raw] * 3, segmented=True))[0].description().palette
    )
    assert palette is not None
    assert len(palette.red.data) == 16


def test_a_palette_image_without_palette_is_refused(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm", np.zeros((4, 4), dtype=np.uint8), PhotometricInterpretation="PALETTE COLOR")
    with pytest.raises(Refused, match="palette"):
        read_instance(path)


def lut_item(first: int, entries: list[int], vr: str = "SS") -> pydicom.Dataset:
    made = item({"LUTExplanation": "made"})
    made.add_new("LUTDescriptor", vr, [len(entries), first, 12])
    made.add_new("LUTData", "US", entries)
    return made


def test_explanations_are_in_the_character_set_of_the_image(tmp_path: Path) -> None:
    lut = lut_item(0, [0, 1], "US")
    lut.LUTExplanation = "мягкие ткани"
    path = image_file(tmp_path / "a.dcm", SpecificCharacterSet="ISO_IR 144", VOILUTSequence=[lut])
    assert sources_of(path)[0].description().voi_luts[0].explanation == "мягкие ткани"


def test_modality_and_voi_luts_are_described(tmp_path: Path) -> None:
    modality = lut_item(-3, [5, 6, 7, 4000])
    modality.ModalityLUTType = "HU"
    path = image_file(
        tmp_path / "a.dcm",
        np.zeros((4, 4), dtype=np.int16),
        ModalityLUTSequence=[modality],
        VOILUTSequence=[lut_item(5, [0, 4095], "US"), lut_item(6, [9, 8], "US")],
    )
    description = sources_of(path)[0].description()
    assert description.modality_lut is not None
    assert description.modality_lut.first_value_mapped == -3
    assert description.modality_lut.data.tolist() == [5, 6, 7, 4000]
    assert description.unit == "HU"
    assert [(lut.first_value_mapped, lut.data.tolist(), lut.explanation) for lut in description.voi_luts] == [
        (5, [0, 4095], "made"),
        (6, [9, 8], "made"),
    ]


@pytest.mark.parametrize(("signed", "first"), [(0, 65000), (1, 65000 - 65536)])
def test_a_first_value_past_32767_is_negative_only_where_pixels_can_be(signed: int, first: int, tmp_path: Path) -> None:
    pixels = np.zeros((4, 4), dtype=np.int16 if signed else np.uint16)
    path = image_file(tmp_path / "a.dcm", pixels, VOILUTSequence=[lut_item(65000, [1, 2], "US")])
    assert sources_of(path)[0].description().voi_luts[0].first_value_mapped == first


def test_luts_of_shared_files(shared_data: Path) -> None:
    modality = sources_of(shared_data / "windows" / "mlut_18.dcm")[0].description().modality_lut
    assert modality is not None
    assert modality.first_value_mapped == -2048
    assert len(modality.data) == 4096
    voi = sources_of(shared_data / "windows" / "vlut_04.dcm")[0].description().voi_luts
    assert len(voi) == 1
    assert len(voi[0].data) == 256
