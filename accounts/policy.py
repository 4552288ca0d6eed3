"""One table says who may come through which door; a door that is not in it stays shut.

Every request is looked up by the name of its URL in `RULES` (`accounts.middleware.PolicyMiddleware`), sockets ask
`websocket_refusal`. A rule says what a person must be at all; what they see behind the door is narrowed by
`Study.objects.visible_to(user)` and its like. Whoever lacks the right gets the answer for what does not exist.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.checks import CheckMessage, register
from django.core.checks import Warning as CheckWarning
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, resolve_url
from django.urls import Resolver404, ResolverMatch, URLPattern, URLResolver, get_resolver, resolve

from accounts import scopes
from accounts.authentication import bearer_of
from accounts.models import (
    READING_ROLES,
    REPORTING_ROLES,
    UPLOAD_ROLES,
    VIEWING_ROLES,
    Organization,
    Role,
    User,
)
from accounts.second_factor import SETUP_DOORS, must_set_up

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a person must be to come through a door at all."""

    name: str
    roles: tuple[str, ...] | None = None
    """Any one of these, in any organization; None: no role is asked for."""
    changing: tuple[str, ...] | None = None
    """Whoever comes to change something needs one of these instead; None: the same as to look."""
    public: bool = False
    guests: bool = False
    """Where no role is asked for: also who came by a share link."""

    def allows(self, user: Any, *, changes: bool = False) -> bool:
        """True when `user` may come through. Asks the database when the rule names roles."""
        if self.public:
            return True
        if not isinstance(user, User) or not user.is_active:
            return False
        roles = self.changing if changes and self.changing is not None else self.roles
        if roles is None:
            return self.guests or not _only_guest(user)
        return user.organizations_as(roles).exists()


def _only_guest(user: User) -> bool:
    """True for who came by a share link."""
    held = set(user.memberships.values_list("role", flat=True))
    return held == {Role.GUEST}


PUBLIC = Rule("public", public=True)
SIGNED_IN = Rule("signed_in")
KNOWN = Rule("known", guests=True)
READER = Rule("reader", roles=READING_ROLES)
VIEWER = Rule("viewer", roles=VIEWING_ROLES, changing=READING_ROLES)
GUESTED = Rule("guested", roles=(*VIEWING_ROLES, Role.GUEST), changing=READING_ROLES)
GUEST = Rule("guest", roles=(Role.GUEST,))
SHARER = Rule("sharer", roles=READING_ROLES)
SHARE_KEEPER = Rule("share_keeper", roles=(*READING_ROLES, Role.ADMIN))
DICOMWEB = Rule("dicomweb", roles=VIEWING_ROLES, changing=UPLOAD_ROLES)
REPORTER = Rule("reporter", roles=REPORTING_ROLES)
REPORT_KEEPER = Rule("report_keeper", roles=(*REPORTING_ROLES, Role.ADMIN))
TEMPLATE = Rule("template", roles=(*REPORTING_ROLES, Role.ADMIN), changing=(Role.ADMIN,))
UPLOADER = Rule("uploader", roles=UPLOAD_ROLES)
CORRECTOR = Rule("corrector", roles=(Role.TECHNOLOGIST, Role.ADMIN))
REFERRER = Rule("referrer", roles=(Role.REFERRER,))
ADMIN = Rule("admin", roles=(Role.ADMIN,))
LAUNCHER = Rule("launcher", roles=(*VIEWING_ROLES, Role.ADMIN))


def organizations_for(user: Any, rule: Rule) -> QuerySet[Organization]:
    """The organizations in which `user` holds a role that `rule` asks for: where they may read, upload or administer."""
    if not isinstance(user, User) or rule.roles is None:
        return Organization.objects.none()
    return user.organizations_as(rule.roles)


def administers(request: Any) -> bool:
    """Whether whoever asks administers an organization. The answer is kept for the request: a page of the administration
    asks it of every right to every kind of row, a hundred times and more.
    """
    kept = getattr(request, "_administers", None)
    if kept is None or kept[0] != request.user.pk:
        kept = request._administers = (request.user.pk, ADMIN.allows(request.user))
    return bool(kept[1])


