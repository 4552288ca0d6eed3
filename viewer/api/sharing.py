"""`/api/studies/{uid}/share-links/`, `/api/share-links/{id}/`: a study or a report for somebody without an account."""

from __future__ import annotations

import base64
import io
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any

import qrcode
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from qrcode.image.svg import SvgPathImage
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import sharing
from accounts.models import ShareLink, User
from viewer.api import shapes
from viewer.api.doors import Door, data_of
from viewer.archive import query
from viewer.archive.query import NotFound
from viewer.archive.rows import patiently
from viewer.models import Grant, Study

REASON = Grant.Reason.SHARE
ReportSharable = Callable[[User, Study, int], bool]
_sharable: list[ReportSharable] = []


def offer_reports(sharable: ReportSharable) -> None:
    """Have reports shared, too: `sharable(user, study, number)` says of which one that may be."""
    _sharable[:] = [sharable]


def of_one_line(text: str) -> None:
    """A name stands in pictures, in lists and in mails: no line of it may end, nothing in it may steer what shows it."""
    if any(unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Cs") for sign in text):
        raise serializers.ValidationError("control characters and ends of lines are not allowed")


class ShareWish(serializers.Serializer):
    scope = serializers.ChoiceField(ShareLink.Scope.values, default=ShareLink.Scope.STUDY)
    report = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=2**63 - 1)
    recipient = serializers.CharField(
        max_length=200, validators=[of_one_line], help_text="For whom; it is drawn into every picture."
    )
    days = serializers.IntegerField(default=sharing.USUAL_DAYS, min_value=1, max_value=sharing.LONGEST_DAYS)
    pin = serializers.BooleanField(default=False, help_text="Ask for a PIN, which is made here and told once.")
    most_uses = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=sharing.MOST_USES)


class ShareRow(serializers.Serializer):
    id = serializers.IntegerField()
    scope = serializers.ChoiceField(ShareLink.Scope.values)
    report = serializers.IntegerField(allow_null=True)
    study_instance_uid = serializers.CharField()
    recipient = serializers.CharField(allow_blank=True)
    made_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    pin = serializers.BooleanField(help_text="Whether a PIN is asked for.")
    most_uses = serializers.IntegerField(allow_null=True)
    uses = serializers.IntegerField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    ended = serializers.ChoiceField(
        [why.value for why in sharing.Shut], allow_null=True, help_text="Why it opens nothing any more; null: it does."
    )


class ShareMade(serializers.Serializer):
    link = ShareRow()
    address = serializers.CharField(help_text="Told this once; the server keeps a digest of it.")
    qr = serializers.CharField(help_text="The address as a QR code: an SVG picture as a data: address.")
    pin = serializers.CharField(
        allow_blank=True, help_text="Told this once; pass it on by another way than the address."
    )


class ShareList(serializers.Serializer):
    links = ShareRow(many=True)


STUDY = shapes.uid("study_instance_uid", "Study")
LINK = OpenApiParameter("link", OpenApiTypes.INT, OpenApiParameter.PATH)


class ShareLinks(Door):
    """The links of one study."""

    @extend_schema(
        operation_id="share_links",
        summary="Your links of a study; for administrators all of their organization",
        parameters=[STUDY, shapes.ORGANIZATION],
        responses={200: ShareList, **shapes.REFUSALS},
    )
    def get(self, request: Request, study_instance_uid: str) -> Response:
        study = study_of(request, study_instance_uid)
        links = sharing.links_of(request.user).filter(
            organization=study.organization_id, study_instance_uid=study.study_instance_uid
        )
        return Response({"links": [row_of(link) for link in links.order_by("-pk")[:200]]})

    @extend_schema(
        operation_id="share",
        summary="Open a study or a report to somebody without an account",
        parameters=[STUDY, shapes.ORGANIZATION],
        request=ShareWish,
        responses={201: ShareMade, 400: shapes.BAD, **shapes.REFUSALS},
    )
    def post(self, request: Request, study_instance_uid: str) -> Response:
        study = study_of(request, study_instance_uid)
        wish, pin = wish_of(request, study)
        link, address = patiently(lambda: make(request, study, wish))
        told = {"link": row_of(link), "address": address, "qr": qr_of(address), "pin": pin}
        return Response(told, status=201)


