"""Second factors: asked for after the password, demanded by organizations, used once, counted, kept by their owner."""

from __future__ import annotations

import base64
import json
import re
import time
from datetime import timedelta
from hashlib import pbkdf2_hmac
from pathlib import Path
from urllib.parse import unquote

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings as django_settings
from django.contrib import admin
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts import lockout, recovery_codes
from accounts.authentication import issue, principal_of_scope
from accounts.links import make_link
from accounts.models import AuditEvent, FailedSignIn, Organization, User
from accounts.reauthentication import SIGNED_IN_AT
from tests.accounts.conftest import PASSWORD
from tests.accounts.test_sign_in import SIGN_IN, signed_in, try_in
from tests.accounts.totp import code_of

ASKED = "/accounts/sign-in/second-factor/"
ADD_APP = "/accounts/app/add/"
CODES = "/accounts/recovery-codes/"


def events(action: str) -> list[dict]:
    return [event.detail for event in AuditEvent.objects.filter(action=action).order_by("sequence")]


def set_up_app(client: Client) -> str:
    """Add an authenticator app as its owner does; the secret."""
    return app_and_codes(client)[0]


def app_and_codes(client: Client) -> tuple[str, list[str]]:
    """Add a first factor; its secret, and the recovery codes that the answer shows."""
    page = client.get(ADD_APP).content.decode()
    secret = re.search(r'class="secret">(\w+)<', page)[1]
    answer = client.post(ADD_APP, {"code": code_of(secret, steps=-1)})
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    return secret, codes_in(answer)


def codes_in(answer: HttpResponse) -> list[str]:
    return re.findall(r"<li><code>([\d-]+)</code></li>", answer.content.decode())


@pytest.fixture
def secret(client: Client, alice: User) -> str:
    """Alice's app; she is signed out again."""
    try_in(client, "alice", PASSWORD)
    secret = set_up_app(client)
    client.logout()
    return secret


@pytest.fixture
def demanding(alice: User) -> Organization:
    home = Organization.objects.get(name="default")
    home.mfa_required = True
    home.save()
    return home


def test_the_judge_agrees_with_the_examples_of_rfc_6238():
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert [code_of(secret, at) for at in (59, 1111111109, 20000000000)] == ["287082", "081804", "353130"]


def test_the_password_alone_no_longer_signs_in(client, alice, secret):
    answer = try_in(client, "alice", PASSWORD, next="/upload/")
    assert answer["Location"] == ASKED
    assert not signed_in(client)
    assert client.get("/upload/").status_code == 302
    answer = client.post(ASKED, {"code": code_of(secret)})
    assert (answer.status_code, answer["Location"]) == (302, "/upload/")
    assert signed_in(client)
    assert events("sign-in")[-1] == {"by": "password", "second": "totp"}


def test_without_a_password_before_it_nobody_is_asked_for_a_code(client, alice, secret):
    assert client.get(ASKED)["Location"] == SIGN_IN
    assert client.post(ASKED, {"code": code_of(secret)})["Location"] == SIGN_IN
    assert not signed_in(client)


def test_the_pending_sign_in_ends_after_a_quarter_of_an_hour(client, alice, secret):
    try_in(client, "alice", PASSWORD)
    session = client.session
    session["account_login"] = {**session["account_login"], "initiated_at": time.time() - 901}
    session.save()
    assert client.post(ASKED, {"code": code_of(secret)})["Location"] == SIGN_IN
    assert not signed_in(client)


def test_who_is_disabled_between_password_and_code_stays_outside(client, alice, secret):
    try_in(client, "alice", PASSWORD)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    client.post(ASKED, {"code": code_of(secret)})
    assert not signed_in(client)


def test_a_code_is_good_once_and_none_before_it_is(client, alice, secret):
    now = code_of(secret)
    try_in(client, "alice", PASSWORD)
    assert client.post(ASKED, {"code": now}).status_code == 302
    for old in (now, code_of(secret, steps=-1)):
        client.logout()
        try_in(client, "alice", PASSWORD)
        assert client.post(ASKED, {"code": old}).status_code == 200
        assert not signed_in(client)
    assert client.post(ASKED, {"code": code_of(secret, steps=1)}).status_code == 302


def test_the_code_that_set_the_app_up_signs_nobody_in(client, alice):
    try_in(client, "alice", PASSWORD)
    page = client.get(ADD_APP).content.decode()
    secret = re.search(r'class="secret">(\w+)<', page)[1]
    code = code_of(secret)
    client.post(ADD_APP, {"code": code})
    client.logout()
    try_in(client, "alice", PASSWORD)
    assert client.post(ASKED, {"code": code}).status_code == 200
    assert not signed_in(client)


