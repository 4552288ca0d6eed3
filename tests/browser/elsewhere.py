"""Another archive with one study: answers C-FIND and C-GET (PS3.4 C) by pynetdicom, in a process of its own, because ours
puts services of its own into pynetdicom's tables."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    CTImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
)


class Elsewhere:
    """Its process; a context manager. The study has four images."""

    def __init__(self, folder: Path) -> None:
        from tests.live import free_port
        from tests.viewer.archive.objects import slices

        self.port, self.study, self._folder = free_port(), generate_uid(), folder
        self.family = f"Nachbar{self.study[-6:]}"
        facts = {
            "PatientID": "ELSE-1",
            "PatientName": f"{self.family}^Anna",
            "StudyDescription": "Thorax",
            "StudyDate": "20190304",
        }
        slices(folder, 4, study=self.study, series=f"{self.study[:56]}.1", **facts)

    def __enter__(self) -> Elsewhere:
        self._process = subprocess.Popen([sys.executable, __file__, str(self.port), str(self._folder)])
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < end, "the other archive does not listen"
                assert self._process.poll() is None, "the other archive has ended"
                time.sleep(0.05)
            else:
                return self

    def __exit__(self, *problem: object) -> None:
        self._process.terminate()
        self._process.wait(10)


def serve(port: int, folder: Path) -> None:
    files = sorted(folder.glob("*.dcm"))
    entity = AE("ELSEWHERE")
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelGet)
    entity.add_supported_context(CTImageStorage, scu_role=True, scp_role=True)

    def find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        asked = event.identifier
        for path in files if asked.QueryRetrieveLevel == "IMAGE" else files[:1]:
            held = dcmread(path, stop_before_pixels=True)
            held.NumberOfStudyRelatedInstances, held.ModalitiesInStudy = len(files), "CT"
            if asked.get("PatientID") and asked.PatientID != held.PatientID:
                continue
            row = Dataset()
            row.QueryRetrieveLevel = asked.QueryRetrieveLevel
            for element in asked:
                if element.keyword != "QueryRetrieveLevel" and element.keyword in held:
                    setattr(row, element.keyword, held[element.keyword].value)
            yield 0xFF00, row

    def get(event: Any) -> Iterator[Any]:
        yield len(files)
        for path in files:
            yield 0xFF00, dcmread(path)

    entity.start_server(("127.0.0.1", port), evt_handlers=[(evt.EVT_C_FIND, find), (evt.EVT_C_GET, get)])


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
