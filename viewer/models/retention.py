"""How long studies are kept: rules of an organization, holds that stand above every rule, and what rules have deleted."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import Organization
from viewer.models.archive import Patient, Study

LONGEST_DAYS = 200 * 366


class RetentionAction(models.TextChoices):
    """What becomes of a study that a rule suits; each goes further than the one before."""

    NOTHING = "nothing", "keep everything"
    DERIVED = "derived", "remove derived pixels"
    """Decoded frames under `cache/`; they are made again when somebody opens the study."""
    IMAGES = "images", "delete images"
    """Objects with pixels, but for those that key images show; documents, reports and their evidence stay."""
    EVERYTHING = "everything", "delete all objects"
    """All objects, and what readers left on them; reports and their evidence stay."""


class CountedFrom(models.TextChoices):
    STUDY = "study", "the study date"
    """Of a study without one: the arrival."""
    ARRIVAL = "arrival", "the arrival of the newest object"


class Patients(models.TextChoices):
    EVERYBODY = "", "everybody"
    ADULTS = "adults", "adults"
    """18 or older on the day of the study, and known to be."""
    CHILDREN = "children", "children"
    """Everybody else."""


class RetentionRule(models.Model):
    """What happens to some studies of an organization when they are old. Off until somebody turns it on."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="retention_rules")
    modality = models.CharField(max_length=16, blank=True)
    """One of the study's; empty: any."""
    description = models.CharField(max_length=64, blank=True)
    """Words that the study's description holds, folded; empty: any."""
    patients = models.CharField(max_length=8, blank=True, choices=Patients.choices, default=Patients.EVERYBODY)
    days = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(LONGEST_DAYS)])
    counted_from = models.CharField(max_length=8, choices=CountedFrom.choices, default=CountedFrom.STUDY)
    action = models.CharField(max_length=16, choices=RetentionAction.choices, default=RetentionAction.NOTHING)
    active = models.BooleanField(default=False)
    turned_on_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    turned_on_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "active"])]

    def __str__(self) -> str:
        which = " ".join(filter(None, [self.modality, f'"{self.description}"' if self.description else ""]))
        whose = f" of {self.get_patients_display()}" if self.patients else ""
        since = self.get_counted_from_display()
        return f"{which or 'all'} studies{whose}: {self.get_action_display()} {self.days:,} days after {since}"


class HoldQuerySet(models.QuerySet["Hold"]):
    def in_force(self) -> HoldQuerySet:
        return self.filter(lifted_at=None)


class Hold(models.Model):
    """No rule touches this study, or anything of this patient, until the hold is lifted."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="holds")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="holds", null=True, blank=True)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="holds", null=True, blank=True)
    reason = models.CharField(max_length=500)
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(auto_now_add=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(study__isnull=False, patient__isnull=True) | Q(study__isnull=True, patient__isnull=False),
                name="hold_of_one",
            )
        ]

    def __str__(self) -> str:
        return f"Hold {self.pk}"


class Deletion(models.Model):
    """What a rule deleted of one study. `pending`: stored bytes that no row needs any more and that are still to be removed."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="deletions")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="deletions")
    rule = models.ForeignKey(RetentionRule, on_delete=models.SET_NULL, related_name="+", null=True)
    rule_words = models.CharField(max_length=300)
    action = models.CharField(max_length=16, choices=RetentionAction.choices)
    instances = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField()
    """Bytes of these objects."""
    freed = models.PositiveBigIntegerField(default=0)
    """Bytes that were removed so far: those that another object has as well stay."""
    pending = models.JSONField(default=list)
    """SHA-256."""
    at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    """When nothing was pending any more."""

    class Meta:
        indexes = [
            models.Index(fields=["study", "at"]),
            models.Index(fields=["-at"]),
            models.Index(fields=["id"], condition=Q(finished_at=None), name="deletion_unfinished"),
        ]

    def __str__(self) -> str:
        return f"Deletion {self.pk} ({self.action})"
