"""The pages of second factors: asked for while signing in, asked for again, and kept by their owner."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.account.views import ReauthenticateView
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.base.views import ReauthenticateView as CodeAgainView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.internal.auth import begin_authentication
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    EditWebAuthnView,
    LoginWebAuthnView,
    ReauthenticateWebAuthnView,
    RemoveWebAuthnView,
)
from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.generic import FormView, TemplateView

from accounts import recovery_codes
from accounts.adapter import relying_party
from accounts.forms import SignInForm
from accounts.policy import not_found
from accounts.reauthentication import BY_PASSKEY, keep_proof
from accounts.second_factor import has_second_factor, must_set_up, use_code

CEREMONY_SECONDS = 600
"""How long the session of somebody who is not signed in yet is kept."""
OPTIONS = "request_options"


class Account(TemplateView):
    """What a person keeps in order themselves."""

    template_name = "accounts/account.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person = self.request.user
        held = list(Authenticator.objects.filter(user=person).order_by("created_at"))
        codes = next((one for one in held if one.type == recovery_codes.KIND), None)
        return {
            **super().get_context_data(**kwargs),
            "app": next((one for one in held if one.type == Authenticator.Type.TOTP), None),
            "passkeys": [one for one in held if one.type == Authenticator.Type.WEBAUTHN],
            "codes_left": recovery_codes.left(codes) if codes else None,
            "codes_from_seed": codes is not None and recovery_codes.from_seed(codes),
            "demanded": must_set_up(person),
            "protected": has_second_factor(person),
        }


class _Ceremony:
    """What every page with a passkey needs to know."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        given: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return {**given, "relying_party": relying_party(), "public_url": settings.FARVIEW_PUBLIC_URL}


# --- on the way in


@method_decorator(login_stage_required(stage=AuthenticateStage.key, redirect_urlname="sign-in"), name="dispatch")
class SecondFactor(_Ceremony, AuthenticateView):
    """After the password: a code, or a passkey."""

    template_name = "accounts/second_factor.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        given = super().get_context_data(**kwargs)
        types = Authenticator.objects.filter(user=self.stage.login.user).values_list("type", flat=True)
        asked = self.auth_form if self.auth_form and self.auth_form.is_bound else self.webauthn_form
        return {**given, "types": set(types), "asked": asked}

    def form_invalid(self, form: Any) -> HttpResponse:
        response = super().form_invalid(form)
        response.status_code = 429 if any(form.has_error(name, "locked") for name in form.fields) else 200
        return response


class PasskeySignIn(LoginWebAuthnView):
    """A passkey instead of name and password. GET gives a program of ours the challenge; POST brings the answer."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        options = begin_authentication(None)
        request.session.set_expiry(CEREMONY_SECONDS)
        return JsonResponse({OPTIONS: options})

    def form_invalid(self, form: Any) -> HttpResponse:
        sign_in = SignInForm(self.request)
        shown = {"form": sign_in, "next": self.request.POST.get("next", ""), "passkey_refused": True}
        return render(self.request, "accounts/sign_in.html", {**shown, "relying_party": relying_party()})


# --- asked again


class _Again(_Ceremony):
    template_name = "accounts/confirm.html"
    way = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "way": self.way}


class PasswordAgain(_Again, ReauthenticateView):
    way = "password"


class CodeAgain(_Again, CodeAgainView):
    way = "code"


class PasskeyAgain(_Again, ReauthenticateWebAuthnView):
    way = "passkey"

    def form_valid(self, form: Any) -> HttpResponse:
        if form.checked:
            keep_proof(self.request, BY_PASSKEY)
        return super().form_valid(form)

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form))


# --- kept by their owner


class _InPerson:
    """A program with somebody's token neither sees nor changes how that person comes in."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if getattr(request, "api_token", None) is not None:
            return not_found(request)
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return answer


def codes_shown(request: HttpRequest, made: recovery_codes.Made) -> HttpResponse:
    """In the answer to the request that made them: afterwards nobody can, for only their hashes are kept."""
    return render(request, "accounts/recovery_codes.html", {"codes": made.codes})


class _FirstCodes:
    """Whoever adds a first factor is given recovery codes with it."""

    def form_valid(self, form: Any) -> HttpResponse:
        request: HttpRequest = self.request  # type: ignore[attr-defined]
        made = None if recovery_codes.of(request.user) else recovery_codes.make()
        with transaction.atomic():
            response = self.kept(form)
            if made is None or not recovery_codes.keep(request.user, made):
                return response
        return codes_shown(request, made)

    def kept(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        return response


class AddApp(_InPerson, _FirstCodes, ActivateTOTPView):
    template_name = "accounts/app_add.html"

    def kept(self, form: Any) -> HttpResponse:
        response = super().kept(form)
        use_code(self.request.user, form.cleaned_data["code"])  # it signs nobody in any more
        return response


class RemoveApp(_InPerson, DeactivateTOTPView):
    template_name = "accounts/remove.html"
    success_url = reverse_lazy("account")


class AddPasskey(_InPerson, _Ceremony, _FirstCodes, AddWebAuthnView):
    template_name = "accounts/passkey_add.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """A device that can keep the passkey shall, so that it signs in by itself."""
        given = super().get_context_data(**kwargs)
        chosen = given["js_data"]["creation_options"]["publicKey"].setdefault("authenticatorSelection", {})
        given["js_data"]["creation_options"]["publicKey"]["authenticatorSelection"] = {
            **chosen,
            "residentKey": "preferred",
            "requireResidentKey": False,
        }
        return {**given, "name": get_adapter().generate_authenticator_name(self.request.user, self.kind)}

    kind = Authenticator.Type.WEBAUTHN


class RemovePasskey(_InPerson, RemoveWebAuthnView):
    template_name = "accounts/remove.html"
    success_url = reverse_lazy("account")


class RenamePasskey(_InPerson, EditWebAuthnView):
    template_name = "accounts/passkey_name.html"
    success_url = reverse_lazy("account")


class RecoveryCodes(_InPerson, ViewRecoveryCodesView):
    """How many are left."""

    template_name = "accounts/recovery_codes.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Not what django-allauth would say: it knows its own lists alone."""
        raise_if_reauthentication_required(self.request, app="allauth.mfa")
        codes = recovery_codes.of(self.request.user)
        if codes is None:
            raise Http404
        return {**TemplateView.get_context_data(self, **kwargs), "left": recovery_codes.left(codes)}


class NewRecoveryCodes(_InPerson, GenerateRecoveryCodesView):
    template_name = "accounts/recovery_codes_new.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return FormView.get_context_data(self, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        made = recovery_codes.make()
        recovery_codes.replace(self.request.user, made)
        return codes_shown(self.request, made)
