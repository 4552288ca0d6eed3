from __future__ import annotations

from django.urls import URLPattern, path

from reporting.api import critical

urlpatterns: list[URLPattern] = [
    path("reports/<int:report_id>/critical/", critical.Criticals.as_view(), name="api-report-critical"),
    path(
        "reports/<int:report_id>/critical/<int:result_id>/attempts/",
        critical.Attempts.as_view(),
        name="api-report-critical-attempts",
    ),
    path(
        "reports/<int:report_id>/critical/<int:result_id>/close/",
        critical.Close.as_view(),
        name="api-report-critical-close",
    ),
]