def rule_named(view_name: str) -> Rule | None:
    """The rule of a URL by its name; of a name in a namespace also by "namespace:*"."""
    namespace, colon, _ = view_name.rpartition(":")
    return RULES.get(view_name) or (RULES.get(f"{namespace}:*") if colon else None)


def may_send_to(path: str, user: Any, granted: tuple[str, ...] = ()) -> bool:
    """True when `user`, by a token of the scopes `granted` or without one, may change something at `path`."""
    try:
        door = resolve(path).view_name
    except Resolver404:
        return False
    rule = rule_named(door)
    return rule is not None and rule.allows(user, changes=True) and scopes.opened(granted, door, changes=True)


def is_program(request: HttpRequest) -> bool:
    """True for a caller that wants a status and JSON, not the sign-in page."""
    if request.path_info.startswith(PROGRAM_DOORS) or "Authorization" in request.headers:
        return True
    accept = request.headers.get("Accept", "")
    return "json" in accept and "text/html" not in accept


def out_of_scope(request: HttpRequest, door: str) -> HttpResponse | None:
    """The answer for a token whose scopes do not open `door`: what there is none of, and which scopes would (RFC 6750 3.1)."""
    token = getattr(request, "api_token", None)
    changes = request.method not in SAFE_METHODS
    if token is None or scopes.opened(token.scopes, door, changes=changes):
        return None
    named = " ".join(scopes.wanted(door, changes=changes))
    challenge = f'Bearer realm="farview", error="insufficient_scope", scope="{named}"'
    return JsonResponse({"detail": "Not found."}, status=404, headers={"WWW-Authenticate": challenge})


def refusal(request: HttpRequest, match: ResolverMatch) -> HttpResponse | None:
    """Why `request` may not come through the door `match`, as the answer to give; None: it may.

    Raises Http404 for a page behind which this person has nothing to look for.
    """
    rule = rule_named(match.view_name)
    if rule is None:
        logger.error("no rule in accounts.policy for the URL named %r: refused", match.view_name)
        return not_found(request)
    if bearer_of(request) is not None and getattr(request, "api_token", None) is None and not rule.public:
        return unauthenticated("This token is unknown, expired or revoked.")
    if not rule.public and (refused := out_of_scope(request, match.view_name)) is not None:
        return refused
    if rule.allows(request.user, changes=request.method not in SAFE_METHODS):
        return None if rule.public else _without_second_factor(request, match)
    if request.user.is_authenticated:
        return not_found(request)
    if is_program(request):
        return unauthenticated("Sign in, or send Authorization: Bearer TOKEN.")
    return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))


def _without_second_factor(request: HttpRequest, match: ResolverMatch) -> HttpResponse | None:
    """Who must set up a second factor first comes no further than the pages for that. A token is asked for none."""
    if (
        getattr(request, "api_token", None) is not None
        or match.view_name in SETUP_DOORS
        or not must_set_up(request.user, request.session)
    ):
        return None
    if is_program(request):
        detail = "Your organization demands a second factor. Set one up at /accounts/ first."
        return JsonResponse({"detail": detail, "code": "mfa_required"}, status=403)
    return redirect("account")


def websocket_refusal(path: str, user: Any, granted: tuple[str, ...] = ()) -> str | None:
    """Why `user`, by a token of the scopes `granted` or without one, may not open the WebSocket `path`: "signed_out",
    "not_found", or None when they may."""
    rule = WEBSOCKET_RULES.get(path)
    if rule is None:
        logger.error("no rule in accounts.policy for the WebSocket %r: refused", path)
        return "not_found"
    if rule.allows(user) and scopes.opened(granted, path, changes=False):
        return None
    return "not_found" if isinstance(user, User) and user.is_active else "signed_out"


def unauthenticated(detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=401, headers={"WWW-Authenticate": 'Bearer realm="farview"'})


def not_found(request: HttpRequest) -> HttpResponse:
    if is_program(request):
        return JsonResponse({"detail": "Not found."}, status=404)
    raise Http404


