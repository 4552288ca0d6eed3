"""What may stand in a report's fields, and what fits when the template is changed."""

from __future__ import annotations

from typing import Any

import pytest

from reporting.exports.document import headed
from reporting.models import ReportVersion, TemplateVersion
from reporting.workflow.content import TEXT, BadContent, beginning, checked, checked_fills, fitted, laid_over
from reporting.workflow.reading import sections_of


def field(name: str, kind: str = "textarea", **more: Any) -> dict[str, Any]:
    plain = {"label": name.capitalize(), "default": "", "required": False, "completion": "NONE", "units": ""}
    lists = {"options": [], "suggestions": [], "codes": [], "multiple": False, "merge": "", "show_if": None}
    return {"id": name, "type": kind, **plain, **lists, "minimum": None, "maximum": None, "step": None, **more}


def section(name: str, code: str, *fields: dict[str, Any]) -> dict[str, Any]:
    coded = {"value": code, "scheme": "LN", "meaning": name} if code else None
    return {
        "id": name,
        "title": name.capitalize(),
        "level": 1,
        "required": False,
        "code": coded,
        "fields": list(fields),
    }


def schema(*sections: dict[str, Any]) -> dict[str, Any]:
    return {"title": "t", "language": "en", "sections": list(sections)}


SIDES = [{"value": "l", "label": "left", "codes": []}, {"value": "r", "label": "right", "codes": []}]
EVERY = schema(
    section(
        "findings",
        "59776-5",
        field("words", "text"),
        field("story"),
        field("size", "number"),
        field("day", "date"),
        field("hour", "time"),
        field("side", "selection", options=SIDES),
        field("sides", "selection", options=SIDES, multiple=True),
        field("seen", "checkbox"),
        field("name", "merge", merge="patient.name"),
    )
)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("words", "12 mm", "12 mm"),
        ("story", "one\r\ntwo\rthree\x0bfour", "one\ntwo\nthree\nfour"),
        ("story", "Ł 病院 😀", "Ł 病院 😀"),
        ("story", "", ""),
        ("story", "x" * TEXT, "x" * TEXT),
        ("size", 12.5, 12.5),
        ("size", 12.0, 12),
        ("size", "", ""),
        ("size", None, None),
        ("day", "2024-02-29", "2024-02-29"),
        ("day", "", ""),
        ("hour", "14:05", "14:05"),
        ("hour", "14:05:59", "14:05:59"),
        ("side", "l", "l"),
        ("side", "", ""),
        ("sides", ["r", "l"], ["l", "r"]),
        ("sides", [], []),
        ("seen", True, True),
        ("name", "Anna", "Anna"),
    ],
)
def test_what_a_field_takes(name: str, value: Any, kept: Any) -> None:
    assert checked(EVERY, {name: value}) == {name: kept}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("words", 12),
        ("words", ["a"]),
        ("story", "nul\0"),
        ("story", "half \ud83d"),
        ("story", "bell \x07"),
        ("story", "x" * (TEXT + 1)),
        ("size", "12"),
        ("size", True),
        ("size", float("nan")),
        ("size", float("inf")),
        ("size", 1e300),
        ("day", "2023-02-29"),
        ("day", "20240229"),
        ("day", "٢٠٢٤-٠٢-٢٩"),
        ("day", 20240229),
        ("hour", "25:00"),
        ("side", "up"),
        ("side", ["l"]),
        ("sides", "l"),
        ("sides", ["l", "up"]),
        ("sides", [["l"]]),
        ("seen", "yes"),
        ("seen", 1),
        ("nowhere", "x"),
        ("", "x"),
    ],
)
def test_what_a_field_does_not_take_is_named(name: str, value: Any) -> None:
    with pytest.raises(BadContent) as refused:
        checked(EVERY, {"words": "fine", name: value})
    assert [place for place, _ in refused.value.problems] == [name]


@pytest.mark.parametrize("given", [None, [], "text", 5])
def test_content_is_an_object(given: Any) -> None:
    with pytest.raises(BadContent):
        checked(EVERY, given)


def test_a_report_as_a_whole_has_a_limit_too() -> None:
    many = schema(section("findings", "", *(field(f"f{number}") for number in range(20))))
    with pytest.raises(BadContent, match="400,000"):
        checked(many, {f"f{number}": "x" * TEXT for number in range(20)})


