"""What libraries say about odd values stays out of the server's log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.live import ROOT
from tests.viewer.archive.objects import ct_slice, save

READ = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()
import pydicom
found = pydicom.dcmread(sys.argv[1])
assert "Secretly" in str(found.PatientBirthDate) and str(found)
pydicom.Dataset.from_json(found.to_json_dict())
"""


def test_a_value_that_is_none_of_its_kind_is_not_quoted(tmp_path: Path) -> None:
    path = save(ct_slice(PatientBirthDate="19700101"), tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes().replace(b"19700101", b"Secretly"))
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Secretly" not in done.stdout + done.stderr
