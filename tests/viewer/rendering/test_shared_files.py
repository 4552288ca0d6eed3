"""Every real file with pixels, read, decoded and drawn by us, equals the judge, who reads its attributes with pydicom."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.pixels import pixel_array

from viewer.dicom.decode import load_frame
from viewer.dicom.errors import DicomError
from viewer.dicom.frames import frame_sources
from viewer.dicom.read import read_instance
from viewer.dicom.series import InstanceFile
from viewer.rendering.presets import presets_for
from viewer.rendering.render import render
from viewer.rendering.view import View
from viewer.rendering.volume import Frame

from . import judge

FOLDERS = [
    "charset", "cine", "colour", "derived", "dicomdir", "enhanced", "malformed", "series/ct_chest_lidc0314_jpegls",
    "series/ct_head_gantry_tilt_ge_jpll", "series/mr_head_sag_HFDR", "series/pet_body", "syntax_ctimage", "syntax_nema",
    "syntax_other", "windows", "xray",
]  # fmt: skip

WITHOUT_IDENTITY = {"HTJ2KLossless_08_RGB.dcm"}
"""Files that no archive takes, because they name no study."""

DECODED_AGAIN = {
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80",
}  # fmt: skip
"""Lossless and fast enough in pydicom: there the judge decodes for himself. Other frames have tests of decoding."""


def frames_of(path: Path) -> list[Frame]:
    """First, middle and last frame of a file; none where it holds no pixels or nothing sound."""
    try:
        parsed = read_instance(path)
        sources = [] if parsed.is_directory else frame_sources(InstanceFile(path, path.name, parsed.index))
        return [load_frame(sources[i]) for i in sorted({0, len(sources) // 2, len(sources) - 1}) if sources]
    except DicomError:
        return []


def files_with_pixels(folder: Path) -> Iterator[tuple[Path, Dataset]]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = dcmread(path, force=True)
        if "PixelData" in dataset:
            yield path, dataset


def stored_values(dataset: Dataset, frame: Frame) -> NDArray[Any]:
    """What the judge takes for stored values: decoded by pydicom where that is lossless, else by us."""
    syntax = getattr(dataset.file_meta, "TransferSyntaxUID", None)
    if syntax not in DECODED_AGAIN or dataset.PhotometricInterpretation == "YBR_FULL_422":
        return frame.values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pixel_array(dataset, index=frame.description.frame_number - 1, raw=True)


def assert_equal(picture: NDArray[np.uint8], expected: NDArray[np.uint8], what: str) -> None:
    assert picture.shape == expected.shape, what
    different = np.count_nonzero(picture != expected)
    assert not different, (
        f"{what}: {different} pixels differ, {picture[picture != expected][:5]} for {expected[picture != expected][:5]}"
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_frame_equals_the_judge(folder: str, shared_data: Path) -> None:
    for path, dataset in files_with_pixels(shared_data / folder):
        frames = frames_of(path)
        assert frames or folder == "malformed" or path.name in WITHOUT_IDENTITY, path
        for frame in frames:
            stored = stored_values(dataset, frame)
            what = f"{path.relative_to(shared_data)} frame {frame.description.frame_number}"
            if frame.values.ndim == 2 and frame.description.palette is None:
                assert_grey_equal(frame, dataset, stored, what)
            else:
                picture = render(frame, View())
                assert picture.sampling == "native"
                assert_equal(
                    picture.pixels, judge.colour_picture(dataset, stored, frame.photometric_interpretation), what
                )


def assert_grey_equal(frame: Frame, dataset: Dataset, stored: NDArray[Any], what: str) -> None:
    number = frame.description.frame_number
    low, high = float(stored.min()), float(stored.max())
    slope, intercept = frame.description.rescale_slope, frame.description.rescale_intercept
    middle, range_ = (low + high) / 2 * slope + intercept, max((high - low) * abs(slope), 1.0)
    views: list[dict[str, Any]] = [
        {},
        {
            "window_center": round(middle),
            "window_width": round(range_ / 2) + 1,
            "voi_lut_function": "LINEAR",
            "inverted": True,
        },
        {"window_center": middle, "window_width": range_, "voi_lut_function": "LINEAR_EXACT"},
        {"window_center": middle, "window_width": range_ / 3, "voi_lut_function": "SIGMOID"},
    ]
    views += [{"preset": preset["name"]} for preset in presets_for(frame.description) if preset["source"] == "file"]
    for view in views:
        picture = render(frame, View.from_json(view))
        resolved = picture.view
        assert picture.sampling == "native"
        if resolved.preset is None:
            assert resolved.window_center is not None
            assert resolved.window_width is not None
            assert resolved.voi_lut_function is not None
            choice: dict[str, Any] = {
                "window": (resolved.window_center, resolved.window_width, resolved.voi_lut_function)
            }
        else:
            choice = {
                "voi_lut": [preset["name"] for preset in presets_for(frame.description) if preset.get("voi_lut")].index(
                    resolved.preset
                )
            }
        expected = judge.grey_picture(dataset, stored, frame_number=number, inverted=resolved.inverted, **choice)
        assert_equal(picture.pixels, expected, f"{what} {view}")


@cache
def the_only_frame(path: Path) -> Frame:
    return load_frame(frame_sources(InstanceFile(path, path.name, read_instance(path).index))[0])


def window_of(path: Path) -> tuple[Any, ...]:
    view = render(the_only_frame(path), View()).view
    return view.window_center, view.window_width, view.voi_lut_function, view.preset


def test_first_windows_of_real_files(shared_data: Path) -> None:
    assert window_of(shared_data / "series/ct_chest_lidc0314_jpegls/000100.dcm") == (-450.0, 2000.0, "LINEAR", None)
    assert window_of(shared_data / "syntax_nema/CT1_UNC.dcm") == (40.0, 400.0, "LINEAR", None)
    assert window_of(shared_data / "xray/MG_GH133_3062x2394.dcm") == (2653.0, 900.0, "SIGMOID", None)
    assert window_of(shared_data / "windows/MR-SIEMENS-overlays_multiVOI.dcm") == (450.0, 790.0, "LINEAR", None)
    assert window_of(shared_data / "windows/vlut_04.dcm")[:3] == (None, None, None)
    assert window_of(shared_data / "syntax_other/deflated_mono.dcm") == (128.0, 256.0, "LINEAR", None)