@pytest.mark.parametrize("given", [{"words": "guessed"}, {"nowhere": "touched"}, ["words"], {"words": None}])
def test_how_a_field_was_filled_is_one_of_five_words(given: Any) -> None:
    with pytest.raises(BadContent):
        checked_fills(EVERY, given)
    assert checked_fills(EVERY, {"words": "dictated"}) == {"words": "dictated"}
    assert checked_fills(EVERY, None) == {}


def test_what_changes_was_touched_unless_the_page_says_how() -> None:
    content, fills = laid_over(
        {"a": "normal", "b": "old", "c": "x"}, {"a": "default", "b": "touched"}, {"a": "normal", "b": "new"}, {}
    )
    assert content == {"a": "normal", "b": "new", "c": "x"}
    assert fills == {"a": "default", "b": "touched"}
    content, fills = laid_over({"a": "normal"}, {"a": "default"}, {"a": "said"}, {"a": "dictated"})
    assert (content, fills) == ({"a": "said"}, {"a": "dictated"})
    assert laid_over({"a": "normal"}, {"a": "default"}, {"a": None}, {}) == ({}, {})


def test_a_report_begins_with_what_is_known_and_then_with_the_templates_words() -> None:
    about = schema(
        section(
            "findings",
            "",
            field("name", "merge", merge="patient.name", default="nobody"),
            field("age", "merge", merge="patient.age", default="unknown age"),
            field("lungs", default="Clear."),
            field("size", "number", default="no number"),
            field("heart"),
        )
    )
    content, fills = beginning(about, {"patient.name": "Anna Adler"})
    assert content == {"name": "Anna Adler", "age": "unknown age", "lungs": "Clear."}
    assert fills == {"name": "merged", "age": "default", "lungs": "default"}


FREE = schema(
    section("findings", "59776-5", field("findings")),
    section("impression", "19005-8", field("impression")),
)


def test_the_same_field_keeps_what_it_says_and_the_text_of_a_section_finds_its_section() -> None:
    head = schema(
        section("observed", "59776-5", field("observed")),
        section("impression", "19005-8", field("impression")),
    )
    found = fitted({"findings": "F", "impression": "I"}, {"findings": "dictated"}, FREE, head)
    assert found.content == {"observed": "F", "impression": "I"}
    assert found.fills == {"observed": "dictated", "impression": "touched"}
    assert found.left_over == []


def test_what_has_no_place_is_listed_in_words_and_untouched_normals_are_not() -> None:
    content = {"words": "w", "story": "s", "size": 12, "side": "l", "seen": True, "day": "2024-01-01"}
    found = fitted(content, {"day": "default"}, EVERY, FREE)
    assert found.content == {"findings": "w"}
    assert [one.words for one in found.left_over] == ["Story: s", "Size: 12", "Side: l", "Seen: yes"]


def test_a_field_of_the_same_name_and_another_kind_is_not_forced() -> None:
    other = schema(section("findings", "", field("size", "text"), field("words", "number")))
    found = fitted({"size": 12, "words": "many"}, {}, EVERY, other)
    assert found.content == {}
    assert {one.field for one in found.left_over} == {"size", "words"}


def test_two_texts_of_one_section_do_not_write_over_each_other() -> None:
    found = fitted({"words": "w", "story": "s"}, {}, EVERY, FREE)
    assert found.content == {"findings": "w"}
    assert [one.value for one in found.left_over] == ["s"]


def test_sections_stand_under_the_headings_of_the_template_and_have_their_code() -> None:
    deeper = [{**section(name, "", field(name)), "level": 2} for name in ("organs", "empty", "bowel")]
    coded = {**section("bones", "1234-5", field("bones")), "level": 2}
    whole = schema(
        section("findings", "59776-5"), *deeper[:2], coded, deeper[2], section("impression", "19005-8", field("x"))
    )
    content = {"organs": "Normal.", "bones": "Intact.", "bowel": "Normal."}
    text = ReportVersion(content=content, template_version=TemplateVersion(schema=whole))
    told = sections_of(text, {})
    assert [(one.name, one.level, one.under) for one in told] == [
        ("findings", 1, ""),
        ("organs", 2, "findings"),
        ("bones", 2, ""),
        ("bowel", 2, "findings"),
    ]
    assert [[one.name for one in group] for group in headed(told)] == [["findings", "organs", "bowel"], ["bones"]]
    assert {one.code.value for one in told if one.code} == {"59776-5", "1234-5"}
