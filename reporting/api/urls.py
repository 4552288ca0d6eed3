from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("reporting.api.report_urls")),
    path("api/", include("reporting.api.worklist_urls")),
    path("api/", include("reporting.api.template_urls")),
    path("api/", include("reporting.api.critical_urls")),
    path("api/", include("reporting.api.evidence_urls")),
]
