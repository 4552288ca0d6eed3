"""Findings of one side, an impression of the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reporting.checks.facts import ACKNOWLEDGE, Problem
from reporting.checks.mentions import GENERIC, NAMES, OPPOSITE, Mention, comparable
from reporting.checks.report import Report
from reporting.checks.texts import FINDINGS, IMPRESSION

RULE = "laterality_sections"
MOST, MOST_CONCLUDED = 1500, 200
"""Mentions that are compared with one another: more than any report holds."""


def check(report: Report) -> Iterator[Problem]:
    said = [one for one in report.kind(FINDINGS) if one.side and not one.said & {"compare", "family"}][:MOST]
    findings = _Findings([one for one in said if not _plain(one)])
    told: set[int] = set()
    for mention in report.kind(IMPRESSION)[:MOST_CONCLUDED]:
        if mention.side not in OPPOSITE or mention.side_hit is None or id(mention.sentence) in told:
            continue
        if mention.said & {"deny", "past", "compare", "family", "outside"}:
            continue
        against = _other_side(mention, findings)
        if against is not None:
            told.add(id(mention.sentence))
            message = (
                f"The impression says {NAMES[mention.side]}, the findings {NAMES[against.side]} "
                f"({report.quote(against.text, against.sentence)})"
            )
            yield report.problem(RULE, ACKNOWLEDGE, message, mention.text, mention.sentence, mention.side_hit)


class _Findings:
    """What is asserted of a side: all of it, by the finding, and what could be any finding."""

    def __init__(self, abnormal: list[Mention]) -> None:
        self.abnormal = abnormal
        self.generic = [one for one in abnormal if one.finding in GENERIC]
        self.by_name: dict[str, list[Mention]] = {}
        for one in abnormal:
            self.by_name.setdefault(one.finding, []).append(one)


def _other_side(mention: Mention, findings: _Findings) -> Mention | None:
    """What the findings say of the same thing on the other side, and never on this one."""
    if mention.finding and mention.finding not in GENERIC:
        same = [one for one in findings.by_name.get(mention.finding, ()) if comparable(mention, one)]
        if same:
            return _accuser(mention, same, [one for one in findings.generic if comparable(mention, one)])
    if not mention.places and not mention.levels:
        return None
    near = [one for one in findings.abnormal if comparable(mention, one)]
    return _accuser(mention, [one for one in near if one.places], near)


def _plain(mention: Mention) -> bool:
    """Says that nothing is wrong there."""
    return "deny" in mention.said or (not mention.finding and bool(mention.sentence.of("normal")))


def _accuser(mention: Mention, same: Iterable[Mention], supporting: Iterable[Mention]) -> Mention | None:
    if any(one.side in (mention.side, "B") for one in [*same, *supporting]):
        return None
    return next((one for one in same if one.side == OPPOSITE[mention.side] and not one.said & {"past", "deny"}), None)
