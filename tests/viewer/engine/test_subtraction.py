"""Subtraction of a mask, from files to pictures, to the grey, against NumPy written from PS3.3 C.7.6.10."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import EnhancedXAImageStorage, XAXRFGrayscaleSoftcopyPresentationStateStorage

from tests.viewer.dicom.making import image_dataset, item, sources_of, write
from tests.viewer.dicom.states import save, state_dataset
from viewer.dicom.decode import load_frame
from viewer.engine.engine import Engine, OpenSeries, by_uid
from viewer.rendering.view import BadView

from .objects import exact, object_file
from .series import series_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

RANDOM = np.random.default_rng(6100)
ROWS, COLUMNS, FRAMES = 17, 23, 9
STORED = RANDOM.integers(0, 4096, (FRAMES, ROWS, COLUMNS)).astype(np.uint16)
WINDOW = {"window_center": 30.5, "window_width": 900.0, "voi_lut_function": "LINEAR_EXACT"}

EDGES = ("LeftVerticalEdge", "RightVerticalEdge", "UpperHorizontalEdge", "LowerHorizontalEdge")

Float = NDArray[np.float64]


def grey(difference: Float, center: float = 30.5, width: float = 900.0) -> NDArray[np.uint8]:
    """LINEAR_EXACT to 8 bits, black where nothing is."""
    y = np.clip(((difference - center) / width + 0.5) * 255.0, 0.0, 255.0)
    return np.floor(np.where(np.isnan(y), 0.0, y) + 0.5).astype(np.uint8)


def logarithm(values: Float, bits: int = 12) -> Float:
    most = 2.0**bits - 1
    return most * np.log(1.0 + values) / np.log(1.0 + most)


def moved(values: Float, right: float, down: float) -> Float:
    """Pixel by pixel: what comes to lie on (row, column) is what was (down, right) before it; nothing from outside."""
    found = np.full(values.shape, np.nan)
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            r, c = row - down, column - right
            if not (0 <= r <= values.shape[0] - 1 and 0 <= c <= values.shape[1] - 1):
                continue
            total = 0.0
            for i, a in ((int(np.floor(r)), 1 - r % 1), (int(np.floor(r)) + 1, r % 1)):
                for j, b in ((int(np.floor(c)), 1 - c % 1), (int(np.floor(c)) + 1, c % 1)):
                    total += a * b * values[i, j] if a * b else 0.0
            found[row, column] = total
    return found


def clip(relationship: str | None = "LOG", items: list[dict[str, Any]] | None = None, **more: Any) -> Dataset:
    dataset = image_dataset(
        STORED, Modality="XA", BitsStored=12, HighBit=11, PixelIntensityRelationship=relationship, **more
    )
    if items is not None:
        dataset.MaskSubtractionSequence = [item(one) for one in items]
        dataset.RecommendedViewingMode = "SUB"
    return dataset


async def opened(engine: Engine, folder: Path, dataset: Dataset) -> OpenSeries:
    return await engine.open(series_of([write(folder / "clip.dcm", dataset)], version=str(folder)))


@pytest.mark.parametrize("relationship", ["LOG", "DISP", None])
async def test_a_chosen_frame_is_subtracted_as_it_is_stored(
    engine: Engine, tmp_path: Path, relationship: str | None
) -> None:
    series = await opened(engine, tmp_path, clip(relationship))
    picture, drawn = await exact(engine, series, frame=4, mask={"frame": 2}, **WINDOW)
    assert np.array_equal(picture, grey(STORED[4].astype(np.float64) - STORED[2]))
    assert drawn.header["subtraction"] == {"frames": [2], "shift": [0.0, 0.0], "logarithmic": False}
    assert drawn.header["view"]["mask"] == {"frame": 2, "shift": [0.0, 0.0]}


async def test_what_is_in_proportion_to_the_intensity_is_subtracted_after_the_logarithm(
    engine: Engine, tmp_path: Path
) -> None:
    series = await opened(engine, tmp_path, clip("LIN"))
    picture, drawn = await exact(engine, series, frame=4, mask={"frame": 2}, **WINDOW)
    logs = logarithm(STORED.astype(np.float64))
    assert np.array_equal(picture, grey(logs[4] - logs[2]))
    assert drawn.header["subtraction"]["logarithmic"]


async def test_where_more_is_less_intensity_the_logarithm_is_that_of_the_rest(engine: Engine, tmp_path: Path) -> None:
    series = await opened(engine, tmp_path, clip("LIN", PixelIntensityRelationshipSign=-1))
    picture, _ = await exact(engine, series, frame=4, mask={"frame": 2}, **WINDOW)
    logs = -logarithm(4095.0 - STORED)
    assert np.array_equal(picture, grey(logs[4] - logs[2]))


@pytest.mark.parametrize("shift", [[3, 0], [0, -2], [-1.25, 2.5], [0.5, 0.5], [40, 0]])
async def test_the_mask_is_moved_before(engine: Engine, tmp_path: Path, shift: list[float]) -> None:
    """Where it does not reach there is no image."""
    series = await opened(engine, tmp_path, clip())
    picture, drawn = await exact(engine, series, frame=4, mask={"frame": 2, "shift": shift}, **WINDOW)
    assert np.array_equal(picture, grey(STORED[4] - moved(STORED[2].astype(np.float64), *shift)))
    assert drawn.header["subtraction"]["shift"] == shift


AVERAGED = {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [1, 3]}


@pytest.mark.parametrize("asked", [{}, {"frame": None}, {"frame": None, "shift": None}])
async def test_the_files_own_mask_is_averaged_moved_and_subtracted_from_averaged_frames(
    engine: Engine, tmp_path: Path, asked: dict[str, Any]
) -> None:
    own = AVERAGED | {
        "ContrastFrameAveraging": 3,
        "MaskSubPixelShift": [1.5, -0.5],
        "ApplicableFrameRange": [4, 6, 9, 9],
    }
    series = await opened(engine, tmp_path, clip(items=[own]))
    values = STORED.astype(np.float64)
    mask = moved((values[0] + values[2]) / 2, 0.5, 1.5)  # stored as (down, to the left)
    for frame, averaged in ((3, values[3:6]), (5, values[5:8]), (8, values[8:9])):
        picture, drawn = await exact(engine, series, frame=frame, mask=asked, **WINDOW)
        assert np.array_equal(picture, grey(averaged.mean(axis=0) - mask))
        assert drawn.header["subtraction"] == {"frames": [0, 2], "shift": [0.5, 1.5], "logarithmic": False}
        assert drawn.header["view"]["mask"] == {"frame": None, "shift": None}
    plain, _ = await exact(engine, series, frame=1)
    picture, drawn = await exact(engine, series, frame=1, mask=asked)
    assert np.array_equal(picture, plain)
    assert drawn.header["view"]["mask"] is None
    assert any("does not reach this image" in warning for warning in drawn.header["warnings"])
    assert series.opened(drawn.view)["mask_frames"] == [0, 2]


async def test_another_shift_of_the_files_own_mask(engine: Engine, tmp_path: Path) -> None:
    series = await opened(engine, tmp_path, clip(items=[AVERAGED | {"MaskSubPixelShift": [1.5, -0.5]}]))
    values = STORED.astype(np.float64)
    picture, _ = await exact(engine, series, frame=6, mask={"shift": [2, 0]}, **WINDOW)
    assert np.array_equal(picture, grey(values[6] - moved((values[0] + values[2]) / 2, 2, 0)))


async def test_differences_in_time_take_the_frame_before(engine: Engine, tmp_path: Path) -> None:
    series = await opened(engine, tmp_path, clip(items=[{"MaskOperation": "TID", "TIDOffset": 2}]))
    picture, drawn = await exact(engine, series, frame=5, mask={}, **WINDOW)
    assert np.array_equal(picture, grey(STORED[5].astype(np.float64) - STORED[3]))
    _, drawn = await exact(engine, series, frame=1, mask={})
    assert drawn.header["subtraction"] is None  # there is no frame before it


async def test_reversed_differences_run_away_from_their_first_frame(engine: Engine, tmp_path: Path) -> None:
    own = {"MaskOperation": "REV_TID", "TIDOffset": 1, "ApplicableFrameRange": [5, 9]}
    series = await opened(engine, tmp_path, clip(items=[own]))
    for frame, mask in ((4, 3), (5, 2), (6, 1)):  # frame 5 takes 4, frame 6 takes 3, counted from 1
        _, drawn = await exact(engine, series, frame=frame, mask={}, **WINDOW)
        assert drawn.header["subtraction"]["frames"] == [mask]


async def test_each_range_has_its_own_mask(engine: Engine, tmp_path: Path) -> None:
    first = {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": 1, "ApplicableFrameRange": [2, 4]}
    second = {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": 5, "ApplicableFrameRange": [6, 9]}
    series = await opened(engine, tmp_path, clip(items=[{"MaskOperation": "NONE"}, first, second]))
    for frame, mask in ((1, [0]), (3, [0]), (5, [4]), (8, [4])):
        _, drawn = await exact(engine, series, frame=frame, mask={})
        assert drawn.header["subtraction"]["frames"] == mask


async def test_a_clip_that_names_no_mask_begins_with_its_first_frame(engine: Engine, tmp_path: Path) -> None:
    series = await opened(engine, tmp_path, clip())
    _, drawn = await exact(engine, series, frame=4, mask={})
    assert drawn.header["view"]["mask"] == {"frame": 0, "shift": [0.0, 0.0]}
    assert series.opened(drawn.view)["mask_frames"] == []


async def test_the_window_of_differences_is_the_same_for_all_frames_of_a_mask(engine: Engine, tmp_path: Path) -> None:
    """The mask's own difference is nothing, and must not make a window of nothing."""
    series = await opened(engine, tmp_path, clip())
    windows = []
    for frame in (0, 4, 8):
        _, drawn = await exact(engine, series, frame=frame, mask={})
        windows.append((drawn.view.window_center, drawn.view.window_width))
    assert windows[0] == windows[1] == windows[2]
    low, high = np.percentile(STORED[0], (0.5, 99.5))
    assert windows[0] == (0.0, pytest.approx((high - low) / 2))


