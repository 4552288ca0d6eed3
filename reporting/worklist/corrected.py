"""What was corrected about the images of a report after its text was written: who writes, signs or reads it has to know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from reporting.models import ReadingItem, Report, ReportVersion
from reporting.workflow.states import CLOSED, OPEN, TEXTS
from viewer.models import Correction, CorrectionKind, Instance, Study
from viewer.objects.header import MANUFACTURER

ABOUT_STUDY = (
    CorrectionKind.PATIENT_UPDATED,
    CorrectionKind.PATIENTS_MERGED,
    CorrectionKind.STUDY_OF_ANOTHER_PATIENT,
    CorrectionKind.STUDY_OF_ANOTHER_ORDER,
    CorrectionKind.REJECTED,
)
LOSING = (CorrectionKind.REJECTED, CorrectionKind.SERIES_MOVED)
IDENTITY = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate")


def since(study: Study, at: datetime) -> list[Correction]:
    """What was done to the study later than `at` and stands, the oldest first: of images, to those that were here by then."""
    own = Q(study=study, kind__in=ABOUT_STUDY)
    uid = study.study_instance_uid
    away = Q(kind=CorrectionKind.SERIES_MOVED, part_of=None, before__StudyInstanceUID=uid)
    rows = Correction.objects.filter(own | away, organization=study.organization_id, at__gt=at)
    rows = rows.filter(undone_by=None, part_of__undone_by=None)
    rows = rows.filter(Q(undoes=None) | Q(undoes__at__lte=at)).select_related("part_of")
    return [row for row in rows.order_by("id") if _was_there(row, study, at)]


def another_patient(study: Study, at: datetime) -> Correction | None:
    """The last act by which the images became another patient's than they were at that time; None: they are not."""
    rows = Correction.objects.filter(study=study, kind=CorrectionKind.STUDY_OF_ANOTHER_PATIENT, at__gt=at)
    acts = list(rows.order_by("id"))
    if not acts:
        return None
    before, after = acts[0].before, acts[-1].after
    return acts[-1] if any(before.get(name, "") != after.get(name, "") for name in IDENTITY) else None


def doubt(study: Study, text: ReportVersion) -> tuple[str, str]:
    """Why a signed text may not hold for the images any more: a reason to hold it, and words. ("", ""): it does."""
    act = another_patient(study, text.at)
    if act is not None:
        return "wrong_patient", f"The images are another patient's than the report was signed for. {act.reason}"
    lost = [row for row in since(study, text.at) if row.kind in LOSING]
    if lost:
        return "other", f"Images that were read for the signed report were rejected or moved away. {lost[-1].reason}"
    return "", ""


def signed_text(item: ReadingItem) -> ReportVersion | None:
    """The newest signed text of an item's report that stands; None: there is none."""
    reports = Report.objects.filter(item=item, signed_version__gt=0, state__in=(*OPEN, *CLOSED))
    rows = ReportVersion.objects.filter(report__in=reports, kind__in=TEXTS)
    found: ReportVersion | None = rows.order_by("-sequence").first()
    return found


def _was_there(row: Correction, study: Study, at: datetime) -> bool:
    """Whether what was rejected or moved held images that were here at that time; what Farview wrote was not read."""
    if row.kind not in LOSING:
        return True
    images = Instance.objects.filter(organization=study.organization_id, number_of_frames__gt=0, stored_at__lte=at)
    images = images.exclude(series__manufacturer=MANUFACTURER)
    if row.kind == CorrectionKind.SERIES_MOVED:
        parts = Correction.objects.filter(part_of=row).values("series_instance_uid")
        return images.filter(series__series_instance_uid__in=parts).exists()
    gone = images.exclude(rejection="").filter(series__study=study)
    return not set(row.sop_instance_uids).isdisjoint(gone.values_list("sop_instance_uid", flat=True))


def withdrawn(study: Study, uids: Sequence[str]) -> set[str]:
    """Of these objects of the organization those that are rejected now."""
    rows = Instance.objects.filter(organization=study.organization_id, sop_instance_uid__in=list(uids))
    return set(rows.exclude(rejection="").values_list("sop_instance_uid", flat=True))
