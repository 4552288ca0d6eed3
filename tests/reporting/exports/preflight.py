"""An independent checker of PDF/A: Apache PDFBox Preflight (Debian: libpdfbox2-java). It knows PDF/A-1b.

Its absence is a failure in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

JARS = ("preflight", "pdfbox2", "xmpbox", "fontbox2", "commons-logging", "commons-io", "javax.activation", "jaxb-api")
PATHS = [Path("/usr/share/java") / f"{name}.jar" for name in JARS]
HERE = shutil.which("java") is not None and all(path.exists() for path in PATHS)

needed = pytest.mark.skipif(
    not HERE and "CI" not in os.environ, reason="Preflight is not installed (Debian: libpdfbox2-java)"
)


def told(files: list[Path]) -> str:
    """What Preflight says of files, one after the other."""
    said = ""
    for file in files:
        command = ["java", "-cp", ":".join(map(str, PATHS)), "org.apache.pdfbox.preflight.Validator_A1b", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said += done.stdout or done.stderr
    return said
