"""The worklist page: thin, for it asks the same REST doors as everybody else."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from accounts.models import READING_ROLES, Role
from reporting.worklist.classes import CLASSES
from viewer.languages import page_catalogue

ICONS = (
    *("file-text", "undo-2", "archive", "circle-check", "circle-pause", "siren", "pencil", "link", "users"),
    *("lock-open", "x", "ellipsis-vertical", "plus", "wrench"),
)


@require_safe
@ensure_csrf_cookie
def worklist(request: HttpRequest) -> HttpResponse:
    """What is to be read in the organizations where this person reads."""
    held = request.user.organizations_as(READING_ROLES).order_by("name")
    return render(
        request,
        "reporting/worklist.html",
        {
            "organizations": [[one.name, str(one)] for one in held],
            "classes": CLASSES,
            "may_order": request.user.organizations_as((Role.TECHNOLOGIST,)).exists(),
            "icons": ICONS,
            "catalogue": page_catalogue(),
        },
    )
