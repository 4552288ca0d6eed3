"""Report templates (IHE MRRT), their immutable versions, which one is chosen for what, and macros."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Organization


class Template(models.Model):
    """A report template: a row of versions, one of them in use."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    """Null: for every organization."""
    identifier = models.CharField(max_length=200)
    """dcterms.identifier."""
    title = models.CharField(max_length=300)
    active_version = models.ForeignKey(
        "TemplateVersion", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    """Null: not offered to readers (draft or retired)."""
    retired_at = models.DateTimeField(null=True, blank=True)
    built_in = models.BooleanField(default=False)
    """Came with Farview."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "identifier"], name="template_once"),
            models.UniqueConstraint(
                fields=["identifier"], condition=models.Q(organization=None), name="template_for_all_once"
            ),
        ]
        permissions = [("activate_template", "Can put a template version in use or retire it")]

    def __str__(self) -> str:
        return self.title


class TemplateVersion(models.Model):
    """One immutable state of a template; insert-only."""

    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=300)
    language = models.CharField(max_length=16, default="en")
    html = models.TextField()
    """The whole MRRT document as we write it."""
    source = models.TextField(blank=True)
    """As it came, before repairs."""
    schema = models.JSONField()
    """What `html` means: `reporting.mrrt.schema`."""
    sha256 = models.CharField(max_length=64)
    """Of `html` in UTF-8."""
    repairs = models.JSONField(default=list)
    dropped = models.JSONField(default=list)
    """In words: what was mended, and what was left out, when `source` was read."""
    note = models.CharField(max_length=1000, blank=True)
    author_name = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_version_once")]

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"


class TemplateEvent(models.Model):
    """Who put which version in use or retired it; insert-only."""

    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="events")
    version = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, related_name="+", null=True)
    kind = models.CharField(max_length=16)
    """activated, retired, imported, cloned, stored."""
    at = models.DateTimeField()
    actor_name = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=1000, blank=True)


class TemplateChoice(models.Model):
    """Which template for which examination. Empty fields match everything; `reporting.worklist.choosing` ranks them."""

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="choices")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", null=True, blank=True
    )
    procedure_code = models.CharField(max_length=64, blank=True)
    modality = models.CharField(max_length=16, blank=True)
    body_part = models.CharField(max_length=64, blank=True)
    words = models.CharField(max_length=200, blank=True)
    """Of the procedure or the descriptions, parted by commas, any of them; "*" stands for any letters: "pulm* angio*"."""
    sex = models.CharField(max_length=1, blank=True)
    age_from = models.PositiveIntegerField(null=True, blank=True)
    age_to = models.PositiveIntegerField(null=True, blank=True)
    """Whole years, both ends included."""

    def __str__(self) -> str:
        return f"{self.template} ({' '.join(filter(None, (self.procedure_code, self.modality, self.body_part)))})"


class Macro(models.Model):
    """Text behind a typed shortcut or a spoken name, of one reader or of a site."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="macros", null=True, blank=True
    )
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    shortcut = models.CharField(max_length=32)
    spoken_name = models.CharField(max_length=100, blank=True)
    text = models.TextField(max_length=8000)
    """May hold {shortcut} of other macros."""
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "shortcut"], condition=models.Q(organization=None), name="macro_of_reader_once"
            ),
            models.UniqueConstraint(
                fields=["organization", "shortcut"], condition=models.Q(owner=None), name="macro_of_site_once"
            ),
            models.CheckConstraint(
                condition=models.Q(owner=None) ^ models.Q(organization=None), name="macro_of_reader_or_site"
            ),
        ]

    def __str__(self) -> str:
        return self.shortcut
