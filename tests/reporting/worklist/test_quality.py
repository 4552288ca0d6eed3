"""Quality control: ready or held, put right, and images moved to where they belong, each step an event."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEvent, User
from reporting.models import ItemEvent, Order, ReadingItem, Report, TemplateVersion
from reporting.worklist import acts, claiming, items, orders
from reporting.worklist.refusals import BadOrder, Held, Overtaken, Refused, WrongPatient
from tests.reporting.worklist.conftest import Ordered, Scan
from viewer.archive.query import NotFound
from viewer.models import Study

pytestmark = pytest.mark.django_db


def again(item: ReadingItem) -> ReadingItem:
    return ReadingItem.objects.select_related("order", "study").get(pk=item.pk)


def kinds(item: ReadingItem) -> list[str]:
    return list(item.events.order_by("id").values_list("kind", flat=True))


# --- ready and held


def test_a_technologist_says_that_it_is_ready(scan: Scan, tess: User) -> None:
    (item,) = items.images_came(scan())
    ready = acts.ready(item.pk, tess)
    assert ready.status == "ready"
    assert ready.ready_at is not None
    event = item.events.get(kind="ready")
    assert event.actor_name == "tess"


def test_not_before_there_are_images(ordered: Ordered, tess: User, study: Study) -> None:
    with pytest.raises(Refused):
        acts.ready(ordered().item.pk, tess)


@pytest.mark.parametrize("reason", ["series_missing", "wrong_side", "wrong_patient"])
def test_held_with_its_reason_it_is_nobodys_to_read(item: ReadingItem, tess: User, alice: User, reason: str) -> None:
    held = acts.hold(item.pk, tess, reason, "look again")
    assert (held.status, held.held_reason, held.note) == ("hold", reason, "look again")
    with pytest.raises(Refused):
        claiming.claim(item.pk, alice)
    event = item.events.get(kind="held")
    assert (event.detail["reason"], event.detail["note"]) == (reason, "look again")


def test_other_reasons_are_said_in_words(item: ReadingItem, tess: User) -> None:
    with pytest.raises(BadOrder):
        acts.hold(item.pk, tess, "other")
    with pytest.raises(BadOrder):
        acts.hold(item.pk, tess, "tired", "no reason")
    assert again(item).status == "ready"


def test_releasing_keeps_the_clock_and_the_assignment(item: ReadingItem, tess: User, alice: User) -> None:
    ReadingItem.objects.update(assigned_to=alice, status="assigned")
    acts.hold(item.pk, tess, "series_missing")
    free = acts.ready(item.pk, tess, "sent again")
    assert (free.status, free.held_reason, free.note) == ("assigned", "", "sent again")
    assert free.ready_at == item.ready_at
    assert item.events.get(kind="ready").detail["held_for"] == "series_missing"


def test_a_doubt_about_the_patient_is_ended_in_words(item: ReadingItem, tess: User) -> None:
    acts.hold(item.pk, tess, "wrong_patient")
    with pytest.raises(BadOrder):
        acts.ready(item.pk, tess)
    assert acts.ready(item.pk, tess, "wristband seen").status == "ready"


def test_only_who_reads_it_holds_what_is_being_read(item: ReadingItem, alice: User, tess: User) -> None:
    claiming.claim(item.pk, alice)
    with pytest.raises(Held):
        acts.hold(item.pk, tess, "wrong_side")
    held = acts.hold(item.pk, alice, "wrong_side")
    assert (held.status, held.claimed_by) == ("hold", None)


def test_an_old_look_changes_nothing(item: ReadingItem, tess: User) -> None:
    acts.hold(item.pk, tess, "wrong_side", version=item.version)
    with pytest.raises(Overtaken):
        acts.ready(item.pk, tess, version=item.version)


# --- class, corrections, assignment, cancelling


def test_a_class_is_changed_with_both_values(item: ReadingItem, alice: User) -> None:
    assert acts.set_class(item.pk, alice, "STROKE").reading_class == "STROKE"
    assert item.events.get(kind="class_changed").detail == {"status": "ready", "from": "ROUTINE", "to": "STROKE"}
    acts.set_class(item.pk, alice, "STROKE")
    assert kinds(item).count("class_changed") == 1
    assert Order.objects.get(pk=item.order_id).reading_class == "ROUTINE"
    with pytest.raises(BadOrder):
        acts.set_class(item.pk, alice, "SOON")


def test_side_and_procedure_are_put_right_at_hand(item: ReadingItem, tess: User) -> None:
    acts.correct(item.pk, tess, {"laterality": "R", "procedure_text": "CT head right"})
    order = Order.objects.get(pk=item.order_id)
    assert (order.laterality, order.procedure_text) == ("R", "CT head right")
    assert item.events.get(kind="order_changed").detail["laterality"] == ["", "R"]
    assert AuditEvent.objects.filter(action="order.change", actor="tess").exists()
    for wrong in ({"laterality": "X"}, {"accession_number": "A-9"}, {"status": "cancelled"}):
        with pytest.raises(BadOrder):
            acts.correct(item.pk, tess, wrong)


def test_an_administrator_assigns_to_people_who_report_there_alone(
    item: ReadingItem, boss: User, rita: User, tess: User, charlie: User
) -> None:
    assert acts.assign(item.pk, boss, rita).status == "assigned"
    assert acts.assign(item.pk, boss, None).status == "ready"
    for nobody in (tess, charlie):
        with pytest.raises(BadOrder):
            acts.assign(item.pk, boss, nobody)
    assert [event.detail["to"] for event in ItemEvent.objects.filter(kind="assigned")] == ["rita"]


def test_what_is_being_read_can_be_assigned_for_afterwards(
    item: ReadingItem, boss: User, alice: User, rita: User
) -> None:
    claiming.claim(item.pk, alice)
    assert acts.assign(item.pk, boss, rita).status == "claimed"
    assert claiming.release(item.pk, alice).status == "assigned"


def test_cancelling_needs_a_reason_and_no_report(
    item: ReadingItem, boss: User, alice: User, template: TemplateVersion
) -> None:
    with pytest.raises(BadOrder):
        acts.cancel(item.pk, boss, " ")
    report = written_about(item, alice, template)
    with pytest.raises(Refused):
        acts.cancel(item.pk, boss, "not to be read")
    Report.objects.filter(pk=report.pk).update(state="cancelled")
    assert acts.cancel(item.pk, boss, "not to be read").status == "cancelled"


# --- images and orders that were put together wrongly


def written_about(item: ReadingItem, user: User, template: TemplateVersion) -> Report:
    return Report.objects.create(
        organization=item.organization,
        study=item.study,
        item=item,
        order=item.order,
        template_version=template,
        author=user,
    )


def test_images_go_to_another_order_of_the_patient(ordered: Ordered, scan: Scan, tess: User, settled: None) -> None:
    first, second = ordered(placer_order_number="P-1"), ordered(placer_order_number="P-2", accession_number="")
    study = scan()
    items.images_came(study)
    moved = acts.link(first.item.pk, tess, order=second)
    assert (moved.order, moved.study, moved.status) == (second, study, "ready")
    left = again(first.item)
    assert (left.study, left.status, left.ready_at) == (None, "scheduled", None)
    assert kinds(left)[-1] == "moved_away"
    assert kinds(moved)[-2:] == ["moved_here", "ready"]


def test_and_stay_there_when_the_order_comes_again(ordered: Ordered, scan: Scan, tess: User) -> None:
    first, second = ordered(placer_order_number="P-1"), ordered(placer_order_number="P-2", accession_number="")
    items.images_came(scan())
    acts.link(first.item.pk, tess, order=second)
    ordered(placer_order_number="P-1", procedure_text="CT thorax")
    assert again(first.item).study is None


def test_images_of_their_own_order_go_to_the_one_they_were_made_for(ordered: Ordered, scan: Scan, tess: User) -> None:
    order = ordered()
    (held,) = items.images_came(scan(PatientBirthDate="19600102"))
    with pytest.raises(WrongPatient, match="birth date"):
        acts.link(held.pk, tess, order=order)
    moved = acts.link(held.pk, tess, order=order, reason="typed wrongly at the scanner")
    assert (moved.order, moved.status) == (order, "arriving")
    own = again(held)
    assert (own.status, own.study, own.order.status) == ("cancelled", None, "cancelled")


def test_to_another_patients_order_only_with_a_reason_and_held_with_both_ids_written_down(
    ordered: Ordered, scan: Scan, tess: User
) -> None:
    first = ordered()
    second = ordered({"patient_id": "PID-2", "name": "Sommer^Ines"}, accession_number="", placer_order_number="P-2")
    items.images_came(scan())
    with pytest.raises(WrongPatient):
        acts.link(first.item.pk, tess, order=second)
    moved = acts.link(first.item.pk, tess, order=second, reason="wrong worklist entry taken")
    assert (moved.status, moved.held_reason) == ("hold", "wrong_patient")
    detail = moved.events.get(kind="moved_here").detail
    assert (detail["patient_of_images"], detail["patient_of_order"]) == ("PID-1", "PID-2")
    assert (detail["agree"], detail["reason"]) == (False, "wrong worklist entry taken")
    audited = AuditEvent.objects.get(action="worklist.moved_here")
    assert (audited.actor, audited.patient_id) == ("tess", "PID-2")


def test_an_order_gets_another_study_and_the_left_one_an_item_of_its_own(
    ordered: Ordered, scan: Scan, tess: User
) -> None:
    order = ordered()
    first = scan()
    items.images_came(first)
    second = scan("1.2.4")
    (other,) = items.images_came(second)
    linked = acts.link(order.item.pk, tess, study=second)
    assert (linked.order, linked.study) == (order, second)
    (own,) = items.of_study(first)
    assert (own.order.source, own.status) == ("study", "arriving")
    assert again(other).status == "cancelled"


def test_other_accession_numbers_are_put_right_first(ordered: Ordered, scan: Scan, tess: User) -> None:
    order = ordered(accession_number="A-1")
    study = scan()
    items.images_came(study)
    with pytest.raises(Refused, match="A-100"):
        acts.link(order.item.pk, tess, study=study, reason="I say so")
    orders.correct(order, {"accession_number": "A-100"}, tess)
    assert again(order.item).study == study


def test_nothing_is_moved_once_it_is_written_about(
    ordered: Ordered, scan: Scan, tess: User, alice: User, template: TemplateVersion, settled: None
) -> None:
    first, second = ordered(placer_order_number="P-1"), ordered(placer_order_number="P-2", accession_number="")
    (item,) = items.images_came(scan())
    items.settle_arrivals()
    claiming.claim(item.pk, alice)
    with pytest.raises(Refused):
        acts.link(item.pk, tess, order=second)
    claiming.release(item.pk, alice)
    report = written_about(item, alice, template)
    with pytest.raises(Refused, match="report"):
        acts.link(item.pk, tess, order=second)
    Report.objects.filter(pk=report.pk).update(state="entered_in_error")
    assert acts.link(item.pk, tess, order=second).order == second
    assert first.item.pk == item.pk


def test_what_belongs_elsewhere_does_not_exist_here(
    ordered: Ordered, scan: Scan, tess: User, charlie: User, item: ReadingItem
) -> None:
    from accounts.models import Organization

    elsewhere = Organization.objects.get(name="elsewhere")
    strange = scan("1.7.7", organization=elsewhere)
    (there,) = items.images_came(strange)
    for given in ({"study": strange}, {"order": there.order}):
        with pytest.raises(NotFound):
            acts.link(item.pk, tess, **given)


def test_linking_what_is_linked_is_refused(item: ReadingItem, tess: User) -> None:
    given: list[dict[str, Any]] = [{"study": item.study}, {}, {"order": item.order}]
    for one in given:
        with pytest.raises((Refused, BadOrder)):
            acts.link(item.pk, tess, **one)
