"""The shapes of orders and worklist, for the OpenAPI schema."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from reporting.models.orders import ItemStatus, ReadingClass
from reporting.worklist.states import HOLD_REASONS, STEPS
from viewer.api import shapes


class ScorePart(serializers.Serializer):
    words = serializers.CharField()
    points = serializers.IntegerField()


class ItemClocks(serializers.Serializer):
    ordered_at = serializers.DateTimeField(allow_null=True)
    exam_ended_at = serializers.DateTimeField(allow_null=True)
    last_image_at = serializers.DateTimeField(allow_null=True)
    ready_at = serializers.DateTimeField(allow_null=True)
    claimed_at = serializers.DateTimeField(allow_null=True)
    preliminary_at = serializers.DateTimeField(allow_null=True)
    final_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    critical_acknowledged_at = serializers.DateTimeField(allow_null=True)


class PatientOfItem(serializers.Serializer):
    name = serializers.CharField(allow_blank=True, help_text='Components parted by "^".')
    id = serializers.CharField(allow_blank=True, help_text="Patient ID.")
    birth_date = serializers.CharField(allow_blank=True, help_text="YYYYMMDD or empty.")
    sex = serializers.CharField(allow_blank=True)


class StudyOfItem(serializers.Serializer):
    study_instance_uid = serializers.CharField()
    date = serializers.CharField(allow_blank=True)
    description = serializers.CharField(allow_blank=True)
    modalities = serializers.ListField(child=serializers.CharField())
    number_of_series = serializers.IntegerField()
    number_of_instances = serializers.IntegerField()


class OrderRow(serializers.Serializer):
    id = serializers.IntegerField()
    accession_number = serializers.CharField(allow_blank=True)
    placer_order_number = serializers.CharField(allow_blank=True)
    filler_order_number = serializers.CharField(allow_blank=True)
    procedure_code = serializers.CharField(allow_blank=True)
    procedure_code_system = serializers.CharField(allow_blank=True)
    procedure_text = serializers.CharField(allow_blank=True)
    modality = serializers.CharField(allow_blank=True)
    body_part = serializers.CharField(allow_blank=True)
    laterality = serializers.CharField(allow_blank=True, help_text="L, R, B (both) or empty.")
    reading_class = serializers.ChoiceField(ReadingClass.choices, help_text="As ordered; the item's may be another.")
    reason = serializers.CharField(allow_blank=True, help_text="Clinical information and question.")
    referring_physician = serializers.CharField(allow_blank=True, help_text='Name, components parted by "^".')
    referring_identifier = serializers.CharField(allow_blank=True)
    study_instance_uid = serializers.CharField(allow_blank=True, help_text="As the order names it.")
    requested_at = serializers.DateTimeField(allow_null=True)
    scheduled_at = serializers.DateTimeField(allow_null=True)
    status = serializers.CharField(help_text="ordered, cancelled or discontinued.")
    source = serializers.CharField(help_text="hl7, technologist, or study: made for images that nobody ordered.")


class PatientOfOrder(serializers.Serializer):
    patient_id = serializers.CharField(max_length=64)
    issuer_of_patient_id = serializers.CharField(max_length=64, allow_blank=True, required=False)
    name = serializers.CharField(max_length=400, allow_blank=True, required=False, help_text="family^given^...")
    birth_date = serializers.CharField(max_length=8, allow_blank=True, required=False, help_text="YYYYMMDD.")
    sex = serializers.CharField(max_length=16, allow_blank=True, required=False, help_text="M, F, O or empty.")


class ItemOfOrder(serializers.Serializer):
    id = serializers.IntegerField()
    status = serializers.ChoiceField(ItemStatus.choices)


class OrderShape(OrderRow):
    organization = serializers.CharField()
    patient = PatientOfOrder()
    item = ItemOfOrder(allow_null=True)
    study = StudyOfItem(allow_null=True)


class ChangedOrder(serializers.Serializer):
    accession_number = serializers.CharField(max_length=64, allow_blank=True, required=False)
    placer_order_number = serializers.CharField(max_length=64, allow_blank=True, required=False)
    filler_order_number = serializers.CharField(max_length=64, allow_blank=True, required=False)
    procedure_code = serializers.CharField(max_length=64, allow_blank=True, required=False)
    procedure_code_system = serializers.CharField(max_length=64, allow_blank=True, required=False)
    procedure_text = serializers.CharField(max_length=200, allow_blank=True, required=False)
    modality = serializers.CharField(max_length=16, allow_blank=True, required=False)
    body_part = serializers.CharField(max_length=64, allow_blank=True, required=False)
    laterality = serializers.CharField(max_length=1, allow_blank=True, required=False, help_text="L, R, B or empty.")
    reading_class = serializers.ChoiceField(ReadingClass.choices, required=False)
    reason = serializers.CharField(max_length=4000, allow_blank=True, required=False)
    referring_physician = serializers.CharField(max_length=400, allow_blank=True, required=False)
    referring_identifier = serializers.CharField(max_length=64, allow_blank=True, required=False)
    study_instance_uid = serializers.CharField(max_length=64, allow_blank=True, required=False)
    requested_at = serializers.DateTimeField(allow_null=True, required=False)
    scheduled_at = serializers.DateTimeField(allow_null=True, required=False)


class NewOrder(ChangedOrder):
    organization = serializers.CharField(required=False, help_text="Needed by who enters orders for several.")
    patient = PatientOfOrder()
    exam_ended_at = serializers.DateTimeField(allow_null=True, required=False)


class PersonOfItem(serializers.Serializer):
    name = serializers.CharField()
    mine = serializers.BooleanField(help_text="Whether this is whoever asks.")


class ClaimOfItem(PersonOfItem):
    until = serializers.DateTimeField(help_text="Without a heartbeat the claim ends then.")


class ReportOfItem(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.CharField()


class DoubleReadingOfItem(serializers.Serializer):
    complete = serializers.IntegerField(help_text="How many of the two reads are complete.")


class WorklistItem(serializers.Serializer):
    id = serializers.IntegerField()
    version = serializers.IntegerField(help_text="Sent back with a change, it is refused where somebody was quicker.")
    organization = serializers.CharField()
    status = serializers.ChoiceField(ItemStatus.choices)
    reading_class = serializers.ChoiceField(ReadingClass.choices)
    score = serializers.IntegerField(help_text="Greater is read sooner.")
    why = ScorePart(many=True, help_text="What the score is made of.")
    target_minutes = serializers.IntegerField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    clocks = ItemClocks()
    patient = PatientOfItem()
    study = StudyOfItem(allow_null=True)
    order = OrderRow()
    accession_number = serializers.CharField(allow_blank=True)
    assigned_to = PersonOfItem(allow_null=True)
    claimed_by = ClaimOfItem(allow_null=True)
    held_reason = serializers.CharField(allow_blank=True, help_text=f"Empty, or one of {', '.join(HOLD_REASONS)}.")
    note = serializers.CharField(allow_blank=True)
    report = ReportOfItem(allow_null=True)
    critical = serializers.BooleanField(help_text="A critical result of it waits to be read back.")
    double_reading = DoubleReadingOfItem(
        allow_null=True, help_text="Where two radiologists read it apart before its report is written."
    )
    may = serializers.ListField(
        child=serializers.CharField(), help_text=f"What whoever asks can do now, of {', '.join(STEPS)}."
    )


class SavedFilterShape(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField(max_length=100)
    query = serializers.JSONField(help_text="Parameters of GET /api/worklist/, as texts.")
    shared_with = serializers.CharField(allow_null=True, help_text="The organization whose readers see it too.")
    owner = PersonOfItem()
    position = serializers.IntegerField()


class NewFilter(serializers.Serializer):
    name = serializers.CharField(max_length=100)
    query = serializers.JSONField(help_text="Parameters of GET /api/worklist/, as texts.")
    shared_with = serializers.CharField(allow_null=True, required=False, help_text="An organization where you read.")
    position = serializers.IntegerField(required=False)


class FilterList(serializers.Serializer):
    filters = SavedFilterShape(many=True)


class WorklistCounts(serializers.Serializer):
    unread = serializers.IntegerField()
    mine = serializers.IntegerField()
    cosign = serializers.IntegerField()
    quality = serializers.IntegerField()
    held = serializers.IntegerField()
    scheduled = serializers.IntegerField()
    open = serializers.IntegerField()


class Worklist(serializers.Serializer):
    items = WorklistItem(many=True)
    total = serializers.IntegerField(help_text="Of all pages.")
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    counts = WorklistCounts(help_text="Of each tab, whatever the filters; what is done is not counted.")
    filters = SavedFilterShape(many=True)
    now = serializers.DateTimeField(help_text="The server's clock, for times that are shown as spans.")


class ClaimedItem(WorklistItem):
    token = serializers.CharField(help_text="Of this claim; goes with every heartbeat.")
    heartbeat_seconds = serializers.IntegerField(help_text="How often to send one.")
    address = serializers.CharField(allow_null=True, help_text="Where it is read.")


class ItemEventShape(serializers.Serializer):
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(allow_blank=True)
    detail = serializers.JSONField()


class ItemWhole(WorklistItem):
    events = ItemEventShape(many=True, help_text="What happened to it, the oldest first.")


class Versioned(serializers.Serializer):
    version = serializers.IntegerField(required=False, help_text="As it was looked at; 409 where it has changed.")


class Holding(serializers.Serializer):
    token = serializers.CharField(required=False, max_length=64, help_text="Of the claim; left out by programs.")


class ClaimAsked(Versioned, Holding):
    reason = serializers.CharField(required=False, max_length=1000, help_text="To take it from another.")


class ReleaseAsked(Versioned, Holding):
    pass


class PutAsideAsked(Versioned, Holding):
    note = serializers.CharField(max_length=1000, help_text="What it waits for.")


class HoldAsked(Versioned):
    reason = serializers.CharField(max_length=32, help_text=f"One of {', '.join(HOLD_REASONS)}.")
    note = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class ReadyAsked(Versioned):
    note = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class AssignmentAsked(Versioned):
    to = serializers.CharField(allow_null=True, help_text="Name of a person who reports there; null: nobody.")


class ClassAsked(Versioned):
    reading_class = serializers.ChoiceField(ReadingClass.choices)


class CancellationAsked(Versioned):
    reason = serializers.CharField(max_length=1000)


class CorrectionAsked(Versioned):
    laterality = serializers.CharField(max_length=1, allow_blank=True, required=False, help_text="L, R, B or empty.")
    procedure_code = serializers.CharField(max_length=64, allow_blank=True, required=False)
    procedure_code_system = serializers.CharField(max_length=64, allow_blank=True, required=False)
    procedure_text = serializers.CharField(max_length=200, allow_blank=True, required=False)
    modality = serializers.CharField(max_length=16, allow_blank=True, required=False)
    body_part = serializers.CharField(max_length=64, allow_blank=True, required=False)
    reading_class = serializers.ChoiceField(ReadingClass.choices, required=False)
    reason = serializers.CharField(max_length=4000, allow_blank=True, required=False)


class LinkAsked(Versioned):
    study = serializers.CharField(required=False, help_text="Study Instance UID that this item gets.")
    order = serializers.IntegerField(required=False, help_text="Order that gets the images of this item.")
    reason = serializers.CharField(required=False, max_length=1000, help_text="Needed where the patients disagree.")


class NextAsked(serializers.Serializer):
    query = serializers.JSONField(required=False, help_text="Parameters of GET /api/worklist/: only among these.")
    skip = serializers.ListField(child=serializers.IntegerField(), required=False, help_text="Items to pass over.")


class AssignableReader(serializers.Serializer):
    name = serializers.CharField(help_text="As `to` of an assignment.")
    full_name = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    assigned = serializers.IntegerField(help_text="Unread items that are theirs.")


class AssignableReaders(serializers.Serializer):
    readers = AssignableReader(many=True)


class WorklistRefusal(serializers.Serializer):
    detail = serializers.CharField()
    code = serializers.CharField(required=False, help_text="held, assigned, overtaken, wrong_patient or refused.")
    by = serializers.CharField(required=False, help_text="Who reads it, or whose it is.")
    until = serializers.DateTimeField(required=False)
    version = serializers.IntegerField(required=False, help_text="The version that it has now.")
    organizations = serializers.ListField(child=serializers.CharField(), required=False)


ITEM = OpenApiParameter("item_id", OpenApiTypes.INT, OpenApiParameter.PATH, description="Reading item.")
ORDER = OpenApiParameter("order_id", OpenApiTypes.INT, OpenApiParameter.PATH, description="Order.")
CONFLICT = OpenApiResponse(
    WorklistRefusal, description="Not as things stand: somebody else has it, or it is in another state."
)
REFUSALS = {400: shapes.BAD, 401: shapes.NO_ACCESS, 404: shapes.NOT_FOUND, 409: CONFLICT}
