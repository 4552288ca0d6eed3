"""Reading classes: how urgent each is, and within how many minutes it is to be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TARGETS: dict[str, int] = {"STROKE": 15, "TRAUMA": 30, "STAT": 60, "URGENT": 240, "ROUTINE": 1440}
"""Minutes from when the images are ready to the report, the most urgent class first. What an organization writes into
`ReportingSite.targets` goes before."""
CLASSES = tuple(TARGETS)
MOST_MINUTES = 60 * 24 * 365


def target_minutes(reading_class: str, targets: Mapping[str, Any] | None = None) -> int:
    """The target of a class. What is no number of minutes in `targets` counts as not said."""
    said = (targets or {}).get(reading_class)
    if isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= MOST_MINUTES:
        return said
    return TARGETS[reading_class]


def problems(targets: Any) -> list[str]:
    """What is wrong with an organization's targets, in sentences."""
    if not isinstance(targets, dict):
        return ['An object is expected, as {"STAT": 60}.']
    found = [
        f"There is no reading class {name!r}; there are {', '.join(CLASSES)}."
        for name in targets
        if name not in TARGETS
    ]
    for name, minutes in targets.items():
        if name in TARGETS and target_minutes(name, {name: minutes}) != minutes:
            found.append(f"{name}: whole minutes from 1 to {MOST_MINUTES} are expected.")
    return found
