"""Rejection: a note by whoever sends it hides what it names from every door, whenever that comes; and it can be taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pytest
from django.test import Client
from pydicom.dataset import Dataset
from pydicom.uid import KeyObjectSelectionDocumentStorage

from accounts.models import AuditEvent, Organization, User
from tests.viewer.archive.objects import ct_slice, save, slices
from tests.viewer.conftest import person
from tests.viewer.objects.validator import errors_in, needs_validator
from viewer.archive.correcting import BadCorrection, Who
from viewer.archive.correcting_undo import undo
from viewer.archive.ingest import ingest_file
from viewer.archive.storage import blob_store
from viewer.marks.rejecting import reject
from viewer.models import Correction, Instance, Outbox, Series, Study

pytestmark = pytest.mark.usefixtures("store")

SAFETY = "113037"


@pytest.fixture
def tess(hospital: Organization) -> User:
    user: User = person("tess", hospital, "technologist")
    return user


@pytest.fixture
def chest(hospital: Organization, tmp_path: Path) -> Study:
    for path in (*slices(tmp_path / "a", 3), *slices(tmp_path / "b", 1, series="1.2.3.5", Modality="MR")):
        ingest_file(path, hospital, "ingest", "")
    return Study.objects.get()


def coded(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code


def note(path: Path, objects: dict[str, list[str]], code: str = SAFETY, uid: str = "1.2.3.99.1") -> Path:
    """A rejection note as a modality writes it: {series: objects}."""
    said = ct_slice(uid, series="1.2.3.99", Modality="KO")
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "PixelSpacing", "ImagePositionPatient"):
        delattr(said, keyword)
    said.SOPClassUID = KeyObjectSelectionDocumentStorage
    said.ValueType, said.ContinuityOfContent = "CONTAINER", "SEPARATE"
    said.ConceptNameCodeSequence = [coded(code, "whatever it is called")]
    of_study = Dataset()
    of_study.StudyInstanceUID, of_study.ReferencedSeriesSequence = "1.2.3", []
    said.ContentSequence = []
    for series, uids in objects.items():
        of_series = Dataset()
        of_series.SeriesInstanceUID, of_series.ReferencedSOPSequence = series, []
        for named in uids:
            reference = Dataset()
            reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = ct_slice().SOPClassUID, named
            of_series.ReferencedSOPSequence.append(reference)
            item = Dataset()
            item.RelationshipType, item.ValueType = "CONTAINS", "IMAGE"
            item.ReferencedSOPSequence = [reference]
            said.ContentSequence.append(item)
        of_study.ReferencedSeriesSequence.append(of_series)
    said.CurrentRequestedProcedureEvidenceSequence = [of_study]
    return save(said, path)


def hidden() -> set[str]:
    return set(Instance.objects.exclude(rejection="").values_list("sop_instance_uid", flat=True))


def counts() -> dict[str, int]:
    return dict(Series.objects.values_list("series_instance_uid", "number_of_instances"))


@pytest.mark.parametrize("code", ["113001", "113037", "113038", "113039"])
def test_a_note_that_comes_in_hides_what_it_names_and_itself(
    chest: Study, hospital: Organization, tmp_path: Path, code: str
) -> None:
    version = Series.objects.get(series_instance_uid="1.2.3.4").version
    path = note(tmp_path / "note.dcm", {"1.2.3.4": ["1.2.3.4.2"]}, code)
    assert ingest_file(path, hospital, "dimse", "dicom:CT1").outcome == "stored"
    assert hidden() == {"1.2.3.4.2", "1.2.3.99.1"}
    assert counts() == {"1.2.3.4": 2, "1.2.3.5": 1, "1.2.3.99": 0}
    series = Series.objects.get(series_instance_uid="1.2.3.4")
    assert (series.number_of_frames, series.version > version) == (2, True)
    chest.refresh_from_db()
    assert (chest.number_of_series, chest.number_of_instances, chest.modalities) == (2, 3, "CT\\MR")
    act = Correction.objects.get()
    assert (act.kind, act.after["code"], act.source, act.actor_name) == ("rejected", code, "dicom", "dicom:CT1")
    assert AuditEvent.objects.filter(action="correction.rejected", study_instance_uid="1.2.3").exists()


def test_a_key_object_selection_of_another_title_hides_nothing(
    chest: Study, hospital: Organization, tmp_path: Path
) -> None:
    ingest_file(note(tmp_path / "n.dcm", {"1.2.3.4": ["1.2.3.4.2"]}, "113000"), hospital, "upload", "")
    assert hidden() == set()


def test_what_was_rejected_before_it_came_stays_hidden(chest: Study, hospital: Organization, tmp_path: Path) -> None:
    ingest_file(note(tmp_path / "n.dcm", {"1.2.3.4": ["1.2.3.4.8"], "1.2.3.6": ["1.2.3.6.1"]}), hospital, "upload", "")
    for uid, series in (("1.2.3.4.8", "1.2.3.4"), ("1.2.3.6.1", "1.2.3.6"), ("1.2.3.4.9", "1.2.3.4")):
        assert (
            ingest_file(save(ct_slice(uid, series=series), tmp_path / uid), hospital, "upload", "").outcome == "stored"
        )
    assert hidden() == {"1.2.3.99.1", "1.2.3.4.8", "1.2.3.6.1"}
    assert counts() == {"1.2.3.4": 4, "1.2.3.5": 1, "1.2.3.6": 0, "1.2.3.99": 0}


def test_a_note_that_comes_before_its_study_hides_it(hospital: Organization, tmp_path: Path) -> None:
    ingest_file(note(tmp_path / "n.dcm", {"1.2.3.4": ["1.2.3.4.1"]}), hospital, "upload", "")
    ingest_file(slices(tmp_path / "a", 1)[0], hospital, "upload", "")
    assert hidden() == {"1.2.3.99.1", "1.2.3.4.1"}
    assert Study.objects.get().emptied
    ingest_file(save(ct_slice("1.2.3.4.7"), tmp_path / "7"), hospital, "upload", "")
    assert not Study.objects.get().emptied


def test_what_is_sent_again_after_it_was_rejected_is_taken_and_stays_hidden(
    chest: Study, hospital: Organization, tmp_path: Path
) -> None:
    ingest_file(note(tmp_path / "n.dcm", {"1.2.3.4": ["1.2.3.4.2"]}), hospital, "upload", "")
    assert ingest_file(tmp_path / "a" / "0002.dcm", hospital, "upload", "").outcome == "duplicate"
    assert "1.2.3.4.2" in hidden()


def test_a_note_of_another_organization_hides_nothing_here(
    chest: Study, elsewhere: Organization, tmp_path: Path
) -> None:
    ingest_file(note(tmp_path / "n.dcm", {"1.2.3.4": ["1.2.3.4.2"]}), elsewhere, "upload", "")
    assert Instance.objects.get(sop_instance_uid="1.2.3.4.2").rejection == ""


# --- written here


@needs_validator
@pytest.mark.parametrize("code", ["113001", "113037", "113038", "113039"])
def test_rejecting_here_writes_a_valid_note_that_others_understand(chest: Study, tess: User, code: str) -> None:
    act = reject(chest, ["1.2.3.4.2", "1.2.3.4.3"], code, "Moved during the scan.", tess)
    assert hidden() == {"1.2.3.4.2", "1.2.3.4.3", act.after["note"]}
    assert (act.source, act.actor, act.reason) == ("person", tess, "Moved during the scan.")
    path = blob_store().path(Instance.objects.get(sop_instance_uid=act.after["note"]).blob_id)
    assert errors_in(path) == []
    said = pydicom.dcmread(path)
    assert said.ConceptNameCodeSequence[0].CodeValue == code
    evidence = said.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert [one.ReferencedSOPInstanceUID for one in evidence] == ["1.2.3.4.2", "1.2.3.4.3"]


def test_what_was_rejected_is_given_out_again_when_that_is_undone(chest: Study, tess: User) -> None:
    first = reject(chest, ["1.2.3.4.2", "1.2.3.5.1"], SAFETY, "Wrong.", tess)
    reject(chest, ["1.2.3.4.3"], "113001", "Blurred.", tess)
    undo(first, Who(tess, "It was right."))
    assert {"1.2.3.4.2", "1.2.3.5.1"}.isdisjoint(hidden())
    assert "1.2.3.4.3" in hidden()
    assert (counts()["1.2.3.4"], counts()["1.2.3.5"]) == (2, 1)


@pytest.mark.parametrize(
    ("uids", "code", "reason"),
    [([], SAFETY, "x"), (["1.2.3.4.1"], "113000", "x"), (["1.2.3.4.1"], SAFETY, " "), (["9.9"], SAFETY, "x")],
)
def test_a_rejection_that_says_too_little_is_none(
    chest: Study, tess: User, uids: list[str], code: str, reason: str
) -> None:
    with pytest.raises(BadCorrection):
        reject(chest, uids, code, reason, tess)
    assert hidden() == set()


# --- every door


def test_no_door_gives_out_what_was_rejected(
    chest: Study, tess: User, hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    view = {"view": json.dumps({"sop_instance_uid": "1.2.3.4.2", "zoom": "native"})}
    assert alice.get("/api/series/1.2.3.4/frame", view).status_code == 200
    report = save(note_as_report(), tmp_path / "sr.dcm")
    ingest_file(report, hospital, "upload", "")
    reject(chest, ["1.2.3.4.2", "1.2.3.5.1", "1.2.3.7.1"], SAFETY, "Another patient.", tess)
    whole = alice.get("/api/studies/1.2.3/").json()
    assert [(one["series_instance_uid"], one["number_of_instances"]) for one in whole["series"]] == [("1.2.3.4", 2)]
    assert sum(stack["frames"] for one in whole["series"] for stack in one["stacks"]) == 2
    assert alice.get("/api/series/1.2.3.4/frame", view).status_code in (400, 404)
    for gone in ("/api/series/1.2.3.5/frame", "/api/series/1.2.3.5/thumbnail", "/api/instances/1.2.3.7.1/document/"):
        assert alice.get(gone).status_code == 404, gone
    assert alice.get("/api/studies/1.2.3/objects/").json()["objects"] == []
    assert alice.get("/api/studies/").json()["studies"][0]["number_of_instances"] == 2
    marked = {"view": {"series": "1.2.3.4", "sop_instance_uid": "1.2.3.4.2"}}
    answer = alice.post("/api/studies/1.2.3/key-images/", json.dumps(marked), content_type="application/json")
    assert answer.status_code in (400, 404, 422), answer.content


def note_as_report() -> Dataset:
    """A structured report without much in it."""
    said = ct_slice("1.2.3.7.1", series="1.2.3.7", Modality="SR")
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(said, keyword)
    said.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    said.ValueType, said.ConceptNameCodeSequence = "CONTAINER", [coded("126000", "Report")]
    return said


def test_whoever_shows_the_series_is_told_that_something_was_withdrawn(chest: Study, tess: User) -> None:
    reject(chest, ["1.2.3.4.2"], SAFETY, "Another patient.", tess)
    news = Outbox.objects.filter(kind="study.changed").order_by("-id").first()
    assert news is not None
    assert {one["series_instance_uid"]: one.get("withdrawn") for one in news.payload["series"]} == {
        **dict.fromkeys(counts(), None),
        "1.2.3.4": True,
    }


def test_a_study_of_which_all_is_rejected_is_no_longer_listed(chest: Study, tess: User, alice: Client) -> None:
    uids = list(Instance.objects.values_list("sop_instance_uid", flat=True))
    act = reject(chest, uids, "113039", "Kept long enough.", tess)
    assert alice.get("/api/studies/").json()["studies"] == []
    undo(act, Who(tess, "Not yet."))
    assert alice.get("/api/studies/").json()["studies"][0]["number_of_instances"] == 4
