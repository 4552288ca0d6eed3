"""A server with orders on it, and the people of a reading day, each in a browser of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import Archive, Reader, sign_in
from tests.browser.reporting.people import people
from tests.chromium import chromium as chromium
from tests.live import LiveServer

HEAD = "series/ct_head_gantry_tilt_ge_jpll"
KNEE = "series/mr_head_sag_HFDR"
NUMBERS = count(1)


@dataclass
class Day:
    """A reading day at one site."""

    server: LiveServer
    archive: Archive
    people: dict[str, Reader]
    sessions: dict[str, requests.Session] = field(default_factory=dict)

    def ask(self, who: str, method: str, address: str, body: Any = None, status: int = 200) -> Any:
        """A REST door as one of the people."""
        session = self.sessions.setdefault(who, requests.Session())
        session.headers["Authorization"] = f"Bearer {self.people[who].token}"
        answer = session.request(method, f"{self.server.url}{address}", json=body, timeout=60)
        assert answer.status_code == status, f"{method} {address}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None

    def items(self, who: str = "alice", query: str = "tab=open") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask(who, "GET", f"/api/worklist/?{query}")["items"]
        return found

    def order(self, name: str = "Muster^Erika", **facts: Any) -> dict[str, Any]:
        """An order without images, entered by the technologist."""
        number = next(NUMBERS)
        patient = {"patient_id": f"W{number:04}", "name": name, "birth_date": "19610312", "sex": "F"}
        body = {
            "patient": patient,
            "accession_number": f"ACC{number:04}",
            "modality": "CT",
            "procedure_text": "CT chest",
            "reason": "Cough for six weeks.",
            **facts,
        }
        placed: dict[str, Any] = self.ask("tess", "POST", "/api/orders/", body, 201)
        return placed


@pytest.fixture(scope="module")
def day(shared_data: Path) -> Iterator[Day]:
    with LiveServer(FARVIEW_ARRIVAL_QUIET_SECONDS="1") as server:
        roles = {
            "alice": "radiologist",
            "anna": "radiologist",
            "rita": "resident",
            "tess": "technologist",
            "boss": "admin",
            "bob": "referrer",
        }
        known = people(server, {name: [role] for name, role in roles.items()})
        archive = Archive(server, shared_data, known["alice"])
        yield Day(server, archive, known)


@pytest.fixture
def browser_of(chromium: Browser, day: Day) -> Iterator[Callable[..., Page]]:
    """Makes a page of a browser in which one of the people is signed in. What the page complains about fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def page_of(who: str, width: int = 1400, height: int = 900, **options: Any) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        sign_in(page, day.server.url + "/", who, day.people[who].password)
        return page

    yield page_of
    for context in contexts:
        context.close()
    assert not complaints, complaints
