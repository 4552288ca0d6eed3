"""`/api/studies/{uid}/corrections/`: whose images these are, for which order, in which study; and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Organization
from accounts.policy import CORRECTOR, organizations_for
from viewer.api import shapes
from viewer.api.correction_acts import ACTS, Json, body_of, text_of
from viewer.api.correction_shapes import CorrectionChoices, CorrectionList, Done, NewCorrection, Reason
from viewer.api.doors import Door
from viewer.api.studies import thumbnail_address
from viewer.archive import query
from viewer.archive.corrected import differing
from viewer.archive.correcting import (
    BadCorrection,
    CannotCorrect,
    Who,
    whole,
)
from viewer.archive.correcting_orders import choices_for
from viewer.archive.correcting_undo import undo
from viewer.archive.correcting_warnings import restate
from viewer.archive.query import BadQuery, NotFound
from viewer.dicom.rejection_note import CODES
from viewer.marks.filing import NotFiled
from viewer.models import Correction, CorrectionKind, Patient, Series, Study

LISTED = 100
CHOICES = 30


STANDS = OpenApiResponse(shapes.Problem, description="As things stand now it cannot be done; `detail` says why.")
REFUSED = {400: shapes.BAD, **shapes.REFUSALS, 409: STANDS, 422: STANDS}
STUDY = shapes.uid("study_instance_uid", "Study")


class CorrectionDoor(Door):
    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, BadCorrection):
            return Response({"detail": str(exc)}, status=400)
        if isinstance(exc, CannotCorrect):
            return Response({"detail": str(exc)}, status=409)
        if isinstance(exc, NotFiled):
            return Response({"detail": str(exc)}, status=422)
        return super().handle_exception(exc)


class Corrections(CorrectionDoor):
    """What was corrected about a study, and the next act."""

    @extend_schema(
        operation_id="corrections",
        summary="What was corrected about a study",
        parameters=[STUDY, shapes.ORGANIZATION],
        responses={200: CorrectionList, **shapes.REFUSALS},
    )
    def get(self, request: Request, study_instance_uid: str) -> Response:
        return Response(history(correctable(request, study_instance_uid)))

    @extend_schema(
        operation_id="correct",
        summary="Correct a study",
        parameters=[STUDY, shapes.ORGANIZATION],
        request=NewCorrection,
        responses={201: Done, **REFUSED},
    )
    def post(self, request: Request, study_instance_uid: str) -> Response:
        study = correctable(request, study_instance_uid)
        body = body_of(request)
        act = ACTS.get(str(body.get("act")))
        if act is None:
            raise BadQuery("act", f"one of {', '.join(ACTS)}")
        who = Who(request.user, text_of(body, "reason", 1000), request=request)
        if body["act"] == "reject":  # which writes an object, by a transaction of its own
            _as_seen(study, body)
            made = act(study, body, who)
        else:
            made = whole(lambda: _in_turn(study, body, lambda: act(study, body, who)))
        home = _home(study, made)
        if body["act"] in ("split", "move", "merge"):
            restate([Study.objects.select_related("patient", "organization").get(pk=pk) for pk in {study.pk, home.pk}])
        told = {"correction": told_of(made) if made else None, "study_instance_uid": home.study_instance_uid}
        return Response(told, status=201)


class Undo(CorrectionDoor):
    """Taking an act back."""

    @extend_schema(
        operation_id="correction_undo",
        summary="Undo a correction of a study",
        parameters=[STUDY, shapes.ORGANIZATION],
        request=Reason,
        responses={201: Done, **REFUSED},
    )
    def post(self, request: Request, study_instance_uid: str, correction: int) -> Response:
        study = correctable(request, study_instance_uid)
        act = acts_of(study).filter(pk=correction).first()
        if act is None:
            raise NotFound("there is no such correction of this study")
        made = undo(act, Who(request.user, text_of(body_of(request), "reason", 1000), request=request))
        return Response({"correction": told_of(made), "study_instance_uid": study.study_instance_uid}, status=201)


class Choices(CorrectionDoor):
    """What a study may be corrected to."""

    @extend_schema(
        operation_id="correction_choices",
        summary="Patients, open orders and other studies that a study may belong to",
        parameters=[
            STUDY,
            shapes.text("q", "Words to find; without, what belongs to its patient."),
            shapes.ORGANIZATION,
        ],
        responses={200: CorrectionChoices, **shapes.REFUSALS},
    )
    def get(self, request: Request, study_instance_uid: str) -> Response:
        study = correctable(request, study_instance_uid)
        words = str(request.query_params.get("q", ""))[:200]
        return Response(
            {
                "patients": [_patient_row(one) for one in _patients(study, words)],
                "orders": [
                    {name: getattr(one, name) for name in ORDER_FIELDS} for one in choices_for(study, words)[:CHOICES]
                ],
                "studies": [_study_row(one) for one in studies_beside(study)],
            }
        )


ORDER_FIELDS = (
    *("identifier", "accession_number", "description", "referring_physician", "patient_id", "patient_name"),
    *("modality", "scheduled_at", "same_patient"),
)


# --- what is looked at


def correctable(request: Any, study_instance_uid: str) -> Study:
    """The study, for those who may correct and see it: whoever only manages is told nothing of patients. Raises NotFound,
    Ambiguous."""
    asked = getattr(request, "query_params", None) or request.GET
    rows = Study.objects.visible_to(request.user).filter(
        study_instance_uid=study_instance_uid, organization__in=organizations_for(request.user, CORRECTOR)
    )
    return query.one_of(rows.select_related("patient", "organization"), asked.get("organization"))


def acts_of(study: Study) -> Any:
    """Acts that changed this study, or its patient."""
    parts = Correction.objects.filter(study=study, part_of__isnull=False).values("part_of")
    moved_away = Q(kind=CorrectionKind.SERIES_MOVED, before__StudyInstanceUID=study.study_instance_uid)
    moved_back = Q(kind=CorrectionKind.SERIES_MOVED, after__StudyInstanceUID=study.study_instance_uid)
    ours = Q(study=study) | Q(pk__in=parts) | Q(patient=study.patient_id, study=None) | moved_away | moved_back
    rows = Correction.objects.filter(ours, organization=study.organization_id, part_of=None)
    return rows.select_related("undone_by").order_by("-id")


def history(study: Study) -> Json:
    rows = list(acts_of(study)[:LISTED])
    return {"corrections": [told_of(row) for row in rows], "seen": rows[0].pk if rows else 0}


def told_of(row: Correction) -> Json:
    former = differing(row)
    moved = Correction.objects.filter(part_of=row).exclude(series_instance_uid="")
    undone = getattr(row, "undone_by", None)
    return {
        "id": row.pk,
        "kind": row.kind,
        "at": row.at.isoformat(),
        "actor": row.actor_name,
        "source": row.source,
        "reason": row.reason,
        "before": former,
        "after": {name: value for name, value in row.after.items() if name in former or name not in row.before},
        "series": list(moved.order_by("id").values_list("series_instance_uid", flat=True)),
        "instances": len(row.sop_instance_uids),
        "undoes": row.undoes_id,
        "undone_by": undone.pk if undone else None,
    }


def told_study(study: Study, *, pictures: bool) -> Json:
    """A study as the page shows it; its pictures for those who may see them."""
    rows = Series.objects.held().filter(study=study).select_related("organization")
    patient = {"patient_id": study.patient.patient_id, "issuer": study.patient.issuer_of_patient_id}
    return {
        "study_instance_uid": study.study_instance_uid,
        "organization": study.organization.name,
        "patient": {**patient, **study.stated_patient},
        "date": study.date,
        "description": study.description,
        "accession_number": study.accession_number,
        "referring_physician": study.referring_physician,
        "warnings": list(study.warnings),
        "studies": [_study_row(one) for one in studies_beside(study)],
        "codes": CODES,
        "series": [_series_row(one, pictures) for one in rows.order_by("number", "date", "time", "id")],
    }


def _series_row(series: Series, pictures: bool) -> Json:
    drawn = pictures and series.number_of_frames > 0
    uid, home = series.series_instance_uid, series.organization.name
    return {
        "series_instance_uid": uid,
        **{name: getattr(series, name) for name in ("modality", "number", "description", "number_of_instances")},
        "thumbnail": thumbnail_address(uid, home, series.version) if drawn else None,
    }


def _home(study: Study, made: Correction | None) -> Study:
    """Where the images are that were chosen."""
    if made is None or made.kind != CorrectionKind.SERIES_MOVED:
        return study
    row = Correction.objects.filter(part_of=made, study__isnull=False).select_related("study").first()
    return row.study if row and row.study else study


def studies_beside(study: Study) -> list[Study]:
    rows = Study.objects.listed().filter(patient=study.patient_id).exclude(pk=study.pk)
    return list(rows.order_by("-date", "-time", "-id")[:CHOICES])


def _patients(study: Study, words: str) -> list[Patient]:
    if not words.split():
        return []
    rows = Patient.objects.filter(organization=study.organization_id, only_study_uid="").exclude(pk=study.patient_id)
    for word in words.split()[:8]:
        rows = rows.filter(Q(patient_id__icontains=word) | Q(name_folded__contains=query.fold(word)))
    return list(rows.order_by("name_folded", "id")[:CHOICES])


def _patient_row(patient: Patient) -> Json:
    newest = Study.objects.listed().filter(patient=patient).order_by("-date", "-id")
    return {
        "patient_id": patient.patient_id,
        "issuer": patient.issuer_of_patient_id,
        "name": patient.name,
        "birth_date": patient.birth_date,
        "sex": patient.sex,
        "studies": newest.count(),
        "latest": next((f"{one.description or one.modalities} {one.date}".strip() for one in newest[:1]), ""),
    }


def _study_row(study: Study) -> Json:
    return {
        "study_instance_uid": study.study_instance_uid,
        "date": study.date,
        "description": study.description,
        "accession_number": study.accession_number,
        "modalities": [code for code in study.modalities.split("\\") if code],
        "number_of_series": study.number_of_series,
    }


def _in_turn(study: Study, body: Json, act: Callable[[], Correction | None]) -> Correction | None:
    """One after the other: what the asker saw must still stand when it is their turn."""
    Organization.objects.select_for_update(no_key=True).get(pk=study.organization_id)
    _as_seen(study, body)
    return act()


def _as_seen(study: Study, body: Json) -> None:
    """Raise CannotCorrect where something was corrected since the asker looked."""
    seen = body.get("seen")
    if seen is None:
        return
    newest = acts_of(Study.objects.get(pk=study.pk)).first()
    if (newest.pk if newest else 0) != seen:
        raise CannotCorrect("somebody corrected this study meanwhile: look again")
