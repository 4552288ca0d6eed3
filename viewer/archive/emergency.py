"""Opening a study that one has no right to see, in an emergency ("break the glass"): with a reason, for hours, and loudly.

Whoever holds a role in the study's organization may, and finds only what they can name exactly. Its administrators are told.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.models import READING_ROLES, AuditEvent, Organization, Role, User
from accounts.origin import Request
from viewer.archive import outbox
from viewer.archive.patience import patiently
from viewer.models import EmergencyAccess, Grant, Study

ACTION = "study.emergency"
PURPOSE = "emergency"
NEWS = "emergency.opened"
REASON_AT_LEAST, REASON_AT_MOST = 10, 500
MISSES = 10
"""Wrong numbers in an hour, for one person; then nothing is looked for."""
WINDOW = timedelta(hours=1)
MAIL_SECONDS = 20

logger = logging.getLogger(__name__)


class NotNamed(LookupError):
    """Nothing here has those numbers, or not for this person: the two are told alike."""


class TooManyMisses(Exception):
    """This person has tried too many numbers that are none."""


class Several(LookupError):
    """The numbers name several studies; one must be chosen."""

    def __init__(self, studies: Sequence[Study]) -> None:
        super().__init__("these numbers name several studies: choose one")
        self.studies = list(studies)


@dataclass(frozen=True, slots=True)
class Asked:
    """A study as a person names it: by its UID, or by accession number and Patient ID."""

    reason: str
    study_instance_uid: str = ""
    accession_number: str = ""
    patient_id: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of it. Without `access` the person had the right already."""

    study: Study
    access: EmergencyAccess | None


def open_study(user: User, asked: Asked, request: Request) -> Opened:
    """Open the study that is named to `user`. Raises NotNamed, Several, TooManyMisses."""
    found = patiently(lambda: _open(user, asked, request))
    if isinstance(found, Exception):
        raise found
    if found.access is not None:
        _tell_by_mail(found.access)
    return found


def held_by(user: User) -> QuerySet[EmergencyAccess]:
    """The emergency accesses by which `user` sees something now, the newest first."""
    found = EmergencyAccess.objects.filter(user=user, until__gt=timezone.now())
    return found.select_related("study__organization").order_by("-id")


def in_force(user: User, study: Study) -> EmergencyAccess | None:
    """The emergency access by which `user` sees `study` now."""
    return None if _sees_anyway(user, study) else held_by(user).filter(study=study).first()


def purpose_of(user: User, study: Study) -> str:
    """ "emergency" where it is by an emergency access that `user` looks at the study, for the record."""
    return PURPOSE if in_force(user, study) is not None else ""


def end(access: EmergencyAccess) -> None:
    """It opens nothing from now on. Within the caller's transaction."""
    now = timezone.now()
    others = EmergencyAccess.objects.filter(study=access.study_id, user=access.user_id, until__gt=now)
    others.update(until=now)
    access.until = min(access.until, now)
    for grant in Grant.objects.filter(study=access.study_id, user=access.user_id, reason=Grant.Reason.EMERGENCY):
        grant.end()


def unreviewed(organizations: QuerySet[Organization]) -> int:
    """How many emergency accesses nobody has looked at yet."""
    return EmergencyAccess.objects.filter(organization__in=organizations, reviewed_at=None).count()


def _open(user: User, asked: Asked, request: Request) -> Opened | Exception:
    """Within a transaction. What is to be raised is given back, so that the record of it is kept."""
    if _misses(user) >= MISSES:
        return TooManyMisses("too many tries; come again in an hour, or ask an administrator")
    studies = list(_named(user, asked)[:20])
    if not studies:
        audit.record(ACTION, actor=user, request=request, outcome="denied", purpose=PURPOSE)
        return NotNamed("there is no such study")
    if len(studies) > 1:
        return Several(studies)
    study = studies[0]
    if _sees_anyway(user, study):
        return Opened(study, None)
    return Opened(study, _grant(user, study, asked.reason, request))


def _grant(user: User, study: Study, reason: str, request: Request) -> EmergencyAccess:
    until = timezone.now() + timedelta(hours=settings.FARVIEW_EMERGENCY_HOURS)
    Grant.objects.update_or_create(study=study, user=user, reason=Grant.Reason.EMERGENCY, defaults={"until": until})
    access = EmergencyAccess.objects.create(
        organization=study.organization, study=study, user=user, reason=reason, until=until
    )
    audit.record(
        ACTION,
        actor=user,
        request=request,
        organization=study.organization.name,
        patient_id=study.patient.patient_id,
        study_instance_uid=study.study_instance_uid,
        purpose=PURPOSE,
        detail={"reason": reason, "until": until.isoformat()},
    )
    told = {"study_instance_uid": study.study_instance_uid, "until": until.isoformat(), "emergency": access.pk}
    outbox.announce(NEWS, study.organization, told)
    return access


def _named(user: User, asked: Asked) -> QuerySet[Study]:
    """Studies of organizations where `user` holds a role, by exact numbers."""
    theirs = Organization.objects.filter(pk__in=user.organizations_as(set(Role.values) - {Role.GUEST}))
    rows = Study.objects.listed().filter(organization__in=theirs).select_related("organization", "patient")
    if asked.organization:
        rows = rows.filter(organization__name=asked.organization)
    if asked.study_instance_uid:
        return rows.filter(study_instance_uid=asked.study_instance_uid)
    if not (asked.accession_number and asked.patient_id):
        return rows.none()
    return rows.filter(accession_number=asked.accession_number, patient__patient_id=asked.patient_id)


def _sees_anyway(user: User, study: Study) -> bool:
    reads = user.organizations_as(READING_ROLES).filter(pk=study.organization_id)
    granted = Grant.objects.held_by(user).filter(study=study).exclude(reason=Grant.Reason.EMERGENCY)
    return reads.exists() or granted.exists()


def _misses(user: User) -> int:
    tried = Q(actor=user.get_username(), action=ACTION, outcome="denied", at__gt=timezone.now() - WINDOW)
    return AuditEvent.objects.filter(tried).count()


def _tell_by_mail(access: EmergencyAccess) -> None:
    """A mail to each administrator, beside: somebody in an emergency waits for no mail server."""
    people = User.objects.filter(
        memberships__organization=access.organization_id, memberships__role=Role.ADMIN, is_active=True
    )
    to = sorted(set(people.exclude(email="").values_list("email", flat=True)))
    if not settings.EMAIL_HOST or not to:
        return
    address = settings.FARVIEW_PUBLIC_URL + reverse("admin:viewer_emergencyaccess_change", args=[access.pk])
    text = f"A study was opened in an emergency in {access.organization}.\n\nWho, why and until when is told here:\n{address}"
    connection = get_connection(timeout=MAIL_SECONDS)
    mails = [EmailMessage("A study was opened in an emergency", text, to=[one], connection=connection) for one in to]
    threading.Thread(target=_send, args=(mails,), name="emergency-mail", daemon=True).start()


def _send(mails: Sequence[EmailMessage]) -> None:
    for mail in mails:
        try:
            mail.send()
        except (OSError, ValueError):  # smtplib's own are OSErrors; an address with line ends is a ValueError
            logger.exception("the mail about an emergency access could not be sent; administrators see it in /admin/")
