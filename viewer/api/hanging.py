"""`/api/studies/{uid}/hanging/`: how a study hangs. `/api/hanging-protocols/`: what administrators make of the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.models import Organization, User
from accounts.policy import ADMIN, organizations_for
from viewer import protocols
from viewer.api import shapes, suv_limits
from viewer.api.doors import Door, data_of
from viewer.api.priors import Priors, priors_of
from viewer.api.studies import study_itself, study_row
from viewer.api.viewing import note_viewing
from viewer.archive import query, rows
from viewer.archive.query import BadQuery
from viewer.hanging import preview
from viewer.hanging.choose import Suits, suiting
from viewer.hanging.facts import DRAWN_ON, StudyFacts, facts_of
from viewer.hanging.place import Placed, Studies, counterparts, hang
from viewer.models import HangingProtocol, ReaderSettings, Study

Json = dict[str, Any]

COUNTERPARTS = 64


class HungViewport(serializers.Serializer):
    study_instance_uid = serializers.CharField()
    series_instance_uid = serializers.CharField()
    stack = serializers.IntegerField()
    role = serializers.ChoiceField(["current", "prior"])
    view = serializers.JSONField(help_text="Fields of a View to begin with.")
    link = serializers.CharField(help_text="Viewports of one name scroll together; empty: with none.")
    align = serializers.ChoiceField(
        ["", "left", "right"], help_text="The edge at which the chest wall meets its neighbour."
    )


class HungStage(serializers.Serializer):
    name = serializers.CharField()
    layout = serializers.CharField(help_text="rows x columns, as 2x2.")
    viewports = serializers.ListField(child=HungViewport(allow_null=True), help_text="Row by row; null stays empty.")
    missing = serializers.ListField(child=serializers.CharField(), help_text="Why viewports stay empty.")


class SkippedStage(serializers.Serializer):
    name = serializers.CharField()
    reason = serializers.CharField()


class ChosenProtocol(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    reason = serializers.CharField()
    chosen = serializers.BooleanField(help_text="By the reader, not by how well it suits.")


class OtherProtocol(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    reason = serializers.CharField()


class Counterpart(serializers.Serializer):
    series_instance_uid = serializers.CharField()
    stack = serializers.IntegerField()
    sop_instance_uid = serializers.CharField(help_text="Of one image of the stack; empty: the whole stack.")
    prior = HungViewport()


class Hanging(serializers.Serializer):
    kind = serializers.CharField(help_text="What sort of study it is: choices are remembered for it.")
    protocol = ChosenProtocol(allow_null=True)
    stages = HungStage(many=True)
    skipped = SkippedStage(many=True)
    others = OtherProtocol(many=True, help_text="Other protocols that suit, the best first.")
    priors = serializers.ListField(
        child=serializers.CharField(), help_text='Study Instance UIDs of "prior 1", "prior 2", ...'
    )
    studies = serializers.JSONField(help_text="The priors that are shown, by Study Instance UID, each with its series.")
    counterparts = Counterpart(many=True, help_text="What to compare with in prior 1.")
    may_save = serializers.BooleanField(help_text="Whether you may save protocols for this organization.")


class NewProtocol(serializers.Serializer):
    name = serializers.CharField(max_length=200)
    organization = serializers.CharField(help_text="One that you administer.")
    matches = serializers.JSONField(help_text="For which studies (docs/hanging.md).")
    stages = serializers.JSONField(help_text="A list of stages (docs/hanging.md).")
    protocol = serializers.IntegerField(
        required=False,
        help_text="One of that organization to which the stages are added; matches are left as they are.",
    )


class ProtocolRow(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    organization = serializers.CharField(allow_null=True, help_text="null: of all organizations.")
    active = serializers.BooleanField()
    priority = serializers.IntegerField()
    matches = serializers.JSONField()
    stages = serializers.JSONField()
    text = serializers.CharField(help_text="The same for people.")


class ProtocolList(serializers.Serializer):
    protocols = ProtocolRow(many=True)


class ProtocolProblem(serializers.Serializer):
    detail = serializers.CharField()
    problems = serializers.ListField(child=serializers.CharField())


class HangingDoor(Door):
    """How one study hangs."""

    @extend_schema(
        operation_id="hanging",
        summary="Which protocol suits a study, and its stages with the study's own images in them",
        parameters=[
            shapes.uid("study_instance_uid", "Study"),
            OpenApiParameter("protocol", OpenApiTypes.INT, description="This one, not the best; id of `others`."),
            shapes.ORGANIZATION,
        ],
        responses={200: Hanging, 400: shapes.BAD, **shapes.REFUSALS},
    )
    def get(self, request: Request, study_instance_uid: str) -> Response:
        study = query.find_study(request.user, study_instance_uid, request.query_params.get("organization"))
        asked = request.query_params.get("protocol")
        if asked is not None and not (asked.isdecimal() and len(asked) < 20):
            raise BadQuery("protocol", "a number is expected")
        note_viewing(request.user, study, request, door="api")
        return Response(hanging_of(request.user, study, protocol=None if asked is None else int(asked)))


class HangingProtocols(Door):
    """Protocols of the organizations that one administers."""

    @extend_schema(
        operation_id="hanging_protocols",
        summary="Hanging protocols of the organizations that you administer, and those of all",
        responses={200: ProtocolList, 401: shapes.NO_ACCESS, 404: shapes.NOT_FOUND},
    )
    def get(self, request: Request) -> Response:
        ours = Q(organization__in=organizations_for(request.user, ADMIN)) | Q(organization=None)
        found = HangingProtocol.objects.filter(ours).select_related("organization").order_by("id")
        return Response({"protocols": [protocol_row(row) for row in found]})

    @extend_schema(
        operation_id="hanging_protocols_save",
        summary="Save a hanging protocol",
        request=NewProtocol,
        responses={
            201: ProtocolRow,
            400: OpenApiResponse(ProtocolProblem, description="What is wrong, sentence by sentence."),
            401: shapes.NO_ACCESS,
            404: shapes.NOT_FOUND,
        },
    )
    def post(self, request: Request) -> Response:
        body = NewProtocol(data=data_of(request))
        if not body.is_valid():
            said = [f"{name}: {' '.join(map(str, texts))}" for name, texts in body.errors.items()]
            return Response({"detail": said[0], "problems": said}, status=400)
        asked = body.validated_data
        organization = organizations_for(request.user, ADMIN).filter(name=asked["organization"]).first()
        if organization is None:
            raise query.NotFound("there is no such organization")
        try:
            row = rows.patiently(lambda: _saved(asked, organization, request))
        except _Wrong as wrong:
            return Response({"detail": wrong.problems[0], "problems": wrong.problems}, status=400)
        return Response(protocol_row(row), status=201)


class _Wrong(Exception):
    """What is wrong with a protocol, sentence by sentence."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(problems)
        self.problems = problems


