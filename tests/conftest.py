"""Fixtures that every room uses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def _shared_data() -> Path:
    named = os.environ.get("FARVIEW_TEST_DATA")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real DICOM files. Its absence is a failure in CI and a named skip elsewhere."""
    folder = _shared_data()
    if not (folder / "manifest.json").exists():
        message = f"no real DICOM files at {folder}; set FARVIEW_TEST_DATA"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