async def test_padding_of_either_frame_is_no_image(engine: Engine, tmp_path: Path) -> None:
    series = await opened(engine, tmp_path, clip(PixelPaddingValue=int(STORED[4, 3, 3])))
    picture, _ = await exact(engine, series, frame=4, mask={"frame": 2}, **WINDOW)
    padded = (STORED[4] == STORED[4, 3, 3]) | (STORED[2] == STORED[4, 3, 3])
    assert np.array_equal(picture, grey(np.where(padded, np.nan, STORED[4].astype(np.float64) - STORED[2])))


async def test_masks_that_cannot_be_are_refused(engine: Engine, tmp_path: Path) -> None:
    series = await opened(engine, tmp_path, clip())
    with pytest.raises(BadView, match="mask frame: this stack has 9"):
        await exact(engine, series, mask={"frame": 9})
    (tmp_path / "still").mkdir()
    still = await opened(engine, tmp_path / "still", image_dataset(STORED[0]))
    with pytest.raises(BadView, match="mask: only the images of a clip"):
        await exact(engine, still, mask={})
    (tmp_path / "colour").mkdir()
    colours = RANDOM.integers(0, 256, (3, 8, 9, 3)).astype(np.uint8)
    dataset = image_dataset(colours[0], Modality="US", NumberOfFrames=3, PixelData=colours.tobytes())
    coloured = await opened(engine, tmp_path / "colour", dataset)
    with pytest.raises(BadView, match="mask: colours are not subtracted"):
        await exact(engine, coloured, mask={"frame": 1})


