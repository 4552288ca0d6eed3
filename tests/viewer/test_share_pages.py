"""Share links: who may make one, how somebody without an account comes in, what they see of it, and how it ends."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import numpy as np
import PIL.Image
import pytest
from django.conf import LazySettings
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts import sharing
from accounts.models import AuditEvent, Membership, Organization, Role, ShareLink, User
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.conftest import person, signed_in
from viewer.archive.ingest import ingest_file
from viewer.models import Grant, Study

pytestmark = pytest.mark.usefixtures("store")

RAMP = np.arange(0, 128 * 128, dtype="<i2").reshape(128, 128) % 2000
FRAME = "/api/series/1.2.3.4/frame"
NATIVE = json.dumps({"zoom": "native", "window_center": 1000, "window_width": 2000})


@pytest.fixture(autouse=True)
def quick_passwords(settings: LazySettings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def study(hospital: Organization, tmp_path: Path) -> Study:
    path = save(ct_slice(Rows=128, Columns=128, PixelData=RAMP.tobytes()), tmp_path / "ramp.dcm")
    assert ingest_file(path, hospital, "ingest", "").outcome == "stored"
    return Study.objects.get()


def made(client: Client, study: Study, **wish: Any) -> dict[str, Any]:
    body = {"recipient": "Dr. Outside", **wish}
    answer = client.post(f"/api/studies/{study.study_instance_uid}/share-links/", body, "application/json")
    assert answer.status_code == 201, answer.content
    told: dict[str, Any] = answer.json()
    told["path"] = told["address"].removeprefix(told["address"].partition("/share/")[0])
    return told


def come_in(told: dict[str, Any], client: Client | None = None, **typed: str) -> Client:
    visitor = client or Client()
    assert visitor.post(told["path"], typed).status_code == 302
    return visitor


def picture(answer: HttpResponse) -> np.ndarray:
    return np.asarray(PIL.Image.open(io.BytesIO(answer.content)))


# --- making


def test_the_address_is_told_once_and_kept_as_a_digest(alice: Client, study: Study, settings: LazySettings) -> None:
    settings.FARVIEW_PUBLIC_URL = "https://view.example"
    told = made(alice, study, pin=True)
    raw = told["address"].removeprefix("https://view.example/share/").removesuffix("/")
    assert len(raw) == 43
    link = ShareLink.objects.get()
    assert link.digest == hashlib.sha256(raw.encode()).hexdigest()
    assert raw not in json.dumps(list(ShareLink.objects.values()), default=str)
    assert told["pin"] not in link.pin
    assert len(told["pin"]) == 6
    assert told["qr"].startswith("data:image/svg+xml;base64,")
    listed = alice.get(f"/api/studies/{study.study_instance_uid}/share-links/").json()["links"]
    assert [one["id"] for one in listed] == [link.pk]
    assert raw not in json.dumps(listed)
    event = AuditEvent.objects.get(action="share.make")
    assert (event.actor, event.purpose, event.detail["link"]) == ("alice", "share", link.pk)
    assert "Outside" not in json.dumps(event.detail)


def test_three_days_are_usual_and_thirty_the_most(alice: Client, study: Study) -> None:
    made(alice, study)
    left = ShareLink.objects.get().expires_at - timezone.now()
    assert timedelta(days=2, hours=23) < left <= timedelta(days=3)
    made(alice, study, days=30)
    door = f"/api/studies/{study.study_instance_uid}/share-links/"
    for wrong in (
        {"days": 31},
        {"days": 0},
        {"most_uses": 0},
        {"scope": "everything"},
        {"recipient": ""},
        {"report": 1},
    ):
        assert alice.post(door, {"recipient": "x", **wrong}, "application/json").status_code == 400, wrong


def test_only_who_reads_there_may_share(
    study: Study, hospital: Organization, elsewhere: Organization, bob: Client, charlie: Client
) -> None:
    Grant.objects.create(study=study, user=User.objects.get(username="bob"), reason="order")
    administrator = person("boss", hospital, Role.ADMIN)
    Grant.objects.create(study=study, user=administrator, reason="administrator")
    both = person("both", elsewhere, Role.RADIOLOGIST)
    Membership.objects.create(user=both, organization=hospital, role=Role.REFERRER)
    Grant.objects.create(study=study, user=both, reason="order")
    door = f"/api/studies/{study.study_instance_uid}/share-links/"
    for client in (bob, charlie, signed_in(administrator), signed_in(both)):
        assert client.post(door, {"recipient": "x"}, "application/json").status_code == 404
    assert not ShareLink.objects.exists()


# --- coming in


def test_looking_at_the_page_uses_nothing_up_and_the_button_comes_in(alice: Client, study: Study) -> None:
    told = made(alice, study, most_uses=1)
    visitor = Client()
    for _ in range(3):
        page = visitor.get(told["path"])
        assert page.status_code == 200
    assert "hospital" in page.content.decode()
    assert study.study_instance_uid not in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page["Cache-Control"]
    assert "noindex" in page["X-Robots-Tag"]
    assert ShareLink.objects.get().uses == 0
    assert "_auth_user_id" not in visitor.session
    answer = visitor.post(told["path"])
    assert (answer.status_code, answer["Location"]) == (302, f"/studies/{study.study_instance_uid}/")
    assert ShareLink.objects.get().uses == 1
    assert visitor.post(told["path"]).status_code == 302, "whoever is in may press the button again"
    assert ShareLink.objects.get().uses == 1
    assert Client().get(told["path"]).status_code == 404, "it was for one use"
    event = AuditEvent.objects.get(action="share.open", outcome="success")
    assert (event.actor, event.role, event.purpose) == (ShareLink.objects.get().guest.username, "guest", "share")


def test_a_foreign_page_cannot_press_the_button(alice: Client, study: Study) -> None:
    told = made(alice, study)
    browser = Client(enforce_csrf_checks=True)
    token = str(browser.get(told["path"]).context["csrf_token"])
    for headers in (
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "same-site"},
    ):
        assert browser.post(told["path"], {"csrfmiddlewaretoken": token}, headers=headers).status_code == 403, headers
    without = Client(enforce_csrf_checks=True)
    assert without.post(told["path"], headers={"Origin": "null", "Sec-Fetch-Site": "same-origin"}).status_code == 403
    ours = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert browser.post(told["path"], {"csrfmiddlewaretoken": token}, headers=ours).status_code == 302


@pytest.mark.parametrize("what", ["unknown", "malformed", "expired", "revoked", "used up", "owner disabled"])
def test_whatever_is_no_link_any_more_looks_the_same(alice: Client, study: Study, what: str) -> None:
    told = made(alice, study, most_uses=5)
    links = ShareLink.objects.all()
    if what == "unknown":
        told["path"] = f"/share/{'A' * 43}/"
    elif what == "malformed":
        told["path"] = "/share/x/"
    elif what == "expired":
        links.update(expires_at=timezone.now())
    elif what == "revoked":
        assert alice.delete(f"/api/share-links/{told['link']['id']}/").status_code == 204
    elif what == "used up":
        links.update(uses=5)
    else:
        User.objects.filter(username="alice").update(is_active=False)
    answers = [getattr(Client(), method)(told["path"]) for method in ("get", "post")]
    assert {one.status_code for one in answers} == {404}
    unknown = Client().get(f"/share/{'B' * 43}/")
    assert {one.content for one in answers} == {unknown.content}
    assert {one["Referrer-Policy"] for one in answers} == {"no-referrer"}
    denied = AuditEvent.objects.filter(action="share.open", outcome="denied")
    assert denied.count() == (0 if what in ("unknown", "malformed") else 1), "knocking again fills no record"


def test_the_session_ends_with_the_link_and_after_twelve_hours_at_most(alice: Client, study: Study) -> None:
    visitor = come_in(made(alice, study, days=30))
    assert timedelta(hours=11) < visitor.session.get_expiry_date() - timezone.now() <= timedelta(hours=12)
    told = made(alice, study)
    soon = timezone.now() + timedelta(hours=1)
    ShareLink.objects.filter(pk=told["link"]["id"]).update(expires_at=soon)
    assert come_in(told).session.get_expiry_date() == soon


def test_five_wrong_pins_end_the_link(alice: Client, study: Study) -> None:
    told = made(alice, study, pin=True)
    wrong = "000000" if told["pin"] != "000000" else "111111"
    answers = [Client().post(told["path"], {"pin": wrong}) for _ in range(5)]
    assert [one.status_code for one in answers] == [403, 403, 403, 403, 404]
    assert Client().post(told["path"], {"pin": told["pin"]}).status_code == 404
    link = ShareLink.objects.get()
    assert link.revoked_at is not None
    assert not link.guest.is_active
    assert AuditEvent.objects.filter(action="share.open", outcome="failure").count() == 5
    assert AuditEvent.objects.get(action="share.revoke").detail["reason"] == "wrong PINs"
    assert '<strong class="told-wrong"' in alice.get("/").content.decode(), "on every page, until she has looked"
    assert "Five wrong PINs" in alice.get("/shares/").content.decode()
    assert "told-wrong" not in alice.get("/").content.decode()


def test_the_maker_is_written_to_when_wrong_pins_end_a_link_and_no_patient_is_named(
    alice: Client,
    study: Study,
    settings: LazySettings,
    mailoutbox: list[EmailMessage],
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.EMAIL_HOST = "mail.example"
    User.objects.filter(username="alice").update(email="alice@example.org")
    told = made(alice, study, pin=True, recipient="Doe Jane")
    with (
        patch("accounts.recovery.Thread", lambda target, args, daemon: Mock(start=lambda: target(*args))),
        django_capture_on_commit_callbacks(execute=True),
    ):
        for _ in range(7):
            Client().post(told["path"], {"pin": "x"})
    (mail,) = mailoutbox
    assert mail.to == ["alice@example.org"]
    assert mail.body.rstrip().endswith("/shares/")
    for secret in ("Doe", "Jane", study.study_instance_uid, study.patient.patient_id, told["path"], told["pin"]):
        assert secret not in mail.body + mail.subject


def test_wrong_pins_so_far_stand_beside_the_link_and_others_are_told_of_none(
    alice: Client, study: Study, hospital: Organization
) -> None:
    told = made(alice, study, pin=True)
    for _ in range(2):
        Client().post(told["path"], {"pin": "x"})
    assert "2 wrong PINs" in alice.get("/shares/").content.decode()
    for _ in range(3):
        Client().post(told["path"], {"pin": "x"})
    anna = signed_in(person("anna", hospital, Role.RADIOLOGIST))
    assert "told-wrong" not in anna.get("/").content.decode()


def test_the_top_bar_leads_to_the_links_for_who_may_make_or_keep_them(
    alice: Client, bob: Client, hospital: Organization
) -> None:
    boss = signed_in(person("boss", hospital, Role.ADMIN))
    leads = {
        name: 'href="/shares/"' in one.get("/").content.decode() for name, one in locals().items() if name != "hospital"
    }
    assert leads == {"alice": True, "bob": False, "boss": True}


@pytest.mark.parametrize("sign", ["\r\nBcc: x@y", "\0", "\x1b[2J", "\u2028", "\x85"])
def test_a_recipient_is_one_line_without_control_characters(alice: Client, study: Study, sign: str) -> None:
    door = f"/api/studies/{study.study_instance_uid}/share-links/"
    assert alice.post(door, {"recipient": f"Dr. {sign}Outside"}, "application/json").status_code == 400
    assert not ShareLink.objects.exists()
    assert made(alice, study, recipient="د. ليلى \u200fAt")["link"]["recipient"] == "د. ليلى \u200fAt"


def test_the_right_pin_comes_in_and_wrong_ones_are_forgotten(alice: Client, study: Study) -> None:
    told = made(alice, study, pin=True)
    for _ in range(4):
        assert Client().post(told["path"], {"pin": "x"}).status_code == 403
    come_in(told, pin=f" {told['pin']} ")
    assert ShareLink.objects.get().failed_pins == 0


def test_somebody_with_an_account_is_asked_and_two_sessions_never_mix(
    alice: Client, charlie: Client, study: Study
) -> None:
    told = made(alice, study)
    page = alice.get(told["path"]).content.decode()
    assert "signed in as alice" in page
    assert f"/studies/{study.study_instance_uid}/" in page, "the way as herself"
    assert alice.post(told["path"]).status_code == 200, "without saying so nobody is signed out"
    assert alice.get("/api/me/").json()["name"] == "alice"
    assert study.study_instance_uid not in charlie.get(told["path"]).content.decode()
    come_in(told, charlie, **{"as": "link"})
    name = charlie.get("/api/me/").json()["name"]
    assert name == ShareLink.objects.get().guest.username
    assert AuditEvent.objects.filter(action="sign-out", actor="charlie").exists()
    assert charlie.get("/api/studies/").status_code == 404


# --- inside


def test_a_guest_sees_the_study_and_no_list_of_anything(alice: Client, study: Study, hospital: Organization) -> None:
    visitor = come_in(made(alice, study))
    uid = study.study_instance_uid
    page = visitor.get(f"/studies/{uid}/")
    assert page.status_code == 200
    text = page.content.decode()
    assert 'data-shared="yes"' in text
    assert 'href="/"' not in text.partition("</header>")[0].partition('class="band"')[2]
    assert "reporting/panel.js" not in text
    for door in (f"/api/studies/{uid}/", f"/api/studies/{uid}/key-images/", f"/api/studies/{uid}/measurements/"):
        assert visitor.get(door).status_code == 200, door
    for door in (
        *("/", "/worklist/", "/upload/", "/transfers/", "/shares/", "/results/", "/accounts/password/"),
        *("/api/studies/", "/api/worklist/", "/api/me/settings/", "/api/schema/", f"/api/studies/{uid}/share-links/"),
        *(
            f"/api/studies/{uid}/export.zip",
            f"/api/studies/{uid}/viewed/",
            "/dicom-web/studies",
            f"/dicom-web/studies/{uid}",
        ),
        *("/fhir/ImagingStudy", "/shared/report/", "/admin/"),
    ):
        assert visitor.get(door).status_code == 404, door
    for door in (f"/api/studies/{uid}/key-images/", f"/api/studies/{uid}/measurements/"):
        assert visitor.post(door, {}, "application/json").status_code == 404, door


def test_a_second_factor_that_staff_must_have_is_asked_of_no_guest(
    alice: Client, study: Study, hospital: Organization
) -> None:
    visitor = come_in(made(alice, study))
    Organization.objects.update(mfa_required=True)
    assert visitor.get(f"/api/studies/{study.study_instance_uid}/").status_code == 200


def test_every_picture_is_stamped_and_says_so(alice: Client, study: Study) -> None:
    told = made(alice, study)
    visitor = come_in(told)
    bare = alice.get(FRAME, {"view": NATIVE})
    stamped = visitor.get(FRAME, {"view": NATIVE})
    assert (bare["Farview-Stamped"], stamped["Farview-Stamped"]) == ("false", "true")
    pixels = picture(stamped)
    assert pixels.ndim == 2, "grey stays grey"
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == stamped["Farview-Sha256"] != bare["Farview-Sha256"]
    share = (pixels != picture(bare)).mean()
    assert 0.01 < share < 0.25
    assert picture(alice.get(FRAME, {"view": NATIVE})).tobytes() == picture(bare).tobytes(), "nothing stamped was kept"
    assert visitor.get(FRAME, {"view": NATIVE}).content == stamped.content
    thumbnails = [client.get("/api/series/1.2.3.4/thumbnail") for client in (alice, visitor)]
    assert thumbnails[0].content != thumbnails[1].content
    assert thumbnails[0]["ETag"] != thumbnails[1]["ETag"]
    again = come_in(made(alice, study))
    assert again.get(FRAME, {"view": NATIVE})["ETag"] not in (stamped["ETag"], bare["ETag"])
    for media_type in ("image/jpeg", "image/webp"):
        both = [client.get(FRAME, {"view": NATIVE, "media_type": media_type}) for client in (alice, visitor)]
        assert both[0].content != both[1].content
        held = {"If-None-Match": both[0]["ETag"]}
        assert visitor.get(FRAME, {"view": NATIVE, "media_type": media_type}, headers=held).status_code == 200


# --- ending


@pytest.mark.parametrize("how", ["by its maker", "by an administrator", "its maker left", "its maker reads no more"])
def test_a_link_ends_and_so_does_whoever_came_by_it(
    alice: Client, study: Study, hospital: Organization, how: str
) -> None:
    told = made(alice, study)
    visitor = come_in(told)
    link = ShareLink.objects.get()
    before = User.objects.get(pk=link.guest_id).epoch
    assert visitor.get(f"/api/studies/{study.study_instance_uid}/").status_code == 200
    maker = User.objects.get(username="alice")
    if how == "its maker left":
        maker.is_active = False
        maker.save()
    elif how == "its maker reads no more":
        maker.memberships.get().delete()
    else:
        client = alice if how == "by its maker" else signed_in(person("boss", hospital, Role.ADMIN))
        assert client.delete(f"/api/share-links/{link.pk}/").status_code == 204
    assert visitor.get(f"/api/studies/{study.study_instance_uid}/").status_code == 401
    assert visitor.get(FRAME, {"view": NATIVE}).status_code == 401
    link.refresh_from_db()
    assert link.revoked_at is not None
    guest = User.objects.get(pk=link.guest_id)
    assert not guest.is_active
    assert guest.epoch > before, "open connections are asked again"
    assert Grant.objects.get(user=guest).until <= timezone.now()
    assert AuditEvent.objects.filter(action="share.revoke", study_instance_uid=study.study_instance_uid).count() == 1


def test_nobody_else_ends_or_sees_it(
    alice: Client, bob: Client, charlie: Client, study: Study, hospital: Organization
) -> None:
    told = made(alice, study, recipient="Dr. Secret")
    other = signed_in(person("anna", hospital, Role.RADIOLOGIST))
    foreign = person("foreign boss", Organization.objects.get(name="elsewhere"), Role.ADMIN)
    for client in (bob, charlie, other, signed_in(foreign), come_in(told)):
        assert client.delete(f"/api/share-links/{told['link']['id']}/").status_code == 404
        page = client.get("/shares/")
        assert "Dr. Secret" not in page.content.decode()
    assert ShareLink.objects.get().revoked_at is None


def test_the_makers_page_tells_who_came_and_when(alice: Client, study: Study, hospital: Organization) -> None:
    told = made(alice, study, most_uses=4)
    come_in(told)
    boss = signed_in(person("boss", hospital, Role.ADMIN))
    for client in (alice, boss):
        text = client.get("/shares/").content.decode()
        assert "Dr. Outside" in text
        assert "used 1 of 4 times" in text
        assert "127.0.0.1" in text
    ShareLink.objects.update(most_uses=None)
    assert "used 1 time<" in alice.get("/shares/").content.decode()
    ShareLink.objects.update(uses=2)
    assert "used 2 times<" in alice.get("/shares/").content.decode()


def test_the_role_guest_is_given_by_links_alone() -> None:
    from django.core.exceptions import ValidationError

    from accounts.people import role_named

    with pytest.raises(ValidationError):
        role_named("guest")


def test_administrators_neither_give_the_role_of_a_guest_nor_find_guests_among_people(
    alice: Client, study: Study, hospital: Organization, settings: LazySettings
) -> None:
    told = made(alice, study)
    guest = ShareLink.objects.get(pk=told["link"]["id"]).guest
    administrator = person("boss", hospital, Role.ADMIN)
    administrator.is_staff = True
    administrator.save()
    boss = signed_in(administrator)
    people = boss.get("/admin/accounts/user/", follow=True).content.decode()
    assert "alice" in people
    assert guest.username not in people
    assert boss.get(f"/admin/accounts/user/{guest.pk}/change/").status_code in (302, 404)
    alices = User.objects.get(username="alice").pk
    form = boss.get(f"/admin/accounts/user/{alices}/change/").content.decode()
    assert '<option value="radiologist"' in form
    assert '<option value="guest"' not in form


def test_of_two_who_come_for_the_last_use_one_gets_in(alice: Client, study: Study) -> None:
    made(alice, study, most_uses=1)
    link = ShareLink.objects.select_related("organization", "guest").get()
    assert [sharing.use(link, None), sharing.use(link, None)] == [True, False]
