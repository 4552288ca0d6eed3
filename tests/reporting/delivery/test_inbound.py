"""Orders and patients that other systems send: done once, answered truly, and kept before they are answered."""

from __future__ import annotations

import hl7
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEvent, Organization
from reporting.delivery import inbound
from reporting.models import HL7Peer, InboundMessage, Order, ReadingItem
from tests.reporting.delivery.messages import adt, orm
from viewer.archive.corrected import merge_of
from viewer.archive.correcting import Who
from viewer.archive.correcting_undo import undo
from viewer.models import Correction, Patient, Study

HERE = "127.0.0.1"


def said(text: str | bytes, address: str = HERE) -> tuple[str, str, str]:
    """(MSA-1, MSA-2, what is wrong) of the answer, as python-hl7 reads it."""
    raw = text.encode() if isinstance(text, str) else text
    answer = hl7.parse(inbound.receive(raw, address).data.decode())
    msa = answer.segment("MSA")
    errors = [str(answer.segment("ERR")[8])] if "\rERR|" in str(answer) else [""]
    return str(msa[1]), str(msa[2]), errors[0]


def test_a_new_order_becomes_an_order_and_a_reading_item(peer: HL7Peer) -> None:
    assert said(orm(priority="S", uid="1.2.3.4")) == ("AA", "M-1", "")
    order = Order.objects.get()
    assert (order.accession_number, order.placer_order_number, order.filler_order_number) == ("ACC-1", "P-1", "F-1")
    assert (order.patient.patient_id, order.patient_name, order.patient_birth_date) == (
        "4711",
        "Müller^Zoë",
        "19570312",
    )
    assert (order.reading_class, order.modality, order.procedure_text) == ("STAT", "CT", "CT head")
    assert (order.source, order.study_instance_uid, order.referring_identifier) == ("hl7", "1.2.3.4", "R-77")
    assert ReadingItem.objects.get().status == "scheduled"
    kept = InboundMessage.objects.get()
    assert (kept.state, kept.kind, kept.control_id, kept.organization) == (
        "applied",
        "ORM^O01",
        "M-1",
        peer.organization,
    )
    assert "Müller^Zoë" in kept.body


def test_the_same_message_again_is_answered_the_same_and_done_once(peer: HL7Peer) -> None:
    first = said(orm())
    said(orm("M-2", act="CA"))
    assert said(orm()) == first
    assert Order.objects.get().status == "cancelled"
    assert InboundMessage.objects.count() == 2
    refused = said(orm("M-3", act="HD"))
    assert refused[0] == "AE"
    assert said(orm("M-3", act="HD")) == refused
    assert InboundMessage.objects.count() == 3


def test_another_message_under_a_number_that_was_used_is_done(peer: HL7Peer) -> None:
    """Senders begin to count again after a restart; an order lost for that is worse than one told twice."""
    said(orm())
    assert said(orm(procedure="CTNECK^CT neck^L"))[0] == "AA"
    assert Order.objects.get().procedure_text == "CT neck"


def test_an_order_is_changed_cancelled_and_discontinued(peer: HL7Peer) -> None:
    said(orm())
    said(orm("M-2", act="XO", procedure="CTNECK^CT neck^L", priority="A"))
    order = Order.objects.get()
    assert (order.procedure_code, order.reading_class, order.status) == ("CTNECK", "URGENT", "ordered")
    said(orm("M-3", act="XO", procedure='CTNECK^""^L'))
    assert Order.objects.get().procedure_text == ""
    said(orm("M-4", act="DC"))
    assert Order.objects.get().status == "discontinued"
    assert ReadingItem.objects.get().status == "cancelled"
    assert {"order.place", "order.change", "order.cancel"} <= set(AuditEvent.objects.values_list("action", flat=True))


def test_an_order_that_is_not_known_cannot_be_cancelled_and_the_answer_says_so(peer: HL7Peer) -> None:
    code, _, words = said(orm(act="CA"))
    assert (code, words) == ("AE", "there is no such order to end")
    assert InboundMessage.objects.get().state == "refused"


