"""Why a test was asked again: one line each at the end of a run, beside the names that `-rR` lists."""

from __future__ import annotations

import pytest

_WHY: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.outcome == "rerun":
        last = [line for line in report.longreprtext.splitlines() if line.startswith("E ")] or [report.longreprtext]
        _WHY.append(f"{report.nodeid} ({report.when}): {last[0].removeprefix('E').strip()[:300]}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _WHY:
        terminalreporter.section("why tests were asked again")
        for line in _WHY:
            terminalreporter.line(line)
