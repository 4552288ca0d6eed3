"""References to series that were moved: they leave below the study that the series is in now, judged by DCMTK and dciodvfy."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.objects.test_key_objects import errors_of
from viewer.dicom.changes import Changes, Original
from viewer.dicom.limits import Limits
from viewer.dicom.referring import named_series
from viewer.dicom.rewriting import dataset_of, rewritten
from viewer.dicomweb.json_model import instance_model

AT = "20260101120000.000000+0000"
PARTED = {("1.2.3", "1.2.3.5"): "2.25.7", ("1.2.3", "1.2.3.6"): "1.2.4"}


def series(uid: str, *objects: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPSequence = [referenced(f"{uid}.{one}") for one in objects or "1"]
    item.SeriesInstanceUID = uid
    return item


def referenced(uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", uid
    return item


def of_study(uid: str, *members: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSeriesSequence, item.StudyInstanceUID = list(members), uid
    return item


def stored(folder: Path, syntax: str = ExplicitVRLittleEndian, **said: Any) -> Path:
    return save(ct_slice("1.2.3.9.1", "1.2.3", "1.2.3.9", **said), folder / "object.dcm", syntax)


def left(path: Path, changes: Changes, syntax: str | None = None) -> Dataset:
    """As it leaves; its attributes, and its metadata, are what the file says."""
    whole = b"".join(rewritten(path, transfer_syntax_uid=syntax, changes=changes))
    came = pydicom.dcmread(io.BytesIO(whole))
    alone = pydicom.dcmread(io.BytesIO(whole), stop_before_pixels=True)
    told = dataset_of(path, changes)
    assert told.to_json_dict() == alone.to_json_dict()
    model = instance_model(path, Limits(), str, changes)
    for tag, attribute in alone.to_json_dict().items():
        if attribute["vr"] == "SQ":
            assert model[tag] == attribute
    return came


def named(items: Any) -> list[tuple[str, list[str]]]:
    return [
        (one.StudyInstanceUID, [below.SeriesInstanceUID for below in one.ReferencedSeriesSequence]) for one in items
    ]


SYNTAXES = [ExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
def test_evidence_stands_below_the_study_that_each_series_is_in_now(tmp_path: Path, syntax: str) -> None:
    evidence = of_study("1.2.3", series("1.2.3.4"), series("1.2.3.5", "1", "2"), series("1.2.3.6"))
    held = ct_slice(
        "1.2.3.9.1",
        "1.2.3",
        "1.2.3.9",
        Modality="SR",
        SpecificCharacterSet="ISO_IR 100",
        CurrentRequestedProcedureEvidenceSequence=[evidence, of_study("1.2.4", series("1.2.4.1"))],
        PertinentOtherEvidenceSequence=[of_study("1.2.3", series("1.2.3.5"))],
        IdenticalDocumentsSequence=[of_study("1.2.77", series("1.2.3.5"))],
    )
    path = tmp_path / "object.dcm"
    held.file_meta = pydicom.dataset.FileMetaDataset()
    held.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(path, held, enforce_file_format=True)
    assert named_series(path) == {
        *PARTED,
        ("1.2.3", "1.2.3.4"),
        ("1.2.4", "1.2.4.1"),
        ("1.2.77", "1.2.3.5"),
    }
    came = left(path, Changes(moved=PARTED, moved_at=AT))
    assert named(came.CurrentRequestedProcedureEvidenceSequence) == [
        ("1.2.3", ["1.2.3.4"]),
        ("1.2.4", ["1.2.4.1", "1.2.3.6"]),
        ("2.25.7", ["1.2.3.5"]),
    ]
    moved = came.CurrentRequestedProcedureEvidenceSequence[2].ReferencedSeriesSequence[0]
    assert [one.ReferencedSOPInstanceUID for one in moved.ReferencedSOPSequence] == ["1.2.3.5.1", "1.2.3.5.2"]
    assert named(came.PertinentOtherEvidenceSequence) == [("2.25.7", ["1.2.3.5"])]
    assert named(came.IdenticalDocumentsSequence) == [("1.2.77", ["1.2.3.5"])], "it was never in that study"
    (original,) = came.OriginalAttributesSequence
    assert (original.AttributeModificationDateTime, original.ModifyingSystem) == (AT, "FARVIEW")
    (before,) = original.ModifiedAttributesSequence
    assert named(before.CurrentRequestedProcedureEvidenceSequence) == [
        ("1.2.3", ["1.2.3.4", "1.2.3.5", "1.2.3.6"]),
        ("1.2.4", ["1.2.4.1"]),
    ]
    assert "IdenticalDocumentsSequence" not in before
    assert came.PixelData == bytes(32)


def test_a_series_of_another_study_is_no_longer_named_as_one_of_the_objects_own(tmp_path: Path) -> None:
    path = stored(
        tmp_path,
        Modality="SEG",
        ReferencedSeriesSequence=[series("1.2.3.4"), series("1.2.3.5")],
        StudiesContainingOtherReferencedInstancesSequence=[of_study("1.2.4", series("1.2.4.1"))],
    )
    came = left(path, Changes(moved={("1.2.3", "1.2.3.5"): "1.2.4"}, moved_at=AT))
    assert [one.SeriesInstanceUID for one in came.ReferencedSeriesSequence] == ["1.2.3.4"]
    assert named(came.StudiesContainingOtherReferencedInstancesSequence) == [("1.2.4", ["1.2.4.1", "1.2.3.5"])]
    itself = Changes(
        {"StudyInstanceUID": "1.2.4"}, (Original(AT, "FARVIEW", "CORRECT", "", {"StudyInstanceUID": "1.2.3"}),)
    )
    came = left(path, itself)
    assert [one.SeriesInstanceUID for one in came.ReferencedSeriesSequence] == ["1.2.4.1"]
    assert named(came.StudiesContainingOtherReferencedInstancesSequence) == [("1.2.3", ["1.2.3.4", "1.2.3.5"])]
    both = Changes(itself.attributes, itself.original, {("1.2.3", f"1.2.3.{n}"): "1.2.4" for n in (4, 5)}, AT)
    came = left(path, both)
    assert [one.SeriesInstanceUID for one in came.ReferencedSeriesSequence] == ["1.2.3.4", "1.2.3.5", "1.2.4.1"]
    assert "StudiesContainingOtherReferencedInstancesSequence" not in came
    before = came.OriginalAttributesSequence[-1].ModifiedAttributesSequence[0]
    assert named(before.StudiesContainingOtherReferencedInstancesSequence) == [("1.2.4", ["1.2.4.1"])]


def test_a_presentation_state_names_its_series_as_before(tmp_path: Path) -> None:
    path = stored(tmp_path, Modality="PR", ReferencedSeriesSequence=[series("1.2.3.5")])
    came = left(path, Changes(moved=PARTED, moved_at=AT))
    assert [one.SeriesInstanceUID for one in came.ReferencedSeriesSequence] == ["1.2.3.5"]
    assert "OriginalAttributesSequence" not in came


def test_what_an_object_says_of_its_own_request_follows_its_study(tmp_path: Path) -> None:
    request = Dataset()
    request.AccessionNumber, request.RequestedProcedureID, request.StudyInstanceUID = "A1", "R1", "1.2.3"
    request.ReferencedStudySequence = [referenced("1.2.3")]
    other = Dataset()
    other.AccessionNumber = "A8"
    path = stored(
        tmp_path,
        RequestAttributesSequence=[request, other],
        ReferencedStudySequence=[referenced("1.2.3"), referenced("1.2.88")],
    )
    changes = Changes(
        {"AccessionNumber": "A2", "StudyInstanceUID": "2.25.7"},
        (Original(AT, "FARVIEW", "CORRECT", "", {"AccessionNumber": "A1", "StudyInstanceUID": "1.2.3"}),),
    )
    came = left(path, changes)
    first, second = came.RequestAttributesSequence
    assert (first.AccessionNumber, first.StudyInstanceUID, first.RequestedProcedureID) == ("A2", "2.25.7", "R1")
    assert first.ReferencedStudySequence[0].ReferencedSOPInstanceUID == "2.25.7"
    assert second.AccessionNumber == "A8"
    assert [one.ReferencedSOPInstanceUID for one in came.ReferencedStudySequence] == ["2.25.7", "1.2.88"]
    before = came.OriginalAttributesSequence[-1].ModifiedAttributesSequence[0]
    assert before.RequestAttributesSequence[0].AccessionNumber == "A1"


REAL = [
    "tid1500_sr.dcm",
    "sr_basic_text.dcm",
    "seg_liver.dcm",
    "tid1500_seg.dcm",
    "tid1500_rwvm.dcm",
    "rtstruct_lctsc.dcm",
]


@pytest.mark.parametrize("name", REAL)
def test_real_objects_leave_whole_and_valid_with_their_references_renamed(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    path = shared_data / "derived" / name
    there = named_series(path)
    assert there
    changes = Changes(moved=dict.fromkeys(there, "2.25.99999"), moved_at=AT)
    out = tmp_path / name
    out.write_bytes(b"".join(rewritten(path, changes=changes)))
    assert {study for study, _ in named_series(out)} == {"2.25.99999"}
    assert {one for _, one in named_series(out)} == {one for _, one in there}
    dump = subprocess.run(["/usr/bin/dcmdump", "-q", str(out)], capture_output=True, text=True, timeout=60, check=True)
    assert "2.25.99999" in dump.stdout
    assert dump.stderr == ""
    faults = [{line.split(" - ")[0] for line in errors_of(one)} for one in (path, out)]
    assert faults[1] <= faults[0]
