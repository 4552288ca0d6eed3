"""What the doors of orders and worklist have in common: bodies, items, refusals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.models import Organization, User
from reporting.models import ReadingItem
from reporting.worklist.listing import visible_items
from reporting.worklist.refusals import Assigned, BadOrder, Held, Overtaken, Refused, WrongPatient
from reporting.worklist.states import STEPS
from viewer.api.doors import Door, data_of
from viewer.archive import rows
from viewer.archive.query import Ambiguous, BadQuery, NotFound

MOST_ID = 2**63 - 1


class WorklistDoor(Door):
    """Refusals carry a code; asking for what one may not have is written down."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, BadOrder):
            return _refused({"detail": str(exc)}, 400)
        if isinstance(exc, Refused):
            return _refused({"detail": str(exc), **_more(exc)}, 409)
        return super().handle_exception(exc)

    def note_denial(self) -> None:
        asked = next((f"{what} {self.kwargs[key]}" for key, what in NAMED.items() if key in self.kwargs), "")
        if asked:
            action = self.request.resolver_match.view_name.removeprefix("api-").replace("-", ".", 1)
            rows.patiently(
                lambda: audit.record(
                    action,
                    actor=self.request.user,
                    request=self.request,
                    object_uid=asked[:64],
                    outcome="denied",
                    detail={"door": self.request.resolver_match.view_name},
                )
            )

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What a person may not see answers every method alike."""
        if "item_id" in kwargs:
            visible_item(request, kwargs["item_id"])
        return super().http_method_not_allowed(request, *args, **kwargs)


NAMED = {"item_id": "item", "order_id": "order", "filter_id": "filter"}


def _more(refusal: Refused) -> dict[str, Any]:
    if isinstance(refusal, Held):
        return {"code": "held", "by": refusal.by, "until": refusal.until.isoformat()}
    if isinstance(refusal, Assigned):
        return {"code": "assigned", "by": refusal.to}
    if isinstance(refusal, Overtaken):
        return {"code": "overtaken", "version": refusal.version}
    return {"code": "wrong_patient" if isinstance(refusal, WrongPatient) else "refused"}


def _refused(body: dict[str, Any], status: int) -> Response:
    response = Response(body, status=status)
    response.exception = True
    return response


# --- what is asked about


def visible_item(request: Request, item_id: int) -> ReadingItem:
    """An item that whoever asks may see. Raises NotFound."""
    found = visible_items(person(request)).filter(pk=item_id).first() if item_id <= MOST_ID else None
    if found is None:
        raise NotFound("there is no such item in the worklist")
    return found


def item_for(request: Request, item_id: int, action: str) -> ReadingItem:
    """An item of an organization where whoever asks holds a role that `action` needs. Raises NotFound."""
    organizations = person(request).organizations_as(STEPS[action].roles)
    rows = ReadingItem.objects.filter(pk=item_id, organization__in=organizations) if item_id <= MOST_ID else None
    found = rows.first() if rows is not None else None
    if found is None:
        raise NotFound("there is no such item in the worklist")
    return found


def person(request: Request) -> User:
    user: User = request.user
    return user


def organization_as(request: Request, roles: Iterable[str], named: str) -> Organization:
    """The organization named, or the only one in which this person holds one of `roles`. Raises NotFound, Ambiguous."""
    own = person(request).organizations_as(roles).order_by("name")
    found = list(own.filter(name=named) if named else own)
    if not found:
        raise NotFound("there is no such organization")
    if len(found) > 1:
        raise Ambiguous([organization.name for organization in found])
    return found[0]


# --- bodies


def body_of(request: Request, known: Iterable[str]) -> dict[str, Any]:
    """The JSON object of a request, with fields of `known` alone. Raises BadQuery."""
    body = data_of(request)
    if not isinstance(body, dict):
        raise BadQuery("body", "a JSON object is expected")
    strange = set(body) - set(known)
    if strange:
        raise BadQuery(min(map(str, strange))[:50], "no such field")
    return body


def text(body: dict[str, Any], name: str, most: int = 1000) -> str:
    """A text of the body; "" where it is left out. Raises BadQuery."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise BadQuery(name, f"a text of at most {most} characters is expected")
    return value.encode(errors="replace").decode().replace("\0", "").strip()


def number(body: dict[str, Any], name: str) -> int | None:
    """A whole number of the body; None where it is left out. Raises BadQuery."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_ID:
        raise BadQuery(name, "a whole number is expected")
    return value


def moment(body: dict[str, Any], name: str) -> Any:
    """A point in time with its zone; None where it is left out. Raises BadQuery."""
    said = text(body, name, 40)
    if not said:
        return None
    try:
        found = parse_datetime(said)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadQuery(name, "a time like 2026-01-31T08:30:00+01:00 is expected")
    return found
