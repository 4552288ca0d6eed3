"""Patients, studies, series, instances, and the bytes they came in.

`Study.objects.visible_to(user)` is the one place that answers "who may see it"; every door asks it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import READING_ROLES, Organization, Role

if TYPE_CHECKING:
    from accounts.models import User


class Patient(models.Model):
    """A person as one organization knows them: (organization, Issuer of Patient ID, Patient ID).

    The same Patient ID elsewhere is another person until an administrator links them. Without a Patient ID nothing
    says that two studies belong to one person, so such a patient is bound to its one study (`only_study_uid`).
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="patients")
    issuer_of_patient_id = models.CharField(max_length=64, blank=True)
    patient_id = models.CharField(max_length=64, blank=True)
    only_study_uid = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=400, blank=True)
    """Patient's Name as DICOM writes it: up to three component groups parted by "="."""
    name_folded = models.CharField(max_length=400, blank=True)
    """For searching: all groups, "^" and "=" as spaces, accents removed, case folded."""
    birth_date = models.CharField(max_length=8, blank=True)
    sex = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "issuer_of_patient_id", "patient_id", "only_study_uid"], name="patient_identity"
            )
        ]
        indexes = [
            models.Index(fields=["organization", "name_folded"]),
            models.Index(fields=["organization", "patient_id"]),
        ]


class StudyQuerySet(models.QuerySet["Study"]):
    def visible_to(self, user: User) -> StudyQuerySet:
        """Studies this person may see: all of organizations where they hold a reading role, and those that were granted to them
        where they hold any role. Nobody else sees any."""
        if not getattr(user, "is_authenticated", False) or not user.is_active:
            return self.none()
        everything = Q(organization__in=user.organizations_as(READING_ROLES))
        granted = Grant.objects.held_by(user)
        if not granted.exists():
            return self.filter(everything)
        return self.filter(everything | Q(pk__in=granted.values("study")))

    def listed(self) -> StudyQuerySet:
        """Those that a list or a search tells of: all that have not been emptied by corrections."""
        return self.filter(emptied=False)


class Study(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="studies")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="studies")
    study_instance_uid = models.CharField(max_length=64)
    study_id = models.CharField(max_length=16, blank=True)
    accession_number = models.CharField(max_length=64, blank=True)
    date = models.CharField(max_length=8, blank=True)
    """YYYYMMDD as stored; empty when the file has none or it is not a date."""
    time = models.CharField(max_length=16, blank=True)
    timezone_offset = models.CharField(max_length=5, blank=True)
    """(0008,0201) as stored; empty: the zone of the organization."""
    description = models.CharField(max_length=200, blank=True)
    description_folded = models.CharField(max_length=200, blank=True)
    referring_physician = models.CharField(max_length=400, blank=True)
    institution = models.CharField(max_length=200, blank=True)
    patient_name = models.CharField(max_length=400, blank=True)
    """This and the next two: who the study's own images say the patient is. The row of the patient holds what the first study
    under that Patient ID said, which may have been wrong."""
    patient_birth_date = models.CharField(max_length=8, blank=True)
    patient_sex = models.CharField(max_length=16, blank=True)
    patient_age = models.CharField(max_length=4, blank=True)
    modalities = models.CharField(max_length=100, blank=True)
    """Backslash-parted and sorted, as Modalities in Study (0008,0061)."""
    number_of_series = models.PositiveIntegerField(default=0)
    number_of_instances = models.PositiveIntegerField(default=0)
    warnings = models.JSONField(default=list)
    emptied = models.BooleanField(default=False)
    """All that it had was moved away or rejected."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "studies"
        constraints = [models.UniqueConstraint(fields=["organization", "study_instance_uid"], name="study_once")]
        indexes = [
            models.Index(fields=["organization", "-date", "-time", "-id"]),
            models.Index(fields=["organization", "accession_number"]),
            models.Index(fields=["organization", "-created_at", "-id"]),
            models.Index(fields=["study_instance_uid"]),
        ]

    @property
    def stated_patient(self) -> dict[str, str]:
        """Name, birth date and sex as the study states them; what it leaves out as the patient's other studies do."""
        return {
            name: getattr(self, f"patient_{name}") or getattr(self.patient, name)
            for name in ("name", "birth_date", "sex")
        }


class GrantQuerySet(models.QuerySet["Grant"]):
    def in_force(self) -> GrantQuerySet:
        return self.filter(Q(until=None) | Q(until__gt=timezone.now()))

    def held_by(self, user: User) -> GrantQuerySet:
        """Those that open something to this person now: a grant counts only where they hold a role."""
        return self.in_force().filter(user=user, study__organization__in=user.organizations_as(Role.values))


