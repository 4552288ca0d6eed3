"""Files as they leave: judged by pydicom's and DCMTK's reading of what was stored and of what was written."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from tests.viewer.objects.validator import needs_validator
from viewer.dicom.changes import Changes, Original
from viewer.dicom.errors import CannotDecode, DicomError
from viewer.dicom.read import read_instance
from viewer.dicom.rewriting import (
    IMPLEMENTATION_CLASS_UID,
    NativePixels,
    dataset_of,
    length_as_stored,
    range_as_stored,
    rewritten,
    web_syntax,
)

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR", "ignore:The value length", "ignore:A value")
DCMTK = Path("/usr/bin")
MOVED = Changes(
    {"PatientName": "Right^Person", "PatientID": "R-1"},
    (Original("20240102030405", "FARVIEW", "CORRECT", "Ward 3", {"PatientName": "Wrong^Person", "PatientID": "W-1"}),),
)


def taken_in(folder: Path) -> Iterator[tuple[Path, str]]:
    """(file, transfer syntax) of every real file that the archive takes in; of large series the first three."""
    seen: dict[Path, int] = {}
    for path in sorted(folder.rglob("*")):
        seen[path.parent] = seen.get(path.parent, 0) + path.is_file()
        if not path.is_file() or ("series" in path.parts and seen[path.parent] > 3):
            continue
        try:
            parsed = read_instance(path)
        except DicomError:
            continue
        if not parsed.is_directory:
            yield path, parsed.transfer_syntax_uid


def read(pieces: Iterator[bytes]) -> Dataset:
    return pydicom.dcmread(io.BytesIO(b"".join(pieces)))


def difference(one: Dataset, other: Dataset, where: str = "") -> str | None:
    """Where two data sets differ in what they say; group lengths say nothing."""
    left, right = ([element.tag for element in dataset if element.tag.element] for dataset in (one, other))
    if left != right:
        return f"{where}: {set(left) ^ set(right)}"
    for tag in left:
        a, b = one[tag], other[tag]
        if isinstance(a.value, Sequence) and isinstance(b.value, Sequence):
            found = None if len(a.value) == len(b.value) else f"{where}{tag}: number of items"
            for x, y in zip(a.value, b.value, strict=False):
                found = found or difference(x, y, f"{where}{tag}/")
            if found:
                return found
        elif tag != 0x7FE00010 and a.value != b.value and not _un_of_big_endian(one, tag):
            return f"{where}{tag}: {a.VR} {b.VR}"
    return None


def _un_of_big_endian(dataset: Dataset, tag: int) -> bool:
    """A value of VR UN is little endian in every transfer syntax (PS3.5 6.2.2 note 2); pydicom reads it as the rest."""
    return bool(dataset[tag].tag.is_private and dataset.original_encoding[1] is False)


def test_every_real_file_says_the_same_when_it_leaves_over_the_web(shared_data: Path) -> None:
    counted = 0
    for path, syntax in taken_in(shared_data):
        stored, left = pydicom.dcmread(path, force=True), read(rewritten(path, transfer_syntax_uid=web_syntax(syntax)))
        assert left.file_meta.TransferSyntaxUID == web_syntax(syntax), path
        assert left.preamble == bytes(128), path
        assert difference(stored, left) is None, path
        counted += 1
    assert counted > 100


def test_pixels_of_every_file_that_is_written_again_are_the_stored_ones(shared_data: Path) -> None:
    counted = 0
    for path, syntax in taken_in(shared_data):
        if web_syntax(syntax) == syntax or "PixelData" not in (stored := pydicom.dcmread(path, force=True)):
            continue
        stored.file_meta.TransferSyntaxUID = syntax  # one has no meta information
        left = read(rewritten(path, transfer_syntax_uid=ExplicitVRLittleEndian))
        assert np.array_equal(stored.pixel_array, left.pixel_array), path
        counted += 1
    assert counted > 8


def test_what_needs_no_other_encoding_leaves_byte_for_byte_but_for_its_preamble(shared_data: Path) -> None:
    counted = 0
    for path, syntax in taken_in(shared_data):
        raw = path.read_bytes()
        if raw[128:132] != b"DICM" or web_syntax(syntax) != syntax:
            continue
        named = pydicom.dcmread(path, stop_before_pixels=True).file_meta.get("TransferSyntaxUID")
        if named == syntax:
            left = b"".join(rewritten(path))
            assert left == bytes(128) + raw[128:], path
            assert length_as_stored(path) == len(left)
            for first, length in ((0, 1), (100, 100), (128, 4), (len(left) - 1, 1), (3, len(left) - 3)):
                assert b"".join(range_as_stored(path, first, length)) == left[first : first + length]
            counted += 1
    assert counted > 80


def test_dcmtk_finds_the_same_in_both(shared_data: Path, tmp_path: Path) -> None:
    """dcmconv writes the stored file in Explicit VR Little Endian, too: both dumps are equal but for what is ours."""
    counted = 0
    for path, syntax in taken_in(shared_data):
        if web_syntax(syntax) == syntax:
            continue
        ours, theirs = tmp_path / "ours.dcm", tmp_path / "theirs.dcm"
        ours.write_bytes(b"".join(rewritten(path, transfer_syntax_uid=ExplicitVRLittleEndian)))
        subprocess.run([DCMTK / "dcmconv", "-q", "+te", str(path), str(theirs)], check=True, capture_output=True)
        assert dumped(ours) == dumped(theirs), path
        counted += 1
    assert counted > 8


def dumped(path: Path) -> list[str]:
    """Tag, value representation and value of each public element of the data set; who knows which private ones differs."""
    text = subprocess.run(
        [DCMTK / "dcmdump", "-q", "+L", "-Un", "-E", "-dc", str(path)], check=True, capture_output=True
    ).stdout.decode("latin_1")
    lines = [
        line.split("#")[0].split("(Sequence with")[0] for line in text.splitlines() if line.strip().startswith("(")
    ]
    lines = [re.sub(r" *\] *$|\[ *\]|\(no value available\)", "", line).rstrip("[ ") for line in lines]
    public = [line for line in lines if int(line.strip()[4], 16) % 2 == 0]
    return [line for line in public if not line.startswith("(0002,") and ",0000)" not in line and "(fffe," not in line]


@pytest.fixture
def object_in(tmp_path: Path) -> Any:
    """A small object with everything that is hard, in a transfer syntax of choice."""

    def make(
        syntax: str, *, bits: int = 16, charset: str | list[str] = "ISO_IR 100", name: str = "Müller^Jörg"
    ) -> Path:
        dataset = Dataset()
        dataset.SpecificCharacterSet = charset
        dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.4"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.1"
        dataset.PatientName, dataset.PatientID = name, "P"
        dataset.add_new(0x00090010, "LO", "GEMS_IDEN_01")
        dataset.add_new(0x00091027, "SL", -5)
        dataset.add_new(0x000910F0, "UN", b"\1\2\3\4")
        dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 2, 3, 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
        dataset.PixelRepresentation = 1
        dataset.add_new(0x00280106, "SS", -7)
        dataset.add_new(0x00280120, "SS", -2000)
        dataset.FrameIncrementPointer = [0x00181063, 0x00181065]
        icon = Dataset()
        icon.Rows, icon.Columns, icon.SamplesPerPixel, icon.PhotometricInterpretation = 2, 2, 1, "MONOCHROME2"
        icon.BitsAllocated, icon.BitsStored, icon.HighBit, icon.PixelRepresentation = 8, 8, 7, 0
        icon.add_new(0x00280106, "US", 65535)
        icon.add_new(0x7FE00010, "OW", b"\1\2\3\4")
        dataset.IconImageSequence = [icon]
        inner, outer = Dataset(), Dataset()
        inner.CodeMeaning, inner.ReferencedFrameNumber = "grün", [1, 2]
        inner.FloatingPointValue = [1.5, -2.25]
        outer.ConceptCodeSequence = [inner, Dataset()]
        dataset.ContentSequence = [outer]
        order = ">" if syntax == ExplicitVRBigEndian else "<"
        values = np.arange(-3, 3).astype(f"{order}i{bits // 8}")
        dataset.add_new(0x7FE00010, "OW", values.tobytes())
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.file_meta.SourceApplicationEntityTitle = "SCANNER"
        path = tmp_path / f"{syntax}-{bits}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        return path

    return make


UNCOMPRESSED = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]


@pytest.mark.parametrize("target", UNCOMPRESSED[:3])
@pytest.mark.parametrize("source", UNCOMPRESSED)
def test_an_uncompressed_object_says_the_same_in_every_uncompressed_encoding(
    object_in: Any, source: str, target: str
) -> None:
    for bits in (16, 32):
        path = object_in(source, bits=bits)
        stored, left = pydicom.dcmread(path), read(rewritten(path, transfer_syntax_uid=target))
        assert left.file_meta.TransferSyntaxUID == target
        assert difference(stored, left) is None
        assert stored.pixel_array.tolist() == left.pixel_array.tolist() == [[-3, -2, -1], [0, 1, 2]]
        if source != ImplicitVRLittleEndian or target != ImplicitVRLittleEndian:
            assert left[0x00280120].value == -2000
            assert left.IconImageSequence[0][0x00280106].value == 65535


def test_the_meta_information_names_us_and_keeps_who_sent_it(object_in: Any) -> None:
    left = read(rewritten(object_in(ImplicitVRLittleEndian), transfer_syntax_uid=ExplicitVRLittleEndian)).file_meta
    assert left.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert left.SourceApplicationEntityTitle == "SCANNER"
    assert (left.MediaStorageSOPInstanceUID, left.MediaStorageSOPClassUID) == ("1.2.3.4", "1.2.840.10008.5.1.4.1.1.7")


@pytest.mark.parametrize("syntax", UNCOMPRESSED)
def test_corrections_leave_with_the_original_attributes_in_the_stored_encoding(object_in: Any, syntax: str) -> None:
    path = object_in(syntax)
    stored = pydicom.dcmread(path)
    left = read(rewritten(path, changes=MOVED))
    assert left.file_meta.TransferSyntaxUID == syntax
    assert (str(left.PatientName), left.PatientID) == ("Right^Person", "R-1")
    original = left.OriginalAttributesSequence[0]
    assert original.ModifyingSystem == "FARVIEW"
    assert original.ReasonForTheAttributeModification == "CORRECT"
    assert original.SourceOfPreviousValues == "Ward 3"
    assert original.AttributeModificationDateTime == "20240102030405"
    assert str(original.ModifiedAttributesSequence[0].PatientName) == "Wrong^Person"
    del left.OriginalAttributesSequence, left.PatientName, left.PatientID, stored.PatientName, stored.PatientID
    assert difference(stored, left) is None
    assert left.PixelData == stored.PixelData


def test_corrections_of_corrections_stand_behind_the_earlier_ones(object_in: Any, tmp_path: Path) -> None:
    once = tmp_path / "once.dcm"
    once.write_bytes(b"".join(rewritten(object_in(ExplicitVRLittleEndian), changes=MOVED)))
    again = Changes({"PatientID": "R-2"}, (Original("20250101", "FARVIEW", "COERCE", "", {"PatientID": "R-1"}),))
    left = read(rewritten(once, changes=again))
    assert [str(one.ReasonForTheAttributeModification) for one in left.OriginalAttributesSequence] == [
        "CORRECT",
        "COERCE",
    ]
    assert left.PatientID == "R-2"


def test_a_name_that_the_character_set_cannot_say_leaves_in_utf_8_with_all_other_text(object_in: Any) -> None:
    path = object_in(ExplicitVRLittleEndian)
    left = read(rewritten(path, changes=Changes({"PatientName": "山田^太郎"})))
    assert left.SpecificCharacterSet == "ISO_IR 192"
    assert str(left.PatientName) == "山田^太郎"
    assert left.ContentSequence[0].ConceptCodeSequence[0].CodeMeaning == "grün"


def test_a_name_that_the_character_set_can_say_leaves_in_it(object_in: Any) -> None:
    left = read(rewritten(object_in(ExplicitVRLittleEndian), changes=Changes({"PatientName": "Größe^Ärger"})))
    assert (left.SpecificCharacterSet, str(left.PatientName)) == ("ISO_IR 100", "Größe^Ärger")


def test_corrections_of_compressed_objects_leave_their_pixels_byte_for_byte(shared_data: Path) -> None:
    path = shared_data / "cine" / "XA_rubo_96f_jpeg.dcm"
    stored, left = pydicom.dcmread(path), read(rewritten(path, changes=MOVED))
    assert left.PixelData == stored.PixelData
    assert left.file_meta.TransferSyntaxUID == stored.file_meta.TransferSyntaxUID
    assert left.PatientID == "R-1"


def test_the_data_set_alone_says_what_the_file_says(object_in: Any, shared_data: Path) -> None:
    for syntax in UNCOMPRESSED:
        path = object_in(syntax)
        file, alone = read(rewritten(path, changes=MOVED)), dataset_of(path, MOVED)
        del file.PixelData
        assert difference(file, alone) is None
    japanese = Changes({"PatientName": "山田^太郎"})
    assert str(dataset_of(object_in(ExplicitVRLittleEndian), japanese).PatientName) == "山田^太郎"


def test_decoded_pixels_stand_in_place_of_compressed_ones(shared_data: Path) -> None:
    path = shared_data / "cine" / "XA_rubo_96f_jpeg.dcm"
    stored = pydicom.dcmread(path)
    values = stored.pixel_array
    pixels = NativePixels(
        values.nbytes, "OB", {"PhotometricInterpretation": "MONOCHROME2"}, (frame.tobytes() for frame in values)
    )
    left = read(rewritten(path, transfer_syntax_uid=ExplicitVRLittleEndian, pixels=pixels))
    assert np.array_equal(left.pixel_array, values)
    assert left.NumberOfFrames == 96


def test_a_large_deflated_object_with_padding_behind_its_stream_is_inflated_once(
    object_in: Any, tmp_path: Path
) -> None:
    dataset = pydicom.dcmread(object_in(DeflatedExplicitVRLittleEndian))
    dataset.Rows, dataset.Columns, dataset.PixelData = 1000, 500, bytes(1_000_000)
    path = tmp_path / "large.dcm"
    dataset.save_as(path)
    for padding in (b"", b"\0", b"\0\0"):
        with path.open("ab") as file:
            file.write(padding)
        for syntax in (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
            left = read(rewritten(path, transfer_syntax_uid=syntax, changes=MOVED))
            assert (left.PixelData, left.PatientID) == (bytes(1_000_000), "R-1")


def test_a_compressed_object_is_not_called_something_else(shared_data: Path) -> None:
    with pytest.raises(CannotDecode):
        b"".join(rewritten(shared_data / "cine" / "XA_rubo_96f_jpeg.dcm", transfer_syntax_uid=ExplicitVRLittleEndian))


def test_pixels_of_any_size_leave_in_small_pieces(tmp_path: Path, object_in: Any) -> None:
    """A sparse file of 3 GiB in Implicit VR: read from what is mapped, never held."""
    small = object_in(ImplicitVRLittleEndian).read_bytes()
    at = small.rindex((0x7FE0).to_bytes(2, "little") + (0x10).to_bytes(2, "little"))
    path, size = tmp_path / "large.dcm", 3 << 30
    with path.open("wb") as file:
        file.write(small[: at + 4] + size.to_bytes(4, "little"))
        file.truncate(at + 8 + size)
    before = anonymous()
    longest = total = 0
    for piece in rewritten(path, transfer_syntax_uid=ExplicitVRLittleEndian):
        longest, total = max(longest, len(piece)), total + len(piece)
        if total > 1 << 30:
            break
    assert longest < 1 << 20
    assert anonymous() - before < 32 << 20


def anonymous() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


@needs_validator
def test_dciodvfy_finds_no_fault_that_the_stored_file_had_not(shared_data: Path, tmp_path: Path) -> None:
    counted = 0
    for path, syntax in taken_in(shared_data):
        if web_syntax(syntax) == syntax:
            continue
        left = tmp_path / "left.dcm"
        left.write_bytes(b"".join(rewritten(path, transfer_syntax_uid=ExplicitVRLittleEndian, changes=MOVED)))
        assert faults(left) <= faults(path), path
        counted += 1
    assert counted > 8


def faults(path: Path) -> set[str]:
    said = subprocess.run([DCMTK / "dciodvfy", str(path)], check=False, capture_output=True).stderr.decode("latin_1")
    return {line for line in said.splitlines() if line.startswith("Error")}