def test_an_order_number_that_comes_with_another_patient_is_refused(peer: HL7Peer) -> None:
    said(orm())
    code, _, words = said(orm("M-2", act="XO", patient="4712"))
    assert code == "AE"
    assert "another patient" in words
    assert Order.objects.get().patient.patient_id == "4711"


def test_the_images_that_were_here_before_are_found_by_the_order(peer: HL7Peer, study: Study) -> None:
    patient = study.patient
    said(orm(uid=study.study_instance_uid, patient=patient.patient_id, name=patient.name or "X"))
    order = Order.objects.exclude(source="study").get()
    assert order.study_instance_uid == study.study_instance_uid


def test_orders_belong_to_the_organization_of_the_peer_that_sends_them(peer: HL7Peer) -> None:
    other = Organization.objects.create(name="elsewhere")
    HL7Peer.objects.create(organization=other, name="RIS 2", address="127.0.0.0/8", sending_application="RIS2")
    said(orm())
    said(orm("M-2", sender="RIS2|WARD"))
    assert sorted(Order.objects.values_list("organization__name", flat=True)) == ["default", "elsewhere"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (orm(sender="STRANGER|WARD"), HERE),
        (orm(sender="RIS|ELSEWHERE"), HERE),
        (orm(), "10.0.0.7"),
        (orm(), "::1"),
        (orm(), ""),
    ],
)
def test_whoever_is_in_no_row_is_rejected_and_nothing_is_kept(peer: HL7Peer, text: str, address: str) -> None:
    assert said(text, address)[0] == "AR"
    assert not InboundMessage.objects.exists()
    assert not Order.objects.exists()
    assert AuditEvent.objects.filter(action="hl7.refuse", outcome="denied").count() == 1


def test_a_row_that_was_switched_off_lets_nobody_in(peer: HL7Peer) -> None:
    HL7Peer.objects.update(active=False)
    assert said(orm())[0] == "AR"


def test_two_rows_that_say_as_much_of_a_sender_decide_nothing(peer: HL7Peer) -> None:
    other = Organization.objects.create(name="elsewhere")
    HL7Peer.objects.filter(pk=peer.pk).update(sending_facility="")
    HL7Peer.objects.create(organization=other, name="b", address="127.0.0.1/32", sending_application="RIS")
    assert said(orm())[0] == "AR"


def test_characters_are_those_that_the_message_or_the_row_names(peer: HL7Peer) -> None:
    assert said(orm("M-1", character_set="8859/1").encode("latin-1"))[0] == "AA"
    assert said(orm("M-2", character_set="").encode("latin-1"))[0] == "AR"
    HL7Peer.objects.update(character_set="8859/1")
    assert said(orm("M-3", character_set="").encode("latin-1"))[0] == "AA"
    assert Order.objects.get().patient_name == "Müller^Zoë"


def test_what_a_row_maps_is_read_from_there(peer: HL7Peer) -> None:
    HL7Peer.objects.update(mapping={"accession_number": ["OBR-3"], "issuer": "HOSP"})
    said(orm())
    order = Order.objects.get()
    assert (order.accession_number, order.patient.issuer_of_patient_id) == ("F-1", "HOSP")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "AR"),
        ("hello", "AR"),
        ("MSH|^~\\&|RIS|WARD", "AR"),
        (orm("").replace("ORM^O01^ORM_O01", "ORU^R01"), "AR"),
        (orm().replace("ORM^O01^ORM_O01", "ORU^R01"), "AE"),
        (orm().replace("PID|1||4711^^^HOSP^MR", "PID|1||"), "AE"),
        (adt(event="A11"), "AE"),
        (orm(accession="A" * 65), "AE"),
    ],
)
def test_what_cannot_be_done_is_answered_with_the_reason(peer: HL7Peer, text: str, code: str) -> None:
    answered, _, words = said(text)
    assert answered == code
    assert words
    assert not Order.objects.exists()


# --- patients


