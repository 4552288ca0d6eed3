"""Where signed reports go, each way out as a row with its state; and messages that came in."""

from __future__ import annotations

from django.db import models

from accounts.models import Organization
from reporting.models.reports import Report, ReportVersion
from viewer.models import Blob


class Destination(models.Model):
    """A receiver of an organization's signed reports."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="destinations")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=16)
    """A row of `reporting.delivery.KINDS`: archive, fhir, hl7, email, dicom."""
    address = models.CharField(max_length=500, blank=True)
    """URL, host:port or AE title, as the kind needs it."""
    options = models.JSONField(default=dict, blank=True)
    """Never a secret: those come from the environment by the name given here."""
    preliminary = models.BooleanField(default=False)
    """Whether preliminary reports go there too."""
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="destination_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


class DeliveryState(models.TextChoices):
    QUEUED = "queued"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    """Will be tried again."""
    GIVEN_UP = "given_up"
    """Waits for a person."""
    SUPERSEDED = "superseded"


class Delivery(models.Model):
    """One signed version on its way to one destination: once, also after a crash."""

    destination = models.ForeignKey(Destination, on_delete=models.PROTECT, related_name="deliveries")
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="deliveries")
    report_version = models.ForeignKey(ReportVersion, on_delete=models.PROTECT, related_name="deliveries")
    state = models.CharField(max_length=16, choices=DeliveryState.choices, default=DeliveryState.QUEUED)
    control_id = models.CharField(max_length=64, blank=True)
    """MSH-10, Bundle identifier, SOP Instance UID: what makes a second sending of it harmless."""
    payload = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    """The bytes as they leave; made once."""
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    problem = models.CharField(max_length=1000, blank=True)
    answer = models.TextField(max_length=8000, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["destination", "report_version"], name="delivery_once")]
        indexes = [models.Index(fields=["state", "next_try_at"])]


class InboundMessage(models.Model):
    """An HL7 message as it came, durable before it is acknowledged; what was made of it."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    sender = models.CharField(max_length=200, blank=True)
    """MSH-3 and MSH-4."""
    control_id = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=32, blank=True)
    """MSH-9: ORM^O01, OMI^O23, ADT^A08, ..."""
    body = models.TextField()
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=16, default="received")
    """received, applied, duplicate, refused."""
    problem = models.CharField(max_length=1000, blank=True)
    answer = models.TextField(blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["sender", "control_id"]), models.Index(fields=["-received_at"])]
