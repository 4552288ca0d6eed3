"""What every answer tells a browser: where a page may load from, who may frame or open it, and where to report a breach.

No page of ours holds a script or a style in its own text, so no page needs a nonce: `script-src 'self'` is the strictest
policy of CSP Level 3 that a page with scripts can have.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.either import Either

logger = logging.getLogger(__name__)

REPORTS = "/csp-report/"
"""The door that browsers report to; its URL is named "csp-report"."""

HEADERS: dict[str, str] = {
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Referrer-Policy": "same-origin",
    "Reporting-Endpoints": f'csp="{REPORTS}"',
}
"""Set where the view has not said otherwise. Strict-Transport-Security comes with TLS alone, see `_headed`."""

DIRECTIVES: dict[str, str] = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "report-uri": REPORTS,
    "report-to": "csp",
}


class ContentSecurityMiddleware(Either):
    """Pages load only what this server serves, run no script of a file's text, and stand in nobody's frame."""

    def __call__(self, request: HttpRequest) -> Any:
        return self._later(request) if self.waits else _headed(request, self.get_response(request))

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        return _headed(request, await self.get_response(request))


def _headed(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    response.setdefault("Content-Security-Policy", content_security_policy(request))
    for name, value in HEADERS.items():
        response.setdefault(name, value)
    if settings.SECURE_HSTS_SECONDS:  # also behind a proxy that ends TLS and does not say so; plain HTTP ignores it
        response.setdefault("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains")
    return response


def allow_forms_to(request: HttpRequest, *origins: str) -> None:
    """Forms of this answer's page may end at `origins` too: Chromium follows form-action through redirects."""
    request.form_targets = origins  # type: ignore[attr-defined]


def content_security_policy(request: HttpRequest) -> str:
    """The header's text. The sockets' address stands there in full: older browsers do not count it into 'self'."""
    try:
        host = request.get_host()
        sockets = f" ws://{host} wss://{host}"
    except DisallowedHost:
        sockets = ""
    forms = " ".join((DIRECTIVES["form-action"], *getattr(request, "form_targets", ())))
    directives = {**DIRECTIVES, "form-action": forms, "connect-src": f"'self'{sockets}"}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


# --- what browsers report

reported: Counter[str] = Counter()
"""Breaches by directive since this process began, for /metrics."""

REPORT_BYTES = 16 * 1024
REPORTS_A_MINUTE = 60
MEDIA_TYPES = ("application/csp-report", "application/reports+json")
OTHER = "other"
KNOWN = frozenset(
    {*DIRECTIVES, "connect-src", "script-src-elem", "script-src-attr", "style-src-elem", "style-src-attr"}
)


class _Window:
    """At most so many a minute, for all senders together: the door is open to everybody."""

    def __init__(self) -> None:
        self._lock, self._minute, self._taken = Lock(), 0, 0

    def takes(self) -> bool:
        minute = int(time.monotonic() // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._taken = minute, 0
            self._taken += 1
            return self._taken <= REPORTS_A_MINUTE


_window = _Window()


@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Counts what a browser would not run or load. Nothing of the report is kept: addresses and samples may name patients."""
    if not _window.takes():
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    if request.content_type not in MEDIA_TYPES:
        return HttpResponse(status=415)
    if int(request.headers.get("Content-Length") or 0) > REPORT_BYTES:
        return HttpResponse(status=413)
    for directive in directives_of(request.body):
        reported[directive] += 1
        logger.warning("a browser reports a breach of the content security policy: %s", directive)
    return HttpResponse(status=204)


def directives_of(body: bytes) -> list[str]:
    """The directives that a report names (CSP3 5.3, both forms); what we do not set is "other", what is no report is none."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return []
    if isinstance(told, dict):
        return [_known(told.get("csp-report"), "effective-directive", "violated-directive")]
    if isinstance(told, list):
        rows = [row for row in told[:20] if isinstance(row, dict) and row.get("type") == "csp-violation"]
        return [_known(row.get("body"), "effectiveDirective") for row in rows]
    return []


def _known(report: Any, *names: str) -> str:
    texts = [report.get(name) for name in names] if isinstance(report, dict) else []
    words = next((text for text in texts if isinstance(text, str) and text), OTHER).split()
    return words[0] if words and words[0] in KNOWN else OTHER
