"""One reader at a time: of two who claim at once one wins, and a browser that dies lets go."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEvent, Membership, Role, User
from reporting.models import ItemEvent, ReadingItem, Report, TemplateVersion
from reporting.worklist import claiming, picking
from reporting.worklist.claiming import EXPIRY
from reporting.worklist.listing import Question
from reporting.worklist.refusals import Assigned, Held, Overtaken, Refused
from tests.reporting.conftest import person
from viewer.models import Outbox

pytestmark = pytest.mark.django_db


def silent_for(item: ReadingItem, **ago: float) -> None:
    ReadingItem.objects.filter(pk=item.pk).update(claim_seen_at=timezone.now() - timedelta(**ago))


def again(item: ReadingItem) -> ReadingItem:
    return ReadingItem.objects.get(pk=item.pk)


def test_a_claim_is_told_written_down_and_shown(item: ReadingItem, alice: User) -> None:
    claimed = claiming.claim(item.pk, alice)
    assert (claimed.status, claimed.claimed_by) == ("claimed", alice)
    assert claimed.claim_token
    assert claimed.claimed_at is not None
    assert AuditEvent.objects.filter(action="worklist.claimed", actor="alice", outcome="success").count() == 1
    assert Outbox.objects.filter(kind="worklist.changed").last().payload["status"] == "claimed"


def test_another_is_told_who_reads_it_and_until_when(item: ReadingItem, alice: User, rita: User) -> None:
    claiming.claim(item.pk, alice)
    with pytest.raises(Held) as refused:
        claiming.claim(item.pk, rita)
    assert refused.value.by == "Alice Adler"
    assert timedelta(seconds=80) < refused.value.until - timezone.now() <= EXPIRY
    assert again(item).claimed_by == alice


def test_taking_it_over_needs_a_reason_and_is_written_down(item: ReadingItem, alice: User, rita: User) -> None:
    former = claiming.claim(item.pk, alice).claim_token
    claiming.claim(item.pk, rita, reason="Alice went home")
    event = ItemEvent.objects.get(kind="taken_over")
    assert (event.actor_name, event.detail["from"], event.detail["reason"]) == ("rita", "alice", "Alice went home")
    assert AuditEvent.objects.get(action="worklist.taken_over").purpose == "Alice went home"
    with pytest.raises(Held):
        claiming.heartbeat(item.pk, alice, former)


def test_a_silent_claim_is_free_after_a_while(item: ReadingItem, alice: User, rita: User) -> None:
    claiming.claim(item.pk, alice)
    silent_for(item, seconds=89)
    with pytest.raises(Held):
        claiming.claim(item.pk, rita)
    silent_for(item, seconds=91)
    assert claiming.claim(item.pk, rita).claimed_by == rita
    assert not ItemEvent.objects.filter(kind="taken_over").exists()


def test_heartbeats_keep_it_and_are_no_events(item: ReadingItem, alice: User) -> None:
    claimed = claiming.claim(item.pk, alice)
    silent_for(item, seconds=80)
    claiming.heartbeat(item.pk, alice, claimed.claim_token)
    assert claiming.free_expired() == 0
    assert again(item).version == claimed.version
    assert ItemEvent.objects.filter(item=item).count() == 1


def test_the_server_frees_what_nobody_was_heard_to_read(item: ReadingItem, alice: User) -> None:
    token = claiming.claim(item.pk, alice).claim_token
    silent_for(item, seconds=91)
    assert claiming.free_expired() == 1
    freed = again(item)
    assert (freed.status, freed.claimed_by, freed.claim_token) == ("ready", None, "")
    assert ItemEvent.objects.get(kind="claim_expired").detail["from"] == "alice"
    with pytest.raises(Refused, match="ended"):
        claiming.heartbeat(item.pk, alice, token)


def test_a_second_window_of_the_same_reader_takes_it_from_the_first(item: ReadingItem, alice: User) -> None:
    first = claiming.claim(item.pk, alice).claim_token
    second = claiming.claim(item.pk, alice).claim_token
    assert first != second
    with pytest.raises(Refused, match="another window"):
        claiming.heartbeat(item.pk, alice, first)
    claiming.heartbeat(item.pk, alice, second)
    claiming.heartbeat(item.pk, alice)  # a program without windows


def test_letting_go_gives_it_back_to_whoever_it_was_assigned_to(item: ReadingItem, alice: User) -> None:
    ReadingItem.objects.update(assigned_to=alice, status="assigned")
    claiming.claim(item.pk, alice)
    assert claiming.release(item.pk, alice).status == "assigned"
    with pytest.raises(Refused):
        claiming.release(item.pk, alice)


def test_what_is_assigned_to_another_takes_a_reason(item: ReadingItem, alice: User, rita: User) -> None:
    ReadingItem.objects.update(assigned_to=alice, status="assigned")
    with pytest.raises(Assigned, match="Alice Adler"):
        claiming.claim(item.pk, rita)
    assert claiming.claim(item.pk, rita, reason="she asked me to").status == "claimed"
    assert ItemEvent.objects.get(kind="taken_over").detail["from"] == "alice"


def test_put_aside_says_what_it_waits_for(item: ReadingItem, alice: User) -> None:
    claiming.claim(item.pk, alice)
    with pytest.raises(Refused):
        claiming.put_aside(item.pk, alice, " ")
    aside = claiming.put_aside(item.pk, alice, "prior images from the other house")
    assert (aside.status, aside.note, aside.claimed_by) == ("put_aside", "prior images from the other house", None)
    assert claiming.claim(item.pk, alice).status == "claimed"


@pytest.mark.parametrize("status", ["scheduled", "arriving", "hold", "final", "delivered", "cancelled"])
def test_nobody_reads_what_is_not_to_be_read(item: ReadingItem, alice: User, status: str) -> None:
    ReadingItem.objects.update(status=status)
    with pytest.raises(Refused):
        claiming.claim(item.pk, alice)


def test_a_preliminary_report_is_taken_up_without_becoming_unread(item: ReadingItem, alice: User) -> None:
    ReadingItem.objects.update(status="pending_cosign")
    claimed = claiming.claim(item.pk, alice)
    assert (claimed.status, claimed.claimed_by) == ("pending_cosign", alice)
    assert claiming.release(item.pk, alice).status == "pending_cosign"


def test_whoever_looked_too_long_is_told_to_look_again(item: ReadingItem, alice: User) -> None:
    with pytest.raises(Overtaken) as refused:
        claiming.claim(item.pk, alice, version=item.version + 1)
    assert refused.value.version == item.version
    assert claiming.claim(item.pk, alice, version=item.version).version == item.version + 1


def test_nobody_claims_what_another_writes_about(
    item: ReadingItem, alice: User, rita: User, template: TemplateVersion
) -> None:
    Report.objects.create(
        organization=item.organization,
        study=item.study,
        item=item,
        order=item.order,
        template_version=template,
        author=rita,
        locked_by=rita,
        lock_seen_at=timezone.now(),
    )
    with pytest.raises(Held, match="Rita Rossi"):
        claiming.claim(item.pk, alice)
    assert picking.take_next(alice) is None
    assert picking.take_next(rita) == item


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by", ["claim", "next"])
def test_of_many_who_claim_at_once_one_wins_and_the_others_learn_who(item: ReadingItem, by: str) -> None:
    people = [person(f"reader{number}", item.organization, Role.RADIOLOGIST) for number in range(6)]
    start, outcomes = threading.Barrier(len(people)), []

    def go(user: User) -> None:
        try:
            start.wait()
            found: Any = claiming.claim(item.pk, user) if by == "claim" else picking.take_next(user)
            outcomes.append((user.username, found and "won"))
        except Held as refused:
            outcomes.append((user.username, refused.by))
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(outcomes) == len(people)
    (winner,) = [name for name, outcome in outcomes if outcome == "won"]
    expected = winner if by == "claim" else None
    assert {outcome for name, outcome in outcomes if name != winner} == {expected}
    assert again(item).claimed_by.username == winner
    assert ItemEvent.objects.filter(kind="claimed").count() == 1


# --- next


def test_next_is_mine_first_then_the_best_of_nobodys(item: ReadingItem, alice: User, more_items: Any) -> None:
    routine, stat, mine, others, held = more_items(
        {"reading_class": "ROUTINE"},
        {"reading_class": "STAT"},
        {"reading_class": "ROUTINE", "status": "assigned", "assigned_to": alice},
        {
            "reading_class": "STROKE",
            "status": "assigned",
            "assigned_to": person("otto", item.organization, "radiologist"),
        },
        {"reading_class": "STROKE", "status": "hold"},
    )
    taken = [picking.take_next(alice) for _ in range(5)]
    assert [one and one.pk for one in taken] == [mine.pk, stat.pk, item.pk, routine.pk, None]
    assert again(others).claimed_by is None
    assert again(held).claimed_by is None


def test_next_keeps_to_the_question_and_passes_over_what_was_skipped(
    item: ReadingItem, alice: User, more_items: Any
) -> None:
    stat, urgent = more_items({"reading_class": "STAT"}, {"reading_class": "URGENT"})
    asked = Question(reading_class=("STAT", "URGENT"))
    assert picking.take_next(alice, asked, [stat.pk]) == urgent
    assert picking.take_next(alice, asked, [stat.pk]) is None


def test_next_takes_what_a_dead_browser_held(item: ReadingItem, alice: User, rita: User) -> None:
    claiming.claim(item.pk, rita)
    assert picking.take_next(alice) is None
    silent_for(item, seconds=91)
    assert picking.take_next(alice) == item


def test_next_takes_nothing_where_one_looks_but_writes_no_reports(item: ReadingItem, tess: User, charlie: User) -> None:
    assert picking.take_next(tess) is None
    Membership.objects.create(user=charlie, organization=item.organization, role=Role.TECHNOLOGIST)
    assert picking.take_next(charlie) is None
    Membership.objects.create(user=charlie, organization=item.organization, role=Role.RESIDENT)
    assert picking.take_next(charlie) == item
