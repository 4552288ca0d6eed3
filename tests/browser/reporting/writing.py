"""A writer's hands: a report opened in the page, text typed into it, and what the server holds of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

from tests.browser.conftest import Archive
from tests.browser.made import Made
from tests.chromium import wait_for, wait_until

LABEL = {"findings": "Findings", "impression": "Impression"}


class Writer:
    """One report as REST tells it to its author."""

    def __init__(self, archive: Archive, study: str, template: str | int = "free-text") -> None:
        self.archive, self.study = archive, study
        body = {"study": study, "template": template}
        told = archive.session.post(f"{archive.server.url}/api/reports/", json=body, timeout=60)
        told.raise_for_status()
        self.id = int(told.json()["id"])
        self.release()

    def release(self) -> None:
        """A program lets go of the lock that it took by opening."""
        self.post("lock/", {"action": "release"}).raise_for_status()

    def post(self, door: str, body: dict[str, Any]) -> Any:
        return self.archive.session.post(
            f"{self.archive.server.url}/api/reports/{self.id}/{door}", json=body, timeout=60
        )

    def put(self, body: dict[str, Any]) -> Any:
        return self.archive.session.put(f"{self.archive.server.url}/api/reports/{self.id}/", json=body, timeout=60)

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = self.archive.get(f"/api/reports/{self.id}/").json()
        return found

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = self.told["content"]
        return content

    def holds(self, field: str, value: Any, seconds: float = 15.0) -> None:
        """Waits until the server holds exactly this."""
        try:
            wait_until(lambda: self.content.get(field) == value, seconds=seconds)
        except AssertionError:
            raise AssertionError(f"{field} is {self.content.get(field)!r}, not {value!r}") from None

    def open(self, page: Page) -> Page:
        """The page of the report alone, ready to be written in."""
        page.goto(f"{self.archive.server.url}/reports/{self.id}/")
        return writing(page)


def writing(page: Page, state: str = "writing") -> Page:
    wait_for(page, f"(window.farview?.report ?? window.farview?.features.report)?.state === {json.dumps(state)}")
    return page


def area(page: Page, field: str) -> Locator:
    return page.locator(f'[data-field="{field}"] textarea')


def at_end(page: Page, field: str) -> Locator:
    """The caret at the end of a field."""
    found = area(page, field)
    found.focus()
    page.keyboard.press("Control+End")
    return found


def saved(page: Page) -> None:
    wait_for(page, "(farview.report ?? farview.features.report).saving === 'saved'")


def links(page: Page, field: str) -> list[list[str]]:
    """[kind, words] of the links painted in a field, in order."""
    found: list[list[str]] = page.evaluate(
        """(field) => [...document.querySelectorAll(`[data-field="${field}"] .mirror .chip`)]
             .map((one) => [one.dataset.kind, one.textContent])""",
        field,
    )
    return found


def take_in(archive: Archive, folder: Path) -> None:
    """The files of a folder, by the door through which pages send theirs."""
    sent = [("file", (path.name, path.read_bytes())) for path in sorted(folder.glob("*.dcm"))]
    told = archive.session.post(f"{archive.server.url}/api/uploads/", files=sent, timeout=60)
    assert {one["outcome"] for one in told.json()["outcomes"]} == {"stored"}, told.text


def begun_report(page: Page, made: Made) -> int:
    """A study sent, and a report of it begun, by whoever is at this page; its number."""
    files = [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in sorted(made.folder.glob("*.dcm"))]
    number: int = page.evaluate(
        """async ([study, files]) => {
          const token = { "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value };
          const form = new FormData();
          const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
          for (const [name, text] of files) form.append("file", new File([bytes(text)], name));
          const sent = await fetch("/api/uploads/", { method: "POST", headers: token, body: form });
          if (!sent.ok) throw new Error(await sent.text());
          const headers = { ...token, "Content-Type": "application/json" };
          const asked = (body) => ({ method: "POST", headers, body: JSON.stringify(body) });
          const post = async (door, body) => (await fetch(door, asked(body))).json();
          const { id } = await post("/api/reports/", { study, template: "free-text" });
          await post(`/api/reports/${id}/lock/`, { action: "release" });
          return id;
        }""",
        [made.study, files],
    )
    return number


def put_in_use(archive: Archive, schema: dict[str, Any], identifier: str) -> int:
    """A template of this schema, in use for everybody; its number."""
    code = (
        "import json,sys,hashlib;from django.utils import timezone;"
        "from reporting.models import Template,TemplateVersion;given=json.load(sys.stdin);"
        "made,_=Template.objects.get_or_create(identifier=given['identifier'],defaults={'title':given['schema']['title']});"
        "number=made.versions.count()+1;"
        "version=TemplateVersion.objects.create(template=made,number=number,title=given['schema']['title'],"
        "html='<!DOCTYPE html><title>x</title>',schema=given['schema'],sha256=hashlib.sha256(b'').hexdigest(),"
        "created_at=timezone.now());"
        "Template.objects.filter(pk=made.pk).update(active_version=version);print('template',made.pk)"
    )
    given = json.dumps({"schema": schema, "identifier": identifier})
    return int(archive.server.manage("shell", "-c", code, input=given).stdout.split()[-1])


def field(name: str, kind: str = "textarea", **more: Any) -> dict[str, Any]:
    """A field of a template's schema."""
    return {
        **{"id": name, "type": kind, "label": name.replace("_", " ").capitalize(), "default": "", "required": False},
        **{"completion": "NONE", "units": "", "minimum": None, "maximum": None, "step": None, "multiple": False},
        **{"options": [], "suggestions": [], "merge": "", "show_if": None, "codes": [], "spoken": ""},
        **more,
    }
