"""Drawings of presentation states come as vectors, in pixels of the picture that they came with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from tests.viewer.dicom.making import image_dataset, item, write
from tests.viewer.dicom.states import overlay, references, save, state_dataset
from viewer.engine.engine import Engine, by_uid

from .objects import exact, object_file
from .series import series_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS, COLUMNS = 20, 40


def annotation(layer: str, graphics: list[Dataset] = (), texts: list[Dataset] = (), **more: Any) -> Dataset:  # type: ignore[assignment]
    found = item({"GraphicLayer": layer} | more)
    if graphics:
        found.GraphicObjectSequence = list(graphics)
    if texts:
        found.TextObjectSequence = list(texts)
    return found


def graphic(kind: str, data: list[float], units: str = "PIXEL", filled: str = "N", **more: Any) -> Dataset:
    known = {"GraphicAnnotationUnits": units, "GraphicDimensions": 2, "NumberOfGraphicPoints": len(data) // 2}
    known |= {"GraphicData": data, "GraphicType": kind, "GraphicFilled": filled}
    return item(known | more)


def text(words: str, **more: Any) -> Dataset:
    return item({"UnformattedTextValue": words} | more)


async def drawn(engine: Engine, folder: Path, state: Dataset, image: Dataset, **view: Any) -> dict[str, Any]:
    series = await engine.open(series_of([write(folder / "image.dcm", image)], version=str(folder)))
    objects = by_uid([object_file(save(state, folder / "state.dcm"))])
    _, picture = await exact(engine, series, objects, presentation_state=state.SOPInstanceUID, **view)
    return picture.header


async def test_points_lie_on_the_voxels_that_they_name(engine: Engine, tmp_path: Path) -> None:
    """0\\0 in the file is the corner of the first pixel: the centre of voxel (row 3, column 5) is 5.5\\3.5."""
    image = image_dataset(np.zeros((ROWS, COLUMNS), np.uint8))
    state = state_dataset([image], GraphicAnnotationSequence=[annotation("L", [graphic("POINT", [5.5, 3.5])])])
    header = await drawn(engine, tmp_path, state, image)
    assert header["graphics"] == [
        {"kind": "point", "points": [[5.0, 3.0]], "filled": False, "layer": "L", "color": None}
    ]  # fmt: skip
    header = await drawn(
        engine, tmp_path, state, image, rotation=90, zoom=2, size=[90, 70], pan=[0.1, 0], flip_vertical=True
    )
    placement = header["placement"]
    (column, row) = header["graphics"][0]["points"][0]
    there = np.array(placement["first"]) + column * np.array(placement["across"]) + row * np.array(placement["down"])
    assert np.allclose(there, [5, 3])


async def test_fractions_of_the_displayed_area_follow_what_is_shown(engine: Engine, tmp_path: Path) -> None:
    """From its top left as it is seen, after rotation."""
    image = image_dataset(np.zeros((ROWS, COLUMNS), np.uint8))
    area = item(
        {
            "DisplayedAreaTopLeftHandCorner": [11, 14], "DisplayedAreaBottomRightHandCorner": [20, 5],
            "PresentationSizeMode": "SCALE TO FIT",
        }
    )  # fmt: skip
    lines = graphic("POLYLINE", [0.0, 0.0, 1.0, 0.0, 0.5, 1.0], "DISPLAY")
    state = state_dataset(
        [image], ImageRotation=270, DisplayedAreaSelectionSequence=[area],
        GraphicAnnotationSequence=[annotation("L", [lines])],
    )  # fmt: skip
    header = await drawn(engine, tmp_path, state, image)
    assert (header["rows"], header["columns"]) == (10, 10)
    assert header["graphics"][0]["points"] == [[-0.5, -0.5], [9.5, -0.5], [4.5, 9.5]]


async def test_all_kinds_come_in_the_order_of_their_layers_with_recommended_colours(
    engine: Engine, tmp_path: Path
) -> None:
    image = image_dataset(np.zeros((ROWS, COLUMNS), np.uint8))
    layers = [
        item({"GraphicLayer": "UNDER", "GraphicLayerOrder": 2, "GraphicLayerRecommendedDisplayGrayscaleValue": 65535}),
        item({"GraphicLayer": "FIRST", "GraphicLayerOrder": 1}),
    ]
    # L* 100, a* 0, b* 0 is white (C.10.7.1.1).
    layers[1].GraphicLayerRecommendedDisplayCIELabValue = [65535, 0x8080, 0x8080]
    style = item({"PatternOnColorCIELabValue": [0, 0x8080, 0x8080]})
    words = text(
        "first line\r\nsecond", BoundingBoxAnnotationUnits="DISPLAY", BoundingBoxTopLeftHandCorner=[0.25, 0.5],
        BoundingBoxBottomRightHandCorner=[0.75, 1.0], BoundingBoxTextHorizontalJustification="CENTER",
    )  # fmt: skip
    pinned = text("here", AnchorPoint=[10.5, 10.5], AnchorPointAnnotationUnits="PIXEL", AnchorPointVisibility="Y")
    annotations = [
        annotation("UNDER", [graphic("CIRCLE", [10, 10, 15, 10], filled="Y"), graphic("INTERPOLATED", [1, 1, 2, 3, 4, 1])]),
        annotation(
            "FIRST", [graphic("ELLIPSE", [5, 5, 15, 5, 10, 3, 10, 7], LineStyleSequence=[style])], [words, pinned]
        ),
    ]  # fmt: skip
    state = state_dataset([image], GraphicLayerSequence=layers, GraphicAnnotationSequence=annotations)
    found = (await drawn(engine, tmp_path, state, image))["graphics"]
    assert [(one["kind"], one["layer"], one["color"]) for one in found] == [
        ("ellipse", "FIRST", "#000000"), ("text", "FIRST", "#ffffff"), ("text", "FIRST", "#ffffff"),
        ("circle", "UNDER", "#ffffff"), ("interpolated", "UNDER", "#ffffff"),
    ]  # fmt: skip
    assert found[3]["filled"]
    assert found[3]["points"] == [[9.5, 9.5], [14.5, 9.5]]
    assert found[1]["text"] == "first line\nsecond"
    assert found[1]["points"] == [[9.5, 9.5], [29.5, 19.5]]
    assert (found[1]["justification"], found[1]["anchor"]) == ("center", None)
    assert (found[2]["points"], found[2]["anchor"], found[2]["anchor_visible"]) == ([], [10.0, 10.0], True)


async def test_a_drawing_is_seen_on_the_images_that_it_names(engine: Engine, tmp_path: Path) -> None:
    image = image_dataset(np.zeros((3, ROWS, COLUMNS), np.uint8), Modality="US")
    second = annotation("L", [graphic("POINT", [1, 1])], ReferencedImageSequence=references([image], [2]))
    every = annotation("L", [graphic("POINT", [9, 9])])
    state = state_dataset([image], GraphicAnnotationSequence=[second, every])
    counts = [len((await drawn(engine, tmp_path, state, image, frame=frame))["graphics"]) for frame in range(3)]
    assert counts == [1, 2, 1]


async def test_compound_drawings_are_drawn_where_nothing_plainer_stands_for_them(
    engine: Engine, tmp_path: Path
) -> None:
    image = image_dataset(np.zeros((ROWS, COLUMNS), np.uint8))

    def compound(kind: str, number: int, data: list[float]) -> Dataset:
        return item(
            {
                "CompoundGraphicInstanceID": number, "CompoundGraphicUnits": "PIXEL", "CompoundGraphicType": kind,
                "GraphicDimensions": 2, "NumberOfGraphicPoints": len(data) // 2, "GraphicData": data, "GraphicFilled": "N",
            }
        )  # fmt: skip

    one = annotation("L", [graphic("POLYLINE", [1, 1, 2, 2], CompoundGraphicInstanceID=1)])
    one.CompoundGraphicSequence = [
        compound("ARROW", 1, [1, 1, 2, 2]), compound("RECTANGLE", 2, [2, 2, 8, 2, 8, 6, 2, 6]),
        compound("CUTLINE", 3, [1, 1, 2, 2]),
    ]  # fmt: skip
    header = await drawn(engine, tmp_path, state_dataset([image], GraphicAnnotationSequence=[one]), image)
    assert [graphic["kind"] for graphic in header["graphics"]] == ["polyline", "polyline"]
    assert header["graphics"][1]["points"] == [[1.5, 1.5], [7.5, 1.5], [7.5, 5.5], [1.5, 5.5], [1.5, 1.5]]
    assert header["warnings"] == ["a drawing of the presentation state is left out: CUTLINE"]


async def test_without_a_state_there_are_no_drawings_and_never_in_the_pixels(engine: Engine, tmp_path: Path) -> None:
    image = image_dataset(np.full((ROWS, COLUMNS), 77, np.uint8))
    state = state_dataset([image], GraphicAnnotationSequence=[annotation("L", [graphic("POLYLINE", [0, 0, 40, 20])])])
    series = await engine.open(series_of([write(tmp_path / "image.dcm", image)], version=str(tmp_path)))
    objects = by_uid([object_file(save(state, tmp_path / "state.dcm"))])
    plain, bare = await exact(engine, series)
    assert bare.header["graphics"] is None
    dressed, _ = await exact(engine, series, objects, presentation_state=state.SOPInstanceUID)
    assert np.array_equal(plain, dressed)


async def test_a_state_shows_the_overlays_that_it_activates(engine: Engine, tmp_path: Path) -> None:
    """Its own, and those of the image; not those without a layer."""
    image = image_dataset(np.full((ROWS, COLUMNS), 77, np.uint8))
    places = {0x6000: (2, 3), 0x6002: (9, 9), 0x6004: (15, 30), 0x6006: (17, 5)}
    bits = {group: np.zeros((ROWS, COLUMNS), bool) for group in places}
    for group, place in places.items():
        bits[group][place] = True
    overlay(image, 0x6000, bits[0x6000])
    overlay(image, 0x6002, bits[0x6002])
    state = state_dataset([image])
    state.add_new(0x60001001, "CS", "L")
    overlay(state, 0x6004, bits[0x6004], layer="L")
    overlay(state, 0x6006, bits[0x6006])
    series = await engine.open(series_of([write(tmp_path / "image.dcm", image)], version=str(tmp_path)))
    objects = by_uid([object_file(save(state, tmp_path / "state.dcm"))])
    picture, _ = await exact(engine, series, objects, presentation_state=state.SOPInstanceUID)
    assert {group for group, place in places.items() if picture[place] != 77} == {0x6000, 0x6004}
