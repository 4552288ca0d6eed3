"""Structured reports of other programs become measurements here: as they state them, on their images, for nobody to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from django.core.cache import cache
from django.test import Client
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from accounts.models import Organization
from tests.viewer.archive.objects import save
from tests.viewer.marks.drawing import DOOR, LINE, asked, image, listed, made, posted, put, without_place
from viewer.archive.ingest import ingest_file
from viewer.archive.storage import BlobStore, blob_store
from viewer.marks import others
from viewer.models import Instance, Measurement, Outbox
from viewer.objects.content import walk
from viewer.objects.reading_apart import read_apart
from viewer.serving.measurement_objects import MeasurementObjects


@pytest.fixture
def images(store: BlobStore, hospital: Organization, tmp_path: Path) -> list[Dataset]:
    """Five slices 5 mm apart, and a picture without a place."""
    made = [*map(image, range(1, 6)), without_place()]
    for number, one in enumerate(made):
        one.StudyID = one.Manufacturer = ""
        ingest_file(save(one, tmp_path / f"{number}.dcm"), hospital, "ingest", "")
    return made


def put_in(dataset: Dataset, home: Organization, path: Path) -> None:
    dataset.save_as(path, enforce_file_format=True)
    assert ingest_file(path, home, "ingest", "").outcome == "stored"


def report_of(groups: list[Any], images: list[Dataset], *, uid: str = "1.2.3.8.1", before: Any = None) -> Dataset:
    """A report as highdicom writes it."""
    observer = hd.sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(name="Other^Olga"),
    )
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_person_context=observer),
        procedure_reported=hd.sr.CodedConcept("77477000", "SCT", "Computed tomography"),
        imaging_measurements=groups,
    )
    return hd.sr.Comprehensive3DSR(
        evidence=images,
        content=content,
        series_number=7,
        series_instance_uid="1.2.3.8",
        sop_instance_uid=uid,
        instance_number=1,
        manufacturer="Elsewhere",
        is_complete=True,
        previous_versions=[before] if before is not None else None,
    )


def tracked(uid: str, name: str) -> hd.sr.TrackingIdentifier:
    return hd.sr.TrackingIdentifier(uid=uid, identifier=name)


def on(picture: Dataset) -> hd.sr.SourceImageForMeasurement:
    return hd.sr.SourceImageForMeasurement(picture.SOPClassUID, picture.SOPInstanceUID)


def length_on(picture: Dataset, uid: str, points: list[list[float]], millimetres: float) -> Any:
    region = hd.sr.CoordinatesForMeasurement("POLYLINE", np.array(points), source_image=on(picture))
    number = hd.sr.Measurement(codes.SCT.Length, millimetres, codes.UCUM.Millimeter, referenced_coordinates=[region])
    return hd.sr.MeasurementsAndQualitativeEvaluations(
        tracked(uid, "Lesion A"), measurements=[number], finding_type=codes.SCT.Nodule
    )


def test_a_line_of_another_program_is_on_its_image_and_in_the_patient(
    images: list[Dataset], hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    # 0, 0 is the corner of the first pixel: these are the centres of pixels (0, 0) and (6, 2).
    put_in(
        report_of([length_on(images[0], "2.25.1", [[0.5, 0.5], [6.5, 2.5]], 5.04)], images), hospital, tmp_path / "sr"
    )
    (mark,) = listed(alice)
    assert (mark["source"], mark["kind"], mark["label"], mark["author"]) == ("sr", "length", "Lesion A", "Olga Other")
    assert mark["values"] == {"length": {"value": 5.04, "unit": "mm", "source": "from SR by Olga Other"}}
    assert (mark["uid"], mark["sop_instance_uid"], mark["frame_number"]) == ("2.25.1", "1.2.3.4.1", 1)
    assert (mark["space"], mark["frame_of_reference_uid"]) == ("patient", "1.2.3.99")
    assert mark["points"] == [pytest.approx(point) for point in LINE]
    assert "Finding: Nodule" in mark["notes"]
    assert alice.get(DOOR).json()["objects"] == 1


def test_one_on_an_image_without_a_place_stays_in_its_pixels(
    images: list[Dataset], hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    put_in(
        report_of([length_on(images[-1], "2.25.1", [[1.5, 1.5], [4.5, 5.5]], 12)], images), hospital, tmp_path / "sr"
    )
    (mark,) = listed(alice)
    assert (mark["space"], mark["points"]) == ("image", [[1, 1], [4, 5]])
    assert (mark["series_instance_uid"], mark["sop_instance_uid"]) == ("1.2.3.5", "1.2.3.5.1")
    assert mark["values"]["length"]["unit"] == "mm"  # as that program states, and it says who


def test_a_region_in_the_patient_is_found_on_the_slice_it_lies_in(
    images: list[Dataset], hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    corners = np.array([[10, 20, 15], [12, 20, 15], [12, 30, 15], [10, 30, 15], [10, 20, 15]], float)
    region = hd.sr.ImageRegion3D("POLYGON", corners, frame_of_reference_uid="1.2.3.99")
    mean = hd.sr.Measurement(
        codes.DCM.AttenuationCoefficient, -12.5, codes.UCUM.HounsfieldUnit, derivation=codes.SCT.Mean
    )
    group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracked("2.25.2", "liver"), referenced_region=region, measurements=[mean]
    )
    put_in(report_of([group], images), hospital, tmp_path / "sr")
    (mark,) = listed(alice)
    assert (mark["kind"], mark["space"], mark["frame_of_reference_uid"]) == ("freehand", "patient", "1.2.3.99")
    assert mark["points"] == corners[:-1].tolist()
    assert mark["values"] == {"mean": {"value": -12.5, "unit": "HU", "source": "from SR by Olga Other"}}
    assert mark["sop_instance_uid"] == "1.2.3.4.3"


def test_circles_and_single_points_are_read_too(
    images: list[Dataset], hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    groups = []
    for number, (graphic, points) in enumerate({"CIRCLE": [[3.5, 3.5], [3.5, 5.5]], "POINT": [[2.5, 2.5]]}.items()):
        region = hd.sr.ImageRegion(
            graphic,
            np.array(points),
            source_image=hd.sr.SourceImageForRegion(images[-1].SOPClassUID, images[-1].SOPInstanceUID),
        )
        value = hd.sr.Measurement(codes.SCT.Area, 12.0, codes.UCUM.SquareMillimeter)
        groups.append(
            hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
                tracked(f"2.25.{number + 3}", "spot"), referenced_region=region, measurements=[value]
            )
        )
    put_in(report_of(groups, images), hospital, tmp_path / "sr")
    circle, point = listed(alice)
    assert (circle["kind"], circle["points"]) == ("ellipse", [[1, 3], [5, 3], [3, 1], [3, 5]])
    assert circle["values"]["area"]["unit"] == "mm²"
    assert (point["kind"], point["points"]) == ("probe", [[2, 2]])


def test_nobody_changes_what_another_program_wrote(
    images: list[Dataset], hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    put_in(report_of([length_on(images[0], "2.25.1", [[0.5, 0.5], [6.5, 2.5]], 5)], images), hospital, tmp_path / "sr")
    (mark,) = listed(alice)
    refused = [put(alice, "2.25.1", {"version": 1, "label": "mine"}), alice.delete(f"{DOOR}2.25.1/")]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "read_only")] * 2
    assert listed(alice) == [mark]


def test_a_report_is_read_once_and_a_later_version_takes_its_place(
    images: list[Dataset], hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    ends = [[0.5, 0.5], [6.5, 2.5]]
    first = report_of([length_on(images[0], "2.25.1", ends, 5), length_on(images[0], "2.25.2", ends, 6)], images)
    put_in(first, hospital, tmp_path / "first")
    assert [mark["values"]["length"]["value"] for mark in listed(alice)] == [5, 6]
    assert [mark["version"] for mark in listed(alice)] == [1, 1]
    second = report_of([length_on(images[0], "2.25.1", ends, 7)], images, uid="1.2.3.8.2", before=first)
    put_in(second, hospital, tmp_path / "second")
    (mark,) = listed(alice)
    assert (mark["uid"], mark["version"], mark["values"]["length"]["value"]) == ("2.25.1", 2, 7)
    assert mark["source_sop_instance_uid"] == "1.2.3.8.2"
    assert listed(alice) == [mark]


def test_what_was_drawn_here_is_not_doubled_when_it_comes_back(
    images: list[Dataset],
    hospital: Organization,
    elsewhere: Organization,
    alice: Client,
    charlie: Client,
    tmp_path: Path,
) -> None:
    marks = [made(alice, "length", LINE, label="Nodule"), made(alice, "ellipse", [[10, 20, 5], [12, 30, 5]])]
    own = Instance.objects.get(sop_instance_uid=alice.post(f"{DOOR}object/").json()["sop_instance_uid"])
    assert listed(alice) == marks
    came_back = pydicom.dcmread(blob_store().path(own.blob_id))
    came_back.SeriesInstanceUID, came_back.SOPInstanceUID = "1.2.3.77", "1.2.3.77.1"
    came_back.file_meta.MediaStorageSOPInstanceUID = "1.2.3.77.1"
    put_in(came_back, hospital, tmp_path / "back")
    assert listed(alice) == marks
    # In another archive the very same report is another's.
    for number, one in enumerate(images):
        ingest_file(save(one, tmp_path / f"there-{number}.dcm"), elsewhere, "ingest", "")
    put_in(came_back, elsewhere, tmp_path / "there")
    there = {mark["kind"]: mark for mark in listed(charlie)}
    assert {mark["source"] for mark in there.values()} == {"sr"}
    assert there["length"]["points"] == LINE
    assert there["length"]["values"]["length"] == {"value": 5.0, "unit": "mm", "source": "from SR by alice"}
    ellipse = there["ellipse"]["points"]
    assert [ellipse[0], ellipse[1]] == [[11, 20, 5], [11, 30, 5]]
    for name in ("area", "mean", "sd", "min", "max"):
        assert there["ellipse"]["values"][name]["value"] == pytest.approx(marks[1]["values"][name]["value"])
        assert there["ellipse"]["values"][name]["unit"] == marks[1]["values"][name]["unit"]


def test_what_another_program_measured_in_an_earlier_study_can_be_carried_on(
    images: list[Dataset], hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    later = image(SOPInstanceUID="1.9.1.1", SeriesInstanceUID="1.9.1", StudyInstanceUID="1.9", StudyDate="20250101")
    ingest_file(save(later, tmp_path / "later.dcm"), hospital, "ingest", "")
    put_in(report_of([length_on(images[0], "2.25.1", [[0.5, 0.5], [6.5, 2.5]], 4)], images), hospital, tmp_path / "sr")
    door = "/api/studies/1.9/measurements/"
    (prior,) = alice.get(f"{door}?with_priors=1").json()["priors"]
    assert [mark["uid"] for mark in prior["measurements"]] == ["2.25.1"]
    body = asked("length", LINE, series="1.9.1", view={"sop_instance_uid": "1.9.1.1"}, follows="2.25.1")
    mark = posted(alice, body, door).json()
    assert mark["previous"]["change"]["length"] == {
        "absolute": pytest.approx(1),
        "percent": pytest.approx(25),
        "unit": "mm",
    }


def test_a_real_report_about_segments_is_read(
    shared_data: Path, store: BlobStore, hospital: Organization, alice: Client
) -> None:
    path = shared_data / "derived" / "tid1500_sr.dcm"
    ingest_file(path, hospital, "ingest", "")
    uid = pydicom.dcmread(path).StudyInstanceUID
    (mark,) = listed(alice, f"/api/studies/{uid}/measurements/")
    assert (mark["kind"], mark["points"], mark["label"], mark["author"]) == ("segment", [], "primary tumor", "User2")
    assert mark["uid"] == "2.25.318774060119084600392715520575818119084"
    stated = {name: (found["value"], found["unit"]) for name, found in mark["values"].items()}
    assert stated["suv_mean"] == (6.01529, "g/ml")
    assert stated["suv_max"] == (10.3814, "g/ml")
    assert stated["suv_sd"] == (1.62653, "g/ml")
    assert stated["volume"] == (33.5824, "ml")
    assert "Finding: Neoplasm, Primary" in mark["notes"]
    assert "measured on segment 1 of a segmentation" in mark["notes"]
    assert Instance.objects.count() == 1


@pytest.fixture
def large(images: list[Dataset], hospital: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A report that is not read while somebody waits."""
    cache.clear()
    monkeypatch.setattr(others, "SMALL", 100)
    report = report_of([length_on(images[0], "2.25.1", [[0.5, 0.5], [6.5, 2.5]], 5)], images)
    put_in(report, hospital, tmp_path / "large")
    return report


