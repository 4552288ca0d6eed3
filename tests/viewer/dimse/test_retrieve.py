"""C-GET and C-MOVE, asked for by pynetdicom; what comes is held against the bytes of the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import build_role, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelGet,
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from tests.live import free_port
from tests.viewer.dimse.alone import CHARLIES, DATA, MISSPELT, NodeAlone, files, identifier
from tests.viewer.dimse.receiver import Receiver

GET, MOVE = StudyRootQueryRetrieveInformationModelGet, StudyRootQueryRetrieveInformationModelMove
PATIENT_GET, PATIENT_MOVE = PatientRootQueryRetrieveInformationModelGet, PatientRootQueryRetrieveInformationModelMove
HEAD = sorted((DATA / "series/ct_head_gantry_tilt_ge_jpll").glob("*.dcm"))
IMPLICIT = DATA / "syntax_ctimage/CTImage_LittleEndianImplicit_0.dcm"
BIG_ENDIAN = DATA / "syntax_other/US-RGB-8-epicard_bigendian.dcm"
DEFLATED = DATA / "syntax_other/deflated_mono.dcm"
RLE = DATA / "syntax_nema/US1_RLE.dcm"
PDF = DATA / "derived/encapsulated_pdf.dcm"


def data_set_of(path: Path) -> bytes:
    """The bytes behind the file meta information (PS3.10 7.1)."""
    data = path.read_bytes()
    assert data[128:140] == b"DICM\x02\x00\x00\x00UL\x04\x00"
    return data[144 + int.from_bytes(data[140:144], "little") :]


def header(path: Path) -> Dataset:
    return pydicom.dcmread(path, stop_before_pixels=True)


def of_study(path: Path) -> Dataset:
    return identifier("STUDY", StudyInstanceUID=header(path).StudyInstanceUID)


class Getter:
    """Retrieves by C-GET; `got`: SOP Instance UID -> (transfer syntax, bytes of the data set)."""

    def __init__(self, node: NodeAlone, ae_title: str, offered: Sequence[tuple[str, str]], *negotiated: Any) -> None:
        self.got: dict[str, tuple[str, bytes]] = {}
        self.answer: Callable[[str], int] = lambda uid: 0x0000
        classes = dict.fromkeys(sop_class for sop_class, _ in offered)
        contexts = [build_context(GET), build_context(PATIENT_GET), *(build_context(*pair) for pair in offered)]
        self.association: Association = node.associate(
            ae_title,
            contexts,
            ext_neg=[*(build_role(sop_class, scp_role=True) for sop_class in classes), *negotiated],
            evt_handlers=[(evt.EVT_C_STORE, self._take)],
        )

    def _take(self, event: Any) -> int:
        uid = str(event.request.AffectedSOPInstanceUID)
        status = self.answer(uid)
        if status == 0:
            self.got[uid] = (str(event.context.transfer_syntax), event.encoded_dataset(include_meta=False))
        return status

    def get(self, wanted: Dataset, model: str = GET) -> tuple[Dataset, Dataset | None]:
        """The last response."""
        last = list(self.association.send_c_get(wanted, model))[-1]
        return last[0], last[1]


Asks = Callable[..., Getter]


@pytest.fixture
def getter(node: NodeAlone) -> Iterator[Asks]:
    made: list[Getter] = []

    def ask(offered: Sequence[tuple[str, str]], ae_title: str = "ALICE") -> Getter:
        made.append(Getter(node, ae_title, offered))
        return made[-1]

    yield ask
    for one in made:
        one.association.release()


def own_syntaxes(paths: Sequence[Path]) -> list[tuple[str, str]]:
    return sorted({(str(one.SOPClassUID), str(one.file_meta.TransferSyntaxUID)) for one in map(header, paths)})


def counts(status: Dataset) -> tuple[int, int, int]:
    """Completed, failed, warnings."""
    return (
        status.NumberOfCompletedSuboperations,
        status.NumberOfFailedSuboperations,
        status.NumberOfWarningSuboperations,
    )


# --- C-GET


@pytest.mark.parametrize("path", [HEAD[0], IMPLICIT, BIG_ENDIAN, DEFLATED, RLE, PDF], ids=lambda path: path.stem)
def test_stored_bytes_come_as_they_are(getter: Asks, path: Path) -> None:
    whole = HEAD if path in HEAD else [path]
    asking = getter(own_syntaxes(whole))
    status, failed = asking.get(of_study(path))
    assert (status.Status, counts(status), failed) == (0x0000, (len(whole), 0, 0), None)
    for one in whole:
        said = header(one)
        assert asking.got[said.SOPInstanceUID] == (said.file_meta.TransferSyntaxUID, data_set_of(one)), one.name


def test_each_level_brings_what_is_below_it(getter: Asks) -> None:
    first = header(HEAD[0])
    asking = getter(own_syntaxes(HEAD))
    above = {"StudyInstanceUID": first.StudyInstanceUID}
    status, _ = asking.get(identifier("SERIES", SeriesInstanceUID=first.SeriesInstanceUID, **above))
    assert counts(status) == (len(HEAD), 0, 0)
    asking.got.clear()
    above["SeriesInstanceUID"] = first.SeriesInstanceUID
    some = [header(path).SOPInstanceUID for path in HEAD[:3]]
    status, _ = asking.get(identifier("IMAGE", SOPInstanceUID=some, **above))
    assert counts(status) == (3, 0, 0)
    assert sorted(asking.got) == sorted(some)


def test_a_patient_brings_all_their_studies(getter: Asks) -> None:
    asking = getter(own_syntaxes([PDF]))
    status, _ = asking.get(identifier("PATIENT", PatientID=header(PDF).PatientID), PATIENT_GET)
    assert counts(status) == (1, 0, 0)
    assert list(asking.got) == [header(PDF).SOPInstanceUID]


@pytest.mark.parametrize("path", [IMPLICIT, BIG_ENDIAN, DEFLATED, RLE], ids=lambda path: path.stem)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_objects_are_written_anew_for_who_takes_no_other(getter: Asks, path: Path, syntax: str) -> None:
    stored = pydicom.dcmread(path)
    asking = getter([(stored.SOPClassUID, syntax)])
    status, _ = asking.get(of_study(path))
    assert (status.Status, counts(status)) == (0x0000, (1, 0, 0))
    came_as, raw = asking.got[stored.SOPInstanceUID]
    assert came_as == syntax
    came = pydicom.dcmread(pydicom.filebase.DicomBytesIO(part_10(raw, syntax)))
    assert (came.pixel_array == stored.pixel_array).all()
    assert str(came.get("PatientName")) == str(stored.get("PatientName"))


def part_10(raw: bytes, syntax: str) -> bytes:
    """A file around a data set."""
    meta = b"\x02\x00\x10\x00UI" + len(syntax + "\0" * (len(syntax) % 2)).to_bytes(2, "little")
    meta += syntax.encode() + b"\0" * (len(syntax) % 2)
    return bytes(128) + b"DICM\x02\x00\x00\x00UL\x04\x00" + len(meta).to_bytes(4, "little") + meta + raw


def test_what_is_not_taken_fails_alone_and_is_named(getter: Asks) -> None:
    pdf, image = header(PDF), header(IMPLICIT)
    asking = getter(own_syntaxes([PDF]))
    both = identifier("STUDY", StudyInstanceUID=[pdf.StudyInstanceUID, image.StudyInstanceUID])
    status, failed = asking.get(both)
    assert (status.Status, counts(status)) == (0xB000, (1, 1, 0))
    assert failed is not None
    assert failed.FailedSOPInstanceUIDList == image.SOPInstanceUID
    assert list(asking.got) == [pdf.SOPInstanceUID]


def test_nothing_taken_is_a_failure(getter: Asks) -> None:
    asking = getter(own_syntaxes([PDF]))
    status, failed = asking.get(of_study(HEAD[0]))
    assert (status.Status, counts(status)) == (0xA702, (0, len(HEAD), 0))
    assert failed is not None
    assert sorted(failed.FailedSOPInstanceUIDList) == sorted(header(path).SOPInstanceUID for path in HEAD)


def test_warnings_and_refusals_of_the_receiver_are_counted(getter: Asks) -> None:
    uids = [header(path).SOPInstanceUID for path in HEAD]
    answers = {uids[0]: 0xA700, uids[1]: 0xB000}
    asking = getter(own_syntaxes(HEAD))
    asking.answer = lambda uid: answers.get(uid, 0x0000)
    status, failed = asking.get(of_study(HEAD[0]))
    assert (status.Status, counts(status)) == (0xB000, (len(HEAD) - 2, 1, 1))
    assert failed is not None
    assert failed.FailedSOPInstanceUIDList == uids[0]


def test_a_retrieval_can_be_cancelled(getter: Asks) -> None:
    asking = getter(own_syntaxes(HEAD))
    asking.answer = lambda uid: asking.association.send_c_cancel(1, query_model=GET) or 0x0000  # type: ignore[func-returns-value]
    status, _ = asking.get(of_study(HEAD[0]))
    assert status.Status == 0xFE00
    assert 0 < status.NumberOfRemainingSuboperations < len(HEAD)
    assert status.NumberOfRemainingSuboperations + sum(counts(status)) == len(HEAD)


def test_what_is_not_there_is_nothing_and_no_failure(getter: Asks) -> None:
    asking = getter(own_syntaxes([PDF]))
    status, _ = asking.get(identifier("STUDY", StudyInstanceUID="1.2.3.99"))
    assert (status.Status, counts(status)) == (0x0000, (0, 0, 0))


NEEDED: list[tuple[Dataset, str]] = [
    (identifier("STUDY", PatientID="13US1"), GET),
    (identifier("STUDY", StudyInstanceUID=""), GET),
    (identifier("STUDY", StudyInstanceUID="*"), GET),
    (identifier("SERIES", SeriesInstanceUID="1.2"), GET),
    (identifier("PATIENT", PatientID="13US1"), GET),
    (identifier("PATIENT", PatientID="*"), PATIENT_GET),
    (identifier("", StudyInstanceUID="1.2"), GET),
]


@pytest.mark.parametrize("case", range(len(NEEDED)))
def test_a_retrieval_names_what_it_wants(getter: Asks, case: int) -> None:
    wanted, model = NEEDED[case]
    asking = getter(own_syntaxes([PDF]))
    status, _ = asking.get(wanted, model)
    assert status.Status == 0xA900
    assert status.ErrorComment
    assert asking.got == {}


def test_corrections_leave_with_the_object_and_nothing_else_changes(getter: Asks) -> None:
    path = DATA / MISSPELT
    stored = pydicom.dcmread(path)
    asking = getter(own_syntaxes([path]), "RENEE")
    status, _ = asking.get(of_study(path))
    assert status.Status == 0x0000
    syntax, raw = asking.got[stored.SOPInstanceUID]
    came = pydicom.dcmread(pydicom.filebase.DicomBytesIO(part_10(raw, syntax)))
    assert str(came.PatientName) == "Right^Renée"
    (original,) = came.OriginalAttributesSequence
    assert str(original.ModifiedAttributesSequence[0].PatientName) == str(stored.PatientName)
    assert came.PixelData == stored.PixelData
    for keyword in ("SpecificCharacterSet", "PatientName", "OriginalAttributesSequence"):
        for one in (came, stored):
            one.pop(keyword, None)
    assert [one.tag for one in came] == [one.tag for one in stored]


def test_a_relational_retrieval_that_was_agreed_on_needs_no_unique_key_of_the_levels_above(node: NodeAlone) -> None:
    item = SOPClassExtendedNegotiation()
    item.sop_class_uid, item.service_class_application_information = GET, b"\1"
    asking = Getter(node, "ALICE", own_syntaxes([RLE]), item)
    status, _ = asking.get(identifier("IMAGE", SOPInstanceUID=header(RLE).SOPInstanceUID))
    asking.association.release()
    assert (status.Status, list(asking.got)) == (0x0000, [header(RLE).SOPInstanceUID])


def test_rejected_objects_are_brought_to_nobody(node: NodeAlone, getter: Asks) -> None:
    path = DATA / "charset/chrX1.dcm"
    uid = header(path).SOPInstanceUID
    node.write("UPDATE viewer_instance SET rejection = '113001' WHERE sop_instance_uid = ?", uid)
    try:
        asking = getter(own_syntaxes([path]))
        status, _ = asking.get(of_study(path))
        assert (status.Status, counts(status)) == (0x0000, (0, 0, 0))
    finally:
        node.write("UPDATE viewer_instance SET rejection = '' WHERE sop_instance_uid = ?", uid)


def test_another_hospital_gets_its_own_alone(getter: Asks) -> None:
    own = DATA / CHARLIES
    asking = getter(own_syntaxes([own, PDF]), "CHARLIE")
    assert counts(asking.get(of_study(PDF))[0]) == (0, 0, 0)
    assert counts(asking.get(of_study(own))[0]) == (1, 0, 0)
    assert list(asking.got) == [header(own).SOPInstanceUID]


def test_who_may_not_retrieve_gets_no_context_to_ask_in(node: NodeAlone) -> None:
    storage = header(PDF).SOPClassUID
    association = node.associate("BOB", [*map(build_context, (GET, MOVE, PATIENT_GET, PATIENT_MOVE, storage))])
    assert [one.abstract_syntax for one in association.accepted_contexts] == [storage]
    association.release()


def test_a_retrieval_is_in_the_record(node: NodeAlone, getter: Asks) -> None:
    getter(own_syntaxes([PDF])).get(of_study(PDF))
    said = header(PDF)
    detail = {"service": "C-GET", "instances": 1, "destination": "ALICE"}
    assert node.audited("dicom.retrieve", "ALICE")[0] == ("default", said.PatientID, "success", detail)
    getter([]).get(of_study(PDF))
    failure = node.audited("dicom.retrieve", "ALICE")[0]
    assert failure == ("default", said.PatientID, "failure", {**detail, "failed": 1})


# --- C-MOVE


@pytest.fixture
def mover(node: NodeAlone) -> Iterator[Association]:
    association = node.associate("ALICE", [build_context(MOVE), build_context(PATIENT_MOVE)])
    yield association
    association.release()


def moved(association: Association, to: str, wanted: Dataset, model: str = MOVE) -> tuple[Dataset, Dataset | None, int]:
    """The last response, and how many came before it."""
    told = list(association.send_c_move(wanted, to, model))
    return told[-1][0], told[-1][1], len(told) - 1


def receiver(ae_title: str, paths: Sequence[Path], **more: Any) -> Receiver:
    pairs = own_syntaxes(paths)
    return Receiver(ae_title, [syntax for _, syntax in pairs], sorted({sop_class for sop_class, _ in pairs}), **more)


def test_a_study_is_moved_to_a_peer_that_is_known(node: NodeAlone, mover: Association) -> None:
    with receiver("MOVED-TO", HEAD) as peer:
        node.listener("MOVED-TO", peer.port)
        status, _, before = moved(mover, "MOVED-TO", of_study(HEAD[0]))
        assert (status.Status, counts(status)) == (0x0000, (len(HEAD), 0, 0))
        assert before == len(HEAD) - 1
        assert {uid: raw for uid, _, raw in peer.got} == {header(one).SOPInstanceUID: data_set_of(one) for one in HEAD}
        assert peer.associations == 1
        assert set(peer.originators) == {("ALICE", 1)}
    detail = {"service": "C-MOVE", "instances": len(HEAD), "destination": "MOVED-TO"}
    assert node.audited("dicom.retrieve", "ALICE")[0][3] == detail


def test_a_destination_is_a_peer_of_the_same_hospital(node: NodeAlone, mover: Association) -> None:
    with receiver("STRANGE", [PDF]) as peer:
        node.listener("STRANGE", peer.port, "elsewhere")
        for name in ("STRANGE", "NOBODY", "BOB", ""):
            status, _, _ = moved(mover, name or "X", of_study(PDF))
            assert status.Status == 0xA801, name
        assert peer.got == []


def test_a_destination_that_does_not_answer_fails_all(node: NodeAlone, mover: Association) -> None:
    node.listener("ABSENT", free_port())
    status, failed, _ = moved(mover, "ABSENT", of_study(HEAD[0]))
    assert (status.Status, counts(status)) == (0xA702, (0, len(HEAD), 0))
    assert failed is not None
    assert len(failed.FailedSOPInstanceUIDList) == len(HEAD)


def test_what_the_destination_refuses_is_named(node: NodeAlone, mover: Association) -> None:
    uid = header(HEAD[3]).SOPInstanceUID
    with receiver("PICKY", HEAD, answer=lambda one: 0xA700 if one == uid else 0) as peer:
        node.listener("PICKY", peer.port)
        status, failed, _ = moved(mover, "PICKY", of_study(HEAD[0]))
    assert (status.Status, counts(status)) == (0xB000, (len(HEAD) - 1, 1, 0))
    assert failed is not None
    assert failed.FailedSOPInstanceUIDList == uid


def test_a_move_can_be_cancelled(node: NodeAlone, mover: Association) -> None:
    with receiver("SLOW", HEAD, slow_s=0.05) as peer:
        node.listener("SLOW", peer.port)
        responses = mover.send_c_move(of_study(HEAD[0]), "SLOW", MOVE)
        assert next(responses)[0].Status == 0xFF00
        mover.send_c_cancel(1, query_model=MOVE)
        status = list(responses)[-1][0]
        assert status.Status == 0xFE00
        assert 0 < status.NumberOfRemainingSuboperations < len(HEAD)
        assert len(peer.got) == status.NumberOfCompletedSuboperations


def test_a_patient_is_moved(node: NodeAlone, mover: Association) -> None:
    with receiver("PATIENTS", [PDF]) as peer:
        node.listener("PATIENTS", peer.port)
        wanted = identifier("PATIENT", PatientID=header(PDF).PatientID)
        status, _, _ = moved(mover, "PATIENTS", wanted, PATIENT_MOVE)
        assert (status.Status, counts(status)) == (0x0000, (1, 0, 0))
        assert peer.uids == [header(PDF).SOPInstanceUID]


def test_all_files_of_the_archive_are_there_to_be_had(node: NodeAlone) -> None:
    held = {uid for (uid,) in node.rows("SELECT sop_instance_uid FROM viewer_instance")}
    assert {header(path).SOPInstanceUID for path in files()} <= held
