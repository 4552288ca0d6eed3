"""Whom objects written here are about, where the files of a study disagree on the patient."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pydicom
import pytest
from django.test import Client

from accounts.models import Organization
from tests.viewer.archive.objects import save
from tests.viewer.marks.drawing import DOOR, LINE, image, made
from viewer.archive.ingest import ingest_file
from viewer.archive.storage import BlobStore, blob_store
from viewer.models import Instance

KEY_IMAGES = "/api/studies/1.2.3/key-images/"


def taken(hospital: Organization, folder: Path, number: int, **said: Any) -> None:
    ingest_file(save(image(number, **said), folder / f"{number}.dcm"), hospital, "ingest", "")


@pytest.fixture
def mixed(store: BlobStore, hospital: Organization, tmp_path: Path) -> None:
    """Two slices of Roe, one of Doe among them."""
    for number, name in ((1, "Roe^Jane"), (2, "Doe^John"), (3, "ROE^JANE^^^")):
        taken(hospital, tmp_path, number, PatientName=name)


def on(number: int) -> dict[str, Any]:
    points = [[x, y, 5.0 * number] for x, y, _ in LINE]
    return {"points": points, "view": {"sop_instance_uid": f"1.2.3.4.{number}", "frame_number": 1}}


def stored(modality: str) -> list[pydicom.Dataset]:
    rows = Instance.objects.filter(series__modality=modality)
    return [pydicom.dcmread(blob_store().path(row.blob_id)) for row in rows]


@pytest.mark.usefixtures("mixed")
def test_a_report_is_of_the_patient_whom_the_study_states(alice: Client) -> None:
    for number in (1, 3):
        made(alice, "length", on(number)["points"], view=on(number)["view"])
    assert alice.post(f"{DOOR}object/").status_code == 200
    assert [str(d.PatientName) for d in stored("SR")] == ["Roe^Jane"]


@pytest.mark.usefixtures("mixed")
def test_a_report_about_an_image_of_somebody_else_is_not_written_and_says_why(alice: Client) -> None:
    made(alice, "length", on(2)["points"], view=on(2)["view"])
    refused = alice.post(f"{DOOR}object/")
    assert (refused.status_code, refused.json()["code"]) == (422, "not_written")
    assert refused.json()["detail"] == (
        'image 1.2.3.4.2 names another patient than the study: patient\'s name "Doe^John" instead of "Roe^Jane"'
    )
    assert stored("SR") == []


@pytest.mark.usefixtures("mixed")
def test_a_report_about_a_plane_through_images_of_two_people_is_not_written(alice: Client) -> None:
    made(alice, "length", [[10, 26, 6], [12, 26, 14]], view={"plane": "coronal", "center": [12, 26, 10]})
    assert alice.post(f"{DOOR}object/").status_code == 422


@pytest.mark.usefixtures("mixed")
def test_a_key_image_of_somebody_else_is_left_out_and_says_why(alice: Client) -> None:
    uids = []
    for number in (1, 2):
        body = json.dumps({"series": "1.2.3.4", "view": on(number)["view"]})
        uids.append(alice.post(KEY_IMAGES, body, content_type="application/json").json()["uid"])
    answer = alice.post(f"{KEY_IMAGES}object/", "{}", content_type="application/json").json()
    assert list(answer["left_out"]) == uids[1:]
    assert "Doe^John" in answer["left_out"][uids[1]]
    assert [str(d.PatientName) for d in stored("PR") + stored("KO")] == ["Roe^Jane"] * 2
    (selection,) = stored("KO")
    assert "1.2.3.4.2" not in selection.to_json()


def test_what_the_oldest_file_leaves_out_is_taken_from_what_the_study_states(
    store: BlobStore, hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    taken(hospital, tmp_path, 1, PatientName="", PatientSex="", PatientBirthDate="")
    taken(hospital, tmp_path, 2, PatientName="Roe^Jane", PatientSex="F", PatientBirthDate="19700102")
    made(alice, "length", on(1)["points"], view=on(1)["view"])
    alice.post(f"{DOOR}object/")
    (report,) = stored("SR")
    assert (str(report.PatientName), report.PatientSex, report.PatientBirthDate) == ("Roe^Jane", "F", "19700102")
