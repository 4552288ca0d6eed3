"""The shapes of corrections in REST answers, for the OpenAPI schema."""

from __future__ import annotations

from rest_framework import serializers

from viewer.dicom.rejection_note import CODES
from viewer.models import CorrectionKind


class CorrectionShape(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(CorrectionKind.values)
    at = serializers.DateTimeField()
    actor = serializers.CharField(allow_blank=True)
    source = serializers.ChoiceField(["person", "hl7", "dicom"])
    reason = serializers.CharField()
    before = serializers.DictField(child=serializers.CharField(allow_blank=True), help_text="DICOM keyword -> value.")
    after = serializers.DictField(child=serializers.CharField(allow_blank=True))
    series = serializers.ListField(child=serializers.CharField(), help_text="Series Instance UIDs of what was moved.")
    instances = serializers.IntegerField(help_text="How many objects were rejected.")
    undoes = serializers.IntegerField(allow_null=True)
    undone_by = serializers.IntegerField(allow_null=True)


class CorrectionList(serializers.Serializer):
    corrections = CorrectionShape(many=True, help_text="The newest first.")
    seen = serializers.IntegerField(help_text="To be sent along with an act: the newest that it knows of.")


class NewCorrection(serializers.Serializer):
    act = serializers.ChoiceField(
        ["person", "patient", "merge_patient", "link_patient", "order", "split", "move", "merge", "reject"]
    )
    reason = serializers.CharField(max_length=1000)
    seen = serializers.IntegerField(required=False, help_text="Refused with 409 where something was corrected since.")
    name = serializers.CharField(required=False, help_text="person: as DICOM writes it.")
    birth_date = serializers.CharField(required=False)
    sex = serializers.CharField(required=False)
    patient_id = serializers.CharField(required=False, help_text="patient, merge_patient, link_patient: which.")
    issuer = serializers.CharField(required=False)
    organization = serializers.CharField(required=False, help_text="link_patient: of the other one.")
    order = serializers.CharField(required=False, help_text="order: as the choices name it.")
    accession_number = serializers.CharField(required=False)
    description = serializers.CharField(required=False)
    referring_physician = serializers.CharField(required=False)
    series = serializers.ListField(child=serializers.CharField(), required=False, help_text="split, move, reject.")
    instances = serializers.ListField(child=serializers.CharField(), required=False, help_text="reject.")
    target = serializers.CharField(required=False, help_text="move, merge: Study Instance UID.")
    code = serializers.ChoiceField(list(CODES), required=False, help_text="reject: of PS3.16 CID 7010.")


class Done(serializers.Serializer):
    correction = CorrectionShape(allow_null=True, help_text="Null: it was so already.")
    study_instance_uid = serializers.CharField(help_text="Where the images are now.")


class Reason(serializers.Serializer):
    reason = serializers.CharField(max_length=1000)


class CorrectionChoices(serializers.Serializer):
    patients = serializers.ListField(child=serializers.DictField())
    orders = serializers.ListField(child=serializers.DictField())
    studies = serializers.ListField(child=serializers.DictField())
