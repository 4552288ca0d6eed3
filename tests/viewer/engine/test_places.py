"""Where frames lie along their normal: held against the headers of real series, read by pydicom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from tests.viewer.engine.series import series_of
from viewer.engine.series import open_series
from viewer.rendering.view import View

SERIES = {
    "ct_chest_lidc0314_jpegls": 216.0,
    "ct_head_gantry_tilt_ge_jpll": 144.088,
    "mr_head_sag_HFDR": 163.2,
    "pet_body": 445.5,
}
"""Folder, and mm from its first to its last image as shared/data/MANIFEST.md says."""


@pytest.mark.parametrize("name", SERIES)
def test_every_frame_lies_where_its_header_says(shared_data: Path, name: str) -> None:
    files = sorted((shared_data / "series" / name).glob("*.dcm"))
    series = open_series(series_of(files))
    [told] = series.opened(View())["stacks"]
    places = told["places"]
    direction = np.array(places["direction"])
    count = told["frames"]
    along = np.array(places["mm"]) if "mm" in places else places["first"] + places["step"] * np.arange(count)
    assert np.linalg.norm(direction) == pytest.approx(1)
    assert along[-1] - along[0] == pytest.approx(SERIES[name], abs=0.02)
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in files]
    by_uid = {str(d.SOPInstanceUID): np.array(d.ImagePositionPatient, float) for d in headers}
    for place, source in zip(along, series.stacks[0].frames, strict=True):
        assert place == pytest.approx(float(by_uid[source.sop_instance_uid] @ direction), abs=0.011)
    cosines = np.array(headers[0].ImageOrientationPatient, float)
    assert abs(cosines[:3] @ direction) < 1e-6
    assert abs(cosines[3:] @ direction) < 1e-6


def test_uneven_steps_are_told_one_by_one(shared_data: Path) -> None:
    files = (shared_data / "series" / "ct_head_gantry_tilt_ge_jpll").glob("*.dcm")
    [told] = open_series(series_of(files)).opened(View())["stacks"]
    assert len(told["places"]["mm"]) == told["frames"] == 28
    assert sorted({round(float(step), 1) for step in np.diff(told["places"]["mm"])}) == [1.1, 4.0, 7.0]


def test_the_frame_of_reference_is_that_of_the_file(shared_data: Path) -> None:
    files = sorted((shared_data / "series" / "pet_body").glob("*.dcm"))
    [told] = open_series(series_of(files[:3])).opened(View())["stacks"]
    assert told["frame_of_reference_uid"] == str(pydicom.dcmread(files[0]).FrameOfReferenceUID)


def test_images_without_a_position_lie_nowhere(shared_data: Path) -> None:
    [told] = open_series(series_of([shared_data / "cine" / "XA_rubo_96f_jpeg.dcm"])).opened(View())["stacks"]
    assert told["places"] is None
