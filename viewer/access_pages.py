"""`/emergency/`: the page on which a study is opened that one has no right to see."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from viewer.archive.emergency import REASON_AT_LEAST, REASON_AT_MOST
from viewer.languages import page_catalogue


@require_safe
@ensure_csrf_cookie
def emergency(request: HttpRequest) -> HttpResponse:
    """It asks for exact numbers and a reason, and says what will follow."""
    shown = {
        "hours": settings.FARVIEW_EMERGENCY_HOURS,
        "least": REASON_AT_LEAST,
        "most": REASON_AT_MOST,
        "catalogue": page_catalogue(),
    }
    return render(request, "viewer/access_emergency.html", shown)
