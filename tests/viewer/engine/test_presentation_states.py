"""Presentation states from files to pictures, to the grey, against the judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import Dataset

from tests.viewer.dicom.making import image_dataset, image_file, item, write
from tests.viewer.dicom.states import lut, overlay, references, save, state_dataset
from tests.viewer.dicom.test_frames import enhanced
from tests.viewer.rendering import state_judge as judge
from viewer.engine.engine import Drawn, Engine, OpenSeries, by_uid
from viewer.rendering.view import BadView

from .objects import exact, object_file
from .series import series_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

RANDOM = np.random.default_rng(11)
ROWS, COLUMNS = 24, 31


class Case:
    """An image with a state about it."""

    def __init__(self, folder: Path, stored: NDArray[Any] | None = None, **image: Any) -> None:
        self.folder = folder
        self.stored = RANDOM.integers(0, 4096, (ROWS, COLUMNS)).astype(np.uint16) if stored is None else stored
        bits = {"BitsStored": 12, "HighBit": 11} if stored is None else {}
        own = {"RescaleSlope": "2", "RescaleIntercept": "-1000", "WindowCenter": "40", "WindowWidth": "80"}
        self.image = image_dataset(self.stored, **(own | bits | image))
        self.series = series_of([write(folder / "image.dcm", self.image)], version=str(folder))

    async def drawn(self, engine: Engine, state: Dataset, **view: Any) -> tuple[NDArray[np.uint8], Drawn]:
        file = object_file(save(state, self.folder / "state.dcm"))
        series = await engine.open(self.series)
        return await exact(engine, series, by_uid([file]), presentation_state=state.SOPInstanceUID, **view)


def voi(center: float, width: float, function: str | None = None) -> list[Dataset]:
    found = item({"WindowCenter": str(center), "WindowWidth": str(width)})
    if function:
        found.VOILUTFunction = function
    return [found]


def table(count: int, bits: int) -> NDArray[np.int64]:
    return RANDOM.integers(0, 2**bits, count)


GREYS: dict[str, dict[str, Any]] = {
    "nothing but the shape": {},
    "inverse": {"PresentationLUTShape": "INVERSE"},
    "a linear window": {"RescaleSlope": "1.5", "RescaleIntercept": "-7", "SoftcopyVOILUTSequence": voi(2000, 1500)},
    "a sigmoid": {"SoftcopyVOILUTSequence": voi(2000, 900, "SIGMOID"), "PresentationLUTShape": "INVERSE"},
    "an exact window": {"SoftcopyVOILUTSequence": voi(2000.25, 300.5, "LINEAR_EXACT")},
    "a falling slope": {"RescaleSlope": "-0.25", "RescaleIntercept": "900.5", "SoftcopyVOILUTSequence": voi(500, 700)},
    "a VOI LUT": {"SoftcopyVOILUTSequence": [item({"VOILUTSequence": [lut(table(2000, 10), 10, 700)]})]},
    "a Modality LUT alone": {"ModalityLUTSequence": [lut(table(4096, 14), 14, ModalityLUTType="US")]},
    "a Presentation LUT": {"PresentationLUTShape": None, "PresentationLUTSequence": [lut(table(1024, 12), 12)]},
    "a Presentation LUT after a sigmoid": {
        "PresentationLUTShape": None, "PresentationLUTSequence": [lut(table(4096, 16), 16)],
        "RescaleSlope": "0.125", "RescaleIntercept": "-3.7", "SoftcopyVOILUTSequence": voi(200, 90, "SIGMOID"),
    },
    "a Presentation LUT after a falling slope": {
        "PresentationLUTShape": None, "PresentationLUTSequence": [lut(table(256, 8), 8)],
        "RescaleSlope": "-3", "RescaleIntercept": "10", "SoftcopyVOILUTSequence": voi(-5000, 6000),
    },
    "all three tables": {
        "PresentationLUTShape": None, "PresentationLUTSequence": [lut(table(4096, 11), 11)],
        "ModalityLUTSequence": [lut(table(3000, 12), 12, 500, ModalityLUTType="OD")],
        "SoftcopyVOILUTSequence": [item({"VOILUTSequence": [lut(table(4096, 12), 12)]})],
    },
}  # fmt: skip


@pytest.mark.parametrize("name", GREYS)
@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
async def test_grey_values_are_those_of_the_standard(
    engine: Engine, tmp_path: Path, name: str, photometric: str
) -> None:
    """Nothing of the image's own transformations plays a part, its polarity neither."""
    case = Case(tmp_path, PhotometricInterpretation=photometric)
    state = state_dataset([case.image], **GREYS[name])
    picture, drawn = await case.drawn(engine, state)
    assert np.array_equal(picture, judge.eight_bits(judge.grey(state, case.stored.astype(np.float64), 12)))
    assert drawn.header["warnings"] == []
    again, _ = await case.drawn(
        engine, state, **{k: v for k, v in drawn.header["view"].items() if k != "presentation_state"}
    )
    assert np.array_equal(again, picture)


