"""A reader states how long a line is: millimetres with that reader as their source, on that object alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from accounts.models import Organization
from tests.viewer.archive.objects import save
from tests.viewer.marks.drawing import (
    DOOR,
    LINE,
    PLAIN,
    asked,
    listed,
    made,
    posted,
    put,
    without_place,
)
from tests.viewer.marks.drawing import plain as plain
from tests.viewer.marks.drawing import stack as stack
from viewer.archive.ingest import ingest_file
from viewer.archive.storage import BlobStore
from viewer.engine.engine import Engine, OpenSeries
from viewer.engine.errors import Busy, CannotDraw
from viewer.marks import measurements, taking
from viewer.marks.asked import Asked
from viewer.marks.measurements import UNMEASURED
from viewer.marks.taking import Taken
from viewer.models import Measurement


@pytest.mark.usefixtures("plain")
def test_a_known_length_makes_later_lengths_on_the_image_come_in_millimetres(alice: Client) -> None:
    before = made(alice, "length", [[1, 1], [4, 5]], **PLAIN)
    assert before["values"]["length"]["unit"] == "px"
    known = made(alice, "calibration", [[0, 0], [0, 4]], known=10, **PLAIN)
    assert (known["known"], known["values"]["known"]["source"]) == (10, "calibrated by alice")
    after = made(alice, "length", [[1, 1], [4, 5]], **PLAIN)["values"]["length"]
    assert after == {"value": pytest.approx(12.5), "unit": "mm", "source": "calibrated by alice"}
    region = made(alice, "rectangle", [[0, 0], [2, 4]], **PLAIN)["values"]
    assert (region["area"]["value"], region["area"]["unit"]) == (pytest.approx(2 * 4 * 2.5**2), "mm²")
    assert made(alice, "angle", [[1, 0], [0, 0], [0, 1]], **PLAIN)["values"]["angle"]["value"] == pytest.approx(90)


@pytest.mark.usefixtures("plain")
def test_what_was_measured_before_follows_the_calibration_and_goes_back_with_it(alice: Client) -> None:
    """No millimetres stay behind that nothing says any more."""
    first = made(alice, "length", [[1, 1], [4, 5]], **PLAIN)
    known = made(alice, "calibration", [[0, 0], [0, 4]], known=10, **PLAIN)

    def now() -> dict[str, Any]:
        return next(mark for mark in listed(alice) if mark["uid"] == first["uid"])

    assert (now()["values"]["length"]["value"], now()["version"]) == (pytest.approx(12.5), 2)
    put(alice, known["uid"], {"version": 1, "known": 20})
    assert now()["values"]["length"]["value"] == pytest.approx(25)
    alice.delete(f"{DOOR}{known['uid']}/")
    assert now()["values"] == first["values"]
    put(alice, known["uid"], {"version": 3, "deleted": False})
    assert now()["values"]["length"]["value"] == pytest.approx(25)
    assert now()["author"] == "alice"


@pytest.mark.usefixtures("plain")
def test_another_image_is_not_calibrated_by_it(alice: Client, hospital: Organization, tmp_path: Path) -> None:
    ingest_file(
        save(without_place(SOPInstanceUID="1.2.3.5.2", InstanceNumber=2), tmp_path / "b"), hospital, "ingest", ""
    )
    made(alice, "calibration", [[0, 0], [0, 4]], known=10, **PLAIN)
    other = {**PLAIN, "view": {"sop_instance_uid": "1.2.3.5.2"}}
    assert made(alice, "length", [[1, 1], [4, 5]], **other)["values"]["length"]["unit"] == "px"


def test_a_reader_may_calibrate_what_has_millimetres_at_the_detector_alone(
    store: BlobStore, hospital: Organization, alice: Client, tmp_path: Path
) -> None:
    picture = without_place(SOPInstanceUID="1.2.3.6.1", SeriesInstanceUID="1.2.3.6", ImagerPixelSpacing=[0.5, 0.25])
    ingest_file(save(picture, tmp_path / "dx"), hospital, "ingest", "")
    there = {"series": "1.2.3.6", "view": {"sop_instance_uid": "1.2.3.6.1"}}
    plain = made(alice, "length", [[0, 0], [4, 0]], **there)["values"]["length"]
    assert (plain["value"], "detector" in plain["source"]) == (pytest.approx(1.0), True)
    made(alice, "calibration", [[0, 0], [0, 2]], known=0.5, **there)  # half as large as at the detector
    found = made(alice, "length", [[0, 0], [4, 0]], **there)["values"]["length"]
    assert found == {"value": pytest.approx(0.5), "unit": "mm", "source": "calibrated by alice"}


@pytest.mark.usefixtures("stack", "plain")
def test_a_calibration_says_how_long_and_is_for_images_without_a_place(alice: Client) -> None:
    for known in (None, 0, -1, "10", True, 1e9):
        assert posted(alice, asked("calibration", [[0, 0], [0, 4]], known=known, **PLAIN)).status_code == 400
    assert posted(alice, asked("calibration", [[1, 1], [1, 1]], known=5, **PLAIN)).status_code == 422
    refused = posted(alice, asked("calibration", LINE, known=5))
    assert (refused.status_code, "lies in the patient" in refused.json()["detail"]) == (422, True)


def test_a_calibration_holds_for_the_other_frames_of_a_run_unless_they_have_their_own(
    shared_data: Path, store: BlobStore, hospital: Organization, alice: Client
) -> None:
    path = shared_data / "cine" / "NM_heart_13f.dcm"
    ingest_file(path, hospital, "ingest", "")
    run = pydicom.dcmread(path, stop_before_pixels=True)
    door = f"/api/studies/{run.StudyInstanceUID}/measurements/"

    def on(frame: int, kind: str, **more: Any) -> dict[str, Any]:
        view = {"sop_instance_uid": run.SOPInstanceUID, "frame_number": frame}
        body = asked(kind, [[0, 0], [10, 0]], series=run.SeriesInstanceUID, view=view, **more)
        answer = posted(alice, body, door)
        assert answer.status_code == 201, answer.content
        return dict(answer.json()["values"])

    on(2, "calibration", known=50)
    assert [on(frame, "length")["length"]["source"] for frame in (2, 3)] == [
        "calibrated by alice",
        "calibrated by alice on frame 2",
    ]
    on(3, "calibration", known=20)
    found = [on(frame, "length")["length"] for frame in (2, 3, 4)]
    assert [length["value"] for length in found] == pytest.approx([50, 20, 20])
    assert [length["source"] for length in found][:2] == ["calibrated by alice"] * 2


# --- no number stays behind that nothing says any more


def marked(uid: str) -> Measurement:
    found: Measurement = Measurement.objects.select_related("study__organization", "study__patient", "author").get(
        uid=uid
    )
    return found


@pytest.mark.usefixtures("plain")
def test_what_cannot_be_measured_again_loses_its_millimetres_and_says_why(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = made(alice, "calibration", [[0, 0], [0, 4]], known=10, **PLAIN)
    lost = made(alice, "length", [[1, 1], [4, 5]], label="Nodule", **PLAIN)
    other = made(alice, "length", [[0, 0], [0, 2]], **PLAIN)
    take = taking.take

    async def fails(engine: Engine, series: OpenSeries, asked: Asked, *rest: Any) -> Taken:
        if asked.label == "Nodule":
            raise CannotDraw("cannot_decode", "a marker is missing")
        return await take(engine, series, asked, *rest)

    monkeypatch.setattr(taking, "take", fails)
    answer = alice.delete(f"{DOOR}{known['uid']}/")
    assert answer.status_code == 200
    now = {mark["uid"]: mark for mark in listed(alice)}
    assert now[lost["uid"]]["values"] == {}
    assert now[lost["uid"]]["notes"] == ["not measured by the calibration of now: a marker is missing"]
    assert now[other["uid"]]["values"]["length"]["unit"] == "px", "the next one is measured all the same"
    assert alice.post(f"{DOOR}object/").status_code == 200, "and it can be written so"


@pytest.mark.usefixtures("plain")
def test_a_calibration_and_what_it_decides_are_kept_together_or_not_at_all(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(alice, "length", [[1, 1], [4, 5]], **PLAIN)

    take = taking.take

    async def busy(engine: Engine, series: OpenSeries, asked: Asked, *rest: Any) -> Taken:
        if asked.kind == "length":
            raise Busy
        return await take(engine, series, asked, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(taking, "take", busy)
        refused = posted(alice, asked("calibration", [[0, 0], [0, 4]], known=10, **PLAIN))
    assert refused.status_code == 503
    assert listed(alice) == [first]


@pytest.mark.usefixtures("plain")
def test_what_is_measured_while_a_calibration_comes_is_measured_again(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are under way at once: the line was measured in pixels, and before it is kept somebody states millimetres."""
    known = made(alice, "calibration", [[0, 0], [0, 4]], known=10, **PLAIN)
    alice.delete(f"{DOOR}{known['uid']}/")
    take, came = taking.take, []

    async def meanwhile(engine: Engine, series: OpenSeries, asked: Asked, *rest: Any) -> Taken:
        found = await take(engine, series, asked, *rest)
        if not came:
            came.append(asked)
            row = await sync_to_async(marked)(known["uid"])
            back = measurements.asked_of(row)
            await sync_to_async(measurements.change)(row, row.study, back, UNMEASURED, row.author, None)
        return found

    monkeypatch.setattr(taking, "take", meanwhile)
    length = made(alice, "length", [[1, 1], [4, 5]], **PLAIN)["values"]["length"]
    assert (length["value"], length["unit"]) == (pytest.approx(12.5), "mm")


