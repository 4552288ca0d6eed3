"""How far a command has come: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import io

import pytest

from viewer.management import progress
from viewer.management.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "BAR_EVERY_S", 0.0)


def test_a_terminal_sees_a_bar_that_fills(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = Terminal()
    with Progress(4, "files", out) as shown:
        shown.step(2)
        half = out.getvalue().split("\r")[-1]
        shown.step(2)
    full = out.getvalue().split("\r")[-1]
    assert "2 of 4 files" in half
    assert "4 of 4 files" in full
    assert 0 < half.count("#") < full.count("#")
    assert " " not in full[full.index("[") : full.index("]")]


def test_a_line_is_told_without_tearing_the_bar() -> None:
    out = Terminal()
    with Progress(2, "files", out) as shown:
        shown.step()
        shown.say("refused: a.dcm")
    assert "\r\x1b[Krefused: a.dcm\n" in out.getvalue()


def test_a_log_gets_a_line_now_and_then_and_no_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    with Progress(None, "files", out) as shown:
        shown.step()
        shown.say("refused: a.dcm")
        monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
        shown.step()
    lines = out.getvalue().splitlines()
    assert lines[0] == "refused: a.dcm"
    assert lines[1].startswith("2 files")
    assert "\x1b" not in out.getvalue()
