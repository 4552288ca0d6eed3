"""A day in the reading room, from the order that a hospital sends to the addendum that its doctor reads on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Archive, Reader, stage
from tests.browser.day.hospital import judge, order_message, send
from tests.browser.reporting.writing import area, saved, writing
from tests.browser.worklist.conftest import Day
from tests.chromium import wait_for, wait_until
from tests.live import LiveServer, free_port

HEAD = "series/mr_head_sag_HFDR"
MIDDLE = 17
"""The image that is measured."""


@pytest.fixture(scope="module")
def day(shared_data: Path) -> Iterator[Day]:
    with LiveServer(FARVIEW_ARRIVAL_QUIET_SECONDS="1", FARVIEW_HL7_PORT=str(free_port())) as server:
        yield opened(server, shared_data)


def opened(server: LiveServer, shared: Path) -> Day:
    """A site with its people, a referrer who is known by a number, and a system that may send orders."""
    roles = {"alice": "radiologist", "tess": "technologist", "bob": "referrer"}
    people = {name: Reader(name, *server.user(name, role)) for name, role in roles.items()}
    known = (
        "from accounts.models import *; from reporting.models import *;"
        "home = Organization.objects.get(name='default');"
        "ReferrerIdentity.objects.create(organization=home, user=User.objects.get(username='bob'), identifier='R-77');"
        "HL7Peer.objects.create(organization=home, name='RIS', address='127.0.0.1')"
    )
    server.manage("shell", "-c", known)
    return Day(server, Archive(server, shared, people["alice"]), people)


def picture(page: Page, name: str) -> None:
    """For a person to look at, when FARVIEW_PICTURES names a folder."""
    if folder := os.environ.get("FARVIEW_PICTURES"):
        page.wait_for_timeout(400)
        page.screenshot(path=Path(folder) / f"day-{name}.jpg", type="jpeg", quality=82)


def test_a_day(day: Day, browser_of: Callable[..., Page], tmp_path: Path) -> None:
    a_day(day, browser_of, tmp_path, lambda: day.archive.study(HEAD))


def a_day(day: Day, browser_of: Callable[..., Page], folder: Path, images_arrive: Callable[[], object]) -> int:
    """From the order to the addendum; the number of the report."""
    alice = browser_of("alice", width=1920, height=1080)
    bob = browser_of("bob", width=390, height=844, has_touch=True)
    order_arrives(day, alice, images_arrive)
    reading(day, alice)
    findings_by_keyboard(alice)
    report = signing(day, alice)
    the_doctor_reads(day, bob, report)
    addendum(day, bob, report)
    every_export_is_sound(day, report, folder)
    return report


def order_arrives(day: Day, alice: Page, images_arrive: Callable[[], object]) -> None:
    """By HL7; a calm one was there before. The images follow, and the item rises."""
    day.order("Calm^Carl", reading_class="ROUTINE")
    alice.goto(f"{day.server.url}/worklist/?tab=scheduled")
    wait_for(alice, "document.querySelector('#rows').textContent.includes('Calm, Carl')")
    folder = day.archive.shared / HEAD
    header = pydicom.dcmread(next(folder.glob("*.dcm")), stop_before_pixels=True)
    answer = send(
        int(day.server.environment["FARVIEW_HL7_PORT"]),
        order_message(
            patient=str(header.PatientID),
            name=str(header.PatientName),
            born=str(header.PatientBirthDate),
            sex=str(header.PatientSex),
            study=str(header.StudyInstanceUID),
            accession="DAY-ACC",
        ),
    )
    assert "MSA|AA|DAY-1" in answer, answer
    rows = "[...document.querySelectorAll('#rows tr')].map((row) => row.textContent)"
    wait_for(alice, f"{rows}.length === 2")
    alice.locator("#q").focus()
    alice.reload()
    wait_for(alice, f"{rows}[0]?.includes('DAY-ACC')")
    picture(alice, "1-expected")
    images_arrive()
    alice.goto(f"{day.server.url}/worklist/")
    wait_for(alice, f"{rows}[0]?.includes('DAY-ACC') && {rows}[0].includes('Ready')", 30)
    picture(alice, "2-worklist")


def reading(day: Day, alice: Page) -> None:
    """Opened by one key, with the right template; measured, and a key image marked."""
    alice.locator("#q").focus()
    alice.keyboard.press("ArrowDown")
    alice.keyboard.press("Enter")
    alice.wait_for_url("**/studies/**report=1*")
    wait_for(alice, "window.farview?.viewports[0]?.exact", 60)
    writing(alice)
    assert "MR brain" in alice.locator("#panel-report").inner_text()
    place = stage(alice)
    alice.keyboard.press("Escape")
    for _ in range(MIDDLE):
        alice.keyboard.press("ArrowDown")
    wait_for(alice, f"farview.viewports[0].exact && farview.viewports[0].lastHeader.view.frame === {MIDDLE}")
    alice.keyboard.press("d")
    alice.mouse.move(place["x"] - 60, place["y"])
    alice.mouse.down()
    alice.mouse.move(place["x"] + 60, place["y"], steps=6)
    alice.mouse.up()
    marks = "farview.features.measuring.marks"
    wait_for(alice, f"{marks}.length === 1 && {marks}.every((one) => one.state === 'kept')")
    alice.keyboard.press("k")
    wait_for(alice, "farview.features.keyImages.images.length === 1 && !farview.features.keyImages.marking")


def findings_by_keyboard(alice: Page) -> None:
    """The template is filled without the mouse; a side is wrong and a place is left open."""
    area(alice, "parenchyma").focus()
    alice.keyboard.press("Control+a")
    alice.keyboard.type("Left frontal lesion of ")
    alice.keyboard.press("F2")
    wait_for(alice, "document.querySelectorAll('[data-field=parenchyma] .mirror .chip').length === 1")
    alice.keyboard.type(", see ")
    alice.keyboard.press("Shift+F2")
    wait_for(alice, "document.querySelectorAll('[data-field=parenchyma] .mirror .chip').length === 2")
    alice.keyboard.type(".")
    area(alice, "impression").focus()
    alice.keyboard.type("Right frontal lesion, most likely [ ].")
    saved(alice)
    picture(alice, "3-writing")


def signing(day: Day, alice: Page) -> int:
    """Stopped by the open place, then by the wrong side; mended, then signed with the password."""
    alice.keyboard.press("Control+Enter")
    dialog = alice.locator("dialog.signing")
    dialog.wait_for()
    assert "must be mended" in dialog.inner_text()
    assert dialog.locator("button[type=submit]").is_disabled()
    picture(alice, "4-stopped")
    alice.keyboard.press("Escape")
    impression = area(alice, "impression")
    impression.focus()
    alice.keyboard.press("Control+a")
    alice.keyboard.type("Right frontal lesion, most likely a metastasis.")
    saved(alice)
    alice.keyboard.press("Control+Enter")
    dialog.wait_for()
    assert dialog.locator("[data-rule^=laterality]").count() >= 1, dialog.inner_text()
    dialog.locator("input[type=password]").fill(day.people["alice"].password)
    alice.keyboard.press("Enter")
    assert "mend it" in dialog.locator("[role=alert]").inner_text()
    picture(alice, "5-wrong-side")
    alice.keyboard.press("Escape")
    impression.focus()
    alice.keyboard.press("Control+a")
    alice.keyboard.type("Left frontal lesion, most likely a metastasis.")
    saved(alice)
    alice.keyboard.press("Control+Enter")
    dialog.wait_for()
    assert dialog.locator("[data-rule^=laterality]").count() == 0
    for box in dialog.locator("[name=acknowledged]").all():
        box.check()
    dialog.locator("input[type=password]").fill("not the password")
    alice.keyboard.press("Enter")
    wait_for(alice, "document.querySelector('dialog.signing [role=alert]').textContent !== ''")
    dialog.locator("input[type=password]").fill(day.people["alice"].password)
    alice.keyboard.press("Enter")
    dialog.wait_for(state="detached")
    report = int(alice.evaluate("farview.features.report.id"))
    told = day.ask("alice", "GET", f"/api/reports/{report}/")
    assert told["state"] == "final"
    picture(alice, "6-signed")
    return report


def the_doctor_reads(day: Day, bob: Page, report: int) -> None:
    """On a phone: the report with its pictures, and the way to the images."""
    bob.goto(f"{day.server.url}/results/")
    picture(bob, "7-results")
    bob.locator(f"a[href='/results/{report}/']").click()
    bob.locator(".signed-report").wait_for()
    text = bob.locator(".signed-report").inner_text()
    assert "Left frontal lesion of" in text
    assert "metastasis" in text
    assert "Right frontal" not in text
    images = ".signed-report img"
    wait_for(bob, f"[...document.querySelectorAll('{images}')].every((one) => one.complete && one.naturalWidth > 0)")
    assert bob.locator(images).count() == 2
    assert bob.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    picture(bob, "8-report-on-a-phone")
    bob.get_by_role("link", name="Images").click()
    wait_for(bob, "window.farview?.viewports[0]?.exact", 60)
    assert bob.locator("#tab-report").count() == 0, "nothing to write with"


def addendum(day: Day, bob: Page, report: int) -> None:
    body = {"text": "Compared with the CT of yesterday: unchanged.", "password": day.people["alice"].password}
    day.ask("alice", "POST", f"/api/reports/{report}/addendum/", body)
    bob.goto(f"{day.server.url}/results/{report}/")
    assert "Compared with the CT of yesterday: unchanged." in bob.locator(".signed-report").inner_text()


def every_export_is_sound(day: Day, report: int, folder: Path) -> None:
    for kind in ("html", "pdf", "sr", "fhir", "hl7"):
        answer = day.archive.get(f"/api/reports/{report}/export/{kind}")
        judge(kind, answer.content, folder)
    held = wait_until(
        lambda: {one["kind"] for one in objects_of(day) if one["kind"] in ("sr", "pdf")} == {"sr", "pdf"},
        "report in the archive as SR and PDF",
        60,
    )
    assert held


def objects_of(day: Day) -> list[dict[str, str]]:
    study = day.archive.study(HEAD).study_instance_uid
    found: list[dict[str, str]] = day.archive.get(f"/api/studies/{study}/objects/").json()["objects"]
    return found
