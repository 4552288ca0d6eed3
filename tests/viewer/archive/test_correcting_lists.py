"""What was emptied or rejected stands in no search: QIDO-RS and C-FIND, at every level, and in no count."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.test import Client
from pydicom.dataset import Dataset
from pydicom.uid import UID

from accounts.models import Organization, User
from tests.viewer.archive.objects import slices
from tests.viewer.conftest import person
from tests.viewer.dicomweb.asking import ask as fetch
from viewer.archive.correcting import Who
from viewer.archive.correcting_series import merge_studies
from viewer.archive.correcting_undo import undo
from viewer.archive.ingest import ingest_file
from viewer.dimse.holdings import held_objects
from viewer.marks.rejecting import reject
from viewer.models import DicomPeer, Instance, Study

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db(transaction=True)]

STUDY_ROOT = UID("1.2.840.10008.5.1.4.1.2.2.1")
KEYS = {
    "STUDY": ("StudyInstanceUID", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances", "ModalitiesInStudy"),
    "SERIES": ("SeriesInstanceUID", "NumberOfSeriesRelatedInstances"),
    "IMAGE": ("SOPInstanceUID",),
}
TAGS = {
    "StudyInstanceUID": "0020000D",
    "NumberOfStudyRelatedSeries": "00201206",
    "NumberOfStudyRelatedInstances": "00201208",
    "ModalitiesInStudy": "00080061",
    "SeriesInstanceUID": "0020000E",
    "NumberOfSeriesRelatedInstances": "00201209",
    "SOPInstanceUID": "00080018",
}
DOORS = {"STUDY": "studies", "SERIES": "series", "IMAGE": "instances"}
Ask = Callable[..., list[tuple[str, ...]]]


@pytest.fixture
def tess(hospital: Organization) -> User:
    user: User = person("tess", hospital, "technologist")
    return user


@pytest.fixture
def who(tess: User) -> Who:
    return Who(tess, "The wrong line of the worklist was chosen.")


@pytest.fixture
def two(hospital: Organization, tmp_path: Path) -> tuple[Study, Study]:
    """A CT of two images with an MR of one, and another study of the same patient."""
    for path in (
        *slices(tmp_path / "a", 2),
        *slices(tmp_path / "b", 1, series="1.2.3.5", Modality="MR"),
        *slices(tmp_path / "c", 1, "1.2.9", "1.2.9.1"),
    ):
        ingest_file(path, hospital, "ingest", "")
    return Study.objects.get(study_instance_uid="1.2.3"), Study.objects.get(study_instance_uid="1.2.9")


@pytest.fixture(params=["qido", "c-find"])
def ask(request: pytest.FixtureRequest, alice: Client, hospital: Organization) -> Ask:
    """Rows of a level, each as the values of its keys in words."""

    def by_qido(level: str, **narrowed: str) -> list[tuple[str, ...]]:
        said = {**narrowed, "includefield": ",".join(KEYS[level])}
        answer = fetch(alice, f"/dicom-web/{DOORS[level]}?{urlencode(said)}")
        assert answer.status in (200, 204), answer.body
        rows = json.loads(answer.body) if answer.status == 200 else []
        return sorted(
            tuple("\\".join(map(str, row.get(TAGS[key], {}).get("Value", []))) for key in KEYS[level]) for row in rows
        )

    def by_c_find(level: str, **narrowed: str) -> list[tuple[str, ...]]:
        peer = DicomPeer(organization=hospital, ae_title="ALICE", host="127.0.0.1")
        asked = Dataset()
        asked.QueryRetrieveLevel = level
        if level != "STUDY":
            asked.StudyInstanceUID = ""
        if level == "IMAGE":
            asked.SeriesInstanceUID = ""
        for key in KEYS[level]:
            setattr(asked, key, None)
        for key, value in narrowed.items():
            setattr(asked, key, value)
        return sorted(
            tuple(
                "\\".join(value) if not isinstance(value := row.get(key, ""), str | int) else str(value)
                for key in KEYS[level]
            )
            for row in held_objects(peer, asked, STUDY_ROOT).answers
        )

    return by_qido if request.param == "qido" else by_c_find


def test_a_study_that_was_emptied_is_found_at_no_level_until_that_is_undone(
    two: tuple[Study, Study], who: Who, ask: Ask
) -> None:
    one, other = two
    before = ask("STUDY")
    assert before == [("1.2.3", "2", "3", "CT\\MR"), ("1.2.9", "1", "1", "CT")]
    act = merge_studies(one, other, who)
    assert ask("STUDY") == [("1.2.9", "3", "4", "CT\\MR")]
    assert ask("STUDY", StudyInstanceUID="1.2.3") == []
    assert ask("STUDY", ModalitiesInStudy="MR") == [("1.2.9", "3", "4", "CT\\MR")]
    undo(act, who)
    assert ask("STUDY") == before


def test_what_was_rejected_is_found_and_counted_at_no_level(two: tuple[Study, Study], tess: User, ask: Ask) -> None:
    (image,) = Instance.objects.filter(series__series_instance_uid="1.2.3.5").values_list("sop_instance_uid", flat=True)
    reject(two[0], ["1.2.3.4.1", image], "113037", "Another patient.", tess)
    assert ask("STUDY", StudyInstanceUID="1.2.3") == [("1.2.3", "1", "1", "CT")]
    assert ask("STUDY", ModalitiesInStudy="MR") == []
    assert ask("SERIES", StudyInstanceUID="1.2.3") == [("1.2.3.4", "1")]
    assert ask("IMAGE", StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.3.4") == [("1.2.3.4.2",)]


def test_a_study_of_which_all_was_rejected_is_found_at_no_level(two: tuple[Study, Study], tess: User, ask: Ask) -> None:
    uids = list(Instance.objects.filter(series__study=two[0]).values_list("sop_instance_uid", flat=True))
    reject(two[0], uids, "113037", "Another patient.", tess)
    assert [uid for uid, *_ in ask("STUDY")] == ["1.2.9"]
    assert ask("SERIES", StudyInstanceUID="1.2.3") == []
    assert ask("IMAGE", StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.3.4") == []
