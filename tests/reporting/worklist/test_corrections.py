"""Orders, items and drafts after a correction: they follow, or a report stands in the way, and undoing brings them back."""

from __future__ import annotations

import pytest

from accounts.models import Organization, User
from reporting.models import ReadingItem, Report
from reporting.workflow import drafts
from reporting.workflow.context import must_agree
from reporting.workflow.facts import _earlier
from reporting.workflow.merging import comparison
from reporting.workflow.refusals import WrongPatient
from reporting.worklist import items
from reporting.worklist.matching import studies_for
from tests.reporting.worklist.conftest import Ordered, Scan
from viewer.archive.correcting import (
    CannotCorrect,
    Who,
    merge_patients,
    study_to_order,
    study_to_patient,
    update_patient,
)
from viewer.archive.correcting_orders import choices_for
from viewer.archive.correcting_series import merge_studies
from viewer.archive.correcting_undo import undo
from viewer.models import Patient, Study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("settled")]


@pytest.fixture
def who(tess: User) -> Who:
    return Who(tess, "The wrong line of the worklist was chosen.")


@pytest.fixture
def karl(site: Organization) -> Patient:
    patient: Patient = Patient.objects.create(
        organization=site,
        patient_id="PID-2",
        name="Klein^Karl",
        name_folded="klein karl",
        birth_date="19400404",
        sex="M",
    )
    return patient


def only(study: Study) -> ReadingItem:
    (item,) = items.of_study(study)
    return item


def again(study: Study) -> Study:
    return Study.objects.select_related("patient", "organization").get(pk=study.pk)


def test_a_study_of_another_patient_leaves_its_order_and_finds_the_one_of_that_patient(
    scan: Scan, ordered: Ordered, karl: Patient, who: Who
) -> None:
    wrong = ordered()
    study = scan()
    items.images_came(study)
    assert only(study).order == wrong
    right = ordered(
        {"patient_id": "PID-2", "name": "Klein^Karl", "birth_date": "19400404", "sex": "M"}, accession_number="A-100"
    )
    act = study_to_patient(study, karl, who)
    assert only(study).order == right
    wrong.item.refresh_from_db()
    assert (wrong.item.study, wrong.item.status) == (None, "scheduled")
    undo(act, who)
    assert only(again(study)).order == wrong


def test_images_without_an_order_keep_their_item_which_names_the_patient_anew(
    scan: Scan, karl: Patient, who: Who
) -> None:
    study = scan()
    items.images_came(study)
    before = only(study)
    study_to_patient(study, karl, who)
    after = only(study)
    assert (after.pk, after.order.patient, after.order.patient_name) == (before.pk, karl, "Klein^Karl")


def begun(study: Study, alice: User, ordered: Ordered) -> Report:
    ordered()
    items.images_came(study)
    report: Report = drafts.open_report(alice, study, None, "a window", None)
    return report


def test_the_draft_of_a_study_that_is_another_patients_is_stopped(
    scan: Scan, ordered: Ordered, karl: Patient, alice: User, who: Who
) -> None:
    study = scan()
    report = begun(study, alice, ordered)
    given = {"study": study.study_instance_uid, "patient_id": "PID-1", "accession_number": "A-100"}
    must_agree(report, given)
    act = study_to_patient(study, karl, who)
    changed = Report.objects.select_related("study__patient", "order__patient").get(pk=report.pk)
    for said in (given, {**given, "patient_id": "PID-2"}, None):
        with pytest.raises(WrongPatient):
            must_agree(changed, said)
    undo(act, who)
    must_agree(Report.objects.select_related("study__patient", "order__patient").get(pk=report.pk), given)


