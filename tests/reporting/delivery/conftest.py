"""A hospital's systems as peers, and a signed report to send."""

from __future__ import annotations

import pytest

from accounts.models import Organization
from reporting.models import HL7Peer


@pytest.fixture
def peer(site: Organization) -> HL7Peer:
    return HL7Peer.objects.create(
        organization=site, name="RIS", address="127.0.0.1", sending_application="RIS", sending_facility="WARD"
    )
