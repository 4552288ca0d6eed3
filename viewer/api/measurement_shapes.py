"""The shapes of measurements, for the OpenAPI schema."""

from __future__ import annotations

from rest_framework import serializers

from viewer.marks.asked import LABEL
from viewer.rendering.measuring import KINDS

VALUES = 'Name -> {"value", "unit", "source"}. Millimetres only where something says them.'
POINTS = "LPS mm [x, y, z], or [column, row] of the stored frame with pixel centres at whole numbers."


class Previous(serializers.Serializer):
    uid = serializers.CharField()
    study_instance_uid = serializers.CharField()
    date = serializers.CharField(help_text="YYYYMMDD or empty, of that study.")
    values = serializers.JSONField(help_text=VALUES)
    change = serializers.JSONField(help_text='Name -> {"absolute", "percent" or null, "unit"}, from then to now.')


class Measurement(serializers.Serializer):
    uid = serializers.CharField(help_text="Tracking Unique Identifier: stays the same through every change.")
    version = serializers.IntegerField()
    kind = serializers.CharField(
        help_text="One of the kinds of `measure` (docs/protocol.md); others come from objects."
    )
    label = serializers.CharField(allow_blank=True)
    series_instance_uid = serializers.CharField(allow_blank=True)
    stack = serializers.IntegerField()
    sop_instance_uid = serializers.CharField(allow_blank=True, help_text="Empty: drawn on a plane through a volume.")
    frame_number = serializers.IntegerField(allow_null=True, help_text="From 1.")
    frame_of_reference_uid = serializers.CharField(allow_blank=True)
    space = serializers.ChoiceField(["patient", "image"])
    points = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()), help_text=POINTS)
    view = serializers.JSONField(help_text="The View on which it was drawn.")
    values = serializers.JSONField(help_text=VALUES)
    notes = serializers.ListField(child=serializers.CharField(), help_text="What a reader of the numbers must know.")
    known = serializers.FloatField(allow_null=True, help_text="Of a calibration: mm, as stated.")
    author = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    source = serializers.ChoiceField(["reader", "sr"], help_text="sr: read from an object; it cannot be changed here.")
    source_sop_instance_uid = serializers.CharField(allow_blank=True)
    deleted = serializers.BooleanField()
    follows = serializers.CharField(allow_blank=True, help_text="uid of that of an earlier study which it carries on.")
    previous = Previous(allow_null=True)


class OfPrior(serializers.Serializer):
    study_instance_uid = serializers.CharField()
    date = serializers.CharField(help_text="YYYYMMDD or empty.")
    description = serializers.CharField()
    measurements = Measurement(many=True)


class NotRead(serializers.Serializer):
    sop_instance_uid = serializers.CharField()
    reason = serializers.CharField(help_text="It is too large, is being read, or cannot be.")


class MeasurementList(serializers.Serializer):
    measurements = Measurement(many=True, help_text="Oldest first.")
    objects = serializers.IntegerField(help_text="Structured reports with measurements that the study holds.")
    not_read = NotRead(many=True, help_text="Structured reports that may hold more.")
    priors = OfPrior(many=True, required=False, help_text="With `with_priors=1`: newest first.")


class ChangedMeasurement(serializers.Serializer):
    version = serializers.IntegerField(help_text="The version that is changed.")
    label = serializers.CharField(required=False, allow_blank=True, max_length=LABEL)
    series = serializers.CharField(required=False, help_text="Series Instance UID.")
    stack = serializers.IntegerField(required=False)
    sop_instance_uid = serializers.CharField(required=False, allow_null=True)
    frame_number = serializers.IntegerField(required=False, allow_null=True)
    space = serializers.ChoiceField(["patient", "image"], required=False)
    points = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()), required=False, help_text=POINTS
    )
    view = serializers.JSONField(required=False, help_text="A View (docs/protocol.md).")
    follows = serializers.CharField(required=False, allow_null=True)
    known = serializers.FloatField(required=False, allow_null=True, help_text="Of a calibration: mm of its line.")
    deleted = serializers.BooleanField(required=False, help_text="false brings a deleted one back.")


class NewMeasurement(serializers.Serializer):
    uid = serializers.CharField(required=False, help_text="A UID of the client's own; left out, the server makes one.")
    kind = serializers.ChoiceField(list(KINDS))
    label = serializers.CharField(required=False, allow_blank=True, max_length=LABEL)
    series = serializers.CharField(help_text="Series Instance UID.")
    stack = serializers.IntegerField(required=False)
    sop_instance_uid = serializers.CharField(required=False, allow_null=True)
    frame_number = serializers.IntegerField(required=False, allow_null=True)
    space = serializers.ChoiceField(["patient", "image"], required=False)
    points = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()), help_text=POINTS)
    view = serializers.JSONField(help_text="The View on which it was drawn.")
    follows = serializers.CharField(required=False, allow_null=True)
    known = serializers.FloatField(required=False, allow_null=True, help_text="Of a calibration: mm of its line.")


class Overtaken(serializers.Serializer):
    detail = serializers.CharField()
    current = Measurement(required=False)
    organizations = serializers.ListField(child=serializers.CharField(), required=False)


class ObjectState(serializers.Serializer):
    sop_instance_uid = serializers.CharField(allow_null=True, help_text="null: none was written yet.")
    current = serializers.BooleanField(help_text="Whether nothing has changed since it was written.")


class Written(serializers.Serializer):
    sop_instance_uid = serializers.CharField(help_text="Of the structured report that holds them all.")
