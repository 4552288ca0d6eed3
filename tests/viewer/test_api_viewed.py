"""Which mammograms a reader has seen at full size: joined, kept for each reader, for nobody else to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Organization, Role
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.conftest import person, signed_in
from viewer.archive.ingest import ingest_file
from viewer.models import ViewedImage
from viewer.rendering.coverage import MOST, joined, share

pytestmark = pytest.mark.usefixtures("store")

DOOR = "/api/studies/1.2.3/viewed/"
ROWS, COLUMNS = 40, 30


@pytest.fixture
def breasts(hospital: Organization, tmp_path: Path) -> None:
    """Two mammograms, and a slice that is none."""
    size = {"Rows": ROWS, "Columns": COLUMNS, "PixelData": np.zeros((ROWS, COLUMNS), "<i2").tobytes()}
    for number in (1, 2):
        made = ct_slice(f"1.2.3.5.{number}", "1.2.3", f"1.2.3.5{number}", Modality="MG", SeriesNumber=number, **size)
        ingest_file(save(made, tmp_path / f"mg{number}"), hospital, "ingest", "")
    ingest_file(save(ct_slice(), tmp_path / "ct"), hospital, "ingest", "")


def seen(client: Client, number: int, *areas: list[int], **changed: Any) -> HttpResponse:
    one = {"sop_instance_uid": f"1.2.3.5.{number}", "frame_number": 1, "areas": list(areas), **changed}
    return client.put(DOOR, {"images": [one]}, content_type="application/json")


@pytest.mark.usefixtures("breasts")
def test_nothing_was_seen_of_what_nobody_looked_at_and_only_mammograms_count(alice: Client) -> None:
    answer = alice.get(DOOR).json()
    assert [one["sop_instance_uid"] for one in answer["images"]] == ["1.2.3.5.1", "1.2.3.5.2"]
    assert {(one["rows"], one["columns"], one["covered"], one["viewed"]) for one in answer["images"]} == {
        (ROWS, COLUMNS, 0.0, False)
    }
    assert (answer["viewed"], answer["complete"]) == (0, False)


@pytest.mark.usefixtures("breasts")
def test_parts_add_up_until_all_was_seen(alice: Client) -> None:
    first = seen(alice, 1, [0, 0, 20, 30]).json()["images"][0]
    assert (first["covered"], first["viewed"]) == (0.5, False)
    again = seen(alice, 1, [0, 0, 20, 30], [5, 5, 10, 10]).json()["images"][0]
    assert again["covered"] == 0.5
    almost = seen(alice, 1, [20, 0, 40, 29]).json()["images"][0]
    assert (almost["viewed"], almost["covered"] < 1) == (False, True)
    answer = seen(alice, 1, [10, 10, 40, 30]).json()
    assert answer["images"][0] | {"areas": [[0, 0, 40, 30]], "covered": 1.0, "viewed": True} == answer["images"][0]
    assert (answer["viewed"], answer["complete"]) == (1, False)
    assert seen(alice, 2, [-5, -5, 99, 99]).json()["complete"] is True, "what lies beside the image is cut off"
    assert alice.get(DOOR).json()["viewed"] == 2


@pytest.mark.usefixtures("breasts")
def test_each_reader_has_seen_what_they_have_seen(alice: Client, hospital: Organization) -> None:
    seen(alice, 1, [0, 0, 40, 30])
    dora = signed_in(person("dora", hospital, Role.RADIOLOGIST))
    assert dora.get(DOOR).json()["viewed"] == 0


@pytest.mark.usefixtures("breasts")
def test_what_is_no_mammogram_of_the_study_is_left_out(alice: Client) -> None:
    for changed in (
        {"sop_instance_uid": "1.2.3.4.1"},
        {"sop_instance_uid": "9.9"},
        {"frame_number": 2},
    ):
        assert seen(alice, 1, [0, 0, 40, 30], **changed).status_code == 200
    assert not ViewedImage.objects.exists()


@pytest.mark.usefixtures("breasts")
@pytest.mark.parametrize(
    "changed",
    [
        {"areas": [[0, 0, 1]]},
        {"areas": "all"},
        {"areas": [[0, 0, 1, "x"]]},
        {"areas": [[0, 0, 1, 1]] * (MOST + 1)},
        {"frame_number": 0},
        {"sop_instance_uid": None},
    ],
)
def test_what_is_no_area_is_refused(alice: Client, changed: dict[str, Any]) -> None:
    assert seen(alice, 1, **changed).status_code == 400
    assert not ViewedImage.objects.exists()


@pytest.mark.usefixtures("breasts")
def test_it_is_as_if_it_did_not_exist_for_others(bob: Client, charlie: Client, client: Client) -> None:
    for who, status in ((bob, 404), (charlie, 404), (client, 401)):
        assert who.get(DOOR).status_code == status
        assert seen(who, 1, [0, 0, 40, 30]).status_code == status


def test_joining_keeps_every_pixel_once_whatever_the_order() -> None:
    random = np.random.default_rng(3)
    for _ in range(60):
        areas = []
        for _ in range(int(random.integers(1, 12))):
            top, left = (int(one) for one in random.integers(-4, 30, 2))
            areas.append((top, left, top + int(random.integers(0, 20)), left + int(random.integers(0, 20))))
        judged = np.zeros((25, 22), int)
        for top, left, bottom, right in areas:
            judged[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 1
        found = joined(areas, 25, 22)
        held = np.zeros_like(judged)
        for top, left, bottom, right in found:
            held[top:bottom, left:right] += 1
        assert np.array_equal(held, judged)
        assert joined(areas[::-1], 25, 22) == found
        assert share(found, 25, 22) == pytest.approx(judged.mean())
