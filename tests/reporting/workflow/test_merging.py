"""What templates take over of dose reports in the archive."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from accounts.models import Organization
from reporting.workflow.merging import dose, merged
from tests.viewer.dicom.reports import ct_dose, dcm, save, text
from viewer.archive.ingest import ingest
from viewer.archive.rows import Sender
from viewer.archive.sources import walk
from viewer.dicom import apart, report_apart
from viewer.models import Study

pytestmark = pytest.mark.django_db(transaction=True)
TOTAL = "CT Dose Length Product Total 412.6 mGy.cm"


def filed(d: Dataset, study: Study, site: Organization, folder: Path) -> Path:
    d.StudyInstanceUID, d.PatientID = study.study_instance_uid, study.patient.patient_id
    path = save(d, folder / "dose.dcm")
    told = list(ingest(walk(path), Sender(site, "tess", "upload")))
    assert {one.outcome for one in told} == {"stored"}
    return path


def long_winded() -> Dataset:
    d = ct_dose()
    said = dcm("121106", "Comment")
    d.ContentSequence = [*d.ContentSequence, *(text(said, f"{number} " * 300) for number in range(800))]
    return d


def test_the_dose_is_that_of_the_dose_report(study: Study, site: Organization, tmp_path: Path) -> None:
    assert dose(study) == ""
    filed(ct_dose(), study, site, tmp_path)
    assert TOTAL in merged(study, None, ["dose.total"])["dose.total"]


def test_a_large_dose_report_is_read_in_a_process_of_its_own(
    study: Study, site: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filed(long_winded(), study, site, tmp_path)
    assert path.stat().st_size > report_apart.SMALL
    asked: list[str] = []
    whole = apart.asked
    monkeypatch.setattr(apart, "asked", lambda module, *rest: (asked.append(module), whole(module, *rest))[1])
    assert TOTAL in dose(study)
    assert asked == [report_apart.__name__]


def test_a_report_that_must_wait_or_is_too_large_leaves_the_dose_open(
    study: Study, site: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed(long_winded(), study, site, tmp_path)

    def busy(*_: object) -> None:
        raise apart.Waiting("later")

    monkeypatch.setattr(apart, "asked", busy)
    assert dose(study) == ""
    monkeypatch.setattr(report_apart, "LARGEST", 1 << 10)
    assert dose(study) == ""
