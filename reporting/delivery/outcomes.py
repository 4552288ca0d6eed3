"""What sending comes to: an answer, or one of these."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from pathlib import Path

from viewer.models import Blob


class NotSent(Exception):
    """It did not arrive, or nobody knows. The message is shown to an administrator: never anything of a patient."""

    def __init__(self, problem: str, answer: str = "", *, unreachable: bool = False) -> None:
        super().__init__(problem)
        self.answer = answer
        self.unreachable = unreachable
        """Nothing else is tried there until this one's turn comes again."""


class NotReached(NotSent):
    """The receiver does not answer at all."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, unreachable=True)


@dataclass(frozen=True, slots=True)
class Payload:
    """What is sent, as it is kept. `blob` is None where nothing is (a mail holds no report)."""

    control_id: str
    blob: Blob | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One delivery as its sender sees it: no rows."""

    control_id: str
    data: bytes
    address: str
    options: dict[str, object] = field(default_factory=dict)
    organization: str = ""
    report: int = 0
    """Number of the report, for links to it; 0: a test."""
    recipients: tuple[str, ...] = ()


def fault(problem: BaseException) -> str:
    """A fault of ours for the log: what kind, and where. What it says may name the patient, and no log does."""
    frames = traceback.extract_tb(problem.__traceback__)[-4:]
    return f"{type(problem).__name__} at " + " < ".join(
        f"{Path(one.filename).name}:{one.lineno}" for one in reversed(frames)
    )
