"""A study opened in an emergency: who may, what they must say, what they see, and who learns of it."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Membership, Organization, Role, User
from accounts.states import digest_of_row
from tests.viewer.conftest import person, signed_in
from viewer.archive import emergency
from viewer.models import EmergencyAccess, Grant, Outbox, Patient, Study

REASON = "unconscious in the emergency room"
UID, ACCESSION, PATIENT = "1.2.826.0.1.3680043.77.1", "ACC-77", "PID-77"


@pytest.fixture
def study(hospital: Organization) -> Study:
    patient = Patient.objects.create(organization=hospital, patient_id=PATIENT, name="Geheim^Anna")
    return Study.objects.create(
        organization=hospital, patient=patient, study_instance_uid=UID, accession_number=ACCESSION
    )


def asked(client: Client, **said: Any) -> Any:
    body = {"accession_number": ACCESSION, "patient_id": PATIENT, "reason": REASON, **said}
    return client.post("/api/emergency/", body, "application/json")


def of_study(client: Client, uid: str = UID, reason: str = REASON) -> Any:
    return client.post(f"/api/studies/{uid}/emergency/", {"reason": reason}, "application/json")


@pytest.fixture
def boss(hospital: Organization) -> Client:
    return signed_in(person("boss", hospital, Role.ADMIN))


@pytest.mark.parametrize("who", ["bob", "boss"])
@pytest.mark.parametrize("door", [asked, of_study])
def test_whoever_belongs_there_opens_it_with_a_reason_and_for_hours(
    request: pytest.FixtureRequest, study: Study, who: str, door: Any
) -> None:
    client: Client = request.getfixturevalue(who)
    assert client.get(f"/api/studies/{UID}/").status_code == 404
    answer = door(client)
    assert answer.status_code == 201
    until = emergency.held_by(User.objects.get(username=who)).get().until
    assert timedelta(hours=3, minutes=59) < until - timezone.now() <= timedelta(hours=4)
    assert answer.json() == {
        "study_instance_uid": UID,
        "organization": "hospital",
        "address": f"/studies/{UID}/?organization=hospital",
        "until": until.isoformat(),
        "reason": REASON,
    }
    assert client.get(f"/api/studies/{UID}/").status_code == 200
    page = client.get(answer.json()["address"]).content.decode()
    assert 'id="emergency-band"' in page
    assert REASON in page


def test_it_ends(study: Study, bob: Client) -> None:
    of_study(bob)
    Grant.objects.update(until=timezone.now())
    EmergencyAccess.objects.update(until=timezone.now())
    assert bob.get(f"/api/studies/{UID}/").status_code == 404


@pytest.mark.parametrize("who", ["charlie", "guest", "nobody", "disabled"])
def test_nobody_else_can(
    request: pytest.FixtureRequest, study: Study, hospital: Organization, elsewhere: Organization, who: str
) -> None:
    if who == "charlie":
        client = request.getfixturevalue("charlie")
    elif who == "guest":
        client = signed_in(person("share-abc", hospital, Role.GUEST))
    elif who == "disabled":
        client = signed_in(person("gone", hospital, Role.REFERRER))
        User.objects.filter(username="gone").update(is_active=False)
    else:
        client = Client()
    for real, ghost in (
        (asked(client), asked(client, accession_number="ACC-78")),
        (of_study(client), of_study(client, f"{UID}.9")),
    ):
        assert real.status_code == ghost.status_code
        assert real.status_code in {401, 404}
        assert real.content == ghost.content
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"accession_number": "ACC-7"},
        {"accession_number": "acc-77"},
        {"patient_id": "PID"},
        {"study_instance_uid": f"{UID}.1"},
        {"organization": "elsewhere"},
    ],
)
def test_numbers_that_are_not_exact_find_nothing(study: Study, bob: Client, wrong: dict[str, str]) -> None:
    answer = asked(bob, **wrong)
    assert (answer.status_code, answer.json()) == (404, {"detail": "there is no such study"})


@pytest.mark.parametrize("reason", ["", "help", "  a       b  ", None, 5])
def test_without_words_it_opens_nothing(study: Study, bob: Client, reason: object) -> None:
    assert asked(bob, reason=reason).status_code == 400
    assert not Grant.objects.exists()


@pytest.mark.parametrize("body", ["[]", '"x"', "5", "{", '{"reason": "' + REASON + '", "patient_id": "P"}'])
def test_what_names_no_study_is_refused(study: Study, bob: Client, body: str) -> None:
    assert bob.post("/api/emergency/", body, "application/json").status_code == 400


def test_guessing_ends_after_ten_misses_also_for_numbers_that_are_right(study: Study, bob: Client) -> None:
    assert [asked(bob, accession_number=f"A{n}").status_code for n in range(11)] == [404] * 10 + [429]
    right, wrong = asked(bob), asked(bob, accession_number="A")
    assert right.status_code == wrong.status_code == 429
    assert right.content == wrong.content
    denied = AuditEvent.objects.filter(action="study.emergency", outcome="denied")
    assert denied.count() == 10
    other = person("other", study.organization, Role.REFERRER)
    assert of_study(signed_in(other)).status_code == 201


def test_misses_of_long_ago_count_no_longer(study: Study, bob: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(11):
        asked(bob, accession_number=f"A{number}")
    assert asked(bob).status_code == 429
    monkeypatch.setattr("viewer.archive.emergency.WINDOW", timedelta(microseconds=1))
    assert asked(bob).status_code == 201


def test_who_may_see_it_anyway_opens_nothing(study: Study, alice: Client) -> None:
    answer = of_study(alice)
    assert answer.status_code == 200
    assert answer.json()["until"] is None
    assert not Grant.objects.exists()
    assert not EmergencyAccess.objects.exists()


def test_several_studies_of_one_number_are_chosen_from(study: Study, bob: Client) -> None:
    other = Study.objects.create(
        organization=study.organization,
        patient=study.patient,
        study_instance_uid=f"{UID}.2",
        accession_number=ACCESSION,
        modalities="CT",
    )
    answer = asked(bob)
    assert answer.status_code == 409
    assert {one["study_instance_uid"] for one in answer.json()["studies"]} == {UID, other.study_instance_uid}
    assert "Geheim" not in answer.content.decode()
    assert not Grant.objects.exists()
    assert asked(bob, study_instance_uid=f"{UID}.2").status_code == 201
    assert bob.get(f"/api/studies/{UID}/").status_code == 404


def test_the_same_uid_elsewhere_stays_shut(study: Study, bob: Client, elsewhere: Organization) -> None:
    patient = Patient.objects.create(organization=elsewhere, patient_id=PATIENT)
    Study.objects.create(organization=elsewhere, patient=patient, study_instance_uid=UID)
    of_study(bob)
    assert [one.study.organization.name for one in EmergencyAccess.objects.all()] == ["hospital"]


def test_opening_again_moves_the_end_and_keeps_both_reasons(study: Study, bob: Client) -> None:
    of_study(bob)
    Grant.objects.update(until=timezone.now() + timedelta(minutes=1))
    assert of_study(bob, reason="still unconscious, second look").status_code == 201
    assert EmergencyAccess.objects.count() == 2
    assert Grant.objects.get().until > timezone.now() + timedelta(hours=3)


def test_the_record_says_who_why_and_that_what_follows_is_an_emergency(study: Study, bob: Client) -> None:
    of_study(bob)
    bob.get(f"/api/studies/{UID}/")
    opened, seen = AuditEvent.objects.filter(study_instance_uid=UID).order_by("sequence")
    assert (opened.action, opened.outcome, opened.actor) == ("study.emergency", "success", "bob")
    assert (opened.patient_id, opened.organization) == (PATIENT, "hospital")
    assert opened.detail["reason"] == REASON
    assert (seen.action, seen.purpose) == ("study.view", "emergency")


def test_a_view_by_right_is_no_emergency(study: Study, alice: Client) -> None:
    alice.get(f"/api/studies/{UID}/")
    assert AuditEvent.objects.get(action="study.view").purpose == ""


def test_the_news_is_for_administrators_alone(study: Study, bob: Client) -> None:
    from viewer.serving.news import group_of

    of_study(bob)
    news = Outbox.objects.get(kind="emergency.opened")
    assert PATIENT not in str(news.payload)
    assert group_of(news.organization_id, news.kind) != group_of(news.organization_id)
    assert group_of(news.organization_id, "study.stored") == group_of(news.organization_id)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail is sent before the answer, so that a test can look."""

    class Now:
        def __init__(self, target: Any, args: Any, **_: Any) -> None:
            self.start = lambda: target(*args)

    monkeypatch.setattr("viewer.archive.emergency.threading.Thread", Now)


