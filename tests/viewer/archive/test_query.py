"""Finding studies: by every field, in every script, in order, page by page, and only one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from accounts.models import Membership, Organization, Role, User
from tests.viewer.archive.objects import ct_slice, save
from viewer.archive.ingest import ingest, ingest_file
from viewer.archive.query import (
    Ambiguous,
    BadQuery,
    NotFound,
    Picture,
    StudySearch,
    find_series,
    find_study,
    pictures,
    priors,
    search,
    series_content,
)
from viewer.archive.rows import Sender
from viewer.archive.sources import walk
from viewer.archive.stacks import summary
from viewer.archive.storage import BlobStore
from viewer.models import Patient, Series, Study

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def reader(hospital: Organization) -> User:
    user = User.objects.create_user(username="reader")
    Membership.objects.create(user=user, organization=hospital, role=Role.RADIOLOGIST)
    return user


def study(organization: Organization, number: int, name: str = "", **fields: object) -> Study:
    """A study without images, for tests of the list alone."""
    patient_id = str(fields.pop("patient_id", f"P{number}"))
    patient, _ = Patient.objects.get_or_create(
        organization=organization, patient_id=patient_id, defaults={"name": name, "name_folded": name.casefold()}
    )
    return Study.objects.create(
        organization=organization, patient=patient, study_instance_uid=f"1.2.{number}", **fields
    )


def found(user: User, **asked: object) -> list[str]:
    return [row.study_instance_uid for row in search(user, StudySearch(**asked)).studies]


# --- by name, in every script of the character sets

SCRIPTS = [
    ("chrArab.dcm", ["قباني", "لنزار", "قبا"]),
    ("chrGreek.dcm", ["Διονυσιος", "διονυσιοσ", "ΔΙΟΝ"]),
    ("chrH31.dcm", ["yamada", "tarou YAMADA", "山田", "やまだ", "山田 太郎", "Yamada^Tarou"]),
    ("chrH32.dcm", ["山田", "たろう", "ヤマダ", "ﾔﾏﾀﾞ"]),
    ("chrHbrw.dcm", ["שרון", "דבורה"]),
    ("chrI2.dcm", ["hong", "洪", "길동", "吉洞"]),
    ("chrKoreanMulti.dcm", ["김희중", "김희"]),
    ("chrX1.dcm", ["Wang", "王", "小東"]),
    ("chrX2.dcm", ["xiaodong", "小东"]),
]


@pytest.mark.parametrize(("file", "typed"), SCRIPTS)
def test_a_name_is_found_as_it_is_written_and_as_it_is_typed(
    shared_data: Path, sender: Sender, reader: User, file: str, typed: list[str]
) -> None:
    for name, _ in SCRIPTS:
        list(ingest(walk(shared_data / "charset" / name), sender))
    wanted = ingest_file(shared_data / "charset" / file, sender.organization, "ingest", "")
    for text in typed:
        assert wanted.study_instance_uid in found(reader, patient_name=text), text
        assert wanted.study_instance_uid in found(reader, q=text), text
    assert found(reader, patient_name="nobody") == []


# --- by the other fields


@pytest.fixture
def archive(hospital: Organization) -> Organization:
    study(hospital, 1, "Müller Ann", accession_number="ACC-77", date="20240101", time="0900", modalities="CT\\SEG")
    study(
        hospital,
        2,
        "Zoë",
        date="20240201",
        modalities="MR",
        description="Head, contrast",
        description_folded="head, contrast",
    )
    study(hospital, 3, "Abe", date="20240201", time="1000", modalities="CT")
    study(hospital, 4, "100%_x", date="", modalities="PT\\XCT")
    return hospital


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ({}, [3, 2, 1, 4]),
        ({"patient_id": "p1"}, [1]),
        ({"accession_number": "acc-7"}, [1]),
        ({"date_from": "2024-01-31"}, [3, 2]),
        ({"date_to": "20240131"}, [1]),
        ({"date_from": "2024-01-01", "date_to": "2024-01-01"}, [1]),
        ({"modality": "CT"}, [3, 1]),
        ({"modality": "seg"}, [1]),
        ({"modality": "MR,PT"}, [2, 4]),
        ({"description": "contrast HEAD"}, [2]),
        ({"q": "head contrast"}, [2]),
        ({"q": "CT abe"}, [3]),
        ({"q": "1.2.3"}, [3]),
        ({"q": "%"}, [4]),
        ({"patient_name": "_"}, [4]),
        ({"patient_name": "ab*"}, [3]),
        ({"organization": "hospital", "modality": "MR"}, [2]),
        ({"organization": "elsewhere"}, []),
        ({"sort": "name"}, [4, 3, 1, 2]),
        ({"sort": "-name"}, [2, 1, 3, 4]),
        ({"sort": "date"}, [4, 1, 2, 3]),
        ({"sort": "-patient_id", "modality": "CT"}, [3, 1]),
    ],
)
def test_each_filter_narrows_and_each_order_sorts(
    archive: Organization, reader: User, asked: dict[str, str], numbers: list[int]
) -> None:
    assert found(reader, **asked) == [f"1.2.{number}" for number in numbers]


@pytest.mark.parametrize(
    "asked",
    [
        {"date_from": "yesterday"},
        {"date_to": "20240230"},
        {"date_to": "２０２４０１０１"},
        {"sort": "password"},
        {"cursor": "!"},
        {"cursor": "LWRhdGUgOTk5"},
        {"cursor": "LWRhdGUgOTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"},
    ],
)
def test_what_cannot_be_answered_is_said(archive: Organization, reader: User, asked: dict[str, str]) -> None:
    with pytest.raises(BadQuery) as told:
        search(reader, StudySearch(**asked))
    assert told.value.field == next(iter(asked))


@pytest.mark.parametrize("name", ["q", "patient_name", "modality", "description", "patient_id"])
def test_a_search_of_very_many_words_is_answered(archive: Organization, reader: User, name: str) -> None:
    assert found(reader, **{name: "a " * 500}) is not None
    assert found(reader, **{name: "a," * 500}) is not None


def test_the_picture_of_a_study_is_not_a_segmentation_of_it(hospital: Organization, reader: User) -> None:
    shown = study(hospital, 1)
    for uid, modality, frames in (("1.1", "SEG", 90), ("1.2", "CT", 80), ("1.3", "CT", 2), ("1.4", "SR", 0)):
        Series.objects.create(
            organization=hospital, study=shown, series_instance_uid=uid, modality=modality, number_of_frames=frames
        )
    assert pictures([shown]) == {shown.pk: Picture("1.2", 0)}


@pytest.mark.parametrize("sort", ["-date", "date", "name", "-name", "instances", "-received", "modality"])
def test_pages_neither_repeat_nor_miss_a_study_while_others_arrive(
    hospital: Organization, reader: User, sort: str
) -> None:
    for number in range(1, 24):
        study(hospital, number, f"N{number % 3}", date=f"2024010{number % 4}", modalities="CT")
    seen: list[str] = []
    cursor, late = "", 100
    while True:
        page = search(reader, StudySearch(sort=sort, cursor=cursor, limit=5))
        seen += [row.study_instance_uid for row in page.studies]
        late += 1
        study(hospital, late, "N1", date="20240102", modalities="CT")
        if page.next is None or late > 150:
            break
        cursor = page.next
        assert "N1" not in cursor
    early = {f"1.2.{number}" for number in range(1, 24)}
    assert len(seen) == len(set(seen))
    assert early <= set(seen)


def test_the_total_is_counted_up_to_a_bound(
    hospital: Organization, reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 8):
        study(hospital, number)
    assert search(reader, StudySearch(limit=2)).total == 7
    monkeypatch.setattr("viewer.archive.query.COUNTED_AT_MOST", 4)
    assert search(reader, StudySearch(limit=2)).total == 4


# --- one's own


def test_nobody_finds_what_another_organization_holds(
    hospital: Organization, elsewhere: Organization, reader: User
) -> None:
    study(elsewhere, 1)
    own = study(hospital, 2)
    assert found(reader) == [own.study_instance_uid]
    with pytest.raises(NotFound):
        find_study(reader, "1.2.1")
    with pytest.raises(NotFound):
        find_study(reader, "1.2.1", "elsewhere")
    reader.is_active = False
    assert found(reader) == []


@pytest.mark.parametrize("role", [Role.REFERRER, Role.ADMIN])
def test_a_role_that_does_not_read_finds_nothing(hospital: Organization, role: str) -> None:
    study(hospital, 1)
    user = User.objects.create_user(username="bob")
    Membership.objects.create(user=user, organization=hospital, role=role)
    assert found(user) == []


def test_a_cursor_of_a_study_that_one_may_not_see_tells_nothing(
    hospital: Organization, elsewhere: Organization, reader: User
) -> None:
    other = User.objects.create_user(username="other")
    Membership.objects.create(user=other, organization=elsewhere, role=Role.RADIOLOGIST)
    for number in (1, 2, 3):
        study(elsewhere, number)
    cursor = search(other, StudySearch(limit=1)).next
    with pytest.raises(BadQuery):
        search(reader, StudySearch(cursor=cursor))


def test_the_same_uid_in_two_organizations_asks_which(
    hospital: Organization, elsewhere: Organization, reader: User, tmp_path: Path
) -> None:
    Membership.objects.create(user=reader, organization=elsewhere, role=Role.RESIDENT)
    path = save(ct_slice(), tmp_path / "a.dcm")
    for organization in (hospital, elsewhere):
        ingest_file(path, organization, "ingest", "")
    for find, uid in ((find_study, "1.2.3"), (find_series, "1.2.3.4")):
        with pytest.raises(Ambiguous) as told:
            find(reader, uid)
        assert told.value.organizations == ["elsewhere", "hospital"]
        assert find(reader, uid, "elsewhere").organization == elsewhere


def test_priors_are_the_same_persons_and_visible(hospital: Organization, elsewhere: Organization, reader: User) -> None:
    now, old, older = (study(hospital, n, date=f"20240{n}01", patient_id="P") for n in (3, 2, 1))
    study(hospital, 8, patient_id="Q")
    study(elsewhere, 9, patient_id="P")
    assert list(priors(reader, now)) == [old, older]


# --- what the engine gets


def test_the_content_of_a_series_names_files_and_grows_in_version(
    sender: Sender, store: BlobStore, tmp_path: Path
) -> None:
    ingest_file(save(ct_slice(), tmp_path / "a.dcm"), sender.organization, "ingest", "")
    first = series_content(Series.objects.get())
    ingest_file(save(ct_slice("1.2.3.4.2"), tmp_path / "b.dcm"), sender.organization, "ingest", "")
    second = series_content(Series.objects.get())
    assert (first.series, first.organization, len(first.instances)) == ("1.2.3.4", "hospital", 1)
    assert len(second.instances) == 2
    assert first.version != second.version
    assert second.instances[0].path == store.path(second.instances[0].digest)
    assert second.instances[0].path.read_bytes() == (tmp_path / "a.dcm").read_bytes()


def test_images_that_arrive_while_a_series_is_read_belong_to_the_version_that_has_them(
    sender: Sender, store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from viewer.archive import query

    ingest_file(save(ct_slice(), tmp_path / "a.dcm"), sender.organization, "ingest", "")
    later, real = iter([save(ct_slice("1.2.3.4.2"), tmp_path / "b.dcm")]), query.instance_files

    def slowly(*args: object) -> object:
        for path in later:
            ingest_file(path, sender.organization, "ingest", "")
        return list(real(*args))

    monkeypatch.setattr(query, "instance_files", slowly)
    content = series_content(Series.objects.get())
    assert (content.version, len(content.instances)) == ("2", 2)


def test_a_summary_is_made_once_for_each_version(
    sender: Sender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from viewer.archive import stacks

    made, real = [], stacks.summed_up
    monkeypatch.setattr(stacks, "summed_up", lambda content: made.append(content.version) or real(content))
    ingest_file(save(ct_slice(), tmp_path / "a.dcm"), sender.organization, "ingest", "")
    for _ in range(3):
        assert [stack["frames"] for stack in summary(Series.objects.get())["stacks"]] == [1]
    image = ct_slice("1.2.3.4.2", ImagePositionPatient=[0, 0, 1])
    ingest_file(save(image, tmp_path / "b.dcm"), sender.organization, "ingest", "")
    assert [stack["frames"] for stack in summary(Series.objects.get())["stacks"]] == [2]
    monkeypatch.setattr(stacks, "_rules", lambda: "other rules")
    summary(Series.objects.get())
    assert made == ["1", "2", "2"]