def _saved(asked: Json, organization: Organization, request: Request) -> HangingProtocol:
    """Within a transaction: a new protocol, or stages behind those that one has by now. Raises NotFound, _Wrong."""
    row = HangingProtocol(organization=organization, priority=CAPTURED_PRIORITY, created_by=request.user)
    if "protocol" in asked:
        held = HangingProtocol.objects.select_for_update().filter(organization=organization, pk=asked["protocol"])
        found = held.first()
        if found is None:
            raise query.NotFound("there is no such protocol")
        row = found
        row.stages = [*row.stages, *asked["stages"]] if isinstance(asked["stages"], list) else asked["stages"]
    else:
        row.name, row.matches, row.stages = asked["name"], asked["matches"], asked["stages"]
    wrong = protocols.problems(row.matches, row.stages)
    if wrong:
        raise _Wrong(wrong)
    act = "change" if row.pk else "make"
    row.save()
    audit.record(
        f"hangingprotocol.{act}",
        actor=request.user,
        request=request,
        organization=organization.name,
        detail={"object": row.name, "id": row.pk},
    )
    return row


CAPTURED_PRIORITY = 10
"""What a site made of its own screen comes before what was there, where both suit alike."""


def protocol_row(row: HangingProtocol) -> Json:
    wrong = protocols.problems(row.matches, row.stages)
    return {
        "id": row.pk,
        "name": row.name,
        "organization": row.organization and row.organization.name,
        "active": row.active,
        "priority": row.priority,
        "matches": row.matches,
        "stages": row.stages,
        "text": "\n".join(wrong) if wrong else preview.in_words(row.matches, row.stages),
    }


