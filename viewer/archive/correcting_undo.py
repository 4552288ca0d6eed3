"""Undoing a correction: an act of its own that names it. What was done since to the same thing has to be undone first."""

from __future__ import annotations

from collections.abc import Callable

from viewer.archive.correcting import CannotCorrect, Done, Who, begun, finished, locked, whole
from viewer.archive.correcting_facts import PERSONAL, change, facts_of, set_person
from viewer.archive.correcting_series import in_order, put_series
from viewer.archive.rejecting import restore
from viewer.models import Correction, CorrectionKind, Patient, Series, Study


def undo(correction: Correction, who: Who) -> Correction:
    """Take an act back. Raises CannotCorrect, BadCorrection."""

    def write() -> Correction:
        act = Correction.objects.select_for_update(of=("self",)).select_related("organization").get(pk=correction.pk)
        if act.part_of_id is not None or act.undoes_id is not None:
            raise CannotCorrect("only a whole act is undone")
        if hasattr(act, "undone_by"):
            raise CannotCorrect("this was undone already")
        done = begun(
            act.kind,
            *(act.organization, who, _patient_before(act), act.after, act.before),
            study=act.study,
            undoes=act,
            uids=act.sop_instance_uids,
        )
        parts = list(
            Correction.objects.filter(part_of=act, study__isnull=False).select_related("study").order_by("-id")
        ) or [act]
        UNDOING[act.kind](act, parts, done)
        return finished(done)

    return whole(write)


def _patient_before(act: Correction) -> Patient | None:
    """Whom it is about after it is undone."""
    if act.kind not in (CorrectionKind.STUDY_OF_ANOTHER_PATIENT, CorrectionKind.PATIENTS_MERGED):
        return act.patient
    return _patient_of(act)


def _patient_of(act: Correction) -> Patient:
    wanted = {PERSONAL[name]: act.before[name] for name in ("PatientID", "IssuerOfPatientID")}
    rows = Patient.objects.filter(organization=act.organization, **wanted)
    if not act.before["PatientID"] and act.study is not None:
        rows = rows.filter(only_study_uid=act.study.study_instance_uid)
    found = rows.order_by("id").first()
    if found is None:
        raise CannotCorrect("the patient as it was is no longer known")
    return found


def _studies_back(act: Correction, parts: list[Correction], done: Done, patient: Patient | None = None) -> None:
    for row in parts:
        if row.study is None:  # a patient without studies
            continue
        study = locked(row.study)
        _must_stand(row, study)
        change(study, row.before, patient=patient)
        done.studies.append(study)


def _patient_back(act: Correction, parts: list[Correction], done: Done) -> None:
    if act.patient is not None:
        patient = Patient.objects.select_for_update().get(pk=act.patient.pk)
        if any(getattr(patient, PERSONAL[name]) != value for name, value in act.after.items()):
            raise CannotCorrect(LATER)
        set_person(patient, act.before)
    _studies_back(act, parts, done)


def _merge_back(act: Correction, parts: list[Correction], done: Done) -> None:
    done.former = act.patient
    _studies_back(act, parts, done, _patient_of(act))


def _series_back(act: Correction, parts: list[Correction], done: Done) -> None:
    uids = [row.series_instance_uid for row in parts]
    if not parts or parts[0].study is None:
        raise CannotCorrect("there is nothing to be moved back")
    source = Study.objects.filter(
        organization=act.organization, study_instance_uid=act.before["StudyInstanceUID"]
    ).first()
    if source is None:
        raise CannotCorrect("the study as it was is no longer known")
    here, back = in_order(parts[0].study, source)
    series = list(Series.objects.filter(study=here, series_instance_uid__in=uids).order_by("id"))
    if len(series) != len(uids) or here.patient_id != back.patient_id:
        raise CannotCorrect(LATER)
    put_series(done, series, here, back)


def _rejected_back(act: Correction, parts: list[Correction], done: Done) -> None:
    done.studies += restore(act)


def _must_stand(row: Correction, study: Study) -> None:
    now = facts_of(study)
    if any(now[name] != value for name, value in row.after.items()):
        raise CannotCorrect(LATER)


LATER = "something was corrected since then that stands on it: undo that first"

UNDOING: dict[str, Callable[[Correction, list[Correction], Done], None]] = {
    CorrectionKind.PATIENT_UPDATED: _patient_back,
    CorrectionKind.PATIENTS_MERGED: _merge_back,
    CorrectionKind.PATIENTS_LINKED: lambda act, parts, done: None,
    CorrectionKind.STUDY_OF_ANOTHER_PATIENT: lambda act, parts, done: _studies_back(act, parts, done, _patient_of(act)),
    CorrectionKind.STUDY_OF_ANOTHER_ORDER: _studies_back,
    CorrectionKind.SERIES_MOVED: _series_back,
    CorrectionKind.REJECTED: _rejected_back,
}