def doors(urlconf: Any = None) -> list[tuple[str, str]]:
    """(route, name) of every URL that can be resolved; the name is what a request's `resolver_match.view_name` is."""
    found: list[tuple[str, str]] = []

    def walk(resolver: URLResolver, route: str, namespaces: tuple[str, ...]) -> None:
        for entry in resolver.url_patterns:
            here = route + str(entry.pattern)
            if isinstance(entry, URLResolver):
                walk(entry, here, (*namespaces, entry.namespace) if entry.namespace else namespaces)
            elif isinstance(entry, URLPattern):
                match = ResolverMatch(entry.callback, (), {}, entry.name, namespaces=namespaces)
                found.append((here, match.view_name))

    walk(get_resolver(urlconf), "/", ())
    return found


def doors_without_rule(urlconf: Any = None) -> list[str]:
    """Every URL that the table forgets, as "route (name)". They answer 404 until they have a rule."""
    return [f"{route} ({name})" for route, name in doors(urlconf) if rule_named(name) is None]


@register("security")
def check_every_door_has_a_rule(**_: Any) -> list[CheckMessage]:
    """`manage.py check` names the doors that are shut for want of a rule."""
    return [
        CheckWarning(f"{door} has no rule in accounts.policy and answers 404 to everybody", id="accounts.W001")
        for door in doors_without_rule()
    ]


SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
METHODS = (*SAFE_METHODS, "POST", "PUT", "PATCH", "DELETE")
"""Everything else is refused at every door: no view means it."""

PROGRAM_DOORS = ("/api/", "/dicom-web/", "/wado", "/fhir/", "/metrics", "/IHETemplateService/")
"""Doors at which nobody gets a 401, never a page to sign in on."""

