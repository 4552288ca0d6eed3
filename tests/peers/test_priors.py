"""Earlier studies come from an Orthanc and from a dcmqrscp, by C-GET and by C-MOVE, before anybody asks."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import generate_uid

from tests.live import free_port
from tests.peers.conftest import Dcmtk, Site, needed
from tests.peers.orthanc import Orthanc
from tests.viewer.archive.objects import slices

WITHIN_S = 60.0


def wait_for(what: Callable[[], Any], seconds: float = WITHIN_S) -> Any:
    """What `what` returns, once it is true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.2)
    return found


class Patients:
    """Studies of patients, made up, each under a UID of its own, on any day."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def study(self, patient: str, day: str, count: int = 3, **changed: Any) -> tuple[str, Path]:
        uid = generate_uid()
        folder = self._folder / uid
        facts = {"BodyPartExamined": "CHEST", "PatientID": patient, "StudyDate": day, **changed}
        slices(folder, count, study=uid, series=generate_uid()[:58], **facts)
        return uid, folder


@pytest.fixture
def patients(tmp_path: Path) -> Patients:
    return Patients(tmp_path)


def archive(site: Site, ae_title: str, port: int, retrieve_by: str) -> int:
    """A peer of `default` where earlier studies are looked for; its number."""
    program = (
        "from accounts.models import Organization; from viewer.models import DicomPeer; "
        f"print(DicomPeer.objects.update_or_create(ae_title={ae_title!r}, host='127.0.0.1', defaults=dict("
        f"organization=Organization.objects.get(name='default'), port={port}, is_archive=True, may_store=True, "
        f"retrieve_by={retrieve_by!r}))[0].pk)"
    )
    return int(site.live.manage("shell", "-v", "0", "-c", program).stdout.split()[-1])


def not_an_archive(site: Site, number: int) -> None:
    site.live.manage(
        "shell", "-c", f"from viewer.models import DicomPeer; DicomPeer.objects.filter(pk={number}).delete()"
    )


def studies_here(site: Site, patient: str) -> dict[str, int]:
    rows = site.session().get(f"{site.url}/api/studies/", params={"patient_id": patient}, timeout=30).json()["studies"]
    return {row["study_instance_uid"]: row["number_of_instances"] for row in rows}


def transfers(site: Site, **asked: str) -> list[dict[str, Any]]:
    return site.session().get(f"{site.url}/api/transfers/", params=asked, timeout=30).json()["transfers"]


def arrive(site: Site, folder: Path) -> None:
    site.live.manage("ingest", folder)


@pytest.fixture(params=["get", "move"])
def asked_orthanc(request: pytest.FixtureRequest, site: Site, orthanc: Orthanc) -> Iterator[int]:
    orthanc.knows("farview", "FARVIEW", site.dicom_port)
    number = archive(site, "ORTHANC", orthanc.dicom_port, request.param)
    yield number
    not_an_archive(site, number)


def test_priors_of_a_study_that_arrives_are_fetched_from_orthanc(
    site: Site, orthanc: Orthanc, asked_orthanc: int, patients: Patients, request: pytest.FixtureRequest
) -> None:
    patient = f"PRIOR-{asked_orthanc}"
    older, older_folder = patients.study(patient, "20210101")
    newer, newer_folder = patients.study(patient, "20220101", count=5)
    _, knee_folder = patients.study(patient, "20230101", BodyPartExamined="KNEE", StudyDescription="Knee")
    other, other_folder = patients.study(patient, "20200101", PatientBirthDate="19450101")
    stranger, stranger_folder = patients.study(f"{patient}-2", "20220101")
    for folder in (older_folder, newer_folder, knee_folder, other_folder, stranger_folder):
        orthanc.take(folder)
    current, folder = patients.study(patient, "20240101")
    arrive(site, folder)

    wait_for(lambda: studies_here(site, patient).keys() >= {older, newer})
    wait_for(lambda: not [one for one in transfers(site) if one["state"] in ("queued", "running", "failed")])
    here = studies_here(site, patient)
    assert {uid: here[uid] for uid in (older, newer, current)} == {older: 3, newer: 5, current: 3}
    assert other not in here, "another birth date under the same Patient ID"
    assert stranger not in here
    (search,) = transfers(site, study=current)
    assert search["kind"] == "priors"
    assert search["problem"] == "1 study there under this Patient ID with another birth date: not fetched"
    (fetched,) = transfers(site, study=newer)
    assert (fetched["state"], fetched["done"], fetched["total"], fetched["reason"]) == ("done", 5, 5, "prefetch")


def test_the_bytes_of_a_data_set_are_those_of_the_archive(
    site: Site, orthanc: Orthanc, asked_orthanc: int, patients: Patients
) -> None:
    uid, folder = patients.study(f"BYTES-{asked_orthanc}", "20210101", count=2)
    orthanc.take(folder)
    session = site.session()
    body = {"kind": "retrieve", "peer": asked_orthanc, "study": uid}
    assert session.post(f"{site.url}/api/transfers/", json=body, timeout=30).status_code == 201
    wait_for(lambda: transfers(site, study=uid)[0]["state"] == "done")
    program = (
        "from viewer.models import Instance; from viewer.archive.storage import blob_store; "
        f"print(*[blob_store().path(i.blob_id) for i in Instance.objects.filter(series__study__study_instance_uid={uid!r})"
        ".order_by('instance_number')])"
    )
    kept = [Path(path) for path in site.live.manage("shell", "-v", "0", "-c", program).stdout.split()]
    assert [data_set(path) for path in kept] == [data_set(path) for path in sorted(folder.glob("*.dcm"))]


def data_set(path: Path) -> bytes:
    data = path.read_bytes()
    assert data[128:140] == b"DICM\x02\x00\x00\x00UL\x04\x00"
    return data[144 + int.from_bytes(data[140:144], "little") :]


def test_a_search_of_orthanc_says_what_is_here_and_who_is_somebody_else(
    site: Site, orthanc: Orthanc, asked_orthanc: int, patients: Patients
) -> None:
    patient = f"SEARCH-{asked_orthanc}"
    here, folder = patients.study(patient, "20210101", PatientName="Müller^Jörg", SpecificCharacterSet="ISO_IR 192")
    there, other_folder = patients.study(
        patient, "20220101", PatientBirthDate="19450101", PatientName="Müller^Jörg", SpecificCharacterSet="ISO_IR 192"
    )
    for one in (folder, other_folder):
        orthanc.take(one)
    arrive(site, folder)
    address = f"{site.url}/api/peers/{asked_orthanc}/search/"
    found = site.session().post(address, json={"patient_id": patient}, timeout=30).json()
    assert [(row["study_instance_uid"], row["here"], row["disagreements"]) for row in found["studies"]] == [
        (there, False, ["birth date"]),
        (here, True, []),
    ]
    assert {row["patient_name"] for row in found["studies"]} == {"Müller^Jörg"}
    assert found["more"] is False
    by_name = (
        site.session().post(address, json={"patient_name": "müller", "date_from": "2022-01-01"}, timeout=30).json()
    )
    assert there in {row["study_instance_uid"] for row in by_name["studies"]}
    assert site.session().post(address, json={"patient_id": "nobody"}, timeout=30).json()["studies"] == []


# --- DCMTK's archive


@pytest.fixture
def dcmqrscp(dcmtk: Dcmtk, site: Site, tmp_path: Path) -> Iterator[int]:
    """DCMTK's archive on a port of its own, with nothing in it; it knows us by our port."""
    program, port = needed(Path("/usr/bin/dcmqrscp"), "dcmtk"), free_port()
    (tmp_path / "db").mkdir()
    settings = tmp_path / "dcmqrscp.cfg"
    settings.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\nfarview = (FARVIEW, 127.0.0.1, {site.dicom_port})\nHostTable END\n"
        "VendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nQRSCP {tmp_path}/db RW (500, 1024mb) ANY\nAETable END\n"
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([str(program), "-c", str(settings)], stdout=log, stderr=subprocess.STDOUT)
    wait_for(lambda: dcmtk("echoscu", "-aec", "QRSCP", "127.0.0.1", port).returncode == 0, 20)
    yield port
    process.terminate()
    process.wait(10)


