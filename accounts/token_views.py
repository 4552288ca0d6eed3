"""The page of one's own API tokens: made here, shown once, narrowed and revoked."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit
from accounts.authentication import issue
from accounts.models import ApiToken, User
from accounts.reauthentication import needed_for_administration
from accounts.scopes import SCOPES

DAYS, DAYS_AT_MOST = 90, 366
LIVE_AT_MOST = 50
"""Tokens of one person that are good at a time, of those made in pages."""


class TokenForm(forms.Form):
    """What a token is for, what it opens, and how long."""

    name = forms.CharField(max_length=100)
    days = forms.IntegerField(min_value=1, max_value=DAYS_AT_MOST, initial=DAYS)
    scopes = forms.MultipleChoiceField(choices=[(name, scope.words) for name, scope in SCOPES.items()], required=False)
    everything = forms.BooleanField(required=False)

    def clean(self) -> dict[str, object]:
        given = super().clean() or {}
        if bool(given.get("scopes")) == bool(given.get("everything")):
            raise forms.ValidationError(
                gettext_lazy("Choose what the token may do, or that it may do everything that you may."), code="scopes"
            )
        return given


@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """Everyone's own. A token makes no tokens: only who came in by a browser does."""
    _by_session(request)
    form, raw = TokenForm(request.POST if request.method == "POST" else None), ""
    if request.method == "POST" and form.is_valid():
        if needed_for_administration(request):
            return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}")
        raw = _made(request, form)
        form = TokenForm()
    shown = ApiToken.objects.filter(user=request.user, revoked_at=None).order_by("-created_at")
    rows = [{"token": one, "over": _over(one)} for one in shown]
    told = {"form": form, "raw": raw, "rows": rows, "scopes": SCOPES, "days": DAYS, "days_at_most": DAYS_AT_MOST}
    return render(request, "accounts/tokens.html", told, status=400 if form.errors else 200)


def _made(request: HttpRequest, form: TokenForm) -> str:
    given = form.cleaned_data
    user, scopes = _person(request), sorted(given["scopes"])
    with transaction.atomic():
        if ApiToken.objects.filter(user=user, revoked_at=None, expires_at__gt=timezone.now()).count() >= LIVE_AT_MOST:
            raise Http404
        raw = issue(user, given["name"], timezone.now() + timedelta(days=given["days"]), scopes)
        detail = {"person": user.get_username(), "label": given["name"], "scopes": scopes, "days": given["days"]}
        audit.record("token.issue", actor=user, request=request, detail=detail)
    return raw


@require_POST
def token_revoke(request: HttpRequest, token: int) -> HttpResponse:
    """It is good for nothing from now on; what is connected by it ends."""
    _by_session(request)
    with transaction.atomic():
        row = ApiToken.objects.select_for_update().filter(pk=token, user=request.user, revoked_at=None).first()
        if row is None:
            raise Http404
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        user = _person(request)
        detail = {"person": user.get_username(), "label": row.name}
        audit.record("token.revoke", actor=user, request=request, detail=detail)
    return redirect("tokens")


def _by_session(request: HttpRequest) -> None:
    if getattr(request, "api_token", None) is not None:
        raise Http404


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the rule of the door
    return request.user


def _over(token: ApiToken) -> bool:
    return token.expires_at is not None and token.expires_at <= timezone.now()
