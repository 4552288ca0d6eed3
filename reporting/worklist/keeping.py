"""What keeps a study from the rules of retention: whatever of its reading or reporting is not over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from django.db.models import OuterRef, QuerySet, Subquery

from reporting.models import CriticalResult, Delivery, DeliveryState, ReadingItem, Report, ReportState, ReportVersion
from reporting.workflow.states import CLOSED as SIGNED
from reporting.workflow.states import NOT_TEXT
from reporting.worklist.states import CLOSED

OVER = (*SIGNED, ReportState.READ, ReportState.CANCELLED, ReportState.ENTERED_IN_ERROR)
ARRIVED = (DeliveryState.SENT, DeliveryState.ACKNOWLEDGED, DeliveryState.SUPERSEDED)
BEGUN = ("correcting", "save")
"""Kinds of the newest text of a signed report that somebody corrects."""


def reasons(keys: Collection[int]) -> Iterator[tuple[int, str]]:
    """Keys of studies -> (key, why it is to be kept)."""
    for path, why, rows in KEPT:
        for key in rows().filter(**{f"{path}__in": keys}).values_list(path, flat=True).distinct():
            yield key, why


def _being_corrected() -> QuerySet[Report]:
    texts = ReportVersion.objects.filter(report=OuterRef("pk")).exclude(kind__in=NOT_TEXT).order_by("-number")
    rows = Report.objects.filter(state__in=SIGNED).annotate(text=Subquery(texts.values("kind")[:1]))
    return rows.filter(text__in=BEGUN)


KEPT: tuple[tuple[str, str, Callable[[], QuerySet]], ...] = (
    ("study", "it is still to be read", lambda: ReadingItem.objects.exclude(status__in=CLOSED)),
    ("study", "its report is not signed", lambda: Report.objects.exclude(state__in=OVER)),
    ("study", "its report is being corrected", _being_corrected),
    ("report__study", "a critical result is open", lambda: CriticalResult.objects.filter(closed_at=None)),
    ("report__study", "its report is still being sent", lambda: Delivery.objects.exclude(state__in=ARRIVED)),
)
"""Where rows name the study, why one of them is enough, and which they are."""
