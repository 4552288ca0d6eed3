"""A report laid out for the rules: its texts, their sentences and what they mention, each read once."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from reporting.checks.choices import with_label
from reporting.checks.facts import Facts, Problem
from reporting.checks.lexicon import Lexicon, Mark, lexicon_for
from reporting.checks.mentions import Mention, mentions_of
from reporting.checks.reading import Hit, Sentence, meaning_of, read, words_of
from reporting.checks.texts import TOLD, Text, texts_of

QUOTED = 160
"""Characters of a quoted sentence."""


@dataclass
class Report:
    facts: Facts

    @cached_property
    def lexicon(self) -> Lexicon | None:
        """None: the report's language is none of ours, and only rules without words run."""
        return lexicon_for(self.facts.language)

    @cached_property
    def texts(self) -> tuple[Text, ...]:
        return tuple(with_label(text, self.lexicon, self.facts.language) for text in texts_of(self.facts))

    @cached_property
    def sentences(self) -> list[tuple[Text, Sentence]]:
        """Of every text, in order; none in a language without a lexicon."""
        lexicon = self.lexicon
        if lexicon is None:
            return []
        return [
            (text, sentence)
            for text in self.texts
            for sentence in read(text.text, text.kind, lexicon, _head(text, lexicon), text.said)
        ]

    @cached_property
    def told(self) -> list[tuple[Text, Sentence]]:
        """What findings and impression say."""
        return [(text, sentence) for text, sentence in self.sentences if sentence.kind in TOLD]

    @cached_property
    def mentions(self) -> list[Mention]:
        """Of technique, findings and impression."""
        return [
            mention
            for text, sentence in self.sentences
            if sentence.kind in TOLD or sentence.kind == "technique"
            for mention in mentions_of(text, sentence)
        ]

    @cached_property
    def _starts(self) -> dict[str, tuple[list[int], list[Sentence]]]:
        """Of each field's sentences."""
        found: dict[str, tuple[list[int], list[Sentence]]] = {}
        for text, sentence in self.sentences:
            starts, sentences = found.setdefault(text.field, ([], []))
            starts.append(sentence.start)
            sentences.append(sentence)
        return found

    def about(self, text: Text, place: int) -> frozenset[Mark]:
        """Findings and anatomy of the sentence that a place of a text is in."""
        starts, sentences = self._starts.get(text.field, ([], []))
        at = bisect_right(starts, place) - 1
        if at < 0:
            return frozenset()
        named = (*sentences[at].of("finding"), *sentences[at].of("anatomy"))
        return frozenset(mark for hit in named for mark in hit.marks)

    def kind(self, *kinds: str) -> list[Mention]:
        return [mention for mention in self.mentions if mention.sentence.kind in kinds]

    def problem(
        self, rule: str, level: str, message: str, text: Text, sentence: Sentence, hit: Hit | None = None
    ) -> Problem:
        """With the sentence quoted; the place is the hit's, or the sentence's."""
        start, end = sentence.place(hit) if hit is not None else (sentence.start, sentence.end)
        return Problem(rule, level, f"{message}: {self.quote(text, sentence)}", text.field, text.stored(start, end))

    def quote(self, text: Text, sentence: Sentence) -> str:
        return quoted(text.text, sentence.start, sentence.end)


def _head(text: Text, lexicon: Lexicon) -> Sentence | None:
    """A field's label as the head of its text: "Left kidney"."""
    label = f"{text.title} {text.label}"
    words = words_of(label)
    return Sentence(words, meaning_of(label, words, lexicon, title=True), text.kind, None) if words else None


def quoted(text: str, start: int, end: int) -> str:
    """A place of a text in quotes, on one line, not too long."""
    words = " ".join(text[start : min(end, start + QUOTED)].split())
    return f"“{words}{'…' if end > start + QUOTED else ''}”"


def around(text: str, start: int, end: int) -> str:
    """A place with what stands beside it on its line."""
    margin = max(0, (QUOTED - (end - start)) // 2)
    line = max(text.rfind("\n", 0, start) + 1, start - margin)
    stop = text.find("\n", end, end + margin)
    return quoted(text, line, stop if stop >= 0 else min(len(text), end + margin))
