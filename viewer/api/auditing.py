"""Nothing that `accounts.audited` names passes a door without an event: what a view did not write down is written here."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

from accounts import audit
from accounts.audited import Act, act_of
from accounts.authentication import bearer_of
from accounts.either import Either
from accounts.knocking import Lately
from accounts.models import AuditEvent, User
from accounts.origin import Request
from accounts.policy import SAFE_METHODS
from viewer.archive import rows
from viewer.models import Study

DENIALS = (401, 403, 404)
TOO_MANY = 429
REFUSED = "door.refuse"
OBJECTS = ("series_instance_uid", "sop_instance_uid", "report_id", "key", "object_id", "uid")
"""Parameters of addresses that name an object."""
LATELY = Lately()


class AuditMiddleware(Either):
    """After the view: a look within a while is one event, a refusal as often as `accounts.knocking` says. The event is durable
    before the answer leaves. A change is always one, and stands in the transaction of the act: by its view, or carried."""

    def __call__(self, request: HttpRequest) -> Any:
        if self.waits:
            return self._later(request)
        with audit.heard() as actions, audit.owing(lambda: carried(request)):
            response = self.get_response(request)
        note(request, response, actions)
        return response

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        with audit.heard() as actions, audit.owing(lambda: carried(request)):
            response: HttpResponseBase = await self.get_response(request)
        if _asks(request, response):
            await sync_to_async(note)(request, response, actions)
        return response


def _asks(request: HttpRequest, response: HttpResponseBase) -> bool:
    """False for what is certainly nothing to be written."""
    return request.resolver_match is not None and response.status_code != 304


OFTEN = frozenset({"api-report", "api-report-lock", "api-worklist-heartbeat", "api-viewed", "api-my-settings"})
"""Doors at which a page changes something every few seconds by itself, as it saves what is typed: each version of a report is
kept in its own chain, and the record says once in a while that somebody writes."""


def note(request: HttpRequest, response: HttpResponseBase, actions: list[str]) -> None:
    """Write down what came of `request`, where `actions`, the events of its view, say nothing."""
    match = request.resolver_match
    act = act_of(match.view_name) if match is not None else None
    if act is None:
        return
    status, looks = response.status_code, request.method in SAFE_METHODS
    person = getattr(request, "user", None)
    if status == TOO_MANY and not actions and isinstance(person, User):
        note_storm(person, request, match.view_name)
        return
    if status in DENIALS:
        if not actions and (act.looks or act.changes):
            _note_refusal(request)
        return
    action = act.looks if looks else act.changes
    seen = status in (200, 206) if looks else status < 400
    if not seen or not action or not isinstance(person, User):
        return
    key = _key(request, person, act)
    if actions or ((looks or match.view_name in OFTEN) and LATELY.noted(key)):
        LATELY.note(key)
        return
    rows.patiently(lambda: _record(request, person, action, act))
    LATELY.note(key)


def note_storm(person: User, request: Request, door: str) -> None:
    """Somebody asked more than `accounts.rates` or a socket's meter allows: one event a while for each door, no more."""
    key = (person.pk, door, REFUSED)
    if LATELY.noted(key):
        return
    LATELY.note(key)
    detail = {"door": door, "reason": "too many requests"}
    rows.patiently(lambda: audit.record(REFUSED, actor=person, request=request, outcome="denied", detail=detail))


def carried(request: HttpRequest) -> AuditEvent | None:
    """Within the act's transaction: write down what is about to be changed, where nobody else does."""
    match, person = request.resolver_match, getattr(request, "user", None)
    act = act_of(match.view_name) if match is not None else None
    if act is None or not act.carried or request.method in SAFE_METHODS or not isinstance(person, User):
        return None
    if match.view_name in OFTEN and LATELY.noted(_key(request, person, act)):
        return None
    return _record(request, person, act.changes, act)


def _key(request: HttpRequest, person: User, act: Act) -> tuple[object, ...]:
    """What is one look, or one change that a page makes by itself."""
    address = request.get_full_path() if act.each else ""
    return person.pk, request.resolver_match.view_name, address, request.method in SAFE_METHODS


def _record(request: HttpRequest, person: User, action: str, act: Act) -> AuditEvent:
    match = request.resolver_match
    study = _study(person, match.kwargs.get("study_instance_uid", ""))
    objects = [str(match.kwargs[name]) for name in OBJECTS if name in match.kwargs] if act.each else []
    detail: dict[str, Any] = {"door": match.view_name}
    if request.GET:
        said = salted_hmac("farview.audit.query", request.GET.urlencode()).hexdigest()[:16]
        detail |= {"asked": sorted(name[:40] for name in request.GET)[:40], "query": said}
    return audit.record(
        action,
        actor=person,
        request=request,
        organization=study.organization.name if study else "",
        patient_id=study.patient.patient_id if study else "",
        study_instance_uid=match.kwargs.get("study_instance_uid", "")[:64],
        object_uid=objects[-1][:128] if objects else "",
        detail=detail,
    )


def _study(person: User, uid: str) -> Study | None:
    if not uid:
        return None
    found = Study.objects.visible_to(person).filter(study_instance_uid=uid)
    return found.select_related("organization", "patient").order_by("pk").first()


def _note_refusal(request: HttpRequest) -> None:
    """Of somebody who is known, or who showed a token; whoever is nobody was only sent to sign in."""
    person = getattr(request, "user", None)
    known = person if isinstance(person, User) else None
    if known is None and bearer_of(request) is None:
        return
    match = request.resolver_match
    uid = str(match.kwargs.get("study_instance_uid", ""))[:128]
    rows.patiently(
        lambda: audit.record(
            REFUSED, actor=known, request=request, outcome="denied", object_uid=uid, detail={"door": match.view_name}
        )
    )