def hanging_of(
    user: User, study: Study, whole: Json | None = None, priors: Priors | None = None, protocol: int | None = None
) -> Json:
    """How a study hangs for a reader. `whole`: its JSON, `protocol`: one that was asked for; else the one that they chose for
    this kind of study, else the one that suits best. Raises BadQuery for one that does not suit."""
    found = priors or priors_of(user, study)
    current = facts_of(whole or _shown(study))
    earlier = _Earlier(found.compared)
    suits = suiting(protocols.usable(protocols.of_organization(study.organization)), current, len(earlier))
    kind = kind_of(current)
    chosen = protocol if protocol is not None else _chosen(user, kind)
    first = next((one for one in suits if one.protocol.id == chosen), None)
    if first is None and protocol is not None:
        raise BadQuery("protocol", "there is no such protocol for this study")
    order = [*([first] if first else []), *suits]
    one, stages, skipped = _first_that_shows(order, Studies(current, earlier))
    shown = {slot.candidate.study for stage in stages for slot in stage.viewports if slot} - {study.study_instance_uid}
    pairs = counterparts(current, earlier[0])[:COUNTERPARTS] if earlier else []
    told = [stage.to_json() for stage in stages]
    suv_limits.settle(told, study.organization)
    return {
        "kind": kind,
        "protocol": one and _named(one) | {"chosen": one is first},
        "stages": told,
        "skipped": [stage.to_json() for stage in skipped],
        "others": [_named(other) for other in suits if one is None or other.protocol.id != one.protocol.id],
        "priors": [prior.study_instance_uid for prior in found.compared],
        "studies": {uid: earlier.json[uid] for uid in sorted(shown | set(earlier.json))},
        "counterparts": [
            {
                "series_instance_uid": here.series,
                "stack": here.stack,
                "sop_instance_uid": here.sop_instance_uid,
                "prior": Placed(there, "prior", _image_of(there)).to_json(),
            }
            for here, there in pairs
        ],
        "may_save": organizations_for(user, ADMIN).filter(pk=study.organization_id).exists(),
    }


def _image_of(one: Any) -> Json:
    return {"sop_instance_uid": one.sop_instance_uid} if one.sop_instance_uid else {}


def _named(one: Suits) -> Json:
    return {"id": one.protocol.id, "name": one.protocol.name, "reason": one.reason}


def _first_that_shows(order: list[Suits], studies: Studies) -> tuple[Suits | None, list[Any], list[Any]]:
    """The first protocol of which at least one stage can be shown."""
    for one in order:
        stages, skipped = hang(one.protocol, studies)
        if stages:
            return one, stages, skipped
    return None, [], []


def kind_of(study: StudyFacts) -> str:
    """What sort of study it is: modality of most of its images and part of the body, "CT/chest"."""
    counts: dict[str, int] = {}
    for one in study.candidates:
        if one.modality not in DRAWN_ON:
            counts[one.modality] = counts.get(one.modality, 0) + 1
    modality = max(sorted(counts), key=lambda name: counts[name], default="")
    regions = sorted(study.regions_said) or sorted(study.regions)
    return "/".join([modality, *regions[:1]])


def _chosen(user: User, kind: str) -> int | None:
    """The protocol that a reader chose for this kind of study."""
    row = ReaderSettings.objects.filter(user=user).first()
    values = row.values.get("hanging") if row else None
    chosen = values.get(kind) if isinstance(values, dict) else None
    return chosen if isinstance(chosen, int) else None


def _shown(study: Study) -> Json:
    return {**study_row(study, 0, None), **study_itself(study)}


class _Earlier(Sequence[StudyFacts]):
    """Priors, each read when it is asked for; `json` holds those that were."""

    def __init__(self, studies: list[Study]) -> None:
        self.studies = studies
        self.json: dict[str, Json] = {}
        self.facts: dict[int, StudyFacts] = {}

    def __len__(self) -> int:
        return len(self.studies)

    @overload
    def __getitem__(self, place: int) -> StudyFacts: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[StudyFacts]: ...
    def __getitem__(self, place: int | slice) -> StudyFacts | Sequence[StudyFacts]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        number = range(len(self.studies))[place]
        if number not in self.facts:
            study = self.studies[number]
            self.json[study.study_instance_uid] = _shown(study)
            self.facts[number] = facts_of(self.json[study.study_instance_uid])
        return self.facts[number]
