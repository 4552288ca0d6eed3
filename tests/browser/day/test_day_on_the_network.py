"""The same day in a hospital's network: the images come by C-STORE from DCMTK, the signed report goes to an Orthanc."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Page

from tests.browser.day.test_day import HEAD, a_day, opened
from tests.browser.worklist.conftest import Day
from tests.chromium import wait_until
from tests.live import LiveServer, free_port
from tests.peers.conftest import Dcmtk
from tests.peers.conftest import dcmtk as dcmtk
from tests.peers.conftest import orthanc as orthanc
from tests.peers.orthanc import Orthanc

SR, PDF = "1.2.840.10008.5.1.4.1.1.88.22", "1.2.840.10008.5.1.4.1.1.104.1"
"""Enhanced SR and Encapsulated PDF Storage."""
MEASUREMENT_REPORT = "126000"


@pytest.fixture(scope="module")
def day(shared_data: Path, orthanc: Orthanc) -> Iterator[Day]:
    with LiveServer(dicom=True, FARVIEW_ARRIVAL_QUIET_SECONDS="1", FARVIEW_HL7_PORT=str(free_port())) as server:
        day = opened(server, shared_data)
        server.manage("add_peer", "STORESCU", "127.0.0.1", "--may", "store")
        server.manage("add_peer", orthanc.ae_title, "127.0.0.1", orthanc.dicom_port, "--may", "query,retrieve")
        known = (
            "from accounts.models import Organization; from reporting.models import Destination;"
            "home = Organization.objects.get(name='default');"
            f"Destination.objects.create(organization=home, name='PACS', kind='dicom', address='{orthanc.ae_title}')"
        )
        server.manage("shell", "-c", known)
        yield day


def test_a_day_on_the_network(
    day: Day, orthanc: Orthanc, dcmtk: Dcmtk, browser_of: Callable[..., Page], tmp_path: Path
) -> None:
    port = day.server.environment["FARVIEW_DICOM_PORT"]

    def images_arrive() -> None:
        sent = dcmtk("storescu", "-aec", "FARVIEW", "-xv", "+sd", "127.0.0.1", port, day.archive.shared / HEAD)
        assert sent.returncode == 0, sent.stderr
        day.archive.arrived(HEAD)

    report = a_day(day, browser_of, tmp_path, images_arrive)
    wait_until(
        lambda: len(reports(orthanc)) == 2 and len(told(orthanc, PDF)) == 2, "report and addendum at Orthanc", 90
    )
    first, second = reports(orthanc)
    study = day.archive.arrived(HEAD).study_instance_uid
    assert {one.StudyInstanceUID for one in (first, second)} == {study}
    assert any("metastasis" in one for one in words_of(first))
    assert "Compared with the CT of yesterday: unchanged." in list(words_of(second))
    for document in told(orthanc, PDF):
        assert document.EncapsulatedDocument.startswith(b"%PDF-1.7")
    assert day.ask("alice", "GET", f"/api/reports/{report}/")["state"] == "appended"


def reports(orthanc: Orthanc) -> list[pydicom.Dataset]:
    """The measurements travel with the report, as an SR of their own (TID 1500)."""
    return [one for one in told(orthanc, SR) if one.ConceptNameCodeSequence[0].CodeValue != MEASUREMENT_REPORT]


def words_of(item: pydicom.Dataset) -> Iterator[str]:
    """Every text of a structured report."""
    for inner in item.get("ContentSequence", []):
        if "TextValue" in inner:
            yield str(inner.TextValue)
        yield from words_of(inner)


def told(orthanc: Orthanc, sop_class_uid: str) -> list[pydicom.Dataset]:
    """What Orthanc holds of a SOP class, in the order of their content dates."""
    files = (pydicom.dcmread(io.BytesIO(orthanc.file(one))) for one in orthanc.held().values())
    found = [one for one in files if one.SOPClassUID == sop_class_uid]
    return sorted(found, key=lambda one: (one.ContentDate, one.ContentTime, one.InstanceNumber))
