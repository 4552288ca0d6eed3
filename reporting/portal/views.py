"""Pages for whoever asked for an examination: their results, and one report as it reads."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.sharing import may_share
from reporting.exports.document import Picture
from reporting.exports.page import body
from reporting.models import Report
from reporting.portal.results import Result, results_of
from reporting.visibility import DELIVERED, may_write, visible_reports
from reporting.workflow.noting import note_denial, note_reading
from reporting.workflow.reading import signed_report
from viewer.models import Study

WORDS = {
    "ordered": gettext_lazy("Ordered"),
    "awaited": gettext_lazy("Being read"),
    "preliminary": gettext_lazy("Preliminary"),
    "pending_cosign": gettext_lazy("Preliminary"),
    "returned": gettext_lazy("Preliminary"),
    "final": gettext_lazy("Final"),
    "appended": gettext_lazy("Final, with addendum"),
    "corrected": gettext_lazy("Corrected"),
    "entered_in_error": gettext_lazy("Entered in error"),
    "cancelled": gettext_lazy("Cancelled"),
    "draft": gettext_lazy("Being written"),
}


@require_safe
def results(request: HttpRequest) -> HttpResponse:
    """The examinations that a referring physician asked for, newest first."""
    words = request.GET.get("q", "")[:200].replace("\0", "").strip()
    number = request.GET.get("page", "0")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
    found, more = results_of(request.user, words, page)
    told = {"results": [_row(one) for one in found], "q": words, "page": page, "more": more}
    return render(request, "portal/results.html", told)


@require_safe
def result(request: HttpRequest, report_id: int) -> HttpResponse:
    """One signed report as it reads, its pictures, and what else there is of this patient."""
    held = visible_reports(request.user).select_related("study__patient", "study__organization", "organization")
    report = held.filter(pk=report_id).first()
    if report is None:
        note_denial(request.user, report_id, request)
        raise Http404
    if not report.signed_version:
        return HttpResponseRedirect(f"/reports/{report.pk}/")
    note_reading(report, request.user, request, door="page")
    signed = signed_report(report, pictures=True)
    others = visible_reports(request.user).filter(study__patient=report.study.patient_id, signed_version__gt=0)
    patient = report.study.stated_patient
    return render(
        request,
        "portal/result.html",
        {
            "report": report,
            "patient": {**patient, "patient_id": report.study.patient.patient_id},
            "fragment": mark_safe(body(signed, _address_of(report))),  # noqa: S308  # nosec B308, B703  # every text in it is escaped there
            "state": WORDS.get(report.state, report.state),
            "may_see_images": Study.objects.visible_to(request.user).filter(pk=report.study_id).exists(),
            "may_write": may_write(request.user, report),
            "may_share": report.state in DELIVERED and may_share(request.user, report.organization),
            "others": [
                {"report": one, "state": WORDS.get(one.state, one.state)}
                for one in others.exclude(pk=report.pk).select_related("study").order_by("-study__date", "-id")[:20]
            ],
        },
    )


def _address_of(report: Report) -> Any:
    def address(picture: Picture) -> str:
        return reverse("api-report-evidence-picture", args=[report.pk, picture.position])

    return address


def _row(found: Result) -> dict[str, Any]:
    return {"result": found, "state": WORDS.get(found.status, found.status)}
