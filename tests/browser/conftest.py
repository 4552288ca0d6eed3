"""A real server, a real Chromium, real files: what a reader meets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page

from tests.chromium import chromium, wait_for  # noqa: F401
from tests.live import LiveServer

CHEST = "series/ct_chest_lidc0314_jpegls"
EMPTY_PANE = "farview.viewports[0]"


@dataclass(frozen=True)
class Reader:
    """Someone who may sign in."""

    name: str
    password: str
    token: str


@dataclass(frozen=True)
class Study:
    """A study in the server's archive."""

    study_instance_uid: str
    row: dict[str, Any]
    series: list[dict[str, Any]]


class Archive:
    """The live server as its first reader sees it; takes a shared file or folder in once."""

    def __init__(self, server: LiveServer, shared: Path, reader: Reader) -> None:
        self.server, self.shared, self.reader = server, shared, reader
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {reader.token}"
        self._taken: dict[str, Study] = {}

    def get(self, address: str, **parameters: Any) -> requests.Response:
        answer = self.session.get(f"{self.server.url}{address}", params=parameters, timeout=60)
        answer.raise_for_status()
        return answer

    def study(self, name: str, *more: str) -> Study:
        """The study that the shared file or folder `name` belongs to."""
        if name not in self._taken:
            self.server.manage("ingest", self.shared / name, *(self.shared / one for one in more))
            self.arrived(name)
        return self._taken[name]

    def arrived(self, name: str) -> Study:
        """The same, where it came by another door."""
        import pydicom

        path = self.shared / name
        first = path if path.is_file() else sorted(path.glob("*.dcm"))[0]
        uid = str(pydicom.dcmread(first, stop_before_pixels=True, force=True).StudyInstanceUID)
        whole = self.get(f"/api/studies/{uid}/").json()
        self._taken[name] = Study(uid, whole, whole["series"])
        return self._taken[name]


@pytest.fixture(scope="module")
def live_server_process() -> Iterator[LiveServer]:
    """A server for a module's tests: what readers leave on the real studies in one is not there in the next."""
    with LiveServer() as server:
        yield server


@pytest.fixture(scope="module")
def archive(live_server_process: LiveServer, shared_data: Path) -> Archive:
    password, token = live_server_process.user("alice", "radiologist")
    return Archive(live_server_process, shared_data, Reader("alice", password, token))


def sign_in(page: Page, url: str, name: str, password: str) -> None:
    page.goto(url)
    page.fill("input[name=username]", name)
    page.fill("input[type=password]", password)
    page.keyboard.press("Enter")
    page.locator("#q").wait_for()


class Sessions:
    """Alice's signed-in browsers. Each has a session of its own, as two computers have; one that is over is used again by the
    next test while its key holds. A key dies where she proves anew who she is, as with every signature."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._resting: list[dict[str, Any]] = []

    def one(self) -> dict[str, Any]:
        """Cookies of a session that holds."""
        while self._resting:
            cookies = self._resting.pop()
            if self._holds(cookies):
                return cookies
        return self._begun()

    def rests(self, context: BrowserContext) -> None:
        """The browser is closed; whoever is next may go on in its session."""
        self._resting.append({"cookies": context.cookies(), "origins": []})

    def _holds(self, state: dict[str, Any]) -> bool:
        """Whether it is Alice's still: a test may have signed out, or signed somebody else in."""
        cookies = {one["name"]: one["value"] for one in state["cookies"]}
        answer = requests.get(f"{self._archive.server.url}/accounts/session/", cookies=cookies, timeout=60)
        return bool(answer.json().get("name") == self._archive.reader.name)

    def _begun(self) -> dict[str, Any]:
        """By the server's own hand: the sign-in page has tests of its own."""
        server, name = self._archive.server, self._archive.reader.name
        key = server.manage("shell", "-c", SESSION.format(name)).stdout.split()[-1]
        cookie = {
            "name": f"farview_session_{server.port}",
            "value": key,
            "domain": server.host,
            "path": "/",
            "sameSite": "Lax",
        }
        return {"cookies": [{**cookie, "expires": -1, "httpOnly": True, "secure": False}], "origins": []}


