"""What may follow what: every act in every state, by the table alone."""

from __future__ import annotations

import pytest

from accounts.models import Role
from reporting.models.orders import ItemStatus
from reporting.worklist.listing import TABS
from reporting.worklist.states import CLOSED, OPEN, STEPS, may_follow, resting


def test_every_state_is_open_or_closed_and_none_is_both() -> None:
    assert sorted((*OPEN, *CLOSED)) == sorted(ItemStatus.values)
    assert set().union(*(TABS[tab] for tab in ("unread", "cosign", "quality", "scheduled"))) == set(OPEN)


@pytest.mark.parametrize("action", STEPS)
def test_nothing_is_done_to_what_is_closed(action: str) -> None:
    assert not any(may_follow(action, status) for status in CLOSED)


@pytest.mark.parametrize(("action", "status"), [("claim", "arriving"), ("claim", "hold"), ("claim", "scheduled")])
def test_nobody_reads_what_is_not_ready(action: str, status: str) -> None:
    assert not may_follow(action, status)


def test_only_people_who_write_reports_read_and_only_administrators_assign() -> None:
    readers = {Role.RADIOLOGIST, Role.RESIDENT}
    for action in ("claim", "take", "heartbeat", "release", "put-aside"):
        assert set(STEPS[action].roles) == readers
    for action in ("assign", "free", "cancel"):
        assert set(STEPS[action].roles) == {Role.ADMIN}
    assert not any(Role.REFERRER in step.roles for step in STEPS.values())
    assert set(STEPS["ready"].roles) == {Role.TECHNOLOGIST, Role.RADIOLOGIST}


def test_what_nobody_reads_waits_where_it_belongs() -> None:
    assert resting(has_images=False, assigned=True) == "scheduled"
    assert resting(has_images=True, assigned=True) == "assigned"
    assert resting(has_images=True, assigned=False) == "ready"
