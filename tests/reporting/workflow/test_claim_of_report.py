"""Who writes a report has claimed its examination; whoever has claimed the examination is the one who may write."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from reporting.models import ItemEvent, ReadingItem, Report
from reporting.worklist import claiming
from tests.reporting.conftest import PASSWORD
from tests.reporting.talking import SOUND, act, done, opened, opening, saved, saving, signed, signing
from viewer.models import Study

REASON = "Dora was called to theatre."


def now(item: ReadingItem) -> ReadingItem:
    return ReadingItem.objects.get(pk=item.pk)


def kinds(item: ReadingItem) -> list[str]:
    return list(ItemEvent.objects.filter(item=item).order_by("id").values_list("kind", flat=True))


def claim(client: Client, item: ReadingItem, **body: Any) -> Any:
    return client.post(f"/api/worklist/{item.pk}/claim/", body, "application/json")


def test_beginning_a_report_claims_its_examination(
    at_alice: Client, study: Study, item: ReadingItem, alice: User
) -> None:
    report = opened(at_alice, study, token="one")
    held = now(item)
    assert (held.status, held.claimed_by, kinds(item)) == ("claimed", alice, ["claimed"])
    ReadingItem.objects.update(claim_seen_at=timezone.now() - timedelta(seconds=80))
    done(at_alice, report, "lock", action="heartbeat", token="one")
    assert claiming.free_expired() == 0
    held = now(item)
    assert timezone.now() - held.claim_seen_at < timedelta(seconds=5)
    assert kinds(item) == ["claimed"], "a sign of life is no event"


def test_what_was_claimed_in_the_worklist_stays_claimed_by_the_same_window(
    at_alice: Client, study: Study, item: ReadingItem
) -> None:
    assert claim(at_alice, item, token="window").status_code == 200
    opened(at_alice, study, token="page")
    assert (now(item).claim_token, kinds(item)) == ("window", ["claimed"])


def test_letting_go_of_the_report_lets_go_of_the_examination(at_alice: Client, study: Study, item: ReadingItem) -> None:
    report = opened(at_alice, study, token="one")
    done(at_alice, report, "lock", action="release", token="two")
    assert now(item).status == "claimed", "another window let go of nothing"
    done(at_alice, report, "lock", action="release", token="one")
    assert (now(item).status, now(item).claimed_by, kinds(item)) == ("ready", None, ["claimed", "released"])


@pytest.mark.parametrize(("meaning", "status"), [("final", "final"), ("preliminary", "preliminary")])
def test_a_signature_ends_the_claim(
    at_alice: Client, study: Study, item: ReadingItem, meaning: str, status: str
) -> None:
    signed(at_alice, saved(at_alice, opened(at_alice, study)), meaning)
    assert (now(item).status, now(item).claimed_by) == (status, None)


def test_an_examination_that_another_reads_is_not_begun_without_a_reason(
    at_alice: Client, at_dora: Client, study: Study, item: ReadingItem, alice: User
) -> None:
    assert claim(at_dora, item).status_code == 200
    refused = opening(at_alice, study)
    assert (refused.status_code, refused.json()["code"]) == (423, "locked")
    assert refused.json()["detail"] == "Dora Dorn is reading this examination."
    assert (refused.json()["lock"]["mine"], refused.json()["lock"]["by"]) == (False, "Dora Dorn")
    assert refused.json()["lock"]["until"] > timezone.now().isoformat()
    assert not Report.objects.exists()
    taken = opening(at_alice, study, reason=REASON)
    assert (taken.status_code, taken.json()["lock"]["mine"]) == (201, True)
    event = AuditEvent.objects.get(action="report.take_over")
    assert (event.actor, event.detail) == ("alice", {"from": "dora", "reason": REASON})
    assert (now(item).claimed_by, kinds(item)) == (alice, ["claimed", "taken_over"])
    assert at_dora.post(f"/api/worklist/{item.pk}/heartbeat/", {}, "application/json").status_code == 409


def test_a_report_whose_examination_is_taken_over_is_not_written_on(
    at_alice: Client, at_dora: Client, study: Study, item: ReadingItem
) -> None:
    report = saved(at_alice, opened(at_alice, study, token="one"), token="one")
    assert claim(at_dora, item).status_code == 409
    assert claim(at_dora, item, reason=REASON).status_code == 200
    for answer in (
        saving(at_alice, report, {**SOUND, "impression": "Bleeding."}, token="one"),
        act(at_alice, report, "lock", action="heartbeat", token="one"),
        signing(at_alice, report, token="one"),
        opening(at_alice, study, token="one"),
    ):
        assert (answer.status_code, answer.json()["lock"]["by"]) == (423, "Dora Dorn")
    assert opened(at_dora, study)["lock"]["mine"]
    assert act(at_alice, report, "lock", action="take", token="one").status_code == 400
    assert done(at_alice, report, "lock", action="take", token="one", reason="My patient.")["lock"]["mine"]
    assert saving(at_alice, report, {**SOUND, "impression": "Bleeding."}, token="one").status_code == 200
    assert kinds(item) == ["claimed", "taken_over", "taken_over"]


def test_a_claim_that_has_run_out_keeps_nobody(
    at_alice: Client, at_dora: Client, study: Study, item: ReadingItem
) -> None:
    assert claim(at_dora, item).status_code == 200
    ReadingItem.objects.update(claim_seen_at=timezone.now() - timedelta(seconds=91))
    assert opened(at_alice, study)["lock"]["mine"]


def test_what_was_assigned_to_another_is_begun_and_that_is_written_down(
    at_alice: Client, study: Study, item: ReadingItem, dora: User
) -> None:
    ReadingItem.objects.update(status="assigned", assigned_to=dora)
    assert opened(at_alice, study)["lock"]["mine"]
    event = ItemEvent.objects.get(item=item)
    assert (event.kind, event.detail["from"], event.actor_name) == ("taken_over", "dora", "alice")


@pytest.mark.parametrize("status", ["arriving", "hold", "final", "delivered"])
def test_what_nobody_can_claim_is_written_all_the_same(
    at_alice: Client, study: Study, item: ReadingItem, status: str
) -> None:
    ReadingItem.objects.update(status=status)
    assert opened(at_alice, study)["lock"]["mine"]
    assert (now(item).status, now(item).claimed_by, kinds(item)) == (status, None, [])


def test_an_addendum_needs_no_claim(at_alice: Client, at_dora: Client, study: Study, item: ReadingItem) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)))
    done(at_dora, report, "addendum", text="An old infarct.", password=PASSWORD)
    assert now(item).status == "final"


def test_bob_and_charlie_take_nothing(
    at_alice: Client, study: Study, item: ReadingItem, bob: User, charlie: User, alice: User
) -> None:
    report = opened(at_alice, study)
    for user in (bob, charlie):
        client = Client()
        client.force_login(user)
        assert opening(client, study, reason=REASON).status_code == 404
        assert act(client, report, "lock", action="take", reason=REASON).status_code == 404
    assert now(item).claimed_by == alice
