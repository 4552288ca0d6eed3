"""An Orthanc in a process of its own: another archive that speaks DICOM and DICOMweb."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import requests

from tests.live import free_port

PROGRAM = Path("/usr/sbin/Orthanc")
DICOM_WEB = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
READY_SECONDS = 60.0


class Orthanc:
    """A context manager; `session` and `get` talk to its REST API, `ae_title` and `dicom_port` are its DICOM node."""

    def __init__(self, ae_title: str = "ORTHANC", **configuration: Any) -> None:
        self.ae_title, self.http_port, self.dicom_port = ae_title, free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.folder = Path(tempfile.mkdtemp(prefix="orthanc-"))
        self.session = requests.Session()
        self.session.trust_env = False
        self.configuration = {
            "Name": ae_title,
            "StorageDirectory": str(self.folder / "storage"),
            "IndexDirectory": str(self.folder / "storage"),
            "HttpPort": self.http_port,
            "DicomPort": self.dicom_port,
            "DicomAet": ae_title,
            "DicomCheckCalledAet": False,
            "RemoteAccessAllowed": True,
            "AuthenticationEnabled": False,
            "DicomAlwaysAllowEcho": True,
            "DicomAlwaysAllowStore": True,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "UnknownSopClassAccepted": True,
            "SynchronousCMove": True,
            "OverwriteInstances": False,
            "ConcurrentJobs": 2,
            "Plugins": [str(DICOM_WEB)] if DICOM_WEB.exists() else [],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": True, "WadoRoot": "/wado"},
            **configuration,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Orthanc:
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(self.configuration))
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen([str(PROGRAM), str(path)], stdout=log, stderr=subprocess.STDOUT)
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.session.get(f"{self.url}/system", timeout=5).ok:
                    return self
            except requests.ConnectionError:
                time.sleep(0.1)
        log_text = self.log()
        self.__exit__()
        raise RuntimeError(f"Orthanc is not ready:\n{log_text}")

    def __exit__(self, *problem: object) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20)
        self.session.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-8000:]

    def knows(self, name: str, ae_title: str, port: int, host: str = "127.0.0.1") -> None:
        """Let it call a peer, and be called by it, under `name`."""
        row = {"AET": ae_title, "Host": host, "Port": port, "AllowEcho": True, "AllowStore": True, "AllowFind": True}
        row |= {"AllowGet": True, "AllowMove": True}
        self.session.put(f"{self.url}/modalities/{name}", json=row, timeout=30).raise_for_status()

    def get(self, address: str, **parameters: Any) -> Any:
        answer = self.session.get(f"{self.url}{address}", params=parameters, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def post(self, address: str, data: Any) -> Any:
        """JSON, or bytes as they are."""
        given = {"data": data} if isinstance(data, bytes) else {"json": data}
        answer = self.session.post(f"{self.url}{address}", timeout=120, **given)  # type: ignore[arg-type]
        answer.raise_for_status()
        return answer.json()

    def take(self, folder: Path) -> list[str]:
        """Bring the DICOM files of a folder in by its REST API; its own identifiers of them."""
        return [self.post("/instances", path.read_bytes())["ID"] for path in sorted(folder.glob("*.dcm"))]

    def held(self) -> dict[str, str]:
        """SOP Instance UID -> its own identifier, of everything it holds."""
        rows = self.get("/instances", expand="")
        return {row["MainDicomTags"]["SOPInstanceUID"]: row["ID"] for row in rows}

    def file(self, identifier: str) -> bytes:
        answer = self.session.get(f"{self.url}/instances/{identifier}/file", timeout=60)
        answer.raise_for_status()
        return answer.content