def test_a_changed_name_is_changed_everywhere_and_stays_known(peer: HL7Peer, study: Study) -> None:
    patient = study.patient
    before = Study.objects.get()
    said(orm(patient=patient.patient_id, name="Old^Name", uid=study.study_instance_uid))
    assert said(adt(patient=patient.patient_id, name="New^Name", birth_date="19000101"))[0] == "AA"
    assert Order.objects.exclude(source="study").get().patient_name == "New^Name"
    changed = Patient.objects.get(pk=patient.pk)
    assert (changed.name, changed.name_folded, changed.birth_date) == ("New^Name", "new name", "19000101")
    after = Study.objects.get()
    assert (after.patient_name, after.patient_birth_date) == ("New^Name", "19000101")
    act = Correction.objects.get(part_of=None)
    assert (act.kind, act.source, act.before["PatientName"]) == ("patient_updated", "hl7", before.patient_name)
    event = AuditEvent.objects.get(action="correction.patient_updated")
    assert event.patient_id == patient.patient_id
    assert "New" not in str(event.detail)


def test_images_that_name_somebody_else_are_not_renamed_but_warned_of(peer: HL7Peer, study: Study) -> None:
    Study.objects.update(patient_name="Somebody^Else")
    said(adt(patient=study.patient.patient_id, name="New^Name"))
    after = Study.objects.get()
    assert after.patient_name == "Somebody^Else"
    assert any('"New^Name" instead of' in one for one in after.warnings)


def test_a_correction_that_agrees_with_the_images_warns_of_nothing(peer: HL7Peer, study: Study) -> None:
    stated = study.stated_patient
    said(adt(patient=study.patient.patient_id, name=stated["name"], birth_date=stated["birth_date"], sex=stated["sex"]))
    assert Study.objects.get().warnings == study.warnings


@pytest.mark.parametrize("event", ["A01", "A04", "A05", "A08", "A31"])
def test_every_event_that_states_a_patient_corrects_them(peer: HL7Peer, event: str) -> None:
    said(orm())
    assert said(adt(event=event))[0] == "AA"
    assert Patient.objects.get().name == "Meier^Zoë"


def test_a_patient_of_another_organization_is_not_corrected(peer: HL7Peer) -> None:
    other = Organization.objects.create(name="elsewhere")
    Patient.objects.create(organization=other, patient_id="4711", name="Keep^Me")
    assert said(adt())[0] == "AA"
    assert Patient.objects.get().name == "Keep^Me"


def test_of_two_patients_with_one_number_the_issuer_decides_and_without_it_none_is_corrected(peer: HL7Peer) -> None:
    for issuer in ("NORTH", "SOUTH"):
        Patient.objects.create(
            organization=peer.organization, patient_id="4711", issuer_of_patient_id=issuer, name="Keep^Me"
        )
    code, _, words = said(adt())
    assert (code, "name the issuer" in words) == ("AE", True)
    HL7Peer.objects.update(mapping={"issuer": "SOUTH"})
    assert said(adt("A-2"))[0] == "AA"
    names = dict(Patient.objects.values_list("issuer_of_patient_id", "name"))
    assert names == {"NORTH": "Keep^Me", "SOUTH": "Meier^Zoë"}


def test_a_patient_nobody_knows_is_no_fault(peer: HL7Peer) -> None:
    assert said(adt())[0] == "AA"
    assert not Patient.objects.exists()


