"""`/share/{token}/`: how somebody without an account comes in; `/shares/`: the links that one has made."""

from __future__ import annotations

import re

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect, ensure_csrf_cookie
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import sharing
from accounts.models import ShareLink
from viewer.archive.rows import patiently
from viewer.languages import page_catalogue
from viewer.models import Study

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}\Z")
HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
LISTED = 200
USES = 10


@csrf_exempt
@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
def share(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows what there is and uses nothing up; POST, with the PIN where one is asked for, comes in."""
    _restore_origin(request)
    response: HttpResponse = _share(request, token)
    for name, value in HEADERS.items():
        response[name] = value
    return response


def _restore_origin(request: HttpRequest) -> None:
    """Under "no-referrer" a browser sends `Origin: null` with the page's own form, which no CSRF check accepts. Where it says
    itself that the form came from here, which no page can forge (Fetch Metadata), its origin is put back. Over plain HTTP it
    says nothing: then the token of the form, whose cookie no foreign page sends along, decides alone."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.META.get("HTTP_ORIGIN") == "null" and site == "same-origin":
        request.META["HTTP_ORIGIN"] = f"{request.scheme}://{request.get_host()}"


@csrf_protect
def _share(request: HttpRequest, token: str) -> HttpResponse:
    link = sharing.find(token) if TOKEN.match(token) else None
    if link is None:
        return _ended(request)
    here, why = request.user.pk == link.guest_id, sharing.shut(link)
    if why is not None and not (here and why is sharing.Shut.USED_UP):
        patiently(lambda: sharing.note_shut(link, why, request))
        return _ended(request)
    if request.method != "POST":
        return _door(request, link)
    if here:
        return redirect(_inside(link))
    if request.user.is_authenticated and request.POST.get("as") != "link":
        return _door(request, link)
    if link.pin and not _pin_fits(request, link):
        return _ended(request) if sharing.shut(link) else _door(request, link, wrong=True)
    return _come_in(request, link)


def _pin_fits(request: HttpRequest, link: ShareLink) -> bool:
    """Brings `link` up to what a wrong PIN makes of it."""
    if not patiently(lambda: sharing.count_try(link)):
        link.refresh_from_db()
        return False
    if sharing.pin_is(link, request.POST.get("pin", "").strip()):
        return True
    patiently(lambda: sharing.note_wrong(link, request))
    return False


def _ended(request: HttpRequest) -> HttpResponse:
    """One page for whatever is no link, or none any more."""
    return render(request, "viewer/share_ended.html", status=404)


def _come_in(request: HttpRequest, link: ShareLink) -> HttpResponse:
    """Leave whatever session there is, and begin the link's own."""
    if not patiently(lambda: sharing.use(link, request)):
        return _ended(request)
    if request.user.is_authenticated:
        logout(request)
    request.sign_in_by = "share"  # type: ignore[attr-defined]
    login(request, link.guest, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session.set_expiry(sharing.session_ends(link))
    return redirect(_inside(link))


def _inside(link: ShareLink) -> str:
    if link.scope == ShareLink.Scope.REPORT:
        return reverse("shared-report")
    return reverse("study", args=[link.study_instance_uid])


def _door(request: HttpRequest, link: ShareLink, *, wrong: bool = False) -> HttpResponse:
    somebody = request.user.is_authenticated and request.user.pk != link.guest_id
    shown = {
        "link": link,
        "organization": str(link.organization),
        "wrong": wrong,
        "somebody": somebody,
        "of_another_link": somebody and sharing.link_of(request.user) is not None,
        "own": _own_way(request, link) if somebody else "",
    }
    return render(request, "viewer/share.html", shown, status=403 if wrong else 200)


def _own_way(request: HttpRequest, link: ShareLink) -> str:
    """Where somebody with an account sees the same by their own right; empty where they do not."""
    seen = Study.objects.visible_to(request.user).filter(
        organization=link.organization_id, study_instance_uid=link.study_instance_uid
    )
    if link.scope == ShareLink.Scope.REPORT or not seen.exists():
        return ""
    return f"{reverse('study', args=[link.study_instance_uid])}?organization={link.organization.name}"


@require_safe
@ensure_csrf_cookie
def shares(request: HttpRequest) -> HttpResponse:
    """The links that this person looks after, with who came by them; the newest first."""
    request.session[sharing.LOOKED] = timezone.now().isoformat()
    links = list(sharing.links_of(request.user).order_by("-pk")[:LISTED])
    found = Study.objects.filter(
        study_instance_uid__in={link.study_instance_uid for link in links},
        organization__in={link.organization_id for link in links},
    ).select_related("patient")
    studies = {(one.organization_id, one.study_instance_uid): one for one in found}
    rows = [
        {
            "link": link,
            "study": studies.get((link.organization_id, link.study_instance_uid)),
            "why": why.value if (why := sharing.shut(link)) else "",
            "uses": list(sharing.uses_of(link, USES)) if link.uses else [],
            "wrong_pins": link.failed_pins >= sharing.WRONG_PINS,
            "own": link.made_by_id == request.user.pk,
        }
        for link in links
    ]
    return render(request, "viewer/shares.html", {"rows": rows, "catalogue": page_catalogue()})