async def test_the_real_state_with_three_scrambled_tables_unscrambles_its_image(
    engine: Engine, shared_data: Path
) -> None:
    folder = shared_data / "derived"
    series = await engine.open(series_of([folder / "gsps_luts_image.dcm"]))
    state = object_file(folder / "gsps_luts.dcm")
    uid = state.index["sop"]
    picture, drawn = await exact(engine, series, by_uid([state]), presentation_state=uid)
    stored = pydicom.dcmread(folder / "gsps_luts_image.dcm").pixel_array.astype(np.float64)
    assert np.array_equal(picture, judge.eight_bits(judge.grey(pydicom.dcmread(state.path), stored, 8)))
    plain, _ = await exact(engine, series)
    assert not np.array_equal(picture, plain)
    steps = np.abs(np.diff(picture[:250].astype(int), axis=1))
    assert steps.max() <= 1  # a smooth ramp, where the stored one is scrambled
    assert drawn.view.preset == "scrambled voi lut"
    assert await engine.presentation_states(series, [state]) == [
        {
            "sop_instance_uid": uid, "label": "XLUT_P03",
            "description": "scrambled modality lut / voi lut / presentation lut",
        }
    ]  # fmt: skip


async def test_tables_of_the_image_stay_at_hand_beside_those_of_the_state(engine: Engine, tmp_path: Path) -> None:
    """Where the state leaves modality values as they are."""
    own = lut(table(4096, 12), 12, LUTExplanation="of the file")
    case = Case(tmp_path, RescaleSlope=None, RescaleIntercept=None, VOILUTSequence=[own])
    state = state_dataset(
        [case.image], SoftcopyVOILUTSequence=[item({"VOILUTSequence": [lut(table(4096, 12), 12)]})]
    )  # fmt: skip
    picture, drawn = await case.drawn(engine, state)
    assert np.array_equal(picture, judge.eight_bits(judge.grey(state, case.stored.astype(np.float64), 12)))
    assert drawn.view.preset == "presentation state"
    picture, _ = await case.drawn(engine, state, preset="of the file")
    with_own = state_dataset([case.image], SoftcopyVOILUTSequence=[item({"VOILUTSequence": [own]})])
    assert np.array_equal(picture, judge.eight_bits(judge.grey(with_own, case.stored.astype(np.float64), 12)))


async def test_a_later_window_wins_and_the_state_does_not_take_it_back(engine: Engine, tmp_path: Path) -> None:
    """Weasis#746."""
    case = Case(tmp_path)
    state = state_dataset([case.image], SoftcopyVOILUTSequence=voi(2000, 1500), PresentationLUTShape="INVERSE")
    picture, drawn = await case.drawn(engine, state, window_center=900, window_width=400, inverted=True)
    dragged = state_dataset([case.image], SoftcopyVOILUTSequence=voi(900, 400))
    assert np.array_equal(picture, judge.eight_bits(judge.grey(dragged, case.stored.astype(np.float64), 12)))
    assert (drawn.view.window_center, drawn.view.window_width) == (900, 400)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", ["N", "Y"])
