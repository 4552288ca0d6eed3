"""DCMTK's findscu and Orthanc ask our archive what it holds; the files themselves, read by pydicom, are the judge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from tests.peers.conftest import Dcmtk, Site
from tests.peers.orthanc import Orthanc
from tests.viewer.dimse.alone import DATA, begun

Found = Callable[..., list[pydicom.Dataset]]
PET, CHARSETS = DATA / "series/pet_body", DATA / "charset"


@pytest.fixture(scope="module")
def archive(site: Site) -> Site:
    """Holds a PET study and the studies of all character sets; FINDSCU may ask, ORTHANC too."""
    peers = [("FINDSCU", "default", "query", None), ("ORTHANC", "default", "query", None)]
    site.live.manage("shell", "--verbosity", "0", "--command", begun(peers, [("default", [PET, CHARSETS])]))
    return site


@pytest.fixture(scope="module")
def pet() -> pydicom.Dataset:
    return pydicom.dcmread(next(PET.glob("*.dcm")), stop_before_pixels=True)


@pytest.fixture
def found(archive: Site, dcmtk: Dcmtk, tmp_path: Path) -> Found:
    """findscu's answers, which it writes as files."""

    def ask(*keys: str, model: str = "-S") -> list[pydicom.Dataset]:
        out = tmp_path / "answers"
        out.mkdir(exist_ok=True)
        for old in out.iterdir():
            old.unlink()
        wanted = [part for key in keys for part in ("-k", key)]
        done = dcmtk("findscu", model, "-aec", "FARVIEW", "-X", "-od", out, *wanted, "127.0.0.1", archive.dicom_port)
        assert done.returncode == 0, done.stderr
        assert "E:" not in done.stderr, done.stderr
        return [pydicom.dcmread(path) for path in sorted(out.glob("rsp*.dcm"))]

    return ask


def test_findscu_is_told_every_study(found: Found, pet: pydicom.Dataset) -> None:
    told = found("QueryRetrieveLevel=STUDY", "StudyInstanceUID", "PatientName")
    names = {str(pydicom.dcmread(path).PatientName) for path in CHARSETS.glob("*.dcm")}
    assert {str(one.PatientName) for one in told} == names | {str(pet.PatientName)}


def test_findscu_goes_down_every_level(found: Found, pet: pydicom.Dataset) -> None:
    (patient,) = found("QueryRetrieveLevel=PATIENT", f"PatientID={pet.PatientID}", "PatientName", model="-P")
    assert str(patient.PatientName) == str(pet.PatientName)
    above = [f"PatientID={pet.PatientID}"]
    (study,) = found(
        *("QueryRetrieveLevel=STUDY", "StudyInstanceUID", "NumberOfStudyRelatedInstances", *above), model="-P"
    )
    assert int(study.NumberOfStudyRelatedInstances) == len(list(PET.glob("*.dcm")))
    above.append(f"StudyInstanceUID={study.StudyInstanceUID}")
    (series,) = found("QueryRetrieveLevel=SERIES", "SeriesInstanceUID", "Modality", *above, model="-P")
    assert (series.SeriesInstanceUID, series.Modality) == (pet.SeriesInstanceUID, "PT")
    above.append(f"SeriesInstanceUID={series.SeriesInstanceUID}")
    images = found("QueryRetrieveLevel=IMAGE", "SOPInstanceUID", "InstanceNumber", *above, model="-P")
    files = {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in PET.glob("*.dcm")}
    assert {one.SOPInstanceUID for one in images} == files


def test_findscu_matches_names_as_a_terminal_writes_them(found: Found) -> None:
    (told,) = found("QueryRetrieveLevel=STUDY", "PatientName=Διονυσιος", "PatientID")
    assert told.PatientID == "SCSGREEK"
    (told,) = found("QueryRetrieveLevel=STUDY", "PatientName=HONG*", "PatientID")
    assert told.PatientID == "I2EXAMPLE"


def test_findscu_is_told_why_not(archive: Site, dcmtk: Dcmtk) -> None:
    keys = ("-k", "QueryRetrieveLevel=SERIES", "-k", "SeriesInstanceUID")
    done = dcmtk("findscu", "-v", "-S", "-aec", "FARVIEW", *keys, "127.0.0.1", archive.dicom_port)
    assert "DataSetDoesNotMatchSOPClass" in done.stdout + done.stderr


def test_orthanc_finds_our_studies(archive: Site, orthanc: Orthanc, pet: pydicom.Dataset) -> None:
    orthanc.knows("farview", "FARVIEW", archive.dicom_port)
    orthanc.session.put(f"{orthanc.url}/tools/default-encoding", data="Utf8", timeout=30).raise_for_status()
    asked = {"Level": "Study", "Query": {"PatientID": "SCS*", "PatientName": "", "StudyInstanceUID": ""}}
    query = orthanc.post("/modalities/farview/query", asked)["Path"]
    answers = [
        orthanc.get(f"{query}/answers/{number}/content", simplify="") for number in orthanc.get(f"{query}/answers")
    ]
    assert {one["PatientID"]: one["PatientName"] for one in answers} == {
        one.PatientID: str(one.PatientName)
        for one in map(pydicom.dcmread, CHARSETS.glob("*.dcm"))
        if one.PatientID.startswith("SCS")
    }
    series = {"Level": "Series", "Query": {"StudyInstanceUID": pet.StudyInstanceUID, "Modality": "PT"}}
    query = orthanc.post("/modalities/farview/query", series)["Path"]
    assert len(orthanc.get(f"{query}/answers")) == 1
