"""The corpus of synthetic reports as facts. Written by hand: what must be found stands beside each report.

`held_out.jsonl` was written before the rules, `unseen.jsonl` (whole reports) after them; neither is tuned on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from reporting.checks.facts import Context, Facts, Field, Limits, Measured, Prior, Section

FOLDER = Path(__file__).parent / "corpus"
PARTS = ("held_out", "unseen", "tuned")
STUDY_DATE = date(2025, 3, 10)
TITLES = {
    "history": "Clinical information",
    "technique": "Technique",
    "comparison": "Comparison",
    "findings": "Findings",
    "impression": "Impression",
    "recommendation": "Recommendation",
}
REQUIRED = {"findings", "impression"}
NUMBERS = {"minimum", "maximum", "units", "default", "fill", "required", "completion", "shown"}


@dataclass(frozen=True)
class Case:
    """A report, and the rules that must speak up about it: these and no others."""

    name: str
    language: str
    facts: Facts
    expected: frozenset[str]
    words: str


def cases(part: str) -> list[Case]:
    lines = (FOLDER / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
    return [case_of(json.loads(line)) for line in lines]


def case_of(row: dict[str, Any]) -> Case:
    texts, given = row["sections"], row["facts"]
    extra = given.get("fields", ())
    sections = tuple(
        Section(
            id=name,
            title=title,
            required=name in REQUIRED,
            fields=(
                Field(id=name, label=title, value=texts.get(name, ""), required=name in REQUIRED),
                *(_field(field) for field in extra if field["section"] == name),
            ),
        )
        for name, title in TITLES.items()
        if name in texts or name in REQUIRED
    )
    facts = Facts(
        sections=sections,
        language=row["language"],
        sex=given.get("sex", ""),
        age=given.get("age"),
        study_date=STUDY_DATE,
        order_laterality=given.get("order", ""),
        image_laterality=given.get("image", ""),
        procedure=given.get("procedure", ""),
        indication=given.get("indication", ""),
        measurements=_measured(given.get("measurements", ())),
        priors=tuple(_prior(prior) for prior in given.get("priors", ())),
        comparison_dates=tuple(date.fromisoformat(day) for day in given["dates"]) if "dates" in given else None,
        criticals=tuple(given.get("criticals", ())),
        template=Limits(**given.get("template", {})),
        contexts=tuple(Context(*context) for context in given.get("contexts", ())),
    )
    return Case(row["id"], row["language"], facts, frozenset(row["expect"]), " / ".join(texts.values()))


def _field(field: dict[str, Any]) -> Field:
    kept = {name: value for name, value in field.items() if name in NUMBERS}
    kept["options"] = tuple((value, label) for value, label in field.get("options", ()))
    return Field(field["id"], field.get("type", "textarea"), field["label"], field["value"], **kept)


def _measured(rows: Any) -> tuple[Measured, ...]:
    return tuple(Measured(*row) for row in rows)


def _prior(prior: dict[str, Any]) -> Prior:
    day = prior.get("date")
    return Prior(
        prior["text"],
        date.fromisoformat(day) if day else None,
        prior.get("impression", ""),
        _measured(prior.get("measurements", ())),
    )
