"""`/api/launches/`: a program asks for a link that opens a study for somebody who is signed in."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.models import ApiToken, User
from viewer import launch
from viewer.api import shapes
from viewer.api.doors import Door, data_of, text_of
from viewer.archive import rows
from viewer.archive.query import Ambiguous, BadQuery, NotFound
from viewer.models import Study

SCOPE = "launch"


class LaunchAsked(serializers.Serializer):
    accession = serializers.CharField(max_length=launch.LONGEST)
    user = serializers.CharField(max_length=150, help_text="The user name, here, of whom the study is opened for.")
    patient_id = serializers.CharField(required=False, help_text="Refused with 409 where the study is somebody else's.")
    organization = serializers.CharField(required=False)
    report = serializers.BooleanField(required=False, help_text="Open the report rather than the images.")


class LaunchMade(serializers.Serializer):
    url = serializers.CharField()
    seconds = serializers.IntegerField(help_text="How long it is good, once.")


class Launches(Door):
    """`POST /api/launches/`"""

    @extend_schema(
        operation_id="launch",
        summary="A link that opens a study for somebody who is signed in",
        description=f"By a token with the scope `{SCOPE}`. The link signs nobody in: it opens what its person may see.",
        request=LaunchAsked,
        responses={201: LaunchMade, 400: shapes.BAD, **shapes.REFUSALS},
    )
    def post(self, request: Request) -> Response:
        token = getattr(request._request, "api_token", None)
        if not isinstance(token, ApiToken) or SCOPE not in token.scopes:
            raise NotFound("Not found.")
        body = data_of(request)
        if not isinstance(body, dict):
            raise BadQuery("body", "a JSON object is expected")
        asked = {
            name: text_of(body, name, launch.LONGEST).strip() for name in ("accession", "patient_id", "organization")
        }
        if not asked["accession"]:
            raise BadQuery("accession", "is missing")
        person = User.objects.filter(username=text_of(body, "user", 150), is_active=True).first()
        try:
            study = _study_of(token, person, asked)
        except launch.WrongPatient:
            _note(request, asked, person, None, "denied", "wrong patient")
            return Response({"detail": "This accession number is another patient's.", "code": "wrong_patient"}, 409)
        except (NotFound, Ambiguous):
            _note(request, asked, person, None, "denied", "not found")
            raise
        code = rows.patiently(lambda: _made(request, asked, person, study, body.get("report") is True))
        url = settings.FARVIEW_PUBLIC_URL + reverse("launch-code", args=[code])
        return Response({"url": url, "seconds": int(launch.LIFETIME.total_seconds())}, status=201)


def _study_of(token: ApiToken, person: User | None, asked: dict[str, str]) -> Study:
    """Of those that the person may see, in organizations to which the program belongs."""
    found = launch.studies_of(person, **asked) if person is not None else []
    own = token.user.roles()
    found = [one for one in found if one.organization_id in own]
    if not found:
        raise NotFound("There is no such study for this person.")
    if len(found) > 1:
        raise Ambiguous([one.organization.name for one in found])
    return found[0]


def _made(request: Request, asked: dict[str, str], person: User | None, study: Study, report: bool) -> str:
    assert person is not None  # noqa: S101 - a study was found for them
    _note(request, asked, person, study, "success", "")
    return launch.make_code(person, study, report)


def _note(
    request: Request, asked: dict[str, str], person: User | None, study: Study | None, outcome: str, reason: str
) -> None:
    said = {"accession": asked["accession"], "person": person.get_username() if person else "", "reason": reason}
    event = {
        "organization": study.organization.name if study else "",
        "patient_id": study.patient.patient_id if study else asked["patient_id"],
        "study_instance_uid": study.study_instance_uid if study else "",
        "detail": {name: value for name, value in said.items() if value},
    }
    audit.record("launch.make", actor=request.user, request=request, outcome=outcome, **event)  # type: ignore[arg-type]
