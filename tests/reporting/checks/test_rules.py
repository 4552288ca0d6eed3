"""What a problem says, how grave it is, and where it points."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reporting.checks import ACKNOWLEDGE, BLOCK, CHECKS, RULES_VERSION, run
from reporting.checks.facts import Context, Facts, Field, Measured, Problem, Section, sections_of

SCHEMA: dict[str, Any] = {
    "sections": [
        {
            "id": "findings",
            "title": "Findings",
            "code": {"value": "59776-5", "scheme": "LN", "meaning": "Findings"},
            "fields": [
                {"id": "findings", "type": "textarea", "label": "Findings", "required": True},
                {
                    "id": "side",
                    "type": "selection",
                    "label": "Side",
                    "options": [{"value": "a", "label": "Left breast"}],
                },
                {"id": "size", "type": "number", "label": "Size", "units": "mm", "minimum": 0, "maximum": 200},
            ],
        },
        {
            "id": "impression",
            "title": "Impression",
            "required": True,
            "fields": [{"id": "impression", "type": "textarea", "label": "Impression"}],
        },
    ],
}


def problems(findings: str, impression: str = "See above.", **others: Any) -> dict[str, Problem]:
    content = {"findings": findings, "impression": impression, **others.pop("content", {})}
    return {problem.rule: problem for problem in run(Facts(sections=sections_of(SCHEMA, content), **others))}


def marked(problem: Problem, text: str) -> str:
    assert problem.place is not None
    return text[slice(*problem.place)]


def test_only_what_the_specification_blocks_is_a_block() -> None:
    blocks = {"wrong_patient", "unfilled", "required"}
    said = problems(
        "[ ] 4 cm node of the left breast in the uterus. Pulmonary embolism.",
        " ",
        sex="M",
        contexts=(Context("report", "1"), Context("viewer", "2")),
    )
    assert blocks | {"sex", "critical"} == set(said)
    assert {rule for rule, problem in said.items() if problem.level == BLOCK} == blocks
    assert said["sex"].level == ACKNOWLEDGE


def test_blocks_come_first() -> None:
    facts = Facts(sections=sections_of(SCHEMA, {"findings": "Pulmonary embolism. [ ]", "impression": "x"}))
    assert [problem.level for problem in run(facts)] == [BLOCK, ACKNOWLEDGE]


def test_an_unfilled_place_is_marked_where_it_stands_behind_a_chip() -> None:
    text = "Node [[measurement:1.2.3/long_axis|12 mm]] in segment [ ]."
    problem = problems(text)["unfilled"]
    assert (problem.field, marked(problem, text)) == ("findings", "[ ]")
    assert "Node 12 mm in segment [ ]." in problem.message


def test_the_side_is_marked_and_both_sentences_are_quoted() -> None:
    impression = "Impression [[key_image:1.2|figure]]: mass of the right breast."
    problem = problems("Spiculated mass in the left breast.", impression)["laterality_sections"]
    assert marked(problem, impression) == "right"
    assert "“Spiculated mass in the left breast”" in problem.message
    assert "mass of the right breast" in problem.message


def test_the_order_and_the_images_are_told_apart() -> None:
    assert (
        "images say right"
        in problems("Normal.", order_laterality="L", image_laterality="R")["laterality_order"].message
    )
    said = problems("Tear of the right meniscus.", image_laterality="L", procedure="MR knee")
    assert said["laterality_order"].message.startswith("The images are of the left side, the text says right: “")


def test_a_chosen_option_counts_as_text() -> None:
    said = problems("A mass with irregular margins.", "Mass in the right breast.", content={"side": "a", "size": 12})
    assert "laterality_sections" in said


def test_a_chip_ten_times_off_is_found_though_the_true_length_stands_elsewhere() -> None:
    text = "Nodule [[measurement:1.2/long_axis|12 cm]], before 12 mm."
    measured = (Measured("1.2", 12.0, "mm", "long_axis", "nodule"),)
    problem = problems(text, measurements=measured)["tenfold"]
    assert marked(problem, text) == "12 cm"
    assert "Nodule measured is 12 mm" in problem.message


def test_a_number_out_of_range_names_its_limits() -> None:
    problem = problems("Normal.", content={"size": 250})["out_of_range"]
    assert problem.message == "Size: 250 mm is out of range (0 to 200)."
    assert problem.field == "size"


def test_hidden_fields_say_nothing_and_block_nothing() -> None:
    sections = sections_of(SCHEMA, {"impression": "[ ]"}, shown={"size"})
    assert run(Facts(sections=sections)) == []


def test_a_recorded_critical_result_answers_the_critical_word() -> None:
    assert "critical" in problems("Pulmonary embolism.")
    assert "critical" not in problems("Pulmonary embolism.", criticals=("embolism",))


def test_headings_inside_one_field_divide_it() -> None:
    text = "INDICATION: ?pulmonary embolism\nFINDINGS:\nNodule in the left lower lobe.\nIMPRESSION: Right lower lobe nodule."
    sections = (Section("report", "Report", fields=(Field("report", value=text),)),)
    assert {problem.rule for problem in run(Facts(sections=sections))} == {"laterality_sections"}


def test_an_unknown_language_is_no_problem() -> None:
    assert problems("Nodulo polmonare sinistro.", "Nodulo polmonare destro.", language="it", sex="M") == {}
    assert set(problems("Nodulo di [ ].", language="it")) == {"unfilled"}


def test_the_version_of_the_rules_is_a_digest() -> None:
    assert re.fullmatch(r"1\.[0-9a-f]{12}", RULES_VERSION)


def test_every_rule_says_its_own_name() -> None:
    said = problems("[ ] Pulmonary embolism measures 12.", "No pulmonary embolism.", sex="M", content={"size": -1})
    assert set(said) <= set(CHECKS)
    assert {"unfilled", "critical", "contradiction", "missing_unit", "out_of_range"} == set(said)


@pytest.mark.parametrize("age", [None, 0.0, 120.0])
def test_any_age_will_do(age: float | None) -> None:
    assert problems("Lungs clear.", age=age) == {}
