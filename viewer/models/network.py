"""The DICOM network: who may call, what goes out and comes in by our own wish, and what others told us."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models import Organization
from viewer.models.archive import Blob


class DicomPeer(models.Model):
    """An application entity of an organization. Whoever calls and is in no row is refused; what a peer sends belongs to its
    organization."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="dicom_peers")
    ae_title = models.CharField(max_length=16)
    host = models.CharField(max_length=255)
    """Where it calls from, and where it is called: a name, an address, or (for callers alone) a network as 10.1.0.0/16."""
    port = models.PositiveIntegerField(null=True, blank=True)
    """Where it listens; null: it only calls."""
    tls = models.BooleanField(default=False)
    """Whether it is called by TLS."""
    may_store = models.BooleanField(default=False)
    may_query = models.BooleanField(default=False)
    """C-FIND, of studies and of the modality worklist."""
    may_retrieve = models.BooleanField(default=False)
    """C-GET, and C-MOVE to peers of its organization that have a port."""
    may_commit = models.BooleanField(default=False)
    """Storage commitment, and performed procedure steps."""
    is_archive = models.BooleanField(default=False)
    """Priors are looked for there."""
    retrieve_by = models.CharField(max_length=4, choices=[("get", "C-GET"), ("move", "C-MOVE")], default="get")
    """How studies are fetched from it; C-MOVE needs our own AE title and address configured there."""
    description = models.CharField(max_length=200, blank=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "DICOM peer"
        constraints = [models.UniqueConstraint(fields=["ae_title", "host"], name="dicom_peer_once")]

    def __str__(self) -> str:
        return f"{self.ae_title} ({self.host}{f':{self.port}' if self.port else ''})"


class TransferState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """Will be tried again."""
    GIVEN_UP = "given_up"
    """Waits for a person."""
    CANCELLED = "cancelled"


class Transfer(models.Model):
    """One study (or a part of it) on its way to a peer or from it; survives restarts, goes on where it stopped."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    peer = models.ForeignKey(DicomPeer, on_delete=models.CASCADE, related_name="transfers")
    kind = models.CharField(max_length=8, choices=[("send", "send"), ("retrieve", "retrieve"), ("priors", "priors")])
    """`priors`: find the patient's earlier studies there, and make a retrieval of each that is not here."""
    study_instance_uid = models.CharField(max_length=64, blank=True)
    series_instance_uid = models.CharField(max_length=64, blank=True)
    """Empty: all series."""
    sop_instance_uids = models.JSONField(default=list, blank=True)
    """Empty: all objects."""
    options = models.JSONField(default=dict, blank=True)
    """What else the kind needs."""
    reason = models.CharField(max_length=16, default="person")
    """person, prefetch, route, program."""
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True
    )
    priority = models.IntegerField(default=0)
    """Greater goes first."""
    state = models.CharField(max_length=16, choices=TransferState.choices, default=TransferState.QUEUED)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    acknowledged = models.JSONField(default=list, blank=True)
    """SOP Instance UIDs that the peer has said it holds: never sent twice."""
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    claim = models.CharField(max_length=64, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "next_try_at"]),
            models.Index(fields=["organization", "study_instance_uid"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.study_instance_uid} {self.peer}"


class Commitment(models.Model):
    """A peer asked whether we take responsibility for objects (PS3.4 J); answered after their bytes were read again."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    peer = models.ForeignKey(DicomPeer, on_delete=models.CASCADE, related_name="commitments")
    transaction_uid = models.CharField(max_length=64)
    references = models.JSONField(default=list)
    """[[SOP Class UID, SOP Instance UID], ...] as asked."""
    failures = models.JSONField(default=list)
    """[[SOP Class UID, SOP Instance UID, Failure Reason], ...] as answered."""
    state = models.CharField(max_length=16, default="received")
    """received, answered, failed (will be tried again), given_up."""
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    problem = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["peer", "transaction_uid"], name="commitment_once")]
        indexes = [models.Index(fields=["state", "next_try_at"])]


class PerformedStep(models.Model):
    """A Modality Performed Procedure Step as a modality reported it (PS3.4 F.7)."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    peer = models.ForeignKey(DicomPeer, on_delete=models.SET_NULL, related_name="+", null=True)
    sop_instance_uid = models.CharField(max_length=64)
    status = models.CharField(max_length=16)
    """IN PROGRESS, COMPLETED, DISCONTINUED."""
    study_instance_uid = models.CharField(max_length=64, blank=True)
    accession_number = models.CharField(max_length=64, blank=True)
    attributes = models.JSONField(default=dict)
    """All of it, in the DICOM JSON model."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "sop_instance_uid"], name="performed_step_once")]


class Quarantined(models.Model):
    """Bytes that a door refused and that are kept for a person to look at. Nobody was told that they were stored."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    door = models.CharField(max_length=16)
    sender = models.CharField(max_length=100, blank=True)
    """AE title or name of who sent it."""
    reason = models.CharField(max_length=300)
    sop_instance_uid = models.CharField(max_length=64, blank=True)
    study_instance_uid = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "quarantined"
        constraints = [models.UniqueConstraint(fields=["organization", "blob"], name="quarantined_once")]
