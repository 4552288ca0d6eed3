"""Which patients' earlier studies are looked for at other archives before anybody asks: whoever has a new order or a new study.

Once for each patient and archive in twelve hours; what came from an archive itself asks for nothing more.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import Organization
from viewer.archive import outbox, transfers
from viewer.archive.rows import patiently
from viewer.models import DicomPeer, Patient, Series, Study, StudyQuerySet, Transfer

ONCE_IN = timedelta(hours=12)
PRIORITY = -1
NEWS = "study.changed"
AT_ONCE = 500
CATCH_UP = timedelta(hours=1)
"""Studies that came while nobody listened."""
CATCH_UP_STUDIES = 200
BODY_PARTS = 4


def archives(organization: Organization | int) -> list[DicomPeer]:
    """Where an organization's earlier studies are looked for."""
    if not settings.FARVIEW_PREFETCH_STUDIES:
        return []
    peers = DicomPeer.objects.filter(organization=organization, active=True, is_archive=True, port__isnull=False)
    return list(peers.select_related("organization").order_by("id"))


def want(patient: Patient, current: dict[str, str] | None = None, study_instance_uid: str = "") -> int:
    """Have a patient's earlier studies looked for; at how many archives. In a transaction of its own.

    `current` says what they are to be compared with: date, modality, body_part, description.
    """
    peers = archives(patient.organization_id) if patient.patient_id else []
    return patiently(lambda: sum(_want(peer, patient, current, study_instance_uid) for peer in peers)) if peers else 0


def _want(peer: DicomPeer, patient: Patient, current: dict[str, str] | None, study_instance_uid: str) -> bool:
    recent = Transfer.objects.filter(peer=peer, kind=transfers.PRIORS, created_at__gt=timezone.now() - ONCE_IN)
    if recent.filter(options__patient=patient.pk).exists():
        return False
    transfers.ask(
        peer,
        transfers.PRIORS,
        study_instance_uid=study_instance_uid,
        options={"patient": patient.pk, "current": {name: text for name, text in (current or {}).items() if text}},
        reason="prefetch",
        priority=PRIORITY,
    )
    return True


def for_study(study: Study) -> int:
    """Those of the patient of a study that has come; none for one that was fetched."""
    fetched = Transfer.objects.filter(
        organization=study.organization_id, kind=transfers.RETRIEVE, study_instance_uid=study.study_instance_uid
    )
    if fetched.exists():
        return 0
    parts = Series.objects.filter(study=study).exclude(body_part_examined="")
    said = {
        "date": study.date,
        "modality": study.modalities,
        "body_part": " ".join(sorted(set(parts.values_list("body_part_examined", flat=True)[:BODY_PARTS]))),
        "description": study.description,
    }
    return want(study.patient, said, study.study_instance_uid)


class Listening:
    """Hears of studies that are new; `seen` is the newest news that was looked at."""

    def __init__(self) -> None:
        self.seen: int | None = None

    def look(self) -> int:
        """Have what is new looked after; how many searches that began."""
        if self.seen is None:
            self.seen = outbox.newest()
            since = timezone.now() - CATCH_UP
            return self._begin(Study.objects.filter(created_at__gte=since).order_by("-id")[:CATCH_UP_STUDIES])
        news = outbox.since(self.seen, AT_ONCE)
        if not news:
            return 0
        self.seen = news[-1].pk
        new = {
            (row.organization_id, row.payload["study_instance_uid"]) for row in news if _is_new(row.kind, row.payload)
        }
        return sum(
            self._begin(Study.objects.filter(organization=organization, study_instance_uid=uid))
            for organization, uid in sorted(new)
        )

    def _begin(self, studies: StudyQuerySet) -> int:
        rows = studies.select_related("patient", "organization")
        return sum(for_study(study) for study in rows)


def _is_new(kind: str, payload: dict[str, object]) -> bool:
    return kind == NEWS and bool(payload.get("added"))
