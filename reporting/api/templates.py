"""`/api/templates/`: which templates may be taken for an examination, and which one a reader wants to begin with."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from reporting.models import Order, Template, TemplateVersion
from reporting.templating import defaults
from reporting.templating.rights import templates_for
from reporting.workflow.finding import study_to_report
from reporting.worklist.choosing import choose
from viewer.api import shapes
from viewer.api.doors import Door, data_of
from viewer.archive.query import BadQuery, NotFound
from viewer.models import Study


class TemplateRow(serializers.Serializer):
    id = serializers.IntegerField()
    identifier = serializers.CharField()
    title = serializers.CharField()
    version = serializers.IntegerField()
    language = serializers.CharField()
    why = serializers.CharField(allow_blank=True, help_text="Why it suits the study; empty: it merely is there.")


class TemplateList(serializers.Serializer):
    templates = TemplateRow(many=True, help_text="Those in use: for a study the best first.")
    chosen = serializers.IntegerField(allow_null=True, help_text="id of the one that a new report begins with.")


class NewDefault(serializers.Serializer):
    template = serializers.IntegerField(allow_null=True, help_text="id; null: forget the default.")
    study = serializers.CharField(required=False, max_length=64, help_text="Study Instance UID: for studies like this.")
    organization = serializers.CharField(required=False, max_length=64)
    modality = serializers.CharField(required=False, allow_blank=True, max_length=16)
    body_part = serializers.CharField(required=False, allow_blank=True, max_length=64)


class KeptDefault(serializers.Serializer):
    template = serializers.IntegerField(allow_null=True)
    modality = serializers.CharField(allow_blank=True, help_text="Empty: for every modality.")
    body_part = serializers.CharField(allow_blank=True, help_text="Empty: for every part of the body.")


STUDY = shapes.text("study", "Study Instance UID: say what suits this study, and why.")


class Templates(Door):
    """`GET /api/templates/`"""

    @extend_schema(
        operation_id="templates",
        summary="The report templates in use",
        parameters=[STUDY, shapes.ORGANIZATION],
        responses={200: TemplateList, **shapes.REFUSALS},
    )
    def get(self, request: Request) -> Response:
        uid = request.query_params.get("study")
        if not uid:
            offered = in_use(request).order_by("title", "pk")
            told = [row(one.active_version, one, "") for one in offered if one.active_version is not None]
            return Response({"templates": told, "chosen": None})
        study = study_to_report(request.user, uid, request.query_params.get("organization"))
        choice = choose(request.user, study, order_of(study))
        first = row(choice.template_version, choice.template_version.template, choice.why)
        others = [row(one.template_version, one.template_version.template, one.why) for one in choice.others]
        return Response({"templates": [first, *others], "chosen": first["id"]})


class Default(Door):
    """`PUT /api/templates/default/`"""

    @extend_schema(
        operation_id="template_default",
        summary="Begin examinations of one kind with this template",
        description="The kind is that of `study`, or what `modality` and `body_part` say.",
        request=NewDefault,
        responses={200: KeptDefault, 400: shapes.BAD, **shapes.REFUSALS},
    )
    def put(self, request: Request) -> Response:
        body = NewDefault(data=data_of(request))
        if not body.is_valid():
            name, said = next(iter(body.errors.items()))
            raise BadQuery(str(name), " ".join(map(str, said)))
        asked = body.validated_data
        template = None if asked["template"] is None else _template(request, asked["template"])
        modality, body_part = self._kind(request, asked, template)
        try:
            defaults.keep(request.user, template, modality, body_part, request)
        except defaults.TooMany as problem:
            raise BadQuery("template", str(problem)) from None
        told = {"template": template.pk if template else None, "modality": modality, "body_part": body_part}
        return Response(told)

    def _kind(self, request: Request, asked: dict[str, Any], template: Template | None) -> tuple[str, str]:
        if not asked.get("study"):
            return asked.get("modality", "").strip().upper(), asked.get("body_part", "").strip().upper()
        study = study_to_report(request.user, asked["study"], asked.get("organization"))
        if template is not None and template.organization_id not in (None, study.organization_id):
            raise NotFound("there is no such template")
        return defaults.kind_of(study, order_of(study))


def in_use(request: Request) -> QuerySet[Template]:
    return templates_for(request.user).exclude(active_version=None).select_related("active_version")


def _template(request: Request, pk: int) -> Template:
    found = in_use(request).filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise NotFound("there is no such template")
    return found


def order_of(study: Study) -> Order | None:
    """The order that the study was made for, the newest where there are several."""
    item = study.reading_items.select_related("order").order_by("-pk").first()
    return item.order if item is not None else None


def row(version: TemplateVersion, template: Template, why: str) -> dict[str, Any]:
    return {
        "id": template.pk,
        "identifier": template.identifier,
        "title": version.title,
        "version": version.number,
        "language": version.language,
        "why": why,
    }
