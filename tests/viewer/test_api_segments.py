"""Segmentations over REST: the legend, and pictures with segments over them, only for those who may see the study."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pydicom
import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import AuditEvent, Organization
from tests.viewer.archive.objects import ct_slice, save
from viewer.archive.ingest import ingest_file

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def liver(hospital: Organization, elsewhere: Organization, shared_data: Path) -> dict[str, str]:
    """The hospital has three slices and the segmentation; elsewhere has the slices alone. `ct`, `seg`: UIDs."""
    derived = shared_data / "derived"
    for path in sorted(derived.glob("ct3slice_0*.dcm")):
        ingest_file(path, hospital, "test", "")
        ingest_file(path, elsewhere, "test", "")
    ingest_file(derived / "seg_liver.dcm", hospital, "test", "")
    scan = pydicom.dcmread(derived / "ct3slice_01.dcm", stop_before_pixels=True)
    seg = pydicom.dcmread(derived / "seg_liver.dcm", stop_before_pixels=True)
    return {"ct": scan.SeriesInstanceUID, "seg": seg.SOPInstanceUID}


def legend(client: Client, uid: str) -> HttpResponse:
    return client.get(f"/api/instances/{uid}/segments/")


def asked(client: Client, series: str, seg: str, **more: Any) -> HttpResponse:
    view = {"size": [128, 128], "segmentations": [{"sop_instance_uid": seg, "opacity": 1}], **more}
    return client.get(f"/api/series/{series}/frame", {"view": json.dumps(view)})


def test_the_legend_names_the_segments_and_the_series_they_belong_to(liver: dict[str, str], alice: Client) -> None:
    answer = legend(alice, liver["seg"]).json()
    assert answer["kind"] == "seg"
    assert answer["title"] == "Liver Segmentation"
    assert answer["series"] == [liver["ct"]]
    assert answer["reason"] is None
    (row,) = answer["segments"]
    assert (row["number"], row["label"], row["category"], row["type"]) == (1, "Liver", "Tissue", "Liver")
    assert row["color"] == "#d98265"
    assert row["reason"] is None


def test_the_legend_of_a_structure_set_has_the_colours_of_its_regions(
    hospital: Organization, alice: Client, shared_data: Path
) -> None:
    path = shared_data / "derived" / "rtstruct_lctsc.dcm"
    ingest_file(path, hospital, "test", "")
    answer = legend(alice, pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID).json()
    assert answer["kind"] == "rtstruct"
    assert {row["label"]: row["color"] for row in answer["segments"]} == {
        "SpinalCord": "#f2ca30",
        "Lung_R": "#a020f0",
        "Lung_L": "#a020f0",
        "Heart": "#b3ffb2",
        "Esophagus": "#daa520",
    }
    assert answer["reason"] == "the images that it was made on are not in this study"
    ingest_file(shared_data / "derived" / "rtstruct_lctsc_ct.dcm", hospital, "test", "")
    assert legend(alice, answer["sop_instance_uid"]).json()["reason"] is None


def test_a_segment_says_where_it_is_largest(liver: dict[str, str], alice: Client, shared_data: Path) -> None:
    seg = pydicom.dcmread(shared_data / "derived" / "seg_liver.dcm")
    masks = seg.pixel_array
    most = int(np.argmax(masks.reshape(len(masks), -1).sum(axis=1)))
    shared = seg.SharedFunctionalGroupsSequence[0]
    orientation = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    down, across = (float(one) for one in shared.PixelMeasuresSequence[0].PixelSpacing)
    corner = np.array(seg.PerFrameFunctionalGroupsSequence[most].PlanePositionSequence[0].ImagePositionPatient, float)
    rows, columns = np.nonzero(masks[most])
    middle = corner + orientation[:3] * across * columns.mean() + orientation[3:] * down * rows.mean()
    (row,) = legend(alice, liver["seg"]).json()["segments"]
    normal = np.cross(orientation[:3], orientation[3:])
    away = np.array(row["largest"]["center"]) - middle
    assert abs(away @ normal) < 0.5, "on that plane, or within its half"
    assert np.linalg.norm(away - (away @ normal) * normal) < 1e-3


def test_a_region_says_where_it_is_largest(hospital: Organization, alice: Client, shared_data: Path) -> None:
    path = shared_data / "derived" / "rtstruct_lctsc.dcm"
    ingest_file(path, hospital, "test", "")
    d = pydicom.dcmread(path)
    answer = legend(alice, d.SOPInstanceUID).json()
    rows = {row["number"]: row["largest"]["center"] for row in answer["segments"]}
    for region in d.ROIContourSequence:
        areas: dict[float, float] = {}
        for contour in region.ContourSequence:
            x, y, z = np.array(contour.ContourData, float).reshape(-1, 3).T
            area = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
            areas[round(z[0], 2)] = areas.get(round(z[0], 2), 0.0) + area
        assert len(areas) > 1
        center = rows[region.ReferencedROINumber]
        assert areas[min(areas, key=lambda z: abs(z - center[2]))] == pytest.approx(max(areas.values()), rel=0.02)


def test_a_broken_segmentation_has_a_legend_that_says_so(hospital: Organization, alice: Client, tmp_path: Path) -> None:
    broken = ct_slice("1.2.3.9", SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4", Modality="SEG", SegmentationType="BINARY")
    ingest_file(save(broken, tmp_path / "broken.dcm"), hospital, "test", "")
    answer = legend(alice, "1.2.3.9")
    assert answer.status_code == 200
    assert "names no segments" in answer.json()["reason"]
    assert answer.json()["segments"] == []


def test_bob_and_charlie_get_no_legend_and_an_image_has_none(
    liver: dict[str, str], alice: Client, bob: Client, charlie: Client, shared_data: Path
) -> None:
    image = pydicom.dcmread(shared_data / "derived" / "ct3slice_01.dcm", stop_before_pixels=True).SOPInstanceUID
    answers = [legend(bob, liver["seg"]), legend(charlie, liver["seg"]), legend(alice, image), legend(alice, "1.2.3")]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert legend(Client(), liver["seg"]).status_code == 401
    denied = AuditEvent.objects.filter(action="study.view", actor="charlie", outcome="denied")
    assert liver["seg"] in denied.values_list("object_uid", flat=True)


def test_segments_are_drawn_over_a_picture_for_whoever_may_see_both(
    liver: dict[str, str], alice: Client, charlie: Client, bob: Client
) -> None:
    answer = asked(alice, liver["ct"], liver["seg"])
    assert answer.status_code == 200, answer.content
    pixels = np.asarray(PIL.Image.open(io.BytesIO(answer.content)))
    assert pixels.shape == (128, 128, 3)
    assert (pixels == (0xD9, 0x82, 0x65)).all(axis=2).sum() > 1000
    said = json.loads(answer["Farview-View"])["segmentations"]
    assert said == [{"sop_instance_uid": liver["seg"], "segments": "all", "opacity": 1.0}]
    again = asked(alice, liver["ct"], liver["seg"], segmentations=said)
    assert again.content == answer.content
    assert asked(bob, liver["ct"], liver["seg"]).status_code == 404
    refused = [asked(charlie, liver["ct"], uid) for uid in (liver["seg"], "1.2.3.99")]
    assert [one.status_code for one in refused] == [400, 400]
    assert refused[0].content == refused[1].content


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"segmentations": [{"segments": [1]}]}, "sop_instance_uid"),
        ({"segmentations": "all"}, "a list"),
        ({"segmentations": [{"sop_instance_uid": "1.2", "segments": [-1]}]}, "0 to"),
        ({"segmentations": [{"sop_instance_uid": "1.2", "opacity": 2}]}, "opacity"),
        ({"segmentations": [{"sop_instance_uid": "1.2", "color": "red"}]}, "no such field"),
        ({"segmentations": [{"sop_instance_uid": "1.2"}] * 17}, "16"),
        ({"plane": "axial", "projection": "mip", "slab_thickness": 3}, "not on projections"),
    ],
)
def test_what_cannot_be_drawn_is_answered_with_the_field(
    liver: dict[str, str], alice: Client, wrong: dict[str, Any], why: str
) -> None:
    answer = asked(alice, liver["ct"], liver["seg"], **wrong)
    assert answer.status_code == 400
    assert "segmentations" in answer.json()["detail"]
    assert why in answer.json()["detail"]


def test_numbers_of_segments_that_are_not_there_are_refused(liver: dict[str, str], alice: Client) -> None:
    wrong = [{"sop_instance_uid": liver["seg"], "segments": [2]}]
    assert "no segment 2" in asked(alice, liver["ct"], liver["seg"], segmentations=wrong).json()["detail"]
