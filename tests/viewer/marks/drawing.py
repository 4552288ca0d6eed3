"""What tests of measurements share: images with known values, and a hand that draws on them over REST."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Organization
from tests.viewer.archive.objects import ct_slice, save
from viewer.archive.ingest import ingest_file
from viewer.archive.storage import BlobStore

DOOR = "/api/studies/1.2.3/measurements/"
VALUES = np.arange(-32, 32, dtype="<i2").reshape(8, 8) * 10
"""HU at (row, column): 10 * (8 * row + column - 32)."""


def image(number: int = 1, **changed: Any) -> Any:
    """A slice of 8 x 8 with 0.5 mm between columns and 2 mm between rows, `number` x 5 mm up."""
    said: dict[str, Any] = {
        "Rows": 8,
        "Columns": 8,
        "PixelData": VALUES.tobytes(),
        "PixelSpacing": [2, 0.5],
        "ImagePositionPatient": [10, 20, 5 * number],
        "FrameOfReferenceUID": "1.2.3.99",
        "InstanceNumber": number,
    }
    return ct_slice(f"1.2.3.4.{number}", **{**said, **changed})


def without_place(**changed: Any) -> Any:
    """A picture of which nobody knows where it lies or how large it is."""
    made = image(**{"SOPInstanceUID": "1.2.3.5.1", "SeriesInstanceUID": "1.2.3.5", **changed})
    for keyword in ("PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID"):
        del made[keyword]
    made.Modality = "CR"
    return made


@pytest.fixture
def stack(store: BlobStore, hospital: Organization, tmp_path: Path) -> None:
    for number in range(1, 6):
        ingest_file(save(image(number), tmp_path / f"{number}.dcm"), hospital, "ingest", "")


@pytest.fixture
def plain(store: BlobStore, hospital: Organization, tmp_path: Path) -> None:
    ingest_file(save(without_place(), tmp_path / "plain.dcm"), hospital, "ingest", "")


def asked(kind: str, points: list[list[float]], **more: Any) -> dict[str, Any]:
    view = {"plane": "acquired", "sop_instance_uid": "1.2.3.4.1", "frame_number": 1}
    space = "patient" if len(points[0]) == 3 else "image"
    return {"kind": kind, "points": points, "space": space, "series": "1.2.3.4", "view": view, **more}


PLAIN = {"series": "1.2.3.5", "view": {"sop_instance_uid": "1.2.3.5.1"}}
"""On the picture without a place."""


def posted(client: Client, body: dict[str, Any], door: str = DOOR) -> HttpResponse:
    return client.post(door, body, content_type="application/json")


def put(client: Client, uid: str, body: dict[str, Any]) -> HttpResponse:
    return client.put(f"{DOOR}{uid}/", body, content_type="application/json")


def listed(client: Client, door: str = DOOR) -> list[dict[str, Any]]:
    return list(client.get(door).json()["measurements"])


def made(client: Client, *given: Any, **more: Any) -> dict[str, Any]:
    answer = posted(client, asked(*given, **more))
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


LINE = [[10.0, 20.0, 5.0], [13.0, 24.0, 5.0]]


@pytest.fixture
def prior(stack: None, hospital: Organization, tmp_path: Path) -> str:
    """The door of an earlier study of the same patient."""
    earlier = image(SOPInstanceUID="1.1.1.1", SeriesInstanceUID="1.1.1", StudyInstanceUID="1.1", StudyDate="20230131")
    ingest_file(save(earlier, tmp_path / "prior.dcm"), hospital, "ingest", "")
    return "/api/studies/1.1/measurements/"


def in_prior(client: Client, door: str, kind: str, points: list[list[float]], **more: Any) -> dict[str, Any]:
    body = asked(kind, points, series="1.1.1", view={"sop_instance_uid": "1.1.1.1"}, **more)
    answer = posted(client, body, door)
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


CROSS = [[10, 20, 5], [14, 20, 5], [12, 20, 5], [12, 22, 5]]
