"""Objects written here are about the patient and the study of the file they begin with, whatever its characters."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import ComprehensiveSRStorage

from tests.viewer.archive.objects import ct_slice, save
from viewer.objects.header import Reference, SeriesOfObject, decimal, encoded, evidence, new_object, subject_of

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
SERIES = SeriesOfObject(str(ComprehensiveSRStorage), "SR", "1.2.3.9", 9001, "Measurements")


def written(path: Path) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(encoded(new_object(subject_of(path), SERIES, NOON))))


@pytest.mark.parametrize(
    "name",
    [
        "chrArab",
        "chrGreek",
        "chrH31",
        "chrH32",
        "chrHbrw",
        "chrI2",
        "chrKoreanMulti",
        "chrX1",
        "chrX2",
    ],
)
def test_a_name_in_any_script_stays_that_name(shared_data: Path, name: str) -> None:
    path = shared_data / "charset" / f"{name}.dcm"
    original, made = pydicom.dcmread(path), written(path)
    assert made.SpecificCharacterSet == "ISO_IR 192"
    groups = [group.rstrip("^ ") for group in str(original.PatientName).split("=")]
    assert str(made.PatientName).split("=") == groups
    assert (made.PatientID, made.StudyInstanceUID) == (original.PatientID, original.StudyInstanceUID)


def test_identity_is_given_on_whole_also_where_it_is_longer_than_the_standard_has_it(tmp_path: Path) -> None:
    said: dict[str, Any] = {
        "PatientID": "P" * 64,
        "StudyID": "S1",
        "IssuerOfPatientID": "Somewhere",
        "PatientSize": 1.71,
    }
    made = written(save(ct_slice(**said), tmp_path / "a.dcm"))
    for keyword, value in said.items():
        assert made[keyword].value == value
    with pydicom.config.disable_value_validation():
        path = save(ct_slice(AccessionNumber="A" * 40), tmp_path / "b.dcm")
        assert written(path).AccessionNumber == "A" * 40


def test_times_are_in_the_zone_of_the_study(tmp_path: Path) -> None:
    made = written(save(ct_slice(TimezoneOffsetFromUTC="-0330"), tmp_path / "a.dcm"))
    assert (made.ContentDate, made.ContentTime, made.TimezoneOffsetFromUTC) == ("20260301", "083000", "-0330")
    assert written(save(ct_slice(), tmp_path / "b.dcm")).ContentTime == "120000"


def test_what_is_referred_to_is_named_once_under_its_study_and_series() -> None:
    found = evidence(
        [
            Reference("1.1", "1.1.1", "1.2.9", "1.2.1"),
            Reference("1.1", "1.1.1", "1.2.9", "1.2.2"),
            Reference("1.1", "1.1.1", "1.2.9", "1.2.1"),
        ]
    )
    (series,) = found[0].ReferencedSeriesSequence
    assert [one.ReferencedSOPInstanceUID for one in series.ReferencedSOPSequence] == ["1.2.1", "1.2.2"]


@pytest.mark.parametrize("value", [0.1 + 0.2, -1e-17 / 3, 123456789.123456789, -12345678901234567.0, 5.0])
def test_a_decimal_has_sixteen_characters_at_most_and_loses_no_more_than_it_must(value: float) -> None:
    text = decimal(value)
    assert len(text) <= 16
    assert float(text) == pytest.approx(value, rel=1e-9)