SESSION = (
    "from django.test import Client; from accounts.models import User; client = Client();"
    "client.force_login(User.objects.get(username='{}')); print(client.session.session_key)"
)


@pytest.fixture(scope="module")
def sessions(archive: Archive) -> Sessions:
    return Sessions(archive)


@pytest.fixture
def browse(
    chromium: Browser,  # noqa: F811
    sessions: Sessions,
) -> Iterator[Callable[..., Page]]:
    """Makes pages of a browser in which Alice is signed in. What the page complains about fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def page_of(width: int = 1400, height: int = 900, **options: Any) -> Page:
        size = {"width": width, "height": height}
        context = chromium.new_context(viewport=size, storage_state=sessions.one(), **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        return page

    yield page_of
    for context in contexts:
        sessions.rests(context)
        context.close()
    assert not complaints, complaints


@pytest.fixture
def opened(browse: Callable[..., Page], archive: Archive) -> Callable[..., Page]:
    """Opens a study of the shared files and waits for its first exact picture."""

    def open_study(name: str, *more: str, wait: bool = True, **options: Any) -> Page:
        study = archive.study(name, *more)
        page = browse(**options)
        page.goto(f"{archive.server.url}/studies/{study.study_instance_uid}/")
        if wait:
            wait_for(page, f"window.farview && {EMPTY_PANE}?.exact")
        return page

    return open_study


PAINTED = """async (number) => {
  const { canvas, lastHeader } = farview.viewports[number];
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let grey = true;
  for (let at = 0; at < data.length && grey; at += 4) grey = data[at] === data[at + 1] && data[at] === data[at + 2];
  const pixels = canvas.width * canvas.height;
  const raw = new Uint8Array(grey ? pixels : pixels * 3);
  if (grey) for (let at = 0; at < pixels; at += 1) raw[at] = data[4 * at];
  else for (let at = 0; at < pixels; at += 1) raw.set(data.subarray(4 * at, 4 * at + 3), 3 * at);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", raw));
  const box = canvas.getBoundingClientRect();
  return {
    sha256: [...digest].map((one) => one.toString(16).padStart(2, "0")).join(""),
    grey, levels: new Set(raw).size, header: lastHeader, width: canvas.width, height: canvas.height,
    onScreen: [box.width * devicePixelRatio, box.height * devicePixelRatio],
  };
}"""


def painted(page: Page, viewport: int = 0) -> dict[str, Any]:
    """What the canvas of a viewport holds: the digest of its pixels (one channel where all are grey) and its header."""
    result: dict[str, Any] = page.evaluate(PAINTED, viewport)
    return result


def still(page: Page, viewport: int = 0) -> dict[str, Any]:
    """Waits for the exact picture of the newest change; its header."""
    wait_for(page, f"farview.viewports[{viewport}].exact")
    header: dict[str, Any] = page.evaluate(f"farview.viewports[{viewport}].lastHeader")
    return header


def stage(page: Page, viewport: int = 0) -> dict[str, float]:
    """The middle of a pane and its size, in CSS pixels."""
    box = page.locator(".pane .stage").nth(viewport).bounding_box()
    assert box is not None
    return {
        "x": box["x"] + box["width"] / 2,
        "y": box["y"] + box["height"] / 2,
        **{k: box[k] for k in ("width", "height")},
    }


def fitted(page: Page) -> dict[str, Any]:
    """What is painted once the picture has the size of its pane."""
    wait_for(
        page,
        """(() => {
          const [{ exact, lastHeader, canvas }] = farview.viewports;
          const { width, height } = canvas.parentElement.getBoundingClientRect();
          return exact && Math.abs(lastHeader.columns - width) < 1 && Math.abs(lastHeader.rows - height) < 1;
        })()""",
    )
    return painted(page)
