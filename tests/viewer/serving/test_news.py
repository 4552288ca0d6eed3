"""News reaches those who may hear it, once, and only what came after they connected."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Organization
from tests.viewer.serving.conftest import Dial, People, in_thread, token_of
from viewer.archive import outbox
from viewer.consumers import series_in
from viewer.models import Outbox
from viewer.serving.news import News, NewsTail, newest_of_each

announce = in_thread(outbox.announce)


def about(study: str, count: int) -> dict[str, Any]:
    return {"study_instance_uid": study, "number_of_instances": count, "series": []}


async def test_only_readers_of_the_organization_hear_of_it(dial: Dial, people: People) -> None:
    tail = NewsTail()
    await announce("study.changed", people.north, about("1.1", 1))
    await tail.look()  # what was before is no news
    alice, bob, charlie = [
        (await dial("/ws/news/", await in_thread(token_of)(person)))[0]
        for person in (people.alice, people.bob, people.charlie)
    ]
    await announce("study.changed", people.north, about("1.2", 7))
    assert await tail.look() == 1

    heard = json.loads(await alice.receive_from())
    assert heard["type"] == "study.changed"
    assert (heard["study_instance_uid"], heard["organization"], heard["number_of_instances"]) == ("1.2", "north", 7)
    assert await alice.receive_nothing()
    assert await bob.receive_nothing()
    assert await charlie.receive_nothing()
    assert await tail.look() == 0


async def test_a_burst_about_one_study_is_one_message(dial: Dial, people: People) -> None:
    tail = NewsTail()
    await tail.look()
    alice, *_ = await dial("/ws/news/", await in_thread(token_of)(people.alice))
    for count in range(1, 301):
        await announce("study.changed", people.north, about("1.2", count))
    await tail.look()
    assert json.loads(await alice.receive_from())["number_of_instances"] == 300
    assert await alice.receive_nothing()


def test_series_of_several_rows_about_one_study_are_all_named() -> None:
    rows = [
        News(1, "study.changed", 1, "north", {"study_instance_uid": "1", "series": [{"series_instance_uid": "1.1"}]}),
        News(2, "study.changed", 1, "north", {"study_instance_uid": "1", "series": [{"series_instance_uid": "1.2"}]}),
        News(3, "study.changed", 2, "south", {"study_instance_uid": "1", "series": [{"series_instance_uid": "1.3"}]}),
    ]
    told = {row.organization: [uid for uid, _ in series_in(row.payload)] for row in newest_of_each(rows)}
    assert told == {"north": ["1.1", "1.2"], "south": ["1.3"]}


def test_that_images_were_withdrawn_is_not_forgotten_over_what_came_after_it() -> None:
    first = {
        "study_instance_uid": "1",
        "series": [{"series_instance_uid": "1.1", "series_version": "2", "withdrawn": True}],
    }
    second = {"study_instance_uid": "1", "series": [{"series_instance_uid": "1.1", "series_version": "3"}]}
    (told,) = newest_of_each(
        [News(1, "study.changed", 7, "north", first), News(2, "study.changed", 7, "north", second)]
    )
    assert series_in(told.payload) == [("1.1", {"series_version": "3", "withdrawn": True})]


async def test_a_greeting_is_answered_with_the_build(dial: Dial, people: People) -> None:
    alice, *_ = await dial("/ws/news/", await in_thread(token_of)(people.alice))
    await alice.send_to(json.dumps({"type": "hello", "protocol": 1}))
    assert json.loads(await alice.receive_from())["build"]


def test_old_news_is_thrown_away(db: None) -> None:
    organization = Organization.objects.create(name="north")
    for _ in range(3):
        outbox.announce("study.changed", organization, {})
    Outbox.objects.update(created_at=timezone.now() - timedelta(days=5))
    outbox.announce("study.changed", organization, {})
    outbox.prune()
    assert Outbox.objects.count() == 1
