"""An anonymised copy: nothing of the person is in its bytes, and what belongs together still does.

The attributes looked for were copied by hand from PS3.15 table E.1-1 and stand here, apart from the table that is used.
"""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pydicom
import pytest
from django.test import Client
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

from accounts.models import AuditEvent, Organization
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.dicomweb.asking import ask, stored
from viewer.dicom.anonymised import anonymous_copy
from viewer.dicom.anonymising import Anonymiser
from viewer.dicom.changes import AS_STORED
from viewer.models import Study

pytestmark = [
    pytest.mark.usefixtures("store"),
    pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning"),  # of pydicom's FileSet
]

DOOR = "/api/studies/1.2.3/export.zip?anonymised=yes"
SECRETS = {
    "PatientName": "Xylander^Quirin",
    "PatientID": "PID-99817",
    "OtherPatientNames": "Zwiebelbach^Alt",
    "PatientBirthName": "Geburtsname^Q",
    "PatientMotherBirthName": "Muttername^M",
    "PatientBirthDate": "19510203",
    "PatientAddress": "Teststrasse 17b",
    "PatientTelephoneNumbers": "0815-4711",
    "PatientComments": "a sentence on Quirin",
    "AdditionalPatientHistory": "fell from a horse",
    "MilitaryRank": "Oberst",
    "Occupation": "Imker",
    "CurrentPatientLocation": "Ward 7",
    "AccessionNumber": "ACC-556677",
    "StudyID": "SID-4242",
    "StudyDate": "20230517",
    "SeriesDate": "20230518",
    "AcquisitionDate": "20230519",
    "ContentDate": "20230520",
    "AcquisitionDateTime": "20230521101010",
    "StudyDescription": "Descr-of-study",
    "SeriesDescription": "Descr-of-series",
    "ProtocolName": "Proto-88",
    "ImageComments": "Comment-77",
    "ReferringPhysicianName": "Refer^Rudi",
    "PerformingPhysicianName": "Perform^Petra",
    "OperatorsName": "Operate^Olga",
    "NameOfPhysiciansReadingStudy": "Reading^Rita",
    "RequestingPhysician": "Request^Rosa",
    "InstitutionName": "Klinik am Hang",
    "InstitutionAddress": "Am Hang 1",
    "InstitutionalDepartmentName": "Dept-31",
    "StationName": "STATION-12",
    "DeviceSerialNumber": "SERIAL-314159",
    "AdmissionID": "ADM-2718",
    "RequestedProcedureID": "RP-1618",
    "StudyInstanceUID": "1.2.3",
    "DeviceUID": "1.2.840.99.55.1",
    "FrameOfReferenceUID": "1.2.840.99.7",
}
PERSON = [value for name, value in SECRETS.items() if name != "StudyInstanceUID"]


def scan(number: int, **changed: Any) -> Dataset:
    image = ct_slice(f"1.2.840.99.1.{number}", "1.2.3", "1.2.840.99.4", InstanceNumber=number, **(SECRETS | changed))
    image.ImagePositionPatient = [0, 0, number]
    image.PixelData = bytes(range(32))
    other = Dataset()
    other.ReferencedSOPClassUID, other.ReferencedSOPInstanceUID = image.SOPClassUID, "1.2.840.99.1.1"
    image.ReferencedImageSequence = [other]
    inner = Dataset()
    inner.RequestedProcedureDescription, inner.ScheduledProcedureStepID = "For Xylander", "SPS-1"
    image.RequestAttributesSequence = [inner]
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99X", "the method of Xylander"
    image.AnatomicRegionSequence = [code]
    block = image.private_block(0x0009, "SECRETMAKER", create=True)
    block.add_new(0x01, "LO", "private of Xylander")
    image.add_new(0x00280303, "CS", "UNMODIFIED")
    return image


@pytest.fixture
def scans(hospital: Organization, tmp_path: Path) -> Study:
    for number in (1, 2):
        stored(save(scan(number), tmp_path / f"{number}.dcm"), hospital)
    return Study.objects.get()


