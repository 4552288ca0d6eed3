from __future__ import annotations

from django.urls import URLPattern, path

from reporting.pages import report, worklist

urlpatterns: list[URLPattern] = [
    path("worklist/", worklist.worklist, name="worklist"),
    path("reports/<int:report_id>/", report.report, name="report"),
]