class ShareLinkDoor(Door):
    """One link."""

    @extend_schema(
        operation_id="share_link",
        summary="A link that you look after",
        parameters=[LINK],
        responses={200: ShareRow, **shapes.REFUSALS},
    )
    def get(self, request: Request, link: int) -> Response:
        return Response(row_of(link_of(request, link)))

    @extend_schema(
        operation_id="share_link_revoke",
        summary="End a link and whatever came by it",
        parameters=[LINK],
        responses={204: OpenApiResponse(description="It has ended."), **shapes.REFUSALS},
    )
    def delete(self, request: Request, link: int) -> Response:
        found = link_of(request, link)
        patiently(lambda: sharing.revoke(found, request.user, request, reason="by hand"))
        return Response(status=204)


def link_of(request: Request, number: int) -> ShareLink:
    """A link that this person looks after. Raises NotFound."""
    found = sharing.links_of(request.user).filter(pk=number).first()
    if found is None:
        raise NotFound("there is no such link")
    return found


def study_of(request: Request, study_instance_uid: str) -> Study:
    """A study that this person may share. Raises NotFound or Ambiguous."""
    study = query.find_study(request.user, study_instance_uid, request.query_params.get("organization"))
    if not sharing.may_share(request.user, study.organization):
        raise NotFound("there is no such object")
    return study


def wish_of(request: Request, study: Study) -> tuple[sharing.Wish, str]:
    """What is wanted, and the PIN. Raises ValidationError, or NotFound for a report that may not be shared."""
    asked = ShareWish(data=data_of(request))
    asked.is_valid(raise_exception=True)
    wished: dict[str, Any] = asked.validated_data
    if wished["scope"] == ShareLink.Scope.REPORT:
        number = wished.get("report")
        if number is None:
            raise serializers.ValidationError({"detail": "report: the number of a report is expected"})
        if not any(sharable(request.user, study, number) for sharable in _sharable):
            raise NotFound("there is no such report, or it is not final")
    elif wished.get("report") is not None:
        raise serializers.ValidationError({"detail": "report: only with the scope report"})
    pin = sharing.new_pin() if wished["pin"] else ""
    wish = sharing.Wish(
        study_instance_uid=study.study_instance_uid,
        recipient=wished["recipient"],
        scope=wished["scope"],
        report=wished.get("report"),
        days=wished["days"],
        pin=pin,
        most_uses=wished.get("most_uses"),
    )
    return wish, pin


def make(request: Request, study: Study, wish: sharing.Wish) -> tuple[ShareLink, str]:
    """A link and its address, and what it opens: the images, or nothing of them where it is for a report."""
    link, address = sharing.make(request.user, study.organization, wish, request, study.patient.patient_id)
    if link.scope == ShareLink.Scope.STUDY:
        Grant.objects.create(study=study, user=link.guest, reason=REASON, until=link.expires_at)
    return link, address


def row_of(link: ShareLink) -> dict[str, Any]:
    why = sharing.shut(link)
    return {
        **{name: getattr(link, name) for name in FIELDS},
        "made_by": link.made_by.get_username(),
        "pin": bool(link.pin),
        **{name: _iso(getattr(link, name)) for name in MOMENTS},
        "ended": why.value if why else None,
    }


FIELDS = ("id", "scope", "report", "study_instance_uid", "recipient", "most_uses", "uses")
MOMENTS = ("created_at", "expires_at", "last_used_at")


def qr_of(address: str) -> str:
    drawn = io.BytesIO()
    qrcode.make(address, image_factory=SvgPathImage, border=2).save(drawn)
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.getvalue()).decode()}"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
