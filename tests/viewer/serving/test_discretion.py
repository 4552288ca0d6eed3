"""One patient goes through every door of a server, sound and broken: log, metrics and error pages hold no word of theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE

from tests.browser.day.hospital import send
from tests.browser.reporting.people import people
from tests.live import LiveServer, free_port
from tests.viewer.archive.objects import ct_slice, save

NAME, NUMBER, BORN, ACCESSION = "Verschwiegen^Annelore", "PAT-4711-X", "19310203", "ACC-0815-Y"
DOCTOR, FINDING = "Stillschweiger^Otto", "Ulkus an verborgener Stelle"
WORDS = ("verschwiegen", "annelore", "pat-4711", "19310203", "1931-02-03", "acc-0815", "stillschweiger", "ulkus")
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
CT = "1.2.840.10008.5.1.4.1.1.2"


class Doors:
    """What one reader with every role and one scanner do."""

    def __init__(self, server: LiveServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        one = people(server, {"reader": ["radiologist", "technologist", "admin"]})["reader"]
        self.password = one.password
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {one.token}"
        self.statuses: set[int] = set()

    def ask(self, method: str, address: str, **more: Any) -> requests.Response:
        answer = self.session.request(method, self.server.url + address, timeout=60, **more)
        self.statuses.add(answer.status_code)
        return answer

    def file(self, number: int, **changed: Any) -> Path:
        image = ct_slice(f"1.2.3.4.{number}", PatientName=NAME, PatientID=NUMBER, PatientBirthDate=BORN, **changed)
        image.AccessionNumber, image.ReferringPhysicianName = ACCESSION, DOCTOR
        return save(image, self.folder / f"{number}.dcm")

    def images(self) -> None:
        sound = self.file(1).read_bytes()
        for name, content in ((f"{NAME}.dcm", sound), ("cut.dcm", sound[:-99]), ("no.dcm", NAME.encode() * 99)):
            self.ask("POST", "/api/uploads/", files={"file": (name, content)})
        stow = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=B'}
        for content in (self.file(2).read_bytes(), sound[:900], NAME.encode()):
            body = b"--B\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--B--\r\n"
            self.ask("POST", "/dicom-web/studies", data=body, headers=stow)
        self.ask("POST", "/dicom-web/studies", data=NAME.encode(), headers={"Content-Type": NAME})

    def scanner(self) -> None:
        entity = AE(ae_title="SCANNER")
        entity.add_requested_context(CT, "1.2.840.10008.1.2.1")
        entity.add_requested_context(FIND)
        port = int(self.server.environment["FARVIEW_DICOM_PORT"])
        line = entity.associate("127.0.0.1", port, ae_title="FARVIEW")
        assert line.is_established
        image = dcmread(self.file(3))
        assert line.send_c_store(image).Status == 0
        image.SOPInstanceUID, image.Rows = "1.2.3.4.4", 4711
        line.send_c_store(image)
        asked = Dataset()
        asked.QueryRetrieveLevel, asked.PatientName, asked.PatientID = "STUDY", NAME, NUMBER
        asked.PatientBirthDate, asked.AccessionNumber = BORN, ACCESSION
        assert [status.Status for status, _ in line.send_c_find(asked, FIND)]
        line.release()

    def orders(self) -> None:
        patient = {"patient_id": NUMBER, "name": NAME, "birth_date": BORN}
        order = {"patient": patient, "accession_number": ACCESSION, "modality": "CT", "referring_physician": DOCTOR}
        for body in (
            order,
            {**order, "patient": NAME},
            {**order, "modality": NAME},
            {**order, "patient": {"name": NAME}},
        ):
            self.ask("POST", "/api/orders/", json=body)
        self.ask("POST", "/api/orders/", data=json.dumps(order)[:-9], headers={"Content-Type": "application/json"})
        port = int(self.server.environment["FARVIEW_HL7_PORT"])
        for kind in ("ORM^O01^ORM_O01", "ADT^A08^ADT_A01", "ADT^A40^ADT_A39", "QRY^A19"):
            head = f"MSH|^~\\&|RIS|WARD|FARVIEW|SITE|20261122083000||{kind}|{kind[:7]}|P|2.5.1||||||UNICODE UTF-8\r"
            person = f"PID|1||{NUMBER}||{NAME}||{BORN}|F\rMRG|{NUMBER}-2\r"
            text = f"ORC|NW|1|{ACCESSION}\rOBR|1|1|{ACCESSION}|CT^{FINDING}^L|||||||||{NAME}|||1^{DOCTOR}||||||CT\r"
            assert "MSA|" in send(port, head + person + text)

    def searches(self) -> None:
        for address in (
            *(f"/api/studies/?patient_name={NAME}&patient_id={NUMBER}", f"/api/studies/?study_date={NAME}"),
            *(f"/dicom-web/studies?PatientName={NAME}&PatientID={NUMBER}", f"/dicom-web/studies?StudyDate={NAME}"),
            *(
                f"/dicom-web/studies?{NAME}={NUMBER}",
                f"/dicom-web/studies?limit={NAME}",
                "/dicom-web/studies/1.2.3/metadata",
            ),
            *(f"/fhir/Patient?name={NAME}&birthdate=1931-02-03", f"/fhir/ImagingStudy?identifier={ACCESSION}"),
            *(f"/fhir/Patient?birthdate={NAME}", f"/launch?accession={ACCESSION}&patient_id={NUMBER}"),
            *(
                f"/launch?accession={ACCESSION}&patient_id=other",
                "/studies/1.2.3/",
                "/",
                "/worklist/",
                "/api/worklist/",
            ),
            *(f"/api/series/1.2.3.4/frame?view={NAME}", f'/api/series/1.2.3.4/frame?view={{"preset":"{NAME}"}}'),
            *("/api/series/1.2.3.4/frame", f"/wado?requestType=WADO&studyUID={NAME}&seriesUID=1&objectUID=1"),
            *("/dicom-web/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.1/rendered", "/api/studies/1.2.3/"),
        ):
            self.ask("GET", address)

    def report(self) -> None:
        made = self.ask("POST", "/api/reports/", json={"study": "1.2.3", "template": "free-text"}).json()
        address, text = f"/api/reports/{made['id']}/", f"{NAME}: {FINDING}"
        content = {"findings": text, "impression": text}
        saved = self.ask("PUT", address, json={"based_on": made["version"], "content": content})
        assert saved.status_code == 200, saved.text
        for body in ({"based_on": text, "content": content}, {"based_on": 0, "content": {text: text}}, [text]):
            self.ask("PUT", address, json=body)
        rules = [one["rule"] for one in self.ask("GET", f"{address}checks/").json()["problems"]]
        said = {"password": self.password, "meaning": "final", "acknowledged": rules}
        for given in ({"password": text, "meaning": "final"}, {**said, "meaning": text}, said):
            signed = self.ask("POST", f"{address}sign/", json=given)
        assert signed.status_code == 200, signed.text
        for kind in ("html", "pdf", "sr", "fhir", "hl7", "nothing"):
            self.ask("GET", f"{address}export/{kind}")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with LiveServer(dicom=True, FARVIEW_HL7_PORT=str(free_port()), FARVIEW_LOG_LEVEL="DEBUG") as server:
        doors = Doors(server, tmp_path_factory.mktemp("day"))
        server.manage("add_peer", "SCANNER", "127.0.0.1", "--may", "store,query,retrieve")
        server.manage("shell", "-c", PEER)
        doors.images()
        doors.scanner()
        doors.orders()
        doors.searches()
        doors.report()
        yield doors


PEER = """
from accounts.models import Organization
from reporting.models import HL7Peer
HL7Peer.objects.create(organization=Organization.objects.get(name="default"), name="RIS", address="127.0.0.1")
"""


def told(text: str) -> list[str]:
    """Lines in which a word of the patient stands."""
    return [line[:300] for line in text.splitlines() if any(word in line.lower() for word in WORDS)]


def test_what_was_asked_reached_the_patient_and_was_refused_where_it_was_broken(day: Doors) -> None:
    """Or nothing could have been told."""
    assert told(day.ask("GET", "/api/studies/").text)
    assert {200, 201, 400, 404, 409, 415} <= day.statuses
    assert not {status for status in day.statuses if status >= 500}


def test_no_word_of_the_patient_is_in_the_log(day: Doors) -> None:
    log = day.server.log()
    assert " DEBUG " in log
    assert told(log) == []


def test_no_word_of_the_patient_is_in_the_metrics(day: Doors) -> None:
    metrics = day.ask("GET", "/metrics").text
    assert "farview_" in metrics
    assert told(metrics) == []


@pytest.mark.parametrize(
    "address",
    [
        *("/studies/1.2.3.99/", "/studies/1.2.3/nothing/", "/reports/99999/", "/results/99999/", "/upload/nothing/"),
        *("/launch?accession=other", "/api/series/1.2.3.4/frame?view={", "/wado?requestType=WADO", "/share/nothing/"),
        *("/dicom-web/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.1/frames/99", "/fhir/Patient/nobody"),
    ],
)
def test_no_word_of_a_patient_is_on_an_error_page(day: Doors, address: str) -> None:
    answer = day.ask("GET", address, headers={"Accept": "text/html"}, allow_redirects=False)
    assert answer.status_code >= 400
    assert told(answer.text) == []