@pytest.mark.parametrize("way", ["get", "move"])
def test_a_study_is_fetched_from_dcmqrscp(
    site: Site, dcmtk: Dcmtk, dcmqrscp: int, patients: Patients, way: str
) -> None:
    uid, folder = patients.study(f"QRSCP-{way}", "20210101", count=4)
    sent = dcmtk("storescu", "-aec", "QRSCP", "+sd", "127.0.0.1", dcmqrscp, folder)
    assert sent.returncode == 0, sent.stderr
    number = archive(site, "QRSCP", dcmqrscp, way)
    try:
        found = site.session().post(
            f"{site.url}/api/peers/{number}/search/", json={"patient_id": f"QRSCP-{way}"}, timeout=30
        )
        assert [row["study_instance_uid"] for row in found.json()["studies"]] == [uid]
        body = {"kind": "retrieve", "peer": number, "study": uid}
        site.session().post(f"{site.url}/api/transfers/", json=body, timeout=30).raise_for_status()
        done = wait_for(lambda: (row := transfers(site, study=uid)[0])["state"] in ("done", "given_up") and row)
        assert (done["state"], done["done"], done["total"], done["problem"]) == ("done", 4, 4, "")
        assert studies_here(site, f"QRSCP-{way}") == {uid: 4}
    finally:
        not_an_archive(site, number)
