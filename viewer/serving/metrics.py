"""`GET /metrics`: what the engine did so far, for Prometheus. Administrators only; no names, no patients in it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from viewer.serving.runtime import runtime


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers of this process; nothing to tell before its engine has started."""
    from viewer.engine.metrics import CONTENT_TYPE, exposition

    found = runtime().engine
    return HttpResponse("" if found is None else exposition(found), content_type=CONTENT_TYPE)