@pytest.mark.parametrize("event", ["A18", "A34", "A39", "A40", "A47"])
def test_a_merge_makes_two_numbers_one_patient_and_can_be_undone(peer: HL7Peer, study: Study, event: str) -> None:
    former = study.patient
    said(orm(patient=former.patient_id, uid=study.study_instance_uid))
    HL7Peer.objects.update(mapping={"issuer": former.issuer_of_patient_id})
    assert said(adt("A-9", event, patient="S-1", more=f"MRG|{former.patient_id}^^^HOSP^MR\r"))[0] == "AA"
    merged = Study.objects.select_related("patient").get()
    assert (merged.patient.patient_id, merged.patient_name) == ("S-1", "Meier^Zoë")
    assert set(Order.objects.values_list("patient__patient_id", flat=True)) == {"S-1"}
    act = Correction.objects.filter(kind="patients_merged", part_of=None).get()
    assert (act.source, act.before["PatientID"], act.after["PatientID"]) == ("hl7", former.patient_id, "S-1")
    undo(act, Who("boss", "They are two."))
    back = Study.objects.get()
    assert (back.patient_id, back.patient_name) == (former.pk, former.name)
    assert set(Order.objects.values_list("patient", flat=True)) == {former.pk}


def test_a_merge_of_nobody_known_changes_nothing_and_one_without_mrg_is_refused(peer: HL7Peer) -> None:
    assert said(adt("A-9", "A40", more="MRG|4712^^^HOSP^MR\r"))[0] == "AA"
    assert not Patient.objects.exists()
    code, _, words = said(adt("A-10", "A40"))
    assert (code, "MRG" in words) == ("AE", True)


def test_images_that_come_after_a_merge_of_numbers_that_nobody_knew_follow_it(peer: HL7Peer) -> None:
    said(orm(patient="S-1"))
    assert said(adt("A-9", "A40", patient="S-1", more="MRG|OLD-7^^^HOSP^MR\r"))[0] == "AA"
    home = peer.organization
    former = Patient.objects.get(organization=home, patient_id="OLD-7")
    merge = merge_of(home, "OLD-7", former.issuer_of_patient_id)
    assert merge is not None
    assert merge.after["PatientID"] == "S-1"


# --- nothing lost


def test_a_message_that_was_kept_and_not_done_is_done_at_the_next_start(peer: HL7Peer, monkeypatch) -> None:
    """The server ends between the two transactions: nothing was answered, and nothing is lost."""

    class Ended(BaseException):
        pass

    def ends(row: InboundMessage) -> None:
        raise Ended

    monkeypatch.setattr(inbound, "apply", ends)
    with pytest.raises(Ended):
        inbound.receive(orm().encode(), HERE)
    assert InboundMessage.objects.get().state == "received"
    monkeypatch.undo()
    (row,) = inbound.pending()
    assert inbound.apply(row).code == "AA"
    assert Order.objects.count() == 1
    assert said(orm())[0] == "AA"
    assert Order.objects.count() == 1


def test_what_was_refused_may_be_done_again(peer: HL7Peer) -> None:
    said(orm("M-1", act="CA"))
    said(orm("M-2"))
    row = InboundMessage.objects.get(control_id="M-1")
    assert inbound.apply(row).code == "AA"
    assert InboundMessage.objects.get(control_id="M-1").state == "applied"
    assert Order.objects.get().status == "cancelled"


def test_a_fault_of_ours_is_answered_and_kept_and_says_nothing_of_the_patient(
    peer: HL7Peer, monkeypatch, caplog
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("Müller^Zoë")

    monkeypatch.setattr(inbound.orders, "place", fails)
    code, _, words = said(orm())
    assert code == "AE"
    assert "Müller" not in words
    assert "RuntimeError at" in caplog.text
    assert "Müller" not in caplog.text
    assert InboundMessage.objects.get().state == "refused"


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_sent_is_answered(peer: HL7Peer, data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from([orm(), adt(), orm(act="XO"), adt(event="A40")])).encode())
    for _ in range(data.draw(st.integers(0, 6))):
        place = data.draw(st.integers(0, len(raw) - 1))
        piece = data.draw(st.binary(max_size=4) | st.sampled_from([b"|", b"^", b"~", b"\\", b"\r", b'""', b"&"]))
        raw[place : place + data.draw(st.integers(0, 3))] = piece
    answer = inbound.receive(bytes(raw), HERE).data
    assert str(hl7.parse(answer.decode("utf-8", "replace")).segment("MSA")[1]) in ("AA", "AE", "AR", "CA", "CE", "CR")
