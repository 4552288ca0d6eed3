"""Two radiologists read an examination, neither seeing what the other writes or marks; then its report follows from both."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Organization, User
from reporting.exports import EXPORTS
from reporting.models import Delivery, Order, ReadingItem, Report, ReportingSite
from reporting.visibility import visible_reports
from reporting.workflow.reading import NotSigned, signed_report
from reporting.workflow.verifying import problems
from reporting.worklist import double_reading, items
from reporting.worklist.keeping import reasons
from tests.reporting.conftest import signed_in
from tests.reporting.talking import Json, act, done, opened, opening, saved, saving, send, signed, signing
from tests.reporting.workflow.test_signing import key_image
from viewer.marks import reports
from viewer.models import Instance, Study

NODULE = {"findings": "A mass of 12 mm in the right breast.", "impression": "Suspicious mass on the right."}
NOTHING = {"findings": "A mass of 12 mm in the right breast.", "impression": "No suspicious finding."}


@pytest.fixture
def item(site: Organization, study: Study, alice: User) -> ReadingItem:
    """A screening examination of an organization that has those read twice."""
    ReportingSite.objects.create(organization=site, double_reading="screening head\n\nMG-SCR")
    made = items.item_for_study(study, alice)
    Order.objects.filter(pk=made.order_id).update(procedure_text="Head, screening", source="hl7")
    made = ReadingItem.objects.get(pk=made.pk)
    items.make_ready(made, alice)
    return made


def read(client: Client, study: Study, content: Json = NODULE) -> Json:
    """A read apart, signed by its reader."""
    return signed(client, saved(client, opened(client, study), content), "read")


def row(client: Client, item: ReadingItem) -> Json:
    found: Json = client.get(f"/api/worklist/{item.pk}/").json()
    return found


def test_what_an_organization_names_is_read_twice(site: Organization, item: ReadingItem) -> None:
    assert ReadingItem.objects.get(pk=item.pk).double_reading
    for said, twice in {
        "": False,
        "screening": True,
        "screen": False,
        "SCREENING  Head": True,
        "screening knee": False,
        "mg-scr": False,
    }.items():
        ReportingSite.objects.filter(organization=site).update(double_reading=said)
        assert double_reading.asked_for(item) is twice, said
    item.order.procedure_code = "MG-scr"
    ReportingSite.objects.filter(organization=site).update(double_reading="x\nmg-scr")
    assert double_reading.asked_for(item)


def test_an_examination_goes_from_one_reader_to_another_and_then_to_its_report(
    item: ReadingItem, study: Study, at_alice: Client, at_dora: Client
) -> None:
    assert row(at_alice, item)["double_reading"] == {"complete": 0}
    first = opened(at_alice, study)
    assert (first["state"], first["may"]) == ("blind", ["save", "sign_read"])
    first = signed(at_alice, saved(at_alice, first, NODULE), "read")
    assert (first["state"], first["signed_version"], first["signature"]["meaning"]) == ("read", 0, "reader")
    assert (row(at_dora, item)["status"], row(at_dora, item)["double_reading"]) == ("ready", {"complete": 1})

    second = read(at_dora, study, NOTHING)
    assert row(at_dora, item)["double_reading"] == {"complete": 2}

    report = opened(at_alice, study)
    assert report["state"] == "draft"
    assert [(one["id"], one["by"]) for one in report["reads"]] == [
        (first["id"], "Alice Adler"),
        (second["id"], "Dora Dorn"),
    ]
    assert report["content"] == {"findings": NODULE["findings"]}, "what both say alike, and nothing where they differ"
    assert at_alice.get(f"/api/reports/{second['id']}/").json()["content"] == NOTHING
    final = signed(at_alice, saved(at_alice, report, NODULE))
    assert (final["state"], row(at_alice, item)["status"]) == ("final", "final")
    assert list(problems()) == []
    kept = {why for _, why in reasons([study.pk])}
    assert "its report is not signed" not in kept, "reads that are over keep no study from the rules of retention"


def test_whoever_has_read_waits_for_the_other_and_a_resident_for_both(
    item: ReadingItem, study: Study, at_alice: Client, at_rita: Client, at_dora: Client
) -> None:
    assert "claim" not in row(at_rita, item)["may"]
    assert send(at_rita, "post", f"/api/worklist/{item.pk}/claim/").status_code == 409
    assert send(at_rita, "post", "/api/worklist/next/").status_code == 404
    assert opening(at_rita, study).status_code == 403
    assert not Report.objects.exists()

    mine = read(at_alice, study)
    assert not {"claim", "take"} & set(row(at_alice, item)["may"])
    refused = send(at_alice, "post", f"/api/worklist/{item.pk}/claim/")
    assert (refused.status_code, "another radiologist" in refused.json()["detail"]) == (409, True)
    assert send(at_alice, "post", "/api/worklist/next/").status_code == 404
    again = opened(at_alice, study)
    assert (again["id"], again["may"]) == (mine["id"], [])
    assert saving(at_alice, again, NOTHING).status_code == 409

    assert send(at_dora, "post", "/api/worklist/next/").json()["id"] == item.pk


def test_nobody_sees_a_read_before_both_are_complete(
    item: ReadingItem, study: Study, at_alice: Client, at_dora: Client, dora: User, bob: User, boss: User
) -> None:
    mine = read(at_alice, study)
    others = [signed_in(one) for one in (dora, bob, boss)]
    for client in others:
        for door in ("", "versions/", "difference/", "checks/", "evidence/", "export/pdf", "preview/"):
            assert client.get(f"/api/reports/{mine['id']}/{door}").status_code == 404, door
    assert not visible_reports(dora).exists()
    assert str(mine["uid"]) not in at_dora.get(f"/api/reports/?study={study.study_instance_uid}").content.decode()
    assert row(at_dora, item)["report"] is None

    theirs = opened(at_dora, study)
    assert theirs["id"] != mine["id"]
    assert theirs["content"] == {}
    assert theirs["reads"] == []
    assert theirs["priors"] == []


def test_a_read_never_leaves(item: ReadingItem, study: Study, at_alice: Client, at_dora: Client) -> None:
    one, other = read(at_alice, study), read(at_dora, study)
    assert not Delivery.objects.exists()
    for said in (one, other):
        report = Report.objects.get(pk=said["id"])
        with pytest.raises(NotSigned):
            signed_report(report)
        for kind in EXPORTS:
            assert at_alice.get(f"/api/reports/{report.pk}/export/{kind}").status_code == 404
        assert act(at_alice, said, "addendum", text="More.").status_code == 409
        assert signing(at_alice, said, "final").status_code == 409
    told = at_alice.get(f"/fhir/DiagnosticReport?subject=Patient/{study.patient_id}").json()
    assert told.get("total", 0) == 0


def test_a_read_that_an_administrator_cancels_is_read_again(
    item: ReadingItem, study: Study, at_alice: Client, at_boss: Client, at_dora: Client
) -> None:
    mine = read(at_alice, study)
    done(at_boss, mine, "cancel", reason="The wrong images.")
    assert row(at_dora, item)["double_reading"] == {"complete": 0}
    assert opened(at_alice, study)["id"] != mine["id"]


def test_marks_of_one_reader_are_hidden_from_the_other_until_both_have_read(
    item: ReadingItem, study: Study, at_alice: Client, at_dora: Client
) -> None:
    opened(at_alice, study)
    mark = key_image(at_alice, study)
    address = f"/api/studies/{study.study_instance_uid}/key-images/"
    assert [one["uid"] for one in at_alice.get(address).json()["key_images"]] == [mark["uid"]]
    assert at_dora.get(address).json()["key_images"] == []
    assert at_dora.get(f"{address}{mark['uid']}/").status_code == 404
    assert at_dora.delete(f"{address}{mark['uid']}/").status_code == 404
    measured = measurement(at_alice, study)
    beside = f"/api/studies/{study.study_instance_uid}/measurements/"
    assert at_dora.get(beside).json()["measurements"] == []
    for method in ("get", "delete"):
        assert getattr(at_dora, method)(f"{beside}{measured['uid']}/").status_code == 404
    for door in (address, beside):
        assert send(at_alice, "post", f"{door}object/").status_code == 422, "all would see it in the archive"
    assert not Instance.objects.filter(series__modality__in=("SR", "KO", "PR")).exists()

    mine = opened(at_alice, study)
    signed(at_alice, saved(at_alice, mine, NODULE), "read")
    theirs = opened(at_dora, study)
    insertable = at_dora.get(f"/api/reports/{theirs['id']}/insertable/").json()
    assert (insertable["key_images"], insertable["measurements"]) == ([], [])
    signed(at_dora, saved(at_dora, theirs, NODULE), "read")
    assert [one["uid"] for one in at_dora.get(address).json()["key_images"]] == [mark["uid"]]
    assert [one["uid"] for one in at_dora.get(beside).json()["measurements"]] == [measured["uid"]]
    assert send(at_dora, "post", f"{beside}object/").status_code == 200


def measurement(client: Client, study: Study) -> Json:
    series = study.series.order_by("pk").first()
    assert series is not None
    body: dict[str, Any] = {
        "kind": "text",
        "label": "here",
        "series": series.series_instance_uid,
        "sop_instance_uid": series.instances.order_by("pk").first().sop_instance_uid,
        "points": [[10, 10]],
        "space": "image",
        "view": {"frame": 0},
    }
    answer = send(client, "post", f"/api/studies/{study.study_instance_uid}/measurements/", body)
    assert answer.status_code == 201, answer.content
    made: Json = answer.json()
    return made


def test_studies_that_somebody_reads_apart_are_written_later(
    item: ReadingItem, study: Study, at_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`since` stays where it was: what rests now is looked for again."""
    opened(at_alice, study)
    measurement(at_alice, study)
    monkeypatch.setattr(reports, "QUIET", -reports.QUIET)
    since, written = reports.write_due("test")
    assert (since, written) == (reports.EVER, [])
