"""An independent validator of DICOM objects: dciodvfy (Debian: dicom3tools). Its absence is a failure in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

DCIODVFY = shutil.which("dciodvfy")

needs_validator = pytest.mark.skipif(
    DCIODVFY is None and "CI" not in os.environ, reason="dciodvfy is not installed (Debian: dicom3tools)"
)


def errors_in(path: Path) -> list[str]:
    """What it calls an error."""
    said = subprocess.run([str(DCIODVFY), str(path)], capture_output=True, text=True, timeout=60, check=False)
    lines = (said.stdout + said.stderr).splitlines()
    assert any("SR" in line or "Key" in line or "Presentation" in line for line in lines), lines  # it knew the IOD
    return [line for line in lines if line.startswith("Error")]
