"""When an item was reported, delivered, acknowledged: told by those who did it, within their own transaction."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from accounts.models import User
from accounts.origin import Request
from reporting.models import ReadingItem, Report, ReportVersion
from reporting.worklist import double_reading
from reporting.worklist.claiming import CLAIM, let_go
from reporting.worklist.events import FARVIEW, changed, locked, whole
from reporting.worklist.states import resting

STATUS_AFTER: dict[str, str] = {
    "preliminary": "preliminary",
    "returned": "preliminary",
    "pending_cosign": "pending_cosign",
    "final": "final",
    "appended": "final",
    "corrected": "final",
    "entered_in_error": "hold",
}
"""State of the report -> that of the item. After a cancelled report, or one of two reads, it waits to be read again; after one
that was entered in error a person looks first whose images these are."""


def report_signed(report: Report, version: ReportVersion | None = None, request: Request | None = None) -> None:
    """The report's state has changed by a signature (or a return, or a withdrawal); its item follows."""
    item = _item_of(report)
    if item is not None:
        whole(lambda: _follow(item.pk, report, version, request))


def _follow(item_id: int, report: Report, version: ReportVersion | None, request: Request | None) -> None:
    item = locked(item_id)
    now = version.at if version is not None else timezone.now()
    actor = version.author_username if version is not None else FARVIEW
    let_go(item)
    if item.double_reading:
        item.blind_reads = double_reading.count(item)
    if report.state == "read":
        item.assigned_to = None  # the next read is somebody else's
    if report.state in ("cancelled", "read"):
        item.status = resting(has_images=item.study_id is not None, assigned=item.assigned_to_id is not None)
    else:
        item.status = STATUS_AFTER.get(report.state, item.status)
    _stamp(item, report, now)
    fields = (*CLAIM, "status", "assigned_to", "held_reason", "note", "blind_reads", *STAMPS)
    detail = {"report": report.pk, "version": version.number if version is not None else None}
    changed(item, f"report_{report.state}", actor, fields, request=request, detail=detail)


STAMPS = ("preliminary_at", "final_at", "delivered_at")


def _stamp(item: ReadingItem, report: Report, now: datetime) -> None:
    item.held_reason = item.note = ""
    if report.state in ("cancelled", "entered_in_error"):
        item.preliminary_at = item.final_at = item.delivered_at = None
    if report.state == "entered_in_error":
        item.held_reason, item.note = "other", "Its report was entered in error."
    elif report.state in ("preliminary", "pending_cosign"):
        item.preliminary_at = item.preliminary_at or now
    elif report.state == "returned":
        item.assigned_to = report.author
    elif item.status == "final":
        item.final_at = item.final_at or now


def delivered(report: Report) -> None:
    """The newest signed version has reached every destination."""
    item = _item_of(report)
    if item is not None:
        whole(lambda: _delivered(item.pk, report))


def _delivered(item_id: int, report: Report) -> None:
    item = locked(item_id)
    if item.status != "final":
        return
    item.status, item.delivered_at = "delivered", item.delivered_at or timezone.now()
    changed(item, "delivered", FARVIEW, ("status", "delivered_at"), detail={"report": report.pk})


def critical_acknowledged(report: Report, actor: User | str = FARVIEW) -> None:
    """Somebody has read a critical result of this report back."""
    item = _item_of(report)
    if item is not None:
        whole(lambda: _acknowledged(item.pk, report, actor))


def _acknowledged(item_id: int, report: Report, actor: User | str) -> None:
    item = locked(item_id)
    if item.critical_acknowledged_at is None:
        item.critical_acknowledged_at = timezone.now()
        changed(item, "critical_acknowledged", actor, ("critical_acknowledged_at",), detail={"report": report.pk})


def reported(item: ReadingItem) -> str:
    """The state of an item by its signed report; "": nobody has signed one that stands."""
    report = Report.objects.filter(item=item, signed_version__gt=0).exclude(state__in=NONE).order_by("-pk").first()
    status = STATUS_AFTER.get(report.state, "") if report is not None else ""
    return "delivered" if status == "final" and item.delivered_at is not None else status


NONE = ("cancelled", "entered_in_error")


def _item_of(report: Report) -> ReadingItem | None:
    if report.item_id is not None:
        return report.item
    return ReadingItem.objects.filter(study=report.study).exclude(status="cancelled").order_by("id").first()
