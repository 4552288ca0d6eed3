"""Messages that were done long ago go; what was refused or not done, and whatever was written in reports, stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import AuditEvent
from reporting import hooks
from reporting.delivery import pruning
from reporting.models import HL7Peer, InboundMessage, ReportVersion

pytestmark = pytest.mark.django_db(transaction=True)


def message(peer: HL7Peer, control_id: str, state: str, days: float) -> int:
    row = InboundMessage.objects.create(
        organization=peer.organization, peer=peer, control_id=control_id, sha256=control_id, state=state, body="MSH|..."
    )
    InboundMessage.objects.filter(pk=row.pk).update(received_at=timezone.now() - timedelta(days=days))
    return row.pk


def left() -> set[str]:
    return set(InboundMessage.objects.values_list("control_id", flat=True))


def test_only_what_was_done_long_ago_goes(peer: HL7Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    for number in range(5):
        message(peer, f"old {number}", "applied", 366)
    message(peer, "young", "applied", 364)
    message(peer, "refused", "refused", 4000)
    message(peer, "not done yet", "received", 4000)
    assert pruning.prune() == 5
    assert left() == {"young", "refused", "not done yet"}
    assert [one.detail["messages"] for one in AuditEvent.objects.filter(action="hl7.prune").order_by("id")] == [2, 2, 1]
    assert pruning.prune() == 0


def test_the_site_says_how_long(peer: HL7Peer, settings: LazySettings) -> None:
    message(peer, "a month", "applied", 31)
    settings.FARVIEW_HL7_DAYS = 30
    assert pruning.prune() == 1
    message(peer, "long ago", "applied", 100_000 / 3)
    settings.FARVIEW_HL7_DAYS = 0
    assert pruning.prune() == 0


def test_versions_of_reports_stay(sign, peer: HL7Peer) -> None:
    sign()
    before = list(ReportVersion.objects.values_list("mac", flat=True))
    message(peer, "old", "applied", 40_000 / 3)
    assert pruning.prune(timezone.now() + timedelta(days=10_000)) == 1
    assert list(ReportVersion.objects.values_list("mac", flat=True)) == before


def test_the_server_does_it() -> None:
    assert pruning.pruning in hooks.TASKS
