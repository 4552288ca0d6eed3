"""Signed reports on their way: each arrives once, in order, whatever fails in between."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import hl7
import pydicom
import pytest
from django.utils import timezone
from fhir.resources.R4B import get_fhir_model_class

from accounts.models import AuditEvent
from reporting.delivery import claims, payloads, schedule, sending, to_hl7
from reporting.delivery.sending import Sender
from reporting.evidence.blobs import bytes_of
from reporting.models import Delivery, Destination, ReadingItem
from tests.live import free_port
from tests.reporting.delivery.conftest import FINDINGS, IMPRESSION, states
from tests.reporting.delivery.receivers import HttpReceiver, MllpReceiver
from viewer.archive.storage import blob_store
from viewer.models import Instance, Study

pytestmark = pytest.mark.django_db(transaction=True)


def settle(sender: Sender | None = None) -> None:
    """Everything that is due is tried once."""
    asyncio.run((sender or Sender()).settle())


def due_now() -> None:
    Delivery.objects.filter(state="failed").update(next_try_at=timezone.now())


# --- the way of one report


def test_a_final_is_filed_in_the_archive_as_structured_report_and_pdf(sign, study: Study) -> None:
    before = set(Instance.objects.values_list("sop_instance_uid", flat=True))
    report = sign()
    settle()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.problem, delivery.answer) == (
        "acknowledged",
        "",
        "2 of 2 objects are new in the archive",
    )
    new = Instance.objects.exclude(sop_instance_uid__in=before)
    files = {
        row.series.modality: pydicom.dcmread(blob_store().path(row.blob_id)) for row in new.select_related("series")
    }
    assert set(files) == {"SR", "DOC"}
    assert {str(one.StudyInstanceUID) for one in files.values()} == {study.study_instance_uid}
    assert {str(one.PatientID) for one in files.values()} == {study.patient.patient_id}
    sr, doc = files["SR"], files["DOC"]
    assert (sr.CompletionFlag, sr.VerificationFlag, sr.PreliminaryFlag) == ("COMPLETE", "VERIFIED", "FINAL")
    assert IMPRESSION in str(sr)
    assert bytes(doc.EncapsulatedDocument).startswith(b"%PDF-")
    assert ReadingItem.objects.get(study=study).status == "delivered"
    event = AuditEvent.objects.get(action="report.deliver")
    assert (event.object_uid, event.outcome) == (str(report.uid), "success")


def test_an_hl7_receiver_gets_the_report_and_its_answer_is_kept(sign, to) -> None:
    with MllpReceiver() as receiver:
        row = to("hl7", receiver.address, receiving_application="RIS", receiving_facility="WARD")
        sign()
        settle()
    delivery = Delivery.objects.get(destination=row)
    assert delivery.state == "acknowledged"
    assert f"MSA|AA|{delivery.control_id}" in delivery.answer
    told = hl7.parse(receiver.received[0])
    assert (str(told.segment("MSH")[5]), str(told.segment("MSH")[6])) == ("RIS", "WARD")
    assert str(told.segment("MSH")[10]) == delivery.control_id
    assert len(delivery.control_id) <= 20
    assert FINDINGS.split(".")[0] in str(told)
    assert bytes_of(delivery.payload) == receiver.raw[0]


def test_an_hl7_receiver_that_wants_the_pdf_has_it_in_the_message(sign, to) -> None:
    with MllpReceiver() as receiver:
        to("hl7", receiver.address, pdf=True)
        to("hl7", receiver.address, name="without")
        sign()
        settle()
    documents = ["|ED|" in one and "JVBERi0" in one for one in receiver.received]  # %PDF- in Base64
    assert sorted(documents) == [False, True]


@pytest.mark.parametrize("kind", ["transaction", "collection"])
def test_a_fhir_server_gets_the_bundle(sign, to, kind: str) -> None:
    with HttpReceiver() as receiver:
        row = to("fhir", receiver.url, bundle=kind)
        report = sign()
        settle()
    delivery = Delivery.objects.get(destination=row)
    assert (delivery.state, delivery.answer) == ("acknowledged", "HTTP 201")
    (bundle,) = receiver.bundles()
    get_fhir_model_class("Bundle").model_validate(bundle)
    assert bundle["type"] == kind
    assert all(("request" in entry) == (kind == "transaction") for entry in bundle["entry"])
    told = {entry["resource"]["resourceType"]: entry["resource"] for entry in bundle["entry"]}
    assert {"DiagnosticReport", "Patient", "ImagingStudy"} <= set(told)
    assert told["DiagnosticReport"]["status"] == "final"
    assert delivery.control_id == bundle["identifier"]["value"]
    assert str(report.uid) in str(bundle)


def test_a_receiver_that_reads_latin_gets_latin_or_nothing(sign, to) -> None:
    with MllpReceiver() as receiver:
        row = to("hl7", receiver.address, character_set="8859/1")
        sign(findings="Kein Nachweis einer Blutung für größere Gefäße.")
        settle()
        assert "größere".encode("latin-1") in receiver.raw[0]
        assert b"|8859/1" in receiver.raw[0]
        assert states(row) == ["acknowledged"]


def test_what_the_receivers_characters_cannot_say_is_not_sent_otherwise(sign, to) -> None:
    with MllpReceiver() as receiver:
        row = to("hl7", receiver.address, character_set="8859/1")
        sign(findings="无出血。")
        settle()
    assert receiver.received == []
    assert "no character U+" in Delivery.objects.get(destination=row).problem


# --- in order


def test_an_addendum_never_overtakes_the_final(sign, add, to) -> None:
    with MllpReceiver("AE", "AA") as receiver:
        row = to("hl7", receiver.address)
        report = sign()
        add(report, "An old infarct in the left cerebellum.")
        settle()
        assert states(row) == ["failed", "queued"]  # the second was not even tried
        due_now()
        settle()
    assert states(row) == ["acknowledged", "acknowledged"]
    first, again, second = receiver.received
    assert "old infarct" not in first + again
    assert "old infarct" in second
    ids = receiver.control_ids()
    assert ids[0] == ids[1] != ids[2]


def test_what_was_given_up_keeps_no_later_version_waiting_and_is_not_sent_after_it(sign, add, to, monkeypatch) -> None:
    monkeypatch.setattr(schedule, "MOST_TRIES", 1)
    with MllpReceiver("AE", "AA") as receiver:
        row = to("hl7", receiver.address)
        report = sign()
        settle()
        assert states(row) == ["given_up"]
        add(report, "An old infarct.")
        settle()
        assert states(row) == ["superseded", "acknowledged"]
        assert claims.try_again(Delivery.objects.all()) == 0
        settle()
    assert len(receiver.received) == 2


def test_each_destination_goes_its_own_way(sign, to, monkeypatch) -> None:
    monkeypatch.setattr(to_hl7, "ANSWER_S", 1.0)
    with MllpReceiver("silence") as slow, MllpReceiver() as good:
        gone, late, quick = to("hl7", f"127.0.0.1:{free_port()}"), to("hl7", slow.address), to("hl7", good.address)
        sign()
        settle()
    assert [states(one) for one in (gone, late, quick)] == [["failed"], ["failed"], ["acknowledged"]]
    item = ReadingItem.objects.get(order__source="technologist")
    assert item.status == "final"  # not delivered: two receivers wait


# --- failures


def test_a_receiver_that_is_gone_is_tried_again_later_and_later(sign, to) -> None:
    row = to("hl7", f"127.0.0.1:{free_port()}")
    sign()
    waits = []
    for tries in range(1, 5):
        settle()
        delivery = Delivery.objects.get(destination=row)
        assert (delivery.state, delivery.tries) == ("failed", tries)
        assert "cannot be reached" in delivery.problem
        waits.append((delivery.next_try_at - delivery.updated_at).total_seconds())
        settle()
        assert Delivery.objects.get(destination=row).tries == tries  # not before its time
        due_now()
    for tries, waited in enumerate(waits, 1):
        assert waited == pytest.approx(5 * 2 ** (tries - 1), rel=schedule.SPREAD + 0.1)


def test_tries_add_up_to_a_day_and_then_a_person_is_asked(sign, to) -> None:
    row = to("hl7", f"127.0.0.1:{free_port()}")
    sign()
    waited = sum(schedule.plain_wait(tries) for tries in range(1, schedule.MOST_TRIES))
    assert timedelta(hours=24) <= timedelta(seconds=waited) < timedelta(hours=26)
    Delivery.objects.filter(destination=row).update(tries=schedule.MOST_TRIES - 1)
    settle()
    assert states(row) == ["given_up"]
    assert AuditEvent.objects.filter(action="report.deliver", outcome="failure").count() == 1
    assert claims.try_again(Delivery.objects.filter(destination=row)) == 1
    with MllpReceiver() as receiver:
        Destination.objects.filter(pk=row.pk).update(address=receiver.address)
        settle()
    assert states(row) == ["acknowledged"]


def test_a_destination_that_is_gone_has_one_report_tried_and_not_all(sign, add, to, study) -> None:
    row = to("hl7", f"127.0.0.1:{free_port()}")
    report = sign()
    add(report, "One.")
    Delivery.objects.filter(destination=row, report_version__kind="addendum").update(
        created_at=datetime(2020, 1, 1, tzinfo=UTC)
    )
    sender = Sender()
    settle(sender)
    settle(sender)
    assert list(Delivery.objects.filter(destination=row).order_by("id").values_list("tries", flat=True)) == [1, 0]


def test_a_fault_of_ours_is_told_without_the_patient(sign, to, monkeypatch, caplog) -> None:
    row = to("hl7", "127.0.0.1:9")
    sign()

    def fails(_: Delivery) -> None:
        raise ValueError("Müller^Zoë")

    monkeypatch.setattr(payloads, "made", fails)
    settle()
    delivery = Delivery.objects.get(destination=row)
    assert (delivery.state, delivery.problem) == ("failed", "It could not be sent (ValueError).")
    assert "ValueError at test_sending.py" in caplog.text
    assert "Müller" not in caplog.text


def test_a_destination_that_is_switched_off_gets_nothing_until_it_is_on(sign, to) -> None:
    with MllpReceiver() as receiver:
        row = to("hl7", receiver.address)
        sign()
        Destination.objects.filter(pk=row.pk).update(active=False)
        settle()
        assert states(row) == ["queued"]
        Destination.objects.filter(pk=row.pk).update(active=True)
        settle()
    assert states(row) == ["acknowledged"]
    assert len(receiver.received) == 1


# --- nothing twice


def test_what_is_sent_is_made_once_and_is_the_same_at_every_try(sign, to, monkeypatch) -> None:
    with MllpReceiver("close", "AE", "AA") as receiver:
        row = to("hl7", receiver.address)
        sign()
        for _ in range(3):
            settle()
            due_now()
    assert states(row) == ["acknowledged"]
    assert len(set(receiver.raw)) == 1


def test_two_senders_never_send_the_same(sign, to) -> None:
    with MllpReceiver() as receiver:
        row = to("hl7", receiver.address)
        sign()

        async def both() -> None:
            await asyncio.gather(*(Sender().settle() for _ in range(4)))

        asyncio.run(both())
    assert states(row) == ["acknowledged"]
    assert len(receiver.received) == 1


def test_a_claim_that_was_lost_writes_nothing(sign, to) -> None:
    row = to("hl7", "127.0.0.1:9")
    sign()
    held = claims.claim(row.pk, "one")
    assert held is not None
    assert claims.claim(row.pk, "two") is None
    Delivery.objects.filter(pk=held.pk).update(claimed_until=timezone.now() - timedelta(seconds=1))
    again = claims.claim(row.pk, "two")
    assert again is not None
    for act in (lambda: claims.fail(held, "one", "x"), lambda: claims.acknowledge(held, "one", "x")):
        with pytest.raises(claims.Lost):
            act()
    assert not claims.renew(held, "one")
    assert claims.renew(again, "two")
    claims.acknowledge(again, "two", "ok")
    assert states(row) == ["acknowledged"]


def test_after_a_crash_between_sending_and_writing_down_the_same_message_is_sent_again(sign, to, monkeypatch) -> None:
    """The receiver has it, we do not know: it gets the same bytes under the same control id, and can tell."""
    with MllpReceiver() as receiver:
        row = to("hl7", receiver.address)
        sign()

        def ends(*_: object) -> None:
            raise claims.Lost

        with monkeypatch.context() as patch:
            patch.setattr(claims, "acknowledge", ends)
            settle()
        assert states(row) == ["sent"]
        settle()
        assert len(receiver.received) == 1  # the claim of the dead holds for a while
        Delivery.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
        settle()
    assert states(row) == ["acknowledged"]
    assert receiver.raw[0] == receiver.raw[1]


def test_a_slow_receiver_keeps_its_claim(sign, to, monkeypatch) -> None:
    """Sending takes longer than a claim lasts: it is renewed meanwhile, and nobody else sends."""
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=0.6))
    monkeypatch.setattr(claims, "RENEWED_EVERY_S", 0.2)
    monkeypatch.setattr(to_hl7, "ANSWER_S", 2.0)
    with MllpReceiver("silence") as receiver:
        to("hl7", receiver.address)
        sign()

        async def two() -> None:
            first = asyncio.ensure_future(Sender().settle())
            await asyncio.sleep(1.2)
            await Sender().settle()
            await first

        asyncio.run(two())
    assert len(receiver.received) == 1


async def test_the_task_looks_by_itself_and_ends_when_it_is_told(site, monkeypatch) -> None:
    looked = asyncio.Event()

    async def look(self: Sender) -> None:
        looked.set()
        raise RuntimeError("this once")

    monkeypatch.setattr(sending, "PERIOD_S", 0.05)
    monkeypatch.setattr(Sender, "look", look)
    task = asyncio.ensure_future(sending.deliver())
    await asyncio.wait_for(looked.wait(), 5)
    await asyncio.sleep(0.2)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


# --- mail


def test_a_mail_names_neither_the_patient_nor_anything_of_the_study(
    sign, to, study, item, bob, mailoutbox, settings
) -> None:
    settings.EMAIL_HOST = "mail.example"
    bob.email = "bob@example.org"
    bob.save()
    item.order.referrer = bob
    item.order.save()
    row = to("email", "referrer")
    report = sign()
    type(report).objects.filter(pk=report.pk).update(order=item.order)
    settle()
    assert states(row) == ["acknowledged"]
    (mail,) = mailoutbox
    assert mail.to == ["bob@example.org"]
    text = mail.message().as_string()
    assert f"/reports/{report.pk}/" in text
    secrets = {
        *(
            getattr(study, name)
            for name in ("study_instance_uid", "study_id", "accession_number", "description", "date")
        ),
        *(study.patient_name.split("^")),
        *(study.stated_patient.values()),
        *(study.patient.patient_id, study.patient.birth_date, study.referring_physician, study.institution),
        *(item.order.procedure_text, item.order.reason, item.order.accession_number),
        *(FINDINGS, IMPRESSION),
    }
    for secret in secrets:
        assert len(secret) < 3 or secret not in text, secret


def test_a_referrer_without_a_mail_address_is_a_problem_that_a_person_sees(sign, to, settings) -> None:
    settings.EMAIL_HOST = "mail.example"
    row = to("email", "referrer")
    sign()
    settle()
    assert "nobody to write to" in Delivery.objects.get(destination=row).problem
