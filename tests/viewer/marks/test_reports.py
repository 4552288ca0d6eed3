"""Measurements as objects of the archive: what is written is valid, whole, and read by others; others' are read here."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from django.test import Client
from django.utils import timezone
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from accounts.models import AuditEvent, Organization, User
from tests.viewer.archive.objects import save
from tests.viewer.marks.drawing import DOOR, LINE, PLAIN, asked, image, made, posted, put, without_place
from tests.viewer.objects.validator import errors_in, needs_validator
from viewer.archive.ingest import Outcome, ingest_file
from viewer.archive.storage import BlobStore, blob_store
from viewer.marks import reports
from viewer.models import Conflict, Instance, Measurement, Study

OBJECT = f"{DOOR}object/"


@pytest.fixture
def stack(store: BlobStore, hospital: Organization, tmp_path: Path) -> None:
    for number in range(1, 6):
        ingest_file(save(image(number), tmp_path / f"{number}.dcm"), hospital, "ingest", "")
    ingest_file(save(without_place(), tmp_path / "plain.dcm"), hospital, "ingest", "")


def written(client: Client) -> tuple[Path, Dataset]:
    answer = client.post(OBJECT)
    assert answer.status_code == 200, answer.content
    row = Instance.objects.get(sop_instance_uid=answer.json()["sop_instance_uid"])
    path = blob_store().path(row.blob_id)
    return path, pydicom.dcmread(path)


def draw_everything(client: Client) -> dict[str, dict[str, Any]]:
    """One of every kind, in the patient and on the picture without a place."""
    coronal = {"plane": "coronal", "center": [12, 26, 15], "size": [100, 100]}
    cross = [*LINE, [10, 20, 5], [12, 18.5, 5]]
    drawn = {
        "length": (LINE, {}),
        "bidirectional": (cross, {"label": "Nodule"}),
        "angle": ([*LINE, [12, 18.5, 5]], {}),
        "cobb": (cross, {}),
        "rectangle": ([[10, 20, 5], [12, 30, 5]], {}),
        "ellipse": ([[10, 20, 5], [12, 30, 5]], {"label": "Äpfel – 肝臓"}),
        "freehand": ([[10, 20, 5], [12, 30, 5], [13, 21, 5]], {}),
        "probe": ([[11, 24, 5]], {}),
        "arrow": (LINE, {"label": "here"}),
        "text": (LINE[:1], {"label": "there"}),
    }
    marks = {kind: made(client, kind, points, **more) for kind, (points, more) in drawn.items()}
    marks["coronal"] = made(client, "ellipse", [[10.2, 26, 20], [12.3, 26, 10]], view=coronal)
    marks["flat"] = made(client, "length", [[1, 1], [4, 5]], **PLAIN)
    marks["flat region"] = made(client, "ellipse", [[1, 1], [4, 5]], **PLAIN)
    marks["calibration"] = made(client, "calibration", [[0, 0], [3, 4]], known=10, **PLAIN)
    return marks


def groups(report: Dataset) -> list[Dataset]:
    measurements = [one for one in report.ContentSequence if one.ConceptNameCodeSequence[0].CodeValue == "126010"]
    return list(measurements[0].get("ContentSequence", []))


def inside(group: Dataset, value: str) -> list[Dataset]:
    return [one for one in group.ContentSequence if one.ConceptNameCodeSequence[0].CodeValue == value]


@needs_validator
@pytest.mark.usefixtures("stack")
def test_a_report_of_every_kind_of_measurement_is_valid(alice: Client) -> None:
    draw_everything(alice)
    path, report = written(alice)
    assert errors_in(path) == []
    assert report.SOPClassUID == pydicom.uid.Comprehensive3DSRStorage


@needs_validator
@pytest.mark.usefixtures("stack")
def test_so_is_one_of_images_without_a_place_alone(alice: Client) -> None:
    made(alice, "length", [[1, 1], [4, 5]], **PLAIN)
    path, report = written(alice)
    assert errors_in(path) == []
    assert report.SOPClassUID == pydicom.uid.ComprehensiveSRStorage


@pytest.mark.usefixtures("stack")
def test_another_program_reads_from_it_what_was_measured(alice: Client) -> None:
    marks = draw_everything(alice)
    path, _ = written(alice)
    content = hd.sr.srread(path).content
    assert isinstance(content, hd.sr.MeasurementReport)
    lines = content.get_image_measurement_groups()
    regions = content.get_planar_roi_measurement_groups()
    found = {group.tracking_uid: group for group in [*lines, *regions]}
    assert set(found) == {mark["uid"] for mark in marks.values()}
    length = found[marks["length"]["uid"]].get_measurements()
    assert [(one.name, one.value, one.unit) for one in length] == [(codes.SCT.Length, 5.0, codes.UCUM.Millimeter)]
    both = {one.name: one.value for one in found[marks["bidirectional"]["uid"]].get_measurements()}
    assert (both[codes.SCT.LongAxis], both[codes.SCT.ShortAxis]) == (5.0, 2.5)
    assert found[marks["bidirectional"]["uid"]].finding_type == codes.SCT.Nodule
    region = found[marks["rectangle"]["uid"]]
    means = [one for one in region.get_measurements() if one.derivation and one.derivation == codes.SCT.Mean]
    assert means[0].name == codes.DCM.AttenuationCoefficient
    assert means[0].value == pytest.approx(marks["rectangle"]["values"]["mean"]["value"])
    assert region.roi.value == pytest.approx(
        np.array([[10, 20, 5], [12, 20, 5], [12, 30, 5], [10, 30, 5], [10, 20, 5]]), abs=1e-6
    )
    assert region.roi.frame_of_reference_uid == "1.2.3.99"


@pytest.mark.usefixtures("stack")
def test_every_line_is_said_in_the_patient_and_on_its_image(alice: Client) -> None:
    made(alice, "length", LINE)
    _, report = written(alice)
    (number,) = inside(groups(report)[0], "410668003")
    there, on_image = [one for one in number.ContentSequence if one.RelationshipType == "INFERRED FROM"]
    assert (there.ValueType, there.ReferencedFrameOfReferenceUID) == ("SCOORD3D", "1.2.3.99")
    assert np.reshape(there.GraphicData, (-1, 3)).tolist() == LINE
    # 0.5 mm between columns, 2 mm between rows; 0, 0 is the corner of the first pixel (PS3.3 C.18.6.1.2).
    assert np.reshape(on_image.GraphicData, (-1, 2)).tolist() == [[0.5, 0.5], [6.5, 2.5]]
    (selected,) = on_image.ContentSequence
    assert selected.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.3.4.1"
    assert "ReferencedFrameNumber" not in selected.ReferencedSOPSequence[0]
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0]
    assert evidence.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.3.4.1"


@pytest.mark.usefixtures("stack")
def test_who_measured_and_by_what_is_in_it(alice: Client) -> None:
    User.objects.filter(username="alice").update(first_name="Alice", last_name="Ärztin")
    made(alice, "calibration", [[0, 0], [3, 4]], known=10, **PLAIN)
    made(alice, "length", [[1, 1], [4, 5]], **PLAIN)
    _, report = written(alice)
    assert report.PatientName == "Doe^Jane"
    for group in groups(report):
        assert [one.PersonName for one in inside(group, "121008")] == ["Ärztin^Alice"]
    (length,) = inside(groups(report)[1], "410668003")
    assert length.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue == "mm"
    assert [one.TextValue for one in length.ContentSequence if one.ValueType == "TEXT"] == [
        "calibrated by Alice Ärztin"
    ]
    devices = [one for one in report.ContentSequence if one.ConceptNameCodeSequence[0].CodeValue == "121013"]
    assert [one.TextValue for one in devices] == ["Farview"]


@pytest.mark.usefixtures("stack")
def test_the_same_state_is_written_once_and_a_later_one_names_the_one_before(alice: Client) -> None:
    mark = made(alice, "length", LINE)
    _, first = written(alice)
    assert written(alice)[1].SOPInstanceUID == first.SOPInstanceUID
    put(alice, mark["uid"], {"version": 1, "label": "again"})
    _, second = written(alice)
    assert (first.SeriesNumber, first.SeriesDescription) == (9001, "Measurements")
    assert second.SeriesInstanceUID == first.SeriesInstanceUID
    assert (first.InstanceNumber, second.InstanceNumber) == (1, 2)
    before = second.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert before.ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert "PredecessorDocumentsSequence" not in first
    assert Instance.objects.filter(series__modality="SR").count() == 2
    assert not Study.objects.get().warnings


@pytest.mark.usefixtures("stack")
def test_a_state_that_comes_back_is_the_newest_report_again(alice: Client) -> None:
    made(alice, "length", LINE)
    _, first = written(alice)
    other = made(alice, "length", LINE)
    _, second = written(alice)
    alice.delete(f"{DOOR}{other['uid']}/")
    assert alice.get(OBJECT).json() == {"sop_instance_uid": second.SOPInstanceUID, "current": False}
    _, third = written(alice)
    assert third.SOPInstanceUID not in (first.SOPInstanceUID, second.SOPInstanceUID)
    assert len(groups(third)) == 1
    assert alice.get(OBJECT).json() == {"sop_instance_uid": third.SOPInstanceUID, "current": True}
    assert written(alice)[1].SOPInstanceUID == third.SOPInstanceUID


@needs_validator
@pytest.mark.usefixtures("stack")
def test_when_all_are_deleted_the_next_report_says_so(alice: Client) -> None:
    assert alice.post(OBJECT).status_code == 422
    mark = made(alice, "length", LINE)
    written(alice)
    alice.delete(f"{DOOR}{mark['uid']}/")
    path, report = written(alice)
    assert (groups(report), errors_in(path)) == ([], [])


@pytest.mark.usefixtures("stack")
def test_it_is_written_by_itself_once_the_measurements_have_come_to_rest(alice: Client) -> None:
    made(alice, "length", LINE)
    _, written_now = reports.write_due("farview")
    assert written_now == []
    Measurement.objects.update(updated_at=timezone.now() - reports.QUIET - timedelta(seconds=1))
    since, written_now = reports.write_due("farview")
    assert (
        list(Instance.objects.filter(series__modality="SR").values_list("sop_instance_uid", flat=True)) == written_now
    )
    assert len(written_now) == 1
    assert reports.write_due("farview", since)[1] == []
    assert AuditEvent.objects.filter(action="study.receive", actor="farview").count() == 1


@pytest.mark.usefixtures("stack")
def test_of_two_who_write_it_at_once_both_have_written_the_same_object(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one was quicker: by itself, on another second."""
    made(alice, "length", LINE)
    file = reports.filed

    def overtaken(dataset: Dataset, study: Study, actor: User | str) -> Outcome:
        monkeypatch.setattr(reports, "filed", file)
        later = timezone.now() + timedelta(seconds=5)
        with monkeypatch.context() as clock:
            clock.setattr(timezone, "now", lambda: later)
            reports.write_report(study, "farview")
        return file(dataset, study, actor)

    monkeypatch.setattr(reports, "filed", overtaken)
    answer = alice.post(OBJECT)
    assert answer.status_code == 200, answer.content
    assert Instance.objects.get(series__modality="SR").sop_instance_uid == answer.json()["sop_instance_uid"]
    assert not Conflict.objects.exists()


