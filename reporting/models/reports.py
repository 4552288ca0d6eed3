"""Reports, their insert-only versions, the evidence frozen with a signature, and critical results."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from accounts.models import Organization
from reporting.models.orders import Order, ReadingItem
from reporting.models.templates import TemplateVersion
from viewer.models import Blob, Study


class ReportState(models.TextChoices):
    """spec: the life of a report. What may follow what: `reporting.workflow.states.TRANSITIONS`."""

    DRAFT = "draft"
    PRELIMINARY = "preliminary"
    PENDING_COSIGN = "pending_cosign"
    RETURNED = "returned"
    FINAL = "final"
    APPENDED = "appended"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered_in_error"
    BLIND = "blind"
    """One of two reads of which neither reader sees the other's, being written."""
    READ = "read"
    """The same, signed by its reader. It never leaves: what does is the report that follows from both."""


class Report(models.Model):
    """The report of one study. Its text lives in its versions; this row says where it stands and who has it open."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="reports")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="reports")
    item = models.ForeignKey(ReadingItem, on_delete=models.PROTECT, related_name="reports", null=True, blank=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="reports", null=True, blank=True)
    state = models.CharField(max_length=20, choices=ReportState.choices, default=ReportState.DRAFT)
    template_version = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=0)
    """Number of the newest version."""
    signed_version = models.PositiveIntegerField(default=0)
    """Number of the newest signed one; 0 before any."""
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    lock_token = models.CharField(max_length=64, blank=True)
    """Of the browser window or program that writes."""
    lock_seen_at = models.DateTimeField(null=True, blank=True)
    discrepancy = models.CharField(max_length=8, blank=True)
    """none, minor or major: final against preliminary, as the attending graded it."""
    discrepancy_note = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "state"]),
            models.Index(fields=["study"]),
        ]
        permissions = [("cancel_report", "Can cancel a report before it is final")]

    def __str__(self) -> str:
        return f"Report {self.pk} ({self.state})"


class ReportVersion(models.Model):
    """One state of a report: a save, a signature, an addendum, a withdrawal. Insert-only, and chained by `mac`.

    `sequence` runs over all reports, so that a missing tail of any report shows.
    """

    sequence = models.PositiveBigIntegerField(unique=True)
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    """save, preliminary, submit (resident's signature), return, final, cosign, addendum, correct, cancel, error."""
    state = models.CharField(max_length=20)
    """Of the report after it."""
    based_on = models.PositiveIntegerField(default=0)
    content = models.JSONField()
    """Field id -> value; chips in texts: `reporting.chips`. Of an addendum the text under "addendum"."""
    fills = models.JSONField(default=dict)
    """Field id -> default, touched, dictated, merged or measured."""
    template_version = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, related_name="+")
    context = models.JSONField(default=dict)
    """Patient, study and order as they stood: what the report is about."""
    checks = models.JSONField(default=dict)
    """Of a signature: {"rules": version of the rules, "problems": [...], "acknowledged": [...]}."""
    evidence = models.JSONField(default=list)
    """Of a signature: what each frozen picture is, its digest included (`Evidence` holds the bytes)."""
    meaning = models.CharField(max_length=32, blank=True)
    """author, co-signer, verified, addendum, correction, returned, cancelled, entered in error."""
    reason = models.CharField(max_length=1000, blank=True)
    reason_code = models.CharField(max_length=32, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    author_username = models.CharField(max_length=150)
    author_name = models.CharField(max_length=200)
    """As printed."""
    author_role = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField()
    previous_mac = models.CharField(max_length=64)
    mac = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="report_version_once")]


class WorkingText(models.Model):
    """The newest text of a report while it is written without a pause: not a version yet. Gone with the next version."""

    report = models.OneToOneField(Report, on_delete=models.PROTECT, related_name="working_text")
    number = models.PositiveIntegerField()
    based_on = models.PositiveIntegerField(default=0)
    content = models.JSONField()
    fills = models.JSONField(default=dict)
    template_version = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, related_name="+")
    context = models.JSONField(default=dict)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    author_username = models.CharField(max_length=150)
    author_name = models.CharField(max_length=200)
    author_role = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField()
    mac = models.CharField(max_length=64)
    """Of all of it, as a version of its own; the chain does not run over it."""


class Evidence(models.Model):
    """A picture frozen at signing: what draws it again, and the exact picture itself. Insert-only."""

    report_version = models.ForeignKey(ReportVersion, on_delete=models.PROTECT, related_name="frozen")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=16)
    """key_image or measurement."""
    uid = models.CharField(max_length=64)
    """Of the key image or measurement that the text links to."""
    caption = models.CharField(max_length=300, blank=True)
    series_instance_uid = models.CharField(max_length=64)
    view = models.JSONField()
    sop_instances = models.JSONField(default=list)
    """[{"sop_class_uid", "sop_instance_uid", "frames": [1-based] or null}] that the picture was drawn from."""
    renderer = models.CharField(max_length=64)
    series_version = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()
    columns = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    """Of the exact picture's raw bytes."""
    picture = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    """Lossless PNG."""
    measurements = models.JSONField(default=list)
    """Measurements drawn on it, as they stood: {uid, kind, label, values, lines in picture pixels}."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report_version", "position"], name="evidence_once")]


class CriticalResult(models.Model):
    """A finding that somebody must hear of, until they have read it back."""

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="critical_results")
    finding = models.CharField(max_length=1000)
    category = models.CharField(max_length=8)
    """minutes, hours or days."""
    found_at = models.DateTimeField()
    caller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recipient = models.CharField(max_length=200, blank=True)
    recipient_role = models.CharField(max_length=100, blank=True)
    method = models.CharField(max_length=32, blank=True)
    read_back = models.BooleanField(default=False)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField()
    escalated_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["closed_at", "due_at"])]


class CriticalAttempt(models.Model):
    """One try to reach somebody; insert-only."""

    result = models.ForeignKey(CriticalResult, on_delete=models.PROTECT, related_name="attempts")
    at = models.DateTimeField()
    caller_name = models.CharField(max_length=200)
    recipient = models.CharField(max_length=200)
    recipient_role = models.CharField(max_length=100, blank=True)
    method = models.CharField(max_length=32)
    outcome = models.CharField(max_length=32)
    """reached, no_answer, left_message, refused, escalated."""
    note = models.CharField(max_length=1000, blank=True)
