"""The administration of reports: where they stand, by number; never what they say or of whom."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Organization, Role, User
from reporting.models import ReadingItem, Report, ReportVersion
from tests.reporting.conftest import person, signed_in
from tests.reporting.talking import SOUND, Json, done, opened, saved, signed

REPORTS = "/admin/reporting/report/"


@pytest.fixture
def report(at_alice: Client, item: ReadingItem) -> Json:
    return saved(at_alice, opened(at_alice, item.study))


def cancelling(client: Client, report: Json, **said: str) -> str:
    body = {"action": "cancel", "_selected_action": [report["id"]], **said}
    return client.post(REPORTS, body, follow=True).content.decode()


def test_an_administrator_sees_where_reports_stand_and_who_signed_and_no_more(
    at_alice: Client, at_boss: Client, item: ReadingItem, report: Json
) -> None:
    report = signed(at_alice, report)
    done(at_alice, report, "correct", reason="About Erika.", reason_code="error")
    patient = item.study.patient
    for address in (REPORTS, f"{REPORTS}{report['id']}/change/", f"{REPORTS}?q={item.study.study_instance_uid}"):
        page = at_boss.get(address).content.decode()
        assert "final" in page
        assert "Alice Adler" in page or "alice" in page
        for hidden in (SOUND["impression"], "Erika", patient.patient_id, "Fall, headache"):
            assert hidden not in page, (address, hidden)
    assert report["hash"] in at_boss.get(f"{REPORTS}{report['id']}/change/").content.decode()


def test_nothing_of_it_is_changed_or_deleted_there(at_boss: Client, report: Json) -> None:
    before = (Report.objects.values().get(), ReportVersion.objects.count())
    for path in (f"{report['id']}/change/", f"{report['id']}/delete/", "add/"):
        assert at_boss.post(REPORTS + path, {"state": "final"}).status_code in (302, 403)
    assert (Report.objects.values().get(), ReportVersion.objects.count()) == before


def test_cancelling_asks_why_and_refuses_what_is_final(at_alice: Client, at_boss: Client, report: Json) -> None:
    assert "say why" in cancelling(at_boss, report)
    assert "1 cancelled" in cancelling(at_boss, report, reason="Not done.")
    assert Report.objects.get().state == "cancelled"
    assert "cannot be cancelled" in cancelling(at_boss, report, reason="Again.")


@pytest.mark.parametrize("who", ["alice", "bob", "rita", "tess", "charlie"])
def test_whoever_does_not_administer_finds_no_such_page(request: pytest.FixtureRequest, report: Json, who: str) -> None:
    client = signed_in(request.getfixturevalue(who))
    for path in ("", f"{report['id']}/change/"):
        assert client.get(REPORTS + path).status_code == 404


def test_an_administrator_of_another_house_sees_and_cancels_nothing_here(report: Json) -> None:
    far: User = person("far", Organization.objects.create(name="far"), Role.ADMIN)
    client = signed_in(far)
    assert f"/{report['id']}/change" not in client.get(REPORTS).content.decode()
    assert client.get(f"{REPORTS}{report['id']}/change/").status_code in (302, 404)
    cancelling(client, report, reason="x")
    assert Report.objects.get().state == "draft"
