"""An administrator sees how much there is and what was kept aside, and never who the patients are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import AuditEvent, Membership, Organization, Role, User
from accounts.states import digest_of_row
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.conftest import person, signed_in
from viewer.archive.ingest import ingest_file
from viewer.models import Conflict, Study

pytestmark = pytest.mark.usefixtures("store")

STUDIES, CONFLICTS = "/admin/viewer/study/", "/admin/viewer/conflict/"


@pytest.fixture
def chest(hospital: Organization, tmp_path: Path) -> None:
    ingest_file(save(ct_slice(), tmp_path / "a.dcm"), hospital, "ingest", "")
    ingest_file(save(ct_slice(InstanceNumber=9), tmp_path / "b.dcm"), hospital, "ingest", "")


@pytest.fixture
def administrator(hospital: Organization) -> Client:
    user = person("admin", hospital, Role.ADMIN)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.refresh_from_db()
    return signed_in(user)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_an_administrator_who_does_not_read_sees_conflicts_by_uid_and_no_study(
    chest: None, administrator: Client
) -> None:
    assert "1.2.3" not in page(administrator, STUDIES)
    conflicts = page(administrator, CONFLICTS)
    assert "1.2.3.4.1" in conflicts
    assert "Doe" not in conflicts


def test_an_administrator_who_reads_sees_studies_without_names(
    chest: None, administrator: Client, hospital: Organization
) -> None:
    Membership.objects.create(user=User.objects.get(username="admin"), organization=hospital, role=Role.RADIOLOGIST)
    studies = page(administrator, STUDIES)
    assert "1.2.3" in studies
    for address in (STUDIES, f"{STUDIES}{Study.objects.get().pk}/change/", CONFLICTS):
        found = page(administrator, address)
        assert "Doe" not in found
        assert not re.search(r"\bP1\b", found)  # a page's random token may have these two letters in it


def test_administrators_of_another_organization_see_nothing(chest: None, elsewhere: Organization) -> None:
    user = person("other", elsewhere, Role.ADMIN)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = signed_in(user)
    assert "1.2.3" not in page(client, STUDIES) + page(client, CONFLICTS)
    for address in (STUDIES, CONFLICTS):
        row = Study.objects.get() if address == STUDIES else Conflict.objects.get()
        assert client.get(f"{address}{row.pk}/change/").status_code in {302, 403, 404}


def test_nothing_is_changed_by_hand(chest: None, administrator: Client, hospital: Organization) -> None:
    Membership.objects.create(user=User.objects.get(username="admin"), organization=hospital, role=Role.RADIOLOGIST)
    study = Study.objects.get()
    for address in (f"{STUDIES}add/", f"{STUDIES}{study.pk}/delete/", f"{STUDIES}{study.pk}/change/"):
        assert administrator.post(address, {"study_instance_uid": "6.6.6"}).status_code in {403, 404}
    assert Study.objects.get().study_instance_uid == "1.2.3"


@pytest.mark.parametrize("address", [STUDIES, CONFLICTS])
def test_who_is_no_administrator_finds_no_such_page(chest: None, alice: Client, charlie: Client, address: str) -> None:
    assert [client.get(address).status_code for client in (alice, charlie)] == [404, 404]


def test_an_administrator_settles_a_conflict_once_with_a_reason_and_it_is_no_longer_listed(
    chest: None, administrator: Client, alice: Client
) -> None:
    conflict = Conflict.objects.get()
    address = f"{CONFLICTS}{conflict.pk}/change/"
    before = digest_of_row(conflict)
    study = f"/api/studies/{conflict.study.study_instance_uid}/"

    def listed() -> tuple[int, int, int]:
        (row,) = alice.get("/api/studies/").json()["studies"]
        whole = alice.get(study).json()
        return row["conflicts"], whole["conflicts"], len(whole["kept_aside"])

    assert listed() == (1, 1, 1)
    assert "Say why." in administrator.post(address, {"resolution": "  "}).content.decode()
    assert listed() == (1, 1, 1)
    assert administrator.post(address, {"resolution": "The second came from a test."}).status_code == 302
    now = Conflict.objects.get()
    assert (now.resolution, now.resolved_by.username, now.blob_id) == (
        "The second came from a test.",
        "admin",
        conflict.blob_id,
    )
    assert listed() == (0, 0, 0)
    told = AuditEvent.objects.get(action="conflict.settle")
    assert (told.object_uid, told.study_instance_uid) == (conflict.sop_instance_uid, conflict.study.study_instance_uid)
    assert (told.detail["before"], told.detail["after"]) == (before, digest_of_row(now))
    assert told.detail["before"] != told.detail["after"]
    assert administrator.post(address, {"resolution": "Another reason."}).status_code == 403
    assert Conflict.objects.get().resolution == "The second came from a test."
    assert "The second came from a test." in page(administrator, CONFLICTS)


def test_nobody_settles_what_is_anothers(chest: None, alice: Client, elsewhere: Organization) -> None:
    user = person("other", elsewhere, Role.ADMIN)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    address = f"{CONFLICTS}{Conflict.objects.get().pk}/change/"
    for client in (signed_in(user), alice):
        client.post(address, {"resolution": "Mine."})
        assert Conflict.objects.get().resolved_at is None
