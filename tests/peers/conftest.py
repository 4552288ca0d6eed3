"""Programs of others, as they come from their packages; in a gate's run their absence is a failure."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.live import LiveServer
from tests.peers import orthanc as orthanc_process

Dcmtk = Callable[..., subprocess.CompletedProcess[str]]


def needed(path: Path, package: str) -> Path:
    """`path` where it is there; else a failure in a gate's run and a named skip elsewhere."""
    if path.exists():
        return path
    message = f"{path} is not here (Debian: apt-get install {package})"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def dcmtk() -> Dcmtk:
    """`dcmtk("storescu", "-aec", "FARVIEW", ...)` runs one of DCMTK's programs; pynetdicom has some of the same names."""

    def run(
        program: str, *arguments: object, timeout: float = 120.0, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        path = needed(Path("/usr/bin") / program, "dcmtk")
        return subprocess.run(
            [str(path), *map(str, arguments)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            **options,
        )

    return run


@pytest.fixture(scope="module")
def orthanc() -> Iterator[orthanc_process.Orthanc]:
    """An empty Orthanc for a module's tests, AE title ORTHANC."""
    needed(orthanc_process.PROGRAM, "orthanc")
    with orthanc_process.Orthanc() as peer:
        yield peer


@dataclass(frozen=True)
class Site:
    """A live server, its DICOM node, and Alice, a radiologist of its organization `default`."""

    live: LiveServer
    token: str
    password: str

    @property
    def url(self) -> str:
        return self.live.url

    @property
    def dicom_port(self) -> int:
        return int(self.live.environment["FARVIEW_DICOM_PORT"])

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {self.token}"
        return session

    def peer(
        self, ae_title: str, *, port: int | None = None, may: str = "store,query,retrieve,commit", **more: str
    ) -> None:
        """Let an AE title of this machine call."""
        options = [part for name, value in more.items() for part in (f"--{name}", value)]
        self.live.manage("add_peer", ae_title, "127.0.0.1", *([port] if port else []), "--may", may, *options)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A server for a module's tests, with an empty archive."""
    with LiveServer(dicom=True) as live:
        password, token = live.user("alice", "radiologist")
        yield Site(live, token, password)
