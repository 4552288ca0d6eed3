"""Rejected objects: no door gives them out, and they stay (IHE RAD-66). A note of rejection says which, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from django.db.models import QuerySet

from accounts.models import Organization, User
from viewer.archive.correcting import Who, begun, finished
from viewer.archive.correcting_series import recount, recount_series
from viewer.dicom.errors import DicomError
from viewer.dicom.limits import Limits
from viewer.dicom.read import ParsedInstance
from viewer.dicom.rejection_note import CODES, SOP_CLASS, RejectionNote, rejection_note
from viewer.models import Correction, CorrectionKind, Instance, Series, Study

AT_ONCE = 10_000
"""Objects of one act; databases bound how long a question may be."""


def note_of(parsed: ParsedInstance, path: Path, limits: Limits) -> RejectionNote | None:
    """What an object that comes in rejects; None: it is no such note, or says nothing that could be read."""
    if parsed.sop_class_uid != SOP_CLASS:
        return None
    try:
        return rejection_note(path, limits)
    except (DicomError, OSError, ValueError):
        return None


def apply(note: RejectionNote, organization: Organization, actor: User | str, *, own: bool) -> list[Correction]:
    """Reject what a note names: what is here, and what is still to come. Within a transaction, once the note is recorded."""
    who = Who(actor, note.reason or CODES[note.code], "person" if own else "dicom")
    named = list(note.objects.items())
    parts = [dict(named[start : start + AT_ONCE]) for start in range(0, len(named), AT_ONCE)]
    return [act for one in parts for act in _apply(replace(note, objects=one), organization, who)]


def _apply(note: RejectionNote, organization: Organization, who: Who) -> list[Correction]:
    found = dict(_held(organization, note.objects).values_list("sop_instance_uid", "series__study"))
    homes: dict[int | None, list[str]] = {}
    known = {
        uid: key for key, uid in _studies(organization, note.objects.values()).values_list("pk", "study_instance_uid")
    }
    for uid, study in note.objects.items():
        homes.setdefault(found.get(uid) or known.get(study), []).append(uid)
    return [
        _reject(note, uids, key, organization, who) for key, uids in sorted(homes.items(), key=lambda one: one[0] or 0)
    ]


def _reject(note: RejectionNote, uids: list[str], key: int | None, organization: Organization, who: Who) -> Correction:
    rows = Study.objects.select_for_update(of=("self",)).select_related("patient", "organization")
    study = rows.get(pk=key) if key else None
    done = begun(
        CorrectionKind.REJECTED,
        *(organization, who, study.patient if study else None, {}, {"code": note.code, "note": note.sop_instance_uid}),
        study=study,
        uids=uids,
    )
    if study is not None:
        done.withdrawn = _mark(_held(organization, uids).filter(rejection=""), note.code, study)
        done.studies.append(study)
    return finished(done)


def restore(act: Correction) -> list[Study]:
    """Give out again what an act rejected, unless another one does so, too. Within a transaction."""
    others = Correction.objects.filter(kind=CorrectionKind.REJECTED, undoes=None, undone_by=None, study=act.study)
    still: dict[str, str] = {}
    for row in others.exclude(pk=act.pk).order_by("id"):
        still |= dict.fromkeys(row.sop_instance_uids, row.before.get("code") or row.after.get("code", ""))
    studies = list(_studies_of(act.organization, act.sop_instance_uids))
    for study in studies:
        rows = _held(act.organization, act.sop_instance_uids).filter(series__study=study)
        _mark(rows.exclude(sop_instance_uid__in=still), "", study)
    return studies


def _mark(rows: QuerySet[Instance], code: str, study: Study) -> set[str]:
    """Returns the UIDs of the series that these are of."""
    touched = set(rows.values_list("series", flat=True))
    rows.update(rejection=code)
    series = list(Series.objects.filter(pk__in=touched).order_by("id"))
    for one in series:
        recount_series(one)
    recount(study)
    return {one.series_instance_uid for one in series}


def rejections(organization: Organization, studies: Iterable[str]) -> Mapping[str, str]:
    """SOP Instance UID -> code, of what was rejected before it came to these studies, or to any."""
    rows = Correction.objects.filter(
        organization=organization, kind=CorrectionKind.REJECTED, undoes=None, undone_by=None
    )
    named = rows.filter(study__study_instance_uid__in=set(studies)) | rows.filter(study=None)
    found: dict[str, str] = {}
    for uids, after in named.order_by("id").values_list("sop_instance_uids", "after"):
        found |= dict.fromkeys(uids, str(after.get("code", "")))
    return found


def _held(organization: Organization, uids: Iterable[str]) -> QuerySet[Instance]:
    return Instance.objects.filter(organization=organization, sop_instance_uid__in=list(uids))


def _studies(organization: Organization, uids: Iterable[str]) -> QuerySet[Study]:
    return Study.objects.filter(organization=organization, study_instance_uid__in=set(uids))


def _studies_of(organization: Organization, uids: Iterable[str]) -> QuerySet[Study]:
    keys = set(_held(organization, uids).values_list("series__study", flat=True))
    rows = Study.objects.select_for_update(of=("self",)).select_related("patient", "organization")
    return rows.filter(pk__in=keys).order_by("id")
