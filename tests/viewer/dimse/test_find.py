"""C-FIND, asked by pynetdicom; what is right was read from the files by pydicom."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    ModalityWorklistInformationFind,
    PatientRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelFind,
    Verification,
)

from accounts.models import Organization
from tests.viewer.dimse.alone import CHARLIES, DATA, MISSPELT, NodeAlone, answers, files, identifier
from tests.viewer.dimse.nodes import associated, listening, peer
from viewer.dimse import finding
from viewer.dimse.admission import RIGHTS_ARE_ASKED_EVERY_S
from viewer.dimse.question import Question

STUDY_ROOT, PATIENT_ROOT = StudyRootQueryRetrieveInformationModelFind, PatientRootQueryRetrieveInformationModelFind
FINDING = [build_context(STUDY_ROOT), build_context(PATIENT_ROOT)]
HEAD = DATA / "series/ct_head_gantry_tilt_ge_jpll"


@pytest.fixture(scope="module")
def held() -> list[Dataset]:
    return [pydicom.dcmread(path, stop_before_pixels=True) for path in files()]


@pytest.fixture
def alice(node: NodeAlone) -> Iterator[Association]:
    association = node.associate("ALICE", FINDING)
    yield association
    association.release()


def found(association: Association, level: str, model: str = STUDY_ROOT, **keys: object) -> list[Dataset]:
    told, status = answers(association.send_c_find(identifier(level, **keys), model))
    assert status.Status == 0x0000, status
    return told


def refused(association: Association, wanted: Dataset, model: str = STUDY_ROOT) -> Dataset:
    told, status = answers(association.send_c_find(wanted, model))
    assert told == []
    return status


def value(one: Dataset, keyword: str) -> str:
    return str(one.get(keyword) or "")


def day(text: str) -> str:
    """A date as it is written today."""
    return text.replace(".", "")


def test_every_study_is_told_as_its_files_say(alice: Association, held: list[Dataset]) -> None:
    keys = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "AccessionNumber", "StudyID")
    counts = ("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances", "ModalitiesInStudy", "StudyDescription")
    told = found(alice, "STUDY", StudyInstanceUID="", **dict.fromkeys((*keys, *counts), ""))
    by_study = defaultdict(list)
    for one in held:
        by_study[one.StudyInstanceUID].append(one)
    assert {one.StudyInstanceUID for one in told} == set(by_study)
    for one in told:
        of_it = by_study[one.StudyInstanceUID]
        for key in keys:
            said = value(of_it[0], key).rstrip("^")
            assert value(one, key) == (day(said) if "Date" in key else said), key
        assert value(one, "StudyDescription") == value(of_it[0], "StudyDescription").strip()
        assert int(one.NumberOfStudyRelatedInstances) == len(of_it)
        assert int(one.NumberOfStudyRelatedSeries) == len({each.SeriesInstanceUID for each in of_it})
        modalities = sorted({each.Modality for each in of_it})
        assert one.ModalitiesInStudy == (modalities[0] if len(modalities) == 1 else modalities)
        assert (one.QueryRetrieveLevel, one.RetrieveAETitle) == ("STUDY", "FARVIEW")
        assert (one.InstanceAvailability, one.SpecificCharacterSet) == ("ONLINE", "ISO_IR 192")


def test_series_and_images_of_a_study_are_told(alice: Association, held: list[Dataset]) -> None:
    head = [one for one in held if one.SOPClassUID.name == "CT Image Storage" and one.PatientName == "REMOVED"]
    study, series = head[0].StudyInstanceUID, head[0].SeriesInstanceUID
    (told,) = found(
        alice, "SERIES", StudyInstanceUID=study, Modality="", SeriesNumber=None, NumberOfSeriesRelatedInstances=None
    )
    assert (told.SeriesInstanceUID, told.Modality, told.StudyInstanceUID) == (series, "CT", study)
    assert (int(told.SeriesNumber), int(told.NumberOfSeriesRelatedInstances)) == (int(head[0].SeriesNumber), len(head))
    images = found(
        alice,
        "IMAGE",
        **{"StudyInstanceUID": study, "SeriesInstanceUID": series, "SOPClassUID": "", "InstanceNumber": None},
        **{"Rows": None, "Columns": None},
    )
    known = {one.SOPInstanceUID: one for one in head}
    assert {one.SOPInstanceUID for one in images} == set(known)
    for one in images:
        file = known[one.SOPInstanceUID]
        assert (one.Rows, one.Columns, one.SOPClassUID) == (file.Rows, file.Columns, file.SOPClassUID)
        assert int(one.InstanceNumber) == int(file.InstanceNumber)


def test_patient_root_has_four_levels(alice: Association, held: list[Dataset]) -> None:
    counts = {"NumberOfPatientRelatedStudies": None, "NumberOfPatientRelatedInstances": None}
    patients = found(alice, "PATIENT", PATIENT_ROOT, PatientID="", PatientName="", **counts)
    ids = {value(one, "PatientID") for one in held}
    assert {value(one, "PatientID") for one in patients} == ids
    (one,) = [one for one in patients if one.PatientID == "SCSGREEK"]
    assert (int(one.NumberOfPatientRelatedStudies), int(one.NumberOfPatientRelatedInstances)) == (1, 1)
    above = {"PatientID": "SCSGREEK"}
    (study,) = found(alice, "STUDY", PATIENT_ROOT, StudyInstanceUID="", **above)
    above["StudyInstanceUID"] = study.StudyInstanceUID
    (series,) = found(alice, "SERIES", PATIENT_ROOT, SeriesInstanceUID="", **above)
    above["SeriesInstanceUID"] = series.SeriesInstanceUID
    (image,) = found(alice, "IMAGE", PATIENT_ROOT, SOPInstanceUID="", **above)
    (file,) = [one for one in held if one.get("PatientID") == "SCSGREEK"]
    assert image.SOPInstanceUID == file.SOPInstanceUID


CHARSETS = sorted(path.name for path in (DATA / "charset").glob("*.dcm"))


@pytest.mark.parametrize("name", CHARSETS)
def test_a_name_of_any_character_set_is_found_by_each_of_its_groups(alice: Association, name: str) -> None:
    file = pydicom.dcmread(DATA / "charset" / name, stop_before_pixels=True)
    whole = str(file.PatientName)
    for wanted in {whole, *filter(None, whole.split("="))}:
        told = found(alice, "STUDY", PatientName=wanted, StudyInstanceUID="")
        ours = [one for one in told if one.StudyInstanceUID == file.StudyInstanceUID]
        assert [str(one.PatientName) for one in ours] == [whole], wanted


def test_a_question_in_another_character_set_is_understood(alice: Association) -> None:
    wanted = identifier("STUDY", StudyInstanceUID="")
    wanted.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    wanted.PatientName = "*=山田^太郎"
    told, status = answers(alice.send_c_find(wanted, STUDY_ROOT))
    assert status.Status == 0
    assert {str(one.PatientName).split("=")[1] for one in told} == {"山田^太郎"}
    assert len(told) == 2


def test_text_that_names_no_character_set_may_be_utf_8(alice: Association) -> None:
    wanted = identifier("STUDY", StudyInstanceUID="", PatientName="Διονυσιος".encode().decode("latin_1"))
    del wanted.SpecificCharacterSet
    told, status = answers(alice.send_c_find(wanted, STUDY_ROOT))
    assert (len(told), status.Status) == (1, 0)


MATCHED: list[tuple[dict[str, object], set[str]]] = [
    ({"PatientName": "WANG*"}, {"X1EXAMPLE", "X2EXAMPLE"}),
    ({"PatientName": "wang^xiaodong"}, {"X1EXAMPLE", "X2EXAMPLE"}),
    ({"PatientID": "H3?EXAMPLE"}, {"H31EXAMPLE", "H32EXAMPLE"}),
    ({"PatientID": "h31example"}, set()),
    ({"StudyDate": "20031208"}, {"13US1"}),
    ({"StudyDate": "20010101-20031231"}, {"13US1", "2178309"}),
    ({"StudyDate": "20120101-20130901"}, {"3456"}),
    ({"StudyDate": "-20010105"}, {"2178309", ""}),
    ({"ModalitiesInStudy": "SR"}, {"ANON0A8A2D1RJ"}),
    ({"ModalitiesInStudy": ["SR", "MR"]}, {"ANON0A8A2D1RJ", "MF-0000020"}),
    ({"AccessionNumber": "9995020"}, {"MF-0000020"}),
    ({"AccessionNumber": "9995020", "PatientSex": "X"}, set()),
]


@pytest.mark.parametrize(("keys", "patients"), MATCHED, ids=[str(keys) for keys, _ in MATCHED])
def test_keys_match_as_the_standard_says(
    alice: Association, keys: dict[str, object], patients: set[str], held: list[Dataset]
) -> None:
    told = found(alice, "STUDY", **{"StudyInstanceUID": "", "PatientID": "", **keys})
    assert {value(one, "PatientID") for one in told} == patients


def test_a_list_of_uids_brings_each(alice: Association, held: list[Dataset]) -> None:
    wanted = sorted({one.StudyInstanceUID for one in held})[:3]
    told = found(alice, "STUDY", StudyInstanceUID=[*wanted, "1.2.3.99"])
    assert sorted(one.StudyInstanceUID for one in told) == wanted


def test_what_is_not_known_is_answered_empty(alice: Association) -> None:
    (told,) = found(alice, "STUDY", PatientID="13US1", PatientWeight=None, RequestAttributesSequence=[], AdmissionID="")
    assert told["PatientWeight"].is_empty
    assert told["AdmissionID"].is_empty
    assert list(told.RequestAttributesSequence) == []


REFUSED: list[tuple[Dataset, int, int]] = [
    (identifier("SERIES", Modality="CT"), 0xA900, 0x0020000D),
    (identifier("IMAGE", StudyInstanceUID="1.2"), 0xA900, 0x0020000E),
    (identifier("SERIES", StudyInstanceUID=["1.2", "1.3"]), 0xA900, 0x0020000D),
    (identifier("PATIENT", PatientID="1"), 0xA900, 0x00080052),
    (identifier("FRAME", PatientID="1"), 0xA900, 0x00080052),
    (identifier("", PatientID="1"), 0xA900, 0x00080052),
    (identifier("STUDY", StudyInstanceUID="1.2.x"), 0xA900, 0x0020000D),
    (identifier("STUDY", StudyInstanceUID="", StudyDate="20241399-"), 0xA900, 0x00080020),
]


@pytest.mark.parametrize("case", range(len(REFUSED)))
def test_what_cannot_be_answered_is_refused_with_the_element_to_blame(alice: Association, case: int) -> None:
    wanted, status, blamed = REFUSED[case]
    told = refused(alice, wanted)
    assert (told.Status, int(told.OffendingElement)) == (status, blamed)
    assert told.ErrorComment
    assert found(alice, "STUDY", PatientID="13US1"), "the association goes on"


def test_patient_root_needs_the_patient_above_a_study(alice: Association, held: list[Dataset]) -> None:
    told = refused(alice, identifier("STUDY", StudyInstanceUID=held[0].StudyInstanceUID), PATIENT_ROOT)
    assert (told.Status, int(told.OffendingElement)) == (0xA900, 0x00100020)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_either_encoding_is_spoken(node: NodeAlone, syntax: str) -> None:
    association = node.associate("ALICE", [build_context(STUDY_ROOT, syntax)])
    assert association.accepted_contexts[0].transfer_syntax == [syntax]
    (told,) = found(association, "STUDY", PatientID="I2EXAMPLE", PatientName="")
    assert str(told.PatientName) == "Hong^Gildong=洪^吉洞=홍^길동"
    association.release()


# --- who may


def test_another_hospital_sees_its_own_alone(node: NodeAlone) -> None:
    association = node.associate("CHARLIE", FINDING)
    told = found(association, "STUDY", StudyInstanceUID="")
    assert [one.StudyInstanceUID for one in told] == [pydicom.dcmread(DATA / CHARLIES).StudyInstanceUID]
    head = pydicom.dcmread(next(HEAD.glob("*.dcm")), stop_before_pixels=True)
    assert found(association, "SERIES", StudyInstanceUID=head.StudyInstanceUID) == []
    association.release()


def test_who_may_not_ask_gets_no_context_to_ask_in(node: NodeAlone) -> None:
    asked = [*FINDING, build_context(ModalityWorklistInformationFind), build_context(Verification)]
    association = node.associate("BOB", asked)
    assert [one.abstract_syntax for one in association.accepted_contexts] == [Verification]
    assert len(association.rejected_contexts) == 3
    association.release()


def test_an_unknown_caller_is_refused(node: NodeAlone) -> None:
    entity = AE(ae_title="MALLORY")
    association = entity.associate(node.host, node.dicom_port, FINDING, ae_title="FARVIEW")
    assert association.is_rejected


def test_every_question_is_in_the_record(node: NodeAlone, alice: Association) -> None:
    found(alice, "STUDY", PatientID="13US1", AccessionNumber="")
    refused(alice, identifier("SERIES", Modality="MR"))
    refusal, question = node.audited("dicom.query", "ALICE")[:2]
    assert refusal == ("default", "", "failure", {"answers": 0})
    keys = {"level": "STUDY", "keys": ["PatientID"]}
    assert question == ("default", "13US1", "success", {**keys, "answers": 1})


def test_a_right_that_is_withdrawn_ends_the_asking(node: NodeAlone) -> None:
    association = node.associate("FORMER", FINDING)
    assert len(found(association, "STUDY", PatientID="13US1")) == 1
    node.write("UPDATE viewer_dicompeer SET may_query = 0 WHERE ae_title = 'FORMER'")
    time.sleep(RIGHTS_ARE_ASKED_EVERY_S)
    assert refused(association, identifier("STUDY", PatientID="13US1")).Status == 0x0124
    assert node.audited("dicom.query", "FORMER")[0][2] == "denied"
    association.release()


def test_a_corrected_name_is_the_one_that_is_found(node: NodeAlone) -> None:
    association = node.associate("RENEE", FINDING)
    (told,) = found(association, "STUDY", PatientName="right^renee", StudyInstanceUID="")
    assert str(told.PatientName) == "Right^Renée"
    before = pydicom.dcmread(DATA / MISSPELT, stop_before_pixels=True)
    assert found(association, "STUDY", PatientName=str(before.PatientName), StudyInstanceUID="") == []
    association.release()


def test_what_is_asked_for_is_in_no_log(node: NodeAlone, alice: Association) -> None:
    refused(alice, identifier("STUDY", PatientName="Geheim^Name", PatientID="G" * 70, StudyInstanceUID="1.2.secret"))
    found(alice, "STUDY", PatientName="Geheim^Name^^^^^^", PatientID="G" * 70, StudyInstanceUID="")
    for word in ("Geheim", "GGGG", "secret"):
        assert word not in node.log()


@pytest.mark.django_db(transaction=True)
def test_an_answer_may_take_longer_than_idleness(hospital: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> Question:
        time.sleep(1.5)
        return Question(iter(()))

    monkeypatch.setitem(finding.QUESTIONS, STUDY_ROOT, slow)
    peer(hospital)
    with listening(idle_s=1.0) as beside, associated(beside, [(STUDY_ROOT, ExplicitVRLittleEndian)]) as association:
        for _ in range(2):
            assert found(association, "STUDY", StudyInstanceUID="") == []


# --- many


def resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


def test_a_long_answer_costs_no_memory_and_can_be_cancelled(node: NodeAlone) -> None:
    assert node.process is not None
    association = node.associate("LARGE", FINDING)
    wanted = identifier("IMAGE", StudyInstanceUID="1.2.900", SeriesInstanceUID="1.2.900.1", SOPInstanceUID="")
    before = resident(node.process.pid)
    answered = association.send_c_find(wanted, STUDY_ROOT)
    seen = {one.SOPInstanceUID for _, one in itertools.islice(answered, 3000) if one is not None}
    assert len(seen) == 3000
    assert resident(node.process.pid) - before < 32 << 20
    association.send_c_cancel(1, query_model=STUDY_ROOT)
    rest, status = answers(answered)
    assert status.Status == 0xFE00
    assert len(rest) < 15_000
    assert found(association, "STUDY", StudyInstanceUID=""), "the association goes on"
    association.release()


# --- what is agreed on beyond the baseline (PS3.4 C.5.1.1)


def proposed(uid: str, *values: int) -> SOPClassExtendedNegotiation:
    item = SOPClassExtendedNegotiation()
    item.sop_class_uid, item.service_class_application_information = uid, bytes(values)
    return item


@pytest.fixture
def agreed(node: NodeAlone) -> Iterator[Association]:
    association = node.associate("ALICE", FINDING, ext_neg=[proposed(STUDY_ROOT, 1, 1, 1, 1, 1)])
    yield association
    association.release()


def test_relational_queries_combined_moments_and_fuzzy_names_are_agreed_on_and_no_more(agreed: Association) -> None:
    assert agreed.acceptor.sop_class_extended == {STUDY_ROOT: b"\1\1\1"}


def test_a_relational_query_needs_no_unique_key_of_the_levels_above(agreed: Association, held: list[Dataset]) -> None:
    patient = next(one.PatientID for one in held if one.get("Modality") == "CT")
    wanted = {str(one.SeriesInstanceUID) for one in held if one.get("PatientID") == patient}
    told = found(agreed, "SERIES", PatientID=patient, StudyInstanceUID="", SeriesInstanceUID="")
    assert {one.SeriesInstanceUID for one in told} == wanted
    studies = {str(one.StudyInstanceUID) for one in held if one.get("PatientID") == patient}
    assert {one.StudyInstanceUID for one in told} == studies
    several = sorted({str(one.StudyInstanceUID) for one in held})[:2]
    images = found(agreed, "IMAGE", StudyInstanceUID=several, SOPInstanceUID="")
    assert {one.SOPInstanceUID for one in images} == {
        str(one.SOPInstanceUID) for one in held if one.StudyInstanceUID in several
    }


def test_dates_and_times_agreed_on_are_one_range(agreed: Association, alice: Association, held: list[Dataset]) -> None:
    days = sorted({day(one.StudyDate) for one in held if one.get("StudyDate") and one.get("StudyTime")})
    keys = {"StudyInstanceUID": "", "StudyDate": f"{days[0]}-{days[-1]}", "StudyTime": "235959-000000"}
    wanted = {str(one.StudyInstanceUID) for one in held if days[0] < day(value(one, "StudyDate")) < days[-1]}
    assert wanted <= {one.StudyInstanceUID for one in found(agreed, "STUDY", **keys)}
    assert found(alice, "STUDY", **keys) == []  # two conditions, the second of which nothing meets


def test_names_agreed_on_match_by_the_beginnings_of_words(agreed: Association, alice: Association) -> None:
    assert "X1EXAMPLE" in {one.PatientID for one in found(agreed, "STUDY", PatientName="xiao wang", PatientID="")}
    assert found(alice, "STUDY", PatientName="xiao wang", PatientID="") == []
