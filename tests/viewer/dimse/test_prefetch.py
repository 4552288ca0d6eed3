"""Whose earlier studies are looked for, how often, and which of those found are fetched."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import Organization
from tests.viewer.archive.objects import ct_slice, save
from viewer.archive import prefetch, transfers
from viewer.archive.ingest import ingest_file
from viewer.archive.prefetch import Listening
from viewer.archive.rows import patiently
from viewer.archive.storage import BlobStore
from viewer.dimse.priors import Current, chosen, differs
from viewer.dimse.remote import RemoteStudy
from viewer.models import DicomPeer, Patient, Study, Transfer


@pytest.fixture
def archive(hospital: Organization) -> DicomPeer:
    given = {"ae_title": "ARCHIVE", "host": "10.0.0.1", "port": 104, "is_archive": True}
    return DicomPeer.objects.create(organization=hospital, **given)


@pytest.fixture
def arrive(hospital: Organization, store: BlobStore, tmp_path: Path) -> Any:
    def take(uid: str, organization: Organization = hospital, **said: Any) -> Study:
        path = save(ct_slice(f"{uid}.1.1", uid, f"{uid}.1", **said), tmp_path / f"{uid}.dcm")
        assert ingest_file(path, organization, "test", "").outcome == "stored"
        return Study.objects.select_related("patient", "organization").get(study_instance_uid=uid)

    return take


def searches() -> list[tuple[str, dict[str, Any]]]:
    rows = Transfer.objects.filter(kind="priors").order_by("pk")
    return [(row.study_instance_uid, row.options.get("current", {})) for row in rows]


@pytest.mark.django_db
def test_a_study_that_arrives_has_its_priors_looked_for_once_in_twelve_hours(archive: DicomPeer, arrive: Any) -> None:
    listening = Listening()
    listening.look()
    arrive("1.2.3", BodyPartExamined="CHEST")
    arrive("1.2.4")
    assert listening.look() == 1
    assert searches() == [
        ("1.2.3", {"date": "20240131", "modality": "CT", "body_part": "CHEST", "description": "Chest"})
    ]
    assert listening.look() == 0
    Transfer.objects.update(created_at=timezone.now() - timedelta(hours=13), state="done")
    arrive("1.2.5")
    assert listening.look() == 1


@pytest.mark.django_db
def test_further_images_of_a_study_ask_for_nothing(archive: DicomPeer, arrive: Any, tmp_path: Path, hospital) -> None:
    arrive("1.2.3")
    Transfer.objects.all().delete()
    listening = Listening()
    listening.look()
    Transfer.objects.all().delete()
    ingest_file(save(ct_slice("1.2.3.1.2", "1.2.3", "1.2.3.1"), tmp_path / "more.dcm"), hospital, "test", "")
    assert listening.look() == 0


@pytest.mark.django_db
def test_a_study_that_was_fetched_asks_for_nothing(archive: DicomPeer, arrive: Any) -> None:
    patiently(lambda: transfers.ask(archive, transfers.RETRIEVE, study_instance_uid="1.2.3", reason="prefetch"))
    study = arrive("1.2.3")
    assert prefetch.for_study(study) == 0


@pytest.mark.django_db
def test_only_archives_of_the_own_organization_are_asked(archive: DicomPeer, arrive: Any, elsewhere) -> None:
    study = arrive("1.2.3", organization=elsewhere)
    assert prefetch.for_study(study) == 0
    assert searches() == []


@pytest.mark.django_db
@pytest.mark.parametrize("changed", [{"is_archive": False}, {"active": False}, {"port": None}])
def test_a_peer_that_is_no_archive_or_switched_off_is_not_asked(archive: DicomPeer, arrive: Any, changed: Any) -> None:
    DicomPeer.objects.update(**changed)
    assert prefetch.for_study(arrive("1.2.3")) == 0


@pytest.mark.django_db
def test_nothing_is_looked_for_without_a_patient_id_or_where_it_is_switched_off(
    archive: DicomPeer, arrive: Any, settings: LazySettings
) -> None:
    assert prefetch.for_study(arrive("1.2.3", PatientID="")) == 0
    settings.FARVIEW_PREFETCH_STUDIES = 0
    assert prefetch.for_study(arrive("1.2.4")) == 0


@pytest.mark.django_db
def test_what_came_while_nobody_listened_is_looked_at_when_somebody_does(archive: DicomPeer, arrive: Any) -> None:
    arrive("1.2.3")
    assert Listening().look() == 1
    assert Listening().look() == 0


# --- which are fetched


def there(uid: str, date: str, **more: Any) -> RemoteStudy:
    return RemoteStudy(uid, date=date, **{"modalities": ("CT",), "description": "CT chest", **more})


CHEST = Current("1.1", "20240101", "CT", "CHEST", "CT chest")


def test_the_newest_that_can_be_compared_are_chosen(settings: LazySettings) -> None:
    settings.FARVIEW_PREFETCH_STUDIES = 2
    found = [
        there("1.2", "20210101"),
        there("1.3", "20230101"),
        there("1.4", "20220101"),
        there("1.5", "20230601", description="CT knee"),
        there("1.6", "20230602", modalities=("MR",), description="MR knee"),
        there("1.1", "20240101"),
    ]
    assert [one.study_instance_uid for one in chosen(CHEST, found)] == ["1.3", "1.4"]


def test_where_nothing_is_known_of_the_examination_the_newest_are_chosen(settings: LazySettings) -> None:
    settings.FARVIEW_PREFETCH_STUDIES = 1
    found = [there("1.2", "20210101"), there("1.6", "20230602", modalities=("MR",), description="MR knee")]
    assert [one.study_instance_uid for one in chosen(Current(), found)] == ["1.6"]


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({}, []),
        ({"patient_birth_date": "19700101", "patient_sex": "F"}, []),
        ({"patient_birth_date": "19700102"}, ["birth date"]),
        ({"patient_sex": "M"}, ["sex"]),
        ({"patient_birth_date": "19700102", "patient_sex": "M"}, ["birth date", "sex"]),
    ],
)
def test_another_birth_date_or_sex_is_another_person(said: dict[str, str], what: list[str]) -> None:
    patient = Patient(patient_id="P1", birth_date="19700101", sex="F")
    assert differs(RemoteStudy("1.2", "P1", **said), patient) == what