@pytest.mark.usefixtures("plain")
def test_a_label_that_is_changed_while_a_calibration_comes_keeps_no_old_number(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(alice, "length", [[1, 1], [4, 5]], **PLAIN)
    take, named = taking.take, []

    async def meanwhile(engine: Engine, series: OpenSeries, asked: Asked, *rest: Any) -> Taken:
        found = await take(engine, series, asked, *rest)
        if asked.kind == "length" and not named:
            named.append(asked)
            row = await sync_to_async(marked)(first["uid"])
            renamed = replace(measurements.asked_of(row), label="Nodule")
            await sync_to_async(measurements.change)(row, row.study, renamed, UNMEASURED, row.author, None)
        return found

    monkeypatch.setattr(taking, "take", meanwhile)
    made(alice, "calibration", [[0, 0], [0, 4]], known=10, **PLAIN)
    now = next(mark for mark in listed(alice) if mark["uid"] == first["uid"])
    assert (now["label"], now["values"]["length"]["value"]) == ("Nodule", pytest.approx(12.5))


@pytest.mark.usefixtures("plain")
def test_what_comes_back_is_measured_by_the_calibration_of_now(alice: Client) -> None:
    first = made(alice, "length", [[1, 1], [4, 5]], **PLAIN)
    alice.delete(f"{DOOR}{first['uid']}/")
    made(alice, "calibration", [[0, 0], [0, 4]], known=10, **PLAIN)
    back = put(alice, first["uid"], {"version": 2, "deleted": False}).json()
    assert back["values"]["length"]["unit"] == "mm"
