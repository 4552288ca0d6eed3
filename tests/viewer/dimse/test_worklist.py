"""The modality worklist and performed procedure steps, asked and told by pynetdicom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom.association import Association
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    ModalityPerformedProcedureStep,
    ModalityWorklistInformationFind,
)

from tests.viewer.dimse.alone import NodeAlone, answers, identifier

WORKLIST, STEP = ModalityWorklistInformationFind, ModalityPerformedProcedureStep
PATIENT = {"PatientName": "", "PatientID": "", "PatientBirthDate": "", "PatientSex": "", "IssuerOfPatientID": ""}
PROCEDURE = {"AccessionNumber": "", "StudyInstanceUID": "", "RequestedProcedureID": "", "ReferringPhysicianName": ""}
PROCEDURE |= {"RequestedProcedureDescription": "", "PlacerOrderNumberImagingServiceRequest": ""}


@pytest.fixture
def alice(node: NodeAlone) -> Iterator[Association]:
    association = node.associate("ALICE", [build_context(WORKLIST), build_context(STEP)])
    yield association
    association.release()


def question(step: dict[str, Any] | None = None, **keys: Any) -> Dataset:
    asked = {
        "ScheduledStationAETitle": "",
        "ScheduledProcedureStepStartDate": "",
        "ScheduledProcedureStepStartTime": "",
    }
    asked |= {"Modality": "", "ScheduledProcedureStepDescription": "", "ScheduledProcedureStepID": "", **(step or {})}
    item = identifier("", **asked)
    del item.SpecificCharacterSet
    return identifier("", **{**PATIENT, **PROCEDURE, **keys}, ScheduledProcedureStepSequence=[item])


def found(association: Association, step: dict[str, Any] | None = None, **keys: Any) -> list[Dataset]:
    told, status = answers(association.send_c_find(question(step, **keys), WORKLIST))
    assert status.Status == 0x0000, status
    return told


def numbers(told: list[Dataset]) -> set[str]:
    return {str(one.AccessionNumber) for one in told if str(one.AccessionNumber) in ("W-1", "W-2", "W-3", "W-4")}


def test_a_scheduled_order_is_told_with_patient_procedure_and_time(alice: Association) -> None:
    (told,) = found(alice, AccessionNumber="W-1")
    assert (str(told.PatientName), told.PatientID, told.IssuerOfPatientID) == ("Müller^Änne", "PID-W-1", "HARBOUR")
    assert (told.PatientBirthDate, told.PatientSex) == ("19600101", "F")
    assert told.RequestedProcedureDescription == "CT of the head"
    assert told.PlacerOrderNumberImagingServiceRequest == "P-1"
    assert str(told.ReferringPhysicianName) == "Haus^Gregor"
    assert told.SpecificCharacterSet == "ISO_IR 192"
    (step,) = told.ScheduledProcedureStepSequence
    assert (step.Modality, step.ScheduledStationAETitle) == ("CT", "ALICE")
    start = (step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime)
    assert start == ("20261123", "093000"), "in the zone of the hospital, not in UTC"
    assert step.ScheduledProcedureStepID == told.RequestedProcedureID != ""


def test_an_order_without_a_study_uid_gets_one_that_stays(alice: Association, node: NodeAlone) -> None:
    (first,) = found(alice, AccessionNumber="W-1")
    (again,) = found(alice, AccessionNumber="W-1")
    assert first.StudyInstanceUID == again.StudyInstanceUID
    assert first.StudyInstanceUID.startswith("2.25.")
    kept = node.rows("SELECT study_instance_uid FROM reporting_order WHERE accession_number = 'W-1'")
    assert kept == [(first.StudyInstanceUID,)]
    (named,) = found(alice, AccessionNumber="W-2")
    assert named.StudyInstanceUID == "1.2.77.2"


DAY, TIME = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"
MATCHED: list[tuple[dict[str, Any], dict[str, Any], set[str]]] = [
    ({}, {}, {"W-1", "W-2"}),
    ({"Modality": "CT"}, {}, {"W-1"}),
    ({"Modality": "XA"}, {}, set()),
    ({"Modality": ["MR", "CT"]}, {}, {"W-1", "W-2"}),
    ({DAY: "20261123"}, {}, {"W-1"}),
    ({DAY: "20261124"}, {}, set()),
    ({DAY: "20261125"}, {}, {"W-2"}),
    ({DAY: "20261123-20261125"}, {}, {"W-1", "W-2"}),
    ({DAY: "-20261123"}, {}, {"W-1"}),
    ({DAY: "20261124-"}, {}, {"W-2"}),
    ({DAY: "20261123-20261125", TIME: "1000-0031"}, {}, {"W-2"}),
    ({DAY: "20261123-20261125", TIME: "0930-0029"}, {}, {"W-1"}),
    ({TIME: "0900-1000"}, {}, {"W-1"}),
    ({TIME: "0930"}, {}, {"W-1"}),
    ({"ScheduledStationAETitle": "CT-ROOM-1", "Modality": "CT"}, {}, {"W-1"}),
    ({}, {"PatientName": "MULLER*"}, {"W-1"}),
    ({}, {"PatientName": "佐藤*"}, {"W-2"}),
    ({}, {"PatientName": "Sato"}, set()),
    ({}, {"PatientID": "PID-W-?"}, {"W-1", "W-2"}),
    ({}, {"PatientID": "PID-W-3"}, set()),
    ({"Modality": "MR"}, {"AccessionNumber": "W-1"}, set()),
    ({}, {"StudyInstanceUID": "1.2.77.2"}, {"W-2"}),
]


@pytest.mark.parametrize("case", range(len(MATCHED)), ids=[f"{step} {keys}" for step, keys, _ in MATCHED])
def test_keys_match_as_the_standard_says(alice: Association, case: int) -> None:
    step, keys, wanted = MATCHED[case]
    assert numbers(found(alice, step, **keys)) == wanted


def test_only_what_was_asked_for_is_answered(alice: Association) -> None:
    step = identifier("", Modality="CT", ScheduledProcedureStepLocation="")
    del step.SpecificCharacterSet
    wanted = identifier(
        "", PatientName="", AccessionNumber="W-1", ScheduledProcedureStepSequence=[step], PatientWeight=None
    )
    (told,), _ = answers(alice.send_c_find(wanted, WORKLIST))
    names = {
        "SpecificCharacterSet",
        "PatientName",
        "AccessionNumber",
        "ScheduledProcedureStepSequence",
        "PatientWeight",
    }
    assert {one.keyword for one in told} == names
    assert told["PatientWeight"].is_empty
    (item,) = told.ScheduledProcedureStepSequence
    assert {one.keyword for one in item} == {"Modality", "ScheduledProcedureStepLocation"}


def test_codes_come_whole_where_the_question_names_none_of_their_parts(alice: Association) -> None:
    wanted = question(AccessionNumber="W-1", RequestedProcedureCodeSequence=[])
    (told,), _ = answers(alice.send_c_find(wanted, WORKLIST))
    (code,) = told.RequestedProcedureCodeSequence
    assert (code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning) == ("CTHEAD", "99HARBOUR", "CT of the head")


def test_another_hospital_has_its_own_worklist(node: NodeAlone) -> None:
    association = node.associate("CHARLIE", [build_context(WORKLIST)])
    assert {str(one.AccessionNumber) for one in found(association)} == {"W-4"}
    association.release()


def test_the_worklist_and_steps_are_for_who_may(node: NodeAlone) -> None:
    storage = "1.2.840.10008.5.1.4.1.1.2"
    association = node.associate("BOB", [build_context(WORKLIST), build_context(STEP), build_context(storage)])
    assert [one.abstract_syntax for one in association.accepted_contexts] == [storage]
    association.release()


def test_a_look_at_the_worklist_is_in_the_record(node: NodeAlone, alice: Association) -> None:
    found(alice, PatientID="PID-W-1")
    detail = {"level": "WORKLIST", "keys": ["PatientID"], "answers": 1}
    assert node.audited("dicom.query", "ALICE")[0] == ("default", "PID-W-1", "success", detail)


# --- performed procedure steps


def begun(number: str, study: str = "", patient: str = "") -> Dataset:
    item = identifier("", StudyInstanceUID=study or f"1.2.77.{number}", AccessionNumber=f"W-{number}")
    del item.SpecificCharacterSet
    return identifier(
        "",
        PatientID=patient or f"PID-W-{number}",
        PatientName="Stép^By",
        PerformedProcedureStepStatus="IN PROGRESS",
        PerformedProcedureStepID="S1",
        PerformedProcedureStepStartDate="20261122",
        PerformedProcedureStepStartTime="0900",
        Modality="US",
        ScheduledStepAttributesSequence=[item],
        PerformedSeriesSequence=[],
    )


def ended(status: str = "COMPLETED") -> Dataset:
    series = identifier("", SeriesInstanceUID="1.2.77.5.1", ProtocolName="Abdomen")
    return identifier(
        "",
        PerformedProcedureStepStatus=status,
        PerformedProcedureStepEndDate="20261122",
        PerformedProcedureStepEndTime="093000",
        PerformedSeriesSequence=[series],
    )


def state(node: NodeAlone, number: str) -> tuple[Any, list[str]]:
    """When the examination of an order ended, and what its reading item has heard of steps."""
    row = "FROM reporting_readingitem i JOIN reporting_order o ON o.id = i.order_id WHERE o.accession_number = ?"
    ((item, at),) = node.rows(f"SELECT i.id, i.exam_ended_at {row}", f"W-{number}")
    events = "SELECT kind FROM reporting_itemevent WHERE item_id = ? AND kind LIKE 'exam%' ORDER BY id"
    return at, [kind for (kind,) in node.rows(events, item)]


def listed(association: Association, number: str) -> int:
    return len(found(association, AccessionNumber=f"W-{number}"))


def test_a_step_that_is_completed_ends_the_examination(node: NodeAlone, alice: Association) -> None:
    uid = generate_uid()
    status, _ = alice.send_n_create(begun("5"), STEP, uid)
    assert status.Status == 0x0000
    kept = "SELECT status, study_instance_uid, accession_number FROM viewer_performedstep WHERE sop_instance_uid = ?"
    assert node.rows(kept, uid) == [("IN PROGRESS", "1.2.77.5", "W-5")], "kept before it was answered"
    assert state(node, "5") == (None, ["exam_begun"])
    assert listed(alice, "5") == 1
    again, _ = alice.send_n_create(begun("5"), STEP, uid)
    assert again.Status == 0x0111
    between, _ = alice.send_n_set(identifier("", PerformedProcedureStepDescription="Abdomen"), STEP, uid)
    assert between.Status == 0x0000
    last, _ = alice.send_n_set(ended(), STEP, uid)
    assert last.Status == 0x0000
    assert node.rows(kept, uid) == [("COMPLETED", "1.2.77.5", "W-5")]
    at, events = state(node, "5")
    assert at.startswith("2026-11-22 08:30:00"), "nine thirty of the hospital"
    assert events == ["exam_begun", "exam_ended"]
    assert listed(alice, "5") == 0
    late, _ = alice.send_n_set(ended("DISCONTINUED"), STEP, uid)
    assert (late.Status, late.ErrorID) == (0x0110, 0xA506)
    assert node.rows(kept, uid) == [("COMPLETED", "1.2.77.5", "W-5")]
    told = node.audited("dicom.performed", "ALICE")[:3]
    assert [row[3] for row in told] == [
        {"act": "change", "status": "COMPLETED"},
        {"act": "change", "status": "IN PROGRESS"},
        {"act": "begin", "status": "IN PROGRESS"},
    ]
    assert {row[1] for row in told} == {"PID-W-5"}


def test_a_step_keeps_all_that_was_said_and_stays_of_whom_it_was(node: NodeAlone, alice: Association) -> None:
    uid = generate_uid()
    alice.send_n_create(begun("6"), STEP, uid)
    wrong = ended("DISCONTINUED")
    wrong.PatientID = "ANOTHER"
    status, _ = alice.send_n_set(wrong, STEP, uid)
    assert status.Status == 0x0000
    ((kept,),) = node.rows("SELECT attributes FROM viewer_performedstep WHERE sop_instance_uid = ?", uid)
    said = Dataset.from_json(kept)
    assert (said.PatientID, str(said.PatientName), said.PerformedProcedureStepStatus) == (
        "PID-W-6",
        "Stép^By",
        "DISCONTINUED",
    )
    assert said.PerformedSeriesSequence[0].ProtocolName == "Abdomen"
    assert state(node, "6")[1] == ["exam_begun", "exam_discontinued"]


def test_a_step_of_another_patient_is_kept_and_ends_nothing(node: NodeAlone, alice: Association) -> None:
    uid = generate_uid()
    status, _ = alice.send_n_create(begun("2", patient="SOMEBODY-ELSE"), STEP, uid)
    assert status.Status == 0x0000
    assert alice.send_n_set(ended(), STEP, uid)[0].Status == 0x0000
    assert state(node, "2") == (None, [])


def test_a_step_is_known_to_its_own_hospital_alone(node: NodeAlone, alice: Association) -> None:
    uid = generate_uid()
    alice.send_n_create(begun("6"), STEP, uid)
    charlie = node.associate("CHARLIE", [build_context(STEP)])
    assert charlie.send_n_set(ended(), STEP, uid)[0].Status == 0x0112
    charlie.release()
    assert alice.send_n_set(ended(), STEP, generate_uid())[0].Status == 0x0112


@pytest.mark.parametrize(("said", "status"), [("COMPLETED", 0x0106), ("", 0x0120), ("BUSY", 0x0106)])
def test_a_step_begins_in_progress(alice: Association, said: str, status: int) -> None:
    wanted = begun("6")
    wanted.PerformedProcedureStepStatus = said
    answer, _ = alice.send_n_create(wanted, STEP, generate_uid())
    assert answer.Status == status
    assert answer.ErrorComment