RULES: dict[str, Rule] = {
    # signing in and out
    "sign-in": PUBLIC,
    "sign-in-link": PUBLIC,
    "sign-out": PUBLIC,
    "password": SIGNED_IN,
    "sessions": SIGNED_IN,
    "tokens": SIGNED_IN,
    "token-revoke": SIGNED_IN,
    "session-end": SIGNED_IN,
    "session-state": PUBLIC,
    "single-sign-on": PUBLIC,
    "single-sign-on-back": PUBLIC,
    "single-sign-on-logout": PUBLIC,
    "single-sign-on-confirm": SIGNED_IN,
    "single-sign-on-connect": SIGNED_IN,
    "confirmed": SIGNED_IN,
    "password-forgotten": PUBLIC,
    "password-reset": PUBLIC,
    "account_login": PUBLIC,
    "mfa_authenticate": PUBLIC,
    "mfa_login_webauthn": PUBLIC,
    **dict.fromkeys(
        (
            *("account", "mfa_index", "mfa_list_webauthn"),
            *("account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"),
            *("mfa_activate_totp", "mfa_deactivate_totp"),
            *("mfa_add_webauthn", "mfa_remove_webauthn", "mfa_edit_webauthn"),
            *("mfa_view_recovery_codes", "mfa_generate_recovery_codes"),
        ),
        SIGNED_IN,
    ),
    # style sheets and scripts are served beside Django, to everybody
    "healthz": PUBLIC,
    "csp-report": PUBLIC,
    "metrics": ADMIN,
    # pages; the list of an administrator who reads nowhere is empty
    "study-list": SIGNED_IN,
    "study": GUESTED,
    "upload": UPLOADER,
    # share links: whoever has one comes in without an account, and sees what it opens and nothing else
    "share": PUBLIC,
    "shared-report": GUEST,
    "shared-report-picture": GUEST,
    "shares": SHARE_KEEPER,
    "api-share-links": SHARER,
    "api-share-link": SHARE_KEEPER,
    "launch": VIEWER,
    "launch-code": VIEWER,
    # REST
    "api-schema": SIGNED_IN,
    "api-me": KNOWN,
    "api-my-settings": SIGNED_IN,
    "api-studies": SIGNED_IN,
    "api-study": GUESTED,
    "api-key-images": GUESTED,
    "api-key-image": VIEWER,
    "api-key-image-object": READER,
    "api-viewed": VIEWER,
    "api-measurements": GUESTED,
    "api-measurement": READER,
    "api-measurement-object": READER,
    "emergency": SIGNED_IN,
    "api-emergency": SIGNED_IN,
    "api-study-emergency": SIGNED_IN,
    "api-objects": GUESTED,
    "api-document": VIEWER,
    "api-segments": VIEWER,
    "api-pdf": VIEWER,
    "api-video": VIEWER,
    "api-hanging": GUESTED,
    "api-hanging-protocols": ADMIN,
    "api-uploads": UPLOADER,
    "api-launches": LAUNCHER,
    "api-corrections": CORRECTOR,
    "api-correction-choices": CORRECTOR,
    "api-correction-undo": CORRECTOR,
    "corrections": CORRECTOR,
    "transfers": READER,
    "api-peers": READER,
    "api-peer-search": READER,
    "api-transfers": READER,
    "api-transfer-cancel": READER,
    "api-transfer-retry": READER,
    "api-frame": GUESTED,
    "api-thumbnail": GUESTED,
    "api-study-export": VIEWER,
    "api-study-export-choices": VIEWER,
    "api-series-export": VIEWER,
    "api-series-video": VIEWER,
    "api-reports": REPORTER,
    "api-report": REPORTER,
    "api-report-lock": REPORTER,
    "api-report-checks": REPORTER,
    "api-report-versions": REPORTER,
    "api-report-difference": REPORTER,
    "api-report-sign": REPORTER,
    "api-report-cosign": REPORTER,
    "api-report-addendum": REPORTER,
    "api-report-return": REPORTER,
    "api-report-correct": REPORTER,
    "api-report-cancel": REPORT_KEEPER,
    "api-report-entered-in-error": REPORT_KEEPER,
    "api-report-preview": REPORTER,
    "api-report-critical": REPORTER,
    "api-report-critical-attempts": REPORTER,
    "api-report-critical-close": REPORTER,
    "api-report-export": VIEWER,
    "api-report-insertable": REPORTER,
    "api-report-evidence": VIEWER,
    "api-report-evidence-picture": VIEWER,
    "worklist": READER,
    "report": REPORTER,
    # results for referring physicians
    "results": REFERRER,
    "result": VIEWER,
    # orders and worklist
    "api-orders": READER,
    "api-order": READER,
    "api-order-cancel": READER,
    "api-worklist": READER,
    "api-worklist-next": REPORTER,
    "api-worklist-readers": ADMIN,
    "api-worklist-filters": READER,
    "api-worklist-filter": READER,
    "api-worklist-item": READER,
    "api-worklist-claim": REPORTER,
    "api-worklist-heartbeat": REPORTER,
    "api-worklist-release": REPORTER,
    "api-worklist-put-aside": REPORTER,
    "api-worklist-hold": READER,
    "api-worklist-ready": READER,
    "api-worklist-correct": READER,
    "api-worklist-link": READER,
    "api-worklist-class": READER,
    "api-worklist-assign": ADMIN,
    "api-worklist-free": ADMIN,
    "api-worklist-cancel": ADMIN,
    # FHIR; what can be asked for is no secret
    "fhir-metadata": PUBLIC,
    "fhir-audit-search": ADMIN,
    "fhir-audit-read": ADMIN,
    "fhir-search": VIEWER,
    "fhir-read": VIEWER,
    # DICOM over the web: looking is narrowed to what one may see, storing and deleting to where one may
    "dicomweb": SIGNED_IN,
    "dicomweb-capabilities": SIGNED_IN,
    **{
        f"dicomweb-{name}": DICOMWEB
        for name in (
            *("studies", "all-series", "all-instances", "bulkdata", "frames", "frames-rendered", "frames-thumbnail"),
            *(
                "study",
                "study-metadata",
                "study-rendered",
                "study-thumbnail",
                "study-all-series",
                "study-all-instances",
            ),
            *("series", "series-metadata", "series-rendered", "series-thumbnail", "series-all-instances"),
            *("instance", "instance-metadata", "instance-rendered", "instance-thumbnail"),
        )
    },
    "wado-uri": VIEWER,
    # templates and macros
    "api-templates": REPORT_KEEPER,
    "api-template-default": REPORTER,
    "api-macros": REPORT_KEEPER,
    "api-macro": REPORT_KEEPER,
    "mrrt-templates": TEMPLATE,
    "mrrt-template": TEMPLATE,
    # people, organizations, tokens, the record
    "admin:*": ADMIN,
}

WEBSOCKET_RULES: dict[str, Rule] = {
    "/ws/viewer/": GUESTED,
    "/ws/news/": SIGNED_IN,
    "/ws/live/": VIEWER,
}