def unpacked(body: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        archive.extractall(folder)
    return folder


def test_no_byte_of_the_copy_tells_who_it_was(alice: Client, scans: Study, tmp_path: Path) -> None:
    answer = ask(alice, DOOR)
    assert answer.response["Content-Disposition"] == 'attachment; filename="anonymised.zip"'
    folder = unpacked(answer.body, tmp_path / "out")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 4
    for path in files:
        content = path.read_bytes().lower()
        for secret in (*PERSON, "1.2.840.99", "SECRETMAKER"):
            for part in secret.lower().split("^"):
                if len(part) > 2:
                    assert part.encode() not in content, (path.name, part)
        assert not any(part.lower() in str(path).lower() for part in ("xylander", "pid-99817"))


def test_it_says_that_it_was_done_and_by_which_profile(alice: Client, scans: Study, tmp_path: Path) -> None:
    for one in FileSet(unpacked(ask(alice, DOOR).body, tmp_path / "out") / "DICOMDIR"):
        loaded = one.load()
        assert loaded.PatientIdentityRemoved == "YES"
        assert "PS3.15" in loaded.DeidentificationMethod
        assert [code.CodeValue for code in loaded.DeidentificationMethodCodeSequence] == ["113100"]
        assert loaded.LongitudinalTemporalInformationModified == "REMOVED"
        assert loaded.PixelData == bytes(range(32))
        assert loaded.file_meta.MediaStorageSOPInstanceUID == loaded.SOPInstanceUID
        assert not [element for element in loaded.iterall() if element.tag.is_private]


def test_what_belongs_together_still_does_and_two_copies_are_not_alike(
    alice: Client, scans: Study, tmp_path: Path
) -> None:
    copies = []
    for name in ("one", "two"):
        loaded = [one.load() for one in FileSet(unpacked(ask(alice, DOOR).body, tmp_path / name) / "DICOMDIR")]
        assert len({str(one.StudyInstanceUID) for one in loaded}) == 1
        assert len({str(one.SeriesInstanceUID) for one in loaded}) == 1
        assert len({str(one.PatientID) for one in loaded}) == 1
        first = min(loaded, key=lambda one: one.InstanceNumber)
        assert {one.ReferencedImageSequence[0].ReferencedSOPInstanceUID for one in loaded} == {first.SOPInstanceUID}
        assert first.SOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
        copies.append({str(first.StudyInstanceUID), str(first.PatientID), str(first.SOPInstanceUID)})
    assert copies[0].isdisjoint(copies[1])


def test_dates_can_be_moved_instead_all_by_as_much(alice: Client, scans: Study, tmp_path: Path) -> None:
    folder = unpacked(ask(alice, DOOR + "&dates=moved").body, tmp_path / "out")
    for one in FileSet(folder / "DICOMDIR"):
        loaded = one.load()
        moved = [pydicom.valuerep.DA(loaded[name].value) for name in ("StudyDate", "SeriesDate", "AcquisitionDate")]
        assert [(day - moved[0]).days for day in moved] == [0, 1, 2]
        assert moved[0] < pydicom.valuerep.DA("20220518")
        assert loaded.PatientBirthDate in ("", None)
        assert loaded.LongitudinalTemporalInformationModified == "MODIFIED"
        assert {code.CodeValue for code in loaded.DeidentificationMethodCodeSequence} == {"113100", "113107"}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"BurnedInAnnotation": "YES"}, "burned into"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": "OT"}, "screen"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.6.1", "Modality": "US"}, "Ultrasound"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "screen"),
    ],
)
def test_pictures_in_which_a_name_may_be_written_are_left_out_unless_somebody_insists(
    alice: Client, scans: Study, hospital: Organization, tmp_path: Path, changed: dict[str, Any], why: str
) -> None:
    stored(save(scan(3, SeriesInstanceUID="1.2.840.99.5", SeriesNumber=2, **changed), tmp_path / "3.dcm"), hospital)
    folder = unpacked(ask(alice, DOOR).body, tmp_path / "out")
    assert len(FileSet(folder / "DICOMDIR")) == 2
    assert why in (folder / "README.TXT").read_text()
    insisted = unpacked(ask(alice, DOOR + "&burned_in=yes").body, tmp_path / "insisted")
    assert len(FileSet(insisted / "DICOMDIR")) == 3
    assert "look at each" in (insisted / "README.TXT").read_text()
    assert [event.detail["burned_in"] for event in AuditEvent.objects.filter(action="export.study").order_by("id")] == [
        "no",
        "yes",
    ]


def test_reports_are_never_in_it(alice: Client, hospital: Organization, tmp_path: Path) -> None:
    report = scan(1, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", Modality="SR")
    for name in ("PixelData", "Rows", "Columns"):
        del report[name]
    stored(save(report, tmp_path / "sr.dcm"), hospital)
    answer = ask(alice, DOOR + "&burned_in=yes")
    assert answer.status == 422
    assert b"reports and documents" in answer.body


def test_what_will_be_left_out_is_told_before(
    alice: Client, scans: Study, hospital: Organization, bob: Client, tmp_path: Path
) -> None:
    ultrasound = scan(3, SeriesInstanceUID="1.2.840.99.5", SeriesNumber=2, Modality="US", SeriesDescription="Liver")
    ultrasound.SOPClassUID = "1.2.840.10008.5.1.4.1.1.6.1"
    stored(save(ultrasound, tmp_path / "3.dcm"), hospital)
    told = alice.get("/api/studies/1.2.3/export/").json()
    assert told["objects"] == 3
    assert told["bytes"] > 3 * 32
    (doubt,) = told["left_out"]
    assert (doubt["modality"], doubt["description"], doubt["objects"], doubt["reason"]) == (
        "US",
        "Liver",
        1,
        "ultrasound",
    )
    assert bob.get("/api/studies/1.2.3/export/").status_code == 404


def test_bob_and_charlie_take_nothing_away(bob: Client, charlie: Client, scans: Study) -> None:
    assert ask(bob, DOOR).status == ask(charlie, DOOR).status == 404


def test_dciodvfy_finds_nothing_wrong_that_was_not_wrong_before(shared_data: Path, tmp_path: Path) -> None:
    anonymiser = Anonymiser()
    seen = set()
    for path in [
        next(file for file in sorted(folder.rglob("*.dcm"))) for folder in sorted(shared_data.glob("series/*"))
    ] + [
        shared_data / "windows" / "MR-SIEMENS-overlays_multiVOI.dcm",
        next(iter(sorted((shared_data / "enhanced").rglob("*.dcm")))),
        *sorted((shared_data / "charset").glob("*.dcm"))[:2],
    ]:
        before = pydicom.dcmread(path)
        syntax = str(before.file_meta.TransferSyntaxUID)
        out = tmp_path / "out.dcm"
        out.write_bytes(b"".join(anonymous_copy(path, syntax, AS_STORED, anonymiser).pieces()))
        assert errors(out) <= errors(path), path
        after = pydicom.dcmread(out)
        assert after.get("PixelData") == before.get("PixelData")
        seen.add(syntax)
    assert len(seen) > 2


def errors(path: Path) -> set[str]:
    said = subprocess.run(
        ["/usr/bin/dciodvfy", path], capture_output=True, text=True, errors="replace", check=False
    ).stderr
    return {line.partition(" - ")[0] for line in said.splitlines() if line.startswith("Error")}