class Grant(models.Model):
    """One study opened to one person who has no right to all of them, as a referrer to what they asked for."""

    class Reason(models.TextChoices):
        ORDER = "order"
        """They asked for the examination."""
        ADMINISTRATOR = "administrator"
        """An administrator said so."""
        EMERGENCY = "emergency"
        """They opened it themselves, for hours and with a reason (`EmergencyAccess`)."""
        SHARE = "share"
        """They came by a share link."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants")
    reason = models.CharField(max_length=64)
    """One of `Reason`."""
    until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "user", "reason"], name="grant_once")]

    def __str__(self) -> str:
        return f"{self.study.study_instance_uid} for {self.user}"

    def end(self) -> None:
        """It opens nothing from now on; who is connected is asked again. Within the caller's transaction."""
        self.until = timezone.now()
        self.save(update_fields=["until"])
        self.user.withdraw()


class SeriesQuerySet(models.QuerySet["Series"]):
    def held(self) -> SeriesQuerySet:
        """Those that doors tell of: all in which something is left that nobody has rejected."""
        return self.exclude(number_of_instances=0, version__gt=0)


class Series(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="series")
    series_instance_uid = models.CharField(max_length=64)
    modality = models.CharField(max_length=16, blank=True)
    number = models.IntegerField(null=True)
    description = models.CharField(max_length=200, blank=True)
    body_part_examined = models.CharField(max_length=64, blank=True)
    laterality = models.CharField(max_length=16, blank=True)
    protocol_name = models.CharField(max_length=200, blank=True)
    station_name = models.CharField(max_length=64, blank=True)
    manufacturer = models.CharField(max_length=200, blank=True)
    date = models.CharField(max_length=8, blank=True)
    time = models.CharField(max_length=16, blank=True)
    performed_date = models.CharField(max_length=8, blank=True, default="")
    """Performed Procedure Step Start Date and Time."""
    performed_time = models.CharField(max_length=16, blank=True, default="")
    number_of_instances = models.PositiveIntegerField(default=0)
    number_of_frames = models.PositiveIntegerField(default=0)
    version = models.PositiveBigIntegerField(default=0)
    """Grows whenever instances arrive or change, in the transaction that stores them: `series_version` of frames."""
    stacks = models.JSONField(default=dict)
    """What `stacks_version` of the series holds, summed up for lists; derived, made again when the version has grown."""
    stacks_version = models.BigIntegerField(default=-1)

    objects = SeriesQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "series_instance_uid"], name="series_once")]
        indexes = [models.Index(fields=["series_instance_uid"])]


class SeriesRequest(models.Model):
    """An item of the Request Attributes Sequence (0040,0275) of a series: what asked for it, as it leaves."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="requests")
    accession_number = models.CharField(max_length=64, blank=True)
    requested_procedure_id = models.CharField(max_length=64, blank=True)
    scheduled_procedure_step_id = models.CharField(max_length=64, blank=True)


class Blob(models.Model):
    """Bytes on disk under `blob/<2 hex>/<sha256>`; the row exists only after they are durable."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveBigIntegerField()
    stored_at = models.DateTimeField(auto_now_add=True)


class InstanceQuerySet(models.QuerySet["Instance"]):
    def served(self) -> InstanceQuerySet:
        """Those that doors give out: all that nobody has rejected."""
        return self.filter(rejection="")


class Instance(models.Model):
    """One SOP Instance. `index` is what sorting, drawing and metadata need, so that no header is read again."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="instances")
    sop_instance_uid = models.CharField(max_length=64)
    sop_class_uid = models.CharField(max_length=64)
    transfer_syntax_uid = models.CharField(max_length=64)
    instance_number = models.IntegerField(null=True)
    number_of_frames = models.PositiveIntegerField(default=0)
    """0 for an object without pixels."""
    rows = models.PositiveIntegerField(null=True)
    columns = models.PositiveIntegerField(null=True)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="instances")
    index = models.JSONField()
    warnings = models.JSONField(default=list)
    rejection = models.CharField(max_length=16, blank=True, default="")
    """Code value of CID 7010 for which it was rejected (113001, 113037, 113038, 113039); empty: it is not. No door gives a
    rejected object out (IHE IOCM)."""
    stored_at = models.DateTimeField(auto_now_add=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "sop_instance_uid"], name="instance_once")]
        indexes = [models.Index(fields=["sop_instance_uid"])]


class ConflictQuerySet(models.QuerySet["Conflict"]):
    def open(self) -> ConflictQuerySet:
        """Those that nobody has decided on."""
        return self.filter(resolved_at=None)


class Conflict(models.Model):
    """Bytes that came later and cannot stand beside what is held: other bytes for a SOP Instance UID, or a SOP Instance or
    Series UID that belongs to another series or study here. First bytes win; these are kept, and shown until somebody has
    decided that it is right so."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="conflicts")
    """The study that holds the UID in question."""
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="conflicts", null=True)
    """The instance held under the same SOP Instance UID; null where the Series UID is what disagrees."""
    sop_instance_uid = models.CharField(max_length=64)
    series_instance_uid = models.CharField(max_length=64)
    study_instance_uid = models.CharField(max_length=64)
    """The three UIDs as the later bytes name them."""
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    received_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=300, blank=True)
    """Why the first bytes are the right ones. The later ones stay kept all the same."""
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )

    objects = ConflictQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "sop_instance_uid", "blob"], name="conflict_once")
        ]


