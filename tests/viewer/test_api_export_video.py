"""A stack as a video: every frame in it, at its rate, for whom it may be."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import cv2
import imagecodecs
import numpy as np
import pytest
from django.test import Client

from accounts.models import AuditEvent, Organization
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.dicomweb.asking import ask, stored
from viewer.api import export_video
from viewer.rendering.view import View

pytestmark = pytest.mark.usefixtures("store")

DOOR = "/api/series/1.2.3.4/video.mp4"
SIDE = 64


@pytest.fixture
def own_tmp(tmp_path: Path, settings: Any) -> Path:
    settings.FARVIEW_TMP_DIR = tmp_path / "being made"
    settings.FARVIEW_TMP_DIR.mkdir()
    return Path(settings.FARVIEW_TMP_DIR)


@pytest.fixture
def stack(hospital: Organization, tmp_path: Path) -> None:
    """Five slices, each brighter than the one before."""
    for number in range(1, 6):
        image = ct_slice(
            f"1.2.3.4.{number}", InstanceNumber=number, ImagePositionPatient=[0, 0, number], Rows=SIDE, Columns=SIDE
        )
        image.PixelData = np.full((SIDE, SIDE), number * 40, "<i2").tobytes()
        stored(save(image, tmp_path / f"{number}.dcm"), hospital)


def view(**fields: object) -> str:
    return "?view=" + quote(json.dumps({"window_center": 120, "window_width": 240, **fields}))


def frames_of(body: bytes, folder: Path) -> tuple[list[float], float]:
    """The mean of each picture, and how many there are a second."""
    (folder / "made.mp4").write_bytes(body)
    video, found = cv2.VideoCapture(str(folder / "made.mp4")), []
    while (read := video.read())[0]:
        found.append(float(read[1].mean()))
    return found, float(video.get(cv2.CAP_PROP_FPS))


def test_a_stack_is_a_video_of_all_its_images_from_head_to_foot(
    alice: Client, stack: None, own_tmp: Path, tmp_path: Path
) -> None:
    answer = ask(alice, DOOR + view() + "&purpose=teaching")
    assert answer.status == 200
    assert answer.type == "video/mp4"
    assert len(answer.body) == int(answer.response["Content-Length"])
    found, rate = frames_of(answer.body, tmp_path)
    assert rate == 10
    assert found == pytest.approx([40 * 255 / 240 * number for number in (5, 4, 3, 2, 1)], abs=6)
    (event,) = AuditEvent.objects.filter(action="export.video")
    assert (event.actor, event.purpose, event.detail["frames"]) == ("alice", "teaching", 5)
    assert list(own_tmp.iterdir()) == []


def test_how_far_it_is_comes_before_it_where_that_is_asked_for(
    alice: Client, stack: None, own_tmp: Path, tmp_path: Path
) -> None:
    answer = ask(alice, DOOR + view() + "&progress=yes")
    assert (answer.status, answer.type) == (200, "application/octet-stream")
    *lines, rest = answer.body.split(b"\n", 6)
    said = [json.loads(line) for line in lines]
    assert said[:5] == [{"done": number, "total": 5} for number in range(1, 6)]
    assert said[5] == {"bytes": len(rest)}
    assert len(frames_of(rest, tmp_path)[0]) == 5
    assert list(own_tmp.iterdir()) == []


def test_what_goes_wrong_midway_is_told_and_nothing_is_left(
    alice: Client, stack: None, own_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is looked at once before, and before each image."""
    moments = iter([0.0, 1.0, 1000.0])
    monkeypatch.setattr(export_video, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    answer = ask(alice, DOOR + view() + "&progress=yes")
    first, last = answer.body.splitlines()
    assert (answer.status, json.loads(first)) == (200, {"done": 1, "total": 5})
    assert "choose fewer images" in json.loads(last)["detail"]
    assert list(own_tmp.iterdir()) == []
    assert export_video._making == 0
    monkeypatch.undo()
    monkeypatch.setattr(export_video, "AT_ONCE", 0)
    assert ask(alice, DOOR + view() + "&progress=yes").status == 503, "what is wrong at once is a status"


async def test_one_that_nobody_waits_for_any_more_is_given_up(own_tmp: Path) -> None:
    class Drawing:
        async def draw(self, *_: object, **__: object) -> SimpleNamespace:
            return SimpleNamespace(payload=imagecodecs.png_encode(np.zeros((16, 16), np.uint8)))

    shots = export_video._Shots(View(size=(16, 16)), range(50), 10.0)
    told = export_video._told(export_video._steps(Drawing(), None, shots, None, None), 50)  # type: ignore[arg-type]
    assert json.loads(await anext(told)) == {"done": 1, "total": 50}
    assert export_video._making == 1
    await told.aclose()
    assert export_video._making == 0
    assert list(own_tmp.iterdir()) == []


def test_a_part_of_it_at_another_rate_and_upside_down(alice: Client, stack: None, tmp_path: Path) -> None:
    found, rate = frames_of(
        ask(alice, DOOR + view(inverted=True, size=[33, 33]) + "&first=1&last=2&rate=4").body, tmp_path
    )
    assert rate == 4
    assert len(found) == 2
    assert found[0] < found[1]


@pytest.mark.parametrize(
    "asked", ["&first=9", "&last=-1", "&rate=1000", "&rate=nan", "&first=3&last=2", "&purpose=fun"]
)
def test_what_cannot_be_is_told(alice: Client, stack: None, asked: str) -> None:
    assert ask(alice, DOOR + view() + asked).status == 400


def test_planes_through_the_volume_are_refused(alice: Client, stack: None) -> None:
    assert ask(alice, DOOR + view(plane="coronal")).status == 400


def test_too_many_images_and_too_many_videos_at_once_are_refused(
    alice: Client, stack: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_video, "MOST_FRAMES", 3)
    assert ask(alice, DOOR + view()).status == 400
    monkeypatch.setattr(export_video, "AT_ONCE", 0)
    assert ask(alice, DOOR + view() + "&last=1").status == 503


def test_one_that_takes_too_long_is_given_up(
    alice: Client, stack: None, own_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_video, "MOST_SECONDS", -1.0)
    assert ask(alice, DOOR + view()).status == 422
    assert list(own_tmp.iterdir()) == []


def test_bob_charlie_and_nobody_see_nothing(bob: Client, charlie: Client, stack: None) -> None:
    assert ask(bob, DOOR).status == ask(charlie, DOOR).status == 404
    assert ask(Client(), DOOR).status == 401
