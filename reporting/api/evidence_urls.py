from __future__ import annotations

from django.urls import URLPattern, path

from reporting.api.evidence import EvidenceDoor, EvidencePicture, Insertable

urlpatterns: list[URLPattern] = [
    path("reports/<int:report_id>/insertable/", Insertable.as_view(), name="api-report-insertable"),
    path("reports/<int:report_id>/evidence/", EvidenceDoor.as_view(), name="api-report-evidence"),
    path(
        "reports/<int:report_id>/evidence/<int:position>/picture",
        EvidencePicture.as_view(),
        name="api-report-evidence-picture",
    ),
]
