"""`/shared/report/`: the one report that a share link opens, for whoever came by it, with its pictures stamped for them."""

from __future__ import annotations

from typing import Any

import imagecodecs
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from accounts import sharing
from accounts.models import ShareLink, User
from reporting.api.evidence import frozen_of
from reporting.evidence.blobs import bytes_of
from reporting.exports.document import Picture
from reporting.exports.page import body
from reporting.models import Report
from reporting.portal.views import WORDS
from reporting.visibility import DELIVERED, visible_reports
from reporting.workflow.noting import note_denial, note_reading
from reporting.workflow.reading import signed_report
from viewer.api.shared import stamp_of_link
from viewer.models import Study
from viewer.rendering.encode import encode
from viewer.rendering.stamping import stamped


def sharable(user: User, study: Study, number: int) -> bool:
    """Whether a report of a study may be shared: one that is out of the house, by whoever may see it."""
    return _delivered(visible_reports(user)).filter(pk=number, study=study).exists()


@require_safe
def shared_report(request: HttpRequest) -> HttpResponse:
    """The report as it reads now: a correction is shown as soon as it is signed."""
    link, report = _found(request)
    note_reading(report, request.user, request, door="share")
    signed = signed_report(report, pictures=True)
    return render(
        request,
        "share/report.html",
        {
            "link": link,
            "report": report,
            "patient": {**report.study.stated_patient, "patient_id": report.study.patient.patient_id},
            "fragment": mark_safe(body(signed, _address)),  # noqa: S308  # nosec B308, B703  # every text in it is escaped there
            "state": WORDS.get(report.state, report.state),
        },
    )


@require_safe
def shared_picture(request: HttpRequest, position: int) -> HttpResponse:
    """A picture of the report's evidence. Without the stamp it never leaves."""
    link, report = _found(request)
    held = next((one for one in frozen_of(report)[1] if one.position == position), None)
    if held is None:
        raise Http404
    stamp = stamp_of_link(link)
    etag = f'"{held.picture_id}-{sharing.digest_of(repr(stamp))[:16]}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        pixels = imagecodecs.png_decode(bytes_of(held.picture))
        response = HttpResponse(encode(stamped(pixels[..., :3] if pixels.ndim == 3 else pixels, stamp), "image/png"))
        response["Content-Type"] = "image/png"
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def _found(request: HttpRequest) -> tuple[ShareLink, Report]:
    """The link by which somebody came, and its report. Raises Http404."""
    link = sharing.link_of(request.user)
    if link is None or link.scope != ShareLink.Scope.REPORT:
        raise Http404
    held = _delivered(visible_reports(request.user)).filter(pk=link.report)
    report = held.select_related("study__patient", "study__organization", "organization").first()
    if report is None:
        note_denial(request.user, link.report or 0, request)
        raise Http404
    return link, report


def _delivered(reports: Any) -> Any:
    return reports.filter(state__in=DELIVERED, signed_version__gt=0)


def _address(picture: Picture) -> str:
    return reverse("shared-report-picture", args=[picture.position])