@pytest.mark.usefixtures("stack")
def test_only_who_may_see_the_study_has_it_written(alice: Client, bob: Client, charlie: Client, client: Client) -> None:
    made(alice, "length", LINE)
    assert [who.post(OBJECT).status_code for who in (bob, charlie, client)] == [404, 404, 401]
    assert not Instance.objects.filter(series__modality="SR").exists()


@needs_validator
@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("enhanced/EnhMR_BRTUM001_15f.dcm", 3),
        ("cine/US_34f_ybr422_jpeg.dcm", 2),
        ("windows/MR-SIEMENS-overlays_multiVOI.dcm", 1),
    ],
)
def test_a_report_about_a_real_file_is_valid_and_names_the_frame(
    shared_data: Path, store: BlobStore, hospital: Organization, alice: Client, name: str, frame: int
) -> None:
    path = shared_data / name
    ingest_file(path, hospital, "ingest", "")
    original = pydicom.dcmread(path, stop_before_pixels=True)
    door = f"/api/studies/{original.StudyInstanceUID}/measurements/"
    view = {"sop_instance_uid": original.SOPInstanceUID, "frame_number": frame}
    body = {**asked("ellipse", [[2, 3], [12, 18]]), "series": original.SeriesInstanceUID, "view": view}
    answer = posted(alice, body, door)
    assert answer.status_code == 201, answer.content
    row = Instance.objects.get(sop_instance_uid=alice.post(f"{door}object/").json()["sop_instance_uid"])
    stored = blob_store().path(row.blob_id)
    report = pydicom.dcmread(stored)
    (region,) = inside(groups(report)[0], "111030")
    (selected,) = region.ContentSequence
    frames = int(original.get("NumberOfFrames") or 1)
    assert selected.ReferencedSOPSequence[0].get("ReferencedFrameNumber") == (frame if frames > 1 else None)
    assert str(report.PatientName) == str(original.PatientName).rstrip("^")
    own = set(errors_in(stored)) - set(errors_in_patient(path))
    assert own == set()
    assert not Study.objects.get().warnings


def errors_in_patient(path: Path) -> list[str]:
    """What is wrong with the patient and the study as they came, which is given on as it is."""
    lines = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    return [line for line in (lines.stdout + lines.stderr).splitlines() if line.startswith("Error")]
