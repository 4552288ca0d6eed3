"""`/fhir/`: reports, and what they are about, to read and to search (FHIR R4, RESTful API 3.1.0). Nothing is written here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import http_date
from django.views import View

from accounts import audit
from accounts.models import AuditEvent, User
from reporting.exports.fhir_types import Json
from reporting.fhir.elements import outcome
from reporting.fhir.kinds import KINDS, Kind
from reporting.fhir.searching import Asked, BadSearch, asked, cursor
from reporting.workflow.noting import note_reading
from viewer.api.viewing import note_denial, note_viewing
from viewer.archive import rows
from viewer.archive.rows import DatabaseBusy
from viewer.objects.header import SOFTWARE_VERSION

MEDIA_TYPE = "application/fhir+json"
VERSION = "4.0.1"
FORMATS = ("", "json", "application/json", "application/fhir+json", "text/json")


class Door(View):
    """What the FHIR doors have in common: JSON of FHIR, and refusals as OperationOutcome."""

    http_method_names = ("get", "head", "options")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.GET.get("_format", "").split(";")[0].strip() not in FORMATS:
            return answer(outcome("not-supported", "only JSON is spoken here"), 406)
        try:
            return super().dispatch(request, *args, **kwargs)
        except BadSearch as problem:
            return answer(outcome("invalid", str(problem)), 400)
        except DatabaseBusy as problem:
            return answer(outcome("transient", str(problem)), 503)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = answer(outcome("not-supported", "here is only read and searched"), 405)
        response["Allow"] = "GET, HEAD, OPTIONS"
        return response


def answer(resource: Json, status: int = 200) -> HttpResponse:
    return HttpResponse(
        json.dumps(resource, ensure_ascii=False), status=status, content_type=f"{MEDIA_TYPE}; charset=utf-8"
    )


def not_there() -> HttpResponse:
    """The same for what is not there and for what is not this person's to see."""
    return answer(outcome("not-found", "there is no such resource"), 404)


