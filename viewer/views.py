"""The pages: thin, for a page asks the same REST doors as everybody else."""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from accounts import sharing
from accounts.models import READING_ROLES, UPLOAD_ROLES
from viewer.api.frames import VIEW_CHARACTERS
from viewer.api.hanging import hanging_of
from viewer.api.priors import priors_of
from viewer.api.settings import settings_of
from viewer.api.studies import whole_study
from viewer.api.viewing import note_denial, note_viewing
from viewer.archive import emergency, query
from viewer.icons import icon_sizes
from viewer.languages import page_catalogue
from viewer.panels import PANELS
from viewer.rendering.view import BadView, View

LIST_ICONS = ("download", "ellipsis-vertical", "eye", "send", "share-2", "wrench")


@require_safe
def study_list(request: HttpRequest) -> HttpResponse:
    """Search and open studies."""
    return render(
        request,
        "viewer/study_list.html",
        {
            "organizations": request.user.organizations_as(READING_ROLES).order_by("name"),
            "may_upload": request.user.organizations_as(UPLOAD_ROLES).exists(),
            "icons": LIST_ICONS,
        },
    )


@require_safe
@ensure_csrf_cookie
def study(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """The viewer page of one study. `study_json` is what `/api/studies/{uid}/` answers, with how it hangs."""
    try:
        found = query.find_study(request.user, study_instance_uid, request.GET.get("organization"))
    except query.NotFound:
        note_denial(request.user, study_instance_uid, request, door="page")
        raise Http404 from None
    except query.Ambiguous as several:
        return render(
            request,
            "viewer/several.html",
            {"organizations": several.organizations, "view": request.GET.get("view", "")},
            status=409,
        )
    try:
        first_view = view_of_link(request.GET.get("view", ""))
    except BadView as problem:
        address = f"{request.path}?{urlencode({'organization': found.organization.name})}"
        return render(request, "viewer/bad_link.html", {"reason": str(problem), "address": address}, status=400)
    note_viewing(request.user, found, request, door="page", anew=True)
    priors = priors_of(request.user, found)
    whole = whole_study(request.user, found, priors)
    shared = sharing.link_of(request.user)
    return render(
        request,
        "viewer/study.html",
        {
            "study": found,
            "patient": found.patient,
            "study_instance_uid": found.study_instance_uid,
            "organization": found.organization.name,
            "build": settings.FARVIEW_BUILD,
            "study_json": {**whole, "hanging": hanging_of(request.user, found, whole, priors)},
            "first_view": first_view,
            "emergency": emergency.in_force(request.user, found),
            "icons": icon_sizes(),
            "catalogue": page_catalogue(),
            "reader_settings": settings_of(request.user),
            "diagnostic_pixels": settings.FARVIEW_DIAGNOSTIC_PIXELS,
            "sheets": [*SHEETS, *(sheet for panel in PANELS for sheet in panel.sheets)],
            "panels": [] if shared else [panel.module for panel in PANELS],
            "shared": shared,
        },
    )


def view_of_link(text: str) -> dict[str, Any] | None:
    """What a link's `?view=` asks to see first, as it asks for it: a View with its `series`. Raises BadView."""
    if not text:
        return None
    if len(text) > VIEW_CHARACTERS:
        raise BadView(f"view: longer than {VIEW_CHARACTERS:,} characters")
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        raise BadView("view: not JSON") from None
    if View.from_json(asked).series is None:
        raise BadView("series: a link names the series of its picture")
    return dict(asked)


@require_safe
@ensure_csrf_cookie
def upload(request: HttpRequest) -> HttpResponse:
    """Drop files and folders."""
    organizations = request.user.organizations_as(UPLOAD_ROLES).order_by("name")
    return render(request, "viewer/upload.html", {"organizations": organizations})


def failed(request: HttpRequest) -> HttpResponse:
    """What nobody foresaw: the log has it, whoever asked gets words. A database out of reach is 503: it may come back."""
    away = isinstance(sys.exc_info()[1], OperationalError)
    status = 503 if away else 500
    if request.path.startswith("/api/"):
        detail = "The database cannot be used now; try again." if away else "Something went wrong on the server."
        response: HttpResponse = JsonResponse({"detail": detail}, status=status)
    else:
        response = HttpResponse(render_to_string("500.html"), status=status)  # asks nothing of the database
    if away:
        response["Retry-After"] = "5"
    return response


SHEETS = (
    "viewer/side.css",
    "viewer/features/measuring.css",
    "viewer/features/linking.css",
    "viewer/features/hanging.css",
    "viewer/features/keyimages.css",
    "viewer/features/objects.css",
    "viewer/features/viewed.css",
    "viewer/features/cine.css",
    "viewer/features/volume.css",
    "access/band.css",
    "viewer/features/settings.css",
    "viewer/features/live.css",
    "share/link.css",
)
"""Style sheets of the viewer page's side panel and features."""
