"""What files, messages and people write is text on every page: forty strings in forty attributes, and nothing of it acts.

One server takes them in by upload, STOW-RS and C-STORE, orders by HL7 and by REST, names by every other door, and a real
Chromium with a watch on executions, dialogs, foreign requests and breaches of the policy opens the pages.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page
from pynetdicom import AE

from tests.browser.conftest import Archive, sign_in
from tests.browser.day.hospital import send
from tests.browser.hostile import STRINGS, HostileStudy
from tests.browser.reporting.people import people
from tests.chromium import chromium as chromium
from tests.chromium import wait_for, wait_until
from tests.live import LiveServer, free_port

STUDIES = range(800, 840)
WITH_DOCUMENTS = range(800, 803)

ROWS = """
import json, sys
from accounts.models import *
from reporting.models import *
from viewer.models import *
home = Organization.objects.get(name="default")
HL7Peer.objects.create(organization=home, name="RIS", address="127.0.0.1")
alice = User.objects.get(username="alice")
for number, text in enumerate(json.load(sys.stdin)):
    clean = text.replace(chr(0), "")
    Macro.objects.create(owner=alice, shortcut=clean[:28] + str(number), spoken_name=clean[:100], text=clean[:8000])
    other = User.objects.create(username=clean[:140] + str(number), first_name=clean[:150], last_name=clean[:150])
    Membership.objects.create(user=other, organization=home, role="radiologist")
    Organization.objects.create(name=f"{clean[:90]}{number}")
    ApiToken.objects.create(user=alice, name=clean[:100], digest=f"{number:064}")
    Destination.objects.create(
        organization=home, name=clean[:90] + str(number), kind="archive", address=clean[:500], active=False
    )
