"""The administration of deliveries: whose rows, which acts, and no patient for whoever reads nowhere."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, Membership, Organization, Role, User
from reporting.delivery import inbound
from reporting.models import (
    Delivery,
    Destination,
    HL7Peer,
    InboundMessage,
    Order,
    Report,
    ReportVersion,
    TemplateVersion,
)
from tests.reporting.conftest import person, signed_in
from tests.reporting.delivery.messages import adt, orm
from tests.reporting.delivery.receivers import HttpReceiver, MllpReceiver
from viewer.models import Study

PAGES = ("destination", "delivery", "hl7peer", "inboundmessage")


def page(kind: str, *key: int) -> str:
    return reverse(f"admin:reporting_{kind}_{'change' if key else 'changelist'}", args=key)


@pytest.fixture
def at(boss: User) -> Client:
    return signed_in(boss)


@pytest.fixture
def delivery(study: Study, alice: User, template: TemplateVersion, to) -> Delivery:
    report = Report.objects.create(
        organization=study.organization, study=study, template_version=template, author=alice, state="final"
    )
    version = ReportVersion.objects.create(
        **{"report": report, "number": 1, "kind": "final", "state": "final", "sequence": 1, "content": {}},
        **{"template_version": template, "author": alice, "author_username": "alice", "author_name": "Alice"},
        **{"at": datetime.now(UTC), "previous_mac": "0", "mac": "0"},
    )
    return Delivery.objects.create(
        destination=to("hl7", "127.0.0.1:1"),
        report=report,
        report_version=version,
        state="given_up",
        problem="127.0.0.1:1 cannot be reached",
        next_try_at=datetime(2030, 1, 1, tzinfo=UTC),
        tries=40,
    )


@pytest.mark.parametrize("kind", PAGES)
def test_only_administrators_come_in(kind: str, alice, bob, charlie, rita, tess, boss) -> None:
    for user in (alice, bob, charlie, rita, tess):
        assert signed_in(user).get(page(kind)).status_code == 404
    assert Client().get(page(kind)).status_code == 302
    assert signed_in(boss).get(page(kind)).status_code == 200


def test_rows_of_other_organizations_are_not_there(at: Client, delivery: Delivery, peer: HL7Peer) -> None:
    inbound.receive(orm().encode(), "127.0.0.1")
    rows = [delivery.destination, delivery, peer, InboundMessage.objects.get()]
    stranger = signed_in(person("other", Organization.objects.create(name="elsewhere"), Role.ADMIN))
    for kind, row in zip(PAGES, rows, strict=True):
        assert str(row.pk) in at.get(page(kind)).content.decode()
        assert at.get(page(kind, row.pk)).status_code == 200
        assert stranger.get(page(kind, row.pk)).status_code == 302  # to the list, as for what is not there
        assert stranger.get(page(kind)).content.decode().count('class="action-select"') == 0
        chosen = {"action": "try_again", "_selected_action": [row.pk]}
        stranger.post(page("delivery"), chosen)
    assert Delivery.objects.get().state == "given_up"


def test_what_was_given_up_is_tried_again_and_what_fails_is_given_up(at: Client, delivery: Delivery) -> None:
    shown = at.get(page("delivery")).content.decode()
    assert "cannot be reached" in shown
    at.post(page("delivery"), {"action": "try_again", "_selected_action": [delivery.pk]})
    again = Delivery.objects.get()
    assert (again.state, again.tries) == ("queued", 0)
    assert again.next_try_at <= datetime.now(UTC)
    at.post(page("delivery"), {"action": "give_up", "_selected_action": [delivery.pk]})
    assert Delivery.objects.get().state == "given_up"
    assert {"delivery.retry", "delivery.give_up"} <= set(AuditEvent.objects.values_list("action", flat=True))


def test_pages_of_deliveries_name_no_patient(at: Client, delivery: Delivery, study: Study) -> None:
    for address in (page("delivery"), page("delivery", delivery.pk), page("destination", delivery.destination_id)):
        shown = at.get(address).content.decode()
        for secret in (study.patient.patient_id, study.patient_name.split("^")[0]):
            assert not secret or secret not in shown


def fields(**given: object) -> dict[str, object]:
    return {
        "name": "EHR",
        "kind": "fhir",
        "address": "https://ehr.example/fhir",
        "options": "{}",
        "active": "on",
        **given,
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"address": "http://ehr.example/fhir"}, "Over http everybody"),
        ({"options": '{"token_env": "FARVIEW_SECRET_KEY"}'}, "FARVIEW_DELIVERY_SECRET_DEFAULT__"),
        ({"options": '{"password": "x"}'}, "has no option"),
        ({"kind": "hl7"}, "HOST:PORT"),
        ({"kind": "hl7", "address": "ris:2575", "options": '{"character_set": "EBCDIC"}'}, "EBCDIC"),
        ({"kind": "email", "address": "nobody"}, "mail addresses"),
        ({"options": "[]"}, None),
    ],
)
def test_a_destination_that_cannot_be_sent_to_is_refused_in_a_sentence(at: Client, site, given, told) -> None:
    response = at.post(reverse("admin:reporting_destination_add"), fields(organization=site.pk, **given))
    if told is None:
        assert response.status_code == 302
    else:
        assert told in response.content.decode()
        assert not Destination.objects.exists()


def test_a_destination_of_an_organization_that_is_not_theirs_is_not_made(at: Client, site) -> None:
    other = Organization.objects.create(name="elsewhere")
    at.post(reverse("admin:reporting_destination_add"), fields(organization=other.pk))
    assert not Destination.objects.exists()


def test_the_test_button_sends_something_harmless_and_says_what_came_back(at: Client, to) -> None:
    with MllpReceiver("AR", words="unsupported message type") as receiver:
        row = to("hl7", receiver.address, receiving_application="RIS")
        form = fields(
            kind="hl7", name=row.name, address=row.address, options='{"receiving_application": "RIS"}', _test="1"
        )
        told = at.post(page("destination", row.pk), form, follow=True).content.decode()
    assert "it is there; the receiver answered AR" in told
    ((sent),) = receiver.received
    assert "|NMD^N02" in sent
    assert "PID" not in sent
    told = at.post(
        page("destination"), {"action": "send_test", "_selected_action": [row.pk]}, follow=True
    ).content.decode()
    assert "cannot be reached" in told
    events = AuditEvent.objects.filter(action__startswith="destination.test").order_by("sequence")
    assert list(events.values_list("action", flat=True)) == ["destination.test.begun", "destination.test"] * 2


def test_testing_a_fhir_server_asks_what_it_can_and_posts_nothing(at: Client, to) -> None:
    with HttpReceiver() as receiver:
        row = to("fhir", receiver.url)
        told = at.post(page("destination"), {"action": "send_test", "_selected_action": [row.pk]}, follow=True)
    assert "HTTP 501" in told.content.decode()  # the receiver of the tests knows no GET
    assert receiver.received == []


def test_messages_that_were_refused_are_applied_again(at: Client, peer: HL7Peer) -> None:
    inbound.receive(orm("M-1", act="CA").encode(), "127.0.0.1")
    inbound.receive(adt("M-2", "A40").encode(), "127.0.0.1")
    inbound.receive(orm("M-3").encode(), "127.0.0.1")
    chosen = list(InboundMessage.objects.values_list("pk", flat=True))
    told = at.post(page("inboundmessage"), {"action": "apply_again", "_selected_action": chosen}, follow=True)
    shown = told.content.decode()
    assert "M-1: applied" in shown
    assert "M-2: no PID is followed by an MRG" in shown
    assert "M-3 is applied already" in shown
    assert Order.objects.get().status == "cancelled"


def test_the_text_of_a_message_is_for_those_who_read_there(at: Client, boss: User, peer: HL7Peer) -> None:
    inbound.receive(orm().encode(), "127.0.0.1")
    row = InboundMessage.objects.get()
    assert "Müller" not in at.get(page("inboundmessage", row.pk)).content.decode()
    assert "Müller" not in at.get(page("inboundmessage")).content.decode()
    Membership.objects.create(user=boss, organization=peer.organization, role=Role.RADIOLOGIST)
    assert "Müller" in at.get(page("inboundmessage", row.pk)).content.decode()
    assert AuditEvent.objects.filter(action="hl7.view").count() == 1


def peer_fields(**given: object) -> dict[str, object]:
    return {"name": "HIS", "address": "10.0.0.5", "mapping": "{}", "active": "on", **given}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"address": "his.example"}, "IP address"),
        ({"mapping": '{"accession_number": "OBR-18"}'}, "list of fields"),
        ({"mapping": '{"color": 1}'}, "nothing named"),
        ({"mapping": '{"priorities": {"1": "SOON"}}'}, "STROKE"),
        ({"character_set": "EBCDIC"}, "EBCDIC"),
    ],
)
def test_a_peer_that_makes_no_sense_is_refused_in_a_sentence(at: Client, site, given, told) -> None:
    response = at.post(reverse("admin:reporting_hl7peer_add"), peer_fields(organization=site.pk, **given))
    assert told in response.content.decode()
    assert not HL7Peer.objects.exists()


def test_nobody_draws_another_organizations_messages_to_themselves(at: Client, site) -> None:
    other = Organization.objects.create(name="elsewhere")
    HL7Peer.objects.create(organization=other, name="HIS", address="10.0.0.0/24", sending_facility="THERE")
    add = reverse("admin:reporting_hl7peer_add")
    told = at.post(add, peer_fields(organization=site.pk, sending_application="HIS")).content.decode()
    assert "another organization" in told
    assert at.post(add, peer_fields(organization=site.pk, sending_facility="HERE")).status_code == 302
    assert at.post(add, peer_fields(organization=site.pk, name="b", address="10.0.1.5")).status_code == 302
