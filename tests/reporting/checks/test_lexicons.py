"""The word lists are sound: every pattern is found where it stands, and means what concepts.json knows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reporting.checks.lexicon import CONCEPTS, FOLDER, LANGUAGES, kind_of_heading, lexicon_for
from reporting.checks.reading import hits_of, read, words_of

KINDS_WITHOUT_PATTERNS = {"abbreviations"}


def table_of(language: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))


def patterns_of(language: str) -> list[tuple[str, str, str]]:
    return [
        (kind, value, pattern)
        for kind, values in table_of(language).items()
        if kind not in KINDS_WITHOUT_PATTERNS
        for value, patterns in (values if isinstance(values, dict) else {"": values}).items()
        for pattern in patterns
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_pattern_is_found_in_its_own_words(language: str) -> None:
    lexicon = lexicon_for(language)
    assert lexicon is not None
    for kind, value, pattern in patterns_of(language):
        words = words_of(pattern.replace("*", "").replace("=", ""))
        marks = {mark for hit in hits_of(words, lexicon) for mark in hit.marks}
        assert (kind, value) in marks or kind == "skip", (kind, value, pattern)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_pattern_stands_twice_in_a_list(language: str) -> None:
    patterns = patterns_of(language)
    assert sorted({one for one in patterns if patterns.count(one) > 1}) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_kinds(language: str) -> None:
    assert set(table_of(language)) == set(table_of("en"))


def test_concepts_name_findings_and_places_that_some_lexicon_has() -> None:
    english = table_of("en")
    made = {row[2] for row in CONCEPTS["joined"]}
    findings = set(english["finding"]) | made
    for name in ("serious", "acute", "contradicted", "generic"):
        assert set(CONCEPTS[name]) <= findings, name
    assert set(CONCEPTS["critical"]) <= findings
    assert set(CONCEPTS["implies"]) <= findings
    for one, other, _, _ in CONCEPTS["joined"]:
        for mark in (one, other):
            kind, _, value = mark.partition(":")
            assert value in english[kind], mark


def test_a_word_means_the_same_with_and_without_accents_and_capitals() -> None:
    lexicon = lexicon_for("fr")
    assert lexicon is not None
    for words in ("ÉPANCHEMENT PLEURAL", "epanchement pleural", "Épanchement pleural"):
        (hit,) = hits_of(words_of(words), lexicon)
        assert ("finding", "effusion") in hit.marks


def test_headings_are_known_in_four_languages() -> None:
    for heading, kind in (
        ("FINDINGS:", "findings"),
        ("Beurteilung", "impression"),
        ("Impresión", "impression"),
        ("EXAMENS ANTÉRIEURS", "comparison"),
        ("Klinische Angaben", "history"),
        ("Lungs", ""),
    ):
        assert kind_of_heading(heading) == kind, heading


def test_sentences_end_at_stops_and_not_at_abbreviations() -> None:
    lexicon = lexicon_for("de")
    assert lexicon is not None
    text = (
        "Z. n. Cholezystektomie. Harnstau II. Grades rechts. Kein Erguss bds. nachweisbar.\nMilz 11,2 cm; Leber o. B."
    )
    found = [text[one.start : one.end] for one in read(text, "findings", lexicon)]
    assert found == [
        "Z. n. Cholezystektomie",
        "Harnstau II. Grades rechts",
        "Kein Erguss bds. nachweisbar",
        "Milz 11,2 cm",
        "Leber o. B",
    ]


@pytest.mark.parametrize(
    ("language", "sentence", "denied"),
    [
        (
            "en",
            "No focal consolidation, pleural effusion, or pneumothorax.",
            {"consolidation", "effusion", "pneumothorax"},
        ),
        ("en", "No pneumothorax, but a small effusion is seen.", {"pneumothorax"}),
        ("en", "Nondisplaced fracture without dislocation.", {"dislocation"}),
        ("en", "There is no change in the consolidation.", set()),
        ("en", "The effusion has resolved.", {"effusion"}),
        ("en", "A pneumothorax is not seen.", {"pneumothorax"}),
        ("de", "Kein Infiltrat, kein Pneumothorax, aber ein Pleuraerguss.", {"consolidation", "pneumothorax"}),
        ("de", "Nicht dislozierte Radiusfraktur.", set()),
        ("de", "Eine Fraktur ist nicht nachweisbar.", {"fracture"}),
        ("es", "No se observan fracturas ni luxación.", {"fracture", "dislocation"}),
        ("es", "Fractura sin desplazamiento.", set()),
        ("fr", "Pas de fracture ni de luxation.", {"fracture", "dislocation"}),
        ("fr", "Fracture non déplacée sans luxation.", {"dislocation"}),
    ],
)
def test_what_is_denied_is_known(language: str, sentence: str, denied: set[str]) -> None:
    lexicon = lexicon_for(language)
    assert lexicon is not None
    (read_one,) = read(sentence, "findings", lexicon)
    wanted = {"consolidation", "effusion", "pneumothorax", "dislocation", "fracture"}
    found = {
        value
        for hit in read_one.of("finding")
        for value in hit.values("finding")
        if "deny" in read_one.said(hit) and value in wanted
    }
    assert found == denied
