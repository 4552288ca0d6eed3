"""How far a long command has come: a bar on a terminal, a line now and then where output is kept."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import TextIO

BAR_EVERY_S = 0.1
LINE_EVERY_S = 10.0


class Progress:
    """A context manager; `step` counts one more, `say` prints a line without tearing the bar."""

    def __init__(self, total: int | None, unit: str, out: TextIO | None = None) -> None:
        self.total, self.unit, self.done = total, unit, 0
        self._out = out or sys.stderr
        self._bar = self._out.isatty()
        self._begun = time.monotonic()
        self._shown = self._begun if not self._bar else 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._draw()
            self._out.write("\n")
            self._out.flush()

    def step(self, count: int = 1) -> None:
        """`count` more are done."""
        self.done += count
        now = time.monotonic()
        if now - self._shown >= (BAR_EVERY_S if self._bar else LINE_EVERY_S):
            self._shown = now
            self._draw()

    def say(self, line: str) -> None:
        """A line of its own, above the bar."""
        clear = "\r\x1b[K" if self._bar else ""
        self._out.write(f"{clear}{line}\n")
        if self._bar:
            self._draw()

    def _draw(self) -> None:
        seconds = max(time.monotonic() - self._begun, 1e-3)
        of = f"{self.done:,} of {self.total:,}" if self.total else f"{self.done:,}"
        text = f"{of} {self.unit}, {self.done / seconds:,.0f}/s"
        if not self._bar:
            self._out.write(text + "\n")
        else:
            width = shutil.get_terminal_size().columns - len(text) - 5
            part = min(self.done / self.total, 1.0) if self.total else 0.0
            bar = f"[{'#' * int(part * width):<{width}}] " if self.total and width >= 10 else ""
            self._out.write(f"\r\x1b[K{bar}{text}")
        self._out.flush()
