"""`/api/emergency/` and `/api/studies/{uid}/emergency/`: a study that one has no right to see, opened in an emergency."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from viewer.api import shapes
from viewer.api.doors import Door, data_of, text_of
from viewer.archive import emergency
from viewer.archive.query import BadQuery
from viewer.models import EmergencyAccess, Study

NUMBERS = {"study_instance_uid": 64, "accession_number": 64, "patient_id": 64, "organization": 64}


class EmergencyReason(serializers.Serializer):
    reason = serializers.CharField(
        min_length=emergency.REASON_AT_LEAST,
        max_length=emergency.REASON_AT_MOST,
        help_text="In your own words; it is kept and read.",
    )
    organization = serializers.CharField(required=False, help_text="Where several organizations have these numbers.")


class EmergencyAsked(EmergencyReason):
    study_instance_uid = serializers.CharField(required=False)
    accession_number = serializers.CharField(required=False, help_text="Exact, together with the Patient ID.")
    patient_id = serializers.CharField(required=False, help_text="Exact.")


class EmergencyOpened(serializers.Serializer):
    study_instance_uid = serializers.CharField()
    organization = serializers.CharField()
    address = serializers.CharField(help_text="The page of the study.")
    until = serializers.DateTimeField(allow_null=True, help_text="Null: you may see this study anyway.")
    reason = serializers.CharField(allow_null=True)


class EmergencyChoice(serializers.Serializer):
    study_instance_uid = serializers.CharField()
    organization = serializers.CharField()
    date = serializers.CharField(help_text="YYYYMMDD or empty.")
    modalities = serializers.CharField(help_text='Parted by "\\".')


class EmergencyChoices(serializers.Serializer):
    detail = serializers.CharField()
    studies = EmergencyChoice(many=True)


class EmergencyHeld(serializers.Serializer):
    held = EmergencyOpened(many=True, help_text="What you have opened in an emergency and see by that now.")


ANSWERS: dict[int, Any] = {
    200: OpenApiResponse(EmergencyOpened, description="You may see this study anyway; nothing was opened."),
    201: EmergencyOpened,
    400: shapes.BAD,
    401: shapes.NO_ACCESS,
    404: shapes.NOT_FOUND,
    409: OpenApiResponse(EmergencyChoices, description="The numbers name several studies; ask for one of them."),
    429: OpenApiResponse(shapes.Problem, description="Too many numbers that were none, within an hour."),
}
ABOUT = (
    "For whoever holds a role in the study's organization. Its administrators are told at once, and what is seen is written"
    " down as seen in an emergency."
)


class EmergencyDoor(Door):
    """What both doors do."""

    def opened(self, request: Request, study_instance_uid: str = "") -> Response:
        asked = asked_of(data_of(request), study_instance_uid)
        try:
            found = emergency.open_study(request.user, asked, request)
        except emergency.NotNamed as problem:
            return Response({"detail": str(problem)}, status=404)
        except emergency.TooManyMisses as problem:
            return Response({"detail": str(problem)}, status=429, headers={"Retry-After": "3600"})
        except emergency.Several as several:
            return Response({"detail": str(several), "studies": [choice(one) for one in several.studies]}, status=409)
        return Response(told(found.study, found.access), status=200 if found.access is None else 201)


class Emergency(EmergencyDoor):
    """By accession number and Patient ID, or by the Study Instance UID."""

    @extend_schema(
        operation_id="emergency_held",
        summary="What you have opened in an emergency",
        responses={200: EmergencyHeld, 401: shapes.NO_ACCESS},
    )
    def get(self, request: Request) -> Response:
        return Response({"held": [told(one.study, one) for one in emergency.held_by(request.user)]})

    @extend_schema(
        operation_id="emergency",
        summary="Open a study in an emergency",
        description=ABOUT,
        request=EmergencyAsked,
        responses=ANSWERS,
    )
    def post(self, request: Request) -> Response:
        return self.opened(request)


class StudyEmergency(EmergencyDoor):
    """By the address of the study."""

    @extend_schema(
        operation_id="study_emergency",
        summary="Open this study in an emergency",
        description=ABOUT,
        parameters=[shapes.uid("study_instance_uid", "Study")],
        request=EmergencyReason,
        responses=ANSWERS,
    )
    def post(self, request: Request, study_instance_uid: str) -> Response:
        return self.opened(request, study_instance_uid)


def asked_of(body: Any, study_instance_uid: str = "") -> emergency.Asked:
    """What a request's JSON asks for. Raises BadQuery."""
    if not isinstance(body, dict):
        raise BadQuery("body", "a JSON object is expected")
    numbers = {name: text_of(body, name, most).strip() for name, most in NUMBERS.items()}
    numbers["study_instance_uid"] = study_instance_uid or numbers["study_instance_uid"]
    reason = " ".join(text_of(body, "reason", emergency.REASON_AT_MOST).split())
    if len(reason) < emergency.REASON_AT_LEAST:
        raise BadQuery("reason", f"say why, in {emergency.REASON_AT_LEAST} characters at least")
    if not (numbers["study_instance_uid"] or (numbers["accession_number"] and numbers["patient_id"])):
        raise BadQuery("accession_number", "it is needed together with patient_id, or study_instance_uid alone")
    return emergency.Asked(reason=reason, **numbers)


def told(study: Study, access: EmergencyAccess | None) -> dict[str, Any]:
    organization = study.organization.name
    address = reverse("study", args=[study.study_instance_uid])
    return {
        "study_instance_uid": study.study_instance_uid,
        "organization": organization,
        "address": f"{address}?{urlencode({'organization': organization})}",
        "until": access and access.until.isoformat(),
        "reason": access and access.reason,
    }


def choice(study: Study) -> dict[str, str]:
    return {
        "study_instance_uid": study.study_instance_uid,
        "organization": study.organization.name,
        "date": study.date,
        "modalities": study.modalities,
    }
