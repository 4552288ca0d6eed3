"""Series found by C-FIND through what asked for them: sequence matching (PS3.4 C.2.2.2.6), without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom.dsutils import encode

from accounts.models import Organization
from tests.viewer.archive.objects import ct_slice, save
from viewer.archive.ingest import ingest
from viewer.archive.rows import Sender
from viewer.archive.sources import walk
from viewer.dimse.holdings import held_objects
from viewer.models import DicomPeer

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db]
STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.1"


def request(step: str, procedure: str) -> Dataset:
    item = Dataset()
    item.AccessionNumber, item.RequestedProcedureID, item.ScheduledProcedureStepID = "A1", procedure, step
    return item


@pytest.fixture
def peer(hospital: Organization, tmp_path: Path) -> DicomPeer:
    began = {"PerformedProcedureStepStartDate": "20240131", "PerformedProcedureStepStartTime": "101500"}
    save(
        ct_slice("1.5.1.1", "1.5", "1.5.1", RequestAttributesSequence=[request("S1", "R1")], **began),
        tmp_path / "in" / "1",
    )
    both = [request("S2", "R2"), request("S3", "R1")]
    save(ct_slice("1.5.2.1", "1.5", "1.5.2", RequestAttributesSequence=both), tmp_path / "in" / "2")
    assert {one.outcome for one in ingest(walk(tmp_path / "in"), Sender(hospital, "a test", "ingest"))} == {"stored"}
    return DicomPeer(organization=hospital, ae_title="ALICE")


def found(peer: DicomPeer, level: str = "SERIES", item: dict[str, str] | None = None, **keys: Any) -> list[Dataset]:
    wanted = Dataset()
    wanted.QueryRetrieveLevel, wanted.StudyInstanceUID = level, "1.5"
    for keyword, value in keys.items():
        setattr(wanted, keyword, value)
    if item is not None:
        inner = Dataset()
        for keyword, value in item.items():
            setattr(inner, keyword, value)
        wanted.RequestAttributesSequence = [inner] if item else []
    answers = list(held_objects(peer, wanted, STUDY_ROOT).answers)
    assert all(encode(one, True, True) for one in answers)
    return answers


def test_series_are_found_by_one_item_that_has_all_that_is_asked_for(peer: DicomPeer) -> None:
    for item, uids in [
        ({"ScheduledProcedureStepID": "S3"}, ["1.5.2"]),
        ({"ScheduledProcedureStepID": "S*"}, ["1.5.1", "1.5.2"]),
        ({"ScheduledProcedureStepID": "S2", "RequestedProcedureID": "R1"}, []),
        ({"ScheduledProcedureStepID": "S3", "RequestedProcedureID": "R1", "AccessionNumber": ""}, ["1.5.2"]),
        ({"ScheduledProcedureStepID": "", "ReasonForTheRequestedProcedure": "x"}, ["1.5.1", "1.5.2"]),
    ]:
        assert [one.SeriesInstanceUID for one in found(peer, item=item, SeriesInstanceUID="")] == uids, item


def test_an_item_is_answered_with_what_was_asked_for(peer: DicomPeer) -> None:
    (told,) = found(peer, item={"ScheduledProcedureStepID": "S3", "ReasonForTheRequestedProcedure": ""})
    items = told.RequestAttributesSequence
    assert [str(one.ScheduledProcedureStepID) for one in items] == ["S2", "S3"]
    assert [one.get("ReasonForTheRequestedProcedure", "left out") for one in items] == [None, None]
    assert "AccessionNumber" not in items[0]
    first, _ = found(peer, item={})
    (whole,) = first.RequestAttributesSequence
    assert (whole.AccessionNumber, whole.RequestedProcedureID, whole.ScheduledProcedureStepID) == ("A1", "R1", "S1")
    (image,) = found(peer, "IMAGE", item={}, SeriesInstanceUID="1.5.1", SOPInstanceUID="")
    assert image.RequestAttributesSequence == first.RequestAttributesSequence
    (study,) = found(peer, "STUDY", item={"ScheduledProcedureStepID": "S1"})
    assert len(study.RequestAttributesSequence) == 0, "of a level below"


def test_when_a_series_was_begun_is_a_key(peer: DicomPeer) -> None:
    keys = {"PerformedProcedureStepStartDate": "20240101-", "PerformedProcedureStepStartTime": "10"}
    (told,) = found(peer, **keys)
    assert (told.PerformedProcedureStepStartDate, told.PerformedProcedureStepStartTime) == ("20240131", "101500")
    assert found(peer, PerformedProcedureStepStartDate="20250101-") == []
