"""`/transfers/`: studies on their way to other archives and from them."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from viewer.api.transfers import peers_of
from viewer.languages import page_catalogue


@require_safe
@ensure_csrf_cookie
def transfers(request: HttpRequest) -> HttpResponse:
    """The list; what is in it is asked of the REST door."""
    off = not settings.FARVIEW_DICOM_PORT
    may_fetch = not off and peers_of(request.user).exists()
    shown = {"may_fetch": may_fetch, "off": off, "catalogue": page_catalogue()}
    return render(request, "viewer/transfers.html", shown)
