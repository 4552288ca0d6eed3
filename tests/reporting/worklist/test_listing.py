"""The list: what is asked for, in order of urgency, quickly, whatever there is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organization, Role, User
from reporting.models import Order, ReadingItem, Report, ReportingSite, SavedFilter, TemplateVersion
from reporting.worklist import listing
from reporting.worklist.listing import Question, question
from reporting.worklist.telling import items_told
from tests.reporting.conftest import person, signed_in
from viewer.archive.query import BadQuery
from viewer.models import Patient, Study

pytestmark = pytest.mark.django_db


def asked(user: User, **said: str) -> list[int]:
    return [item.pk for item, _ in listing.listed(user, question(said)).rows]


def ago(**length: float) -> Any:
    return timezone.now() - timedelta(**length)


def test_the_class_decides_first_then_the_share_of_the_target(alice: User, more_items: Any) -> None:
    routine, urgent, old_urgent, stat, stroke = more_items(
        {"reading_class": "ROUTINE", "ready_at": ago(hours=3)},
        {"reading_class": "URGENT"},
        {"reading_class": "URGENT", "ready_at": ago(hours=9)},
        {"reading_class": "STAT"},
        {"reading_class": "STROKE"},
    )
    assert asked(alice) == [one.pk for one in (stroke, stat, old_urgent, urgent, routine)]


def test_an_organizations_own_targets_count(alice: User, site: Organization, more_items: Any) -> None:
    first, second = more_items(
        {"reading_class": "URGENT", "ready_at": ago(minutes=60)}, {"reading_class": "STAT", "ready_at": ago(minutes=10)}
    )
    ReportingSite.objects.create(organization=site, targets={"STAT": 5, "URGENT": 10})
    places = {item.pk: place for item, place in listing.listed(alice, Question()).rows}
    assert places[second.pk].score.points == 1000 + 200
    assert places[first.pk].score.points == 300 + 600
    assert places[second.pk].target_minutes == 5


def test_of_equals_the_one_that_waits_longer_comes_first(alice: User, more_items: Any) -> None:
    younger, older = more_items(
        {"reading_class": "STAT", "ready_at": ago(days=30)}, {"reading_class": "STAT", "ready_at": ago(days=31)}
    )
    assert asked(alice) == [older.pk, younger.pk]


def test_tabs_hold_the_states_that_belong_there_and_are_counted(alice: User, boss: User, more_items: Any) -> None:
    states = (
        "ready",
        "assigned",
        "put_aside",
        "arriving",
        "hold",
        "preliminary",
        "pending_cosign",
        "final",
        "scheduled",
    )
    made = dict(zip(states, more_items(*({"status": status} for status in states)), strict=True))
    assert set(asked(alice)) == {made[name].pk for name in ("ready", "assigned", "put_aside", "arriving")}
    assert set(asked(alice, tab="quality")) == {made[name].pk for name in ("arriving", "hold")}
    assert set(asked(alice, tab="cosign")) == {made["preliminary"].pk, made["pending_cosign"].pk}
    assert asked(alice, tab="held") == [made["hold"].pk]
    assert asked(alice, tab="done") == [made["final"].pk]
    assert asked(alice, status="final,hold")[-1] in (made["final"].pk, made["hold"].pk)
    assert listing.counts(alice) == {
        **{"unread": 4, "cosign": 2, "quality": 2, "held": 1, "scheduled": 1, "open": 8, "mine": 0},
    }
    assert listing.counts(boss)["open"] == 0


def test_where_a_technologist_looks_first_nothing_that_arrives_is_listed_to_be_read(
    alice: User, site: Organization, more_items: Any
) -> None:
    (item,) = more_items({"status": "arriving"})
    assert asked(alice) == [item.pk]
    ReportingSite.objects.create(organization=site, quality_control=True)
    assert asked(alice) == []
    assert asked(alice, tab="quality") == [item.pk]
    assert listing.counts(alice)["unread"] == 0


def test_a_claim_that_has_run_out_is_listed_as_ready(alice: User, rita: User, more_items: Any) -> None:
    (item,) = more_items({"status": "claimed", "claimed_by": rita, "claim_seen_at": ago(seconds=91)})
    assert asked(alice, status="ready") == [item.pk]
    assert asked(alice, status="claimed") == []
    found = listing.listed(alice, Question())
    (row,) = items_told(found.rows, alice, found.now)
    assert (row["status"], row["claimed_by"]) == ("ready", None)
    ReadingItem.objects.update(claim_seen_at=timezone.now())
    assert asked(alice, status="ready") == []
    assert asked(alice, status="claimed") == [item.pk]


def test_what_is_mine_is_claimed_by_or_assigned_to_me(alice: User, rita: User, more_items: Any) -> None:
    mine, claimed, *_ = more_items(
        {"status": "assigned", "assigned_to": alice},
        {"status": "claimed", "claimed_by": alice, "claim_seen_at": timezone.now()},
        {"status": "assigned", "assigned_to": rita},
        {},
    )
    assert set(asked(alice, tab="mine")) == set(asked(alice, mine="1")) == {mine.pk, claimed.pk}
    assert asked(alice, assigned="me") == [mine.pk]
    assert len(asked(alice, assigned="nobody")) == 2
    assert len(asked(alice, assigned="rita")) == 1
    assert listing.counts(alice)["mine"] == 2


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"class": "STAT"}, {0}),
        ({"class": "STAT,URGENT"}, {0, 1}),
        ({"modality": "ct"}, {0, 2}),
        ({"modality": "MR,US"}, {1}),
        ({"modality": "PT"}, {2}),
        ({"body_part": "chest"}, {0}),
        ({"organization": "default"}, {0, 1, 2}),
        ({"organization": "elsewhere"}, set()),
        ({"q": "muster erika"}, {0}),
        ({"q": "ERIKA"}, {0}),
        ({"q": "M-2"}, {1}),
        ({"q": "zzz"}, set()),
        ({"q": "1.9.3"}, {2}),
    ],
)
def test_each_filter_narrows(alice: User, charlie: User, more_items: Any, said: dict, found: set[int]) -> None:
    made = more_items({"reading_class": "STAT"}, {"reading_class": "URGENT"}, {})
    Order.objects.filter(item=made[0]).update(body_part="CHEST")
    Patient.objects.filter(orders__item=made[0]).update(name_folded="muster erika")
    Order.objects.filter(item=made[1]).update(modality="MR")
    Study.objects.filter(reading_items=made[1]).update(modalities="MR")
    Study.objects.filter(reading_items=made[2]).update(modalities="CT\\PT")
    assert set(asked(alice, **said)) == {made[number].pk for number in found}


def test_what_is_held_can_be_asked_for_by_its_reason(alice: User, more_items: Any) -> None:
    side, _ = more_items(
        {"status": "hold", "held_reason": "wrong_side"}, {"status": "hold", "held_reason": "series_missing"}
    )
    assert asked(alice, tab="quality", held="wrong_side") == [side.pk]
    assert len(asked(alice, tab="quality", held="1")) == 2


@pytest.mark.parametrize("sort", listing.SORTS)
def test_pages_are_whole_and_without_repeats_in_every_order(alice: User, more_items: Any, sort: str) -> None:
    made = more_items(*({"ready_at": ago(minutes=number * 7 % 5)} for number in range(11)))
    pages = [asked(alice, sort=sort, limit="4", page=str(page)) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [4, 4, 3, 0]
    assert sorted(one for page in pages for one in page) == [one.pk for one in made]


@pytest.mark.parametrize(
    "said",
    [
        *({"tab": "x"}, {"status": "x"}, {"class": "SOON"}, {"sort": "x"}, {"page": "0"}, {"page": "-1"}),
        *({"limit": "201"}, {"limit": "x"}, {"page": "501"}, {"page": "٣"}),
    ],
)
def test_what_cannot_be_answered_is_refused(alice: User, said: dict) -> None:
    with pytest.raises(BadQuery):
        asked(alice, **said)
    assert signed_in(alice).get("/api/worklist/", said).status_code == 400


def test_the_row_says_everything_about_the_item(
    alice: User, item: ReadingItem, study: Study, template: TemplateVersion
) -> None:
    report = Report.objects.create(
        organization=item.organization,
        study=study,
        item=item,
        order=item.order,
        template_version=template,
        author=alice,
    )
    (row,) = signed_in(alice).get("/api/worklist/").json()["items"]
    assert (row["id"], row["status"], row["organization"]) == (item.pk, "ready", "default")
    assert row["study"]["study_instance_uid"] == study.study_instance_uid
    assert row["study"]["number_of_instances"] == 2
    assert row["order"]["procedure_text"] == "CT head"
    assert row["report"] == {"id": report.pk, "state": "draft"}
    assert row["patient"]["id"] == study.patient.patient_id
    assert row["why"][0] == {"words": "Class ROUTINE", "points": 0}
    assert row["target_minutes"] == 1440
    assert row["due_at"].startswith(f"{item.ready_at + timedelta(days=1):%Y-%m-%dT%H:%M}")
    assert set(row["may"]) == {"claim", "hold", "class", "correct", "link"}
    assert row["critical"] is False


# --- many


MANY = 5000


@pytest.fixture
def many(site: Organization, template: TemplateVersion, alice: User) -> None:
    now = timezone.now()
    patients = Patient.objects.bulk_create(
        [Patient(organization=site, patient_id=f"N-{n}", name_folded=f"name {n}") for n in range(MANY)]
    )
    studies = Study.objects.bulk_create(
        [
            Study(organization=site, patient=patient, study_instance_uid=f"1.8.{n}", modalities="CT")
            for n, patient in enumerate(patients)
        ]
    )
    orders = Order.objects.bulk_create(
        [
            Order(organization=site, patient=patient, accession_number=f"N-{n}", modality="CT")
            for n, patient in enumerate(patients)
        ]
    )
    items = ReadingItem.objects.bulk_create(
        [
            ReadingItem(
                organization=site,
                order=order,
                study=study,
                status="ready",
                reading_class=("ROUTINE", "URGENT", "STAT")[n % 3],
                ready_at=now - timedelta(minutes=n % 700),
            )
            for n, (order, study) in enumerate(zip(orders, studies, strict=True))
        ]
    )
    Report.objects.bulk_create(
        [
            Report(
                organization=site, study=one.study, item=one, order=one.order, template_version=template, author=alice
            )
            for one in items[:500]
        ]
    )


def queries(user: User, path: str) -> int:
    client = signed_in(user)
    client.get(path)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def test_five_thousand_items_take_no_more_questions_to_the_database_than_five(
    alice: User, item: ReadingItem, more_items: Any, request: pytest.FixtureRequest
) -> None:
    more_items({}, {}, {}, {})
    SavedFilter.objects.create(owner=alice, name="mine", query={"tab": "mine"})
    few = queries(alice, "/api/worklist/?limit=200")
    request.getfixturevalue("many")
    for path in ("/api/worklist/?limit=200", "/api/worklist/?limit=200&q=name&sort=patient"):
        assert queries(alice, path) == few
    assert few <= 20
    answer = signed_in(alice).get("/api/worklist/?limit=200&page=26").json()
    assert (answer["total"], answer["pages"], len(answer["items"])) == (MANY + 5, 26, 5)


# --- who


def test_only_people_who_read_there_see_it(
    alice: User, rita: User, tess: User, bob: User, boss: User, charlie: User, item: ReadingItem
) -> None:
    for user in (alice, rita, tess):
        assert asked(user) == [item.pk]
    for user in (bob, boss, charlie):
        assert asked(user) == []
        assert not listing.visible_items(user).exists()
    alice.is_active = False
    assert not listing.visible_items(alice).exists()


def test_a_reader_of_two_organizations_sees_both_and_can_ask_for_one(item: ReadingItem, charlie: User) -> None:
    from accounts.models import Membership

    Membership.objects.create(user=charlie, organization=item.organization, role=Role.RESIDENT)
    assert asked(charlie) == asked(charlie, organization="default") == [item.pk]
    assert asked(charlie, organization="elsewhere") == []
    assert person("nobody", item.organization, Role.REFERRER).roles() != {}
