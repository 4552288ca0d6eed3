"""Sizes without a unit: "the nodule measures 12"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reporting.checks.facts import ACKNOWLEDGE, Problem
from reporting.checks.lengths import NUMBER, TIMES
from reporting.checks.reading import Hit, Sentence
from reporting.checks.report import Report
from reporting.checks.texts import Text

FILLERS = 5
_SIZE = re.compile(rf"{NUMBER}(?:{TIMES}{NUMBER})?(?:{TIMES}{NUMBER})?")
_DECIMAL_SIZE = re.compile(
    rf"(?<![\w.,:/])(?:\d{{1,3}}[.,]\d{{1,2}}{TIMES}{NUMBER}|\d{{1,3}}{TIMES}\d{{1,3}}[.,]\d{{1,2}})(?:{TIMES}{NUMBER})?"
)
_MORE = (
    rf"(?:\s?(?:,|;|-|–|/|\(|x|×|and|to|or|und|bis|oder|y|a|o|et|à|ou)\s?(?:[a-zA-Zäöüéèñ]{{1,14}}\s)?{NUMBER}){{0,4}}"
)
_UNIT = re.compile(
    rf"{_MORE}\s{{0,2}}-?(?:mm|cm|dm|m|km|µm|ml|mL|cc|ccm|l|L|%|°|HU|HE|UH|mg|g|kg|ms|s|ng|mGy|Hz|kHz|MHz|mmHg|cm[23²³]|mm[23²³])"
    r"(?![a-zA-Z])",
)
_NOT_A_SIZE = re.compile(r"\s?(?:[.:/-]\s?\d|[%°\"'’]|st\b|nd\b|rd\b|th\b|º|ª)|[a-zA-Z]|[.,]\d")


def check(report: Report) -> Iterator[Problem]:
    for text, sentence in report.told:
        for start, end in (*_after_words(text, sentence), *_decimal(text, sentence)):
            if not _counted(text, sentence, end):
                message = f"A size without its unit: {report.quote(text, sentence)}"
                yield Problem("missing_unit", ACKNOWLEDGE, message, text.field, text.stored(start, end))
                break


def _after_words(text: Text, sentence: Sentence) -> Iterator[tuple[int, int]]:
    """Numbers that a word of measuring leads to: "measures up to 12"."""
    fillers = {hit.first for hit in sentence.of("filler")}
    for hit in sentence.of("measures"):
        if any(0 <= hit.first - scale.last <= FILLERS for scale in sentence.of("scale")):
            continue
        at = hit.last + 1
        while at < len(sentence.words) and at in fillers and at - hit.last <= FILLERS:
            at += 1
        if at < len(sentence.words) and sentence.words[at].text.isdigit():
            found = _SIZE.match(text.text, sentence.words[at].start)
            if found:
                yield found.span()


def _decimal(text: Text, sentence: Sentence) -> Iterator[tuple[int, int]]:
    """ "2.4 x 1.8" can be nothing but a size."""
    for found in _DECIMAL_SIZE.finditer(text.text, sentence.start, sentence.end):
        yield found.span()


def _counted(text: Text, sentence: Sentence, end: int) -> bool:
    """A unit follows, or what follows says that it is no length."""
    if _UNIT.match(text.text, end) or _NOT_A_SIZE.match(text.text, end):
        return True
    following: list[Hit] = [hit for hit in sentence.of("unitless") if sentence.words[hit.first].start >= end]
    return bool(following) and not any(
        word.start >= end and word.start < sentence.words[following[0].first].start for word in sentence.words
    )
