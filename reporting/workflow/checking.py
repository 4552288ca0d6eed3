"""What stands in the way of a signature now: the checks' answer, and what of it was acknowledged."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from reporting.checks import ACKNOWLEDGE, BLOCK, RULES_VERSION, Facts, Problem, critical_finding, run
from reporting.checks.facts import Field, Section
from reporting.models import CriticalAttempt, Report, ReportVersion
from reporting.workflow.content import labels_of
from reporting.workflow.context import REASSIGNED, disagreements, reassigned
from reporting.workflow.difference import Change, compare
from reporting.workflow.facts import facts_of
from reporting.workflow.refusals import Unready, Unusable
from reporting.workflow.states import CLOSED, GRADES, OPEN
from reporting.workflow.versions import correction_of, signed_text_of


def problems_of(report: Report, text: ReportVersion) -> list[Problem]:
    """Everything that the checks say of a version's text."""
    found = run(facts_of(report, text.content, text.fills))
    said = {one.rule for one in found}
    wrong = [*disagreements(report.study, report.order), *([REASSIGNED] if reassigned(report) else [])]
    if wrong and "wrong_patient" not in said:
        found = [*(Problem("wrong_patient", BLOCK, sentence) for sentence in wrong), *found]
    return [*found, *_held(report), *_idle(report, text)]


def _held(report: Report) -> Iterator[Problem]:
    """Somebody put the examination on hold while it was read."""
    item = report.item
    if item is not None and item.status == "hold":
        why = item.held_reason.replace("_", " ") or "no reason given"
        yield Problem(
            "on_hold", ACKNOWLEDGE, f"This examination is on hold: {why}{f' ({item.note})' if item.note else ''}."
        )


def _idle(report: Report, text: ReportVersion) -> Iterator[Problem]:
    """A correction that corrects nothing."""
    if report.state in CLOSED and correction_of(report) is not None:
        signed = signed_text_of(report)
        if (
            signed is not None
            and signed.template_version_id == text.template_version_id
            and not changes_since(signed, text)
        ):
            yield Problem(
                "unchanged", BLOCK, "The correction says what the signed report says already: give it up instead."
            )


def problems_of_text(report: Report, said: str) -> list[Problem]:
    """What the checks say of an addendum."""
    return run(_facts_of_text(report, said))


def _facts_of_text(report: Report, said: str) -> Facts:
    alone = Section("addendum", "Addendum", fields=(Field("addendum", value=said, fill="touched"),))
    return replace(facts_of(report, {}, {}), sections=(alone,))


def untold(report: Report, problems: list[Problem], content: Mapping[str, Any] | str) -> str:
    """The critical finding of a text, or of an addendum, that is signed though no communication is recorded; empty: none."""
    if all(one.rule != "critical" for one in problems):
        return ""
    facts = _facts_of_text(report, content) if isinstance(content, str) else facts_of(report, content, {})
    return critical_finding(facts)


def must_pass(problems: list[Problem], acknowledged: Collection[str]) -> None:
    """Raise Unready where something blocks, or has not been acknowledged."""
    waiting = [one for one in problems if one.level == BLOCK or one.rule not in acknowledged]
    if waiting:
        blocks = any(one.level == BLOCK for one in waiting)
        words = "This has to be mended before the report is signed." if blocks else "Look at this before you sign."
        raise Unready(words, problems=told(problems))


def told(problems: list[Problem]) -> list[dict[str, Any]]:
    return [{**asdict(one), "place": list(one.place) if one.place else None} for one in problems]


def kept(problems: list[Problem], acknowledged: Collection[str]) -> dict[str, Any]:
    """What is stored with a signature."""
    meant = sorted({one.rule for one in problems} & set(acknowledged))
    return {"rules": RULES_VERSION, "problems": told(problems), "acknowledged": meant}


def acknowledged_of(given: Any) -> list[str]:
    """The rules that a reader says they have looked at. Raises Unusable."""
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > 500 or not all(isinstance(rule, str) for rule in given):
        raise Unusable("acknowledged: a list of rules is expected")
    return given


# --- the final against the preliminary of another reader


def preliminary_of(report: Report, user_id: int | None) -> ReportVersion | None:
    """The newest signed text, where it is no final one and another person signed it."""
    rows = ReportVersion.objects.filter(report=report, kind__in=("preliminary", "submit"))
    newest = rows.select_related("template_version").order_by("-number").first()
    return newest if newest is not None and newest.author_id != user_id else None


def changes_since(preliminary: ReportVersion, text: ReportVersion) -> list[Change]:
    labels = {**labels_of(preliminary.template_version.schema), **labels_of(text.template_version.schema)}
    return compare(preliminary.content, text.content, labels)


def grading(report: Report, text: ReportVersion, user_id: int | None, grade: str) -> list[Problem]:
    """What the attending still has to say about the difference between preliminary and final."""
    preliminary = preliminary_of(report, user_id)
    if preliminary is None:
        return []
    if not grade and changes_since(preliminary, text):
        words = f"Your text differs from what {preliminary.author_name} signed. Say how much it matters."
        return [Problem("discrepancy", BLOCK, words)]
    if grade == "major" and not _was_told(report, preliminary):
        words = "A major difference is told to whoever acts on the preliminary report: no communication is recorded."
        return [Problem("discrepancy_record", ACKNOWLEDGE, words)]
    return []


def asks_for_grade(report: Report, text: ReportVersion, user_id: int | None) -> bool:
    """Whether this person, signing the final text, has to say how much it departs from the preliminary."""
    preliminary = preliminary_of(report, user_id) if report.state in OPEN else None
    return preliminary is not None and bool(changes_since(preliminary, text))


def _was_told(report: Report, preliminary: ReportVersion) -> bool:
    """Whether somebody was reached about this report after it was preliminary."""
    tries = CriticalAttempt.objects.filter(result__report=report, outcome="reached", at__gte=preliminary.at)
    return tries.exists()


def grade_of(given: Any) -> str:
    """Raises Unusable."""
    if given in (None, ""):
        return ""
    if given not in GRADES:
        raise Unusable(f"discrepancy: one of {', '.join(GRADES)} is expected")
    return str(given)