def test_codes_count_into_a_lock_of_the_person_from_wherever_they_are_tried(client, alice, secret):
    for number in range(lockout.TRIES_PER_NAME):
        other = Client()
        try_in(other, "alice", PASSWORD, address=f"10.0.1.{number}")
        assert other.post(ASKED, {"code": "000000"}, REMOTE_ADDR=f"10.0.1.{number}").status_code == 200
    try_in(client, "alice", PASSWORD)
    answer = client.post(ASKED, {"code": code_of(secret)})
    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()
    assert not signed_in(client)
    assert [detail.get("reason") for detail in events("sign-in")][-6:] == [
        *["second factor does not match"] * 5,
        "second factor locked",
    ]
    FailedSignIn.objects.update(at=timezone.now() - timedelta(minutes=15, seconds=1))
    assert client.post(ASKED, {"code": code_of(secret)}).status_code == 302


def test_the_right_password_does_not_forget_the_wrong_codes(client, alice, secret):
    for _ in range(lockout.TRIES_PER_NAME):
        try_in(client, "alice", PASSWORD)
        client.post(ASKED, {"code": "000000"})
    try_in(client, "alice", PASSWORD)
    assert client.post(ASKED, {"code": code_of(secret)}).status_code == 429


def test_recovery_codes_are_shown_once_and_each_works_once(client, alice):
    try_in(client, "alice", PASSWORD)
    _, codes = app_and_codes(client)
    assert len(set(codes)) == 10
    assert codes_in(client.get(CODES)) == []
    for code, status in ((codes[3], 302), (codes[3], 200), (codes[4].replace("-", ""), 302)):
        client.logout()
        try_in(client, "alice", PASSWORD)
        assert client.post(ASKED, {"code": code}).status_code == status
    assert events("sign-in")[-1] == {"by": "password", "second": "recovery_codes"}
    assert "8 codes are left" in client.get("/accounts/").content.decode()
    assert "8 codes are left" in client.get(CODES).content.decode()


def test_new_recovery_codes_end_the_old_ones(client, alice):
    try_in(client, "alice", PASSWORD)
    _, old = app_and_codes(client)
    new = codes_in(client.post("/accounts/recovery-codes/new/"))
    assert len(set(new)) == 10
    assert not set(old) & set(new)
    client.logout()
    try_in(client, "alice", PASSWORD)
    assert client.post(ASKED, {"code": old[0]}).status_code == 200
    assert client.post(ASKED, {"code": new[0]}).status_code == 302


def test_a_second_factor_more_leaves_the_recovery_codes_as_they_are(client, alice):
    Authenticator.objects.create(
        user=alice, type="recovery_codes", data={"salt": "00", "rounds": 1, "hashes": encrypt('["x"]')}
    )
    before = list(Authenticator.objects.values())
    try_in(client, "alice", PASSWORD)
    page = client.get(ADD_APP).content.decode()
    secret = re.search(r'class="secret">(\w+)<', page)[1]
    answer = client.post(ADD_APP, {"code": code_of(secret)})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/")
    assert list(Authenticator.objects.filter(type="recovery_codes").values()) == before


def test_of_recovery_codes_only_slow_salted_hashes_are_kept(monkeypatch):
    """Derived here once more, with what a list really costs."""
    monkeypatch.setattr(recovery_codes, "ROUNDS", 600_000)
    monkeypatch.setattr(recovery_codes, "COUNT", 2)
    first, second = recovery_codes.make(), recovery_codes.make()
    assert first.data["salt"] != second.data["salt"]
    assert len(bytes.fromhex(first.data["salt"])) * 8 >= 32
    assert first.data["rounds"] == 600_000
    digits = [code.replace("-", "") for code in first.codes]
    assert [len(code) for code in digits] == [12, 12]
    salt = bytes.fromhex(first.data["salt"])
    assert json.loads(decrypt(first.data["hashes"])) == [
        pbkdf2_hmac("sha256", code.encode(), salt, 600_000).hex() for code in digits
    ]


def test_database_and_key_together_hold_no_recovery_code(client, alice):
    try_in(client, "alice", PASSWORD)
    _, codes = app_and_codes(client)
    data = Authenticator.objects.get(type="recovery_codes").data
    assert set(data) == {"salt", "rounds", "hashes"}
    opened = json.dumps({**data, "hashes": decrypt(data["hashes"])})
    assert [code for code in codes if code in opened or code.replace("-", "") in opened] == []


