"""DICOMDIR files of every kind of real object, as pydicom and DCMTK read them; types of records are those of PS3.3 F.4."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from viewer.dicom.directory import Directory, kind_of
from viewer.dicom.rewriting import dataset_of

STORAGE = "1.2.840.10008.5.1.4.1.1."
KINDS = {
    "2": "IMAGE",
    "1.1": "IMAGE",
    "7": "IMAGE",
    "66.4": "IMAGE",
    "77.1.4.1": "IMAGE",
    "88.11": "SR DOCUMENT",
    "88.67": "SR DOCUMENT",
    "88.59": "KEY OBJECT DOC",
    "11.1": "PRESENTATION",
    "104.1": "ENCAP DOC",
    "481.2": "RT DOSE",
    "481.3": "RT STRUCTURE SET",
    "481.5": "RT PLAN",
    "9.1.1": "WAVEFORM",
    "66": "RAW DATA",
    "66.1": "REGISTRATION",
    "67": "VALUE MAP",
}


@pytest.mark.parametrize(("sop_class", "kind"), KINDS.items())
def test_each_class_has_the_record_of_the_standard(sop_class: str, kind: str) -> None:
    assert kind_of(STORAGE + sop_class) == kind


def written(directory: Directory, path: Path) -> list[Dataset]:
    """Its records; DCMTK must have nothing to say about it."""
    path.write_bytes(b"".join(directory.encoded("1.2.3")))
    shown = subprocess.run(["/usr/bin/dcmdump", path], capture_output=True, text=True, errors="replace", check=True)
    assert shown.stderr == ""
    return list(pydicom.dcmread(path).DirectoryRecordSequence)


def chain(records: list[Dataset], offset: int) -> list[Dataset]:
    """Records beside each other, by their offsets."""
    found = []
    while offset:
        (one,) = [record for record in records if record.seq_item_tell == offset]
        found.append(one)
        offset = one.OffsetOfTheNextDirectoryRecord
    return found


def test_real_objects_of_every_kind_are_listed_and_found_by_their_offsets(shared_data: Path, tmp_path: Path) -> None:
    for folder in ("charset", "derived", "colour", "enhanced", "cine", "xray"):
        directory, uids = Directory(), set()
        for number, path in enumerate(sorted(one for one in (shared_data / folder).rglob("*.dcm"))[:6]):
            dataset = dataset_of(path)
            sop_class = str(dataset.SOPClassUID)
            directory.add(dataset, ("DICOM", "SE000001", f"IM{number:06d}"), sop_class, "1.2.840.10008.1.2.1")
            uids.add(str(dataset.SOPInstanceUID))
        records = written(directory, tmp_path / "DICOMDIR")
        root = pydicom.dcmread(tmp_path / "DICOMDIR")
        (patient,) = chain(records, root.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity)
        (study,) = chain(records, patient.OffsetOfReferencedLowerLevelDirectoryEntity)
        listed = {
            str(one.ReferencedSOPInstanceUIDInFile)
            for series in chain(records, study.OffsetOfReferencedLowerLevelDirectoryEntity)
            for one in chain(records, series.OffsetOfReferencedLowerLevelDirectoryEntity)
        }
        assert listed == uids
        assert uids


def test_an_object_that_says_nothing_of_itself_is_listed_all_the_same(tmp_path: Path) -> None:
    directory = Directory()
    directory.add(Dataset(), ("DICOM", "SE000001", "IM000001"), STORAGE + "2", "1.2.840.10008.1.2.1")
    assert [one.DirectoryRecordType for one in written(directory, tmp_path / "a")] == [
        "PATIENT",
        "STUDY",
        "SERIES",
        "IMAGE",
    ]


def test_one_without_objects_is_empty(tmp_path: Path) -> None:
    assert written(Directory(), tmp_path / "a") == []
