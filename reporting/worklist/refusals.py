"""What the worklist refuses, as exceptions whose text is told to whoever asked."""

from __future__ import annotations

from datetime import datetime


class Refused(ValueError):
    """It cannot be done as things stand; the message says why."""


class BadOrder(ValueError):
    """An order that cannot be kept; `field` names what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class Overtaken(Refused):
    """Somebody changed it since it was looked at; `version` is the number it has now."""

    def __init__(self, version: int) -> None:
        super().__init__("This was changed meanwhile. Look again.")
        self.version = version


class Held(Refused):
    """Another person has it open for reading."""

    def __init__(self, by: str, until: datetime) -> None:
        super().__init__(f"{by} is reading this.")
        self.by, self.until = by, until


class Assigned(Refused):
    """It is another person's to read; whoever takes it says why."""

    def __init__(self, to: str) -> None:
        super().__init__(f"This is assigned to {to}. Say why you take it.")
        self.to = to


class WrongPatient(Refused):
    """Two things that shall go together name two patients."""