@pytest.mark.django_db(transaction=True)
def test_a_large_report_is_read_by_the_server_in_its_own_time_and_in_a_process_of_its_own(
    large: Dataset, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(others, "read", lambda path: pytest.fail("nobody waits for it"))
    answer = alice.get(DOOR).json()
    assert answer["measurements"] == []
    assert answer["not_read"] == [{"sop_instance_uid": large.SOPInstanceUID, "reason": "it is being read"}]
    others.read_new(None)
    answer = alice.get(DOOR).json()
    assert ([mark["uid"] for mark in answer["measurements"]], answer["not_read"]) == (["2.25.1"], [])
    assert answer["measurements"][0]["values"]["length"]["value"] == 5


def test_a_report_that_is_too_large_says_so(large: Dataset, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(others, "LARGEST", 1 << 10)
    answer = alice.get(DOOR).json()
    assert [one["reason"] for one in answer["not_read"]] == ["it is larger than 0 MiB"]
    assert alice.get(DOOR).json()["not_read"] == answer["not_read"], "and it is not tried again each time"


def test_a_report_that_takes_too_long_is_given_up(
    large: Dataset, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(others, "read_apart", lambda path: read_apart(path, seconds=0.01))
    alice.get(DOOR)
    others.read_new(None)
    assert [one["reason"] for one in alice.get(DOOR).json()["not_read"]] == ["reading it takes longer than 0.01 s"]


def test_a_broken_report_hides_nothing(
    images: list[Dataset], hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    sound = length_on(images[0], "2.25.2", [[0.5, 0.5], [6.5, 2.5]], 6)
    report = report_of([length_on(images[0], "2.25.1", [[0.5, 0.5], [6.5, 2.5]], 5), sound], images)
    measurements = report.ContentSequence[-1].ContentSequence
    number = next(one for one in measurements[0].ContentSequence if one.ValueType == "NUM")
    del number.MeasuredValueSequence[0].NumericValue
    number.MeasuredValueSequence[0].FloatingPointValue = float("nan")
    del number.ContentSequence
    put_in(report, hospital, tmp_path / "broken")
    assert [mark["uid"] for mark in listed(alice)] == ["2.25.2"]


def test_a_report_after_one_without_a_name_leaves_what_readers_drew(
    images: list[Dataset], hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    drawn = made(alice, "length", LINE)
    first = report_of([length_on(images[0], "2.25.1", [[0.5, 0.5], [6.5, 2.5]], 5)], images)
    report = report_of(
        [length_on(images[0], "2.25.2", [[0.5, 0.5], [6.5, 2.5]], 5)], images, uid="1.2.3.8.2", before=first
    )
    before = report.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    before.ReferencedSOPInstanceUID = ""
    put_in(report, hospital, tmp_path / "nameless")
    assert [mark["uid"] for mark in listed(alice)] == [drawn["uid"], "2.25.2"]


def test_a_frame_that_no_image_has_is_the_first(
    images: list[Dataset], hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    report = report_of([length_on(images[0], "2.25.1", [[0.5, 0.5], [6.5, 2.5]], 5)], images)
    for one in walk(report):
        if one.ValueType == "IMAGE":
            one.ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "1.2.3.666"
            one.ReferencedSOPSequence[0].ReferencedFrameNumber = -3
    put_in(report, hospital, tmp_path / "negative")
    (mark,) = listed(alice)
    assert (mark["sop_instance_uid"], mark["frame_number"]) == ("1.2.3.666", 1)
    assert "the image that it refers to is not here" in mark["notes"]


@pytest.mark.django_db(transaction=True)
async def test_a_report_that_comes_while_the_server_runs_is_read_and_told(
    images: list[Dataset], hospital: Organization, tmp_path: Path
) -> None:
    from asgiref.sync import sync_to_async

    task = MeasurementObjects()
    await task.look()
    report = report_of([length_on(images[0], "2.25.1", [[0.5, 0.5], [6.5, 2.5]], 5)], images)
    await sync_to_async(put_in)(report, hospital, tmp_path / "sr")
    await task.look()
    assert await sync_to_async(Measurement.objects.filter(uid="2.25.1").count)() == 1
    assert await sync_to_async(Outbox.objects.filter(kind="measurements.changed").count)() == 1
