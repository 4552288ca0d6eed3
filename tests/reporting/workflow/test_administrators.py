"""Who administers and does not read: ends reports through the same doors as everybody, and is shown nothing that they say."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import AuditEvent, Organization, Role, User
from reporting.models import ReadingItem, Report, ReportVersion
from tests.reporting.conftest import PASSWORD, person, signed_in
from tests.reporting.talking import Json, act, done, opened, saved, signed
from viewer.models import Study

SECRET = {"findings": "A word that only this report holds: quokka.", "impression": "Quokka."}
TOLD = {"id", "uid", "state", "version", "hash", "signature", "signed_version", "may"}
"""All that an administrator's act is answered with."""


@pytest.fixture
def final(at_alice: Client, study: Study, item: ReadingItem) -> Json:
    return signed(at_alice, saved(at_alice, opened(at_alice, study), SECRET))


@pytest.fixture
def at_second(site: Organization) -> Client:
    return signed_in(person("second", site, Role.ADMIN, "Sam Second"))


def state() -> str:
    return Report.objects.get().state


def quiet(told: Json) -> Json:
    """What only the door answered, without what the caller knew before; it says nothing of the text."""
    assert "quokka" not in str(told).lower()
    return told


def test_two_administrators_mark_a_report_as_entered_in_error(at_boss: Client, at_second: Client, final: Json) -> None:
    asked = act(at_boss, final, "entered-in-error", reason="Wrong patient.", password=PASSWORD)
    assert asked.status_code == 200, asked.content
    assert set(quiet(asked.json())) == TOLD
    assert (asked.json()["state"], asked.json()["may"]) == ("final", ["withdraw_error"])
    again = act(at_boss, final, "entered-in-error", password=PASSWORD)
    assert (again.status_code, again.json()["code"], state()) == (403, "second_person", "final")
    ended = act(at_second, final, "entered-in-error", password=PASSWORD)
    assert (ended.status_code, state()) == (200, "entered_in_error")
    assert set(quiet(ended.json())) == TOLD
    row = ReportVersion.objects.get(kind="error")
    assert (row.author_username, row.author_role, row.reason) == ("second", "admin", "Wrong patient.")
    done_by = AuditEvent.objects.filter(action="report.entered_in_error", outcome="success").values_list(
        "actor", flat=True
    )
    assert list(done_by.order_by("id")) == ["boss", "second"]


def test_a_radiologist_confirms_what_an_administrator_asked_for(at_boss: Client, at_alice: Client, final: Json) -> None:
    done(at_boss, final, "entered-in-error", reason="Wrong patient.", password=PASSWORD)
    done(at_alice, final, "entered-in-error", password=PASSWORD)
    assert state() == "entered_in_error"


def test_an_administrator_takes_back_only_what_they_asked_for(at_boss: Client, at_second: Client, final: Json) -> None:
    done(at_boss, final, "entered-in-error", reason="Wrong patient.", password=PASSWORD)
    assert act(at_second, final, "entered-in-error", "delete").status_code == 403
    told = act(at_boss, final, "entered-in-error", "delete")
    assert (told.status_code, quiet(told.json())["may"]) == (200, ["entered_in_error"])
    assert state() == "final"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"reason": "x", "password": "wrong"}, 403),
        ({"reason": "x"}, 403),
        ({"reason": " ", "password": PASSWORD}, 400),
    ],
)
def test_it_takes_a_reason_and_the_own_password(at_boss: Client, final: Json, body: Json, status: int) -> None:
    assert act(at_boss, final, "entered-in-error", **body).status_code == status
    assert state() == "final"


def test_a_report_that_is_not_final_is_cancelled_and_its_examination_waits_again(
    at_alice: Client, at_boss: Client, study: Study, item: ReadingItem
) -> None:
    report = saved(at_alice, opened(at_alice, study), SECRET)
    told = act(at_boss, report, "cancel", reason="Not examined.")
    assert (told.status_code, set(quiet(told.json())), state()) == (200, TOLD, "cancelled")
    item.refresh_from_db()
    assert (item.status, item.claimed_by) == ("ready", None)
    assert act(at_boss, report, "entered-in-error", reason="x", password=PASSWORD).status_code == 409


@pytest.mark.parametrize(
    ("method", "door"),
    [
        *(("get", door) for door in ("", "versions", "checks", "difference", "preview", "evidence", "critical")),
        *(("get", f"export/{kind}") for kind in ("html", "pdf", "sr", "fhir", "hl7")),
        *(("post", door) for door in ("sign", "cosign", "addendum", "correct", "return", "lock", "critical")),
    ],
)
def test_everything_else_is_not_there(at_boss: Client, final: Json, method: str, door: str) -> None:
    address = f"/api/reports/{final['id']}/{door}" + ("/" if door and "export" not in door else "")
    answer = getattr(at_boss, method)(address, content_type="application/json")
    ghost = getattr(at_boss, method)(
        address.replace(f"/{final['id']}/", "/987654/", 1), content_type="application/json"
    )
    assert (answer.status_code, answer.content) == (404, ghost.content)


def test_who_also_reads_here_sees_and_still_may_not_confirm_their_own_request(
    site: Organization, boss: User, at_boss: Client, final: Json
) -> None:
    boss.memberships.create(organization=site, role=Role.RADIOLOGIST)
    client = signed_in(User.objects.get(pk=boss.pk))
    assert client.get(f"/api/reports/{final['id']}/").status_code == 200
    done(client, final, "entered-in-error", reason="Wrong patient.", password=PASSWORD)
    assert act(client, final, "entered-in-error", password=PASSWORD).json()["code"] == "second_person"


def test_bob_charlie_and_an_administrator_elsewhere_end_nothing(final: Json, bob: User, charlie: User) -> None:
    far = person("far", Organization.objects.create(name="far"), Role.ADMIN)
    for user in (bob, charlie, far):
        for door in ("cancel", "entered-in-error"):
            assert act(signed_in(user), final, door, reason="x", password=PASSWORD).status_code == 404
    assert state() == "final"
