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
    """A row of `reporting.delivery.kinds.KINDS`: archive, fhir, hl7, email, dicom."""
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
    claim = models.CharField(max_length=64, blank=True)
    """Of whoever sends it now."""
    claimed_until = models.DateTimeField(null=True, blank=True)
    """Whoever sends it says again and again that they still do; after this they do not."""
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


class HL7Peer(models.Model):
    """Who may send orders and patients for an organization; whoever is in no row is refused."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="hl7_peers")
    name = models.CharField(max_length=100)
    address = models.CharField(max_length=64)
    """An IP address, or a network as 10.1.0.0/16."""
    sending_application = models.CharField(max_length=180, blank=True)
    """MSH-3.1; empty: any."""
    sending_facility = models.CharField(max_length=180, blank=True)
    """MSH-4.1; empty: any."""
    character_set = models.CharField(max_length=40, blank=True)
    """What it means where MSH-18 names none; empty: UTF-8."""
    mapping = models.JSONField(default=dict, blank=True)
    """Where this sender puts things: `reporting.delivery.peers.problems` says what it may hold."""
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "HL7 peer"
        constraints = [
            models.UniqueConstraint(fields=["address", "sending_application", "sending_facility"], name="hl7_peer_once")
        ]

    def __str__(self) -> str:
        return self.name


class InboundMessage(models.Model):
    """An HL7 message as it came, durable before it is acknowledged; what was made of it."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    peer = models.ForeignKey(HL7Peer, on_delete=models.SET_NULL, related_name="messages", null=True, blank=True)
    sender = models.CharField(max_length=200, blank=True)
    """MSH-3 and MSH-4."""
    control_id = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=32, blank=True)
    """MSH-9: ORM^O01, OMI^O23, ADT^A08, ..."""
    body = models.TextField()
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=16, default="received")
    """received, applied, refused."""
    problem = models.CharField(max_length=1000, blank=True)
    answer = models.TextField(blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["peer", "control_id", "sha256"], name="inbound_message_once")]
        indexes = [models.Index(fields=["sender", "control_id"]), models.Index(fields=["-received_at"])]
