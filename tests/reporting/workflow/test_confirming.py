"""Who has no password of their own, or a passkey, is asked elsewhere, and that is good for one signature."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.authentication import issue
from accounts.models import AuditEvent, User
from accounts.openid import PROVIDER
from accounts.reauthentication import PROOF
from reporting.models import Report
from tests.reporting.conftest import PASSWORD, signed_in
from tests.reporting.talking import act, opened, saved, signed, signing
from viewer.models import Study

Json = dict[str, Any]
PROVIDERS_PAGE = "/accounts/single-sign-on/confirm/"
PASSKEYS_PAGE = "/accounts/confirm/passkey/?next=/accounts/confirmed/"


@pytest.fixture
def provider(settings: Any) -> None:
    settings.FARVIEW_OIDC_ISSUER = "https://login.hospital.example"


@pytest.fixture
def at_olga(alice: User, provider: None) -> Client:
    """Alice, who comes by the provider and has no password."""
    SocialAccount.objects.create(user=alice, provider=PROVIDER, uid="a-1")
    alice.set_unusable_password()
    User.objects.filter(pk=alice.pk).update(password=alice.password)
    return signed_in(User.objects.get(pk=alice.pk))


@pytest.fixture
def at_petra(alice: User) -> Client:
    """Alice, who has a password and a passkey."""
    Authenticator.objects.create(user=alice, type=Authenticator.Type.WEBAUTHN, data={})
    return signed_in(alice)


def proved(client: Client, by: str, ago: float = 0.0) -> None:
    session = client.session
    session[PROOF] = {"by": by, "at": time.time() - ago}
    session.save()


def refusal(answer: Any) -> tuple[int, str, str | None]:
    told = answer.json()
    return answer.status_code, told["code"], told.get("reauthenticate")


def confirmations(action: str) -> list[str | None]:
    found = AuditEvent.objects.filter(action=action, outcome="success").order_by("sequence")
    return [event.detail.get("by") for event in found]


def test_who_comes_by_the_provider_is_told_where_to_be_asked_and_signs_then_without_a_password(
    at_olga: Client, study: Study
) -> None:
    report = saved(at_olga, opened(at_olga, study))
    assert refusal(signing(at_olga, report, password=None)) == (403, "reauthenticate", PROVIDERS_PAGE)
    proved(at_olga, "single sign-on")
    assert signing(at_olga, report, password=None).status_code == 200
    assert confirmations("report.sign_final") == ["single sign-on"]


DOORS: dict[str, Callable[[Client, Json], Any]] = {
    "addendum": lambda client, report: act(client, report, "addendum", text="More."),
    "entered in error": lambda client, report: act(client, report, "entered-in-error", reason="another patient"),
}


@pytest.mark.parametrize("door", DOORS)
def test_one_proof_is_good_for_one_signature_at_every_door(at_olga: Client, study: Study, door: str) -> None:
    report = saved(at_olga, opened(at_olga, study))
    proved(at_olga, "single sign-on")
    assert signing(at_olga, report, password=None).status_code == 200
    assert refusal(DOORS[door](at_olga, report)) == (403, "reauthenticate", PROVIDERS_PAGE)
    proved(at_olga, "single sign-on")
    assert DOORS[door](at_olga, report).status_code == 200
    assert refusal(DOORS[door](at_olga, report))[0] in (403, 409)


def test_a_proof_older_than_five_minutes_or_of_the_time_to_come_is_none(at_olga: Client, study: Study) -> None:
    report = saved(at_olga, opened(at_olga, study))
    for ago in (300, -60):
        proved(at_olga, "single sign-on", ago)
        assert refusal(signing(at_olga, report, password=None))[:2] == (403, "reauthenticate")
    assert Report.objects.get().state == "draft"


def test_having_signed_in_a_moment_ago_is_no_signature(at_olga: Client, study: Study) -> None:
    session = at_olga.session
    session["signed_in_at"] = time.time()
    session["account_authentication_methods"] = [{"method": "socialaccount", "at": time.time()}]
    session.save()
    report = saved(at_olga, opened(at_olga, study))
    assert signing(at_olga, report, password=None).status_code == 403


def test_a_program_with_a_token_is_never_let_by_without_a_password(at_olga: Client, alice: User, study: Study) -> None:
    report = saved(at_olga, opened(at_olga, study))
    proved(at_olga, "single sign-on")
    cookie_and_token = {"Authorization": f"Bearer {issue(alice)}"}
    body = {"meaning": "final"}
    path = f"/api/reports/{report['id']}/sign/"
    answer = at_olga.post(path, body, content_type="application/json", headers=cookie_and_token)
    assert refusal(answer) == (403, "no_password", None)
    assert PROOF in at_olga.session, "the person's own proof is not used up by it"


def test_a_passkey_stands_in_for_the_password_of_who_has_both(at_petra: Client, study: Study) -> None:
    report = saved(at_petra, opened(at_petra, study))
    assert refusal(signing(at_petra, report, password="")) == (403, "reauthenticate", PASSKEYS_PAGE)
    proved(at_petra, "passkey")
    report_id = report["id"]
    assert signing(at_petra, report, "preliminary", password=None).status_code == 200
    signed(at_petra, report)
    assert confirmations("report.sign_preliminary") == ["passkey"]
    assert confirmations("report.sign_final") == ["password"]
    assert Report.objects.get(pk=report_id).state == "final"


def test_signing_with_the_password_gives_the_session_a_new_key_and_a_refused_try_does_not(
    at_alice: Client, study: Study
) -> None:
    def key() -> str | None:
        return at_alice.session.session_key

    before = key()
    report = saved(at_alice, opened(at_alice, study))
    assert signing(at_alice, report, password="not this one").status_code == 403
    assert key() == before
    assert signing(at_alice, report).status_code == 200
    assert key() != before
    assert not Session.objects.filter(session_key=before).exists()


def test_who_has_a_password_does_not_sign_by_the_provider(at_petra: Client, study: Study) -> None:
    report = saved(at_petra, opened(at_petra, study))
    proved(at_petra, "single sign-on")
    assert signing(at_petra, report, password=None).status_code == 403


def test_a_password_alone_is_asked_of_who_has_nothing_else(at_alice: Client, study: Study) -> None:
    report = saved(at_alice, opened(at_alice, study))
    assert refusal(signing(at_alice, report, password=None)) == (403, "wrong_password", None)
    assert at_alice.get("/accounts/session/").json()["signs_by"] == {"password": True, "page": ""}


def test_a_page_learns_how_its_person_signs(at_olga: Client) -> None:
    assert at_olga.get("/accounts/session/").json()["signs_by"] == {"password": False, "page": PROVIDERS_PAGE}


def test_a_wrong_password_is_refused_though_a_proof_is_at_hand(at_petra: Client, study: Study) -> None:
    report = saved(at_petra, opened(at_petra, study))
    proved(at_petra, "passkey")
    assert refusal(signing(at_petra, report, password=PASSWORD + "x"))[:2] == (403, "wrong_password")
