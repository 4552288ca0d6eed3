"""What a choice means together with its label: "Pulmonary embolism: present" asserts one, "Pulmonary embolism: none" denies it.

A choice that answers its label, or stands beside a label that is a finding and nothing else ("Pneumothorax: left"), is read
with it. Any other says itself what it means.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

from reporting.checks.lexicon import FOLDER, Lexicon, folded_words
from reporting.checks.reading import hits_of, words_of
from reporting.checks.texts import Text

ASSERT = "assert"
JOINT = " – "
"""Not a colon: what stands before one is the head of its line, and hides the heads above it."""


def with_label(text: Text, lexicon: Lexicon | None, language: str) -> Text:
    """A choice as it reads beside its label; any other text as it is."""
    label = text.label.strip().rstrip(":?").rstrip()
    if text.marked or not label or lexicon is None:
        return text
    answer = _answers(language).get(folded_words(text.text), "")
    if not answer and (not _is_finding(label, lexicon) or _is_finding(text.text, lexicon)):
        return text
    said = frozenset({answer} - {"", ASSERT})
    return replace(text, text=f"{label}{JOINT}{text.text}", said=said)


def _is_finding(words: str, lexicon: Lexicon) -> bool:
    """Whether these words name a finding, with or without its place, and say nothing else."""
    found = words_of(words)
    hits = hits_of(found, lexicon)
    known = {at for hit in hits if hit.has("finding") or hit.has("anatomy") for at in range(hit.first, hit.last + 1)}
    return any(hit.has("finding") for hit in hits) and len(known) == len(found)


@cache
def _answers(language: str) -> dict[str, str]:
    table = json.loads((FOLDER / "answers.json").read_text(encoding="utf-8")).get(language[:2].lower(), {})
    return {folded_words(word): kind for kind, words in table.items() for word in words}
