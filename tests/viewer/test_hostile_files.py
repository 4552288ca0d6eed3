"""Files that are a DICOM file and a program at once (CVE-2019-11687): the program does not leave by any door."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import Organization
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.dicomweb.asking import ask, stored
from viewer.models import Instance

pytestmark = pytest.mark.usefixtures("store")

PROGRAMS = {
    "windows": b"MZ" + bytes(range(126)),
    "script": b"#!/bin/sh\ntouch struck\nexit\n".ljust(128, b"#"),
    "page": b"<script>window.struck=1</script>".ljust(128, b" "),
    "pdf": b"%PDF-1.4\n".ljust(128, b"\n"),
}
DOORS = (
    "/dicom-web/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.1",
    "/wado?requestType=WADO&studyUID=1.2.3&seriesUID=1.2.3.4&objectUID=1.2.3.4.1&contentType=application/dicom",
    "/api/studies/1.2.3/export.zip",
    "/api/series/1.2.3.4/export.zip",
)


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest, hospital: Organization, tmp_path: Path) -> tuple[Instance, bytes]:
    """An object whose file begins with a program."""
    path = save(ct_slice(), tmp_path / "polyglot.dcm")
    path.write_bytes(PROGRAMS[request.param] + path.read_bytes()[128:])
    return stored(path, hospital), path.read_bytes()


@pytest.mark.parametrize("door", DOORS)
def test_no_program_leaves_before_the_data_set(alice: Client, program: tuple[Instance, bytes], door: str) -> None:
    answer = ask(alice, door, "application/dicom")
    assert answer.status == 200
    assert answer.response["Content-Disposition"].startswith("attachment")
    assert answer.response["X-Content-Type-Options"] == "nosniff"
    clean = bytes(128) + program[1][128:]
    if answer.type == "application/zip":
        with zipfile.ZipFile(io.BytesIO(answer.body)) as packed:
            files = [packed.read(name) for name in packed.namelist()]
        assert clean in files
        assert not any(content.startswith(program[1][:8]) for content in files)
    else:
        assert answer.type.partition(";")[0] == "application/dicom"
        assert answer.body == clean
