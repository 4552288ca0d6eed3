"""Dose reports as tables; the reports are synthetic, and an independent validator finds no error in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.viewer.dicom import reports
from tests.viewer.dicom.reports import ct_dose, dcm, number, projection_dose, report, save, text
from tests.viewer.objects.test_key_objects import errors_of
from viewer.dicom.documents import DOSE, kind_of
from viewer.dicom.dose_report import dose_table, is_dose_report
from viewer.dicom.limits import Limits
from viewer.dicom.structured_report import read_report


def table(d: Dataset, folder: Path) -> dict[str, Any]:
    path = save(d, folder / "dose.dcm")
    assert errors_of(path) == []
    assert kind_of(str(pydicom.dcmread(path).SOPClassUID)) == DOSE
    found = read_report(path, Limits())
    assert is_dose_report(found)
    return dose_table(found)


def test_a_ct_report_shows_what_was_given_and_each_scan(tmp_path: Path) -> None:
    found = table(ct_dose(), tmp_path)
    assert found["totals"] == [
        {"name": "Total Number of Irradiation Events", "value": "2", "unit": "events", "of": ""},
        {"name": "CT Dose Length Product Total", "value": "412.6", "unit": "mGy.cm", "of": ""},
    ]
    columns, rows = found["events"]["columns"], found["events"]["rows"]
    assert columns == [
        *("Type", "Protocol", "Region", "Mean CTDIvol", "DLP", "kV", "Tube current", "Exposure time"),
    ]
    shown = [" | ".join(f"{cell['value']} {cell['unit']}".strip() for cell in row) for row in rows]
    assert shown == [
        "Spiral Acquisition | Thorax | Chest | 8.1 mGy | 300.2 mGy.cm | 120 kV | 210 mA | 4.2 s",
        "Spiral Acquisition | Abdomen | Chest | 6.25 mGy | 112.4 mGy.cm | 120 kV | 210 mA | 4.2 s",
    ]
    facts = {fact["name"]: fact["value"] for fact in found["facts"]}
    assert facts["Procedure reported"] == "Computed Tomography X-Ray"
    assert facts["Scope of Accumulation"] == "Study"
    assert "Observer Type" not in facts


def test_a_projection_report_shows_planes_areas_and_what_an_event_does_not_say(tmp_path: Path) -> None:
    found = table(projection_dose(), tmp_path)
    assert [(one["name"], one["value"], one["unit"], one["of"]) for one in found["totals"]] == [
        ("Dose Area Product Total", "0.0005", "Gy.m2", "Single Plane"),
        ("Dose (RP) Total", "0.02", "Gy", "Single Plane"),
        ("Total Fluoro Time", "61", "s", "Single Plane"),
    ]
    columns, (first, second) = found["events"]["columns"], found["events"]["rows"]
    assert columns == [
        *("Started", "Plane", "Type", "Dose area product", "Dose at reference point", "Primary angle"),
    ]
    assert first[0] == {"value": "2024-01-31 10:15:01.25 +0100", "unit": ""}
    assert [cell and cell["value"] for cell in second] == [
        None,
        "Single Plane",
        "Stationary Acquisition",
        None,
        None,
        None,
    ]


def test_what_is_no_dose_report_inside_is_not_made_a_table(tmp_path: Path) -> None:
    path = save(report(text(dcm("121071", "Finding"), "x"), SOPClassUID=ct_dose().SOPClassUID), tmp_path / "a.dcm")
    assert not is_dose_report(read_report(path, Limits()))


def test_many_events_are_bounded_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viewer.dicom.dose_report.MOST_EVENTS", 3)
    events = [reports.ct_event(str(n), "1", "2") for n in range(5)]
    found = dose_table(read_report(save(reports.dose_report(*events), tmp_path / "a.dcm"), Limits()))
    assert len(found["events"]["rows"]) == 3
    assert found["notes"] == ["There are 5 events; the first 3 are shown."]


def test_an_event_said_twice_shows_the_first(tmp_path: Path) -> None:
    event = reports.ct_event("Thorax", "8.1", "300")
    event.ContentSequence.append(number(dcm("113830", "Mean CTDIvol"), "99", reports.MGY))
    found = dose_table(read_report(save(reports.dose_report(event), tmp_path / "a.dcm"), Limits()))
    place = found["events"]["columns"].index("Mean CTDIvol")
    assert found["events"]["rows"][0][place]["value"] == "8.1"
