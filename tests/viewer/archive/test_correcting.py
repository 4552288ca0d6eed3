"""Corrections: rows follow, objects leave changed, what comes later follows, and every act can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID

from accounts.models import AuditEvent, Organization
from tests.viewer.archive.objects import ct_slice, save, slices
from tests.viewer.conftest import person
from viewer.archive.corrected import changes_of
from viewer.archive.correcting import (
    BadCorrection,
    CannotCorrect,
    Who,
    merge_patients,
    study_to_order,
    study_to_patient,
    update_patient,
)
from viewer.archive.correcting_links import link_patients
from viewer.archive.correcting_series import merge_studies, move_series, split
from viewer.archive.correcting_undo import undo
from viewer.archive.correcting_warnings import restate
from viewer.archive.exporting import objects_of
from viewer.archive.ingest import Outcome, ingest
from viewer.archive.query import StudySearch, priors, search
from viewer.archive.rows import Sender
from viewer.archive.sources import walk
from viewer.archive.storage import blob_store
from viewer.dicom.changes import Changes
from viewer.dimse.identifiers import Asked
from viewer.dimse.leaving import files, parts
from viewer.marks.subject import AnotherPatient, subject_for
from viewer.models import Conflict, Correction, DicomPeer, Instance, Outbox, Patient, Series, Study

pytestmark = pytest.mark.usefixtures("store")

WHO = Who("tess", "The technologist chose the wrong line of the worklist.")


def take(sender: Sender, *paths: Path) -> list[Outcome]:
    return [outcome for path in paths for outcome in ingest(walk(path), sender)]


def arrive(sender: Sender, folder: Path, uid: str, study: str, series: str, **said: str) -> str:
    """One more object; what became of it."""
    path = save(ct_slice(uid, study, series, **said), folder / f"{uid}.dcm")
    return take(sender, path)[0].outcome


def study(uid: str = "1.2.3") -> Study:
    return Study.objects.select_related("patient").get(study_instance_uid=uid)


def leaves(uid: str) -> Changes:
    row = Instance.objects.select_related("series__study__patient").get(sop_instance_uid=uid)
    return changes_of([row]).get(row.pk, Changes())


@pytest.fixture
def chest(sender: Sender, tmp_path: Path) -> Study:
    """A study of two series of two slices."""
    slices(tmp_path / "a", 2)
    slices(tmp_path / "b", 2, series="1.2.3.5", SeriesNumber=2)
    assert {one.outcome for one in take(sender, tmp_path / "a", tmp_path / "b")} == {"stored"}
    return study()


@pytest.fixture
def other(sender: Sender, tmp_path: Path) -> Study:
    """Another study, of another patient."""
    said = {"PatientID": "P2", "PatientName": "Roe^Richard", "PatientBirthDate": "19500505", "PatientSex": "M"}
    slices(tmp_path / "other", 1, "1.2.9", "1.2.9.1", AccessionNumber="A9", StudyDescription="Knee", **said)
    take(sender, tmp_path / "other")
    return study("1.2.9")


def test_what_was_never_corrected_leaves_as_it_is_stored(chest: Study, django_assert_num_queries) -> None:
    rows = list(Instance.objects.select_related("series__study__patient"))
    with django_assert_num_queries(1):
        assert changes_of(rows) == {}


# --- the patient


def test_a_patients_new_name_is_that_of_all_their_studies_and_objects(
    chest: Study, sender: Sender, tmp_path: Path
) -> None:
    slices(tmp_path / "later", 1, "1.2.4", "1.2.4.1")
    take(sender, tmp_path / "later")
    act = update_patient(chest.patient, {"PatientName": "Doe-Smith^Jane", "PatientSex": "F"}, WHO)
    assert act is not None
    assert act.before["PatientName"] == "Doe^Jane"
    assert {one.patient_name for one in Study.objects.all()} == {"Doe-Smith^Jane"}
    assert (study().patient.name, study().patient.name_folded) == ("Doe-Smith^Jane", "doe-smith jane")
    for uid in ("1.2.3.4.1", "1.2.4.1.1"):
        said = leaves(uid)
        assert said.attributes == {"PatientName": "Doe-Smith^Jane", "PatientSex": "F"}
        (original,) = said.original
        assert original.attributes == {"PatientName": "Doe^Jane"}
        assert (original.modifying_system, original.reason) == ("FARVIEW", "CORRECT")


def test_a_patient_who_is_so_already_is_not_corrected(chest: Study) -> None:
    assert update_patient(chest.patient, {"PatientName": "Doe^Jane"}, WHO) is None
    assert not Correction.objects.exists()


def test_one_question_answers_for_a_whole_page_of_corrected_objects(chest: Study, django_assert_num_queries) -> None:
    update_patient(chest.patient, {"PatientName": "Smith^Jane"}, WHO)
    rows = list(Instance.objects.select_related("series__study__patient"))
    with django_assert_num_queries(1):
        assert len(changes_of(rows)) == 4


def test_an_object_that_comes_later_with_the_old_name_leaves_with_the_new_one_and_warns_of_nothing(
    chest: Study, sender: Sender, tmp_path: Path
) -> None:
    update_patient(chest.patient, {"PatientName": "Smith^Jane"}, WHO)
    assert arrive(sender, tmp_path, "1.2.3.4.9", "1.2.3", "1.2.3.4") == "stored"
    assert (study().patient_name, study().warnings) == ("Smith^Jane", [])
    assert leaves("1.2.3.4.9").attributes["PatientName"] == "Smith^Jane"


def test_an_object_that_names_a_third_person_is_still_warned_of(chest: Study, sender: Sender, tmp_path: Path) -> None:
    update_patient(chest.patient, {"PatientName": "Smith^Jane"}, WHO)
    arrive(sender, tmp_path, "1.2.3.4.9", "1.2.3", "1.2.3.4", PatientName="Miller^Ann")
    assert any("Miller^Ann" in sentence for sentence in study().warnings)


def test_a_correction_settles_the_warnings_that_it_makes_untrue(chest: Study, sender: Sender, tmp_path: Path) -> None:
    arrive(sender, tmp_path, "1.2.3.4.8", "1.2.3", "1.2.3.4", PatientName="Smith^Jane", PatientSex="O")
    assert len(study().warnings) == 2
    update_patient(chest.patient, {"PatientName": "Smith^Jane"}, WHO)
    assert study().warnings == ['An image of this study gives another sex: "O" instead of "F".']


# --- merges


def test_a_merged_patients_studies_are_those_of_the_one_who_stays(chest: Study, other: Study) -> None:
    merge_patients(other.patient, chest.patient, WHO)
    moved = study("1.2.9")
    assert (moved.patient.patient_id, moved.patient_name) == ("P1", "Doe^Jane")
    said = leaves("1.2.9.1.1")
    assert said.attributes["PatientID"] == "P1"
    assert said.original[0].attributes["PatientID"] == "P2"
    assert leaves("1.2.3.4.1") == Changes(), "objects of the patient who stays leave as they are stored"


def test_what_comes_later_under_the_former_id_is_the_surviving_patients(
    chest: Study, other: Study, sender: Sender, tmp_path: Path
) -> None:
    merge_patients(other.patient, chest.patient, WHO)
    said = {"PatientID": "P2", "PatientName": "Roe^Richard", "PatientBirthDate": "19500505", "PatientSex": "M"}
    assert arrive(sender, tmp_path, "1.2.9.1.2", "1.2.9", "1.2.9.1", **said) == "stored"
    assert arrive(sender, tmp_path, "1.2.10.1", "1.2.10", "1.2.10.1", **said) == "stored"
    new = study("1.2.10")
    assert (new.patient_id, new.patient_name, new.warnings) == (chest.patient_id, "Doe^Jane", [])
    assert leaves("1.2.10.1").attributes["PatientID"] == "P1"
    assert leaves("1.2.10.1").original[0].attributes["PatientID"] == "P2"
    assert leaves("1.2.9.1.2").attributes["PatientID"] == "P1"
    assert Conflict.objects.count() == 0


def test_a_merge_of_a_merged_patient_is_followed_to_the_end(
    chest: Study, other: Study, sender: Sender, tmp_path: Path
) -> None:
    last = Patient.objects.create(
        organization=chest.organization, patient_id="P3", name="Doe^Jane", birth_date="19700101"
    )
    merge_patients(other.patient, chest.patient, WHO)
    merge_patients(study().patient, last, WHO)
    arrive(sender, tmp_path, "1.2.10.1", "1.2.10", "1.2.10.1", PatientID="P2", PatientName="Roe^Richard")
    assert {one.patient.patient_id for one in Study.objects.select_related("patient")} == {"P3"}
    assert [one.attributes.get("PatientID") for one in leaves("1.2.9.1.1").original] == ["P2", "P1"]
    assert leaves("1.2.10.1").attributes["PatientID"] == "P3"


def test_undoing_a_merge_gives_back_what_came_before_it_and_after_it(
    chest: Study, other: Study, sender: Sender, tmp_path: Path
) -> None:
    act = merge_patients(other.patient, chest.patient, WHO)
    said = {"PatientID": "P2", "PatientName": "Roe^Richard", "PatientBirthDate": "19500505", "PatientSex": "M"}
    arrive(sender, tmp_path, "1.2.10.1", "1.2.10", "1.2.10.1", **said)
    undo(act, Who("tess", "They are two after all."))
    for uid in ("1.2.9", "1.2.10"):
        assert (study(uid).patient_id, study(uid).patient_name) == (other.patient_id, "Roe^Richard")
    assert leaves("1.2.9.1.1") == leaves("1.2.10.1") == Changes()
    assert study().patient.patient_id == "P1"


def test_patients_of_two_organizations_are_not_merged(chest: Study, elsewhere: Organization) -> None:
    stranger = Patient.objects.create(organization=elsewhere, patient_id="P1")
    with pytest.raises(BadCorrection, match="linked"):
        merge_patients(stranger, chest.patient, WHO)


# --- another patient, another order


def test_a_study_of_another_patient_is_his_on_every_way(
    chest: Study, other: Study, sender: Sender, tmp_path: Path
) -> None:
    study_to_patient(chest, other.patient, WHO)
    assert (study().patient_id, study().patient_name) == (other.patient_id, "Roe^Richard")
    said = leaves("1.2.3.4.1")
    assert said.attributes == {
        "PatientName": "Roe^Richard",
        "PatientID": "P2",
        "IssuerOfPatientID": "",
        "PatientBirthDate": "19500505",
        "PatientSex": "M",
    }
    assert said.original[0].attributes["PatientBirthDate"] == "19700101"
    assert arrive(sender, tmp_path, "1.2.3.4.9", "1.2.3", "1.2.3.4") == "stored"
    assert (study().patient_id, study().warnings) == (other.patient_id, [])


def test_a_study_of_another_order_says_so(chest: Study, sender: Sender, tmp_path: Path) -> None:
    act = study_to_order(chest, {"AccessionNumber": "A2", "StudyDescription": "CT Abdomen"}, WHO)
    assert (study().accession_number, study().description_folded) == ("A2", "ct abdomen")
    assert arrive(sender, tmp_path, "1.2.3.4.9", "1.2.3", "1.2.3.4") == "stored"
    assert (study().accession_number, study().warnings) == ("A2", [])
    assert leaves("1.2.3.4.9").attributes == {"AccessionNumber": "A2", "StudyDescription": "CT Abdomen"}
    undo(act, Who("tess", "It was right."))
    assert (study().accession_number, study().description) == ("A1", "Chest")
    assert leaves("1.2.3.4.9") == Changes()


def test_a_number_that_was_taken_away_does_not_come_back_with_the_next_image(
    chest: Study, sender: Sender, tmp_path: Path
) -> None:
    study_to_order(chest, {"AccessionNumber": ""}, WHO)
    arrive(sender, tmp_path, "1.2.3.4.9", "1.2.3", "1.2.3.4")
    assert study().accession_number == ""


def test_several_corrections_leave_several_items_the_newest_last(chest: Study, other: Study) -> None:
    study_to_order(chest, {"AccessionNumber": "A2"}, WHO)
    study_to_patient(chest, other.patient, WHO)
    study_to_order(study(), {"AccessionNumber": "A3"}, WHO)
    said = leaves("1.2.3.4.1")
    assert [one.attributes.get("AccessionNumber") for one in said.original] == ["A1", None, "A2"]
    assert (said.attributes["AccessionNumber"], said.attributes["PatientID"]) == ("A3", "P2")


# --- series


def test_a_series_split_off_makes_a_new_study(chest: Study) -> None:
    before = Series.objects.get(series_instance_uid="1.2.3.5").version
    split(chest, ["1.2.3.5"], WHO)
    series = Series.objects.select_related("study").get(series_instance_uid="1.2.3.5")
    new = series.study
    assert new.pk != chest.pk
    assert UID(new.study_instance_uid).is_valid
    assert series.version > before
    assert (new.number_of_series, new.number_of_instances, new.modalities) == (1, 2, "CT")
    assert (new.accession_number, new.patient_id, new.date) == ("A1", chest.patient_id, "20240131")
    assert (study().number_of_series, study().number_of_instances) == (1, 2)
    assert leaves("1.2.3.5.1").attributes["StudyInstanceUID"] == new.study_instance_uid
    assert leaves("1.2.3.5.1").original[0].attributes == {"StudyInstanceUID": "1.2.3"}
    assert leaves("1.2.3.4.1") == Changes()


def test_a_split_leaves_something_behind(chest: Study) -> None:
    with pytest.raises(CannotCorrect, match="stay behind"):
        split(chest, ["1.2.3.5", "1.2.3.4"], WHO)


def test_images_of_a_moved_series_that_come_later_or_again_follow_it(
    chest: Study, sender: Sender, tmp_path: Path
) -> None:
    split(chest, ["1.2.3.5"], WHO)
    new = Series.objects.get(series_instance_uid="1.2.3.5").study
    assert arrive(sender, tmp_path, "1.2.3.5.9", "1.2.3", "1.2.3.5") == "stored"
    assert {one.outcome for one in take(sender, tmp_path / "b")} == {"duplicate"}
    assert Conflict.objects.count() == 0
    new.refresh_from_db()
    assert (new.number_of_instances, new.warnings) == (3, [])
    assert leaves("1.2.3.5.9").attributes["StudyInstanceUID"] == new.study_instance_uid


def test_studies_are_merged_and_what_comes_late_for_the_emptied_one_follows(
    chest: Study, sender: Sender, tmp_path: Path
) -> None:
    slices(tmp_path / "second", 2, "1.2.4", "1.2.4.1", StudyDescription="Chest again", AccessionNumber="A2")
    take(sender, tmp_path / "second")
    act = merge_studies(study("1.2.4"), chest, WHO)
    gone = study("1.2.4")
    assert (gone.emptied, gone.number_of_series, study().number_of_series) == (True, 0, 3)
    said = {"StudyDescription": "Chest again", "AccessionNumber": "A2"}
    assert arrive(sender, tmp_path, "1.2.4.2.1", "1.2.4", "1.2.4.2", **said) == "stored"
    assert arrive(sender, tmp_path, "1.2.4.2.2", "1.2.4", "1.2.4.2", **said) == "stored"
    assert (study().number_of_series, study().number_of_instances, study().warnings) == (4, 8, [])
    left = leaves("1.2.4.2.2")
    assert (left.attributes["StudyInstanceUID"], left.attributes["AccessionNumber"]) == ("1.2.3", "A1")
    assert left.original[-1].attributes["AccessionNumber"] == "A2"
    undo(act, Who("tess", "They were two."))
    assert (study("1.2.4").emptied, study("1.2.4").number_of_instances, study().number_of_series) == (False, 4, 2)
    assert leaves("1.2.4.2.2") == leaves("1.2.4.1.1") == Changes()


def referring(uid: str, study: str, series: str, *named: tuple[str, str]) -> Dataset:
    """A key object selection whose evidence names series below their studies."""
    note = ct_slice(uid, study, series, Modality="KO", SOPClassUID="1.2.840.10008.5.1.4.1.1.88.59")
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(note, keyword)
    evidence = []
    for study_uid, series_uid in named:
        item, below, one = Dataset(), Dataset(), Dataset()
        one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"{series_uid}.1"
        below.ReferencedSOPSequence, below.SeriesInstanceUID = [one], series_uid
        item.ReferencedSeriesSequence, item.StudyInstanceUID = [below], study_uid
        evidence.append(item)
    note.CurrentRequestedProcedureEvidenceSequence = evidence
    return note


def test_what_names_a_moved_series_leaves_with_the_study_that_it_is_in_now(
    chest: Study, sender: Sender, tmp_path: Path, hospital: Organization
) -> None:
    note = referring("1.2.3.9.1", "1.2.3", "1.2.3.9", ("1.2.3", "1.2.3.4"), ("1.2.3", "1.2.3.5"))
    take(sender, save(note, tmp_path / "ko.dcm"))
    assert leaves("1.2.3.9.1") == Changes()
    act = split(chest, ["1.2.3.5"], WHO)
    new = Series.objects.get(series_instance_uid="1.2.3.5").study.study_instance_uid
    said = leaves("1.2.3.9.1")
    assert (said.attributes, said.original, said.moved) == ({}, (), {("1.2.3", "1.2.3.5"): new})
    assert leaves("1.2.3.4.1") == Changes(), "an image that stays leaves as it is stored"
    row = Instance.objects.get(sop_instance_uid="1.2.3.9.1")
    peer = DicomPeer(organization=hospital, ae_title="ALICE")
    part = parts(peer, Asked("IMAGE", {"IMAGE": ("1.2.3.9.1",)}, Dataset()))
    assert [one.changes for one in files(part)] == [said], "C-MOVE and C-GET"
    assert [one.changes for one in objects_of(study()) if one.path == blob_store().path(row.blob_id)] == [said]
    move_series(study(new), ["1.2.3.5"], study(), WHO)
    assert leaves("1.2.3.9.1") == Changes(), "it is where it was"
    undo(Correction.objects.filter(part_of=None).latest("pk"), WHO)
    undo(act, WHO)
    assert leaves("1.2.3.9.1") == Changes()


def test_a_moved_object_and_what_it_names_are_renamed_each_by_its_own_way(
    chest: Study, sender: Sender, tmp_path: Path
) -> None:
    take(sender, save(referring("1.2.3.9.1", "1.2.3", "1.2.3.9", ("1.2.3", "1.2.3.5")), tmp_path / "ko.dcm"))
    split(chest, ["1.2.3.9"], WHO)
    own = Series.objects.get(series_instance_uid="1.2.3.9").study.study_instance_uid
    assert leaves("1.2.3.9.1").moved == {}, "what it names has stayed"
    split(study(), ["1.2.3.5"], WHO)
    said = leaves("1.2.3.9.1")
    there = Series.objects.get(series_instance_uid="1.2.3.5").study
    assert said.moved == {("1.2.3", "1.2.3.5"): there.study_instance_uid}
    assert said.attributes["StudyInstanceUID"] == own


def test_a_series_brings_along_what_was_done_to_the_study_it_comes_from(chest: Study) -> None:
    study_to_order(chest, {"AccessionNumber": "A2"}, WHO)
    split(study(), ["1.2.3.5"], WHO)
    study_to_order(study(), {"AccessionNumber": "A3"}, WHO)
    said = leaves("1.2.3.5.1")
    assert [dict(one.attributes) for one in said.original] == [{"AccessionNumber": "A1"}, {"StudyInstanceUID": "1.2.3"}]
    assert said.attributes["AccessionNumber"] == "A2", "what was done to that study later is not its own"


def test_series_go_to_studies_of_the_same_patient_only(chest: Study, other: Study) -> None:
    with pytest.raises(BadCorrection, match="another patient"):
        move_series(chest, ["1.2.3.5"], other, WHO)


# --- acts


def test_an_emptied_study_is_no_longer_listed(
    chest: Study, sender: Sender, tmp_path: Path, hospital: Organization
) -> None:
    alice = person("alice", hospital, "radiologist")
    slices(tmp_path / "second", 1, "1.2.4", "1.2.4.1")
    take(sender, tmp_path / "second")
    merge_studies(study("1.2.4"), chest, WHO)
    assert [row.study_instance_uid for row in search(alice, StudySearch()).studies] == ["1.2.3"]


def test_every_act_is_recorded_told_and_reasoned(chest: Study) -> None:
    version = Series.objects.get(series_instance_uid="1.2.3.4").version
    with pytest.raises(BadCorrection, match="say why"):
        study_to_order(chest, {"AccessionNumber": "A2"}, Who("tess", "  "))
    study_to_order(chest, {"AccessionNumber": "A2"}, WHO)
    event = AuditEvent.objects.get(action="correction.study_of_another_order")
    assert (event.actor, event.study_instance_uid) == ("tess", "1.2.3")
    assert event.detail["AccessionNumber"] == ["A1", "A2"]
    assert "Doe" not in str(event.detail)
    news = Outbox.objects.filter(kind="study.changed").last()
    assert news is not None
    assert news.payload["series"][0]["series_version"] == str(version + 1)


def test_what_others_stand_on_is_undone_last(chest: Study) -> None:
    first = study_to_order(chest, {"AccessionNumber": "A2"}, WHO)
    second = study_to_order(study(), {"AccessionNumber": "A3"}, WHO)
    with pytest.raises(CannotCorrect, match="since then"):
        undo(first, WHO)
    undo(second, WHO)
    undo(first, WHO)
    assert study().accession_number == "A1"
    with pytest.raises(CannotCorrect, match="already"):
        undo(first, WHO)
    assert Correction.objects.count() == 4, "acts and what undid them stay"


def test_a_wrong_series_takes_its_warnings_along(chest: Study, sender: Sender, tmp_path: Path) -> None:
    slices(tmp_path / "wrong", 2, series="1.2.3.6", PatientName="Miller^Ann", PatientID="P7")
    take(sender, tmp_path / "wrong")
    assert len(study().warnings) == 2
    split(study(), ["1.2.3.6"], WHO)
    new = Series.objects.get(series_instance_uid="1.2.3.6").study
    restate([study(), new])
    new.refresh_from_db()
    assert study().warnings == []
    assert len(new.warnings) == 2
    ann = Patient.objects.create(organization=chest.organization, patient_id="P7", name="Miller^Ann", sex="F")
    study_to_patient(new, ann, WHO)
    new.refresh_from_db()
    assert new.warnings == []
    assert leaves("1.2.3.6.1").attributes["PatientName"] == "Miller^Ann"


def test_an_object_about_a_corrected_study_is_of_the_patient_as_corrected(
    chest: Study, other: Study, sender: Sender, tmp_path: Path
) -> None:
    arrive(sender, tmp_path, "1.2.3.4.9", "1.2.3", "1.2.3.4", PatientSex="O")
    study_to_patient(chest, other.patient, WHO)
    assert study().warnings, "and still one image says something else"
    assert subject_for(study(), ["1.2.3.4.1"]).PatientID == "P2"
    with pytest.raises(AnotherPatient):
        subject_for(study(), ["1.2.3.4.9"])


def test_linked_patients_have_each_others_priors(
    chest: Study, other: Study, hospital: Organization, elsewhere: Organization
) -> None:
    alice = person("alice", hospital, "radiologist")
    assert list(priors(alice, chest)) == []
    act = link_patients(chest.patient, other.patient, WHO)
    assert list(priors(alice, chest)) == [other]
    assert list(priors(alice, other)) == [chest]
    stranger = Patient.objects.create(organization=elsewhere, patient_id="P1")
    Study.objects.create(organization=elsewhere, patient=stranger, study_instance_uid="1.2.77")
    link_patients(other.patient, stranger, WHO)
    assert list(priors(alice, chest)) == [other], "what is elsewhere is for those who read there"
    assert leaves("1.2.3.4.1") == Changes()
    undo(act, WHO)
    assert list(priors(alice, chest)) == []