class Outbox(models.Model):
    """News, written in the transaction that made it true; the web process tails it by id and tells its sockets."""

    kind = models.CharField(max_length=32)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    payload = models.JSONField(default=dict)
    """UIDs and counts only, never a patient's name."""
    created_at = models.DateTimeField(auto_now_add=True)


class Measurement(models.Model):
    """A line, region, arrow or text that a reader drew on images, with the numbers the server found under it.

    `points` are LPS mm (`space` "patient") or [column, row] in stored pixels of the frame (`space` "image", for images that
    have no place in the patient), pixel centres at whole numbers.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="measurements")
    uid = models.CharField(max_length=64)
    """Tracking Unique Identifier (0062,0021): stays the same through every change and in every object it is written to."""
    kind = models.CharField(max_length=32)
    label = models.CharField(max_length=200, blank=True)
    series_instance_uid = models.CharField(max_length=64)
    stack = models.PositiveIntegerField(default=0)
    sop_instance_uid = models.CharField(max_length=64, blank=True)
    frame_number = models.PositiveIntegerField(null=True)
    """1-based; image and frame it was drawn on, where it was drawn on an acquired one."""
    frame_of_reference_uid = models.CharField(max_length=64, blank=True)
    space = models.CharField(max_length=8, default="patient")
    points = models.JSONField()
    view = models.JSONField()
    """The resolved View of the picture it was drawn on."""
    values = models.JSONField(default=dict)
    """Name -> {"value", "unit", "source"}."""
    notes = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)
    """Grows with every change; a change that names an older one is refused."""
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    author_name = models.CharField(max_length=200, blank=True)
    """As shown; of measurements read from others' objects the observer there."""
    source_sop_instance_uid = models.CharField(max_length=64, blank=True)
    """The SR that it was read from; empty for what was drawn here."""
    follows = models.CharField(max_length=64, blank=True)
    """`uid` of the measurement of an earlier study that this one carries on."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)
    """Deleted ones stay, so that a deletion can be undone."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "study", "uid"], name="measurement_once")]
        indexes = [models.Index(fields=["study", "created_at"])]


class KeyImage(models.Model):
    """A picture that a reader marked: the View that draws it again, and the digest that it had."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="key_images")
    uid = models.CharField(max_length=64)
    series_instance_uid = models.CharField(max_length=64)
    sop_instance_uid = models.CharField(max_length=64, blank=True)
    frame_number = models.PositiveIntegerField(null=True)
    view = models.JSONField()
    renderer = models.CharField(max_length=64)
    series_version = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()
    columns = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    """Of the exact picture's raw bytes."""
    measurements = models.JSONField(default=list)
    """`uid` of those that were drawn on it."""
    note = models.CharField(max_length=1000, blank=True)
    version = models.PositiveIntegerField(default=1)
    """Grows with every change of the note, the one thing of a key image that changes."""
    changed_at = models.DateTimeField(null=True)
    """When the note was changed last."""
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    author_name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "study", "uid"], name="key_image_once")]
        indexes = [models.Index(fields=["study", "created_at"])]


class ViewedImage(models.Model):
    """How much of a mammogram one person has had before them exactly and at full size (one voxel to one pixel, or larger)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="viewed_images")
    sop_instance_uid = models.CharField(max_length=64)
    frame_number = models.PositiveIntegerField()
    """1-based."""
    areas = models.JSONField(default=list)
    """[top, left, bottom, right) in stored pixels, without overlap."""
    covered = models.FloatField(default=0.0)
    """Of all pixels; 1 when all were seen."""
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "study", "sop_instance_uid", "frame_number"], name="viewed_image_once"
            )
        ]


class HangingProtocol(models.Model):
    """How the images of a kind of study are laid out. What `matches` and `stages` hold: viewer/hanging."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    """Null: for every organization."""
    name = models.CharField(max_length=200)
    slug = models.CharField(max_length=64, blank=True)
    """Of a protocol that came with Farview; empty for those made here."""
    matches = models.JSONField(default=dict)
    stages = models.JSONField(default=list)
    priority = models.IntegerField(default=0)
    """Among protocols that match equally well, the greatest wins."""
    active = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "active"])]

    def __str__(self) -> str:
        return self.name


class ReaderSettings(models.Model):
    """What a reader has chosen for themselves: key map and changed keys, language, hanging protocols, texts on pictures."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reader_settings")
    values = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)
