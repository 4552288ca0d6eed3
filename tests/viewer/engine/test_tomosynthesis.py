"""A breast tomosynthesis object (enhanced multi-frame) makes a volume, and slabs of it are the greatest of their slices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import BreastTomosynthesisImageStorage

from tests.viewer.dicom.making import image_dataset, item, write
from viewer.engine.engine import Engine
from viewer.rendering.view import View

from .objects import exact
from .series import series_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_slab_of_a_tomosynthesis_is_the_greatest_of_its_slices(engine: Engine, tmp_path: Path) -> None:
    slices = np.random.default_rng(3).integers(0, 1024, (20, 40, 32)).astype(np.uint16)
    plane = item({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]})
    measures = item({"PixelSpacing": [0.5, 0.5], "SliceThickness": "1"})
    made = image_dataset(
        slices, SOPClassUID=BreastTomosynthesisImageStorage, Modality="MG", FrameOfReferenceUID="1.9",
        BitsStored=10, HighBit=9,
        SharedFunctionalGroupsSequence=[item({"PlaneOrientationSequence": [plane], "PixelMeasuresSequence": [measures]})],
        PerFrameFunctionalGroupsSequence=[
            item({"PlanePositionSequence": [item({"ImagePositionPatient": [float(number), 0, 0]})]}) for number in range(20)
        ],
    )  # fmt: skip
    series = await engine.open(series_of([write(tmp_path / "tomo.dcm", made)], version=str(tmp_path)))
    told = series.opened(View())
    assert told["geometry_reason"] is None
    assert "mip" in told["projections"]
    picture, _ = await exact(
        engine,
        series,
        projection="mip",
        slab_thickness=6,
        frame=8,
        zoom="native",
        window_center=512.5,
        window_width=1024,
    )
    greatest = slices[5:12].max(axis=0).astype(np.float64)
    assert np.abs(picture - ((greatest - 512) / 1023 + 0.5) * 255).max() <= 1
