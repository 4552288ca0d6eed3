"""What a file says of itself, what is taken in, and what is refused before it can do harm."""

from __future__ import annotations

import json
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import CTImageStorage, DeflatedExplicitVRLittleEndian, EncapsulatedPDFStorage

from tests.viewer.dicom.making import image_dataset, image_file, item, sources_of, write
from viewer.dicom.errors import DicomError, NotDicom, Refused
from viewer.dicom.frames import frame_sources
from viewer.dicom.limits import Limits
from viewer.dicom.read import looks_like_dicom, read_instance
from viewer.dicom.series import InstanceFile
from viewer.dicom.stacks import undrawable

PREAMBLE = b"\0" * 128 + b"DICM"


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """One element in explicit VR little endian; `length` may lie."""
    size = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    if vr in ("OB", "OW", "SQ", "UN", "UT"):
        return head + b"\0\0" + struct.pack("<I", size) + value
    return head + struct.pack("<H", size) + value


META = element(0x00020010, "UI", b"1.2.840.10008.1.2.1\0")


def test_identity_and_description(tmp_path: Path) -> None:
    path = image_file(
        tmp_path / "a.dcm",
        SpecificCharacterSet="ISO_IR 192",
        PatientName="Müller^Jürgen",
        IssuerOfPatientID="CLINIC",
        PatientBirthDate="19701231",
        PatientSex="F",
        PatientAge="055Y",
        StudyDate="20240102",
        StudyTime="101112.5",
        AccessionNumber="A1",
        TimezoneOffsetFromUTC="+0100",
        StudyDescription="  CT  Thorax ",
        SeriesNumber=3,
        InstitutionName="Haus",
        ReferringPhysicianName="Arzt^A",
        BodyPartExamined="CHEST",
        ImageLaterality="R",
    )
    parsed = read_instance(path)
    patient, study, series = parsed.patient, parsed.study, parsed.series
    assert (patient.patient_id, patient.issuer_of_patient_id, patient.name) == ("007", "CLINIC", "Müller^Jürgen")
    assert (patient.name_folded, patient.birth_date, patient.sex) == ("muller jurgen", "19701231", "F")
    assert (study.study_instance_uid, study.date, study.time) == ("1.2.3", "20240102", "101112.5")
    assert (study.description, study.description_folded) == ("CT Thorax", "ct thorax")
    assert (study.accession_number, study.timezone_offset, study.patient_age) == ("A1", "+0100", "055Y")
    assert (study.institution, study.referring_physician) == ("Haus", "Arzt^A")
    assert (series.modality, series.number, series.body_part_examined, series.laterality) == ("CT", 3, "CHEST", "R")
    assert (parsed.number_of_frames, parsed.rows, parsed.columns) == (1, 4, 6)
    assert parsed.warnings == []


def test_values_fit_their_columns(tmp_path: Path) -> None:
    dataset = image_dataset(StudyDate="19990231", StudyTime="", TimezoneOffsetFromUTC="MEZ")
    dataset.add_new("PatientName", "UT", "n" * 600)
    dataset.add_new("StudyDescription", "UT", "x" * 600)
    parsed = read_instance(write(tmp_path / "a.dcm", dataset))
    assert (len(parsed.patient.name), len(parsed.study.description)) == (400, 200)
    assert (parsed.study.date, parsed.study.time, parsed.study.timezone_offset) == ("", "", "")
    assert parsed.series.number is None


def test_a_patient_id_that_would_have_to_be_cut_is_refused(tmp_path: Path) -> None:
    """Cut, it could be another person's."""
    dataset = image_dataset()
    dataset.add_new("PatientID", "UT", "9" * 65)
    with pytest.raises(Refused, match="Patient ID"):
        read_instance(write(tmp_path / "a.dcm", dataset))


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID"])
@pytest.mark.parametrize("value", [None, "", "1.2/../../etc"])
def test_an_object_without_identity_is_refused(keyword: str, value: str | None, tmp_path: Path) -> None:
    dataset = image_dataset()
    dataset.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    changed = pydicom.dcmread(tmp_path / "a.dcm")
    if value is None:
        delattr(changed, keyword)
    else:
        changed[keyword]._value = value
    changed.save_as(tmp_path / "b.dcm")
    with pytest.raises(Refused, match="UID"):
        read_instance(tmp_path / "b.dcm")


