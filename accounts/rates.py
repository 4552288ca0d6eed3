"""How often a person may ask what is dear: a bucket of tries for each person and kind of door, refilled by the minute.

Sign-in has a count of its own (`accounts.lockout`), frames over the socket are credited (docs/protocol.md). Paces are far
above what people and well-meant programs do: they bound what one account can take from all others.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from accounts.either import Either
from accounts.policy import is_program


@dataclass(frozen=True, slots=True)
class Pace:
    """So many at once, and so many a minute in the long run."""

    name: str
    burst: int
    a_minute: int


FILES = Pace("files", 60, 60)
"""A file is made for this answer: archives, videos, documents."""
SEARCHES = Pace("searches", 600, 1200)
PICTURES = Pace("pictures", 3000, 12_000)
"""Each is drawn for this answer."""
ELSEWHERE = Pace("elsewhere", 30, 60)
"""Another archive is asked."""

PACES: dict[str, Pace] = {
    **dict.fromkeys(("api-study-export", "api-series-export", "api-series-video", "api-report-export"), FILES),
    **dict.fromkeys(("api-studies", "api-worklist", "fhir-search", "study-list"), SEARCHES),
    **dict.fromkeys(("dicomweb-studies", "dicomweb-all-series", "dicomweb-all-instances"), SEARCHES),
    **dict.fromkeys(("api-frame", "wado-uri", "dicomweb-frames-rendered", "dicomweb-instance-rendered"), PICTURES),
    "api-peer-search": ELSEWHERE,
}
"""By the name of the URL."""


class Buckets:
    """Thread-safe. Of the callers that came last, so many; whoever drops out begins with a full bucket."""

    def __init__(self, most: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._held: OrderedDict[tuple[str, object], tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, pace: Pace, who: object) -> float:
        """Take one. 0: there was one; else the seconds until there is."""
        key, now = (pace.name, who), self._clock()
        with self._lock:
            left, at = self._held.pop(key, (float(pace.burst), now))
            left = min(float(pace.burst), left + (now - at) * pace.a_minute / 60)
            wait = 0.0 if left >= 1 else (1 - left) * 60 / pace.a_minute
            self._held[key] = (left if wait else left - 1, now)
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return wait

    def forget(self) -> None:
        with self._lock:
            self._held.clear()


@lru_cache(maxsize=1)
def buckets() -> Buckets:
    """Those of this process."""
    return Buckets()


class RateMiddleware(Either):
    """Asks after the policy has let somebody in, and before the view runs."""

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Iterable[Any], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        pace = PACES.get(match.view_name) if match else None
        if pace is None or not request.user.is_authenticated:
            return None
        wait = buckets().take(pace, request.user.pk)
        return too_many(request, wait) if wait else None


def too_many(request: HttpRequest, wait_s: float) -> HttpResponse:
    """429 (RFC 6585 4), with the seconds to wait."""
    seconds = max(1, ceil(wait_s))
    headers = {"Retry-After": str(seconds), "Cache-Control": "no-store"}
    detail = f"Too many requests; try again in {seconds} s."
    if is_program(request):
        return JsonResponse({"detail": detail}, status=429, headers=headers)
    return HttpResponse(detail, status=429, content_type="text/plain; charset=utf-8", headers=headers)
