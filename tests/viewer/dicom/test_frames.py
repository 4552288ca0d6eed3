"""What a frame is: units, windows, spacing, padding, labels, and where its bytes lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.uid import EnhancedCTImageStorage, PositronEmissionTomographyImageStorage

from tests.viewer.dicom.making import image_dataset, image_file, item, sources_of, write
from viewer.dicom.errors import DicomError
from viewer.dicom.frames import frame_sources
from viewer.dicom.read import read_instance
from viewer.dicom.series import InstanceFile
from viewer.rendering.volume import FrameDescription, SourceLossy, Window

SPACING = "Pixel Spacing"
DETECTOR = "at the detector (Imager Pixel Spacing)"


@pytest.fixture
def described(tmp_path: Path) -> Any:
    def describe(pixels: np.ndarray | None = None, **attributes: Any) -> FrameDescription:
        return sources_of(image_file(tmp_path / "a.dcm", pixels, **attributes))[0].description()

    return describe


@pytest.mark.parametrize(
    ("attributes", "unit"),
    [
        ({"RescaleSlope": 1, "RescaleIntercept": -1024}, "HU"),
        ({"RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU"}, "HU"),
        ({"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "MGML"}, "MGML"),
        ({"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "US", "Modality": "MR"}, ""),
        ({}, ""),
        ({"Modality": "PT", "Units": "BQML", "RescaleSlope": 2, "RescaleIntercept": 0}, "BQML"),
        ({"Modality": "RTDOSE", "DoseUnits": "GY", "DoseGridScaling": "0.001"}, "GY"),
        ({"Modality": "RTDOSE", "DoseUnits": "GY"}, ""),
    ],
)
def test_units_of_modality_values(attributes: dict[str, Any], unit: str, described: Any) -> None:
    assert described(**attributes).unit == unit


def test_rescale_and_windows_with_their_explanations(described: Any) -> None:
    description = described(
        RescaleSlope="1.5",
        RescaleIntercept="-1000",
        WindowCenter=["-0450", "40"],
        WindowWidth=["1500", "400"],
        WindowCenterWidthExplanation=["LUNG", "SOFT"],
        VOILUTFunction="SIGMOID",
    )
    assert (description.rescale_slope, description.rescale_intercept) == (1.5, -1000)
    assert description.windows == (
        Window(-450, 1500, "SIGMOID", "LUNG"),
        Window(40, 400, "SIGMOID", "SOFT"),
    )


def test_windows_that_mean_nothing_are_left_out_with_a_warning(described: Any) -> None:
    description = described(WindowCenter=[40, 50], WindowWidth=[0, 100])
    assert description.windows == (Window(50, 100),)
    assert any("without width" in warning for warning in description.warnings)


def test_a_linear_window_narrower_than_one_is_exact(described: Any) -> None:
    assert described(WindowCenter=0.5, WindowWidth=0.5).windows == (Window(0.5, 0.5, "LINEAR_EXACT"),)


def test_an_unknown_voi_lut_function_is_linear_with_a_warning(described: Any) -> None:
    description = described(WindowCenter=40, WindowWidth=400, VOILUTFunction="CUBIC")
    assert description.windows == (Window(40, 400, "LINEAR"),)
    assert any("CUBIC" in warning for warning in description.warnings)


@pytest.mark.parametrize("modality", ["MR", "PT", "NM"])
def test_windows_that_fit_only_stored_values_are_converted_with_a_warning(modality: str, described: Any) -> None:
    attributes = {"Modality": modality, "RescaleSlope": 0.01, "RescaleIntercept": 0, "BitsStored": 12, "HighBit": 11}
    description = described(**attributes, WindowCenter=600, WindowWidth=1600)
    assert description.windows == (Window(6, 16),)
    assert any("converted" in warning for warning in description.warnings)
    assert described(**attributes, WindowCenter=6, WindowWidth=16).windows == (Window(6, 16),)


def test_the_shared_pet_keeps_its_windows_in_modality_values(shared_data: Path) -> None:
    path = next((shared_data / "series" / "pet_body").iterdir())
    description = sources_of(path)[0].description()
    assert description.windows == (Window(8431, 15175),)
    assert description.rescale_slope == 2.0222414
    assert description.unit == "BQML"
    assert description.warnings == ()


@pytest.mark.parametrize("relationship", ["LOG", "DISP"])
@pytest.mark.parametrize("modality", ["XA", "RF"])
def test_angiography_for_display_skips_the_modality_lut(modality: str, relationship: str, described: Any) -> None:
    attributes = {"Modality": modality, "RescaleSlope": 2, "RescaleIntercept": 5, "RescaleType": "US"}
    description = described(**attributes, PixelIntensityRelationship=relationship)
    assert (description.rescale_slope, description.rescale_intercept, description.unit) == (1, 0, "")
    description = described(**attributes, PixelIntensityRelationship="LIN")
    assert (description.rescale_slope, description.rescale_intercept) == (2, 5)


@pytest.mark.parametrize(
    ("attributes", "spacing", "source"),
    [
        ({"PixelSpacing": [0.5, 0.7]}, (0.5, 0.7), SPACING),
        ({"PixelSpacing": [0.5, 0.7], "ImagerPixelSpacing": [0.6, 0.8], "Modality": "DX"}, (0.5, 0.7), SPACING),
        ({"PixelSpacing": [0.5, 0.7], "ImagerPixelSpacing": [0.5, 0.7], "Modality": "DX"}, (0.5, 0.7), DETECTOR),
        ({"ImagerPixelSpacing": [0.6, 0.8], "Modality": "MG"}, (0.6, 0.8), DETECTOR),
        ({"NominalScannedPixelSpacing": [0.1, 0.1]}, (0.1, 0.1), "Nominal Scanned Pixel Spacing"),
        (
            {"PixelSpacing": [0.5, 0.5], "PixelSpacingCalibrationType": "FIDUCIAL"},
            (0.5, 0.5),
            "Pixel Spacing (calibrated by fiducial)",
        ),
        ({"PixelSpacing": [0, 0]}, None, ""),
        ({}, None, ""),
    ],
)
def test_no_millimetres_without_a_source(
    attributes: dict[str, Any], spacing: tuple[float, float] | None, source: str, described: Any
) -> None:
    description = described(**attributes)
    assert (description.pixel_spacing, description.pixel_spacing_source) == (spacing, source)


def test_a_plane_has_unit_directions_and_a_bad_one_is_none(described: Any) -> None:
    place = {"ImagePositionPatient": [1, 2, 3]}
    plane = described(**place, ImageOrientationPatient=[1.0004, 0, 0, 0, 0.9483237, -0.3173047]).plane
    assert plane is not None
    assert plane.position == (1, 2, 3)
    assert np.linalg.norm(plane.row) == pytest.approx(1, abs=1e-12)
    assert np.linalg.norm(plane.column) == pytest.approx(1, abs=1e-12)
    for cosines in ([0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0], [2, 0, 0, 0, 2, 0]):
        description = described(**place, ImageOrientationPatient=cosines)
        assert description.plane is None
        assert any("orientation" in warning for warning in description.warnings)


@pytest.mark.parametrize(
    ("dtype", "vr", "value", "limit", "padding"),
    [
        ("i2", "SS", -2000, None, (-2000, -2000)),
        ("i2", "US", 63536, None, (-2000, -2000)),
        ("u2", "US", 0, 30, (0, 30)),
        ("u2", "US", 65535, 65000, (65000, 65535)),
        ("u2", "SS", -1, None, (65535, 65535)),
    ],
)
def test_padding_takes_the_sign_of_the_pixels(
    dtype: str, vr: str, value: int, limit: int | None, padding: tuple[int, int], tmp_path: Path
) -> None:
    dataset = image_dataset(np.zeros((4, 4), dtype=dtype))
    dataset.add_new("PixelPaddingValue", vr, value)
    if limit is not None:
        dataset.add_new("PixelPaddingRangeLimit", vr, limit)
    description = sources_of(write(tmp_path / "a.dcm", dataset))[0].description()
    assert description.pixel_padding == padding


def test_loss_is_told_from_the_attributes_and_from_the_transfer_syntax(shared_data: Path, described: Any) -> None:
    said = described(
        LossyImageCompression="01",
        LossyImageCompressionRatio=["10.5", "2.1"],
        LossyImageCompressionMethod=["ISO_10918_1", "ISO_15444_1"],
    )
    assert said.source_lossy == SourceLossy("10.5/2.1", "ISO_10918_1/ISO_15444_1")
    assert described(LossyImageCompression="00").source_lossy is None
    lossy = {
        name: sources_of(shared_data / "syntax_ctimage" / f"CTImage_{name}.dcm")[0].description().source_lossy
        is not None
        for name in ("JPEGProcess2_4_4.51", "JPEGLSLossy_4.81", "JPEG2000_4.91", "JPEGProcess14_4.57", "RLELossless_5")
    }
    assert list(lossy.values()) == [True, True, True, False, False]


def test_labels_for_the_corners(described: Any) -> None:
    labels = described(
        InstanceNumber=12,
        SliceLocation="-12.345",
        SliceThickness="1.50",
        SpacingBetweenSlices="-2",
        AcquisitionDate="20240102",
        AcquisitionTime="101112",
        ImageLaterality="L",
        ViewPosition="MLO",
        ContrastBolusAgent="Agent",
        PatientOrientation=["A", "F"],
    ).labels
    assert labels == {
        "instance_number": "12",
        "slice_location": "-12.35",
        "slice_thickness": "1.5",
        "spacing_between_slices": "2",
        "acquisition_date": "20240102",
        "acquisition_time": "101112",
        "laterality": "L",
        "view_position": "MLO",
        "contrast_agent": "Agent",
        "patient_orientation": "A\\F",
    }


@pytest.mark.parametrize(
    "said",
    [
        {"PatientOrientation": ["CR", "V"]},
        {"PatientOrientation": ["L", "F"], "AnatomicalOrientationType": "QUADRUPED"},
        {"PatientOrientation": ["L"]},
    ],
)
def test_an_orientation_that_is_not_a_persons_is_not_passed_on(described: Any, said: dict[str, Any]) -> None:
    assert "patient_orientation" not in described(**said).labels


def test_polarity_shape_and_aspect(described: Any) -> None:
    description = described(PresentationLUTShape="INVERSE", PixelAspectRatio=[2, 1])
    assert description.presentation_inverse
    assert description.pixel_aspect_ratio == (2, 1)


def enhanced(frames: int) -> dict[str, Any]:
    """Shared and per-frame groups as an enhanced CT has them."""
    shared = item(
        {
            "PixelMeasuresSequence": [item({"PixelSpacing": [0.4, 0.5], "SliceThickness": 3})],
            "PlaneOrientationSequence": [item({"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]})],
            "PixelValueTransformationSequence": [
                item({"RescaleSlope": 1, "RescaleIntercept": -1000, "RescaleType": "HU"})
            ],
        }
    )
    own = [
        item(
            {
                "PlanePositionSequence": [item({"ImagePositionPatient": [0, 0, 3 * number]})],
                "FrameVOILUTSequence": [item({"WindowCenter": 40 + number, "WindowWidth": 400})],
                "FrameContentSequence": [
                    item(
                        {
                            "StackID": "1",
                            "InStackPositionNumber": number + 1,
                            "TemporalPositionIndex": 1,
                            "FrameAcquisitionDateTime": f"2024010210111{number}.5",
                        }
                    )
                ],
            }
        )
        for number in range(frames)
    ]
    return {
        "SOPClassUID": EnhancedCTImageStorage,
        "SharedFunctionalGroupsSequence": [shared],
        "PerFrameFunctionalGroupsSequence": own,
    }


def test_frames_of_an_enhanced_image_have_their_own_attributes(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm", np.zeros((3, 4, 4), dtype=np.uint16), **enhanced(3))
    third = sources_of(path)[2]
    description = third.description()
    assert description.plane is not None
    assert description.plane.position == (0, 0, 6)
    assert description.plane.column == (0, 1, 0)
    assert description.windows == (Window(42, 400),)
    assert (description.rescale_intercept, description.unit, description.pixel_spacing) == (-1000, "HU", (0.4, 0.5))
    assert (description.frame_number, third.stack_id, third.temporal_position) == (3, "1", 1)
    assert description.labels["acquisition_time"] == "101112.5"


def test_what_all_frames_share_is_kept_once(tmp_path: Path) -> None:
    index = read_instance(image_file(tmp_path / "a.dcm", np.zeros((3, 4, 4), dtype=np.uint16), **enhanced(3))).index
    assert all("orientation" not in group and "rescale" not in group for group in index["per_frame"])


def test_a_dose_grid_lies_along_its_offsets(tmp_path: Path) -> None:
    path = image_file(
        tmp_path / "a.dcm",
        np.zeros((3, 4, 4), dtype=np.uint32),
        Modality="RTDOSE",
        ImagePositionPatient=[0, 0, 100],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        GridFrameOffsetVector=[0, 2.5, 5],
        DoseGridScaling="0.001",
    )
    assert sources_of(path)[0].description().rescale_slope == 0.001
    assert [source.position for source in sources_of(path)] == [(0, 0, 100), (0, 0, 102.5), (0, 0, 105)]


def test_frames_can_be_told_apart_and_hashed(tmp_path: Path) -> None:
    sources = sources_of(image_file(tmp_path / "a.dcm", np.zeros((3, 4, 4), dtype=np.uint16)))
    assert len(set(sources)) == 3
    assert [source.frame_number for source in sources] == [1, 2, 3]


def test_an_index_of_another_version_is_an_error(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm")
    index = read_instance(path).index | {"v": 0}
    with pytest.raises(DicomError, match="another version"):
        frame_sources(InstanceFile(path, "", index))


def test_every_shared_frame_can_be_described(shared_data: Path) -> None:
    described = 0
    for path in sorted(shared_data.rglob("*.dcm")):
        if "series" in path.parts or "malformed" in path.parts:
            continue
        try:
            sources = sources_of(path)
        except DicomError:
            continue
        for source in sources:
            description = source.description()
            assert description.rows > 0
            assert (description.pixel_spacing is None) == (description.pixel_spacing_source == "")
            described += 1
    assert described > 250


def test_the_classic_pet_is_one_of_its_class(shared_data: Path) -> None:
    path = next((shared_data / "series" / "pet_body").iterdir())
    assert read_instance(path).sop_class_uid == PositronEmissionTomographyImageStorage
