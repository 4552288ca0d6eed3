"""An organ that was taken out, reported as normal."""

from __future__ import annotations

from collections.abc import Iterator

from reporting.checks.facts import ACKNOWLEDGE, Problem
from reporting.checks.lexicon import Lexicon
from reporting.checks.reading import Hit, Sentence, read
from reporting.checks.report import Report, quoted

PAIRED = frozenset({"kidney", "ovary", "breast", "adrenal", "lung", "testis"})
SPEAKS_OF_IT = 4
"""Words between an organ and "surgically absent"."""

Gone = dict[tuple[str, str], str]
"""(organ, side) -> the sentence that says so."""


def check(report: Report) -> Iterator[Problem]:
    if report.lexicon is None:
        return
    gone: Gone = {}
    for prior in report.facts.priors:
        when = f"report of {prior.date.isoformat()}" if prior.date else "prior report"
        _collect(gone, prior.text, read(prior.text, "findings", report.lexicon), when)
    _collect_text(gone, report.facts.indication, report.lexicon, "order")
    for text, sentence in report.sentences:
        _collect(gone, text.text, [sentence], "this report")
    if not gone:
        return
    for text, sentence in report.told:
        for hit in sentence.of("anatomy"):
            for organ in hit.values("anatomy"):
                why = _gone(gone, organ, sentence, hit)
                if why and _normal(sentence, hit):
                    yield report.problem("removed_organ", ACKNOWLEDGE, f"Removed, says {why}", text, sentence, hit)
                    return


def _collect_text(gone: Gone, text: str, lexicon: Lexicon, source: str) -> None:
    _collect(gone, text, read(text, "history", lexicon), source)


def _collect(gone: Gone, text: str, sentences: list[Sentence], source: str) -> None:
    for sentence in sentences:
        for hit, organ in _removals(sentence):
            if sentence.said(hit) & {"deny", "doubt", "family", "partial"}:
                continue
            why = f"the {source}" if source != "this report" else source
            why = f"{why} ({quoted(text, sentence.start, sentence.end)})"
            for side in _sides(sentence, hit) if organ in PAIRED else ("",):
                gone.setdefault((organ, side), why)


def _removals(sentence: Sentence) -> Iterator[tuple[Hit, str]]:
    for hit in sentence.of("removed"):
        yield from ((hit, organ) for organ in hit.values("removed"))
    for absent in sentence.of("gone"):
        for hit in sentence.of("anatomy"):
            gap = max(absent.first - hit.last, hit.first - absent.last)
            if gap <= SPEAKS_OF_IT:
                yield from ((hit, organ) for organ in hit.values("anatomy") if ":" not in organ)


def _sides(sentence: Sentence, hit: Hit) -> tuple[str, ...]:
    """L, R or both; nothing where the sentence names no side of a paired organ."""
    values = {value for side in sentence.of("side") for value in side.values("side")}
    if "B" in values or (any(mark == ("removed", "ovary") for mark in hit.marks) and not values):
        return ("L", "R")
    return tuple(values) if len(values) == 1 else ()


def _gone(gone: Gone, organ: str, sentence: Sentence, hit: Hit) -> str:
    if organ not in PAIRED:
        return gone.get((organ, ""), "")
    values = {value for side in sentence.of("side") for value in side.values("side")}
    if not values and sentence.head is not None:
        values = {value for side in sentence.head.of("side") for value in side.values("side")}
    if "B" in values or (not values and hit.has("many")):
        values = {"L", "R"}
    elif len(values) != 1:
        return ""
    return next((gone[organ, side] for side in sorted(values) if (organ, side) in gone), "")


def _normal(sentence: Sentence, hit: Hit) -> bool:
    """The sentence calls the organ normal, and says nothing of its absence."""
    if sentence.of("gone") or sentence.of("removed") or sentence.said(hit) & {"past", "compare", "partial"}:
        return False
    return any(not sentence.said(one) & {"deny", "doubt"} for one in sentence.of("normal"))
