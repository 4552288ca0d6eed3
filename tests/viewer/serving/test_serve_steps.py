"""What `serve` does before it is ready is seen while it lasts."""

from __future__ import annotations

import io
import time

import pytest

from viewer.management.commands import serve


def test_a_step_that_lasts_is_named_and_goes_on_being_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "STILL_SECONDS", 0.1)
    out = io.StringIO()
    command = serve.Command(stdout=out)
    with command.step("Kernels"):
        time.sleep(1.35)
    lines = out.getvalue().splitlines()
    assert lines[0] == "Kernels ..."
    assert lines[1].startswith("Kernels ... 1 s")
    assert lines[-1].startswith("Kernels: 1.")


def test_a_quick_step_says_nothing() -> None:
    out = io.StringIO()
    with serve.Command(stdout=out).step("Database"):
        pass
    assert out.getvalue() == ""
