"""The shapes of transfers and peers, for the OpenAPI schema and for reading what is asked."""

from __future__ import annotations

from rest_framework import serializers

from viewer.archive import transfers
from viewer.models import TransferState

UID = r"^[0-9.]{1,64}$"
INSTANCES_AT_MOST = 5000
STATES = tuple(str(state) for state in TransferState)


class PeerRow(serializers.Serializer):
    id = serializers.IntegerField()
    organization = serializers.CharField()
    ae_title = serializers.CharField()
    description = serializers.CharField()
    archive = serializers.BooleanField(help_text="Earlier studies are looked for there.")


class PeerList(serializers.Serializer):
    peers = PeerRow(many=True, help_text="Those that can be called, of the organizations where you read.")


class PeerOfTransfer(serializers.Serializer):
    id = serializers.IntegerField()
    ae_title = serializers.CharField()
    description = serializers.CharField()


class StudyOfTransfer(serializers.Serializer):
    patient_name = serializers.CharField()
    patient_id = serializers.CharField()
    date = serializers.CharField(help_text="YYYYMMDD or empty.")
    description = serializers.CharField()
    modalities = serializers.ListField(child=serializers.CharField())
    here = serializers.BooleanField(help_text="It can be opened here.")


class TransferRow(serializers.Serializer):
    id = serializers.IntegerField()
    organization = serializers.CharField()
    peer = PeerOfTransfer()
    kind = serializers.ChoiceField([transfers.SEND, transfers.RETRIEVE, transfers.PRIORS])
    state = serializers.ChoiceField(STATES)
    study_instance_uid = serializers.CharField()
    series_instance_uid = serializers.CharField(help_text="Empty: all series.")
    instances = serializers.IntegerField(help_text="How many objects were named; 0: all.")
    study = StudyOfTransfer()
    reason = serializers.CharField(help_text="person, prefetch, route, program.")
    asked_by = serializers.CharField(help_text="Empty: nobody did.")
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    tries = serializers.IntegerField()
    problem = serializers.CharField(help_text="What went wrong, or what to know of it, for a person.")
    next_try_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class TransferList(serializers.Serializer):
    transfers = TransferRow(many=True, help_text="The newest first.")
    next = serializers.IntegerField(allow_null=True, help_text="`before` of the next page; null on the last.")
    waiting = serializers.IntegerField(help_text="How many wait or run, of all pages.")


class Shown(serializers.Serializer):
    patient_name = serializers.CharField(required=False, allow_blank=True, max_length=400)
    patient_id = serializers.CharField(required=False, allow_blank=True, max_length=64)
    date = serializers.CharField(required=False, allow_blank=True, max_length=8)
    description = serializers.CharField(required=False, allow_blank=True, max_length=200)
    modalities = serializers.ListField(child=serializers.CharField(max_length=16), required=False, max_length=20)


class NewTransfer(serializers.Serializer):
    kind = serializers.ChoiceField([transfers.SEND, transfers.RETRIEVE])
    peer = serializers.IntegerField(min_value=1)
    study = serializers.RegexField(UID, help_text="Study Instance UID.")
    series = serializers.RegexField(UID, required=False, help_text="Only this series.")
    instances = serializers.ListField(
        child=serializers.RegexField(UID),
        required=False,
        max_length=INSTANCES_AT_MOST,
        help_text="Only these objects, by SOP Instance UID.",
    )
    shown = Shown(required=False, help_text="Of a study that is not here yet: what lists show of it until it is.")


class RemoteSearch(serializers.Serializer):
    patient_id = serializers.CharField(required=False, allow_blank=True, max_length=64)
    patient_name = serializers.CharField(
        required=False, allow_blank=True, max_length=64, help_text="The beginning of it, as DICOM writes names."
    )
    accession_number = serializers.CharField(required=False, allow_blank=True, max_length=16)
    date_from = serializers.DateField(required=False, allow_null=True)
    date_to = serializers.DateField(required=False, allow_null=True)
    modality = serializers.RegexField(r"^[A-Za-z0-9]{0,16}$", required=False, allow_blank=True)


class FoundStudy(serializers.Serializer):
    study_instance_uid = serializers.CharField()
    patient_id = serializers.CharField()
    patient_name = serializers.CharField()
    patient_birth_date = serializers.CharField()
    patient_sex = serializers.CharField()
    date = serializers.CharField()
    time = serializers.CharField()
    accession_number = serializers.CharField()
    description = serializers.CharField()
    modalities = serializers.ListField(child=serializers.CharField())
    number_of_instances = serializers.IntegerField(allow_null=True)
    here = serializers.BooleanField(help_text="All of it is here already.")
    transfer = serializers.CharField(help_text="State of a transfer that fetches it; empty: there is none.")
    disagreements = serializers.ListField(
        child=serializers.CharField(),
        help_text="What the archive says of the person otherwise than we do under the same Patient ID.",
    )


class FoundStudies(serializers.Serializer):
    studies = FoundStudy(many=True)
    more = serializers.BooleanField(help_text="There are more than are listed: ask for less.")
