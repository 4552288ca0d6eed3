"""The same UIDs and the same Patient ID in two organizations: a peer finds, gets and moves those of its own, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import build_role, evt
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.dimse.alone import NodeAlone, answers, begun, identifier
from tests.viewer.dimse.receiver import Receiver

FIND = PatientRootQueryRetrieveInformationModelFind
GET, MOVE = StudyRootQueryRetrieveInformationModelGet, StudyRootQueryRetrieveInformationModelMove
PIXELS = {"north": bytes(range(32)), "south": bytes(range(100, 132))}
NAMES = {"north": "Ours^Anna", "south": "Theirs^Bea"}
STUDY = {"StudyInstanceUID": "1.2.3"}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeAlone]:
    """NORTH and SOUTH may ask, each of its own organization; both hold 1.2.3 of patient P1."""
    folder: Path = tmp_path_factory.mktemp("two")
    made = [
        (name, [save(ct_slice(PixelData=PIXELS[name], PatientName=NAMES[name]), folder / f"{name}.dcm")])
        for name in NAMES
    ]
    alone = NodeAlone()
    alone.begun = begun([(name.upper(), name, "query retrieve", None) for name in NAMES], made)
    with alone:
        yield alone


@pytest.mark.parametrize("name", NAMES)
def test_a_query_tells_of_ones_own(two: NodeAlone, name: str) -> None:
    association = two.associate(name.upper(), [build_context(FIND)])
    for keys in ({"PatientID": "P1"}, {"PatientID": "P1", **STUDY}):
        level = "STUDY" if "StudyInstanceUID" in keys else "PATIENT"
        told, _ = answers(association.send_c_find(identifier(level, PatientName="", **keys), FIND))
        assert [str(one.PatientName) for one in told] == [NAMES[name]]
    association.release()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_got_has_ones_own_pixels(two: NodeAlone, name: str) -> None:
    got: list[bytes] = []

    def take(event: evt.Event) -> int:
        got.append(event.dataset.PixelData)
        return 0x0000

    association = two.associate(
        name.upper(),
        [build_context(GET), build_context(CTImageStorage, ExplicitVRLittleEndian)],
        ext_neg=[build_role(CTImageStorage, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, take)],
    )
    for _ in range(2):
        status, _none = list(association.send_c_get(identifier("STUDY", **STUDY), GET))[-1]
        assert status.Status == 0x0000
    association.release()
    assert got == [PIXELS[name]] * 2


def test_what_is_moved_goes_to_ones_own_receivers_alone(two: NodeAlone, tmp_path: Path) -> None:
    with Receiver("NORTHS") as norths, Receiver("SOUTHS") as souths:
        receivers = {"north": norths, "south": souths}
        for name, receiver in receivers.items():
            two.listener(receiver.ae_title, receiver.port, name)
        for name, other in (("north", "souths"), ("south", "norths")):
            association = two.associate(name.upper(), [build_context(MOVE)])
            status, _ = list(association.send_c_move(identifier("STUDY", **STUDY), other.upper(), MOVE))[-1]
            assert status.Status == 0xA801, "the receiver of another organization is unknown here"
            own = receivers[name].ae_title
            status, _ = list(association.send_c_move(identifier("STUDY", **STUDY), own, MOVE))[-1]
            assert status.Status == 0x0000
            association.release()
        for name, receiver in receivers.items():
            ((_, _, raw),) = receiver.got
            assert PIXELS[name] in raw
            assert NAMES[name].encode() in raw


def test_the_node_holds_both(two: NodeAlone) -> None:
    """What the others rely on: two rows of one UID, each with bytes of its own."""
    rows = two.rows("SELECT sop_instance_uid, blob_id FROM viewer_instance ORDER BY id")
    assert [uid for uid, _ in rows] == ["1.2.3.4.1"] * 2
    for (_, digest), name in zip(rows, NAMES, strict=True):
        kept = dcmread(two.data / "blob" / digest[:2] / digest)
        assert str(kept.PatientName) == NAMES[name]
