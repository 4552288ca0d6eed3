"""Images find their order, and are never put to another patient's without a person."""

from __future__ import annotations

import pytest

from accounts.models import Organization, User
from reporting.models import Order, ReadingItem
from reporting.worklist import acts, items
from tests.reporting.worklist.conftest import Ordered, Scan

pytestmark = pytest.mark.django_db


def test_by_study_instance_uid(ordered: Ordered, scan: Scan) -> None:
    order = ordered(accession_number="", study_instance_uid="1.2.3")
    study = scan(AccessionNumber="")
    (item,) = items.images_came(study)
    assert (item.order, item.study, item.status) == (order, study, "arriving")
    assert item.last_image_at is not None


def test_by_accession_number_and_patient(ordered: Ordered, scan: Scan) -> None:
    order = ordered()
    (item,) = items.images_came(scan())
    assert item.order == order
    assert ReadingItem.objects.count() == 1


def test_the_order_learns_from_the_images_what_it_left_open(ordered: Ordered, scan: Scan) -> None:
    order = ordered(study_instance_uid="9.9.9")
    items.images_came(scan(BodyPartExamined="CHEST"))
    order.refresh_from_db()
    assert (order.modality, order.body_part, order.study_instance_uid) == ("CT", "CHEST", "1.2.3")


@pytest.mark.parametrize(
    "said",
    [
        {"PatientID": "PID-2"},
        {"PatientBirthDate": "19600102"},
        {"PatientSex": "M"},
        {"PatientName": "Sommer^Ines"},
    ],
)
def test_a_disagreement_about_the_patient_is_held_with_its_reason(ordered: Ordered, scan: Scan, said: dict) -> None:
    order = ordered()
    study = scan(**said)
    (held,) = items.images_came(study)
    assert (held.status, held.held_reason) == ("hold", "wrong_patient")
    assert str(next(iter(said.values()))).lower().replace("^", " ").split()[0] in held.note.lower()
    order.refresh_from_db()
    assert (order.item.study, order.item.status) == (None, "scheduled")
    assert (held.order.source, held.study) == ("study", study)
    assert held.events.filter(kind="held", detail__order=order.pk).exists()


def test_also_when_the_study_instance_uid_is_the_ordered_one(ordered: Ordered, scan: Scan) -> None:
    order = ordered({"patient_id": "PID-2"}, study_instance_uid="1.2.3")
    (held,) = items.images_came(scan())
    assert (held.held_reason, order.item.study) == ("wrong_patient", None)


def test_other_issuers_of_one_patient_id_are_other_patients(ordered: Ordered, scan: Scan) -> None:
    ordered({"issuer_of_patient_id": "CITY"})
    (held,) = items.images_came(scan(IssuerOfPatientID="HARBOUR"))
    assert held.held_reason == "wrong_patient"
    assert '"CITY"' in held.note


def test_a_number_alone_is_not_enough_where_the_images_name_no_patient(ordered: Ordered, scan: Scan) -> None:
    order = ordered()
    (held,) = items.images_came(scan(PatientID="", PatientName="", PatientBirthDate="", PatientSex=""))
    assert (held.status, order.item.study) == ("hold", None)
    assert "missing" in held.note


def test_another_accession_number_than_the_ordered_one_is_held_too(ordered: Ordered, scan: Scan) -> None:
    order = ordered(study_instance_uid="1.2.3", accession_number="A-1")
    (held,) = items.images_came(scan())
    assert (held.status, held.held_reason) == ("hold", "other")
    assert '"A-1"' in held.note
    assert order.item.study is None


def test_images_without_an_order_get_one_of_their_own(scan: Scan) -> None:
    study = scan(BodyPartExamined="CHEST", ReferringPhysicianName="Brandt^Bob")
    (item,) = items.images_came(study)
    order = item.order
    assert (order.source, order.patient, order.accession_number) == ("study", study.patient, "A-100")
    assert (order.procedure_text, order.modality, order.body_part) == ("Chest", "CT", "CHEST")
    assert (order.patient_name, order.referring_physician) == ("Muster^Erika", "Brandt^Bob")
    assert (item.reading_class, item.status) == ("ROUTINE", "arriving")


def test_a_second_study_under_one_number_is_an_examination_of_its_own_like_the_first(
    ordered: Ordered, scan: Scan
) -> None:
    first = ordered(reason="Cough", procedure_text="CT chest")
    items.images_came(scan())
    (second,) = items.images_came(scan("1.2.4"))
    assert second.order != first
    assert (second.order.source, second.order.reason, second.reading_class) == ("study", "Cough", "URGENT")


def test_two_orders_for_one_study_both_have_it(ordered: Ordered, scan: Scan) -> None:
    orders = [ordered(placer_order_number=number) for number in ("P-1", "P-2")]
    found = items.images_came(scan())
    assert [item.order for item in found] == orders


def test_a_cancelled_order_gets_no_images(ordered: Ordered, scan: Scan) -> None:
    order = ordered()
    Order.objects.update(status="cancelled")
    (item,) = items.images_came(scan())
    assert item.order != order


def test_an_item_is_made_once_whoever_asks(scan: Scan) -> None:
    study = scan()
    assert items.item_for_study(study) == items.images_came(study)[0] == items.item_for_study(study)
    assert ReadingItem.objects.count() == 1


def test_other_organizations_orders_are_not_asked(ordered: Ordered, scan: Scan, charlie: object) -> None:
    order = ordered()
    (item,) = items.images_came(scan(organization=Organization.objects.get(name="elsewhere")))
    assert item.order != order
    assert item.organization.name == "elsewhere"


def test_images_of_two_patients_in_one_study_are_held_until_a_person_has_looked(
    ordered: Ordered, scan: Scan, tess: User, settled: None
) -> None:
    order = ordered()
    items.images_came(scan())
    items.settle_arrivals()
    assert ReadingItem.objects.get().status == "ready"
    items.images_came(scan(PatientID="PID-2"))
    held = ReadingItem.objects.get(order=order)
    assert (held.status, held.held_reason) == ("hold", "wrong_patient")
    assert "PID-2" in held.note
    acts.ready(held.pk, tess, "typed again at the scanner")
    items.images_came(scan(PatientID="PID-2"))
    assert ReadingItem.objects.get(order=order).status == "ready"


def test_also_when_they_come_together(scan: Scan, settled: None) -> None:
    scan()
    items.images_came(scan(PatientID="PID-2"))
    assert items.settle_arrivals() == 0
    assert ReadingItem.objects.get().held_reason == "wrong_patient"