def test_a_list_of_an_older_version_works_on_and_its_owner_is_asked_for_a_new_one(client, alice, secret):
    Authenticator.objects.filter(type="recovery_codes").delete()
    old = RecoveryCodes.activate(alice)
    codes = old.generate_codes()
    for code, status in ((codes[0], 302), (codes[0], 200), (codes[1], 302)):
        client.logout()
        try_in(client, "alice", PASSWORD)
        assert client.post(ASKED, {"code": code}).status_code == status
    for page in ("/accounts/", CODES):
        assert "8 codes are left" in client.get(page).content.decode()
    assert "of an older kind" in client.get("/accounts/").content.decode()
    new = codes_in(client.post("/accounts/recovery-codes/new/"))
    assert "of an older kind" not in client.get("/accounts/").content.decode()
    client.logout()
    try_in(client, "alice", PASSWORD)
    assert client.post(ASKED, {"code": codes[2]}).status_code == 200
    assert client.post(ASKED, {"code": new[0]}).status_code == 302


def test_the_database_alone_gives_no_secret_away(client, alice, secret, own_chain: Path):
    kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept
    key = own_chain / "keys" / "second_factor_key"
    assert key.stat().st_mode & 0o777 == 0o600


def test_adding_and_removing_is_written_down(client, alice, secret):
    try_in(client, "alice", PASSWORD)
    client.post(ASKED, {"code": code_of(secret)})
    assert client.post("/accounts/app/remove/").status_code == 302
    kinds = [(detail["person"], detail["type"]) for detail in events("second_factor.add")]
    assert kinds == [("alice", "totp"), ("alice", "recovery_codes")]
    assert {detail["type"] for detail in events("second_factor.remove")} == {"totp", "recovery_codes"}
    assert not Authenticator.objects.exists()
    assert AuditEvent.objects.filter(action="second_factor.remove").first().actor == "alice"


@pytest.mark.parametrize(
    "door", [ADD_APP, "/accounts/passkeys/add/", "/accounts/recovery-codes/new/", "/accounts/app/remove/", CODES]
)
def test_whoever_proved_who_they_are_long_ago_is_asked_again_first(client, alice, secret, door):
    try_in(client, "alice", PASSWORD)
    client.post(ASKED, {"code": code_of(secret)})
    if door == ADD_APP:
        Authenticator.objects.all().delete()
        client.force_login(alice)
    long_ago(client)
    answer = client.get(door)
    assert (answer.status_code, unquote(answer["Location"])) == (302, f"/accounts/confirm/?next={door}")
    assert client.post("/accounts/confirm/", {"password": "wrong", "next": door}).status_code == 200
    assert client.get(door).status_code == 302
    answer = client.post("/accounts/confirm/", {"password": PASSWORD, "next": door})
    assert answer["Location"] == door
    assert client.get(door).status_code == 200
    assert events("reauthenticate") == [{"by": "password"}]


