"""Key images in the archive: written once for each state of things, valid, and drawn again from what was written."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pydicom
import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import timezone
from pydicom.dataset import Dataset

from accounts.models import Organization
from tests.viewer.archive.objects import ct_slice, save, slices
from tests.viewer.objects.test_key_objects import errors_of
from viewer.api.key_images import draw_kept
from viewer.archive.ingest import ingest_file
from viewer.archive.storage import blob_store
from viewer.engine.errors import Busy
from viewer.marks import key_objects
from viewer.models import Instance, KeyImage, Measurement, Study

pytestmark = pytest.mark.usefixtures("store")

DOOR = "/api/studies/1.2.3/key-images/"
RAMP = np.arange(-8, 8, dtype="<i2").reshape(4, 4) * 30
BY_CLASS = {"1.2.840.10008.5.1.4.1.1.88.59": "ko", "1.2.840.10008.5.1.4.1.1.11.1": "gsps"} | {
    "1.2.840.10008.5.1.4.1.1.11.2": "csps",
    "1.2.840.10008.5.1.4.1.1.7": "sc",
}


@pytest.fixture
def stack(hospital: Organization, tmp_path: Path) -> None:
    """Six slices of a ramp, 1 mm apart."""
    for path in slices(tmp_path / "stack", 6, PixelData=RAMP.tobytes(), FrameOfReferenceUID="1.2.3.77"):
        ingest_file(path, hospital, "ingest", "")


def marked(
    client: Client, view: dict[str, Any], series: str = "1.2.3.4", door: str = DOOR, **more: Any
) -> dict[str, Any]:
    answer = client.post(door, json.dumps({"series": series, "view": view, **more}), content_type="application/json")
    assert answer.status_code == 201, answer.content
    return answer.json()


def written(client: Client, door: str = DOOR, **body: Any) -> dict[str, Any]:
    answer = client.post(f"{door}object/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def held(uid: str) -> Path:
    return blob_store().path(Instance.objects.get(sop_instance_uid=uid).blob_id)


OF_THE_FILE = ("999.999.", "contains invalid data values", "LookupTableData bad")
"""UIDs of a file that are none, and a modality table of 10 bits called 16: the files themselves are reproached with both."""


def objects(uids: list[str], but: tuple[str, ...] = ()) -> dict[str, list[Dataset]]:
    """The written objects by kind, each shown to the validator on the way."""
    found: dict[str, list[Dataset]] = {}
    for uid in uids:
        assert [error for error in errors_of(held(uid)) if not any(part in error for part in but)] == []
        read = pydicom.dcmread(held(uid))
        found.setdefault(BY_CLASS[read.SOPClassUID], []).append(read)
    return found


SHOWN = {"window_center": 40, "window_width": 400, "voi_lut_function": "LINEAR", "frame": 2}


def test_an_acquired_frame_becomes_a_presentation_state_and_a_place_in_the_selection(
    stack: None, alice: Client
) -> None:
    kept = marked(alice, {**SHOWN, "rotation": 90, "inverted": True, "size": [40, 40]}, note="Nodule\nright")
    answer = written(alice)
    assert answer["left_out"] == {}
    found = objects(answer["objects"])
    assert {kind: len(all_of) for kind, all_of in found.items()} == {"gsps": 1, "ko": 1}
    (state,), (selection,) = found["gsps"], found["ko"]
    (series,) = state.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == "1.2.3.4"
    assert series.ReferencedImageSequence[0].ReferencedSOPInstanceUID == kept["sop_instance_uid"]
    voi = state.SoftcopyVOILUTSequence[0]
    assert (voi.WindowCenter, voi.WindowWidth, voi.VOILUTFunction) == (40, 400, "LINEAR")
    assert (state.PresentationLUTShape, state.ImageRotation, state.ImageHorizontalFlip) == ("INVERSE", 90, "N")
    assert state.ContentDescription == "Nodule right"
    assert state.PatientName == "Doe^Jane"
    assert selection.ConceptNameCodeSequence[0].CodeMeaning == "Of Interest"
    (image,) = [item for item in selection.ContentSequence if item.ValueType == "IMAGE"]
    (pointed,) = image.ReferencedSOPSequence
    assert pointed.ReferencedSOPInstanceUID == kept["sop_instance_uid"]
    assert pointed.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == state.SOPInstanceUID
    assert [item.TextValue for item in selection.ContentSequence if item.ValueType == "TEXT"] == ["1: Nodule\nright"]
    assert [item.PersonName for item in selection.ContentSequence if item.ValueType == "PNAME"] == ["alice"]


def test_states_are_told_apart_by_their_labels(stack: None, alice: Client) -> None:
    marked(alice, {**SHOWN, "frame": 2}, note="Nodule")
    marked(alice, {**SHOWN, "frame": 2, "window_center": -600, "window_width": 1500})
    marked(alice, {**SHOWN, "frame": 4})
    said = {(state.ContentLabel, state.ContentDescription) for state in objects(written(alice)["objects"])["gsps"]}
    second, fourth = (_instance_number(frame) for frame in (2, 4))
    assert said == {
        (f"IMAGE {second}", "Nodule"),
        (f"IMAGE {second} B", "Key image, window -600/1500"),
        (f"IMAGE {fourth}", f"Key image, window {SHOWN['window_center']:g}/{SHOWN['window_width']:g}"),
    }


def _instance_number(frame: int) -> int:
    """Of the image at that place of the stack, head to feet: the feet come first in this one."""
    rows = sorted(Instance.objects.filter(series__series_instance_uid="1.2.3.4"), key=lambda row: -row.instance_number)
    return int(rows[frame].instance_number)


@pytest.mark.parametrize(
    "view",
    [
        {},
        {"inverted": True},
        {"rotation": 90},
        {"rotation": 270, "flip_horizontal": True},
        {"rotation": 180, "flip_vertical": True},
        {"flip_horizontal": True, "flip_vertical": True},
        {"flip_vertical": True},
    ],
)
def test_the_state_shows_the_image_as_the_key_image_did(stack: None, alice: Client, view: dict[str, Any]) -> None:
    """Judged by the steps of PS3.4 N.2 and C.10.6 in NumPy, with nothing of ours."""
    kept = marked(alice, {**SHOWN, **view})
    picture = np.asarray(PIL.Image.open(io.BytesIO(alice.get(kept["picture"]).content)))
    (state,) = objects(written(alice)["objects"])["gsps"]
    voi = state.SoftcopyVOILUTSequence[0]
    grey = ((RAMP.astype(float) - (voi.WindowCenter - 0.5)) / (voi.WindowWidth - 1) + 0.5) * 255
    shown = np.floor(np.clip(grey, 0, 255) + 0.5)
    if state.PresentationLUTShape == "INVERSE":
        shown = np.floor(255 - np.clip(grey, 0, 255) + 0.5)
    shown = np.rot90(shown, -int(state.get("ImageRotation", 0)) // 90)
    if state.get("ImageHorizontalFlip", "N") == "Y":
        shown = shown[:, ::-1]
    assert np.array_equal(picture, shown)
    area = state.DisplayedAreaSelectionSequence[0]
    corners = {tuple(area.DisplayedAreaTopLeftHandCorner), tuple(area.DisplayedAreaBottomRightHandCorner)}
    assert corners in ({(1, 1), (4, 4)}, {(1, 4), (4, 1)})


def test_the_displayed_area_is_what_was_seen(stack: None, alice: Client) -> None:
    """Twice the fit, moved by a quarter of the pane: rows and columns 1 to 2 of 0 to 3 and beside."""
    marked(alice, {**SHOWN, "size": [64, 64], "zoom": 2.0, "pan": [0.5, 0.0]})
    (state,) = objects(written(alice)["objects"])["gsps"]
    area = state.DisplayedAreaSelectionSequence[0]
    assert list(area.DisplayedAreaTopLeftHandCorner) == [1, 2]
    assert list(area.DisplayedAreaBottomRightHandCorner) == [2, 3]
    assert area.PresentationSizeMode == "SCALE TO FIT"
    assert list(area.PresentationPixelSpacing) == [1, 1]


def test_a_picture_of_a_volume_becomes_a_captured_picture_with_its_very_pixels(stack: None, alice: Client) -> None:
    kept = marked(alice, {"plane": "coronal", "size": [32, 48], "window_center": 0, "window_width": 300})
    found = objects(written(alice)["objects"])
    (picture,), (selection,) = found["sc"], found["ko"]
    shown = np.asarray(PIL.Image.open(io.BytesIO(alice.get(kept["picture"]).content)))
    assert np.array_equal(picture.pixel_array, shown)
    assert {one.ReferencedSOPInstanceUID for one in picture.SourceImageSequence} == {
        f"1.2.3.4.{n}" for n in range(1, 7)
    }
    assert (picture.BurnedInAnnotation, picture.ImageType) == ("NO", ["DERIVED", "SECONDARY"])
    assert kept["sha256"] in picture.DerivationDescription
    assert len(picture.PixelSpacing) == 2
    (image,) = [item for item in selection.ContentSequence if item.ValueType == "IMAGE"]
    assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == picture.SOPInstanceUID


@pytest.mark.parametrize(
    "view",
    [
        {"projection": "mip", "slab_thickness": 3},
        {"color_map": "hot"},
        {"plane": {"row": [0.6, 0.8, 0], "column": [0, 0, -1]}},
    ],
)
def test_what_no_state_can_say_is_captured(stack: None, alice: Client, view: dict[str, Any]) -> None:
    listed = alice.get("/api/series/1.2.3.4/frame", {"view": json.dumps({"size": [24, 24], **view})})
    if listed.status_code == 400 and "color_map" in view:
        named = listed.json()["detail"].split("one of ")[1].split(", ")
        view = {"color_map": next(name for name in named if name != "grey")}
    marked(alice, {"size": [24, 24], **view})
    found = objects(written(alice)["objects"])
    assert (len(found["sc"]), "gsps" in found) == (1, False)
    assert ("PixelSpacing" in found["sc"][0]) == ("projection" not in view)


def of_file(client: Client, organization: Organization, *paths: Path) -> tuple[str, str, list[Dataset]]:
    """Files taken in: the door of their study, the series of the first, what they say."""
    for path in paths:
        ingest_file(path, organization, "ingest", "")
    said = [pydicom.dcmread(path, stop_before_pixels=True) for path in paths]
    return f"/api/studies/{said[0].StudyInstanceUID}/key-images/", said[0].SeriesInstanceUID, said


@pytest.mark.parametrize(
    ("file", "frame"),
    [("syntax_nema/US1_UNC.dcm", 0), ("cine/US_palette_10f_rle.dcm", 4), ("colour/TestPattern_Palette_16.dcm", 0)],
)
def test_a_coloured_image_becomes_a_colour_state(
    shared_data: Path, hospital: Organization, alice: Client, file: str, frame: int
) -> None:
    door, series, (said,) = of_file(alice, hospital, shared_data / file)
    marked(alice, {"rotation": 180, "size": [200, 200], "frame": frame}, series, door)
    marked(alice, {"inverted": True, "size": [200, 200], "frame": frame}, series, door)
    but = OF_THE_FILE if said.SOPInstanceUID.startswith("999.") else ()
    found = objects(written(alice, door)["objects"], but)
    assert {kind: len(all_of) for kind, all_of in found.items()} == {"csps": 1, "sc": 1, "ko": 1}
    assert found["csps"][0].ImageRotation == 180
    assert found["sc"][0].PhotometricInterpretation == "RGB"
    assert found["sc"][0].SourceImageSequence[0].ReferencedSOPInstanceUID == said.SOPInstanceUID


def test_overlays_are_captured_with_the_picture(shared_data: Path, hospital: Organization, alice: Client) -> None:
    door, series, _ = of_file(alice, hospital, shared_data / "windows" / "MR-SIEMENS-overlays_multiVOI.dcm")
    plain = marked(alice, {"overlays": [], "size": [100, 100]}, series, door)
    laid = marked(alice, {"overlays": "all", "size": [100, 100]}, series, door)
    assert plain["sha256"] != laid["sha256"]
    found = objects(written(alice, door)["objects"])
    assert {kind: len(all_of) for kind, all_of in found.items()} == {"gsps": 1, "sc": 1, "ko": 1}


def test_segmentations_are_captured_with_the_picture(shared_data: Path, hospital: Organization, alice: Client) -> None:
    folder = shared_data / "derived"
    slices_of_it = [folder / f"ct3slice_0{n}.dcm" for n in (1, 2, 3)]
    door, series, said = of_file(alice, hospital, *slices_of_it, folder / "seg_liver.dcm")
    view = {"frame": 1, "size": [128, 128], "segmentations": [{"sop_instance_uid": said[-1].SOPInstanceUID}]}
    kept = marked(alice, view, series, door)
    (picture,) = objects(written(alice, door)["objects"])["sc"]
    shown = np.asarray(PIL.Image.open(io.BytesIO(alice.get(kept["picture"]).content)))
    assert np.array_equal(picture.pixel_array, shown)
    assert picture.PhotometricInterpretation == "RGB"


@pytest.mark.parametrize(
    ("file", "view"),
    [
        ("xray/DX_highdicom_mono1.dcm", {"size": [200, 200]}),
        ("xray/CR_ModalitySequenceLUT_mono1.dcm", {"size": [300, 300]}),
        ("windows/vlut_04.dcm", {}),
        ("windows/mlut_18.dcm", {}),
        ("cine/XA_rubo_96f_jpeg.dcm", {"frame": 40}),
        ("enhanced/EnhMR_BRTUM001_15f.dcm", {"frame": 3}),
    ],
)
def test_states_of_every_kind_of_real_image_are_valid_and_draw_the_same_picture(
    shared_data: Path, hospital: Organization, alice: Client, file: str, view: dict[str, Any]
) -> None:
    """Written by one half of the program and applied by another, which reads the standard for itself."""
    ingest_file(shared_data / file, hospital, "ingest", "")
    said = pydicom.dcmread(shared_data / file, stop_before_pixels=True)
    door = f"/api/studies/{said.StudyInstanceUID}/key-images/"
    kept = marked(alice, view, said.SeriesInstanceUID, door)
    but = OF_THE_FILE if "CR_Modality" in file else ()
    (state,) = objects(written(alice, door)["objects"], but)["gsps"]
    image = state.ReferencedSeriesSequence[0].ReferencedImageSequence[0]
    assert image.get("ReferencedFrameNumber") == (kept["frame_number"] if said.get("NumberOfFrames", 1) > 1 else None)
    place = {name: kept["view"][name] for name in ("stack", "frame", "size")}
    asked = {**place, "presentation_state": state.SOPInstanceUID}
    answer = alice.get(f"/api/series/{said.SeriesInstanceUID}/frame", {"view": json.dumps(asked)})
    assert answer.status_code == 200, answer.content
    again = np.asarray(PIL.Image.open(io.BytesIO(answer.content))).astype(int)
    first = np.asarray(PIL.Image.open(io.BytesIO(alice.get(kept["picture"]).content))).astype(int)
    assert np.abs(again - first).max() <= 1


# --- measurements


def measurement(kind: str, points: list[list[float]], **changed: Any) -> Measurement:
    study = Study.objects.get()
    said: dict[str, Any] = {
        "uid": f"2.25.{abs(hash((kind, str(points))))}",
        "series_instance_uid": "1.2.3.4",
        "sop_instance_uid": "1.2.3.4.3",
        "frame_number": 1,
        "frame_of_reference_uid": "1.2.3.77",
        "view": {},
        "values": {"length": {"value": 12.34, "unit": "mm", "source": "x"}},
        "author_name": "alice",
    }
    return Measurement.objects.create(
        organization=study.organization, study=study, kind=kind, points=points, **{**said, **changed}
    )


def test_its_measurements_are_drawn_in_the_pixels_of_the_image(stack: None, alice: Client) -> None:
    here = marked(alice, {**SHOWN, "frame": 0})["view"]["sop_instance_uid"]
    z = float(pydicom.dcmread(held(here)).ImagePositionPatient[2])
    KeyImage.objects.all().delete()
    marks = [
        measurement("length", [[0, 0, z], [3, 2, z]], label="Nodule"),
        measurement("ellipse", [[0, 1], [3, 3]], space="image", sop_instance_uid=here, values={}),
        measurement("length", [[0, 0, z + 2.0], [3, 2, z + 2.0]], label="elsewhere"),
    ]
    kept = marked(alice, {**SHOWN, "frame": 0}, measurements=[mark.uid for mark in marks])
    assert kept["sop_instance_uid"] == here
    (state,) = objects(written(alice)["objects"])["gsps"]
    (item,) = state.GraphicAnnotationSequence
    line, ellipse = item.GraphicObjectSequence
    assert (line.GraphicType, list(line.GraphicData)) == ("POLYLINE", [0.5, 0.5, 3.5, 2.5])
    assert (ellipse.GraphicType, list(ellipse.GraphicData)) == ("ELLIPSE", [0.5, 2.5, 3.5, 2.5, 2.0, 1.5, 2.0, 3.5])
    assert [one.UnformattedTextValue for one in item.TextObjectSequence] == ["Nodule\n12.3 mm"]


@pytest.mark.parametrize(("more", "kind"), [({}, "gsps"), ({"color_map": "hot_iron"}, "csps")])
def test_measurements_on_another_plane_are_drawn_beside_the_captured_picture(
    stack: None, alice: Client, more: dict[str, Any], kind: str
) -> None:
    view = {"plane": "coronal", "size": [64, 96], "window_center": 0, "window_width": 300, **more}
    center = [1.5, 1.5, 2.5]
    points = [[0.5, 1.5, 1.0], [2.5, 1.5, 4.0]]
    mark = measurement("length", points)
    kept = marked(alice, {**view, "center": center}, measurements=[mark.uid], note="Two ends")
    found = objects(written(alice)["objects"])
    (picture,), (state,), (selection,) = found["sc"], found[kind], found["ko"]
    (image,) = [item for item in selection.ContentSequence if item.ValueType == "IMAGE"]
    (selected,) = image.ReferencedSOPSequence
    assert selected.ReferencedSOPInstanceUID == picture.SOPInstanceUID
    assert selected.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == state.SOPInstanceUID
    (series,) = state.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == picture.SeriesInstanceUID
    assert series.ReferencedImageSequence[0].ReferencedSOPInstanceUID == picture.SOPInstanceUID
    (annotation,) = state.GraphicAnnotationSequence
    (line,) = annotation.GraphicObjectSequence
    down, across = (float(one) for one in picture.PixelSpacing)
    ends = np.array(line.GraphicData).reshape(2, 2) - 0.5
    # A coronal picture: x grows with the columns, z falls with the rows; the center is in its middle.
    wanted = [[(x - center[0]) / across + 47.5, (center[2] - z) / down + 31.5] for x, _, z in points]
    assert ends == pytest.approx(np.array(wanted), abs=0.05)
    assert annotation.TextObjectSequence[0].UnformattedTextValue.endswith("12.3 mm")
    assert kept["sha256"] in picture.DerivationDescription, "no measurement is burned in"


def test_a_changed_measurement_makes_another_state(stack: None, alice: Client) -> None:
    mark = measurement("arrow", [[0, 0], [3, 2]], space="image", sop_instance_uid="1.2.3.4.1", values={})
    marked(alice, {**SHOWN, "sop_instance_uid": "1.2.3.4.1", "frame": None}, measurements=[mark.uid])
    first = written(alice)
    Measurement.objects.update(version=2)
    second = written(alice)
    assert len(second["objects"]) == 2
    assert set(first["objects"]).isdisjoint(second["objects"])


# --- when, and how often


def test_the_same_state_of_things_is_written_once(stack: None, alice: Client) -> None:
    marked(alice, SHOWN)
    marked(alice, {"plane": "sagittal", "size": [16, 16]})
    first = written(alice)
    assert len(first["objects"]) == 3
    assert written(alice) == {**first, "objects": []}
    assert alice.get(f"{DOOR}object/").json()["sop_instance_uid"] == first["sop_instance_uid"]
    other = marked(alice, {**SHOWN, "frame": 4})
    assert len(written(alice)["objects"]) == 2, "the new state and the new selection"
    alice.delete(f"{DOOR}{other['uid']}/")
    back = written(alice)
    assert len(back["objects"]) == 1, "as at first, but only the newest selection counts"
    assert written(alice) == {**back, "objects": []}


def test_writing_again_gives_the_same_bytes(stack: None, alice: Client) -> None:
    marked(alice, SHOWN)
    marked(alice, {"plane": "sagittal", "size": [16, 16]})
    uids = written(alice)["objects"]
    before = {uid: held(uid).read_bytes() for uid in uids}
    Instance.objects.filter(sop_instance_uid__in=uids).delete()
    assert written(alice)["objects"] == uids
    assert {uid: held(uid).read_bytes() for uid in uids} == before


def test_all_objects_of_a_kind_are_in_one_series_of_the_study(stack: None, alice: Client) -> None:
    for frame in (0, 1):
        marked(alice, {**SHOWN, "frame": frame})
        written(alice)
    rows = Instance.objects.exclude(series__series_instance_uid="1.2.3.4").select_related("series__study")
    assert {row.series.study.study_instance_uid for row in rows} == {"1.2.3"}
    assert sorted((row.series.modality, row.series.number) for row in rows) == [
        ("KO", 9004),
        ("KO", 9004),
        ("PR", 9002),
        ("PR", 9002),
    ]


def test_what_cannot_be_written_is_named_and_the_others_are(stack: None, alice: Client) -> None:
    lost = marked(alice, {"plane": "sagittal", "size": [16, 16]})
    marked(alice, SHOWN)
    KeyImage.objects.filter(uid=lost["uid"]).update(sha256="0" * 64)
    answer = written(alice)
    assert list(answer["left_out"]) == [lost["uid"]]
    assert "not drawn as it was" in answer["left_out"][lost["uid"]]
    assert set(objects(answer["objects"])) == {"gsps", "ko"}


def test_without_key_images_nothing_is_written(stack: None, alice: Client) -> None:
    assert alice.get(f"{DOOR}object/").status_code == 404
    answer = alice.post(f"{DOOR}object/", "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_written")
    bad = alice.post(f"{DOOR}object/", '{"title": "rejected"}', content_type="application/json")
    assert bad.status_code == 400


def test_the_title_says_whom_it_is_for(stack: None, alice: Client) -> None:
    marked(alice, SHOWN)
    first = written(alice, title="for referring provider")
    (selection,) = objects(first["objects"])["ko"]
    assert selection.ConceptNameCodeSequence[0].CodeValue == "113002"
    assert written(alice) == {**first, "objects": []}, "whoever says nothing changes nothing"
    (selection,) = objects(written(alice, title="of interest")["objects"])["ko"]
    assert selection.ConceptNameCodeSequence[0].CodeValue == "113000"


def test_they_write_themselves_when_nothing_has_changed_for_a_while(stack: None, alice: Client) -> None:
    marked(alice, SHOWN)
    write = async_to_sync(key_objects.write_due)
    _, none_yet = write("farview", draw_kept)
    assert none_yet == []
    KeyImage.objects.update(created_at=timezone.now() - 2 * key_objects.QUIET)
    since, uids = write("farview", draw_kept)
    assert set(objects(uids)) == {"gsps", "ko"}
    assert write("farview", draw_kept, since)[1] == []
    assert since < timezone.now() - timedelta(seconds=60)


def test_one_study_that_cannot_be_written_keeps_no_other_and_what_waits_is_looked_for_again(
    stack: None, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked(alice, {"plane": "coronal"})
    KeyImage.objects.update(created_at=timezone.now() - 2 * key_objects.QUIET)
    write = async_to_sync(key_objects.write_due)

    async def busy(_: KeyImage) -> Any:
        raise Busy

    since, uids = write("farview", busy, timezone.now() - 3 * key_objects.QUIET)
    assert uids == []
    with monkeypatch.context() as broken:
        broken.setattr(key_objects, "_begun", lambda _: {}["a fault"])
        assert write("farview", draw_kept, since)[1] == []
    assert len(write("farview", draw_kept, since)[1]) == 2
    assert set(Instance.objects.values_list("series__modality", flat=True)) == {"CT", "OT", "KO"}


def test_they_are_written_only_for_those_who_may_see_the_study(
    stack: None, alice: Client, bob: Client, charlie: Client, client: Client
) -> None:
    marked(alice, SHOWN)
    for person, status in ((bob, 404), (charlie, 404), (client, 401)):
        assert person.post(f"{DOOR}object/", "{}", content_type="application/json").status_code == status
        assert person.get(f"{DOOR}object/").status_code == status
    assert not Instance.objects.exclude(series__series_instance_uid="1.2.3.4").exists()


def test_objects_name_the_key_objects_beside_the_images(stack: None, alice: Client) -> None:
    kept = marked(alice, SHOWN, note="Nodule")
    answer = written(alice)
    rows = alice.get("/api/studies/1.2.3/objects/").json()["objects"]
    assert {row["kind"] for row in rows} == {"ko", "gsps"}
    told = alice.get(f"/api/instances/{answer['sop_instance_uid']}/document/").json()
    assert (told["kind"], told["title"], told["note"]) == ("ko", "Of Interest", "1: Nodule")
    (reference,) = told["references"]
    assert (reference["sop_instance_uid"], reference["series_instance_uid"], reference["here"]) == (
        kept["sop_instance_uid"],
        "1.2.3.4",
        True,
    )


def test_only_the_newest_selection_counts(stack: None, alice: Client) -> None:
    def counting() -> list[str]:
        rows = alice.get("/api/studies/1.2.3/objects/").json()["objects"]
        return [row["sop_instance_uid"] for row in rows if row["kind"] == "ko" and not row["superseded"]]

    for frame in (0, 1):
        marked(alice, {**SHOWN, "frame": frame})
    first = written(alice)["sop_instance_uid"]
    assert counting() == [first]
    marked(alice, {**SHOWN, "frame": 3})
    second = written(alice)["sop_instance_uid"]
    assert counting() == [second]
    for one in alice.get(DOOR).json()["key_images"]:
        alice.delete(f"{DOOR}{one['uid']}/")
    assert counting() == []


def test_a_file_of_an_image_alone_is_enough(hospital: Organization, alice: Client, tmp_path: Path) -> None:
    """No position, no spacing, no frame of reference: still a key image with a state."""
    image = ct_slice(PixelData=RAMP.tobytes())
    for keyword in ("PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient"):
        delattr(image, keyword)
    ingest_file(save(image, tmp_path / "a.dcm"), hospital, "ingest", "")
    marked(alice, {"window_center": 40, "window_width": 400})
    (state,) = objects(written(alice)["objects"])["gsps"]
    area = state.DisplayedAreaSelectionSequence[0]
    assert ("PresentationPixelSpacing" in area, list(area.PresentationPixelAspectRatio)) == (False, [1, 1])
