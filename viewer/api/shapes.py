"""The shapes of REST answers, for the OpenAPI schema; a test holds the answers against them."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers


class Problem(serializers.Serializer):
    detail = serializers.CharField(help_text="What is wrong, for a person.")
    code = serializers.CharField(required=False, help_text="The same for a program, where there are several kinds.")


class SeveralOrganizations(serializers.Serializer):
    detail = serializers.CharField()
    organizations = serializers.ListField(
        child=serializers.CharField(), help_text="Name one of these as `organization` in the query."
    )


class PatientOfStudy(serializers.Serializer):
    name = serializers.CharField(help_text='As DICOM writes it: components parted by "^", groups by "=".')
    patient_id = serializers.CharField()
    birth_date = serializers.CharField(help_text="YYYYMMDD or empty.")
    sex = serializers.CharField()


class StudyRow(serializers.Serializer):
    study_instance_uid = serializers.CharField()
    organization = serializers.CharField()
    patient = PatientOfStudy()
    date = serializers.CharField(help_text="YYYYMMDD or empty.")
    time = serializers.CharField(help_text="As stored (PS3.5 TM) or empty.")
    accession_number = serializers.CharField()
    description = serializers.CharField()
    modalities = serializers.ListField(child=serializers.CharField())
    number_of_series = serializers.IntegerField()
    number_of_instances = serializers.IntegerField()
    thumbnail = serializers.CharField(allow_null=True, help_text="Address of a small JPEG.")
    created_at = serializers.DateTimeField(help_text="When the first object came, UTC.")
    warnings = serializers.ListField(child=serializers.CharField())
    conflicts = serializers.IntegerField(help_text="Objects kept aside because their UIDs are held already.")


class StudyList(serializers.Serializer):
    studies = StudyRow(many=True)
    next = serializers.CharField(allow_null=True, help_text="`cursor` of the next page; null on the last.")
    total = serializers.IntegerField(help_text="Of all pages, counted up to 10,000.")


class ImageOfStack(serializers.Serializer):
    sop_instance_uid = serializers.CharField()
    rows = serializers.IntegerField()
    columns = serializers.IntegerField()
    spacing = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="mm between rows and between columns."
    )
    view_position = serializers.CharField()
    laterality = serializers.CharField()
    patient_orientation = serializers.CharField()
    image_type = serializers.CharField()


class StackRow(serializers.Serializer):
    stack = serializers.IntegerField()
    label = serializers.CharField()
    kind = serializers.ChoiceField(["spatial", "cine", "other"])
    frames = serializers.IntegerField()
    rows = serializers.IntegerField()
    columns = serializers.IntegerField()
    frame_times_ms = serializers.JSONField(
        allow_null=True,
        help_text='A list, one number a frame; or {"frame_time_ms": number} where all are alike; or null.',
    )
    plane = serializers.CharField(help_text="axial, coronal or sagittal, the nearest; or empty.")
    volume = serializers.BooleanField(help_text="Its frames lie so that they make a volume.")
    frame_of_reference_uid = serializers.CharField()
    spacing_between_slices = serializers.FloatField(allow_null=True, help_text="mm, where it is even.")
    contrast = serializers.BooleanField()
    view_position = serializers.CharField(help_text="Of the first frame; CC, MLO, PA, ... or empty.")
    laterality = serializers.CharField()
    patient_orientation = serializers.CharField(help_text=r'What lies at the right and at the bottom, "A\F", or empty.')
    image_type = serializers.CharField()
    images = ImageOfStack(many=True, help_text="Of few separate images, each of them in order; else none.")
    thumbnail = serializers.CharField()


class SeriesRow(serializers.Serializer):
    series_instance_uid = serializers.CharField()
    modality = serializers.CharField()
    number = serializers.IntegerField(allow_null=True)
    description = serializers.CharField()
    body_part_examined = serializers.CharField()
    laterality = serializers.CharField()
    protocol_name = serializers.CharField()
    date = serializers.CharField()
    time = serializers.CharField()
    number_of_instances = serializers.IntegerField()
    series_version = serializers.CharField()
    stacks = StackRow(many=True)
    not_drawn = serializers.CharField(allow_null=True, help_text="What of the series is not drawn, and why.")


class OtherStudyRow(serializers.Serializer):
    study_instance_uid = serializers.CharField()
    organization = serializers.CharField()
    date = serializers.CharField()
    time = serializers.CharField()
    description = serializers.CharField()
    accession_number = serializers.CharField()
    modalities = serializers.ListField(child=serializers.CharField())
    number_of_series = serializers.IntegerField()


class PriorRow(OtherStudyRow):
    earlier = serializers.BooleanField(help_text="Taken before this study.")
    relevance = serializers.IntegerField(
        help_text="3 same modality and part of the body, 2 same modality, 1 same part of the body, 0 neither."
    )
    reason = serializers.CharField(help_text="Why so relevant.")


class NotPriorRow(OtherStudyRow):
    disagreements = serializers.ListField(
        child=serializers.CharField(), help_text="What it says otherwise about the person."
    )


class ConflictRow(serializers.Serializer):
    sop_instance_uid = serializers.CharField()
    series_instance_uid = serializers.CharField()
    study_instance_uid = serializers.CharField()
    reason = serializers.CharField()
    received_at = serializers.DateTimeField()


class StudyWhole(StudyRow):
    study_id = serializers.CharField()
    patient_age = serializers.CharField()
    institution = serializers.CharField()
    referring_physician = serializers.CharField()
    timezone_offset = serializers.CharField()
    series = SeriesRow(many=True)
    priors = PriorRow(many=True, help_text="Other studies of the same patient, newest first.")
    not_priors = NotPriorRow(
        many=True, help_text="Same Patient ID, but another name, birth date or sex: never a prior by itself."
    )
    kept_aside = ConflictRow(many=True, help_text="The conflicts, newest first.")


class OutcomeRow(serializers.Serializer):
    name = serializers.CharField()
    outcome = serializers.ChoiceField(["stored", "duplicate", "conflict", "refused", "skipped"])
    reason = serializers.CharField()
    study_instance_uid = serializers.CharField()


class Outcomes(serializers.Serializer):
    outcomes = OutcomeRow(many=True)


class OutcomesUntilFull(serializers.Serializer):
    detail = serializers.CharField()
    outcomes = OutcomeRow(many=True, help_text="What was stored before the disk was full; the rest was not.")


class Upload(serializers.Serializer):
    file = serializers.ListField(child=serializers.FileField(), help_text="DICOM files or zips of them.")
    path = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Each file's name relative to the folder it lies in."
    )


class OrganizationOfPerson(serializers.Serializer):
    name = serializers.CharField()
    title = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    may_upload = serializers.BooleanField()


class Person(serializers.Serializer):
    name = serializers.CharField()
    full_name = serializers.CharField()
    journal_key = serializers.CharField(
        allow_blank=True, help_text="Seals what a page keeps in its browser until it is stored; empty for a token."
    )
    organizations = OrganizationOfPerson(many=True)


def text(name: str, description: str) -> OpenApiParameter:
    """A query parameter that is text."""
    return OpenApiParameter(name, OpenApiTypes.STR, description=description)


def uid(name: str, of: str) -> OpenApiParameter:
    """A UID in the path."""
    return OpenApiParameter(
        name, OpenApiTypes.STR, OpenApiParameter.PATH, description=f"{of} Instance UID.", pattern=r"^[0-9.]{1,64}$"
    )


ORGANIZATION = text("organization", "Decides where the same UID exists in several organizations that you serve.")
BAD = OpenApiResponse(Problem, description="A parameter cannot be used; `detail` names it.")
NO_ACCESS = OpenApiResponse(Problem, description="Nobody is signed in, or the token is not good.")
NOT_FOUND = OpenApiResponse(Problem, description="There is no such object, or not for you.")
SEVERAL = OpenApiResponse(SeveralOrganizations, description="The UID exists in several organizations that you serve.")
REFUSALS = {401: NO_ACCESS, 404: NOT_FOUND, 409: SEVERAL}