class Metadata(Door):
    """`GET /fhir/metadata`: what can be asked for."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return answer(
            {
                "resourceType": "CapabilityStatement",
                "status": "active",
                "date": f"{timezone.now():%Y-%m-%d}",
                "publisher": "Farview",
                "kind": "instance",
                "software": {"name": "Farview", "version": SOFTWARE_VERSION},
                "implementation": {"description": "Imaging reports", "url": base_of(request)},
                "fhirVersion": VERSION,
                "format": ["json", MEDIA_TYPE],
                "rest": [
                    {
                        "mode": "server",
                        "security": {
                            "description": "Authorization: Bearer TOKEN, or the session of a signed-in reader."
                        },
                        "resource": [_capability(name, kind) for name, kind in KINDS.items()],
                    }
                ],
            }
        )


def _capability(name: str, kind: Kind) -> Json:
    return {
        "type": name,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [{"name": parameter, "type": type_} for parameter, type_ in kind.types.items()],
    }


class Search(Door):
    """`GET /fhir/{kind}?...`: a searchset, page by page, newest row first."""

    def get(self, request: HttpRequest, kind: str) -> HttpResponse:
        found = KINDS.get(kind)
        if found is None:
            return not_there()
        strict = "handling=strict" in request.headers.get("Prefer", "")
        wanted = asked(dict(request.GET.lists()), found.parameters, strict=strict)
        visible = found.visible(request.user).filter(wanted.condition)
        total = {"total": visible.count()} if found.counted else {}
        page = visible.filter(pk__lt=wanted.after) if wanted.after is not None else visible
        chosen = list(page.order_by("-pk")[: wanted.count + 1]) if wanted.count else []
        shown, more = chosen[: wanted.count], len(chosen) > wanted.count
        resources = found.told(shown, False)
        _note_search(request, kind, wanted, len(resources), found.noted)
        entries = [_entry(request, kind, one) for one in resources] + _left_out(len(shown) - len(resources))
        return answer(
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "timestamp": timezone.now().isoformat(timespec="milliseconds"),
                **total,
                "link": _links(request, kind, wanted, shown if more else []),
                **({"entry": entries} if entries else {}),
            }
        )


def _entry(request: HttpRequest, kind: str, resource: Json) -> Json:
    return {
        "fullUrl": f"{base_of(request)}/{kind}/{resource['id']}",
        "resource": resource,
        "search": {"mode": "match"},
    }


def _left_out(count: int) -> list[Json]:
    """What a search says of rows that cannot be told (FHIR R4 Search 3.1.1.3: an entry with mode "outcome")."""
    if not count:
        return []
    told = outcome(
        "incomplete", f"{count} {'rows' if count > 1 else 'row'} could not be read and are left out", "warning"
    )
    return [{"resource": told, "search": {"mode": "outcome"}}]


def _links(request: HttpRequest, kind: str, wanted: Asked, following: Sequence[Any]) -> list[Json]:
    said = [*wanted.used, ("_count", str(wanted.count))]
    address = f"{base_of(request)}/{kind}?"
    links = [{"relation": "self", "url": address + urlencode(said)}]
    if following:
        links.append({"relation": "next", "url": address + urlencode([*said, ("_cursor", cursor(following[-1].pk))])})
    return links


def base_of(request: HttpRequest) -> str:
    return request.build_absolute_uri("/fhir")


def _note_search(request: HttpRequest, kind: str, wanted: Asked, found: int, noted: str) -> None:
    """A search shows what it finds: it is written down as one event, with the patient's number where it asks for one."""
    number = next((value.rpartition("|")[2] for name, value in wanted.used if name.endswith("identifier")), "")
    rows.patiently(
        lambda: audit.record(
            f"{noted}.search",
            actor=request.user if isinstance(request.user, User) else None,
            request=request,
            patient_id=number if kind in ("Patient", "AuditEvent") else "",
            detail={"resource": kind, "found": found, "asked": sorted({name for name, _ in wanted.used})},
        )
    )


class Read(Door):
    """`GET /fhir/{kind}/{id}`"""

    def get(self, request: HttpRequest, kind: str, key: str) -> HttpResponse:
        found = KINDS.get(kind)
        user = request.user
        row = found.one(found.visible(user), key) if found is not None and len(key) <= 64 else None
        if found is None or row is None or not isinstance(user, User):
            if isinstance(user, User):
                note_denial(user, f"{kind}/{key}"[:128], request, door="fhir")
            return not_there()
        told = found.told([row], True)
        if not told:
            return answer(outcome("incomplete", "its signed version is missing, so that it cannot be told"), 404)
        _note_read(request, user, kind, row, found)
        response = answer(told[0])
        meta = told[0].get("meta", {})
        if "versionId" in meta:
            response["ETag"] = f'W/"{meta["versionId"]}"'
        if changed := getattr(row, "signed_at", None) or getattr(row, "updated_at", None):
            response["Last-Modified"] = http_date(changed.timestamp())
        return response


def _note_read(request: HttpRequest, user: User, kind: str, row: Any, found: Kind) -> None:
    if kind == "DiagnosticReport":
        note_reading(row, user, request)
    elif isinstance(row, AuditEvent):
        rows.patiently(
            lambda: audit.record(
                "audit.read",
                actor=user,
                request=request,
                organization=row.organization,
                patient_id=row.patient_id,
                detail={"resource": kind, "id": row.sequence},
            )
        )
    elif (study := found.study_of(row)) is not None:
        note_viewing(user, study, request, door="fhir")
    else:
        rows.patiently(
            lambda: audit.record(
                "fhir.read",
                actor=user,
                request=request,
                organization=row.organization.name,
                patient_id=row.patient_id if kind == "Patient" else row.patient.patient_id,
                detail={"resource": kind, "id": row.pk},
            )
        )
