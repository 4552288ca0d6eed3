"""`/fhir/`: FHIR R4."""

from __future__ import annotations

from django.urls import path

from reporting.fhir import views

urlpatterns = [
    path("fhir/metadata", views.Metadata.as_view(), name="fhir-metadata"),
    path("fhir/AuditEvent", views.Search.as_view(), {"kind": "AuditEvent"}, name="fhir-audit-search"),
    path("fhir/AuditEvent/<str:key>", views.Read.as_view(), {"kind": "AuditEvent"}, name="fhir-audit-read"),
    path("fhir/<str:kind>", views.Search.as_view(), name="fhir-search"),
    path("fhir/<str:kind>/<str:key>", views.Read.as_view(), name="fhir-read"),
]