def test_an_index_is_json_and_small(shared_data: Path) -> None:
    parsed = read_instance(next((shared_data / "series" / "ct_chest_lidc0314_jpegls").iterdir()))
    assert len(json.dumps(parsed.index)) < 1500


def test_a_file_without_preamble_or_meta_information_is_read(shared_data: Path) -> None:
    for name in ("colour/OT-PAL-8-face_nopreamble.dcm", "malformed/ExplVR_BigEndNoMeta.dcm"):
        assert looks_like_dicom(shared_data / name)
        assert any("no transfer syntax" in warning for warning in read_instance(shared_data / name).warnings)


def test_a_dicomdir_is_a_directory_and_its_files_are_read(shared_data: Path) -> None:
    folder = shared_data / "dicomdir"
    files = [path for path in folder.rglob("*") if path.is_file() and looks_like_dicom(path)]
    files = [path for path in files if "TINY_ALPHA" not in path.parts]  # stubs without pixels
    assert len(files) == 38
    for path in files:
        assert read_instance(path).is_directory == path.name.startswith("DICOMDIR"), path.name


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n" + b"\0" * 400, b"DICOM?" * 40, b"\0" * 500])
def test_other_files_are_not_dicom(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert not looks_like_dicom(path)
    with pytest.raises(NotDicom):
        read_instance(path)


def test_objects_without_pixels_are_listed_with_the_reason(shared_data: Path) -> None:
    reasons = {}
    for path in sorted((shared_data / "derived").iterdir()):
        parsed = read_instance(path)
        reason = undrawable(InstanceFile(path, "", parsed.index))
        if reason is not None:
            reasons[path.stem] = reason
            assert parsed.number_of_frames == 0
            assert frame_sources(InstanceFile(path, "", parsed.index)) == []
    assert reasons == {
        "encapsulated_pdf": "PDF document: listed with the objects of the study",
        "gsps_luts": "presentation state: listed with the objects of the study",
        "rtstruct_lctsc": "RT structure set: listed with the objects of the study",
        "sr_basic_text": "structured report: listed with the objects of the study",
        "tid1500_rwvm": "real world value mapping: not shown here",
        "tid1500_sr": "structured report: listed with the objects of the study",
    }


def test_an_image_without_pixels_is_the_front_part_of_one(shared_data: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="without pixel data"):
        read_instance(image_file(tmp_path / "a.dcm", PixelData=None))
    alone = read_instance(shared_data / "charset" / "chrKoreanMulti.dcm")
    assert alone.number_of_frames == 0
    assert any("header alone" in warning for warning in alone.warnings)


@pytest.mark.parametrize(
    "value",
    [
        element(0x00100010, "PN", b"Doe", length=0x7FFE),
        element(0x00081140, "SQ", b"", length=0xFFFFFFFE),
        element(0x00081140, "SQ", b"\xfe\xff\x00\xe0\xff\xff\xff\x7f", length=8),
        element(0x00081140, "SQ", b"", length=0xFFFFFFFF),
        element(0x00091001, "UN", b"", length=0xFFFFFFFF),
        element(0x00091001, "OB", b"", length=0xFFFFFFFF),
        element(0x00091001, "OB", b"", length=0xFFFFFFF0),
        b"\x10\x00\x10\x00??\x04\x00",
        b"\x10\x00\x10",
        b"\x10\x00\x10\x00OB\x00\x00\xff",
    ],
)
def test_lengths_that_lie_are_refused(value: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(PREAMBLE + META + value)
    with pytest.raises(Refused):
        read_instance(path)


@pytest.mark.parametrize("depth", [30, 64, 65, 5000])
@pytest.mark.parametrize("explicit", [True, False])
def test_sequences_nest_to_a_limit_and_never_to_a_crash(depth: int, explicit: bool, tmp_path: Path) -> None:
    opening = (
        element(0x00081140, "SQ", b"", length=0xFFFFFFFF) if explicit else struct.pack("<HHI", 8, 0x1140, 2**32 - 1)
    )
    item_start, item_end = struct.pack("<HHI", 0xFFFE, 0xE000, 2**32 - 1), struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    nested = (opening + item_start) * depth + (item_end + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)) * depth
    meta = META if explicit else element(0x00020010, "UI", b"1.2.840.10008.1.2\0")
    path = tmp_path / "a.dcm"
    path.write_bytes(PREAMBLE + meta + nested)
    with pytest.raises(Refused) as refused:
        read_instance(path)
    assert refused.value.code == ("limit" if depth > 64 else "no_identity")


def test_a_deflated_bomb_is_refused_before_it_takes_memory(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, wbits=-15)
    zeros = bytes(2**20)
    body = packer.compress(element(0x00091001, "OB", b"", length=2**30)) + b"".join(
        packer.compress(zeros) for _ in range(300)
    )
    body += packer.flush()
    path = tmp_path / "bomb.dcm"
    path.write_bytes(PREAMBLE + element(0x00020010, "UI", DeflatedExplicitVRLittleEndian.encode()) + body)
    tracemalloc.start()
    try:
        with pytest.raises(Refused) as refused:
            read_instance(path, Limits(max_inflated_bytes=200 * 2**20))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refused.value.code == "limit"
    assert peak < 160 * 2**20


def test_limits_hold_before_anything_is_allocated(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm", np.zeros((10, 8, 8), dtype=np.uint16))
    for limits in (
        Limits(max_object_bytes=500),
        Limits(max_pixels=63),
        Limits(max_frames=9),
        Limits(max_elements=5),
    ):
        with pytest.raises(Refused) as refused:
            read_instance(path, limits)
        assert refused.value.code == "limit"


def test_a_header_that_claims_gigabytes_takes_none(shared_data: Path) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Refused, match="over the limit"):
            read_instance(shared_data / "malformed" / "oob_monochrome_46341.dcm")
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_fewer_frames_than_claimed_are_shown_with_a_warning(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm", np.zeros((3, 8, 8), dtype=np.uint16), NumberOfFrames=5)
    parsed = read_instance(path)
    assert parsed.number_of_frames == 3
    assert parsed.warnings == ["the file claims 5 frames and holds 3"]
    assert len(sources_of(path)) == 3


def test_pixels_that_do_not_fill_one_frame_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no whole frame"):
        read_instance(image_file(tmp_path / "a.dcm", np.zeros((8, 8), dtype=np.uint16), Rows=9))


def test_what_is_not_drawn_says_why(tmp_path: Path) -> None:
    cases = {
        "H.264 video": ("1.2.840.10008.1.2.4.102", [b"\0\0\0\1" * 10]),
        "transfer syntax 1.2.840.10008.1.2.4.52": ("1.2.840.10008.1.2.4.52", [b"abcd"]),
    }
    for expected, (syntax, fragments) in cases.items():
        path = write(tmp_path / "a.dcm", image_dataset(), syntax=syntax, fragments=fragments)
        parsed = read_instance(path)
        assert str(undrawable(InstanceFile(path, "", parsed.index))).startswith(expected)
        assert sources_of(path, parsed) == []
    path = image_file(tmp_path / "b.dcm", PhotometricInterpretation="HSV")
    assert "HSV" in str(undrawable(InstanceFile(path, "", read_instance(path).index)))


def test_zeros_behind_the_pixels_are_no_reason_to_refuse(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm")
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0" * 300)
    assert read_instance(path).warnings == []
    path.write_bytes(whole + b"rubbish, no DICOM")
    assert any("left out" in warning for warning in read_instance(path).warnings)
    path.write_bytes(whole + element(0xFFFCFFFC, "OB", b"\0" * 100, length=2000))
    with pytest.raises(Refused):
        read_instance(path)


def test_a_data_set_that_is_not_encoded_as_it_says_is_read_as_it_is(tmp_path: Path) -> None:
    implicit = write(tmp_path / "a.dcm", image_dataset(np.ones((4, 4), dtype=np.uint16)), syntax="1.2.840.10008.1.2")
    content = implicit.read_bytes().replace(b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2.1\0")
    content = content.replace(b"\x02\x00\x10\x00UI\x12\x00", b"\x02\x00\x10\x00UI\x14\x00")
    implicit.write_bytes(content)
    parsed = read_instance(implicit)
    assert parsed.transfer_syntax_uid == "1.2.840.10008.1.2"
    assert parsed.number_of_frames == 1
    assert any("not encoded" in warning for warning in parsed.warnings)


def test_items_in_the_other_vr_encoding_are_read(tmp_path: Path) -> None:
    """Sequences that were carried as UN, rightly implicit or wrongly explicit inside, and copies of implicit ones."""
    implicit = struct.pack("<HHI", 0x0028, 0x3006, 4) + b"\1\0\2\0"
    explicit = element(0x00283006, "US", b"\1\0\2\0")
    for vr, content in (("UN", implicit), ("UN", explicit), ("SQ", implicit), ("SQ", explicit)):
        descriptor = (
            struct.pack("<HHIHHH", 0x0028, 0x3002, 6, 2, 0, 16)
            if content is implicit
            else element(0x00283002, "US", struct.pack("<HHH", 2, 0, 16))
        )
        body = struct.pack("<HHI", 0xFFFE, 0xE000, len(descriptor + content)) + descriptor + content
        delimiter = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
        sequence = element(0x00283010, vr, body + delimiter, length=0xFFFFFFFF)
        path = image_file(tmp_path / "a.dcm")
        pixels = b"\xe0\x7f\x10\x00"
        path.write_bytes(path.read_bytes().replace(pixels, sequence + pixels))
        assert sources_of(path)[0].description().voi_luts[0].data.tolist() == [1, 2], vr


def test_a_value_representation_younger_than_this_program_is_passed_over(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm")
    young = element(0x00291001, "UN", b"1234").replace(b"UN", b"ZZ")
    pixels = b"\xe0\x7f\x10\x00"
    path.write_bytes(path.read_bytes().replace(pixels, young + pixels))
    assert read_instance(path).number_of_frames == 1


def test_a_pdf_is_an_object_without_frames(tmp_path: Path) -> None:
    dataset = image_dataset(SOPClassUID=EncapsulatedPDFStorage, PixelData=None)
    dataset.EncapsulatedDocument = b"%PDF"
    assert read_instance(write(tmp_path / "a.dcm", dataset)).number_of_frames == 0


def test_icons_are_not_taken_for_the_picture(tmp_path: Path) -> None:
    icon = item({"Rows": 1, "Columns": 1, "BitsAllocated": 8, "PixelData": b"\1\2"})
    icon["PixelData"].VR = "OB"
    path = image_file(tmp_path / "a.dcm", np.full((4, 4), 9, dtype=np.uint16), IconImageSequence=[icon])
    assert read_instance(path).rows == 4


def test_errors_cross_processes() -> None:
    import pickle

    again = pickle.loads(pickle.dumps(Refused("why", "cut")))
    assert (type(again), again.reason, again.code, str(again)) == (Refused, "why", "cut", "why")
    assert isinstance(again, DicomError)


def test_items_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    items = [item({"ReferencedSOPInstanceUID": "1.2.3", "ReferencedSOPClassUID": CTImageStorage}) for _ in range(300)]
    path = image_file(tmp_path / "a.dcm", ReferencedImageSequence=items)
    assert read_instance(path, Limits(max_items=10)).number_of_frames == 1
    path = image_file(tmp_path / "b.dcm", PerFrameFunctionalGroupsSequence=items)
    with pytest.raises(Refused, match="items"):
        read_instance(path, Limits(max_items=10))
    with pytest.raises(Refused, match="elements"):
        read_instance(path, Limits(max_elements=300))