def test_administrators_get_a_mail_with_a_link_and_nothing_of_the_patient(
    study: Study, bob: Client, boss: Client, elsewhere: Organization, settings: LazySettings, at_once: None
) -> None:
    settings.EMAIL_HOST, settings.EMAIL_BACKEND = "mail.example", "django.core.mail.backends.locmem.EmailBackend"
    User.objects.filter(username="boss").update(email="boss@example.org")
    User.objects.filter(username="bob").update(email="bob@example.org")
    stranger = person("stranger", elsewhere, Role.ADMIN)
    User.objects.filter(pk=stranger.pk).update(email="stranger@example.org")
    of_study(bob)
    (sent,) = mail.outbox
    assert sent.to == ["boss@example.org"]
    said = sent.subject + sent.body
    assert f"/admin/viewer/emergencyaccess/{EmergencyAccess.objects.get().pk}/change/" in said
    assert not any(secret in said for secret in (UID, PATIENT, ACCESSION, "Geheim", REASON, "bob"))


def test_a_mail_server_that_is_away_keeps_nobody_from_the_study(
    study: Study, bob: Client, boss: Client, settings: LazySettings, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_HOST, settings.EMAIL_BACKEND = "mail.example", "django.core.mail.backends.smtp.EmailBackend"
    User.objects.filter(username="boss").update(email="boss@example.org")

    def away(*_: Any, **__: Any) -> None:
        raise smtplib.SMTPConnectError(421, "away")

    monkeypatch.setattr("smtplib.SMTP.__init__", away)
    assert of_study(bob).status_code == 201


# --- what administrators do with it


def test_the_front_page_counts_what_waits_and_a_review_takes_it_away(study: Study, bob: Client, boss: Client) -> None:
    of_study(bob)
    access = EmergencyAccess.objects.get()
    found = digest_of_row(access)
    assert "1 emergency access to look at" in boss.get("/admin/").content.decode()
    assert REASON in boss.get("/admin/viewer/emergencyaccess/").content.decode()
    page = f"/admin/viewer/emergencyaccess/{access.pk}/change/"
    assert boss.post(page, {"review": " "}).status_code == 200
    assert boss.post(page, {"review": "Was on call; right."}).status_code == 302
    access.refresh_from_db()
    assert (access.reviewed_by.username, access.review) == ("boss", "Was on call; right.")
    assert "to look at" not in boss.get("/admin/").content.decode()
    event = AuditEvent.objects.get(action="emergency.review")
    assert (event.actor, event.study_instance_uid, event.purpose) == ("boss", UID, "emergency")
    assert event.detail["before"] == found != event.detail["after"] == digest_of_row(access)
    boss.post(page, {"review": "changed my mind"})
    access.refresh_from_db()
    assert access.review == "Was on call; right."


def test_nobody_looks_at_their_own_and_strangers_at_none(study: Study, boss: Client, elsewhere: Organization) -> None:
    of_study(boss)
    page = f"/admin/viewer/emergencyaccess/{EmergencyAccess.objects.get().pk}/change/"
    boss.post(page, {"review": "all well"})
    other = signed_in(person("stranger", elsewhere, Role.ADMIN))
    assert "to look at" not in other.get("/admin/").content.decode()
    assert REASON not in other.get("/admin/viewer/emergencyaccess/").content.decode()
    other.post(page, {"review": "all well"})
    assert EmergencyAccess.objects.get().reviewed_at is None


def test_an_administrator_ends_it(study: Study, bob: Client, boss: Client) -> None:
    of_study(bob)
    epoch = User.objects.get(username="bob").epoch
    chosen = {"action": "end_now", "_selected_action": [EmergencyAccess.objects.get().pk]}
    boss.post("/admin/viewer/emergencyaccess/", chosen)
    assert bob.get(f"/api/studies/{UID}/").status_code == 404
    assert User.objects.get(username="bob").epoch > epoch
    ended = AuditEvent.objects.get(action="emergency.end", actor="boss").detail
    assert len(ended["before"]) == len(ended["after"]) == 64
    assert ended["before"] != ended["after"]


def granted(client: Client, user: User, until: Any, uid: str = UID) -> Any:
    said = {"study_instance_uid": uid, "user": user.pk, "until_0": until.strftime("%Y-%m-%d"), "until_1": "12:00:00"}
    return client.post("/admin/viewer/grant/add/", said)


def test_an_administrator_grants_a_study_to_somebody_of_the_organization_until_a_day(
    study: Study, bob: Client, boss: Client
) -> None:
    user, soon = User.objects.get(username="bob"), timezone.now() + timedelta(days=3)
    assert granted(boss, user, soon).status_code == 302
    assert bob.get(f"/api/studies/{UID}/").status_code == 200
    assert granted(boss, user, soon + timedelta(days=1)).status_code == 302
    grant = Grant.objects.get()
    assert (grant.reason, grant.until.date()) == ("administrator", (soon + timedelta(days=1)).date())
    first, event = AuditEvent.objects.filter(action="grant.make").order_by("sequence")
    assert "before" not in first.detail
    assert event.detail["before"] == first.detail["after"] != event.detail["after"]
    assert (event.actor, event.study_instance_uid, event.detail["person"]) == ("boss", UID, "bob")
    epoch = User.objects.get(username="bob").epoch
    boss.post("/admin/viewer/grant/", {"action": "end", "_selected_action": [grant.pk]})
    assert bob.get(f"/api/studies/{UID}/").status_code == 404
    assert User.objects.get(username="bob").epoch > epoch
    ended = AuditEvent.objects.get(action="grant.end").detail
    assert ended["before"] == event.detail["after"] != ended["after"]


def test_what_an_administrator_cannot_grant(study: Study, bob: Client, boss: Client, elsewhere: Organization) -> None:
    soon = timezone.now() + timedelta(days=3)
    user = User.objects.get(username="bob")
    stranger = person("stranger", elsewhere, Role.REFERRER)
    theirs = Study.objects.create(
        organization=elsewhere,
        patient=Patient.objects.create(organization=elsewhere, patient_id="9"),
        study_instance_uid=f"{UID}.8",
    )
    for answer in (
        granted(boss, stranger, soon),
        granted(boss, user, soon, theirs.study_instance_uid),
        granted(boss, user, soon, "1.2.3"),
        granted(boss, user, timezone.now() - timedelta(days=2)),
    ):
        assert answer.status_code == 200
        assert "errornote" in answer.content.decode()
    ours, ghost = granted(boss, user, soon, theirs.study_instance_uid), granted(boss, user, soon, "1.2.826.0.99")
    shown = [one.content.decode().split("errorlist")[1].split("</ul>")[0] for one in (ours, ghost)]
    assert shown[0] == shown[1]
    assert not Grant.objects.exists()


def test_a_person_of_two_organizations_is_granted_only_where_one_administers(
    study: Study, bob: Client, boss: Client, elsewhere: Organization
) -> None:
    user = User.objects.get(username="bob")
    Membership.objects.create(user=user, organization=elsewhere, role=Role.REFERRER)
    patient = Patient.objects.create(organization=elsewhere, patient_id="9")
    Study.objects.create(organization=elsewhere, patient=patient, study_instance_uid=UID)
    granted(boss, user, timezone.now() + timedelta(days=3))
    assert Grant.objects.get().study == study
