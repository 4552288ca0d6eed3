"""What an organization decides about its reports, and by which names it knows its referring physicians."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Organization


class ReportingSite(models.Model):
    """Settings of one organization. An organization without a row has the defaults."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="reporting_site")
    letterhead = models.CharField(max_length=200, blank=True)
    address = models.TextField(max_length=1000, blank=True)
    footer = models.CharField(max_length=500, blank=True)
    language = models.CharField(max_length=16, default="en")
    """Of the fixed words on reports: an ISO code among `settings.LANGUAGES`."""
    targets = models.JSONField(default=dict, blank=True)
    """Reading class -> minutes; what is left out is as `reporting.worklist.classes` says."""
    show_preliminary = models.BooleanField(default=False)
    """Whether referrers see preliminary reports, marked as such."""
    appended_as_correction = models.BooleanField(default=False)
    """OBR-25 of a report with an addendum: C in place of F."""
    quality_control = models.BooleanField(default=False)
    """Whether a technologist says that a study is ready before it is read."""
    double_reading = models.TextField(max_length=4000, blank=True)
    """Procedures that two radiologists read apart: a procedure code or words of the examination a line."""
    escalation_minutes = models.JSONField(default=dict, blank=True)
    """Category of a critical result -> minutes until it is escalated."""


class ReferrerIdentity(models.Model):
    """How an organization's orders name a referring physician who has an account here."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="referrer_identities")
    identifier = models.CharField(max_length=64)
    """ORC-12.1, PV1-8.1, Referring Physician Identification: the number that orders carry. Names are never taken for it."""

    class Meta:
        verbose_name_plural = "referrer identities"
        constraints = [models.UniqueConstraint(fields=["organization", "identifier"], name="referrer_identity_once")]