def test_asked_again_never_leads_off_this_server(client, alice):
    client.force_login(alice)
    answer = client.post("/accounts/confirm/", {"password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_passwords_tried_at_the_page_that_asks_again_are_counted(client, alice):
    client.force_login(alice)
    for _ in range(lockout.TRIES_PER_NAME):
        client.post("/accounts/confirm/", {"password": "wrong"})
    answer = client.post("/accounts/confirm/", {"password": PASSWORD})
    assert "Too many tries" in answer.content.decode()


def long_ago(client: Client, seconds: float = 3600) -> None:
    session = client.session
    session[SIGNED_IN_AT] = time.time() - seconds
    records = session.get("account_authentication_methods", [])
    session["account_authentication_methods"] = [{**one, "at": one["at"] - seconds} for one in records]
    session.save()


# --- demanded


@pytest.mark.parametrize("door", ["/", "/upload/", "/worklist/", "/api/me/", "/accounts/sessions/"])
def test_where_one_is_demanded_every_other_door_leads_to_setting_one_up(client, alice, demanding, door):
    try_in(client, "alice", PASSWORD)
    page = client.get(door, headers={"Accept": "text/html"})
    if door.startswith("/api/"):
        assert (page.status_code, page.json()["code"]) == (403, "mfa_required")
    else:
        assert (page.status_code, page["Location"]) == (302, "/accounts/")
    program = client.get(door, headers={"Accept": "application/json"})
    assert (program.status_code, program.json()["code"]) == (403, "mfa_required")
    assert client.post(door, {}).status_code in (302, 403)


def test_setting_one_up_opens_them(client, alice, demanding):
    try_in(client, "alice", PASSWORD)
    assert "asks for a second factor" in client.get("/accounts/").content.decode()
    set_up_app(client)
    assert client.get("/upload/").status_code == 200
    assert "asks for a second factor" not in client.get("/accounts/").content.decode()


def test_a_token_is_asked_for_none_and_a_socket_of_the_session_stays_shut(client, alice, demanding):
    client.force_login(alice)
    scope = {"session": client.session, "headers": []}
    assert principal_of_scope(scope) is None
    token = issue(alice)
    assert client.get("/api/me/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    set_up_app(client)
    assert principal_of_scope(scope).user == alice


def test_demanding_one_asks_open_connections_again(alice, charlie):
    home = Organization.objects.get(name="default")
    before = {user.username: user.epoch for user in User.objects.all()}
    home.mfa_required = True
    home.save()
    after = {user.username: user.epoch for user in User.objects.all()}
    assert after == {**before, "alice": before["alice"] + 1}


def test_signing_out_stays_possible(client, alice, demanding):
    client.force_login(alice)
    assert client.post("/accounts/sign-out/").status_code == 302
    assert not signed_in(client)


def test_a_link_counts_as_the_password_and_the_factor_is_still_asked(client, alice, secret):
    path = make_link(alice).removeprefix(django_settings.FARVIEW_PUBLIC_URL)
    assert client.post(path)["Location"] == ASKED
    assert not signed_in(client)
    client.post(ASKED, {"code": code_of(secret)})
    assert signed_in(client)
    assert events("sign-in")[-1] == {"by": "link", "second": "totp"}


def test_a_link_for_somebody_else_ends_the_session_before_it(client, alice, charlie, secret):
    client.force_login(charlie)
    client.post(make_link(alice).removeprefix(django_settings.FARVIEW_PUBLIC_URL))
    assert not signed_in(client)
    client.post(ASKED, {"code": code_of(secret)})
    assert client.session["_auth_user_id"] == str(alice.pk)


@pytest.mark.parametrize("has_password", [True, False])
def test_a_token_changes_nothing_about_how_its_person_comes_in(client, alice, secret, has_password):
    if not has_password:
        alice.set_unusable_password()
        alice.save()
    headers = {"Authorization": f"Bearer {issue(alice)}"}
    before = list(Authenticator.objects.values())
    for door in ("app/add/", "app/remove/", "passkeys/add/", "recovery-codes/", "recovery-codes/new/"):
        assert client.get(f"/accounts/{door}", headers=headers).status_code == 404
        assert client.post(f"/accounts/{door}", {"code": "1"}, headers=headers).status_code == 404
    assert list(Authenticator.objects.values()) == before


# --- somebody else's


def test_nobody_touches_the_passkeys_of_another(client, alice, charlie):
    key = Authenticator.objects.create(
        user=alice, type="webauthn", data={"name": "Her key", "credential": {"clientExtensionResults": {}}}
    )
    client.force_login(charlie)
    for act in ("remove", "name"):
        assert client.get(f"/accounts/passkeys/{key.pk}/{act}/").status_code == 404
        assert client.post(f"/accounts/passkeys/{key.pk}/{act}/", {"name": "Mine"}).status_code == 404
    assert "Her key" not in client.get("/accounts/").content.decode()
    key.refresh_from_db()
    assert key.data["name"] == "Her key"


@pytest.mark.parametrize(
    "credential",
    [
        *("", "x", "[]", "1", "null", '"text"', "{}", '{"response": 1}', '{"response": {"userHandle": "AAAA"}}'),
        '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "AA", "authenticatorData": '
        '"AA", "signature": "AA", "userHandle": "MQ"}}',
        '{"id": 1, "rawId": [], "type": {}, "response": {"clientDataJSON": 1, "attestationObject": null}}',
    ],
)
def test_an_answer_that_no_passkey_gave_signs_nobody_in_and_breaks_nothing(client, alice, secret, credential):
    client.get("/accounts/sign-in/passkey/", headers={"Accept": "application/json"})
    answer = client.post("/accounts/sign-in/passkey/", {"credential": credential})
    assert answer.status_code == 200
    assert not signed_in(client)
    try_in(client, "alice", PASSWORD)
    assert client.post(ASKED, {"credential": credential}).status_code in (200, 429)
    assert not signed_in(client)
    client.force_login(alice)
    assert client.post("/accounts/passkeys/add/", {"credential": credential}).status_code == 200
    assert not Authenticator.objects.filter(type="webauthn").exists()


def test_the_sign_in_page_of_passkeys_keeps_a_short_session(client, db):
    client.get("/accounts/sign-in/passkey/", headers={"Accept": "application/json"})
    assert client.session.get_expiry_date() - timezone.now() < timedelta(minutes=11)


# --- administrators


def test_an_administrator_removes_the_factors_of_their_own_people_alone(client, alice, charlie, boss, secret):
    theirs = Authenticator.objects.create(user=charlie, type="totp", data={"secret": ""})
    alice_before = User.objects.get(pk=alice.pk).session_generation
    client.force_login(boss)
    page = "/admin/accounts/user/"
    assert "second factor" in client.get(page).content.decode().lower()
    chosen = {"action": "remove_second_factors", "_selected_action": [alice.pk, charlie.pk]}
    assert client.post(page, chosen).status_code == 302
    assert list(Authenticator.objects.all()) == [theirs]
    assert User.objects.get(pk=alice.pk).session_generation == alice_before + 1
    removed = AuditEvent.objects.filter(action="second_factor.remove")
    assert {(event.actor, event.detail["person"]) for event in removed} == {("boss", "alice")}


def test_an_administrator_demands_a_second_factor_on_the_page_of_the_organization(client, boss):
    client.force_login(boss)
    home = Organization.objects.get(name="default")
    form = {"title": "", "time_zone": "UTC", "mfa_required": "on"}
    assert client.post(f"/admin/accounts/organization/{home.pk}/change/", form).status_code == 302
    home.refresh_from_db()
    assert home.mfa_required
    assert client.get("/admin/")["Location"] == "/accounts/"


def test_no_page_of_allauth_shows_other_organizations_people():
    pages = {type(page).__module__.split(".")[0] for page in admin.site._registry.values()}
    assert "accounts" in pages
    assert "allauth" not in pages


def test_a_change_in_the_administration_is_asked_for_again_after_a_while_and_the_form_is_kept(client, boss):
    client.force_login(boss)
    home = Organization.objects.get(name="default")
    page = f"/admin/accounts/organization/{home.pk}/change/"
    form = {"title": "House of Light", "time_zone": "UTC"}
    long_ago(client, 16 * 60)
    assert client.get(page).status_code == 200
    answer = client.post(page, form)
    assert (answer.status_code, unquote(answer["Location"])) == (302, f"/accounts/confirm/?next={page}")
    home.refresh_from_db()
    assert home.title == ""
    client.get(answer["Location"])
    answer = client.post("/accounts/confirm/", {"password": PASSWORD, "next": page})
    home.refresh_from_db()
    assert home.title == "House of Light"
    assert client.post(page, {**form, "title": "Again"}).status_code == 302
    home.refresh_from_db()
    assert home.title == "Again"


def test_a_form_with_a_password_in_it_is_not_kept(client, boss, alice):
    client.force_login(boss)
    long_ago(client, 16 * 60)
    page = f"/admin/accounts/user/{alice.pk}/password/"
    answer = client.post(page, {"password1": "three ships at anchor", "password2": "three ships at anchor"})
    assert answer["Location"] == f"/accounts/confirm/?next={page}"
    assert "three ships" not in json.dumps(dict(client.session.items()))
    assert client.post("/accounts/confirm/", {"password": PASSWORD, "next": page})["Location"] == page


def test_within_a_quarter_of_an_hour_or_with_the_limit_off_nobody_is_asked(client, boss, settings):
    client.force_login(boss)
    home = Organization.objects.get(name="default")
    page = f"/admin/accounts/organization/{home.pk}/change/"
    for minutes, ago in ((15, 14 * 60), (0, 9999 * 60)):
        settings.FARVIEW_ADMIN_REAUTH_MINUTES = minutes
        long_ago(client, ago)
        answer = client.post(page, {"title": str(minutes), "time_zone": "UTC"})
        assert answer["Location"] == "/admin/accounts/organization/"
        client.force_login(boss)


@pytest.mark.parametrize("path", ["signup", "login", "email", "password/reset", "2fa", "social/signup", "logout"])
def test_no_other_page_of_allauth_exists(client, alice, path):
    client.force_login(alice)
    assert client.get(f"/accounts/{path}/").status_code == 404
