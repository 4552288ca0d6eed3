"""Differences of two people's texts, and of preliminary and final."""

from __future__ import annotations

from reporting.workflow.difference import LONGEST, compare, three_way


def test_fields_that_only_one_changed_are_told_with_what_both_began_with() -> None:
    base = {"findings": "F", "impression": "I", "size": 12}
    yours = {"findings": "F mine", "impression": "I", "size": 12}
    theirs = {"findings": "F", "impression": "I theirs", "size": 12}
    told = three_way(base, yours, theirs)
    assert [(one.field, one.yours, one.theirs, one.base, one.both) for one in told] == [
        ("findings", "F mine", "F", "F", False),
        ("impression", "I", "I theirs", "I", False),
    ]


def test_a_field_that_both_changed_asks_for_a_choice_and_one_changed_alike_does_not() -> None:
    told = three_way({"a": "x", "b": "x"}, {"a": "y", "b": "z"}, {"a": "w", "b": "z"})
    assert [(one.field, one.both) for one in told] == [("a", True)]


def test_an_emptied_field_and_one_that_was_never_filled_are_the_same() -> None:
    assert three_way({}, {"a": "", "b": []}, {"a": None}) == []


def test_the_words_of_a_difference_put_together_are_both_texts() -> None:
    before = "There is a 12 mm nodule in the left upper lobe. No effusion."
    after = "There is a 21 mm nodule in the right upper lobe. No effusion at all."
    [change] = compare({"findings": before}, {"findings": after}, {"findings": "Findings"})
    assert change.label == "Findings"
    assert "".join(text for kind, text in change.parts if kind != "new") == before
    assert "".join(text for kind, text in change.parts if kind != "gone") == after
    assert ("gone", "12") in change.parts
    assert ("new", "right") in change.parts


def test_space_and_the_target_of_a_link_make_no_difference_that_is_read() -> None:
    linked = {"findings": "Nodule [[measurement:1.2/long|12 mm]]."}
    assert compare(linked, {"findings": "Nodule  12 mm.\n"}, {}) == []


def test_other_values_read_as_people_say_them() -> None:
    told = compare({"size": 12.0, "seen": True}, {"size": 13, "sides": ["l", "r"]}, {})
    assert [(one.field, one.before, one.after) for one in told] == [
        ("size", "12", "13"),
        ("seen", "yes", ""),
        ("sides", "", "l, r"),
    ]


def test_a_very_long_text_is_told_as_a_whole() -> None:
    one, other = "a " * (LONGEST + 1), "b " * (LONGEST + 1)
    [change] = compare({"f": one}, {"f": other}, {})
    assert change.parts == (("gone", one), ("new", other))
