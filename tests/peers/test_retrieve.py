"""DCMTK's getscu and movescu, and Orthanc, fetch studies from our archive; the files are the judge of what comes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from tests.live import free_port
from tests.peers.conftest import Dcmtk, Site, needed
from tests.peers.orthanc import Orthanc
from tests.viewer.dimse.alone import DATA, MISSPELT, begun

PET, HEAD = DATA / "series/pet_body", DATA / "series/ct_head_gantry_tilt_ge_jpll"
WRONG = DATA / MISSPELT
RIGHT_NAME = "Right^Renée"
MENDED = f"""
from viewer.archive.correcting import Who, update_patient
from viewer.models import Patient
update_patient(
    Patient.objects.get(patient_id={str(pydicom.dcmread(WRONG, stop_before_pixels=True).PatientID)!r}),
    {{"PatientName": {RIGHT_NAME!r}}}, Who("test", reason="misspelt"),
)
"""
RECEIVER = free_port()


@pytest.fixture(scope="module")
def archive(site: Site, orthanc: Orthanc) -> Site:
    peers = [
        ("GETSCU", "default", "retrieve", None),
        ("MOVESCU", "default", "retrieve", None),
        ("STORESCP", "default", "", RECEIVER),
        ("ORTHANC", "default", "query retrieve", orthanc.dicom_port),
    ]
    site.live.manage("shell", "--verbosity", "0", "--command", begun(peers, [("default", [PET, HEAD, WRONG])]) + MENDED)
    orthanc.knows("farview", "FARVIEW", site.dicom_port)
    return site


def read(folder: Path) -> dict[str, pydicom.Dataset]:
    return {one.SOPInstanceUID: one for one in map(pydicom.dcmread, folder.iterdir())}


def study_of(folder: Path) -> str:
    return str(pydicom.dcmread(next(folder.glob("*.dcm")), stop_before_pixels=True).StudyInstanceUID)


def held_against(came: dict[str, pydicom.Dataset], folder: Path, syntax: str = "") -> None:
    files = {uid: one for uid, one in read(folder).items() if "SOPInstanceUID" in one}
    assert set(came) == set(files)
    for uid, file in files.items():
        assert came[uid].PixelData == file.PixelData
        assert came[uid].file_meta.TransferSyntaxUID == (syntax or file.file_meta.TransferSyntaxUID)
        assert came[uid].PatientName == file.PatientName


def test_getscu_brings_a_study(archive: Site, dcmtk: Dcmtk, tmp_path: Path) -> None:
    """It proposes what is not compressed and takes the first: the same values, written anew."""
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study_of(PET)}")
    done = dcmtk("getscu", "-S", "-aec", "FARVIEW", "-od", tmp_path, *keys, "127.0.0.1", archive.dicom_port)
    assert done.returncode == 0, done.stderr
    held_against(read(tmp_path), PET, "1.2.840.10008.1.2.1")


def test_getscu_that_takes_no_compressed_images_gets_them_decompressed(
    archive: Site, dcmtk: Dcmtk, tmp_path: Path
) -> None:
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study_of(HEAD)}")
    done = dcmtk("getscu", "-S", "-aec", "FARVIEW", "-od", tmp_path, *keys, "127.0.0.1", archive.dicom_port)
    assert done.returncode == 0, done.stderr
    came, files = read(tmp_path), read(HEAD)
    assert set(came) == set(files)
    for uid, file in files.items():
        assert came[uid].file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
        assert (came[uid].pixel_array == file.pixel_array).all()


def test_getscu_brings_compressed_images_as_they_are(archive: Site, dcmtk: Dcmtk, tmp_path: Path) -> None:
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study_of(HEAD)}")
    done = dcmtk("getscu", "-S", "+xs", "-aec", "FARVIEW", "-od", tmp_path, *keys, "127.0.0.1", archive.dicom_port)
    assert done.returncode == 0, done.stderr
    held_against(read(tmp_path), HEAD)


@pytest.fixture
def storescp(tmp_path: Path) -> Iterator[Path]:
    """DCMTK's receiver; the folder that it fills."""
    program, out = needed(Path("/usr/bin/storescp"), "dcmtk"), tmp_path / "came"
    out.mkdir()
    process = subprocess.Popen([str(program), "-aet", "STORESCP", "-od", str(out), "+xa", str(RECEIVER)])
    time.sleep(0.5)
    yield out
    process.terminate()
    process.wait(10)


