"""`/IHETemplateService/`: templates after IHE MRRT for other programs. RAD-103 fetches one, RAD-104 stores one, RAD-105 asks.

Who reports may read, who administers may store. Nothing that was stored is in use by that.
"""

from __future__ import annotations

from urllib.parse import quote

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from accounts import audit
from accounts.models import Organization, User
from reporting.models import TemplateVersion
from reporting.mrrt import Unusable, read
from reporting.mrrt_service.querying import BadQuestion, answers, question_of
from reporting.templating import files
from reporting.templating.rights import NotAllowed, managed_by, may_manage, templates_for
from reporting.templating.storing import Conflict, Stored, identifier_of, take_in, versions_named
from viewer.archive import rows

HTML = "text/html; charset=utf-8"
SANDBOXED = "default-src 'none'; style-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox"


# --- RAD-105


def several(request: HttpRequest) -> HttpResponse:
    """Templates that suit the question, as JSON, or as a list to read."""
    if request.method not in ("GET", "HEAD"):
        return _refused(405, "GET is expected.", Allow="GET, HEAD")
    try:
        question = question_of(request.GET.dict())
    except BadQuestion as problem:
        return _refused(400, str(problem))
    found, total = answers(_user(request), question)
    for row in found:
        row["address"] = address(row["identifier"], row["organization"])
    if _wants_page(request):
        return render(
            request, "reporting/mrrt/list.html", {"templates": found, "total": total, "asked": question.asked}
        )
    return JsonResponse({"templates": found, "total": total, "limit": question.limit, "offset": question.offset})


def _wants_page(request: HttpRequest) -> bool:
    said = request.GET.get("format", "").lower()
    if said in ("json", "html"):
        return said == "html"
    return "text/html" in request.headers.get("Accept", "")


def address(identifier: str, organization: str | None) -> str:
    suffix = f"?organization={quote(organization)}" if organization else ""
    return f"/IHETemplateService/{quote(identifier, safe='')}{suffix}"


# --- one template


@csrf_exempt
def one(request: HttpRequest, identifier: str) -> HttpResponse:
    """RAD-103 and RAD-104. Programs send no CSRF token: a page's cookie alone stores nothing (see `_is_ours`)."""
    if request.method in ("GET", "HEAD"):
        return _fetched(request, identifier)
    if request.method == "PUT":
        return _stored(request, identifier)
    return _refused(405, "GET or PUT is expected.", Allow="GET, HEAD, PUT")


def _fetched(request: HttpRequest, identifier: str) -> HttpResponse:
    """RAD-103: the HTML as it is kept, which holds nothing active; browsers are told to run nothing of it all the same."""
    found = _visible(_user(request), identifier, request.GET.get("organization"))
    if not found:
        return _not_found(request, identifier)
    if len(found) > 1:
        names = sorted(_place(one) for one in found)
        return JsonResponse(
            {"detail": "There are several of this identifier: name one.", "organizations": names}, status=409
        )
    [version] = found
    etag = f'"{version.sha256}"'
    if etag in [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]:
        return HttpResponse(status=304, headers={"ETag": etag})
    named = files.file_name(version)
    return HttpResponse(
        version.html,
        content_type=HTML,
        headers={
            "ETag": etag,
            "Content-Disposition": f'inline; filename="{named}"',
            "Content-Security-Policy": SANDBOXED,
            "X-Content-Type-Options": "nosniff",
        },
    )


def _visible(user: User, identifier: str, organization: str | None) -> list[TemplateVersion]:
    """Versions of this identifier that `user` may see: an organization's own go before those for all."""
    templates = templates_for(user)
    if organization is not None:
        templates = templates.filter(Q(organization__name=organization))
    homes = Organization.objects.filter(pk__in=templates.values("organization"))
    own = [version for home in homes if (version := versions_named(identifier, home)) and _shown(user, version)]
    shared = versions_named(identifier, None) if organization is None else None
    return own or ([shared] if shared is not None and templates.exists() and _shown(user, shared) else [])


