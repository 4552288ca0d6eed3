from __future__ import annotations

from django.urls import URLPattern, path

from reporting.api import exports, reports
from reporting.api import report_signing as signing

urlpatterns: list[URLPattern] = [
    path("reports/", reports.Reports.as_view(), name="api-reports"),
    path("reports/<int:report_id>/", reports.ReportDoor.as_view(), name="api-report"),
    path("reports/<int:report_id>/lock/", reports.Lock.as_view(), name="api-report-lock"),
    path("reports/<int:report_id>/checks/", reports.Checks.as_view(), name="api-report-checks"),
    path("reports/<int:report_id>/versions/", reports.Versions.as_view(), name="api-report-versions"),
    path("reports/<int:report_id>/difference/", reports.Difference.as_view(), name="api-report-difference"),
    path("reports/<int:report_id>/sign/", signing.Sign.as_view(), name="api-report-sign"),
    path("reports/<int:report_id>/cosign/", signing.Cosign.as_view(), name="api-report-cosign"),
    path("reports/<int:report_id>/addendum/", signing.Addendum.as_view(), name="api-report-addendum"),
    path("reports/<int:report_id>/return/", signing.Return.as_view(), name="api-report-return"),
    path("reports/<int:report_id>/correct/", signing.Correct.as_view(), name="api-report-correct"),
    path("reports/<int:report_id>/cancel/", signing.Cancel.as_view(), name="api-report-cancel"),
    path(
        "reports/<int:report_id>/entered-in-error/",
        signing.EnteredInError.as_view(),
        name="api-report-entered-in-error",
    ),
    path("reports/<int:report_id>/preview/", exports.Preview.as_view(), name="api-report-preview"),
    path("reports/<int:report_id>/export/<str:kind>", exports.Export.as_view(), name="api-report-export"),
]
