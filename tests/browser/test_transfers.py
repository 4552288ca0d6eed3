"""Studies are sent from the list and fetched from another archive, by mouse and by keyboard, and their way is seen live."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pydicom.uid import generate_uid

from tests.browser.conftest import Archive
from tests.browser.elsewhere import Elsewhere
from tests.live import LiveServer, free_port
from tests.viewer.archive.objects import slices
from tests.viewer.dimse.receiver import Receiver


@pytest.fixture(scope="module")
def live_server_process() -> Iterator[LiveServer]:
    """With its DICOM node, which does the transfers."""
    with LiveServer(FARVIEW_DICOM_PORT=str(free_port())) as server:
        yield server


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    with Elsewhere(tmp_path / "elsewhere") as found:
        yield found


def known(archive: Archive, ae_title: str, port: int, **more: Any) -> None:
    values = {"port": port, "description": "", **more}
    archive.server.manage(
        "shell",
        "-c",
        "from accounts.models import Organization; from viewer.models import DicomPeer; DicomPeer.objects.update_or_create("
        f"ae_title={ae_title!r}, host='127.0.0.1', defaults=dict(organization=Organization.objects.get(name='default'), "
        f"**{values!r}))",
    )


def sound(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_study_is_sent_from_the_list_by_keyboard_and_its_way_is_seen(
    browse: Callable[..., Page], archive: Archive, tmp_path: Path
) -> None:
    uid = generate_uid()
    archive.server.manage("ingest", slices(tmp_path / "sent", 6, study=uid, series=f"{uid[:56]}.1")[0].parent)
    with Receiver("WARD7", slow_s=0.05) as receiver:
        known(archive, "WARD7", receiver.port, description="Ward 7")
        page = browse()
        page.goto(f"{archive.server.url}/?q={uid}")
        page.locator("#rows a").first.focus()
        page.keyboard.press("m")
        page.get_by_role("menuitem", name="Send to another archive").press("Enter")
        dialog = page.get_by_role("dialog", name="Send to another archive")
        expect(dialog).to_contain_text("Doe, Jane")
        dialog.get_by_label("Archive").select_option(label="Ward 7 (WARD7)")
        dialog.get_by_role("button", name="Send").press("Enter")
        page.get_by_role("dialog", name="On its way").get_by_role("link", name="Show transfers").click()
        row = page.locator(".transfer", has_text="Ward 7")
        expect(row.locator(".state-word")).to_have_text("done", timeout=30_000)
        expect(row).to_contain_text("6 of 6")
        expect(row).to_contain_text("alice")
        sound(page)
        assert len(receiver.uids) == 6


def test_what_goes_wrong_is_said_and_it_is_cancelled_and_tried_again(
    browse: Callable[..., Page], archive: Archive, tmp_path: Path
) -> None:
    uid, port = generate_uid(), free_port()
    archive.server.manage("ingest", slices(tmp_path / "sent", 1, study=uid, series=f"{uid[:56]}.1")[0].parent)
    known(archive, "AWAY", port)
    peers = archive.get("/api/peers/").json()["peers"]
    number = next(peer["id"] for peer in peers if peer["ae_title"] == "AWAY")
    body = {"kind": "send", "peer": number, "study": uid}
    archive.session.post(f"{archive.server.url}/api/transfers/", json=body, timeout=30).raise_for_status()
    page = browse()
    page.goto(f"{archive.server.url}/transfers/")
    row = page.locator(".transfer", has_text="AWAY")
    expect(row).to_contain_text("cannot be reached: connection refused", timeout=30_000)
    row.get_by_role("button", name="Cancel").click()
    expect(row.locator(".state-word")).to_have_text("cancelled")
    row.get_by_role("button", name="Try again").click()
    expect(row.locator(".state-word")).not_to_have_text("cancelled")
    page.get_by_label("Only what waits").check()
    expect(page.locator(".transfer[data-state=done]")).to_have_count(0)
    sound(page)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_study_is_searched_at_another_archive_and_fetched(
    browse: Callable[..., Page], archive: Archive, elsewhere: Elsewhere, width: int
) -> None:
    known(archive, "ELSEWHERE", elsewhere.port, description="The old archive", is_archive=True)
    page = browse(width=width, height=800)
    page.goto(f"{archive.server.url}/transfers/")
    page.get_by_role("button", name="Fetch from an archive").click()
    dialog = page.get_by_role("dialog", name="Fetch from an archive")
    dialog.get_by_role("button", name="Search").click()
    expect(dialog.locator("[role=status]")).to_contain_text("is needed")
    dialog.get_by_label("Patient ID").fill("nobody")
    dialog.get_by_label("Patient ID").press("Enter")
    expect(dialog.locator("[role=status]")).to_have_text("Nothing matches there.")
    dialog.get_by_label("Patient ID").fill("ELSE-1")
    dialog.get_by_label("Patient ID").press("Enter")
    found = dialog.locator(".found li", has_text=f"{elsewhere.family}, Anna")
    expect(found).to_contain_text("2019-03-04")
    expect(found).to_contain_text("4 images")
    found.get_by_role("button", name="Fetch").press("Enter")
    expect(found).to_contain_text("waiting")
    page.keyboard.press("Escape")
    row = page.locator(".transfer", has_text=f"{elsewhere.family}, Anna").first
    expect(row.locator(".state-word")).to_have_text("done", timeout=30_000)
    row.get_by_role("link", name=f"{elsewhere.family}, Anna").wait_for()
    sound(page)
    assert archive.get(f"/api/studies/{elsewhere.study}/").json()["number_of_instances"] == 4
