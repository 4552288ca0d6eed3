"""Orders, and the reading items that they become."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Organization
from viewer.models import Patient, Study


class ReadingClass(models.TextChoices):
    """How soon an examination is to be read; targets: `reporting.worklist.classes`."""

    STROKE = "STROKE"
    TRAUMA = "TRAUMA"
    STAT = "STAT"
    URGENT = "URGENT"
    ROUTINE = "ROUTINE"


class Order(models.Model):
    """What was asked for. The patient is as the order states them: what images or another order say may differ."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="orders")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="orders")
    accession_number = models.CharField(max_length=64, blank=True)
    placer_order_number = models.CharField(max_length=64, blank=True)
    filler_order_number = models.CharField(max_length=64, blank=True)
    patient_name = models.CharField(max_length=400, blank=True)
    patient_birth_date = models.CharField(max_length=8, blank=True)
    patient_sex = models.CharField(max_length=16, blank=True)
    procedure_code = models.CharField(max_length=64, blank=True)
    procedure_code_system = models.CharField(max_length=64, blank=True)
    procedure_text = models.CharField(max_length=200, blank=True)
    modality = models.CharField(max_length=16, blank=True)
    body_part = models.CharField(max_length=64, blank=True)
    laterality = models.CharField(max_length=1, blank=True)
    """L, R or B (both)."""
    reading_class = models.CharField(max_length=8, choices=ReadingClass.choices, default=ReadingClass.ROUTINE)
    reason = models.TextField(max_length=4000, blank=True)
    """Clinical information and question."""
    referring_physician = models.CharField(max_length=400, blank=True)
    """Patient-name form: family^given^..."""
    referring_identifier = models.CharField(max_length=64, blank=True)
    referrer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders", null=True, blank=True
    )
    study_instance_uid = models.CharField(max_length=64, blank=True)
    """As the order names it (ZDS, IPC-3); empty: the accession number finds the study."""
    requested_at = models.DateTimeField(null=True, blank=True)
    scheduled_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=16, default="ordered")
    """ordered, cancelled, discontinued."""
    source = models.CharField(max_length=16, default="technologist")
    """hl7, technologist, or study (made from images that came without an order)."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "accession_number"]),
            models.Index(fields=["organization", "placer_order_number"]),
            models.Index(fields=["organization", "filler_order_number"]),
            models.Index(fields=["referrer", "-created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.accession_number or self.placer_order_number or self.pk}: {self.procedure_text or self.procedure_code}"


class ItemStatus(models.TextChoices):
    SCHEDULED = "scheduled"
    ARRIVING = "arriving"
    READY = "ready"
    ASSIGNED = "assigned"
    CLAIMED = "claimed"
    PUT_ASIDE = "put_aside"
    PRELIMINARY = "preliminary"
    PENDING_COSIGN = "pending_cosign"
    FINAL = "final"
    DELIVERED = "delivered"
    HOLD = "hold"
    CANCELLED = "cancelled"


class ReadingItem(models.Model):
    """One examination to be read: the row of the worklist."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="reading_items")
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="item")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="reading_items", null=True, blank=True)
    status = models.CharField(max_length=16, choices=ItemStatus.choices, default=ItemStatus.SCHEDULED)
    reading_class = models.CharField(max_length=8, choices=ReadingClass.choices, default=ReadingClass.ROUTINE)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    claim_token = models.CharField(max_length=64, blank=True)
    """Of the browser window that holds it."""
    claim_seen_at = models.DateTimeField(null=True, blank=True)
    """Last heartbeat; a claim without one for `claiming.EXPIRY` is free."""
    held_reason = models.CharField(max_length=32, blank=True)
    """series_missing, wrong_side, wrong_patient, other."""
    note = models.CharField(max_length=1000, blank=True)
    ordered_at = models.DateTimeField(null=True, blank=True)
    exam_ended_at = models.DateTimeField(null=True, blank=True)
    last_image_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    preliminary_at = models.DateTimeField(null=True, blank=True)
    final_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    critical_acknowledged_at = models.DateTimeField(null=True, blank=True)
    double_reading = models.BooleanField(default=False)
    """Two radiologists read it, each without seeing the other's text, before its report is written."""
    blind_reads = models.PositiveSmallIntegerField(default=0)
    """How many of the two are complete."""
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "status"]),
            models.Index(fields=["study"]),
            models.Index(fields=["claimed_by"]),
        ]

    def __str__(self) -> str:
        return f"{self.order} ({self.status})"


class ItemEvent(models.Model):
    """What happened to a reading item; insert-only."""

    item = models.ForeignKey(ReadingItem, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=32)
    at = models.DateTimeField()
    actor_name = models.CharField(max_length=150, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["item", "at"])]


class SavedFilter(models.Model):
    """A named question to the worklist. `query` is what its URL holds."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    """Set: everybody who reads there sees it."""
    name = models.CharField(max_length=100)
    query = models.JSONField(default=dict)
    position = models.IntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="saved_filter_once")]
