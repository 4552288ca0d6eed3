"""Series in the wrong study: moved to another study of the patient, split off into a new one, or a whole study merged."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db.models import QuerySet, Sum

from viewer.archive.correcting import BadCorrection, CannotCorrect, Done, Who, begun, finished, locked, part, whole
from viewer.archive.correcting_facts import OF_STUDY, facts_of, renumber
from viewer.models import (
    Conflict,
    Correction,
    CorrectionKind,
    Instance,
    KeyImage,
    Measurement,
    Series,
    SeriesRequest,
    Study,
    ViewedImage,
)

MODALITIES = 100


def move_series(study: Study, uids: Sequence[str], target: Study, who: Who) -> Correction:
    """Series of a study belong to another study of the same patient. What is left empty is no longer listed; what comes for it
    later follows. Raises BadCorrection."""

    def write() -> Correction:
        source, aim = in_order(study, target)
        return finished(_moved(source, uids, aim, who))

    return whole(write)


def split(study: Study, uids: Sequence[str], who: Who) -> Correction:
    """Series of a study make a new study of the same patient, as the old one says of itself but for its UID.

    Raises BadCorrection, CannotCorrect.
    """

    def write() -> Correction:
        source = locked(study)
        if not _held(source).exclude(series_instance_uid__in=uids).exists():
            raise CannotCorrect("all of the study's series are chosen: nothing would stay behind")
        return finished(_moved(source, uids, _new_study(source), who))

    return whole(write)


def merge_studies(study: Study, target: Study, who: Who) -> Correction:
    """All series of a study belong to another study of the same patient. Raises BadCorrection."""
    uids = list(_held(study).values_list("series_instance_uid", flat=True))
    return move_series(study, uids, target, who)


def in_order(one: Study, other: Study) -> tuple[Study, Study]:
    """Both, locked always in the same order."""
    rows = {row.pk: row for row in (locked(study) for study in sorted((one, other), key=lambda study: study.pk))}
    return rows[one.pk], rows[other.pk]


def _moved(source: Study, uids: Sequence[str], target: Study, who: Who) -> Done:
    series = list(Series.objects.filter(study=source, series_instance_uid__in=set(uids)).order_by("id"))
    if not uids or len(series) != len(set(uids)):
        raise BadCorrection("series", "one or several series of the study are expected")
    if source.pk == target.pk:
        raise BadCorrection("target", "another study is expected")
    if source.patient_id != target.patient_id:
        raise BadCorrection("target", "it is of another patient: correct the patient first")
    before, after = facts_of(source), facts_of(target)
    done = begun(CorrectionKind.SERIES_MOVED, source.organization, who, target.patient, before, after)
    put_series(done, series, source, target)
    return done


def put_series(done: Done, series: Sequence[Series], source: Study, target: Study) -> None:
    """Move rows, with a part of the act for each; both studies are counted again. `source` stands beside the studies of the
    act, so that everybody hears of it, too."""
    before, after = facts_of(source), facts_of(target)
    for one in series:
        _carry(one, source, target)
        renumber(SeriesRequest.objects.filter(series=one), before, after)
        part(done, target, before, after, one.series_instance_uid)
    done.studies = [source, target]
    for study in done.studies:
        recount(study)


def _carry(series: Series, source: Study, target: Study) -> None:
    """A series, and what readers have left on it."""
    series.study = target
    series.save(update_fields=["study"])
    images = list(Instance.objects.filter(series=series).values_list("pk", "sop_instance_uid"))
    ours = {"study": source, "series_instance_uid": series.series_instance_uid}
    Measurement.objects.filter(**ours).update(study=target)
    KeyImage.objects.filter(**ours).update(study=target)
    Conflict.objects.filter(study=source, instance__series=series).update(study=target)
    uids = [uid for _, uid in images]
    for start in range(0, len(uids), BATCH):
        seen = ViewedImage.objects.filter(study=source, sop_instance_uid__in=uids[start : start + BATCH])
        seen.update(study=target)


BATCH = 500


def recount(study: Study) -> None:
    """What a study says of how much it holds; what is rejected does not count."""
    held = _held(study)
    summed = held.aggregate(instances=Sum("number_of_instances"))
    study.number_of_series = held.count()
    study.number_of_instances = summed["instances"] or 0
    study.modalities = fitting(sorted(set(held.exclude(modality="").values_list("modality", flat=True))))
    study.emptied = study.number_of_instances == 0
    study.save()


def fitting(words: Sequence[str]) -> str:
    """As many words, parted by backslashes, as the column holds."""
    text = ""
    for word in words:
        longer = f"{text}\\{word}" if text else word
        if len(longer) > MODALITIES:
            break
        text = longer
    return text


def recount_series(series: Series) -> None:
    """How many instances and frames of a series are served."""
    counted = Instance.objects.served().filter(series=series)
    series.number_of_instances = counted.count()
    series.number_of_frames = counted.aggregate(frames=Sum("number_of_frames"))["frames"] or 0
    series.save(update_fields=["number_of_instances", "number_of_frames"])


def _held(study: Study) -> QuerySet[Series]:
    return Series.objects.filter(study=study, number_of_instances__gt=0)


def _new_study(source: Study) -> Study:
    copied = (
        *(column for column in OF_STUDY.values() if column != "study_instance_uid"),
        *("timezone_offset", "description_folded", "institution"),
        *("patient_name", "patient_birth_date", "patient_sex", "patient_age"),
    )
    return Study.objects.create(
        organization=source.organization,
        patient=source.patient,
        study_instance_uid=f"2.25.{uuid.uuid4().int}",
        **{column: getattr(source, column) for column in copied},
    )
