"""Pages of the administration about the server as a whole; other rooms hang theirs in here. For operators alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path, reverse

from accounts.policy import administers


@dataclass(frozen=True, slots=True)
class SystemPage:
    """`name` is its address below system/."""

    name: str
    title: str
    view: Callable[[HttpRequest], HttpResponse]


PAGES: dict[str, SystemPage] = {}
ALERTS: list[Callable[[], Iterable[str]]] = []
"""What an operator has to know at once, in sentences; shown on the first page until it is over."""


def add_page(page: SystemPage) -> None:
    """Called where a room's administration is imported."""
    PAGES[page.name] = page


def operates(request: HttpRequest) -> bool:
    """Whoever runs the server: the disk, the mail and the keys of all organizations are theirs alone."""
    return administers(request) and bool(request.user.is_superuser)


class SystemPages(admin.AdminSite):
    """What an administration site needs to have the pages."""

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if operates(request):
            for alert in ALERTS:
                for text in alert():
                    messages.error(request, text)
        return super().index(request, extra_context)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [
            path(f"system/{page.name}/", self.admin_view(_for_operators(page.view)), name=f"system_{page.name}")
            for page in PAGES.values()
        ]
        return [*own, *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = super().get_app_list(request, app_label)
        if app_label is None and operates(request) and PAGES:
            found.append(_section())
        return found


def _section() -> dict[str, Any]:
    rows = [
        {
            "name": page.title,
            "object_name": f"system_{page.name}",
            "admin_url": reverse(f"admin:system_{page.name}"),
            "add_url": None,
            "view_only": True,
            "perms": {"view": True},
        }
        for page in PAGES.values()
    ]
    return {
        "name": "System",
        "app_label": "system",
        "app_url": rows[0]["admin_url"],
        "has_module_perms": True,
        "models": rows,
    }


def _for_operators(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def page(request: HttpRequest) -> HttpResponse:
        if not operates(request):
            raise Http404
        return view(request)

    return page
