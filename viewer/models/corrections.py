"""What was put right after images had come: rows, applied on every way out. A stored file is never rewritten."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Organization
from viewer.models.archive import Patient, Study


class CorrectionKind(models.TextChoices):
    PATIENT_UPDATED = "patient_updated"
    """Name, birth date, sex: ADT^A08, A31, or a person."""
    PATIENTS_MERGED = "patients_merged"
    """ADT^A40, or a person: two IDs are one patient."""
    PATIENTS_LINKED = "patients_linked"
    """The same person under the ID of another issuer or organization."""
    STUDY_OF_ANOTHER_PATIENT = "study_of_another_patient"
    STUDY_OF_ANOTHER_ORDER = "study_of_another_order"
    SERIES_MOVED = "series_moved"
    """Into another study, or into a new one: split and merge."""
    REJECTED = "rejected"
    """By a Key Object Selection (IHE IOCM) or by a person; `after["code"]`: 113001, 113037, 113038, 113039."""


class Correction(models.Model):
    """One act of putting right. It stays; undoing it is an act of its own that names it."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=32, choices=CorrectionKind.choices)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="corrections", null=True, blank=True)
    """As it is after the act."""
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="corrections", null=True, blank=True)
    """The study whose objects leave changed; null where several do: each has a row that is part of this one."""
    part_of = models.ForeignKey("self", on_delete=models.PROTECT, related_name="parts", null=True, blank=True)
    """The act that this row belongs to: what it did to one study, or to one series. Null: an act."""
    series_instance_uid = models.CharField(max_length=64, blank=True)
    sop_instance_uids = models.JSONField(default=list, blank=True)
    before = models.JSONField(default=dict)
    """DICOM keyword -> value as it was."""
    after = models.JSONField(default=dict)
    """DICOM keyword -> value as it leaves from now on."""
    reason = models.CharField(max_length=1000, blank=True)
    source = models.CharField(max_length=16, default="person")
    """person, hl7, dicom."""
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    actor_name = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField()
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, related_name="undone_by", null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["study", "at"]),
            models.Index(fields=["patient", "at"]),
            models.Index(fields=["organization", "-at"]),
            models.Index(fields=["organization", "kind", "study"]),
            models.Index(fields=["series_instance_uid"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"