async def test_a_presentation_state_may_ask_for_subtraction(engine: Engine, tmp_path: Path) -> None:
    """With its own window for the differences (C.11.13)."""
    image = clip()
    voi = [item({"WindowCenter": "100", "WindowWidth": "801"})]
    state = state_dataset([image], SoftcopyVOILUTSequence=voi, RecommendedViewingMode="SUB")
    averaged = {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [1, 2], "ContrastFrameAveraging": 1}
    state.MaskSubtractionSequence = [item(averaged)]
    series = await opened(engine, tmp_path, image)
    objects = by_uid([object_file(save(state, tmp_path / "state.dcm"))])
    picture, drawn = await exact(engine, series, objects, presentation_state=state.SOPInstanceUID, frame=6)
    assert np.array_equal(picture, grey(STORED[6] - STORED[:2].mean(axis=0), 99.5, 800))
    assert drawn.header["subtraction"]["frames"] == [0, 1]


def enhanced(relationship: str = "LOG", shared: list[dict[str, Any]] | None = None) -> Dataset:
    """An enhanced angiogram of two subtractions, whose frames each say how far the mask is moved for them: frame n by
    (n / 2 down, n / 4 to the left) for subtraction 100, by another shift for 7; frame 6 says nothing."""
    items = [
        {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": 1, "ApplicableFrameRange": [2, 6], "SubtractionItemID": 100},
        {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": 2, "ApplicableFrameRange": [7, 9], "SubtractionItemID": 7},
    ]
    dataset = clip(None, items, SOPClassUID=EnhancedXAImageStorage)
    properties = item({"PixelIntensityRelationship": relationship, "PixelIntensityRelationshipSign": 1})
    properties.ImagerPixelSpacing = [0.3, 0.3]
    dataset.SharedFunctionalGroupsSequence = [item({"FramePixelDataPropertiesSequence": [properties]})]
    if shared:
        dataset.SharedFunctionalGroupsSequence[0].FramePixelShiftSequence = [item(one) for one in shared]
    dataset.PerFrameFunctionalGroupsSequence = [item({}) for _ in range(FRAMES)]
    for number, group in enumerate(dataset.PerFrameFunctionalGroupsSequence, 1):
        if number != 6 and not shared:
            group.FramePixelShiftSequence = [
                item({"SubtractionItemID": 7, "MaskSubPixelShift": [-1.0, number / 2]}),
                item({"SubtractionItemID": 100, "MaskSubPixelShift": [number / 2, number / 4]}),
            ]
    return dataset


@pytest.mark.parametrize("relationship", ["LOG", "LIN"])
async def test_each_frame_of_an_enhanced_angiogram_moves_the_mask_its_own_way(
    engine: Engine, tmp_path: Path, relationship: str
) -> None:
    """C.7.6.16.2.14; what values stand for is said in a functional group too (C.8.19.6.4)."""
    series = await opened(engine, tmp_path, enhanced(relationship))
    values = STORED.astype(np.float64)
    space = logarithm if relationship == "LIN" else np.asarray
    for number, mask, shift in ((2, 0, (-0.5, 1.0)), (5, 0, (-1.25, 2.5)), (6, 0, (0.0, 0.0)), (9, 1, (-4.5, -1.0))):
        picture, drawn = await exact(engine, series, frame=number - 1, mask={}, **WINDOW)
        expected = space(values[number - 1]) - space(moved(values[mask], *shift))
        assert np.array_equal(picture, grey(expected))
        assert drawn.header["subtraction"]["shift"] == list(shift)
        assert drawn.header["subtraction"]["logarithmic"] == (relationship == "LIN")
    assert series.stacks[0].frames[0].group["spacing_source"] == "at the detector (Imager Pixel Spacing)"


async def test_a_shift_that_all_frames_share_is_that_of_its_subtraction(engine: Engine, tmp_path: Path) -> None:
    series = await opened(
        engine, tmp_path, enhanced(shared=[{"SubtractionItemID": 7, "MaskSubPixelShift": [1.0, -2.0]}])
    )
    values = STORED.astype(np.float64)
    for frame, mask, shift in ((3, 0, (0.0, 0.0)), (7, 1, (2.0, 1.0))):
        picture, _ = await exact(engine, series, frame=frame, mask={}, **WINDOW)
        assert np.array_equal(picture, grey(values[frame] - moved(values[mask], *shift)))


def angiogram_state(image: Dataset, shifts: list[Dataset], **more: Any) -> Dataset:
    state = state_dataset([image], SOPClassUID=XAXRFGrayscaleSoftcopyPresentationStateStorage, **more)
    averaged = {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": 1, "ApplicableFrameRange": [2, 9]}
    state.MaskSubtractionSequence = [item(averaged | {"PixelShiftSequence": shifts})]
    voi = [item({"WindowCenter": "30.5", "WindowWidth": "900", "VOILUTFunction": "LINEAR_EXACT"})]
    state.SoftcopyVOILUTSequence = voi
    return state


def region(shift: list[float], vertices: list[int] | None = None) -> Dataset:
    said = item({"MaskSubPixelShift": shift})
    if vertices is not None:
        said.VerticesOfTheRegion = vertices
    return said


async def test_a_state_for_angiograms_moves_the_mask_region_by_region(engine: Engine, tmp_path: Path) -> None:
    """C.11.19.1.2: the last region that holds a pixel counts, and outside all of them the mask is not moved."""
    rectangle = region([1.5, -0.5], [3, 2, 3, 12, 12, 12, 12, 2])
    triangle = region([0.0, 3.0], [8, 10, 8, 20, 16, 15])
    everywhere = region([-2.0, 1.0])
    first = item({"PixelShiftFrameRange": [2, 4, 6, 6], "RegionPixelShiftSequence": [rectangle, triangle]})
    second = item({"PixelShiftFrameRange": [7, 7], "RegionPixelShiftSequence": [everywhere]})
    image = clip()
    state = angiogram_state(image, [first, second])
    series = await opened(engine, tmp_path, image)
    objects = by_uid([object_file(save(state, tmp_path / "state.dcm"))])
    values = STORED.astype(np.float64)
    expected = values[0].copy()
    one, other = moved(values[0], 0.5, 1.5), moved(values[0], -3.0, 0.0)
    for row in range(1, ROWS + 1):
        for column in range(1, COLUMNS + 1):
            if 3 <= row <= 12 and 2 <= column <= 12:
                expected[row - 1, column - 1] = one[row - 1, column - 1]
            # Its sides run from (8, 10) and from (8, 20) to (16, 15).
            if 8 <= row <= 16 and 8 * (column - 10) >= 5 * (row - 8) and 8 * (20 - column) >= 5 * (row - 8):
                expected[row - 1, column - 1] = other[row - 1, column - 1]
    for number, mask, regions in (
        (2, expected, 2),
        (6, expected, 2),
        (7, moved(values[0], -1.0, -2.0), 1),
        (8, values[0], 0),
    ):
        picture, drawn = await exact(engine, series, objects, presentation_state=state.SOPInstanceUID, frame=number - 1)
        assert np.array_equal(picture, grey(values[number - 1] - mask)), number
        assert drawn.header["subtraction"].get("regions", 0) == regions


async def test_a_state_for_angiograms_shuts_frame_by_frame_and_names_what_is_not_applied(
    engine: Engine, tmp_path: Path
) -> None:
    image = clip()
    about = {
        "ReferencedSOPClassUID": image.SOPClassUID,
        "ReferencedSOPInstanceUID": image.SOPInstanceUID,
        "ReferencedFrameNumber": [3, 4],
    }
    edges = {f"Shutter{edge}": place for edge, place in zip(EDGES, (1, 5, 1, ROWS), strict=True)}
    shutter = item({"ReferencedImageSequence": [item(about)], "ShutterShape": "RECTANGULAR", **edges})
    state = angiogram_state(
        image,
        [],
        FrameDisplayShutterSequence=[shutter],
        MultiFramePresentationSequence=[item({"PreferredPlaybackSequencing": 1})],
    )
    series = await opened(engine, tmp_path, image)
    objects = by_uid([object_file(save(state, tmp_path / "state.dcm"))])
    values = STORED.astype(np.float64)
    for frame, shut in ((2, True), (6, False)):
        picture, drawn = await exact(engine, series, objects, presentation_state=state.SOPInstanceUID, frame=frame)
        expected = grey(values[frame] - values[0])
        expected[:, 5:] = 0 if shut else expected[:, 5:]
        assert np.array_equal(picture, expected)
        assert drawn.header["warnings"] == ["how the presentation state plays and filters a clip is not applied"]


async def test_a_real_coronary_angiogram(engine: Engine, shared_data: Path) -> None:
    """96 frames, JPEG, proportional to the intensity. The vessel is darker than the mask, the rest is mid grey."""
    path = shared_data / "cine" / "XA_rubo_96f_jpeg.dcm"
    assert pydicom.dcmread(path, stop_before_pixels=True).PixelIntensityRelationship == "LIN"
    series = await engine.open(series_of([path]))
    picture, drawn = await exact(engine, series, frame=40, mask={})
    sources = sources_of(path)
    values = [load_frame(sources[frame]).values.astype(np.float64) for frame in (40, 0)]
    difference = logarithm(values[0], 8) - logarithm(values[1], 8)
    assert np.array_equal(picture, grey(difference, 0.0, drawn.view.window_width))
    assert abs(float(np.median(picture)) - 128) < 25
    vessel = picture[150:400, 80:130]
    assert (vessel < 100).mean() > 0.03
