"""Reports as the REST door tells them: the tree, with references that say whether this archive holds what they point to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from viewer.dicom.documents import DOSE, KO
from viewer.dicom.dose_report import dose_table, is_dose_report
from viewer.dicom.structured_report import Json, Report
from viewer.marks.other_objects import held
from viewer.models import Study

KEY_OBJECT_DESCRIPTION = "113012"


def document(report: Report, kind: str, study: Study) -> Json:
    """`{"title", "kind", "facts", "notes", "tree"}`, with a `table` or `note` and `references` where the kind has them."""
    nodes = list(_nodes(report.tree))
    _say_what_is_here([node["reference"] for node in nodes if "reference" in node], study)
    if kind == DOSE and not is_dose_report(report):
        kind = "sr"
    told: Json = {
        "title": report.title,
        "kind": kind,
        "facts": [{"name": name, "value": value} for name, value in report.facts],
        "notes": list(report.notes),
        "tree": report.tree,
    }
    if kind == DOSE:
        told["table"] = dose_table(report)
    if kind == KO:
        told["note"] = "\n".join(_descriptions(nodes))
        told["references"] = [node["reference"] for node in nodes if "reference" in node]
    return told


def _nodes(top: Json) -> Iterator[Json]:
    waiting = [top]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.get("children", ()))


def _descriptions(nodes: list[Json]) -> Iterator[str]:
    for node in nodes:
        concept: dict[str, Any] = node.get("concept", {})
        if concept.get("value") == KEY_OBJECT_DESCRIPTION and node.get("value"):
            yield node["value"]


def _say_what_is_here(references: list[Json], study: Study) -> None:
    """`here` says whether the study holds the instance; its series is then the one it has in this archive."""
    uids = sorted({reference["sop_instance_uid"] for reference in references})
    series: dict[str, str] = {}
    for start in range(0, len(uids), 500):
        series |= held(study, set(uids[start : start + 500]))
    for reference in references:
        uid = reference["sop_instance_uid"]
        reference["here"] = uid in series
        reference["series_instance_uid"] = series.get(uid, reference["series_instance_uid"])
