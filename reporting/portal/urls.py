from __future__ import annotations

from django.urls import URLPattern, path

from reporting.portal import views

urlpatterns: list[URLPattern] = [
    path("results/", views.results, name="results"),
    path("results/<int:report_id>/", views.result, name="result"),
]
