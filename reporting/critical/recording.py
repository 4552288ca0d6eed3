"""Critical results of a report: recorded, tried, read back, closed. Tries are insert-only, and closing needs read-back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import User
from accounts.origin import Request
from reporting.critical.categories import METHODS, MINUTES, OUTCOMES
from reporting.critical.opening import announce, begin
from reporting.models import CriticalAttempt, CriticalResult, Report
from reporting.workflow.finding import in_hand
from reporting.workflow.naming import name_of
from reporting.workflow.noting import note
from reporting.workflow.refusals import Unusable, WrongState
from reporting.workflow.signing import words_of
from reporting.worklist import clocks
from viewer.archive import rows
from viewer.archive.query import NotFound

WITHDRAWN = ("cancelled", "entered_in_error")
CLOCKS_DIFFER = timedelta(minutes=5)
"""How far ahead of ours a caller's clock may be."""


@dataclass(frozen=True, slots=True)
class Try:
    """One try to reach somebody, as it is told."""

    at: datetime
    recipient: str
    recipient_role: str
    method: str
    outcome: str
    note: str
    read_back: bool


def results_of(report: Report) -> QuerySet[CriticalResult]:
    found = CriticalResult.objects.filter(report=report).select_related("report__study", "caller", "closed_by")
    return found.prefetch_related("attempts").order_by("pk")


def record(report: Report, user: User, given: Mapping[str, Any], request: Request | None) -> CriticalResult:
    """A finding that somebody must hear of; with it the first try, where one is told. Raises Unusable, WrongState."""
    finding = _needed(given, "finding", 1000)
    category = _one_of(given, "category", tuple(MINUTES))
    found_at = moment_of(given.get("found_at"), "found_at")
    first = try_of(given) if given.get("method") or given.get("outcome") or given.get("read_back") else None

    def work() -> CriticalResult:
        held = in_hand(report)
        if held.state in WITHDRAWN:
            raise WrongState("This report was withdrawn.", state=held.state, version=held.version)
        result = begin(held, user, finding, category, found_at, request)
        if first is not None:
            _attempted(held, result, user, first, request)
        announce(held, result)
        return result

    return rows.patiently(work)


def attempt(report: Report, result_id: int, user: User, given: Mapping[str, Any], request: Request | None) -> None:
    """One more try to reach somebody. Raises NotFound, Unusable, WrongState."""
    tried = try_of(given)

    def work(held: Report, result: CriticalResult) -> None:
        _attempted(held, result, user, tried, request)

    _changing(report, result_id, work)


def close(report: Report, result_id: int, user: User, request: Request | None) -> None:
    """Somebody has read it back, and no more is to be done. Raises NotFound, WrongState."""

    def work(held: Report, result: CriticalResult) -> None:
        if not result.read_back:
            raise WrongState("Nobody has read it back yet.", code="not_read_back")
        result.closed_at, result.closed_by = timezone.now(), user
        result.save(update_fields=["closed_at", "closed_by"])
        note("critical.close", held, user, request, result=result.pk)

    _changing(report, result_id, work)


def _changing(report: Report, result_id: int, work: Callable[[Report, CriticalResult], None]) -> None:
    """Do something with a result that is still open, one person at a time, and tell it."""

    def whole() -> None:
        held = in_hand(report)
        found = CriticalResult.objects.select_for_update(of=("self",)).filter(report=held, pk=result_id).first()
        if found is None:
            raise NotFound("there is no such critical result")
        if found.closed_at is not None:
            raise WrongState("This critical result is closed.", code="closed")
        work(held, found)
        announce(held, found)

    rows.patiently(whole)


def _attempted(report: Report, result: CriticalResult, user: User, tried: Try, request: Request | None) -> None:
    CriticalAttempt.objects.create(
        result=result,
        at=tried.at,
        caller_name=name_of(user)[:200],
        recipient=tried.recipient,
        recipient_role=tried.recipient_role,
        method=tried.method,
        outcome=tried.outcome,
        note=tried.note,
    )
    if tried.read_back and not result.read_back:
        result.read_back, result.acknowledged_at = True, tried.at
        clocks.critical_acknowledged(report, user)
    if tried.read_back or not result.acknowledged_at:
        result.recipient, result.recipient_role, result.method = tried.recipient, tried.recipient_role, tried.method
    result.save(update_fields=["read_back", "acknowledged_at", "recipient", "recipient_role", "method"])
    detail = {"method": tried.method, "reached": tried.outcome, "read_back": tried.read_back}
    note("critical.attempt", report, user, request, result=result.pk, **detail)


def try_of(given: Mapping[str, Any]) -> Try:
    """Raises Unusable."""
    outcome = _one_of({"outcome": "reached", **given}, "outcome", OUTCOMES)
    read_back = given.get("read_back", False)
    if not isinstance(read_back, bool):
        raise Unusable("read_back: true or false is expected")
    if read_back and outcome != "reached":
        raise Unusable("read_back: only somebody who was reached can read it back")
    return Try(
        at=moment_of(given.get("at"), "at"),
        recipient=_needed(given, "recipient", 200),
        recipient_role=words_of(given.get("recipient_role"), "recipient_role", 100).strip(),
        method=_one_of(given, "method", METHODS),
        outcome=outcome,
        note=words_of(given.get("note"), "note", 1000).strip(),
        read_back=read_back,
    )


def moment_of(given: Any, name: str) -> datetime:
    """A time with its zone, not one that is still to come; nothing is now. Raises Unusable."""
    if given is None or given == "":
        return timezone.now()
    try:
        found = parse_datetime(given) if isinstance(given, str) else None
        ahead = found is not None and found.tzinfo is not None and found - timezone.now() > CLOCKS_DIFFER
    except (ValueError, OverflowError):
        found, ahead = None, False
    if found is None or found.tzinfo is None:
        raise Unusable(f"{name}: a time with its zone is expected, like 2024-01-31T14:05:00+01:00")
    if ahead:
        raise Unusable(f"{name}: this is still to come")
    return found


def _needed(given: Mapping[str, Any], name: str, longest: int) -> str:
    words = words_of(given.get(name), name, longest).strip()
    if not words:
        raise Unusable(f"{name}: this is needed")
    return words


def _one_of(given: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    said = given.get(name)
    if not isinstance(said, str) or said not in choices:
        raise Unusable(f"{name}: one of {', '.join(choices)} is expected")
    return said
