"""What an administrator's monitoring sees of the DICOM network: how much waits, how long, and what came."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import Organization, Role
from tests.viewer.archive.objects import slices
from tests.viewer.conftest import person, signed_in
from tests.viewer.dimse.receiver import Receiver
from tests.viewer.dimse.test_sending import outgoing, peer
from viewer.dimse import counting
from viewer.dimse.sending import store as send
from viewer.models import DicomPeer, Transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(hospital: Organization, settings: LazySettings, tmp_path: Path):
    """`told()`: name and labels -> number."""
    settings.FARVIEW_TMP_DIR = tmp_path
    client: Client = signed_in(person("dora", hospital, Role.ADMIN))

    def read() -> dict[str, float]:
        lines = client.get("/metrics").content.decode().splitlines()
        return {name: float(number) for name, _, number in (line.rpartition(" ") for line in lines if line[0] != "#")}

    return read


def test_the_queues_are_told_by_kind_and_state_with_the_oldest(told, hospital: Organization) -> None:
    row = {"organization": hospital, "next_try_at": timezone.now()}
    row["peer"] = DicomPeer.objects.create(organization=hospital, ae_title="PACS", host="10.0.0.1", port=104)
    for kind, state in (("send", "queued"), ("send", "queued"), ("send", "done"), ("retrieve", "failed")):
        Transfer.objects.create(**row, kind=kind, state=state)
    Transfer.objects.filter(kind="send", state="queued").update(created_at=timezone.now() - timedelta(hours=2))
    found = told()
    assert found['farview_transfers{kind="send",state="queued"}'] == 2
    assert found['farview_transfers{kind="send",state="done"}'] == 1
    assert found['farview_transfers{kind="retrieve",state="failed"}'] == 1
    assert found['farview_transfer_oldest_seconds{kind="send"}'] == pytest.approx(7200, abs=120)
    assert found["farview_quarantined_objects"] == 0


def test_what_the_dicom_process_counted_is_told(told, tmp_path: Path) -> None:
    before = told()
    assert not [name for name in before if name.startswith("farview_dicom_")]
    counting._counts.clear()
    answer = {"1.2.3.4.3": 0xA700}
    with Receiver(answer=lambda uid: answer.get(uid, 0), handlers=counting.HANDLERS) as receiver:
        send(peer(receiver), [outgoing(path) for path in slices(tmp_path / "images", 3)])
    counting.write()
    found = told()
    assert found['farview_dicom_objects_total{outcome="stored"}'] == 2
    assert found['farview_dicom_objects_total{outcome="refused"}'] == 1
    assert found['farview_dicom_associations_total{outcome="accepted"}'] == 1


def test_a_file_that_cannot_be_read_is_no_fault(told, tmp_path: Path) -> None:
    (tmp_path / "dicom_counts.json").write_text("{")
    assert told()["farview_quarantined_objects"] == 0
