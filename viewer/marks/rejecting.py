"""Rejecting objects here: a note of rejection (IHE RAD-66) is written into the archive, and says which and why."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from accounts.models import User
from viewer.archive.correcting import REASON, BadCorrection
from viewer.dicom.objects import is_image_class
from viewer.dicom.rejection_note import CODES
from viewer.models import Correction, CorrectionKind, Instance, Study
from viewer.objects import key_object
from viewer.objects.header import Reference, SeriesOfObject, new_uid, uid_of
from viewer.objects.key_object import Selected, Selection

from .filing import begun, filed

NUMBER = 9005
MOST = 10_000


def reject(study: Study, uids: Sequence[str], code: str, reason: str, actor: User) -> Correction:
    """Write a note that rejects objects of a study; once this returns no door gives them out.

    Raises BadCorrection, NotFiled, StorageFull, DatabaseBusy.
    """
    reason = " ".join(reason.split())
    if code not in CODES:
        raise BadCorrection("code", f"one of {', '.join(CODES)}")
    if not reason or len(reason) > REASON:
        raise BadCorrection("reason", f"say why, in at most {REASON} characters")
    wanted = set(uids)
    rows = Instance.objects.served().filter(series__study=study).select_related("series").defer("index")
    found = [one for one in rows.order_by("series__number", "series", "id") if one.sop_instance_uid in wanted]
    if not found or len(found) != len(wanted) or len(found) > MOST:
        raise BadCorrection("instances", f"1 to {MOST:,} objects of the study are expected, none rejected already")
    home, note = study.organization, str(new_uid())
    place = SeriesOfObject(
        sop_class_uid=key_object.SOP_CLASS,
        modality="KO",
        series_instance_uid=str(uid_of("rejections", home.name, home.created_at.isoformat(), study.study_instance_uid)),
        number=NUMBER,
        description="Rejected objects",
        sop_instance_uid=note,
    )
    dataset = begun(study, place, (), timezone.now())
    selected = [_selected(one, study) for one in found]
    name = f"{actor.last_name}^{actor.first_name}".strip("^") or actor.get_username()
    key_object.write(dataset, Selection(code, [name], selected, reason))
    filed(dataset, study, actor)
    return Correction.objects.filter(kind=CorrectionKind.REJECTED, study=study, after__note=note).latest("id")


def _selected(row: Instance, study: Study) -> Selected:
    of = Reference(study.study_instance_uid, row.series.series_instance_uid, row.sop_class_uid, row.sop_instance_uid)
    return Selected(of, is_image=is_image_class(row.sop_class_uid))
