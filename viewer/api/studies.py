"""`/api/studies/`: the list a reader searches, and one study with everything the viewer page opens with."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from viewer.api import shapes
from viewer.api.doors import Door
from viewer.api.priors import Priors, prior_row, priors_of, refused_row
from viewer.api.viewing import note_viewing
from viewer.archive import query
from viewer.archive.stacks import summary
from viewer.models import Conflict, Series, Study

KEPT_ASIDE_AT_MOST = 100


class Studies(Door):
    """The studies a person may see."""

    @extend_schema(
        operation_id="studies_search",
        summary="Search studies",
        description="Sorted, page by page. Every word of a text filter must be found; case and accents do not count.",
        parameters=[
            shapes.text(
                "q", "Words to find anywhere: name, IDs, numbers, description, modality; or a Study Instance UID."
            ),
            shapes.text("patient_name", "Any part of the name, in any of its scripts."),
            shapes.text("patient_id", "Any part of the Patient ID."),
            shapes.text("accession_number", "Any part of the Accession Number."),
            OpenApiParameter("date_from", OpenApiTypes.DATE, description="First study date."),
            OpenApiParameter("date_to", OpenApiTypes.DATE, description="Last study date."),
            shapes.text("modality", "One or several, parted by commas: any of them."),
            shapes.text("description", "Any part of the study description."),
            shapes.text("organization", "Only this organization's studies."),
            OpenApiParameter("sort", OpenApiTypes.STR, enum=[*query.SORTS, *(f"-{name}" for name in query.SORTS)]),
            shapes.text("cursor", "`next` of the page before."),
            OpenApiParameter("limit", OpenApiTypes.INT, description=f"Studies a page, up to {query.PAGE_AT_MOST}."),
        ],
        responses={200: shapes.StudyList, 400: shapes.BAD, 401: shapes.NO_ACCESS},
    )
    def get(self, request: Request) -> Response:
        page = query.search(request.user, search_of(request.query_params))
        conflicts, pictures = query.conflict_counts(page.studies), query.pictures(page.studies)
        studies = [study_row(study, conflicts.get(study.pk, 0), pictures.get(study.pk)) for study in page.studies]
        return Response({"studies": studies, "next": page.next, "total": page.total})


class StudyDoor(Door):
    """One study."""

    @extend_schema(
        operation_id="study",
        summary="One study with its series, stacks and priors",
        parameters=[shapes.uid("study_instance_uid", "Study"), shapes.ORGANIZATION],
        responses={200: shapes.StudyWhole, **shapes.REFUSALS},
    )
    def get(self, request: Request, study_instance_uid: str) -> Response:
        study = query.find_study(request.user, study_instance_uid, request.query_params.get("organization"))
        note_viewing(request.user, study, request, door="api")
        return Response(whole_study(request.user, study))


def search_of(asked: Any) -> query.StudySearch:
    """A search from query parameters. Raises BadQuery."""
    texts = {name: str(asked.get(name, ""))[:200] for name in SEARCH_FIELDS}
    try:
        limit = int(asked.get("limit", query.PAGE))
    except ValueError:
        raise query.BadQuery("limit", "a whole number is expected") from None
    return query.StudySearch(**{**texts, "sort": texts["sort"] or "-date"}, limit=limit)


SEARCH_FIELDS = (*query.FILTERS, "sort", "cursor")


def study_row(study: Study, conflicts: int, picture: query.Picture | None) -> dict[str, Any]:
    """A study as lists show it."""
    organization = study.organization.name
    return {
        "study_instance_uid": study.study_instance_uid,
        "organization": organization,
        "patient": {
            **study.stated_patient,
            "patient_id": study.patient.patient_id,
        },
        "date": study.date,
        "time": study.time,
        "accession_number": study.accession_number,
        "description": study.description,
        "modalities": modalities(study),
        "number_of_series": study.number_of_series,
        "number_of_instances": study.number_of_instances,
        "thumbnail": picture and thumbnail_address(picture.series_instance_uid, organization, picture.version),
        "created_at": study.created_at.isoformat(),
        "warnings": list(study.warnings),
        "conflicts": conflicts,
    }


def whole_study(user: User, study: Study, priors: Priors | None = None) -> dict[str, Any]:
    """A study as the viewer page opens with it."""
    priors = priors or priors_of(user, study)
    kept_aside = Conflict.objects.open().filter(study=study)
    return {
        **study_row(study, kept_aside.count(), query.pictures([study]).get(study.pk)),
        **study_itself(study),
        "priors": [prior_row(*one) for one in priors.taken],
        "not_priors": [refused_row(*one) for one in priors.refused],
        "kept_aside": [conflict_row(one) for one in kept_aside.order_by("-id")[:KEPT_ASIDE_AT_MOST]],
    }


def study_itself(study: Study) -> dict[str, Any]:
    """What the corners of its pictures say, and its series."""
    series = (
        Series.objects.held()
        .filter(study=study)
        .select_related("organization")
        .order_by("number", "date", "time", "id")
    )
    return {
        "study_id": study.study_id,
        "patient_age": study.patient_age,
        "institution": study.institution,
        "referring_physician": study.referring_physician,
        "timezone_offset": study.timezone_offset,
        "series": [series_row(one) for one in sorted(series, key=_drawn_first)],
    }


def _drawn_first(series: Series) -> bool:
    return series.number_of_frames == 0


def series_row(series: Series) -> dict[str, Any]:
    found = summary(series)
    organization = series.organization.name
    stacks = [
        {
            **stack,
            "thumbnail": thumbnail_address(series.series_instance_uid, organization, series.version, stack["stack"]),
        }
        for stack in found["stacks"]
    ]
    return {
        "series_instance_uid": series.series_instance_uid,
        **{name: getattr(series, name) for name in SERIES_FIELDS},
        "series_version": str(series.version),
        "stacks": stacks,
        "not_drawn": found["not_drawn"],
    }


SERIES_FIELDS = (
    "modality",
    "number",
    "description",
    "body_part_examined",
    "laterality",
    "protocol_name",
    "date",
    "time",
    "number_of_instances",
)


def conflict_row(conflict: Conflict) -> dict[str, Any]:
    return {
        "sop_instance_uid": conflict.sop_instance_uid,
        "series_instance_uid": conflict.series_instance_uid,
        "study_instance_uid": conflict.study_instance_uid,
        "reason": conflict.reason,
        "received_at": conflict.received_at.isoformat(),
    }


def modalities(study: Study) -> list[str]:
    return [code for code in study.modalities.split("\\") if code]


def thumbnail_address(series_instance_uid: str, organization: str, version: int, stack: int = 0) -> str:
    """The address of a stack's thumbnail; another version of the series has another address."""
    said = urlencode({"stack": stack, "organization": organization, "version": version})
    return f"{reverse('api-thumbnail', args=[series_instance_uid])}?{said}"
