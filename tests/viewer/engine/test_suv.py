"""SUV of a real PET series through the engine: told when it is opened, and beside every value that is measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from viewer.dicom.series import SeriesContent
from viewer.engine.engine import Engine
from viewer.rendering.measuring import Shown
from viewer.rendering.view import View

from .series import series_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

FACTOR = 66.2 * 1000.0 / (381470000.0 * 0.5 ** (5024.678 / 6586.2))


@pytest.fixture(scope="module")
def slices(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "series" / "pet_body").glob("*.dcm"))[40:50]


@pytest.fixture(scope="module")
def pet(slices: list[Path]) -> SeriesContent:
    return series_of(slices)


async def test_opening_a_pet_tells_the_factor_and_its_inputs(
    engine: Engine, pet: SeriesContent, chest: SeriesContent
) -> None:
    told = (await engine.open(pet)).opened(View())
    assert told["unit"] == "BQML"
    assert told["suv"]["unit"] == "g/ml"
    assert told["suv"]["factor"] == pytest.approx(FACTOR)
    assert told["suv"]["inputs"]["patient_weight_kg"] == 66.2
    assert (await engine.open(chest)).opened(View())["suv"] is None


async def test_regions_and_points_of_a_pet_are_measured_in_suv_too(
    engine: Engine, pet: SeriesContent, slices: list[Path]
) -> None:
    said = pydicom.dcmread(slices[3])
    values = said.pixel_array.astype(float) * float(said.RescaleSlope)
    row, column = (int(n) for n in np.unravel_index(np.argmax(values[10:-10, 10:-10]), values[10:-10, 10:-10].shape))
    row, column = row + 10, column + 10
    series = await engine.open(pet)
    view = View.from_json({"sop_instance_uid": said.SOPInstanceUID, "zoom": "native", "size": list(values.shape)})
    view = await engine.resolve(series, view)
    shown = Shown(view, *values.shape, None)
    box = values[row - 3 : row + 4, column - 3 : column + 4]
    corners = [(column - 3.4, row - 3.4), (column + 3.4, row + 3.4)]
    found = (await engine.measure(series, "rectangle", corners, shown))["values"]
    assert found["max"]["value"] == pytest.approx(box.max())
    assert found["max"]["unit"] == "BQML"
    for name, wanted in (("max", box.max()), ("min", box.min()), ("mean", box.mean()), ("sd", box.std())):
        assert found[f"suv_{name}"]["value"] == pytest.approx(wanted * FACTOR, rel=1e-9)
        assert found[f"suv_{name}"]["unit"] == "g/ml"
    assert found["suv_max"]["inputs"]["half_life_s"] == 6586.2
    point = (await engine.measure(series, "probe", [(column, row)], shown))["values"]
    assert point["suv"]["value"] == pytest.approx(box.max() * FACTOR)


async def test_a_plane_through_the_volume_measures_suv_as_well(engine: Engine, pet: SeriesContent) -> None:
    series = await engine.open(pet)
    drawn = await engine.draw(series, View.from_json({"plane": "coronal", "size": [64, 64]}), "image/png")
    assert drawn.picture is not None
    shown = Shown(drawn.view, 64, 64, drawn.picture.picture.geometry)
    found = (await engine.measure(series, "probe", [(32, 32)], shown))["values"]
    assert found["suv"]["value"] == pytest.approx(found["value"]["value"] * FACTOR)
