"""The side that was ordered and imaged against the side that is said.

Two thirds of a commercial checker's alarms on sides were false (J Am Coll Radiol 2024;21:1575), so a sentence only counts
when it asserts its side of something: not what is denied, compared with, past, or the name of a part ("left ventricle").
"""

from __future__ import annotations

from collections.abc import Iterator

from reporting.checks.facts import ACKNOWLEDGE, Problem
from reporting.checks.lexicon import CONCEPTS
from reporting.checks.mentions import NAMES, OPPOSITE, Mention
from reporting.checks.reading import Sentence, meaning_of, words_of
from reporting.checks.report import Report
from reporting.checks.texts import FINDINGS, IMPRESSION

RULE = "laterality_order"
LIMBS = frozenset(CONCEPTS["paired_limbs"])
"""Of these one side is imaged, and the other has no place in the report but to compare."""
WITHOUT_SIDES = frozenset(CONCEPTS["without_sides"])
"""A side ordered with these is the complaint's."""
NOT_OF_NOW = frozenset({"compare", "family", "past", "outside"})


def check(report: Report) -> Iterator[Problem]:
    facts = report.facts
    if {facts.order_laterality, facts.image_laterality} == {"L", "R"}:
        message = f"The order says {NAMES[facts.order_laterality]}, the images say {NAMES[facts.image_laterality]}."
        yield Problem(RULE, ACKNOWLEDGE, message)
    if report.lexicon is None:
        return
    words = words_of(facts.procedure)
    meaning = meaning_of(facts.procedure, words, report.lexicon, title=True)
    procedure = Sentence(words, meaning, "technique", None)
    expected = facts.order_laterality or facts.image_laterality or _only_side(procedure)
    if expected not in OPPOSITE:
        return
    regions = frozenset(value.split(":")[0] for hit in procedure.of("anatomy") for value in hit.values("anatomy"))
    if regions and regions <= WITHOUT_SIDES:
        return
    wrong = _against(list(_asserted(report)), expected, regions)
    if wrong is not None:
        source = "order" if facts.order_laterality else "images" if facts.image_laterality else "examination"
        message = f"The {source} is for the {NAMES[expected]} side, the text says {NAMES[wrong.side]}"
        message = message.replace("images is for", "images are of")
        yield report.problem(RULE, ACKNOWLEDGE, message, wrong.text, wrong.sentence, wrong.side_hit)


def _only_side(procedure: Sentence) -> str:
    sides = {value for hit in procedure.of("side") for value in hit.values("side")}
    return sides.pop() if len(sides) == 1 else ""


def _asserted(report: Report) -> Iterator[Mention]:
    """What the technique, the findings and the impression say of a side, now and of this patient."""
    return (one for one in report.mentions if one.side and not one.said & NOT_OF_NOW)


def _against(mentions: list[Mention], expected: str, regions: frozenset[str]) -> Mention | None:
    """The first mention of the other side that cannot be meant."""
    about = [one for one in mentions if not (regions and one.regions) or regions & one.regions]
    wrong = [one for one in about if _is_wrong(one, expected)]
    if not wrong:
        return None
    if not any(one.side in (expected, "B") for one in about):
        return wrong[0]
    told = [one for one in about if one.sentence.kind == IMPRESSION]
    found = [one for one in about if one.sentence.kind == FINDINGS]
    concluded = next((one for one in told if _is_wrong(one, expected)), None)
    if (
        concluded is not None
        and not any(one.side in (expected, "B") for one in told)
        and not any(one.side == OPPOSITE[expected] and not one.sentence.of("normal") for one in found)
    ):
        return concluded
    return next((one for one in wrong if one.regions & regions & LIMBS and _is_imaged(one)), None)


def _is_wrong(mention: Mention, expected: str) -> bool:
    return mention.side == OPPOSITE[expected] and mention.side_hit is not None and "deny" not in mention.said


def _is_imaged(mention: Mention) -> bool:
    """Says what was seen or done there, not that all was well beside it."""
    return bool(mention.finding or mention.sentence.kind == "technique") and not mention.sentence.of("normal")
