"""Which destinations a signed version has to go to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import transaction

from accounts.models import Organization, User
from reporting.delivery.queue import queue
from reporting.models import Delivery, Destination, Report, ReportVersion, TemplateVersion
from viewer.models import Study


@pytest.fixture
def version(study: Study, alice: User, template: TemplateVersion):
    """`version(number, state)` of one report."""
    report = Report.objects.create(
        organization=study.organization, study=study, template_version=template, author=alice, state="final"
    )

    def make(number: int, state: str, kind: str = "final") -> ReportVersion:
        return ReportVersion.objects.create(
            **{"report": report, "number": number, "kind": kind, "state": state, "sequence": number},
            **{"content": {}, "template_version": template, "author": alice, "author_username": "alice"},
            **{"author_name": "Alice", "at": datetime.now(UTC), "previous_mac": "0", "mac": "0"},
        )

    return make


def kinds(version: ReportVersion) -> set[str]:
    return {one.destination.kind for one in queue(version.report, version)}


def test_every_organization_has_its_own_archive_by_itself(version) -> None:
    assert kinds(version(1, "final")) == {"archive"}
    assert Destination.objects.get().name == "archive"


def test_a_final_goes_to_each_active_destination_of_its_organization_once(version, to) -> None:
    to("hl7", "127.0.0.1:1")
    to("fhir", "http://127.0.0.1/")
    Destination.objects.filter(kind="fhir").update(active=False)
    Destination.objects.create(organization=Organization.objects.create(name="elsewhere"), name="x", kind="email")
    final = version(1, "final")
    assert kinds(final) == {"archive", "hl7"}
    assert kinds(final) == set()
    assert Delivery.objects.count() == 2


def test_a_preliminary_goes_where_preliminaries_are_wanted(version, to) -> None:
    to("hl7", "127.0.0.1:1", preliminary=True)
    to("fhir", "http://127.0.0.1/")
    assert kinds(version(1, "preliminary")) == {"archive", "hl7"}
    assert kinds(version(2, "pending_cosign")) == {"archive", "hl7"}
    assert kinds(version(3, "returned")) == set()
    assert kinds(version(4, "final")) == {"archive", "hl7", "fhir"}
    assert kinds(version(5, "appended")) == {"archive", "hl7", "fhir"}


def test_a_withdrawal_is_told_to_whoever_was_sent_the_report(version, to) -> None:
    to("hl7", "127.0.0.1:1", preliminary=True)
    to("fhir", "http://127.0.0.1/")
    kinds(version(1, "preliminary"))
    assert kinds(version(2, "cancelled")) == {"archive", "hl7"}


def test_what_was_sent_nowhere_is_withdrawn_nowhere(version, to) -> None:
    to("hl7", "127.0.0.1:1")
    assert kinds(version(1, "cancelled")) == set()


def test_a_destination_of_a_kind_that_nobody_knows_waits_and_the_row_says_so(version, to) -> None:
    to("pigeon", "PACS")
    queue(version(1, "final").report, ReportVersion.objects.get())
    waiting = Delivery.objects.get(destination__kind="pigeon")
    assert (waiting.state, waiting.problem) == ("queued", "There is no kind 'pigeon'.")


def test_a_signature_that_is_taken_back_leaves_nothing_to_send(version, to) -> None:
    final = version(1, "final")
    try:
        with transaction.atomic():
            queue(final.report, final)
            raise RuntimeError
    except RuntimeError:
        pass
    assert not Delivery.objects.exists()
