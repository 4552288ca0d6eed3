"""How another program (an EHR, a RIS) opens a study here: by its accession number, or by a link made for one person.

`GET /launch?accession=...` is for whoever is signed in, or signs in on the way. `POST /api/launches/` (`viewer.api.launches`)
makes `/launch/{code}/`, which holds for a minute and says nothing of the patient in its address.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.authentication import digest_of
from accounts.models import User
from viewer.archive import rows
from viewer.models import Launch, Study

LIFETIME = timedelta(seconds=60)
KEPT = timedelta(days=1)
"""How long a link that is over keeps its row."""
LONGEST = 64
YES = ("1", "true", "yes")

Target = Callable[[User, Study], str]
"""The address of what belongs to a study, for this person; empty where there is none."""
REPORT: list[Target] = []


def offer_report(target: Target) -> None:
    """Called from the `ready` of the app that writes reports."""
    REPORT[:] = [target]


class WrongPatient(Exception):
    """The accession number is of somebody else's study."""


def studies_of(user: User, accession: str, patient_id: str = "", organization: str = "") -> list[Study]:
    """The studies of an accession number that this person may see. Raises WrongPatient where they are of nobody called
    `patient_id`."""
    if not accession:
        return []
    found = Study.objects.visible_to(user).listed().filter(accession_number=accession)
    if organization:
        found = found.filter(organization__name=organization)
    studies = list(found.select_related("patient", "organization").order_by("-date", "-time", "id"))
    meant = [one for one in studies if not patient_id or one.patient.patient_id == patient_id]
    if studies and not meant:
        raise WrongPatient
    return meant


@require_safe
def launch(request: HttpRequest) -> HttpResponse:
    """`GET /launch?accession=...[&patient_id=...][&organization=...][&report=1]`"""
    names = ("accession", "patient_id", "organization")
    asked = {name: request.GET.get(name, "").replace("\0", "").strip()[:LONGEST] for name in names}
    report = request.GET.get("report", "") in YES
    try:
        studies = studies_of(request.user, **asked)
    except WrongPatient:
        _note(request, "denied", asked, reason="wrong patient")
        return render(request, "viewer/launch_wrong_patient.html", asked, status=409)
    if not studies:
        _note(request, "denied", asked, reason="not found")
        raise Http404
    if len(studies) > 1:
        choices = [
            {"study": one, "day": _day(one.date), "address": address_of(request.user, one, report)} for one in studies
        ]
        return render(request, "viewer/launch_several.html", {"choices": choices, **asked})
    _note(request, "success", asked, studies[0])
    return redirect(address_of(request.user, studies[0], report))


@require_safe
def launch_code(request: HttpRequest, code: str) -> HttpResponse:
    """`GET /launch/{code}/`: once, within a minute, for the person whom it was made for."""
    made = rows.patiently(lambda: _use(request.user, code))
    if made is None or not Study.objects.visible_to(request.user).filter(pk=made.study_id).exists():
        _note(request, "denied", {}, reason="link")
        raise Http404
    _note(request, "success", {}, made.study)
    return redirect(address_of(request.user, made.study, made.report))


def uids_of(accession: str) -> list[str]:
    """Study Instance UIDs of an accession number, in every organization: for whoever narrows what they find by them."""
    found = Study.objects.filter(accession_number=accession).order_by("-pk")
    return list(found.values_list("study_instance_uid", flat=True)[:500])


def make_code(user: User, study: Study, report: bool) -> str:
    """A fresh link's code, inside the caller's transaction."""
    now, raw = timezone.now(), secrets.token_urlsafe(32)
    Launch.objects.filter(expires_at__lt=now - KEPT).delete()
    Launch.objects.create(digest=digest_of(raw), user=user, study=study, report=report, expires_at=now + LIFETIME)
    return raw


def _use(user: User, code: str) -> Launch | None:
    """Of two who come at once, one."""
    now = timezone.now()
    good = Launch.objects.filter(digest=digest_of(code), user=user, used_at=None, expires_at__gt=now)
    made = good.select_related("study__organization", "study__patient").first()
    return made if made is not None and good.update(used_at=now) else None


def address_of(user: User, study: Study, report: bool = False) -> str:
    """Where a study is looked at; of its report where that is asked for and there is one for this person."""
    found = next((address for target in REPORT if (address := target(user, study))), "") if report else ""
    said = urlencode({"organization": study.organization.name})
    return found or f"{reverse('study', args=[study.study_instance_uid])}?{said}"


def _day(date: str) -> str:
    """20240131 as 2024-01-31, as everywhere."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else ""


def _note(request: HttpRequest, outcome: str, asked: dict[str, str], study: Study | None = None, **detail: Any) -> None:
    rows.patiently(
        lambda: audit.record(
            "launch",
            actor=request.user,
            request=request,
            outcome=outcome,
            organization=study.organization.name if study else "",
            patient_id=study.patient.patient_id if study else asked.get("patient_id", ""),
            study_instance_uid=study.study_instance_uid if study else "",
            detail={**({"accession": asked["accession"]} if asked.get("accession") else {}), **detail},
        )
    )
