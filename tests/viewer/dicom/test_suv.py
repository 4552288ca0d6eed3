"""SUV by body weight, from whole files. The numbers that are expected are worked out here, by the definition alone."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import PositronEmissionTomographyImageStorage

from viewer.dicom.read import read_instance
from viewer.dicom.suv import NoSuv, Suv, suv_of, with_suv

from .making import image_dataset, item, write

HALF_LIFE, DOSE, WEIGHT = 6586.2, 381470000.0, 66.2
INJECTION = {
    "RadionuclideTotalDose": DOSE,
    "RadionuclideHalfLife": HALF_LIFE,
    "RadiopharmaceuticalStartTime": "113900",
}


def injected(**changed: Any) -> Dataset:
    return item({name: value for name, value in (INJECTION | changed).items() if value is not None})


def pet(**changed: Any) -> Dataset:
    attributes: dict[str, Any] = {
        "SOPClassUID": PositronEmissionTomographyImageStorage,
        "Modality": "PT",
        "Units": "BQML",
        "PatientWeight": WEIGHT,
        "CorrectedImage": ["ATTN", "DECY"],
        "DecayCorrection": "START",
        "SeriesDate": "20240131",
        "SeriesTime": "130244.5",
        "AcquisitionDate": "20240131",
        "AcquisitionTime": "131459",
        "RadiopharmaceuticalInformationSequence": [injected()],
    }
    return image_dataset(**(attributes | changed))


def suv(tmp_path: Path, *datasets: Dataset) -> Suv | NoSuv | None:
    """Of a series of these images, by their indexes as the database gives them back."""
    indexes = []
    for number, dataset in enumerate(datasets):
        index = read_instance(write(tmp_path / f"{number}.dcm", dataset)).index
        indexes.append(json.loads(json.dumps(index)))
    return suv_of(indexes)


def factor(elapsed: float, *, dose: float = DOSE, weight: float = WEIGHT, half_life: float = HALF_LIFE) -> float:
    return weight * 1000.0 / (dose * 0.5 ** (elapsed / half_life))


def clock(hours: int, minutes: int, seconds: float = 0.0) -> float:
    return hours * 3600.0 + minutes * 60.0 + seconds


SERIES, START = clock(13, 2, 44.5), clock(11, 39)


def found(tmp_path: Path, *datasets: Dataset) -> Suv:
    answer = suv(tmp_path, *datasets)
    assert isinstance(answer, Suv), answer
    return answer


def refused(tmp_path: Path, *datasets: Dataset) -> str:
    answer = suv(tmp_path, *datasets)
    assert isinstance(answer, NoSuv), answer
    return str(answer)


def test_the_real_pet_series_has_the_factor_that_its_manifest_says(shared_data: Path) -> None:
    paths = sorted((shared_data / "series" / "pet_body").glob("*.dcm"))
    answer = suv_of([read_instance(path).index for path in paths])
    assert isinstance(answer, Suv)
    assert answer.factor == pytest.approx(2.945e-4, rel=1e-3)
    said = pydicom.dcmread(paths[0], stop_before_pixels=True)
    (injection,) = said.RadiopharmaceuticalInformationSequence
    elapsed = clock(13, 2, 44.678) - clock(11, 39)
    wanted = factor(elapsed, dose=float(injection.RadionuclideTotalDose), weight=float(said.PatientWeight))
    assert answer.factor == pytest.approx(wanted, rel=1e-9)
    assert answer.to_json()["unit"] == "g/ml"
    assert answer.inputs["elapsed_s"] == pytest.approx(5024.678)


def test_dose_decays_from_injection_to_the_begin_of_the_series(tmp_path: Path) -> None:
    answer = found(tmp_path, pet())
    assert answer.factor == pytest.approx(factor(SERIES - START), rel=1e-12)
    assert answer.inputs["patient_weight_kg"] == WEIGHT
    assert answer.inputs["total_dose_bq"] == DOSE
    assert answer.inputs["half_life_s"] == HALF_LIFE
    assert answer.inputs["injected_at"] == "2024-01-31T11:39:00"
    assert answer.inputs["scanned_at"] == "2024-01-31T13:02:44.500000"
    assert answer.inputs["decayed_dose_bq"] == pytest.approx(WEIGHT * 1000.0 / answer.factor)


def test_values_corrected_to_administration_take_the_whole_dose_and_no_times(tmp_path: Path) -> None:
    image = pet(DecayCorrection="ADMIN", SeriesTime="", RadiopharmaceuticalInformationSequence=[
        injected(RadiopharmaceuticalStartTime=None)
    ])  # fmt: skip
    assert found(tmp_path, image).factor == pytest.approx(factor(0.0), rel=1e-12)


def test_an_injection_before_midnight_belongs_to_the_day_before(tmp_path: Path) -> None:
    late = injected(RadiopharmaceuticalStartTime="233000")
    image = pet(SeriesTime="003000", AcquisitionTime="003500", RadiopharmaceuticalInformationSequence=[late])
    answer = found(tmp_path, image)
    assert answer.factor == pytest.approx(factor(3600.0), rel=1e-12)
    assert answer.inputs["injected_at"] == "2024-01-30T23:30:00"
    assert "day before" in answer.inputs["injected_at_source"]


def test_the_start_date_and_time_win_over_the_time_alone(tmp_path: Path) -> None:
    both = injected(RadiopharmaceuticalStartDateTime="20240131120000.00", RadiopharmaceuticalStartTime="113900")
    answer = found(tmp_path, pet(RadiopharmaceuticalInformationSequence=[both]))
    assert answer.factor == pytest.approx(factor(SERIES - clock(12, 0)), rel=1e-12)


def test_offsets_count_only_where_both_clocks_name_theirs(tmp_path: Path) -> None:
    away = injected(RadiopharmaceuticalStartDateTime="20240131103900+0000")
    known = pet(TimezoneOffsetFromUTC="+0100", RadiopharmaceuticalInformationSequence=[away])
    assert found(tmp_path, known).factor == pytest.approx(factor(SERIES - START), rel=1e-12)
    alone = pet(RadiopharmaceuticalInformationSequence=[away])
    assert found(tmp_path, alone).factor == pytest.approx(factor(SERIES - clock(10, 39)), rel=1e-12)


def test_a_long_lived_nuclide_needs_the_day_of_its_injection(tmp_path: Path) -> None:
    zirconium = {"RadionuclideHalfLife": 282276.0, "RadionuclideTotalDose": 37e6}
    alone = pet(RadiopharmaceuticalInformationSequence=[injected(**zirconium)])
    assert "day of the injection is not said" in refused(tmp_path, alone)
    said = injected(**zirconium, RadiopharmaceuticalStartDateTime="20240126130244.5")
    answer = found(tmp_path, pet(RadiopharmaceuticalInformationSequence=[said]))
    assert answer.factor == pytest.approx(factor(5 * 86400.0, dose=37e6, half_life=282276.0), rel=1e-12)


# --- the time of the scan


def test_a_series_that_was_made_later_is_dated_by_its_earliest_image(tmp_path: Path) -> None:
    images = [pet(SeriesTime="160000", AcquisitionTime=time) for time in ("131500", "131000", "132000")]
    answer = found(tmp_path, *images)
    assert answer.factor == pytest.approx(factor(clock(13, 10) - START), rel=1e-12)
    assert "earliest Acquisition" in answer.inputs["scanned_at_source"]


def test_frame_reference_times_lead_back_to_the_begin_of_the_scan(tmp_path: Path) -> None:
    """Two beds of 180 s, ten minutes apart: the average count rate of a frame is a little before its middle."""
    constant = math.log(2) / HALF_LIFE
    average = math.log(constant * 180.0 / (1.0 - math.exp(-constant * 180.0))) / constant
    assert 89.0 < average < 90.0
    images = [
        pet(
            SeriesTime="160000",
            AcquisitionTime=time,
            ActualFrameDuration=180000,
            FrameReferenceTime=(bed + average) * 1e3,
        )
        for time, bed in (("131000", 0.0), ("132000", 600.0))
    ]
    answer = found(tmp_path, *images)
    assert answer.factor == pytest.approx(factor(clock(13, 10) - START), rel=1e-6)
    assert "Frame Reference Time" in answer.inputs["scanned_at_source"]


def test_ge_says_in_private_when_the_scan_began(tmp_path: Path) -> None:
    image = pet(SeriesTime="160000", AcquisitionTime="132000")
    block = image.private_block(0x0009, "GEMS_PETD_01", create=True)
    block.add_new(0x0D, "DT", "20240131130500.00")
    answer = found(tmp_path, image)
    assert answer.factor == pytest.approx(factor(clock(13, 5) - START), rel=1e-12)


# --- other units


def philips(**numbers: float) -> Dataset:
    image = pet(Units="CNTS")
    block = image.private_block(0x7053, "Philips PET Private Group", create=True)
    for name, number in numbers.items():
        block.add_new({"suv": 0x00, "activity": 0x09}[name], "DS", str(number))
    return image


def test_philips_counts_have_a_private_factor(tmp_path: Path) -> None:
    assert found(tmp_path, philips(suv=0.000551)).factor == pytest.approx(0.000551)
    answer = found(tmp_path, philips(suv=0.0, activity=1.5))
    assert answer.factor == pytest.approx(1.5 * factor(SERIES - START), rel=1e-12)


def test_a_private_element_of_somebody_else_is_no_factor(tmp_path: Path) -> None:
    image = pet(Units="CNTS")
    image.private_block(0x7053, "SOMEBODY ELSE", create=True).add_new(0x00, "DS", "2")
    assert "counts" in refused(tmp_path, image)


def test_values_that_are_suv_already_stay_as_they_are(tmp_path: Path) -> None:
    assert found(tmp_path, pet(Units="GML")).factor == 1.0
    assert found(tmp_path, pet(Units="GML", SUVType="BW")).factor == 1.0
    assert "LBM" in refused(tmp_path, pet(Units="GML", SUVType="LBM"))


# --- OHIF#3587, cornerstone3D#163: no SUV of missing data


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"PatientWeight": None}, "Weight (0010,1030) is missing"),
        ({"PatientWeight": 0}, "Weight (0010,1030) is missing"),
        ({"PatientWeight": 66200}, "66200 kg cannot be"),
        ({"Units": None}, "Units (0054,1001) is missing"),
        ({"Units": "PROPCPS"}, "not in Bq/ml but in PROPCPS"),
        ({"Units": "CNTS"}, "counts"),
        ({"DecayCorrection": None}, "Decay Correction (0054,1102) is missing"),
        ({"DecayCorrection": "NONE"}, "Decay Correction (0054,1102) is NONE"),
        ({"CorrectedImage": ["DECY"]}, "corrected for attenuation"),
        ({"CorrectedImage": ["ATTN"]}, "corrected for decay"),
        ({"RadiopharmaceuticalInformationSequence": None}, "Total Dose (0018,1074) is missing"),
        ({"RadiopharmaceuticalInformationSequence": [injected(), injected()]}, "several radiopharmaceuticals"),
        ({"SeriesTime": None, "AcquisitionTime": None}, "neither Series Time nor Acquisition Time"),
    ],
)
def test_what_is_missing_or_cannot_be_is_said(tmp_path: Path, changed: dict[str, Any], reason: str) -> None:
    assert reason in refused(tmp_path, pet(**changed))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"RadionuclideTotalDose": None}, "Total Dose (0018,1074) is missing"),
        ({"RadionuclideTotalDose": 381.47}, "381.47 Bq cannot be"),
        ({"RadionuclideHalfLife": None}, "Half Life (0018,1075) is missing"),
        ({"RadionuclideHalfLife": 1.8}, "1.8 s cannot be"),
        ({"RadiopharmaceuticalStartTime": None}, "Start Time (0018,1072) is missing"),
        ({"RadiopharmaceuticalStartTime": "140000"}, "cannot belong together"),
        ({"RadiopharmaceuticalStartDateTime": "20140131113900"}, "cannot belong together"),
        ({"RadiopharmaceuticalStartDateTime": "20240131140000"}, "cannot belong together"),
    ],
)
def test_what_is_wrong_with_the_injection_is_said(tmp_path: Path, changed: dict[str, Any], reason: str) -> None:
    assert reason in refused(tmp_path, pet(RadiopharmaceuticalInformationSequence=[injected(**changed)]))


def test_images_of_one_series_that_disagree_give_no_suv(tmp_path: Path) -> None:
    assert "disagree" in refused(tmp_path, pet(), pet(PatientWeight=70))


def test_what_is_no_pet_has_no_suv_and_no_reason(tmp_path: Path) -> None:
    assert suv(tmp_path, image_dataset()) is None


def test_images_that_were_indexed_before_say_so() -> None:
    assert "take them in again" in str(suv_of([{"modality": "PT"}]))


# --- measured values


def number(value: float, unit: str = "BQML") -> dict[str, Any]:
    return {"value": value, "unit": unit, "source": "12 pixels"}


def test_measured_values_stand_beside_themselves_in_suv() -> None:
    measured = {
        "kind": "ellipse",
        "values": {"area": number(4.0, "mm²"), "mean": number(10.0), "max": number(20.0), "n": number(12.0, "pixels")},
        "notes": [],
    }
    answer = with_suv(measured, Suv(0.5, {"patient_weight_kg": 66.2}))
    assert answer["values"].keys() == {"area", "mean", "max", "n", "suv_mean", "suv_max"}
    assert answer["values"]["suv_max"]["value"] == 10.0
    assert answer["values"]["suv_max"]["unit"] == "g/ml"
    assert answer["values"]["suv_max"]["inputs"] == {"patient_weight_kg": 66.2}
    assert "12 pixels" in answer["values"]["suv_mean"]["source"]
    assert answer["values"]["mean"] == number(10.0)
    assert measured["values"].keys() == {"area", "mean", "max", "n"}


def test_measured_values_without_suv_say_why() -> None:
    measured = {"kind": "probe", "values": {"value": number(3.0)}, "notes": ["a note"]}
    answer = with_suv(measured, NoSuv("Patient's Weight (0010,1030) is missing"))
    assert answer["values"] == measured["values"]
    assert answer["notes"] == ["a note", "no SUV: Patient's Weight (0010,1030) is missing"]
    assert with_suv(measured, None) == measured
    line = {"kind": "length", "values": {"length": number(3.0, "mm")}, "notes": []}
    assert with_suv(line, NoSuv("x")) == line
