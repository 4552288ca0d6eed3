"""The shapes of critical results, for the OpenAPI schema."""

from __future__ import annotations

from rest_framework import serializers

from reporting.critical.categories import ESCALATED, METHODS, MINUTES, OUTCOMES

CATEGORIES = tuple(MINUTES)
TOLD = (*OUTCOMES, ESCALATED)


class TryAsked(serializers.Serializer):
    recipient = serializers.CharField(max_length=200, help_text="Whom you tried to reach.")
    recipient_role = serializers.CharField(max_length=100, required=False, allow_blank=True)
    method = serializers.ChoiceField(METHODS)
    outcome = serializers.ChoiceField(OUTCOMES, required=False, default="reached")
    read_back = serializers.BooleanField(required=False, default=False, help_text="They said it back, and rightly.")
    note = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    at = serializers.DateTimeField(required=False, help_text="With its zone; left out: now.")


class CriticalAsked(serializers.Serializer):
    finding = serializers.CharField(max_length=1000)
    category = serializers.ChoiceField(CATEGORIES, help_text="Within what time somebody must hear of it.")
    found_at = serializers.DateTimeField(required=False, help_text="With its zone; left out: now.")
    recipient = serializers.CharField(max_length=200, required=False, help_text="With method: the first try as well.")
    recipient_role = serializers.CharField(max_length=100, required=False, allow_blank=True)
    method = serializers.ChoiceField(METHODS, required=False)
    outcome = serializers.ChoiceField(OUTCOMES, required=False)
    read_back = serializers.BooleanField(required=False)
    note = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    at = serializers.DateTimeField(required=False)


class TryShape(serializers.Serializer):
    at = serializers.DateTimeField()
    caller = serializers.CharField()
    recipient = serializers.CharField(allow_blank=True)
    recipient_role = serializers.CharField(allow_blank=True)
    method = serializers.ChoiceField([*METHODS, ""])
    outcome = serializers.ChoiceField(TOLD)
    note = serializers.CharField(allow_blank=True)


class CriticalShape(serializers.Serializer):
    id = serializers.IntegerField()
    report = serializers.IntegerField()
    finding = serializers.CharField()
    category = serializers.ChoiceField(CATEGORIES)
    found_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="When it is escalated unless it has been read back.")
    overdue = serializers.BooleanField()
    caller = serializers.CharField()
    recipient = serializers.CharField(allow_blank=True)
    recipient_role = serializers.CharField(allow_blank=True)
    method = serializers.ChoiceField([*METHODS, ""])
    read_back = serializers.BooleanField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    escalated_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    closed_by = serializers.CharField(allow_null=True)
    attempts = TryShape(many=True, help_text="Oldest first.")
    may = serializers.ListField(child=serializers.ChoiceField(["attempt", "close"]))


class CategoryShape(serializers.Serializer):
    value = serializers.ChoiceField(CATEGORIES)
    minutes = serializers.IntegerField(help_text="Until it is escalated, as the organization decided.")


class CriticalList(serializers.Serializer):
    results = CriticalShape(many=True)
    categories = CategoryShape(many=True)
    methods = serializers.ListField(child=serializers.CharField())
    outcomes = serializers.ListField(child=serializers.CharField())