"""

WATCH = """
window.breaches = [];
document.addEventListener("securitypolicyviolation", (event) => window.breaches.push(
  `${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""


class Watched:
    """A browser's context that writes down everything that a text should not have been able to do."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.faults: list[str] = []
        context.add_init_script(WATCH)
        context.on("page", self._follow)
        self.page = context.new_page()

    def _follow(self, page: Page) -> None:
        page.on("dialog", lambda dialog: (self.faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("console", lambda said: self._heard(said.text))
        page.on("pageerror", lambda problem: self.faults.append(f"error {problem}"))
        page.on("request", lambda request: self._asked(request.url))

    def _heard(self, text: str) -> None:
        if "Content Security" in text or "Content-Security" in text:
            self.faults.append(f"policy {text}")

    def _asked(self, address: str) -> None:
        if not address.startswith((self.url, self.url.replace("http", "ws"), "blob:", "data:", "about:")):
            self.faults.append(f"request {address}")

    def look(self, address: str, ready: str = "document.readyState === 'complete'", seconds: float = 60) -> Page:
        """Opens a page of the server, waits until it stands, and looks at what became of the texts."""
        answer = self.page.goto(self.url + address)
        assert answer is not None
        assert answer.status < 500, address
        wait_for(self.page, ready, seconds)
        self.unharmed(address)
        return self.page

    def unharmed(self, where: str) -> None:
        found = self.page.evaluate(
            """() => ({
              struck: window.struck ?? null,
              breaches: window.breaches,
              planted: document.querySelectorAll("img[src=x], [onerror], [onload], [onfocus], [ontoggle], [onbegin], "
                + "iframe[srcdoc], base, object, meta[http-equiv], a[href^='javascript']").length,
              inline: [...document.scripts].filter((one) => !one.src && !/json/.test(one.type)).length,
            })"""
        )
        assert found == {"struck": None, "breaches": [], "planted": 0, "inline": 0}, (where, found)
        assert self.faults == [], where


@pytest.fixture(scope="module")
def hospital(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Everything hostile is in; Alice holds every role. The server is this fixture's own: made anew, it begins empty."""
    with LiveServer(dicom=True, FARVIEW_HL7_PORT=str(free_port()), FARVIEW_ARRIVAL_QUIET_SECONDS="1") as server:
        yield filled(server, shared_data, tmp_path_factory.mktemp("hostile"))


def filled(server: LiveServer, shared_data: Path, folder: Path) -> Archive:
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
    roles = ["radiologist", "admin", "technologist", "referrer"]
    archive = Archive(server, shared_data, people(server, {"alice": roles})["alice"])
    server.manage("shell", "-c", ROWS, input=json.dumps(STRINGS))
    server.manage("add_peer", "SCANNER", "127.0.0.1", "--may", "store")
    try:
        studies = [HostileStudy(folder / str(number), number) for number in STUDIES]
        for number in WITH_DOCUMENTS:
            studies[number - STUDIES[0]].documents()
    finally:
        pydicom.config.settings.writing_validation_mode = pydicom.config.WARN
    files = [sorted(study.folder.glob("*.dcm")) for study in studies]
    for one, door in enumerate((uploaded, stowed, c_stored)):
        door(archive, [path for paths in files[one::3] for path in (paths if len(paths) > 6 else paths[:1])])
    ordered(archive)
    shared(archive)
    return archive


def uploaded(archive: Archive, paths: list[Path]) -> None:
    for start in range(0, len(paths), 20):
        parts = [
            ("file", (STRINGS[n % 40][:80], path.read_bytes())) for n, path in enumerate(paths[start : start + 20])
        ]
        answer = archive.session.post(f"{archive.server.url}/api/uploads/", files=parts, timeout=120)
        answer.raise_for_status()
        assert {one["outcome"] for one in answer.json()["outcomes"]} == {"stored"}, answer.json()


def stowed(archive: Archive, paths: list[Path]) -> None:
    mark = uuid.uuid4().hex
    parts = [b"--%s\r\nContent-Type: application/dicom\r\n\r\n%s\r\n" % (mark.encode(), p.read_bytes()) for p in paths]
    answer = archive.session.post(
        f"{archive.server.url}/dicom-web/studies",
        data=b"".join(parts) + b"--%s--\r\n" % mark.encode(),
        headers={"Content-Type": f'multipart/related; type="application/dicom"; boundary={mark}'},
        timeout=120,
    )
    assert answer.status_code == 200, answer.text[:500]


def c_stored(archive: Archive, paths: list[Path]) -> None:
    entity = AE(ae_title="SCANNER")
    objects = [pydicom.dcmread(path) for path in paths]
    for kind in sorted({one.SOPClassUID for one in objects}):
        entity.add_requested_context(kind, "1.2.840.10008.1.2.1")
    line = entity.associate(
        "127.0.0.1", int(archive.server.environment["FARVIEW_DICOM_PORT"]), ae_title="FARVIEW", evt_handlers=[]
    )
    assert line.is_established
    for one in objects:
        assert line.send_c_store(one).Status == 0
    line.release()


def ordered(archive: Archive) -> None:
    """Orders with the strings in every field, by REST and by HL7."""
    for number, text in enumerate(STRINGS):
        body = {
            "patient": {"patient_id": f"H{number}", "name": text[:300], "birth_date": "19700101", "sex": "F"},
            "accession_number": f"HOST{number}",
            "modality": "CT",
            "procedure_text": text[:190],
            "reason": text[:3900],
            "referring_physician": text[:300],
        }
        answer = archive.session.post(f"{archive.server.url}/api/orders/", json=body, timeout=60)
        assert answer.status_code in (201, 400), answer.text[:300]
        if number % 4:
            continue
        escaped = re.sub(r"[|^~\\&\r\n\x00]", " ", text)[:150]
        message = (
            f"MSH|^~\\&|RIS|WARD|FARVIEW|SITE|20261122083000||ORM^O01^ORM_O01|H-{number}|P|2.5.1||||||UNICODE UTF-8\r"
            f"PID|1||L{number}||{escaped}^{escaped}||19700101|F\rORC|NW|PL-{number}|FI-{number}\r"
            f"OBR|1|PL-{number}|FI-{number}|CT^{escaped}^L|||||||||{escaped}|||R-1^{escaped}||HL{number}||||||CT\r"
        )
        assert "MSA|" in send(int(archive.server.environment["FARVIEW_HL7_PORT"]), message)


def shared(archive: Archive) -> None:
    """Links for people with the strings as their names, which the pages of links list."""
    for text in STRINGS[:30:3]:
        asked = {"recipient": text.replace("\x00", "")[:200]}
        door = f"{archive.server.url}/api/studies/{uid(800)}/share-links/"
        answer = archive.session.post(door, json=asked, timeout=60)
        assert answer.status_code in (201, 400), answer.text[:300]


@pytest.fixture(scope="module")
def watched(chromium: Browser, hospital: Archive) -> Iterator[Watched]:
    context = chromium.new_context(viewport={"width": 1600, "height": 1000})
    watched = Watched(context, hospital.server.url)
    sign_in(watched.page, hospital.server.url + "/", hospital.reader.name, hospital.reader.password)
    yield watched
    context.close()


def test_a_text_that_acts_would_be_seen(chromium: Browser, hospital: Archive) -> None:
    """The watch itself: a page without our policy, with one of the strings as markup, is caught."""
    context = chromium.new_context()
    watched = Watched(context, hospital.server.url)
    watched.page.set_content(STRINGS[1])
    wait_for(watched.page, "window.struck === 2")
    with pytest.raises(AssertionError):
        watched.unharmed("a page of the test's own")
    context.close()


ASKED = "%3Cscript%3Ewindow.struck%3D1%3C%2Fscript%3E"
PAGES = (
    *("/", f"/?q={ASKED}", "/worklist/", "/upload/", "/transfers/", "/results/"),
    *("/shares/", "/emergency/", "/accounts/tokens/", "/accounts/sessions/", f"/launch?accession={ASKED}"),
    f"/admin/accounts/auditevent/?q={ASKED}&patient_id={ASKED}",
)


@pytest.mark.parametrize("address", PAGES)
def test_the_lists_show_text(watched: Watched, address: str) -> None:
    watched.look(address)
    watched.page.wait_for_load_state("networkidle")
    watched.unharmed(address)


def test_the_list_of_studies_shows_the_names_as_they_are(watched: Watched) -> None:
    page = watched.look("/?q=onerror")
    wait_until(lambda: "window.struck=2" in page.locator("body").inner_text(), pause=page.wait_for_timeout)


@pytest.mark.parametrize("number", [*WITH_DOCUMENTS, *range(805, 840, 7)])
def test_a_study_in_the_viewer_with_every_panel_open(watched: Watched, number: int) -> None:
    page = watched.look(f"/studies/{uid(number)}/", "window.farview && farview.viewports[0]?.exact")
    for tab in page.locator("[role=tab]").all():
        if tab.is_visible():
            tab.click()
            watched.unharmed(f"study {number}, {tab.get_attribute('id')}")
    for row in page.locator("#panel-objects .object-list > li button:visible").all()[:6]:
        row.click()
        watched.unharmed(f"study {number}, an object")
    watched.look(f"/studies/{uid(number)}/correct/")


def test_the_text_of_a_structured_report_is_there_as_text(watched: Watched) -> None:
    page = watched.look(
        f"/studies/{uid(800)}/",
        "window.farview && farview.features.objects.state === 'ready' && farview.viewports[0].exact",
    )
    page.locator("#tab-objects").click()
    page.locator("#panel-objects .object-list > li", has_text="Structured report").locator("button").first.click()
    wait_until(lambda: STRINGS[5] in page.locator("body").inner_text(), pause=page.wait_for_timeout)
    watched.unharmed("the structured report")


def uid(number: int) -> str:
    return f"1.2.826.0.1.3680043.10.1577.{number}"


@pytest.fixture(scope="module")
def report(hospital: Archive) -> dict[str, Any]:
    """A signed report of a hostile study, every string in it."""
    url, session = hospital.server.url, hospital.session
    made = session.post(f"{url}/api/reports/", json={"study": uid(800), "template": "free-text"}, timeout=60)
    assert made.status_code in (200, 201), made.text
    one = made.json()["id"]
    text = "\n".join(text[:400].replace("\x00", "") for text in STRINGS)
    based = session.get(f"{url}/api/reports/{one}/", timeout=60).json()["version"]
    content = {"findings": text, "impression": text}
    put = session.put(f"{url}/api/reports/{one}/", json={"based_on": based, "content": content}, timeout=60)
    assert put.status_code == 200, put.text
    problems = session.get(f"{url}/api/reports/{one}/checks/", timeout=60).json()["problems"]
    said = {
        "password": hospital.reader.password,
        "meaning": "final",
        "acknowledged": [problem["rule"] for problem in problems],
    }
    signed = session.post(f"{url}/api/reports/{one}/sign/", json=said, timeout=60)
    assert signed.status_code == 200, signed.text
    return {"id": one, "text": text}


def test_the_report_and_its_result_show_text(watched: Watched, report: dict[str, Any]) -> None:
    page = watched.look(f"/reports/{report['id']}/")
    page.wait_for_load_state("networkidle")
    watched.unharmed("the report")
    page = watched.look(f"/results/{report['id']}/")
    assert STRINGS[1] in page.locator("body").inner_text()


@pytest.mark.parametrize("kind", ["html", "pdf", "sr", "fhir", "hl7"])
def test_exports_of_the_report_are_inert(
    chromium: Browser, hospital: Archive, report: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    answer = hospital.session.get(f"{hospital.server.url}/api/reports/{report['id']}/export/{kind}", timeout=120)
    assert answer.status_code == 200, answer.text[:300]
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    if kind == "html":
        saved = tmp_path / "report.html"
        saved.write_bytes(answer.content)
        page = chromium.new_page()
        page.goto(saved.as_uri())
        assert page.evaluate("window.struck === undefined && !document.querySelector('script, img[src=x], [onerror]')")
        assert STRINGS[1] in page.locator("body").inner_text()
        page.context.close()
    if kind == "pdf":
        for word in (b"/JavaScript", b"/JS", b"/Launch", b"/OpenAction", b"/AA", b"/EmbeddedFile", b"/URI"):
            assert word + b" " not in answer.content
            assert word + b"(" not in answer.content
            assert word + b"<" not in answer.content


def test_names_of_files_that_go_out_hold_nothing_of_the_text(hospital: Archive) -> None:
    for address in (f"/api/studies/{uid(805)}/export.zip", f"/api/studies/{uid(800)}/export.zip"):
        with hospital.session.get(hospital.server.url + address, stream=True, timeout=120) as answer:
            assert answer.status_code == 200
            assert re.fullmatch(r'attachment; filename="[\w.-]+"', answer.headers["Content-Disposition"])
            assert "struck" not in str(answer.cookies)


def test_every_list_of_the_administration_shows_text(watched: Watched) -> None:
    page = watched.look("/admin/")
    lists = page.evaluate("[...document.querySelectorAll('#content-main th a')].map((one) => one.pathname)")
    assert len(lists) > 8
    for address in lists:
        page = watched.look(address)
        rows = page.evaluate("[...document.querySelectorAll('#result_list th a')].map((one) => one.pathname)")
        for row in rows[:1]:
            watched.look(row)


def test_pages_of_errors_show_nothing_of_what_was_asked(watched: Watched) -> None:
    for address in ("/studies/%3Cimg src=x onerror=window.struck=1%3E/", "/%3Cscript%3E/", "/results/99999/"):
        watched.look(address)


def test_the_server_counted_no_breach_and_failed_nowhere(hospital: Archive, watched: Watched) -> None:
    told: requests.Response = hospital.get("/metrics")
    assert not re.search(r"farview_csp_reports_total\{", told.text)
    _, failed, trace = hospital.server.log().partition("Traceback")
    assert not failed, trace[-3000:]
