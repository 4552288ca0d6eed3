"""A radiation dose report as a table: what was given in all, and each irradiation event (PS3.16 TID 10001 and 10011).

Concepts are found by their codes wherever they stand under an event, so that reports of every age and maker are read; what
the table does not name is still in the tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .structured_report import Report

Json = dict[str, Any]
Code = str
"""Of the scheme DCM, or of SNOMED where the standard took it from there."""

MOST_EVENTS = 5000


def is_dose_report(report: Report) -> bool:
    """Whether the root is an X-Ray Radiation Dose Report."""
    return report.concept[0] == "113701"


def dose_table(report: Report) -> Json:
    """`{"facts", "totals", "events": {"columns", "rows"}, "notes"}`.

    A row of events has one cell for each column: `{"value", "unit"}` or null.
    """
    containers = [node for node in _nodes(report.tree) if node["type"] == "container"]
    totals = [total for node in containers if _code(node) in _ACCUMULATED for total in _totals(node)]
    events = [node for node in containers if _code(node) in _EVENTS]
    cells = [_cells(event) for event in events[:MOST_EVENTS]]
    columns = [(name, codes) for name, codes in _COLUMNS if any(code in row for row in cells for code in codes)]
    notes = list(report.notes)
    if len(events) > MOST_EVENTS:
        notes.append(f"There are {len(events):,} events; the first {MOST_EVENTS:,} are shown.")
    return {
        "facts": [{"name": name, "value": value} for name, value in (*report.facts, *_context(report.tree))],
        "totals": totals,
        "events": {
            "columns": [name for name, _ in columns],
            "rows": [[_first(row, codes) for _, codes in columns] for row in cells],
        },
        "notes": notes,
    }


def _nodes(top: Json) -> Iterator[Json]:
    """The node and everything below it, in the order of the report."""
    waiting = [top]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.get("children", ()))


def _code(node: Json) -> Code:
    return str(node.get("concept", {}).get("value", ""))


def _context(tree: Json) -> Iterator[tuple[str, str]]:
    """What stands directly under the root: procedure, device, who is responsible, scope of the sums."""
    for node in tree.get("children", ()):
        value = node.get("value")
        if value and node["type"] in ("code", "text", "person", "datetime") and _code(node) not in _UNSAID:
            yield node["name"], value


def _totals(accumulated: Json) -> Iterator[Json]:
    plane = next((node["value"] for node in _nodes(accumulated) if _code(node) == _PLANE and node.get("value")), "")
    for node in _nodes(accumulated):
        if node["type"] == "number" and node["value"]:
            yield {"name": node["name"], "value": node["value"], "unit": node["unit"], "of": plane}


def _cells(event: Json) -> dict[Code, Json]:
    """What an event says, by code; the first where something is said several times."""
    found: dict[Code, Json] = {}
    for node in _nodes(event):
        value, code = node.get("value"), _code(node)
        if value and code and code not in found:
            found[code] = {"value": value, "unit": node.get("unit", "")}
    return found


def _first(row: dict[Code, Json], codes: tuple[Code, ...]) -> Json | None:
    return next((row[code] for code in codes if code in row), None)


_ACCUMULATED = frozenset({"113702", "113811"})
_EVENTS = frozenset({"113706", "113819"})
_PLANE = "113764"
_UNSAID = frozenset({"121049", "121005"})
"""Language, and whether an observer is a person or a device."""

_COLUMNS: tuple[tuple[str, tuple[Code, ...]], ...] = (
    ("Started", ("111526",)),
    ("Plane", ("113764",)),
    ("Type", ("113820", "113721")),
    ("Protocol", ("125203",)),
    ("Region", ("123014",)),
    ("Mean CTDIvol", ("113830",)),
    ("Phantom", ("113835",)),
    ("DLP", ("113838",)),
    ("Effective dose", ("113839",)),
    ("Size-specific dose estimate", ("113930",)),
    ("Scanning length", ("113825",)),
    ("Pitch", ("113828",)),
    ("Dose area product", ("122130",)),
    ("Dose at reference point", ("113738",)),
    ("Average glandular dose", ("111631",)),
    ("Entrance exposure", ("111636",)),
    ("Compression thickness", ("111633",)),
    ("kV", ("113733",)),
    ("Tube current", ("113734",)),
    ("Maximum tube current", ("113833",)),
    ("Exposure", ("113736",)),
    ("Exposure time", ("113824", "113735")),
    ("Irradiation duration", ("113742",)),
    ("Fluoro mode", ("113732",)),
    ("Pulse rate", ("113791",)),
    ("Pulses", ("113768",)),
    ("Primary angle", ("112011",)),
    ("Secondary angle", ("112012",)),
    ("Source to detector", ("113750",)),
    ("Comment", ("121106",)),
)
"""Columns in the order of the table, each with the codes of what fills it; those that no event fills are left out."""
