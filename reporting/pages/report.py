"""The page on which one report is written or read: thin, for it asks the same REST doors as everybody else."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from reporting.workflow.finding import report_of
from reporting.workflow.noting import note_denial, note_reading
from viewer.api.studies import study_itself, study_row
from viewer.archive.query import NotFound
from viewer.languages import page_catalogue
from viewer.models import Study

ICONS = (
    *("app-window", "chevron-down", "eye", "keyboard", "link-2", "notebook-pen", "ruler", "square-pen", "star", "x"),
    *("images", "text-quote", "triangle-alert"),
)


@require_safe
@ensure_csrf_cookie
def report(request: HttpRequest, report_id: int) -> HttpResponse:
    """One report, for people who write reports where it belongs."""
    try:
        found = report_of(request.user, report_id)
    except NotFound:
        note_denial(request.user, report_id, request)
        raise Http404 from None
    note_reading(found, request.user, request)
    return render(
        request,
        "reporting/report.html",
        {
            "report_id": found.pk,
            "study": found.study,
            "study_json": _study(found.study),
            "icons": ICONS,
            "catalogue": page_catalogue(),
        },
    )


def _study(study: Study) -> dict[str, Any]:
    """What the band on top says of patient and study, as the viewer says it."""
    return {**study_row(study, 0, None), **{**study_itself(study), "series": []}}
