from __future__ import annotations

from django.urls import URLPattern, path

from reporting.portal import shared, views

urlpatterns: list[URLPattern] = [
    path("results/", views.results, name="results"),
    path("shared/report/", shared.shared_report, name="shared-report"),
    path("shared/report/pictures/<int:position>/", shared.shared_picture, name="shared-report-picture"),
    path("results/<int:report_id>/", views.result, name="result"),
]
