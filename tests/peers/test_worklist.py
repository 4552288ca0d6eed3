"""DCMTK's findscu as a scanner that asks for its worklist, and the images that it makes of an order."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from tests.peers.conftest import Dcmtk, Site
from tests.viewer.dimse.alone import ORDERS, begun

STEP = "ScheduledProcedureStepSequence[0]"


@pytest.fixture(scope="module")
def ordered(site: Site) -> Site:
    peers = [("CTSCANNER", "default", "query", None)]
    site.live.manage("shell", "--verbosity", "0", "--command", begun(peers, []) + ORDERS)
    return site


def asked(site: Site, dcmtk: Dcmtk, out: Path, *keys: str) -> list[pydicom.Dataset]:
    wanted = [part for key in keys for part in ("-k", key)]
    where = ("-aet", "CTSCANNER", "-aec", "FARVIEW", "-X", "-od", out, *wanted, "127.0.0.1", site.dicom_port)
    done = dcmtk("findscu", "-W", *where)
    assert done.returncode == 0, done.stderr
    return [pydicom.dcmread(path) for path in sorted(out.glob("rsp*.dcm"))]


def test_a_scanner_is_told_what_it_is_to_do_today(ordered: Site, dcmtk: Dcmtk, tmp_path: Path) -> None:
    step = [
        f"{STEP}.Modality=CT",
        f"{STEP}.ScheduledProcedureStepStartDate=20261123",
        f"{STEP}.ScheduledProcedureStepID",
    ]
    patient = ["PatientName", "PatientID", "AccessionNumber", "StudyInstanceUID", "RequestedProcedureDescription"]
    station = f"{STEP}.ScheduledStationAETitle=CTSCANNER"
    (told,) = asked(ordered, dcmtk, tmp_path, *patient, *step, station)
    assert (str(told.PatientName), told.PatientID, told.AccessionNumber) == ("Müller^Änne", "PID-W-1", "W-1")
    assert told.ScheduledProcedureStepSequence[0].ScheduledStationAETitle == "CTSCANNER"
    assert told.StudyInstanceUID


def test_a_scanner_of_another_kind_has_nothing_to_do(ordered: Site, dcmtk: Dcmtk, tmp_path: Path) -> None:
    assert asked(ordered, dcmtk, tmp_path, "PatientName", f"{STEP}.Modality=XA") == []
