"""`/studies/{uid}/correct/`: putting a study right, for technologists and administrators."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from accounts.models import READING_ROLES
from viewer.api.corrections import correctable, history, told_study
from viewer.api.viewing import note_denial, note_viewing
from viewer.archive.query import Ambiguous, NotFound
from viewer.languages import page_catalogue


@require_safe
@ensure_csrf_cookie
def corrections(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """The page; every act on it asks the REST doors."""
    try:
        study = correctable(request, study_instance_uid)
    except NotFound:
        note_denial(request.user, study_instance_uid, request, door="page")
        raise Http404 from None
    except Ambiguous as several:
        return render(request, "viewer/several.html", {"organizations": several.organizations, "view": ""}, status=409)
    note_viewing(request.user, study, request, door="page")
    may_read = request.user.organizations_as(READING_ROLES).filter(pk=study.organization_id).exists()
    return render(
        request,
        "viewer/corrections.html",
        {
            "study": study,
            "may_read": may_read,
            "data": {**told_study(study, pictures=may_read), **history(study)},
            "catalogue": page_catalogue(),
        },
    )
