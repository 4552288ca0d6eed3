"""What the archive's tests share: a store of their own, an organization, small DICOM files made to measure."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from accounts.models import Organization
from viewer.archive.rows import Sender
from viewer.archive.storage import BlobStore, blob_store


@pytest.fixture
def store(tmp_path: Path, settings: LazySettings) -> BlobStore:
    """An empty store, which the settings name as well."""
    settings.FARVIEW_BLOB_DIR = tmp_path / "blob"
    settings.FARVIEW_MIN_FREE_BYTES = 0
    settings.FARVIEW_MIN_FREE_FRACTION = 0.0
    settings.FARVIEW_BLOB_DIR.mkdir()
    return blob_store()


@pytest.fixture
def hospital(db: None) -> Organization:
    return Organization.objects.create(name="hospital")


@pytest.fixture
def sender(hospital: Organization) -> Sender:
    return Sender(hospital, "a test", "ingest")