@pytest.mark.parametrize(
    "view", [{}, {"rotation": 90}, {"rotation": 270, "flip_vertical": True}, {"flip_horizontal": True}]
)
async def test_the_view_turns_what_the_state_has_turned(
    engine: Engine, tmp_path: Path, rotation: int, flip: str, view: dict[str, Any]
) -> None:
    place = {
        "PixelSpacing": [0.5, 0.25],
        "ImagePositionPatient": [1, 2, 3],
        "ImageOrientationPatient": [0, 1, 0, 0, 0, -1],
    }
    case = Case(tmp_path, **place)
    state = state_dataset([case.image], ImageRotation=rotation, ImageHorizontalFlip=flip)
    picture, drawn = await case.drawn(engine, state, zoom="native", **view)
    expected = judge.spatially(judge.eight_bits(judge.grey(state, case.stored.astype(np.float64), 12)), state)
    expected = np.rot90(expected, -view.get("rotation", 0) // 90)
    expected = expected[:, ::-1] if view.get("flip_horizontal") else expected
    expected = expected[::-1] if view.get("flip_vertical") else expected
    assert np.array_equal(picture, expected)
    assert drawn.view.rotation == view.get("rotation", 0)
    # A point of the picture is told where it lies in the file, and in the patient.
    first, across, down = (np.array(drawn.header["placement"][name]) for name in ("first", "across", "down"))
    column, row = first + 3 * across + 5 * down
    assert (
        picture[5, 3] == judge.eight_bits(judge.grey(state, case.stored.astype(np.float64), 12))[int(row), int(column)]
    )
    geometry = drawn.header["geometry"]
    there = np.array(geometry["top_left"]) + 3 * geometry["pixel_spacing"][1] * np.array(geometry["row"])
    there = there + 5 * geometry["pixel_spacing"][0] * np.array(geometry["column"])
    assert np.allclose(there, [1, 2 + 0.25 * column, 3 - 0.5 * row])


def area(
    top_left: tuple[int, int], bottom_right: tuple[int, int], mode: str = "SCALE TO FIT", **more: Any
) -> list[Dataset]:
    return [
        item(
            {
                "DisplayedAreaTopLeftHandCorner": list(top_left),
                "DisplayedAreaBottomRightHandCorner": list(bottom_right),
                "PresentationSizeMode": mode,
            }
            | more
        )
    ]


async def test_the_displayed_area_fills_the_picture(engine: Engine, tmp_path: Path) -> None:
    case = Case(tmp_path)
    state = state_dataset([case.image], DisplayedAreaSelectionSequence=area((5, 3), (14, 22)))
    grey = judge.eight_bits(judge.grey(state, case.stored.astype(np.float64), 12))
    native, drawn = await case.drawn(engine, state)
    assert np.array_equal(native, grey[2:22, 4:14])
    assert drawn.view.size == (20, 10)
    fitted, drawn = await case.drawn(engine, state, size=[80, 100])
    assert drawn.header["placement"]["across"][0] == pytest.approx(0.25)  # 20 rows in 80
    middle = np.array(drawn.header["placement"]["first"]) + 49.5 * np.array(drawn.header["placement"]["across"])
    middle = middle + 39.5 * np.array(drawn.header["placement"]["down"])
    assert np.allclose(middle, [8.5, 11.5])
    assert fitted.shape == (80, 100)
    _, drawn = await case.drawn(engine, state, size=[80, 100], zoom=2, pan=[0.25, 0])
    placement = drawn.header["placement"]
    assert placement["across"][0] == pytest.approx(0.125)
    at = np.array(placement["first"]) + (49.5 + 25) * np.array(placement["across"]) + 39.5 * np.array(placement["down"])
    assert np.allclose(at, [8.5, 11.5])  # pan moves the middle of the area


async def test_a_displayed_area_is_named_after_it_was_turned(engine: Engine, tmp_path: Path) -> None:
    case = Case(tmp_path)
    state = state_dataset(
        [case.image], ImageRotation=90, ImageHorizontalFlip="Y",
        DisplayedAreaSelectionSequence=area((14, 22), (5, 3)),
    )  # fmt: skip
    grey = judge.eight_bits(judge.grey(state, case.stored.astype(np.float64), 12))
    picture, _ = await case.drawn(engine, state)
    assert np.array_equal(picture, judge.spatially(grey[2:22, 4:14], state))


async def test_an_area_may_be_magnified_and_true_size_is_for_the_page_to_draw(engine: Engine, tmp_path: Path) -> None:
    case = Case(tmp_path)
    larger = area((5, 3), (14, 22), "MAGNIFY", PresentationPixelMagnificationRatio=3.0)
    state = state_dataset([case.image], DisplayedAreaSelectionSequence=larger)
    _, drawn = await case.drawn(engine, state, size=[200, 200])
    assert drawn.header["placement"]["down"][1] == pytest.approx(1 / 3)
    assert drawn.header["true_size"] is None
    true = area((5, 3), (14, 22), "TRUE SIZE", PresentationPixelSpacing=[0.2, 0.2])
    _, drawn = await case.drawn(engine, state_dataset([case.image], DisplayedAreaSelectionSequence=true))
    assert (drawn.header["true_size"], drawn.header["warnings"]) == ([0.2, 0.2], [])


async def test_proportions_that_are_not_those_of_the_image_are_named(engine: Engine, tmp_path: Path) -> None:
    case = Case(tmp_path)
    for aspect, said in (([1, 1], False), ([2, 1], True)):
        shown = area((1, 1), (COLUMNS, ROWS), PresentationPixelAspectRatio=aspect)
        picture, drawn = await case.drawn(engine, state_dataset([case.image], DisplayedAreaSelectionSequence=shown))
        assert picture.shape == (ROWS, COLUMNS)
        assert any("proportions" in warning for warning in drawn.header["warnings"]) == said


SHUTTERS: dict[str, dict[str, Any]] = {
    "rectangular": {"ShutterShape": "RECTANGULAR"},
    "circular": {"ShutterShape": "CIRCULAR"},
    "polygonal": {"ShutterShape": "POLYGONAL"},
    "two at once": {"ShutterShape": ["RECTANGULAR", "CIRCULAR"]},
    "bitmap": {"ShutterShape": "BITMAP", "ShutterOverlayGroup": 0x6002},
}
SHAPES = {
    "ShutterLeftVerticalEdge": 4, "ShutterRightVerticalEdge": 26, "ShutterUpperHorizontalEdge": 3,
    "ShutterLowerHorizontalEdge": 20, "CenterOfCircularShutter": [11, 14], "RadiusOfCircularShutter": 9,
    "VerticesOfThePolygonalShutter": [2, 2, 6, 30, 23, 25, 14, 14, 22, 3],
}  # fmt: skip


@pytest.mark.parametrize("name", SHUTTERS)
async def test_what_a_shutter_closes_has_its_grey(engine: Engine, tmp_path: Path, name: str) -> None:
    case = Case(tmp_path)
    state = state_dataset([case.image], ShutterPresentationValue=26000, ImageRotation=90, **SHUTTERS[name], **SHAPES)
    bitmap = None
    if name == "bitmap":
        bitmap = RANDOM.random((ROWS, COLUMNS)) > 0.6
        overlay(state, 0x6002, bitmap)
    grey = judge.eight_bits(judge.grey(state, case.stored.astype(np.float64), 12))
    covered = judge.closed(state, ROWS, COLUMNS, bitmap)
    assert 0.05 < covered.mean() < 0.95
    grey[covered] = np.floor(26000 * 255 / 65535 + 0.5)
    picture, drawn = await case.drawn(engine, state)
    assert np.array_equal(picture, judge.spatially(grey, state))
    assert drawn.header["warnings"] == []


@pytest.mark.parametrize("name", SHUTTERS)
async def test_the_shutter_of_an_image_closes_it_until_a_state_is_laid_on(
    engine: Engine, tmp_path: Path, name: str
) -> None:
    """PS3.3 C.7.6.11 and C.7.6.15; a state stands for all that the image says of it (PS3.4 N.2)."""
    case = Case(tmp_path)
    plain, _ = await exact(engine, await engine.open(case.series))
    shut = Case(tmp_path, case.stored, BitsStored=12, HighBit=11, **SHUTTERS[name], **SHAPES)
    shut.image.ShutterPresentationValue = 26000
    bitmap = None
    if name == "bitmap":
        bitmap = RANDOM.random((ROWS, COLUMNS)) > 0.6
        overlay(shut.image, 0x6002, bitmap)
    shut.series = series_of([write(tmp_path / "shut.dcm", shut.image)], version=f"{tmp_path} shut")
    covered = judge.closed(shut.image, ROWS, COLUMNS, bitmap)
    wanted = plain.copy()
    wanted[covered] = np.floor(26000 * 255 / 65535 + 0.5)
    picture, drawn = await exact(engine, await engine.open(shut.series))
    assert np.array_equal(picture, wanted)
    assert drawn.header["warnings"] == []
    state = state_dataset([shut.image])
    opened, _ = await shut.drawn(engine, state)
    assert np.array_equal(opened, judge.eight_bits(judge.grey(state, shut.stored.astype(np.float64), 12)))


async def test_frames_of_an_enhanced_image_have_shutters_of_their_own(engine: Engine, tmp_path: Path) -> None:
    """Frame Display Shutter Sequence (0018,9472): the frame's own, where it has none the shared one."""
    said = [item({"ShutterShape": shape, **SHAPES}) for shape in ("CIRCULAR", "RECTANGULAR")]
    frames = RANDOM.integers(0, 4096, (2, ROWS, COLUMNS)).astype(np.uint16)
    groups = enhanced(2)
    shared, (_, own) = groups["SharedFunctionalGroupsSequence"][0], groups["PerFrameFunctionalGroupsSequence"]
    shared.PixelMeasuresSequence[0].PixelSpacing = [0.5, 0.5]
    plain = series_of([image_file(tmp_path / "plain.dcm", frames, **groups)], version=f"{tmp_path} plain")
    own.FrameDisplayShutterSequence, shared.FrameDisplayShutterSequence = said[:1], said[1:]
    shut = series_of([image_file(tmp_path / "shut.dcm", frames, **groups)], version=f"{tmp_path} shut")
    for frame, shutter in enumerate(said):  # a stack runs head to feet: the last frame first
        wanted, _ = await exact(engine, await engine.open(plain), frame=frame)
        picture, drawn = await exact(engine, await engine.open(shut), frame=frame)
        covered = judge.closed(shutter, ROWS, COLUMNS, None)
        assert 0.05 < covered.mean() < 0.95
        assert np.array_equal(picture, np.where(covered, 0, wanted))
        assert drawn.header["warnings"] == []


async def test_a_shutter_that_is_not_understood_is_named(engine: Engine, tmp_path: Path) -> None:
    _, drawn = await exact(engine, await engine.open(Case(tmp_path, ShutterShape="STARRY").series))
    assert drawn.header["warnings"] == ["a shutter of the image is not applied: its shape is not understood"]


async def test_each_part_is_applied_to_the_images_that_it_names(engine: Engine, tmp_path: Path) -> None:
    stored = RANDOM.integers(0, 256, (4, 8, 9)).astype(np.uint8)
    image = image_dataset(stored, Modality="US")
    first, second = voi(60, 50)[0], voi(190, 30)[0]
    first.ReferencedImageSequence = references([image], [1, 2])
    second.ReferencedImageSequence = references([image], [3])
    state = state_dataset([image], [1, 2, 3], SoftcopyVOILUTSequence=[first, second])
    series = await engine.open(series_of([write(tmp_path / "clip.dcm", image)], version=str(tmp_path)))
    objects = by_uid([object_file(save(state, tmp_path / "state.dcm"))])
    for frame, window in enumerate((first, first, second, None)):
        picture, drawn = await exact(engine, series, objects, presentation_state=state.SOPInstanceUID, frame=frame)
        if window is None:
            assert np.array_equal(picture, stored[frame])
            assert drawn.header["warnings"] == ["the presentation state is not about this image"]
            assert drawn.view.presentation_state is None
            continue
        alone = Dataset()
        alone.SoftcopyVOILUTSequence, alone.PresentationLUTShape = [window], "IDENTITY"
        assert np.array_equal(picture, judge.eight_bits(judge.grey(alone, stored[frame].astype(np.float64), 8)))
        assert drawn.view.window_center == window.WindowCenter


async def test_what_is_no_state_of_this_study_is_refused(engine: Engine, tmp_path: Path) -> None:
    case = Case(tmp_path)
    series = await engine.open(case.series)
    with pytest.raises(BadView, match="presentation_state: there is no such object"):
        await exact(engine, series, {}, presentation_state="1.2.3")
    image = object_file(tmp_path / "image.dcm")
    with pytest.raises(BadView, match="presentation_state: this object is none that can be applied"):
        await exact(engine, series, by_uid([image]), presentation_state=image.index["sop"])


async def test_colours_keep_their_colours_and_it_is_said(engine: Engine, tmp_path: Path) -> None:
    stored = RANDOM.integers(0, 256, (10, 12, 3)).astype(np.uint8)
    image = image_dataset(stored)
    state = state_dataset([image], ImageRotation=180, SoftcopyVOILUTSequence=voi(10, 20))
    series = await engine.open(series_of([write(tmp_path / "image.dcm", image)], version=str(tmp_path)))
    objects = by_uid([object_file(save(state, tmp_path / "state.dcm"))])
    picture, drawn = await exact(engine, series, objects, presentation_state=state.SOPInstanceUID)
    assert np.array_equal(picture, stored[::-1, ::-1])
    assert drawn.header["warnings"] == ["the presentation state's grey values do not apply to colours"]


async def shown_in_a_list(engine: Engine, series: OpenSeries, path: Path) -> list[str]:
    return [state["label"] for state in await engine.presentation_states(series, [object_file(path)])]


async def test_only_states_about_images_of_the_series_are_listed(engine: Engine, tmp_path: Path) -> None:
    case = Case(tmp_path)
    series = await engine.open(case.series)
    assert await shown_in_a_list(engine, series, save(state_dataset([case.image]), tmp_path / "a.dcm")) == ["STATE"]
    stranger = image_dataset(np.zeros((4, 4), np.uint8))
    assert await shown_in_a_list(engine, series, save(state_dataset([stranger]), tmp_path / "b.dcm")) == []
    assert await shown_in_a_list(engine, series, tmp_path / "image.dcm") == []
