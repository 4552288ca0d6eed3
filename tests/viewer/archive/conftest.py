from __future__ import annotations

import pytest

from accounts.models import Organization
from viewer.archive.rows import Sender


@pytest.fixture
def sender(hospital: Organization) -> Sender:
    return Sender(hospital, "a test", "ingest")
