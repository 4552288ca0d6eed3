"""Orders come once, however often they come; they find their images, and only theirs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accounts.models import AuditEvent, Organization, User
from reporting.models import ItemEvent, Order, ReadingItem, Report, TemplateVersion
from reporting.worklist import items, orders
from reporting.worklist.orders import OrderFacts, PatientFacts
from reporting.worklist.refusals import BadOrder, WrongPatient
from tests.reporting.worklist.conftest import Ordered, Scan, facts
from viewer.models import Outbox, Patient

pytestmark = pytest.mark.django_db


def test_an_order_before_its_images_stands_scheduled_with_a_patient_of_its_own(ordered: Ordered) -> None:
    order = ordered(requested_at=datetime(2026, 3, 1, 8, tzinfo=UTC))
    assert (order.item.status, order.item.reading_class) == ("scheduled", "URGENT")
    assert order.item.ordered_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert (order.patient.patient_id, order.patient.name_folded) == ("PID-1", "muster erika")
    assert [event.kind for event in order.item.events.all()] == ["ordered"]
    assert AuditEvent.objects.filter(action="order.place", patient_id="PID-1").count() == 1
    assert Outbox.objects.filter(kind="worklist.changed").count() == 1


def test_the_same_order_again_changes_nothing_and_says_nothing(ordered: Ordered) -> None:
    first = ordered(placer_order_number="P-1")
    news, events = Outbox.objects.count(), ItemEvent.objects.count()
    again = ordered(placer_order_number="P-1")
    assert again.pk == first.pk
    assert (Order.objects.count(), ReadingItem.objects.count()) == (1, 1)
    assert (Outbox.objects.count(), ItemEvent.objects.count()) == (news, events)


@pytest.mark.parametrize(
    "number", [{"filler_order_number": "F-1"}, {"placer_order_number": "P-1"}, {"accession_number": "A-9"}]
)
def test_it_is_known_by_each_of_its_numbers(ordered: Ordered, number: dict[str, str]) -> None:
    whole = {"filler_order_number": "F-1", "placer_order_number": "P-1", "accession_number": "A-9"}
    first = ordered(**whole)
    assert ordered(**{"accession_number": "", **number}, procedure_text="CT thorax").pk == first.pk
    assert Order.objects.get().procedure_text == "CT thorax"


def test_two_orders_may_share_an_accession_number(ordered: Ordered) -> None:
    assert ordered(placer_order_number="P-1").pk != ordered(placer_order_number="P-2").pk


def test_a_known_order_number_for_another_patient_is_refused(ordered: Ordered) -> None:
    ordered(placer_order_number="P-1")
    with pytest.raises(WrongPatient, match="P-1"):
        ordered({"patient_id": "PID-2"}, placer_order_number="P-1")
    assert Order.objects.count() == 1


def test_an_accession_number_of_another_patient_is_another_order(ordered: Ordered) -> None:
    assert ordered().pk != ordered({"patient_id": "PID-2"}).pk


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"patient": {"patient_id": ""}}, "patient_id"),
        ({"patient": {"birth_date": "1.1.1960"}}, "birth_date"),
        ({"laterality": "X"}, "laterality"),
        ({"reading_class": "SOON"}, "reading_class"),
        ({"accession_number": "A" * 65}, "accession_number"),
        ({"accession_number": ""}, "accession_number"),
    ],
)
def test_what_no_order_can_hold_is_refused_with_the_field(ordered: Ordered, changed: dict, field: str) -> None:
    with pytest.raises(BadOrder) as refused:
        ordered(changed.pop("patient", None), **changed)
    assert refused.value.field == field
    assert Order.objects.count() == 0


# --- changes


def test_the_items_class_follows_the_order_until_a_person_gives_it_another(
    ordered: Ordered, site: Organization
) -> None:
    order = ordered()
    orders.change(order, facts(site, reading_class="STAT"), "hl7")
    assert ReadingItem.objects.get().reading_class == "STAT"
    ReadingItem.objects.update(reading_class="TRAUMA")
    orders.change(order, facts(site, reading_class="ROUTINE"), "hl7")
    assert ReadingItem.objects.get().reading_class == "TRAUMA"
    assert Order.objects.get().reading_class == "ROUTINE"


def test_events_tell_old_and_new_but_not_what_people_write_about_patients(ordered: Ordered, site: Organization) -> None:
    order = ordered(laterality="L", reason="old secret")
    orders.change(order, facts(site, laterality="R", reason="new secret"), "hl7")
    event = ItemEvent.objects.get(kind="order_changed")
    assert event.detail["laterality"] == ["L", "R"]
    assert event.detail["changed"] == ["laterality", "reason"]
    assert "secret" not in str(list(ItemEvent.objects.values_list("detail", flat=True)))
    assert "secret" not in str(list(AuditEvent.objects.values_list("detail", flat=True)))


def test_an_event_holds_the_digest_of_the_order_before_it_and_after_it(ordered: Ordered, site: Organization) -> None:
    order = ordered(laterality="L")
    orders.change(order, facts(site, laterality="R"), "hl7")
    orders.cancel(order, "hl7", "not wanted")
    placed, changed, cancelled = AuditEvent.objects.filter(action__startswith="order.").order_by("sequence")
    assert "before" not in placed.detail
    assert changed.detail["before"] != changed.detail["after"] == cancelled.detail["before"]
    assert cancelled.detail["after"] != cancelled.detail["before"]


def test_a_corrected_accession_number_finds_the_images(ordered: Ordered, scan: Scan) -> None:
    order = ordered(accession_number="A-10")
    study = scan()
    items.images_came(study)
    own = ReadingItem.objects.get(order__source="study")
    orders.correct(order, {"accession_number": "A-100"}, "tess")
    order.refresh_from_db()
    assert order.item.study == study
    own.refresh_from_db()
    assert (own.status, own.study, own.order.status) == ("cancelled", None, "cancelled")


# --- images first


def test_an_order_that_comes_after_its_images_takes_them(ordered: Ordered, scan: Scan, settled: None) -> None:
    study = scan()
    (own,) = items.images_came(study)
    items.settle_arrivals()
    order = ordered(reading_class="STAT")
    item = ReadingItem.objects.get()
    assert item.pk == own.pk
    assert (item.order, item.study, item.status, item.reading_class) == (order, study, "ready", "STAT")
    assert Order.objects.get(source="study").status == "cancelled"


def test_also_while_somebody_writes_about_them(
    ordered: Ordered, scan: Scan, alice: User, template: TemplateVersion
) -> None:
    study = scan()
    item = items.item_for_study(study)
    report = Report.objects.create(
        organization=study.organization,
        study=study,
        item=item,
        order=item.order,
        template_version=template,
        author=alice,
    )
    order = ordered()
    report.refresh_from_db()
    assert (report.order, report.item, order.item) == (order, item, item)


def test_an_order_for_the_same_number_and_another_patient_leaves_the_images_alone(ordered: Ordered, scan: Scan) -> None:
    study = scan()
    items.images_came(study)
    other = ordered({"patient_id": "PID-2", "name": "Sommer^Ines"})
    assert (other.item.status, other.item.study) == ("scheduled", None)
    assert ReadingItem.objects.get(study=study).order.source == "study"


def test_a_patient_id_without_its_issuer_is_the_one_patient_who_bears_it(ordered: Ordered, scan: Scan) -> None:
    study = scan(IssuerOfPatientID="HARBOUR")
    assert ordered().patient == study.patient
    assert Patient.objects.count() == 1


def test_order_and_images_get_one_patient_when_only_one_names_the_issuer(ordered: Ordered, scan: Scan) -> None:
    order = ordered({"issuer_of_patient_id": "HARBOUR"})
    study = scan()
    items.images_came(study)
    order.refresh_from_db()
    assert (order.item.study, order.patient) == (study, study.patient)


# --- cancelled


def test_a_cancelled_order_takes_its_waiting_item_along(ordered: Ordered) -> None:
    order = ordered()
    orders.cancel(order, "hl7", "patient went home")
    order.refresh_from_db()
    assert (order.status, order.item.status) == ("cancelled", "cancelled")
    orders.cancel(order, "hl7")
    assert ItemEvent.objects.filter(kind="order_cancelled").count() == 1


def test_but_not_what_somebody_reads(ordered: Ordered, item: ReadingItem, alice: User) -> None:
    ReadingItem.objects.filter(pk=item.pk).update(status="claimed", claimed_by=alice)
    orders.cancel(item.order, "hl7", discontinued=True)
    item.refresh_from_db()
    assert (item.status, Order.objects.get().status) == ("claimed", "discontinued")


def test_another_organization_knows_other_orders_by_the_same_numbers(ordered: Ordered, charlie: User) -> None:
    here = ordered(placer_order_number="P-1")
    elsewhere = Organization.objects.get(name="elsewhere")
    there = orders.place(
        OrderFacts(elsewhere, PatientFacts("PID-1"), placer_order_number="P-1", accession_number="A-100"), "hl7", "hl7"
    )
    assert here.pk != there.pk
    assert here.patient_id != there.patient_id
