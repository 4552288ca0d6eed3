"""Whatever is typed: the rules never raise, say the same twice, and take time in proportion to the text."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reporting.checks import BLOCK, run
from reporting.checks.facts import Facts, Field, Measured, Prior, Problem, Section
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
