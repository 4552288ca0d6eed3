"""Who writes without a pause leaves a version a minute, not one for every second; nothing of the text is lost by that."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from reporting.models import Report, ReportVersion, WorkingText
from reporting.workflow import versions
from reporting.workflow.verifying import problems
from tests.reporting.conftest import signed_in
from tests.reporting.talking import Json, act, done, opened, saved, saving, signed
from viewer.models import Study

pytestmark = pytest.mark.usefixtures("three")


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three saves in a row are versions each, so that the tests need no twenty."""
    monkeypatch.setattr(versions, "FREELY", 3)


def kinds() -> list[tuple[int, str]]:
    return list(ReportVersion.objects.order_by("number").values_list("number", "kind"))


def written(client: Client, study: Study, saves: int) -> Json:
    """A report that was opened and then saved so often."""
    report = opened(client, study)
    for number in range(saves):
        report = saved(client, report, {"findings": f"Nodule {number}.", "impression": "A nodule."})
        assert report["saved"]
    return report


def test_a_long_text_leaves_few_versions_and_is_there_to_the_last_key(at_alice: Client, study: Study) -> None:
    report = written(at_alice, study, 12)
    assert report["version"] == 13
    assert kinds() == [(1, "save"), (2, "save"), (3, "save")]
    assert WorkingText.objects.count() == 1
    told = at_alice.get(f"/api/reports/{report['id']}/").json()
    assert (told["version"], told["content"]["findings"]) == (13, "Nodule 11.")
    assert saved(at_alice, report, told["content"])["saved"] is False
    assert at_alice.get(f"/api/reports/{report['id']}/checks/").json()["version"] == 13
    assert list(problems()) == []


def test_after_a_minute_what_is_written_becomes_a_version(
    at_alice: Client, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = written(at_alice, study, 4)
    monkeypatch.setattr(versions, "EVERY", timedelta(0))
    report = saved(at_alice, report, {"findings": "A minute later."})
    assert kinds() == [(1, "save"), (2, "save"), (3, "save"), (report["version"], "save")]
    assert not WorkingText.objects.exists()
    assert list(problems()) == []


def test_a_signature_signs_the_text_to_the_last_key_and_keeps_it_as_a_version(at_alice: Client, study: Study) -> None:
    report = written(at_alice, study, 6)
    final = signed(at_alice, report, version=report["version"])
    assert kinds() == [(1, "save"), (2, "save"), (3, "save"), (7, "save"), (8, "final")]
    row = ReportVersion.objects.get(kind="final")
    assert (final["version"], row.based_on, row.content["findings"]) == (8, 7, "Nodule 5.")
    assert not WorkingText.objects.exists()
    assert list(problems()) == []


def test_what_one_wrote_is_a_version_before_another_writes_on(at_alice: Client, at_dora: Client, study: Study) -> None:
    report = written(at_alice, study, 6)
    done(at_dora, report, "lock", action="take", reason="Alice was called away.")
    report = saved(at_dora, report, {"impression": "Written by Dora."})
    held = list(ReportVersion.objects.order_by("number").values_list("number", "author_username"))
    assert held[-2:] == [(7, "alice"), (8, "dora")]
    text = ReportVersion.objects.get(number=8)
    assert text.content["findings"] == "Nodule 5."
    stale = saving(at_dora, {**report, "version": 5}, {"findings": "From long ago."})
    assert stale.status_code == 409
    assert stale.json()["content"] == text.content
    assert list(problems()) == []


def test_a_text_that_is_not_the_newest_is_not_saved_between_versions_either(at_alice: Client, study: Study) -> None:
    report = written(at_alice, study, 6)
    answer = saving(at_alice, {**report, "version": report["version"] - 1}, {"impression": "Mine."})
    assert answer.status_code == 409
    said = answer.json()
    assert (said["version"], said["content"]["findings"]) == (7, "Nodule 5.")
    assert {one["field"]: (one["yours"], one["theirs"]) for one in said["difference"]}["impression"] == (
        "Mine.",
        "A nodule.",
    )
    assert WorkingText.objects.get().number == 7


def test_another_template_finds_all_that_was_written(at_alice: Client, study: Study) -> None:
    report = written(at_alice, study, 6)
    answer = saving(at_alice, report, {}, template="farview-ct-head")
    assert answer.status_code == 200, answer.content
    assert kinds()[-2:] == [(7, "save"), (8, "save")]
    assert ReportVersion.objects.get(number=7).content["findings"] == "Nodule 5."
    assert "Nodule 5." in str({**answer.json()["content"], "left": answer.json()["left_over"]})
    assert not WorkingText.objects.exists()


def test_a_text_between_versions_that_was_changed_or_taken_away_is_found(at_alice: Client, study: Study) -> None:
    report = written(at_alice, study, 6)
    held = WorkingText.objects.get()
    for field, value in (("content", {"findings": "Forged."}), ("author_name", "Mallory"), ("context", {})):
        WorkingText.objects.update(**{field: value})
        assert [one for one in problems() if "being written was changed" in one], field
        WorkingText.objects.update(**{field: getattr(held, field)})
    assert list(problems()) == []
    WorkingText.objects.all().delete()
    assert [one for one in problems() if f"report {report['id']} says draft, version 7" in one]


def test_of_a_report_that_is_signed_or_cancelled_nothing_lies_between_versions(
    at_alice: Client, at_boss: Client, study: Study
) -> None:
    report = written(at_alice, study, 6)
    done(at_boss, report, "cancel", reason="Opened on the wrong study.")
    assert kinds()[-2:] == [(7, "save"), (8, "cancel")]
    assert not WorkingText.objects.exists()
    assert Report.objects.get().version == 8


def test_strangers_do_not_see_it(at_alice: Client, bob: object, charlie: object, study: Study) -> None:
    report = written(at_alice, study, 6)
    for person in (bob, charlie):
        client = signed_in(person)
        answers = [client.get(f"/api/reports/{report['id']}/"), act(client, report, "lock", action="heartbeat")]
        assert {answer.status_code for answer in answers} <= {403, 404}
        assert all(b"Nodule" not in answer.content for answer in answers)
