"""Whatever is typed: the rules never raise, say the same twice, and take time in proportion to the text."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reporting.checks import BLOCK, reading, run
from reporting.checks.facts import Facts, Field, Measured, Prior, Problem, Section
from reporting.checks.lexicon import LANGUAGES, Lexicon, lexicon_for
from tests.reporting.checks.cases import PARTS, cases

WORDS = (
    *(
        "left",
        "right",
        "no",
        "nodule",
        "12 mm",
        "1,2 x 3",
        "measures",
        "[ ]",
        "***",
        "***",
        "uterus",
        "45-year-old man",
    ),
    *(
        "12.03.2024",
        "compared to",
        "but",
        "L4/5:",
        "\n",
        ".",
        ",",
        ":",
        "IMPRESSION:",
        "normal",
        "links",
        "kein",
        "Infarkt",
    ),
    *(
        "gauche",
        "pas d'embolie",
        "izquierdo",
        "sin",
        "[[measurement:1.2/a|12 mm]]",
        "acute",
        "embolism",
        "\x00",
        "\ud83d",
    ),
)
texts = st.one_of(st.text(max_size=300), st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
values = st.one_of(texts, st.none(), st.booleans(), st.floats(), st.integers(), st.lists(texts, max_size=3))


def facts_of(findings: object, impression: object, language: str = "en") -> Facts:
    return Facts(
        sections=(
            Section("findings", "Findings", fields=(Field("findings", value=findings), Field("size", "number"))),
            Section("impression", "Impression", fields=(Field("impression", value=impression),)),
        ),
        language=language,
        sex="F",
        age=50.0,
        study_date=date(2025, 3, 10),
        order_laterality="L",
        procedure="MRI knee left",
        measurements=(Measured("1.2", 12.0, "mm", "a", "nodule"),),
        priors=(Prior("Nephrectomy. Nodule.", date(2024, 1, 1), "", (Measured("1.1", 20.0, "mm", "a", "nodule"),)),),
        comparison_dates=(date(2024, 1, 1),),
    )


everything = st.builds(facts_of, values, values, st.sampled_from(["en", "de", "es", "fr", "it", "", "en-GB"]))
QUIET = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUIET
@given(everything)
def test_no_text_is_too_odd_and_every_run_says_the_same(facts: Facts) -> None:
    found = run(facts)
    assert found == run(facts)
    assert all(isinstance(problem, Problem) and problem.message for problem in found)


@QUIET
@given(everything)
def test_places_lie_in_the_stored_text(facts: Facts) -> None:
    stored = {field.id: field.value for section in facts.sections for field in section.fields}
    for problem in run(facts):
        if problem.place is not None:
            start, end = problem.place
            assert 0 <= start < end <= len(stored[problem.field])


@QUIET
@given(texts, st.text(alphabet=st.characters(codec="ascii", exclude_characters="[]"), max_size=80))
def test_more_text_removes_no_block(text: str, more: str) -> None:
    def blocks(facts: Facts) -> set[tuple[str, str]]:
        return {(problem.rule, problem.field) for problem in run(facts) if problem.level == BLOCK}

    assert blocks(facts_of(text, "x")) <= blocks(facts_of(f"{text}\nThe aortic arch is tortuous. {more}", "x"))


def test_every_acknowledgement_leaves_the_blocks_standing() -> None:
    for part in PARTS:
        for case in cases(part):
            last = replace(case.facts.sections[0], fields=(*case.facts.sections[0].fields, Field("z", value="[ ]")))
            facts = replace(case.facts, sections=(last, *case.facts.sections[1:]))
            assert run(facts)[0].level == BLOCK
            assert any(problem.rule == "unfilled" for problem in run(facts))


def _forget() -> None:
    for language in LANGUAGES:
        lexicon = lexicon_for(language)
        assert lexicon is not None
        lexicon.meanings.clear()


def test_what_was_read_before_changes_no_answer() -> None:
    """Sentences are kept from one look to the next: below another head, in another section, with or without commas."""
    every = [case.facts for part in PARTS for case in cases(part)]
    labelled = [
        replace(
            facts_of(said, said), sections=(Section("findings", title, fields=(Field("a", label=title, value=said),)),)
        )
        for title in ("Left kidney, right kidney", "Left kidney right kidney", "Findings")
        for said in ("Left kidney, right kidney", "Left kidney right kidney", "Cyst.", "(left) cyst", "left cyst")
    ]
    every += labelled
    warm = [run(facts) for facts in every]
    for facts, said in zip(every, warm, strict=True):
        _forget()
        assert run(facts) == said
    assert [run(facts) for facts in reversed(every)] == warm[::-1]


def test_a_word_more_has_only_its_own_sentence_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(f"Nodule {number} of the left upper lobe, {number} mm, no effusion." for number in range(300))
    _forget()
    run(facts_of(text, "Nodule."))
    looked_up: list[int] = []

    def counting(words: list[reading.Word], lexicon: Lexicon) -> list[reading.Hit]:
        looked_up.append(len(words))
        return hits_of(words, lexicon)

    hits_of = reading.hits_of
    monkeypatch.setattr(reading, "hits_of", counting)
    run(facts_of(text.replace("Nodule 150 of", "Nodule 150, in the middle, of"), "Nodule."))
    assert len(looked_up) == 1


LONG = 200_000


OWN_WORDS = "words of their own"
AGAIN_AND_AGAIN = (
    *("no ", "left right ", "left: ", "1.2 x ", "1 x 1 x ", "12.12.2012 ", "45-year-old ", "[ ", "* ", "a", "no but "),
    *(
        "enlarged node ",
        "measures 12 and ",
        "12 mm ",
        "[[measurement:1.2/a|12 mm]] ",
        "no, ",
        "\n",
        "\t",
        "[[",
        "|",
        "]",
    ),
    *("left upper lobe nodule of ", "cholecystectomy gallbladder normal ", "compared to 1.1.2011 but ", "acute ", "99"),
    OWN_WORDS,
)


@pytest.mark.parametrize("words", AGAIN_AND_AGAIN, ids=repr)
def test_two_hundred_kilobytes_of_anything_are_read_in_seconds(words: str) -> None:
    """Measured 0.05 to 3 s with the machine busy; a pattern that grows with the square would take many minutes.

    Time of this process alone, and ten times what was measured, so that a busy machine does not fail it.
    """
    text = (words * (LONG // len(words) + 1))[:LONG]
    if words == OWN_WORDS:
        text = " ".join(f"w{number}zq" for number in range(LONG // 8))
    begun = time.process_time()
    run(facts_of(text, text))
    assert time.process_time() - begun < 60
