"""Links by which another program opens a study for somebody who is signed in here."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Launch(models.Model):
    """Opens one study for one person, once, within a minute; signs nobody in. Only its SHA-256 is kept."""

    digest = models.CharField(max_length=64, unique=True)
    study = models.ForeignKey("viewer.Study", on_delete=models.CASCADE, related_name="launches")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="launches")
    report = models.BooleanField(default=False)
    """Open the report rather than the images."""
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "launches"
        indexes = [models.Index(fields=["expires_at"])]
