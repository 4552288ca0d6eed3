"""Who may do what, and the record of what they did. Nothing here knows about pixels or reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F


class Role(models.TextChoices):
    """What a person does in an organization. Only `READING_ROLES` see all patients' images."""

    RADIOLOGIST = "radiologist"
    RESIDENT = "resident"
    REFERRER = "referrer"
    TECHNOLOGIST = "technologist"
    ADMIN = "admin"
    GUEST = "guest"
    """Nobody's profession: who came by a share link. Sees what was granted to the link, and no list of anything."""


READING_ROLES = (Role.RADIOLOGIST, Role.RESIDENT, Role.TECHNOLOGIST)
VIEWING_ROLES = (*READING_ROLES, Role.REFERRER, Role.ADMIN)
"""Referrers and administrators look at the studies that were granted to them, and change nothing."""
REPORTING_ROLES = (Role.RADIOLOGIST, Role.RESIDENT)
UPLOAD_ROLES = (Role.TECHNOLOGIST, Role.RADIOLOGIST, Role.ADMIN)


GIVEN_ROLES = tuple(role for role in Role if role is not Role.GUEST)
"""What people are given; a guest's role comes with a share link alone."""


class Organization(models.Model):
    """A hospital, practice or site: the owner of patients, studies and reports."""

    name = models.SlugField(max_length=64, unique=True)
    title = models.CharField(max_length=200, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    mfa_required = models.BooleanField("second factor required", default=False)
    """Its people come in only with a second factor or a passkey."""
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.title or self.name


class User(AbstractUser):
    """A person (or a program acting for one).

    `epoch` grows whenever a right is withdrawn (sign-out everywhere, disabling, role change); whoever connected under an
    older epoch is disconnected.
    """

    epoch = models.PositiveBigIntegerField(default=0)
    session_generation = models.PositiveIntegerField(default=0)
    """Part of what every session is checked against: one more, and no session begun before is good any longer."""

    class Meta(AbstractUser.Meta):
        verbose_name = "person"
        verbose_name_plural = "people"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """As ever, but an older copy of this row never turns `epoch` or `session_generation` back."""
        if not self._state.adding and kwargs.get("update_fields") is None and not args:
            counters = {"epoch", "session_generation"}
            kept = (field for field in self._meta.concrete_fields if not field.primary_key)
            kwargs["update_fields"] = [field.name for field in kept if field.name not in counters]
        super().save(*args, **kwargs)

    def withdraw(self) -> None:
        """Something this person could do may have ended: whoever is connected as them is asked again."""
        User.objects.filter(pk=self.pk).update(epoch=F("epoch") + 1)
        self.refresh_from_db(fields=["epoch"])

    def end_sessions(self) -> None:
        """Sign this person out everywhere."""
        User.objects.filter(pk=self.pk).update(session_generation=F("session_generation") + 1, epoch=F("epoch") + 1)
        self.refresh_from_db(fields=["epoch", "session_generation"])

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        return f"{super()._get_session_auth_hash(secret=secret)}.{self.session_generation}"

    def roles(self) -> dict[int, set[str]]:
        """Roles by organization id. A disabled person has none."""
        if not self.is_active:
            return {}
        found: dict[int, set[str]] = {}
        for organization_id, role in self.memberships.values_list("organization_id", "role"):
            found.setdefault(organization_id, set()).add(role)
        return found

    def organizations_as(self, roles: Iterable[str]) -> models.QuerySet[Organization]:
        """Organizations in which this person holds one of `roles`."""
        if not self.is_active:
            return Organization.objects.none()
        return Organization.objects.filter(memberships__user=self, memberships__role__in=list(roles)).distinct()


class Membership(models.Model):
    """One role of one person in one organization."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    by_provider = models.BooleanField("by single sign-on", default=False, editable=False)
    """Given by the person's groups at the OpenID provider, and taken with them."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organization", "role"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.get_role_display()} in {self.organization}"


class ApiToken(models.Model):
    """A bearer token of a program. Only its SHA-256 is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    scopes = models.JSONField(default=list, blank=True)
    """Names of `accounts.scopes`; empty: whatever its person may."""

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name or 'unnamed'} of {self.user}"


class SignInLink(models.Model):
    """A link that signs one person in, once, within minutes. Only its SHA-256 is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_links")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)


class ShareLink(models.Model):
    """A link that opens one study or one report to somebody without an account. Only its SHA-256 is kept.

    Who comes by it is `guest`: a person of its own who holds the role GUEST in one organization and one grant. Revoking
    disables that person, and everything that ends a person's connections ends the link's.
    """

    class Scope(models.TextChoices):
        STUDY = "study"
        REPORT = "report"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="share_links")
    guest = models.OneToOneField(User, on_delete=models.CASCADE, related_name="share_link")
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=8, choices=Scope.choices)
    study_instance_uid = models.CharField(max_length=64)
    report = models.PositiveBigIntegerField(null=True, blank=True)
    """Number of the report, where the scope is one."""
    recipient = models.CharField(max_length=200, blank=True)
    """For whom it was made, in the words of who made it; drawn into every picture."""
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="made_share_links")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    pin = models.CharField(max_length=200, blank=True)
    """Hashed as passwords are; empty: none is asked for."""
    failed_pins = models.PositiveIntegerField(default=0)
    most_uses = models.PositiveIntegerField(null=True, blank=True)
    uses = models.PositiveIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-created_at"]),
            models.Index(fields=["study_instance_uid"]),
        ]

    def __str__(self) -> str:
        return f"link for {self.recipient or 'somebody'}"


class FailedSignIn(models.Model):
    """One try at the sign-in page that has not succeeded. The name is kept as a digest: people type passwords there."""

    name_digest = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["address", "at"]), models.Index(fields=["at"])]


class AuditEvent(models.Model):
    """Who did what, when, from where, to which patient and study, and how it ended.

    Insert-only (triggers refuse UPDATE and DELETE) and chained: `mac` is an HMAC-SHA-256 over this row's content and the
    previous row's `mac`, with a key kept outside the database.
    """

    sequence = models.PositiveBigIntegerField(unique=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=100, blank=True)
    organization = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=64)
    outcome = models.CharField(max_length=16)
    origin = models.CharField(max_length=64, blank=True)
    patient_id = models.CharField(max_length=64, blank=True)
    study_instance_uid = models.CharField(max_length=64, blank=True)
    object_uid = models.CharField(max_length=128, blank=True)
    purpose = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict)
    previous_mac = models.CharField(max_length=64)
    mac = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index(fields=[name, "sequence"])
            for name in ("patient_id", "actor", "study_instance_uid", "action", "outcome")
        ]

    def __str__(self) -> str:
        return f"{self.sequence}: {self.action} by {self.actor or 'nobody'}"
