"""The administration site: for people with the role of an administrator, and for nobody else."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.policy import SAFE_METHODS, administers
from accounts.reauthentication import carries_secret, needed_for_administration
from accounts.system_pages import SystemPages
from accounts.views import SignOut


class Site(SystemPages, admin.AdminSite):
    """Django's administration, with our own door: one sign-in page, one policy."""

    site_header = "Farview administration"
    site_title = "Farview administration"
    index_title = "Administration"
    site_url = "/"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        return administers(request)

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Pages that libraries bring along stay away: django-allauth's show every organization's people, Django's groups mean
        nothing here."""
        if admin_class is None or not admin_class.__module__.startswith(("allauth.", "django.contrib.auth.")):
            super().register(model_or_iterable, admin_class, **options)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """A change by somebody who proved long ago who they are waits; allauth keeps the form and goes on with it."""
        inner = super().admin_view(view, cacheable)

        def asked_again(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method in SAFE_METHODS or not self.has_permission(request):
                return inner(request, *args, **kwargs)
            if not needed_for_administration(request):
                return inner(request, *args, **kwargs)
            if carries_secret(request):
                return redirect_to_login(request.get_full_path(), reverse("account_reauthenticate"))
            raise ReauthenticationRequired

        return update_wrapper(asked_again, inner)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.has_permission(request):
            return redirect("admin:index")
        return redirect_to_login(request.get_full_path())

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return SignOut.as_view()(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("password")
