"""The record in the administration: searched by patient, person, study, time, act and outcome; who looked at whom; as CSV.

Pages are cut by the event's number, never counted: the last page of a million events comes as fast as the first.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Count, Max, Min, Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from accounts import audit
from accounts.admin import Managed
from accounts.audit_reading import ACCESSIONS, events_for, first_since, unlooked
from accounts.models import AuditEvent

PAGE = 50
CSV_AT_MOST = 20_000
PEOPLE_AT_MOST = 500
EXACT = ("patient_id", "study_instance_uid", "actor", "action", "outcome", "origin", "organization")
"""Fields that are searched as they are, the most telling first: the first that is asked for is looked up, the others are only
compared. A database without statistics might look up an act that half of all events are."""
ANYWHERE = ("actor", "patient_id", "study_instance_uid", "object_uid", "action")
COLUMNS = (
    *("sequence", "at", "actor", "role", "organization", "action", "outcome", "origin"),
    *("patient_id", "study_instance_uid", "object_uid", "purpose", "detail"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class BadDay(ValueError):
    """What was typed is no day."""


def search(events: QuerySet[AuditEvent], asked: dict[str, str]) -> QuerySet[AuditEvent]:
    """Events that fit all that was typed. Raises BadDay."""
    found = events
    exact = [name for name in EXACT if asked.get(name)]
    for place, name in enumerate(exact):
        if place == 0 and name != "organization":
            found = found.filter(**{name: asked[name]})
        else:
            found = found.alias(**{f"said_{name}": unlooked(name)}).filter(**{f"said_{name}": asked[name]})
    if asked.get("q"):
        anywhere = Q()
        for name in ANYWHERE:
            anywhere |= Q(**{name: asked["q"]})
        found = found.filter(anywhere)
    if asked.get("accession"):
        uids = [uid for of in ACCESSIONS for uid in of(asked["accession"])]
        found = found.filter(study_instance_uid__in=uids[:PEOPLE_AT_MOST])
    if asked.get("since"):
        found = found.filter(sequence__gte=first_since(_day(asked["since"])))
    if asked.get("until"):
        found = found.filter(sequence__lt=first_since(_day(asked["until"]) + timedelta(days=1)))
    return found.order_by("-sequence")


def _day(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadDay(f"A day like 2026-05-04 is expected, not {text[:20]!r}.") from None


def guarded(value: object) -> str:
    """What a spreadsheet shows as text, whatever it begins with."""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def as_csv(events: Iterable[AuditEvent]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for event in events:
        writer.writerow([guarded(getattr(event, name)) for name in COLUMNS])
    return out.getvalue()


def who_looked(events: QuerySet[AuditEvent]) -> list[dict[str, Any]]:
    """People, each with how often, first, last, and by which acts; whoever came last stands first."""
    people = events.order_by().values("actor").annotate(events=Count("pk"), first=Min("at"), last=Max("at"))
    rows = list(people.order_by("-last")[:PEOPLE_AT_MOST])
    acts: dict[str, set[str]] = {}
    for actor, action, outcome in events.order_by().values_list("actor", "action", "outcome").distinct():
        acts.setdefault(actor, set()).add(action if outcome == "success" else f"{action} ({outcome})")
    return [{**row, "acts": ", ".join(sorted(acts.get(row["actor"], ())))} for row in rows]


@admin.register(AuditEvent)
class AuditEventAdmin(Managed):
    """The record, to search and to read."""

    fields = readonly_fields = tuple(field.name for field in AuditEvent._meta.concrete_fields if field.name != "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        return events_for(request.user)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    has_change_permission = has_add_permission

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("who-looked/", view(self.who_looked), name="accounts_auditevent_who_looked"),
            path("export.csv", view(self.export), name="accounts_auditevent_export"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        asked, rows, wrong = self._asked(request), [], ""
        try:
            found = search(self.get_queryset(request), asked)
            before = request.GET.get("before", "")
            if before.isascii() and before.isdigit() and len(before) < 19:
                found = found.filter(sequence__lt=int(before))
            rows = list(found[: PAGE + 1])
        except BadDay as problem:
            wrong = str(problem)
        said = urlencode({name: value for name, value in asked.items() if value})
        told = {"rows": rows[:PAGE], "asked": asked, "said": said, "wrong": wrong, "title": "The record"}
        older = rows[PAGE - 1].sequence if len(rows) > PAGE else None
        return render(request, "admin/record/search.html", {**self._context(request), **told, "older": older})

    def who_looked(self, request: HttpRequest) -> HttpResponse:
        """Of one study or one patient, and nothing else."""
        asked = {name: self._asked(request)[name] for name in ("study_instance_uid", "patient_id", "organization")}
        if not (asked["study_instance_uid"] or asked["patient_id"]):
            raise Http404
        people = who_looked(search(self.get_queryset(request), asked))
        self._note(request, "audit.view", asked, len(people))
        said = urlencode({name: value for name, value in asked.items() if value})
        told = {"people": people, "asked": asked, "said": said, "title": "Who looked"}
        return render(request, "admin/record/who_looked.html", {**self._context(request), **told})

    def export(self, request: HttpRequest) -> HttpResponse:
        asked = self._asked(request)
        try:
            rows = list(search(self.get_queryset(request), asked)[:CSV_AT_MOST])
        except BadDay:
            raise Http404 from None
        self._note(request, "audit.export", asked, len(rows))
        response = HttpResponse(as_csv(rows), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="record.csv"'
        return response

    def _asked(self, request: HttpRequest) -> dict[str, str]:
        names = (*EXACT, "q", "accession", "since", "until")
        return {name: request.GET.get(name, "").replace("\0", "").strip()[:128] for name in names}

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.model._meta}

    def _note(self, request: HttpRequest, action: str, asked: dict[str, str], found: int) -> None:
        audit.record(
            action,
            actor=request.user,
            request=request,
            organization=asked.get("organization", ""),
            patient_id=asked["patient_id"],
            study_instance_uid=asked["study_instance_uid"],
            detail={"found": found, "asked": sorted(name for name, value in asked.items() if value)},
        )