@pytest.mark.parametrize("folder", [PET, HEAD], ids=lambda one: one.name)
def test_movescu_has_a_study_sent(archive: Site, dcmtk: Dcmtk, storescp: Path, folder: Path) -> None:
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study_of(folder)}")
    to = ("-aet", "MOVESCU", "-aem", "STORESCP", "-aec", "FARVIEW")
    done = dcmtk("movescu", "-v", "-S", *to, *keys, "127.0.0.1", archive.dicom_port)
    assert done.returncode == 0, done.stderr
    held_against(read(storescp), folder)


def corrected(came: pydicom.Dataset) -> None:
    file = pydicom.dcmread(WRONG)
    assert (came.SOPInstanceUID, str(came.PatientName)) == (file.SOPInstanceUID, RIGHT_NAME)
    (original,) = came.OriginalAttributesSequence
    assert str(original.ModifiedAttributesSequence[0].PatientName) == str(file.PatientName)
    assert (original.ModifyingSystem, original.ReasonForTheAttributeModification) == ("FARVIEW", "CORRECT")
    assert came.PixelData == file.PixelData


def test_movescu_has_a_corrected_study_sent_with_what_it_was_before(
    archive: Site, dcmtk: Dcmtk, storescp: Path
) -> None:
    study = pydicom.dcmread(WRONG, stop_before_pixels=True).StudyInstanceUID
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}")
    to = ("-aet", "MOVESCU", "-aem", "STORESCP", "-aec", "FARVIEW")
    done = dcmtk("movescu", "-v", "-S", *to, *keys, "127.0.0.1", archive.dicom_port)
    assert done.returncode == 0, done.stderr
    (came,) = read(storescp).values()
    corrected(came)


def test_movescu_is_told_of_an_unknown_destination(archive: Site, dcmtk: Dcmtk) -> None:
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study_of(PET)}")
    to = ("-aet", "MOVESCU", "-aem", "NOWHERE", "-aec", "FARVIEW")
    done = dcmtk("movescu", "-v", "-S", *to, *keys, "127.0.0.1", archive.dicom_port)
    assert "MoveDestinationUnknown" in done.stdout + done.stderr


def test_orthanc_finds_and_fetches_a_study(archive: Site, orthanc: Orthanc) -> None:
    asked = {"Level": "Study", "Query": {"StudyInstanceUID": study_of(HEAD)}}
    query = orthanc.post("/modalities/farview/query", asked)["Path"]
    orthanc.post(f"{query}/retrieve", {"TargetAet": "ORTHANC", "Synchronous": True})
    held = orthanc.held()
    files = {pydicom.dcmread(path).SOPInstanceUID: path for path in HEAD.glob("*.dcm")}
    assert set(held) == set(files)
    for uid, path in files.items():
        came = pydicom.dcmread(pydicom.filebase.DicomBytesIO(orthanc.file(held[uid])))
        file = pydicom.dcmread(path)
        assert came.PixelData == file.PixelData
        assert came.file_meta.TransferSyntaxUID == file.file_meta.TransferSyntaxUID


def test_orthanc_fetches_a_corrected_study_with_what_it_was_before(archive: Site, orthanc: Orthanc) -> None:
    said = pydicom.dcmread(WRONG, stop_before_pixels=True)
    asked = {"Level": "Study", "Query": {"PatientName": RIGHT_NAME, "StudyInstanceUID": said.StudyInstanceUID}}
    query = orthanc.post("/modalities/farview/query", asked)["Path"]
    orthanc.post(f"{query}/retrieve", {"TargetAet": "ORTHANC", "Synchronous": True})
    corrected(pydicom.dcmread(pydicom.filebase.DicomBytesIO(orthanc.file(orthanc.held()[said.SOPInstanceUID]))))
