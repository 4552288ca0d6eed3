"""Rendered resources and thumbnails: the same pixels as `/api/series/.../frame`, in the client's viewport and window."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
import PIL.Image
import pydicom
import pytest
from django.conf import settings
from django.test import Client
from pydicom.dataset import Dataset

from accounts.models import AuditEvent, Organization
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.archive.objects import slices as stack_of
from tests.viewer.dicomweb.asking import address, ask, stored
from viewer.models import Instance

pytestmark = pytest.mark.usefixtures("store")


def pixels(body: bytes) -> np.ndarray:
    return np.asarray(PIL.Image.open(io.BytesIO(body)))


@pytest.fixture
def ramp(hospital: Organization, tmp_path: Path) -> Instance:
    """20 rows and 40 columns whose values grow by 1 from left to right and by 100 from top to bottom."""
    values = (np.arange(20)[:, None] * 100 + np.arange(40)[None, :]).astype("<i2")
    made = ct_slice("1.2.3.5.1", series="1.2.3.5", Rows=20, Columns=40, PixelData=values.tobytes())
    return stored(save(made, tmp_path / "ramp.dcm"), hospital)


def by_rest(client: Client, instance: Instance, view: dict[str, object]) -> np.ndarray:
    text = quote(json.dumps(view | {"sop_instance_uid": instance.sop_instance_uid}))
    answer = client.get(f"/api/series/{instance.series.series_instance_uid}/frame?view={text}&media_type=image/png")
    assert answer.status_code == 200, answer.content
    return pixels(answer.content)


@pytest.mark.parametrize(
    ("query", "view"),
    [
        ("", {}),
        ("window=500,700,linear", {"window_center": 500, "window_width": 700, "voi_lut_function": "LINEAR"}),
        ("window=500,700,sigmoid", {"window_center": 500, "window_width": 700, "voi_lut_function": "SIGMOID"}),
        (
            "window=500,0.5,linear-exact",
            {"window_center": 500, "window_width": 0.5, "voi_lut_function": "LINEAR_EXACT"},
        ),
        ("viewport=80,80", {"size": [40, 80]}),
        ("viewport=20,30", {"size": [10, 20]}),
        ("viewport=40,20,0,0,40,20", {"size": [20, 40], "zoom": 1.0}),
        ("viewport=20,20,10,5,10,10", {"size": [20, 20], "zoom": 4.0, "pan": [0.5, 0.0]}),
        ("viewport=40,20,0,0,-40,20", {"size": [20, 40], "zoom": 1.0, "flip_horizontal": True}),
    ],
)
def test_the_picture_is_the_one_of_the_view(alice: Client, ramp: Instance, query: str, view: dict[str, object]) -> None:
    answer = ask(alice, f"{address(ramp, '/rendered')}?{query}", "image/png")
    assert (answer.status, answer.type) == (200, "image/png"), answer.body
    assert np.array_equal(pixels(answer.body), by_rest(alice, ramp, view))
    resolved = json.loads(answer.response["Farview-View"])
    assert np.array_equal(pixels(answer.body), by_rest(alice, ramp, resolved))


def test_a_region_shows_that_part_of_the_frame(alice: Client, ramp: Instance) -> None:
    """One pixel to one, in a window that maps each value to itself: the part of the frame is there as it is."""
    window = "window=128,255,linear-exact"
    whole = pixels(ask(alice, f"{address(ramp, '/rendered')}?{window}", "image/png").body)
    part = pixels(ask(alice, f"{address(ramp, '/rendered')}?{window}&viewport=8,2,30,0,8,2", "image/png").body)
    assert part.shape == (2, 8)
    assert np.array_equal(part, whole[0:2, 30:38])
    mirrored = pixels(ask(alice, f"{address(ramp, '/rendered')}?{window}&viewport=8,2,30,0,-8,-2", "image/png").body)
    assert np.array_equal(mirrored, part[::-1, ::-1])


def test_jpeg_is_what_comes_unless_something_else_is_wanted(alice: Client, ramp: Instance) -> None:
    where = address(ramp, "/rendered")
    for accept, media_type in (
        (None, "image/jpeg"),
        ("*/*", "image/jpeg"),
        ("image/*", "image/jpeg"),
        ("image/webp", "image/webp"),
        ("image/gif, image/png;q=0.5", "image/gif"),
        ("image/jp2, image/png;q=0.5", "image/png"),
        ("text/html, image/jpeg;q=0.1, image/png;q=0.2", "image/png"),
    ):
        answer = ask(alice, where, accept)
        assert answer.type == media_type, accept
        assert pixels(answer.body).shape[:2] == (20, 40)
    assert ask(alice, f"{where}?accept=image/png", "image/jpeg").type == "image/png"
    small, large = (len(ask(alice, f"{where}?quality={quality}").body) for quality in (5, 100))
    assert small < large
    for accept in ("image/jp2", "video/mpeg", "text/html"):
        refused = ask(alice, where, accept)
        assert refused.status == 406
        assert "image/jpeg" in refused.response.json()["available"]


def test_annotations_are_accepted_and_not_burnt_in(alice: Client, ramp: Instance) -> None:
    where = address(ramp, "/rendered")
    bare = ask(alice, where, "image/png").body
    for more in ("annotation=none", "annotation=patient,technique", "iccprofile=no"):
        assert ask(alice, f"{where}?{more}", "image/png").body == bare


@pytest.mark.parametrize(
    "query",
    [
        "viewport=0,10", "viewport=10", "viewport=a,b", "viewport=10,10,0,0,50,10", "viewport=10,10,-1,0,5,5",
        "viewport=99999,1", "viewport=1,1,0,0,0,0", "viewport=nan,1", "window=1", "window=1,0,linear",
        "window=1,2,cubic", "window=inf,2", "quality=0", "quality=101", "quality=x", "quality=1.5", "annotation=loud",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_words(alice: Client, ramp: Instance, query: str) -> None:
    refused = ask(alice, f"{address(ramp, '/rendered')}?{query}")
    assert refused.status == 400
    assert refused.response.json()["detail"].startswith(query.partition("=")[0])


def test_a_series_and_a_study_are_one_picture_or_each_frame_as_a_part(
    alice: Client, hospital: Organization, tmp_path: Path
) -> None:
    made = [stored(path, hospital) for path in stack_of(tmp_path, 3)]
    study = f"/dicom-web/studies/{made[0].series.study.study_instance_uid}"
    series = f"{study}/series/{made[0].series.series_instance_uid}"
    for where in (study, series):
        one = ask(alice, f"{where}/rendered", "image/png")
        assert pixels(one.body).shape == (4, 4)
        assert one.response["Content-Location"].endswith(f"/{made[1].sop_instance_uid}/frames/1/rendered")
        many = ask(alice, f"{where}/rendered", 'multipart/related; type="image/png"')
        assert [location.split("/")[-4] for _, location, _ in many.parts] == [one.sop_instance_uid for one in made]
        for media_type, location, content in many.parts:
            assert media_type == "image/png"
            assert ask(alice, location, "image/png").body == content


def test_frames_are_rendered_one_or_many(alice: Client, hospital: Organization, shared_data: Path) -> None:
    clip = stored(shared_data / "cine" / "NM_heart_13f.dcm", hospital)
    second = ask(alice, address(clip, "/frames/2/rendered"), "image/png").body
    several = ask(alice, address(clip, "/frames/2,5/rendered"), "multipart/related; type=image/png")
    assert several.parts[0][2] == second
    assert len(several.parts) == 2
    assert ask(alice, address(clip, "/frames/2,5/rendered"), "image/png").status == 406
    assert ask(alice, address(clip, "/frames/14/rendered"), "image/png").status == 404
    assert len(ask(alice, address(clip, "/rendered"), "multipart/related; type=image/jpeg").parts) == 13


def test_thumbnails_are_small_pictures_of_everything(alice: Client, ramp: Instance) -> None:
    study = f"/dicom-web/studies/{ramp.series.study.study_instance_uid}"
    for where in (
        study,
        f"{study}/series/{ramp.series.series_instance_uid}",
        address(ramp),
        address(ramp, "/frames/1"),
    ):
        small = ask(alice, f"{where}/thumbnail")
        assert small.type == "image/jpeg"
        assert pixels(small.body).shape == (80, 160)
        assert pixels(ask(alice, f"{where}/thumbnail?viewport=64,64", "image/png").body).shape == (32, 64)


def test_what_is_no_image_has_no_picture(alice: Client, hospital: Organization, shared_data: Path) -> None:
    report = stored(shared_data / "derived" / "sr_basic_text.dcm", hospital)
    assert ask(alice, address(report, "/rendered"), "image/*").status == 406
    assert ask(alice, address(report, "/thumbnail")).status == 406
    outlines = stored(shared_data / "derived" / "rtstruct_lctsc.dcm", hospital)
    assert ask(alice, address(outlines, "/rendered")).status == 406, "neither a picture nor a text"


def test_a_report_is_a_page_or_lines(alice: Client, hospital: Organization, shared_data: Path) -> None:
    report = stored(shared_data / "derived" / "tid1500_sr.dcm", hospital)
    page = ask(alice, address(report, "/rendered"))
    assert (page.status, page.type) == (200, "text/html; charset=utf-8")
    assert "sandbox" in page.response["Content-Security-Policy"]
    lines = ask(alice, address(report, "/rendered"), "text/plain").body.decode()
    assert lines.startswith("Imaging Measurement Report\n")
    file = pydicom.dcmread(shared_data / "derived" / "tid1500_sr.dcm")
    assert f"Patient ID: {file.PatientID}" in lines
    numbers = [one for one in below(file) if one.ValueType == "NUM"]
    assert numbers
    for one in numbers:
        said = f"{one.ConceptNameCodeSequence[0].CodeMeaning}: {one.MeasuredValueSequence[0].NumericValue}"
        assert said in lines
        assert f"<b>{said.partition(':')[0]}:</b> {one.MeasuredValueSequence[0].NumericValue}" in page.body.decode()
    assert ask(alice, address(report, "/rendered"), 'multipart/related; type="text/html"').status == 406


def below(item: Dataset) -> Iterator[Dataset]:
    for one in item.get("ContentSequence", ()):
        yield one
        yield from below(one)


def test_what_stands_in_a_report_is_text_and_no_markup(
    alice: Client, hospital: Organization, shared_data: Path, tmp_path: Path
) -> None:
    file = pydicom.dcmread(shared_data / "derived" / "sr_basic_text.dcm")
    file.PatientName = "<script>a</script>^B"
    text = next(one for one in below(file) if one.ValueType == "TEXT")
    text.TextValue = "<img src=x onerror=alert(1)> & so on"
    text.ConceptNameCodeSequence[0].CodeMeaning = "<b>bold"
    file.save_as(tmp_path / "hostile.dcm")
    page = ask(alice, address(stored(tmp_path / "hostile.dcm", hospital), "/rendered"), "text/html").body.decode()
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; so on" in page
    assert not {"<script", "<img", "<b>bold"} & {part for part in ("<script", "<img", "<b>bold") if part in page}


def test_an_encapsulated_pdf_is_the_pdf(alice: Client, hospital: Organization, shared_data: Path) -> None:
    path = shared_data / "derived" / "encapsulated_pdf.dcm"
    held = stored(path, hospital)
    answer = ask(alice, address(held, "/rendered"))
    assert (answer.status, answer.type) == (200, "application/pdf")
    assert answer.body == pydicom.dcmread(path).EncapsulatedDocument[: len(answer.body)]
    assert answer.body.startswith(b"%PDF-")
    assert ask(alice, address(held, "/rendered"), "text/html").status == 406


def test_frames_are_an_animated_gif_where_that_is_asked_for(
    alice: Client, hospital: Organization, shared_data: Path
) -> None:
    clip = stored(shared_data / "cine" / "NM_heart_13f.dcm", hospital)
    for where, frames in [("/rendered", list(range(1, 14))), ("/frames/2,5/rendered", [2, 5])]:
        answer = ask(alice, address(clip, where), "image/gif")
        assert (answer.status, answer.type) == (200, "image/gif")
        with PIL.Image.open(io.BytesIO(answer.body)) as gif:
            assert gif.n_frames == len(frames)
            for place, number in enumerate(frames):
                gif.seek(place)
                still = pixels(ask(alice, address(clip, f"/frames/{number}/rendered"), "image/png").body)
                assert np.array_equal(np.asarray(gif.convert("L")), still), number
    assert ask(alice, address(clip, "/rendered"), "image/*").type == "image/jpeg"


def test_frames_are_a_video_where_that_is_asked_for(
    alice: Client, hospital: Organization, shared_data: Path, tmp_path: Path
) -> None:
    clip = stored(shared_data / "cine" / "NM_heart_13f.dcm", hospital)
    for where, numbers in [("/rendered", list(range(1, 14))), ("/frames/2,5/rendered", [2, 5])]:
        answer = ask(alice, address(clip, f"{where}?viewport=128,128"), "video/mp4, image/jpeg;q=0.5")
        assert (answer.status, answer.type) == (200, "video/mp4")
        path = tmp_path / "clip.mp4"
        path.write_bytes(answer.body)
        video = cv2.VideoCapture(str(path))
        for number in numbers:
            there, shown = video.read()
            assert there, number
            still = pixels(ask(alice, address(clip, f"/frames/{number}/rendered?viewport=128,128"), "image/png").body)
            assert np.abs(shown[:, :, 0].astype(int) - still).mean() < 6, number
        assert not video.read()[0]
    assert not list(Path(settings.FARVIEW_TMP_DIR).glob("video-*"))


@pytest.mark.parametrize("media_type", ["image/gif", "video/mp4"])
def test_a_moving_picture_that_would_be_too_large_is_refused_in_words(
    alice: Client, hospital: Organization, shared_data: Path, monkeypatch: pytest.MonkeyPatch, media_type: str
) -> None:
    monkeypatch.setattr("viewer.dicomweb.rendered_clip.MOST_FRAMES", 12)
    clip = stored(shared_data / "cine" / "NM_heart_13f.dcm", hospital)
    answer = ask(alice, address(clip, "/rendered"), media_type)
    assert answer.status == 422
    assert b"12 frames at most" in answer.body


def test_bob_and_charlie_find_nothing_and_alice_is_noted_once(
    alice: Client, bob: Client, charlie: Client, ramp: Instance
) -> None:
    for more in ("/rendered", "/thumbnail", "/frames/1/rendered", "/frames/1/thumbnail"):
        assert ask(bob, address(ramp, more)).status == ask(charlie, address(ramp, more)).status == 404
        assert ask(alice, address(ramp, more)).status == 200
    assert AuditEvent.objects.filter(action="study.view", actor="alice", outcome="success").count() == 1
    Instance.objects.filter(pk=ramp.pk).update(rejection="113037")
    assert ask(alice, address(ramp, "/rendered")).status == 404


def test_a_picture_that_the_client_has_is_not_sent_again(alice: Client, ramp: Instance) -> None:
    where = address(ramp, "/rendered")
    tag = ask(alice, where).response["ETag"]
    assert ask(alice, where, If_None_Match=tag).status == 304
    assert ask(alice, f"{where}?quality=50", If_None_Match=tag).status == 200
