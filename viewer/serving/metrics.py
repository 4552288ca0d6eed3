"""`GET /metrics`: what the engine did so far, and what waits to go over the DICOM network, for Prometheus.

Administrators only; no names, no patients in it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.content_security import reported
from viewer.engine.metrics import CONTENT_TYPE, Metric, Sample, exposition, text_of
from viewer.serving.keeping_metrics import keeping
from viewer.serving.network_metrics import network
from viewer.serving.runtime import runtime


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers of this process, of its engine once that has started, and of the DICOM network."""
    found = runtime().engine
    told = "" if found is None else exposition(found)
    return HttpResponse(told + text_of((*network(), *keeping(), _csp())), content_type=CONTENT_TYPE)


def _csp() -> Metric:
    return Metric(
        "csp_reports_total",
        "counter",
        "Breaches of the pages' content security policy that browsers reported, by directive.",
        [Sample(number, {"directive": name}) for name, number in sorted(reported.items())],
    )
