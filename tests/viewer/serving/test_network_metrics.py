"""What an administrator's monitoring sees of the DICOM network: how much waits, how long, and what came."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from pydicom.dataset import Dataset

from accounts.models import Organization, Role
from tests.viewer.conftest import person, signed_in
from tests.viewer.dimse import nodes
from tests.viewer.dimse.test_store import image
from viewer.dimse import admission, counting
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


STUDY_FIND, STUDY_MOVE, STUDY_GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("store")
def test_every_request_of_a_peer_is_counted_by_what_became_of_it(
    told, hospital: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not [name for name in told() if name.startswith("farview_dicom_")]
    counting._counts.clear()
    row = nodes.peer(hospital)
    wanted = Dataset()
    wanted.QueryRetrieveLevel, wanted.StudyInstanceUID = "STUDY", "1.2.3.4.404"
    with nodes.listening() as node:
        of_no_series = image("1.2.3.4.2")
        del of_no_series.SeriesInstanceUID
        assert nodes.sent(node, image(), of_no_series) == [0, 0xC000]
        assert nodes.echo(node)
        assert not nodes.echo(node, calling="STRANGER")
        contexts = [(uid, "1.2.840.10008.1.2.1") for uid in (STUDY_FIND, STUDY_MOVE, STUDY_GET)]
        with nodes.associated(node, contexts) as association:
            list(association.send_c_find(wanted, STUDY_FIND))
            list(association.send_c_get(wanted, STUDY_GET))
            list(association.send_c_move(wanted, "NOBODY", STUDY_MOVE))
            row.may_query = False
            row.save()
            monkeypatch.setattr(admission, "RIGHTS_ARE_ASKED_EVERY_S", 0.0)
            list(association.send_c_find(wanted, STUDY_FIND))
    counting.write()
    found = {name.removeprefix("farview_dicom_"): number for name, number in told().items()}
    assert found['associations_total{outcome="rejected"}'] == 1
    assert found['objects_total{outcome="stored"}'] == found['objects_total{outcome="refused"}'] == 1
    operations = {
        name.removeprefix("operations_total"): number for name, number in found.items() if "operation=" in name
    }
    assert operations == {
        '{operation="echo",outcome="done"}': 1,
        '{operation="find",outcome="denied"}': 1,
        '{operation="find",outcome="done"}': 1,
        '{operation="get",outcome="done"}': 1,
        '{operation="move",outcome="failed"}': 1,
        '{operation="store",outcome="done"}': 1,
        '{operation="store",outcome="failed"}': 1,
    }


def test_a_file_that_cannot_be_read_is_no_fault(told, tmp_path: Path) -> None:
    (tmp_path / "dicom_counts.json").write_text("{")
    assert told()["farview_quarantined_objects"] == 0