def _shown(user: User, version: TemplateVersion) -> bool:
    """Those that are or were in use; drafts to who manages them."""
    used = version.template.active_version_id == version.pk
    was = version.template.events.filter(version=version, kind="activated").exists()
    return used or was or may_manage(user, version.template.organization)


def _place(version: TemplateVersion) -> str:
    return version.template.organization.name if version.template.organization else ""


def _stored(request: HttpRequest, identifier: str) -> HttpResponse:
    """RAD-104. A changed body needs a new identifier."""
    if not _is_ours(request):
        return _refused(403, "Send Authorization: Bearer TOKEN to store a template.")
    user = _user(request)
    organization, problem = _home(request, user)
    if organization is None:
        return problem
    try:
        data = request.read(files.LARGEST + 1)
    except OSError:
        return _refused(400, "The body ended too early.")
    if len(data) > files.LARGEST:
        return _refused(413, f"A template has at most {files.LARGEST:,} bytes.")
    text, mended = files.decoded(data)
    try:
        found = read(text, identifier)
        if found.identifier != identifier:
            said = f"The template says that it is {found.identifier!r}, and it is sent to {identifier!r}."
            return _problems(422, [said])
        told = take_in(found, text, user, organization, request, strict=True)
    except Unusable as refused:
        _note_refusal(request, user, identifier, refused.problems)
        return _problems(422, refused.problems)
    except Conflict as refused:
        _note_refusal(request, user, identifier, [str(refused)])
        return _refused(409, str(refused))
    except NotAllowed:
        return _not_found(request, identifier)
    repairs = ([mended] if mended else []) + list(found.repairs)
    return _answer(told, repairs, list(found.dropped))


def _answer(told: Stored, repairs: list[str], dropped: list[str]) -> HttpResponse:
    version = told.version
    new = told.outcome != "unchanged"
    body = {
        "identifier": identifier_of(version),
        "title": version.title,
        "version": version.number,
        "outcome": told.outcome,
        "sha256": version.sha256,
        "repairs": repairs,
        "dropped": dropped,
        "detail": "Stored; an administrator puts it in use." if new else "It is here already, the same.",
    }
    where = address(identifier_of(version), _place(version) or None)
    return JsonResponse(body, status=201 if new else 200, headers={"Location": where} if new else {})


def _home(request: HttpRequest, user: User) -> tuple[Organization | None, HttpResponse]:
    """The organization that a template is stored for: the one named, else the only one that is managed."""
    named, managed = request.GET.get("organization"), managed_by(user)
    if named:
        return managed.filter(name=named).first(), _refused(404, "Not found.")
    homes = list(managed[:2])
    if len(homes) == 1:
        return homes[0], HttpResponse()
    names = sorted(managed.values_list("name", flat=True)[:50])
    return None, JsonResponse(
        {"detail": "You manage several organizations: name one.", "organizations": names}, status=409
    )


def _is_ours(request: HttpRequest) -> bool:
    """Does a token speak, not merely the cookie of a browser that may be on another site's page?"""
    return getattr(request, "api_token", None) is not None


# --- refusals


def _user(request: HttpRequest) -> User:
    user: User = request.user  # type: ignore[assignment]
    return user


def _refused(status: int, detail: str, **headers: str) -> HttpResponse:
    return JsonResponse({"detail": detail}, status=status, headers=headers)


def _problems(status: int, problems: list[str]) -> HttpResponse:
    told = [{"rule": "template", "level": "block", "message": said} for said in problems]
    return JsonResponse({"detail": problems[0], "problems": told}, status=status)


def _not_found(request: HttpRequest, identifier: str) -> HttpResponse:
    _note(request, "template.read", identifier, "denied", {})
    return _refused(404, "Not found.")


def _note_refusal(request: HttpRequest, user: User, identifier: str, problems: list[str]) -> None:
    _note(request, "template.store", identifier, "failure", {"problems": problems[:5]})


def _note(request: HttpRequest, action: str, identifier: str, outcome: str, detail: dict[str, object]) -> None:
    rows.patiently(
        lambda: audit.record(
            action, actor=_user(request), request=request, object_uid=identifier, outcome=outcome, detail=detail
        )
    )