def test_a_study_goes_to_an_order_that_waits(scan: Scan, ordered: Ordered, who: Who) -> None:
    wrong = ordered()
    study = scan()
    items.images_came(study)
    right = ordered(accession_number="A-200", procedure_text="CT abdomen", referring_physician="Brandt^Bob")
    (choice,) = choices_for(study, "")
    assert (choice.identifier, choice.same_patient) == (str(right.pk), True)
    act = study_to_order(study, choice.said, who, choice.identifier)
    now = again(study)
    assert (now.accession_number, now.description, now.referring_physician) == ("A-200", "CT abdomen", "Brandt^Bob")
    assert only(now).order == right
    undo(act, who)
    now = again(study)
    assert (now.accession_number, only(now).order) == ("A-100", wrong)


def test_an_order_of_another_patient_is_not_taken(scan: Scan, ordered: Ordered, karl: Patient, who: Who) -> None:
    study = scan()
    items.images_came(study)
    other = ordered({"patient_id": "PID-2", "name": "Klein^Karl"}, accession_number="A-300")
    assert choices_for(study, "") == []
    (choice,) = choices_for(study, "klein")
    assert not choice.same_patient
    with pytest.raises(CannotCorrect, match="another patient"):
        study_to_order(study, choice.said, who, str(other.pk))
    assert again(study).accession_number == "A-100", "nothing of it was done"


def test_a_report_that_was_begun_keeps_its_order(scan: Scan, ordered: Ordered, alice: User, who: Who) -> None:
    study = scan()
    begun(study, alice, ordered)
    right = ordered(accession_number="A-200")
    with pytest.raises(CannotCorrect, match="stands in the way"):
        study_to_order(study, {"AccessionNumber": "A-200"}, who, str(right.pk))


def test_orders_of_merged_patients_are_the_survivors_until_that_is_undone(
    scan: Scan, ordered: Ordered, karl: Patient, who: Who
) -> None:
    order = ordered()
    study = scan()
    items.images_came(study)
    waiting = ordered(accession_number="A-900")
    act = merge_patients(study.patient, karl, who)
    for one in (order, waiting):
        one.refresh_from_db()
        assert (one.patient, one.patient_name, one.patient_birth_date) == (karl, "Klein^Karl", "19400404")
    undo(act, who)
    for one in (order, waiting):
        one.refresh_from_db()
        assert (one.patient, one.patient_name) == (again(study).patient, "Muster^Erika")


def test_open_orders_say_a_patients_new_name(scan: Scan, ordered: Ordered, who: Who) -> None:
    order, study = ordered(), scan()
    update_patient(study.patient, {"PatientName": "Muster-Klein^Erika"}, who)
    order.refresh_from_db()
    assert order.patient_name == "Muster-Klein^Erika"


@pytest.mark.parametrize("real", [True, False])
def test_the_item_of_an_emptied_study_waits_or_ends(scan: Scan, ordered: Ordered, who: Who, real: bool) -> None:
    if real:
        ordered()
    study = scan()
    items.images_came(study)
    item = only(study)
    other = scan("1.2.9", AccessionNumber="A-9")
    act = merge_studies(study, other, who)
    item.refresh_from_db()
    assert (item.study, item.status) == (None, "scheduled" if real else "cancelled")
    undo(act, who)
    items.images_came(again(study))
    assert items.of_study(again(study))


def test_an_emptied_study_is_nobodys_prior_and_no_orders_images(scan: Scan, ordered: Ordered, who: Who) -> None:
    emptied = scan(StudyDate="20200101", StudyDescription="CT chest")
    other = scan("1.2.9", AccessionNumber="A-9", StudyDate="20210101", StudyDescription="CT abdomen")
    newest = scan("1.2.10", AccessionNumber="A-10", StudyDate="20220101")
    assert comparison(newest) == "CT abdomen 2021-01-01; CT chest 2020-01-01"
    assert len(_earlier(newest)) == 2
    act = merge_studies(emptied, other, who)
    assert comparison(newest) == "CT abdomen 2021-01-01"
    assert len(_earlier(newest)) == 1
    order = ordered(accession_number="A-100", study_instance_uid=emptied.study_instance_uid)
    assert (studies_for(order), order.item.study) == ([], None)
    undo(act, who)
    assert studies_for(order) == [again(emptied)]
