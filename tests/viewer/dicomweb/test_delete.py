"""DELETE: administrators take objects out of sight; nothing is destroyed, and a mistake can be taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import AuditEvent, Organization, Role
from tests.viewer.archive.objects import slices
from tests.viewer.conftest import person, signed_in
from tests.viewer.dicomweb.asking import ask
from viewer.archive.correcting import Who
from viewer.archive.correcting_undo import undo
from viewer.archive.ingest import ingest
from viewer.archive.rows import Sender
from viewer.archive.sources import walk
from viewer.archive.storage import BlobStore
from viewer.models import Correction, Instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]

STUDY = "/dicom-web/studies/1.2.3"
SERIES = f"{STUDY}/series/1.2.3.4"


@pytest.fixture
def images(hospital: Organization, store: BlobStore, tmp_path: Path) -> list[Instance]:
    slices(tmp_path / "in", 3)
    slices(tmp_path / "in2", 2, series="1.2.3.5")
    for folder in ("in", "in2"):
        list(ingest(walk(tmp_path / folder), Sender(hospital, "", "ingest")))
    return list(Instance.objects.order_by("id"))


@pytest.fixture
def boss(hospital: Organization) -> Client:
    return signed_in(person("boss", hospital, Role.ADMIN))


def images_shown(client: Client) -> int:
    answer = ask(client, f"{STUDY}/instances")
    if answer.status != 200:
        return 0
    found = json.loads(answer.body)
    return len([one for one in found if one["00080060"]["Value"] != ["KO"]])


@pytest.mark.parametrize(
    ("address", "left"), [(STUDY, 0), (SERIES, 2), (f"{SERIES}/instances/1.2.3.4.1", 4)], ids=["study", "series", "instance"]
)  # fmt: skip
def test_what_is_deleted_is_seen_no_more(
    address: str, left: int, boss: Client, alice: Client, images: list[Instance]
) -> None:
    assert images_shown(alice) == 5
    assert boss.delete(address).status_code == 204
    assert images_shown(alice) == left
    assert boss.delete(address).status_code == 404
    assert AuditEvent.objects.filter(action__startswith="correction").count() >= 1


def test_every_byte_stays_and_the_act_can_be_taken_back(
    boss: Client, alice: Client, images: list[Instance], store: BlobStore
) -> None:
    boss.delete(f"{SERIES}?reason=sent+twice")
    assert all(store.path(one.blob_id).exists() for one in images)
    act = Correction.objects.get(kind="rejected")
    assert act.reason == "sent twice"
    undo(act, Who("boss", "a mistake"))
    assert images_shown(alice) == 5


def test_only_administrators_of_the_organization_delete(
    alice: Client, bob: Client, charlie: Client, elsewhere: Organization, images: list[Instance]
) -> None:
    stranger = signed_in(person("mallory", elsewhere, Role.ADMIN))
    for client in (alice, bob, charlie, stranger, Client()):
        assert client.delete(STUDY).status_code in (401, 404)
    assert images_shown(alice) == 5
