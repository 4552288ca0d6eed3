"""Opening a study that one has no right to see, in an emergency, with a reason and loudly."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Organization


class EmergencyAccess(models.Model):
    """Break-glass: somebody of the organization opened one study for a few hours; its administrators are told and look at it.

    It is in force as long as its `grant` is.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="emergency_accesses")
    study = models.ForeignKey("viewer.Study", on_delete=models.PROTECT, related_name="emergency_accesses")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="emergency_accesses")
    reason = models.CharField(max_length=500)
    """In the person's own words."""
    created_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    review = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = "emergency access"
        verbose_name_plural = "emergency accesses"
        indexes = [models.Index(fields=["organization", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.user} opened a study in an emergency"
