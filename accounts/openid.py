"""OpenID Connect (Core 1.0) with the provider of the settings: django-allauth's machinery, and what it leaves to be checked.

allauth brings the code flow, PKCE (RFC 7636) and the state kept in the session. Here the issuer is held to the one that is
configured (Discovery 4.3, RFC 9207), the ID token's signature is always verified (3.1.3.7), and the nonce ties it to the
session that asked.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import get_random_string

PROVIDER = "single-sign-on"
"""Under this name an account's subject is kept, whatever the provider is called for people."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""With a key pair: the client's secret signs nothing, and "none" is no signature."""
LEEWAY_SECONDS = 60
"""Between the provider's clock and ours."""
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri", "issuer")
JUST_NOW_SECONDS = 300
"""How long ago the provider may have asked somebody who is to be asked again."""


def configured() -> bool:
    return bool(settings.FARVIEW_OIDC_ISSUER)


def origin() -> str:
    """Of the provider."""
    parts = urlsplit(settings.FARVIEW_OIDC_ISSUER)
    return f"{parts.scheme}://{parts.netloc}"


def app() -> SocialApp:
    """The provider of the settings as allauth wants it."""
    return SocialApp(
        provider="openid_connect",
        provider_id=PROVIDER,
        name=settings.FARVIEW_OIDC_NAME,
        client_id=settings.FARVIEW_OIDC_CLIENT_ID,
        secret=settings.FARVIEW_OIDC_CLIENT_SECRET,
        settings={
            "server_url": settings.FARVIEW_OIDC_ISSUER.rstrip("/"),
            "oauth_pkce_enabled": True,
            "scope": settings.FARVIEW_OIDC_SCOPES.split(),
        },
    )


class OpenId(OpenIDConnectOAuth2Adapter):
    """One exchange with the provider."""

    state: dict[str, Any]

    def __init__(self, request: HttpRequest, provider_id: str = PROVIDER) -> None:
        super().__init__(request, provider_id)
        self.state = {}

    def get_provider(self) -> OpenIDConnectProvider:
        return Provider(self.request, app=app())

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return str(settings.FARVIEW_PUBLIC_URL + reverse("single-sign-on-back"))

    @property
    def openid_config(self) -> dict[str, Any]:
        found: dict[str, Any] = super().openid_config
        if found.get("issuer") != settings.FARVIEW_OIDC_ISSUER or not all(found.get(name) for name in NEEDED):
            raise OAuth2Error("the provider describes another issuer than the one that is configured")
        return found

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> Any:
        said = verified(kwargs["response"].get("id_token"), self.openid_config, str(self.state.get("nonce", "")))
        if self.openid_config.get("userinfo_endpoint"):
            more = self._fetch_user_info(token.token)
            if not isinstance(more, dict) or more.get("sub") != said["sub"]:  # Core 5.3.2
                raise OAuth2Error("what the provider says more is about somebody else")
            said = {**more, **said}
        login = self.get_provider().sociallogin_from_response(request, {"id_token": said})
        login.claims = said
        return login


class Provider(OpenIDConnectProvider):
    """Keeps of an account its subject and nothing else."""

    oauth2_adapter_class = OpenId

    @property
    def sub_id(self) -> str:
        return PROVIDER

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}

    def extract_uid(self, data: dict[str, Any]) -> str:
        return str(data["id_token"]["sub"])


class Back(OAuth2CallbackView):
    """Where the provider sends the browser back to."""

    def _get_state(self, request: HttpRequest, provider: OpenIDConnectProvider) -> Any:
        state, refused = super()._get_state(request, provider)
        self.adapter.state = state or {}
        said = request.GET.get("iss")
        if state is not None and said is not None and said != settings.FARVIEW_OIDC_ISSUER:  # RFC 9207
            raise OAuth2Error("another issuer answered")
        return state, refused


def begin(
    request: HttpRequest, process: str, onward: str, person: int | None = None, **parameters: str
) -> HttpResponse:
    """Send the browser to the provider, on behalf of `person` where somebody is signed in. Raises RequestException and
    OAuth2Error."""
    nonce = get_random_string(32)
    return Provider(request, app=app()).redirect(
        request, process, next_url=onward, nonce=nonce, person=person, auth_params={"nonce": nonce, **parameters}
    )


def verified(raw: Any, config: dict[str, Any], nonce: str) -> dict[str, Any]:
    """What an ID token says, once it is the provider's, for us, of now, and the answer to our question (Core 3.1.3.7)."""
    if not isinstance(raw, str):
        raise OAuth2Error("the provider sent no ID token")
    said = signed_by_provider(raw, config, ("iss", "sub", "aud", "exp", "iat"))
    if not nonce or not hmac.compare_digest(str(said.get("nonce", "")).encode(), nonce.encode()):
        raise OAuth2Error("the ID token answers another question than ours")
    if isinstance(said["aud"], list) and len(said["aud"]) > 1 and said.get("azp") != settings.FARVIEW_OIDC_CLIENT_ID:
        raise OAuth2Error("the ID token was made for somebody else")
    return said


def signed_by_provider(raw: str, config: dict[str, Any], needed: Sequence[str]) -> dict[str, Any]:
    """The claims of a token that the provider signed for us and that is of now; those of `needed` are in it."""
    published = published_keys(config)
    try:
        wanted = jwt.get_unverified_header(raw).get("kid")
        keys = [one for one in jwt.PyJWKSet.from_dict(published).keys if wanted in (None, one.key_id)]
        if not keys:
            raise OAuth2Error("the token is signed with a key that the provider does not publish")
        said: dict[str, Any] = jwt.decode(
            raw,
            keys[0],
            algorithms=list(ALGORITHMS),
            audience=settings.FARVIEW_OIDC_CLIENT_ID,
            issuer=settings.FARVIEW_OIDC_ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": list(needed)},
        )
    except (jwt.PyJWTError, TypeError, ValueError, AttributeError) as problem:
        raise OAuth2Error(f"the token is not to be trusted: {type(problem).__name__}") from problem
    return said


def type_of(raw: str) -> str | None:
    """What a token's header says that it is (RFC 7515 4.1.9)."""
    said = jwt.get_unverified_header(raw).get("typ")
    return said if isinstance(said, str) else None


def published_keys(config: dict[str, Any]) -> dict[str, Any]:
    with get_adapter().get_requests_session() as session:
        answer = session.get(config["jwks_uri"])
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    return found


def asked_just_now(claims: dict[str, Any]) -> bool:
    """True when the provider itself asked this person a moment ago (Core 3.1.2.1, max_age)."""
    at = claims.get("auth_time")
    return isinstance(at, int | float) and -LEEWAY_SECONDS <= time.time() - at <= JUST_NOW_SECONDS


def forget_states(request: HttpRequest) -> None:
    """What was asked of the provider and not answered is asked no more."""
    request.session.pop(statekit.STATES_SESSION_KEY, None)
