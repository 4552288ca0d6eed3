"""Large reports are read in a process of their own; what it finds is what would be found here."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.viewer.dicom.reports import dcm, item, report, save, text
from viewer.dicom import apart, report_apart
from viewer.dicom.errors import Refused
from viewer.dicom.limits import Limits
from viewer.dicom.structured_report import read_report


@pytest.fixture
def path(tmp_path: Path) -> Path:
    finding = dcm("121071", "Finding")
    findings = [item("CONTAINER", finding, text(finding, f"{number} " * 300)) for number in range(800)]
    path = save(report(*findings), tmp_path / "large.dcm")
    assert path.stat().st_size > report_apart.SMALL
    return path


def test_a_large_report_is_the_same_report(path: Path) -> None:
    assert report_apart.report_of(path, Limits()) == read_report(path, Limits())


def test_one_that_is_too_large_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_apart, "LARGEST", 1 << 10)
    with pytest.raises(Refused, match="larger than"):
        report_apart.report_of(path, Limits())


def test_what_is_refused_there_is_refused_here_with_its_reason(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(Refused, match="cut short"):
        report_apart.report_of(path, Limits())


def test_time_and_memory_are_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match=r"longer than 0\.01 s"):
        apart.asked(report_apart.__name__, path, 0.01)


def test_only_some_are_read_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_turn", threading.BoundedSemaphore(1))
    monkeypatch.setattr(apart, "PATIENCE", 0.05)
    apart._turn.acquire()
    with pytest.raises(apart.Waiting):
        report_apart.report_of(path, Limits())
