"""A place in the worklist: class first, then time; nothing that a program suggests crosses what a person said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.worklist.classes import CLASSES, TARGETS, problems, target_minutes
from reporting.worklist.scoring import BOOST_AT_MOST, score, span

classes = st.sampled_from(CLASSES)
minutes = st.one_of(st.none(), st.floats(min_value=-1e6, max_value=1e7, allow_nan=False))
targets = st.integers(min_value=1, max_value=60 * 24 * 365)
boosts = st.integers(min_value=-(10**9), max_value=10**9)
AS_URGENT_AS_A_PERSON_SAYS = ("STROKE", "TRAUMA", "STAT")


@given(st.sampled_from(["URGENT", "ROUTINE"]), minutes, targets, boosts, minutes, targets, boosts)
def test_no_age_and_no_boost_lifts_an_item_above_a_human_stat(
    lower, waited, target, boost, other, its_target, its_boost
):
    stat = score("STAT", other, its_target, min(its_boost, 0))
    assert score(lower, waited, target, boost).points < stat.points


@given(st.integers(0, 2), minutes, targets, boosts, minutes, targets)
def test_nor_above_the_next_emergency_class(place, waited, target, boost, other, its_target):
    above = AS_URGENT_AS_A_PERSON_SAYS[place]
    below = (*AS_URGENT_AS_A_PERSON_SAYS, "URGENT")[place + 1]
    assert score(below, waited, target, boost).points < score(above, other, its_target).points


@given(classes, st.floats(0, 1e7), st.floats(0, 1e7), targets, boosts)
def test_older_is_never_lower(reading_class, one, other, target, boost):
    younger, older = sorted((one, other))
    assert score(reading_class, younger, target, boost).points <= score(reading_class, older, target, boost).points


@given(classes, minutes, targets, boosts, boosts)
def test_more_boost_is_never_lower_and_never_more_than_its_cap(reading_class, waited, target, one, other):
    weaker, stronger = sorted((one, other))
    plain = score(reading_class, waited, target).points
    low, high = score(reading_class, waited, target, weaker), score(reading_class, waited, target, stronger)
    assert plain <= low.points <= high.points <= plain + BOOST_AT_MOST


@given(classes, minutes, targets, boosts)
def test_the_reasons_add_up_to_the_score(reading_class, waited, target, boost):
    found = score(reading_class, waited, target, boost)
    assert sum(part.points for part in found.why) == found.points
    assert all(part.words for part in found.why)


def test_time_does_lift_within_a_class_and_routine_among_urgent() -> None:
    assert score("ROUTINE", 0, 1440).points < score("ROUTINE", 1440, 1440).points
    assert score("ROUTINE", 2 * 1440, 1440).points < score("URGENT", 0, 240).points
    assert score("ROUTINE", 4 * 1440, 1440).points > score("URGENT", 0, 240).points


def test_the_reasons_say_class_and_time_in_words() -> None:
    over = score("STAT", 95, 60)
    assert [(part.words, part.points) for part in over.why] == [
        ("Class STAT", 1000),
        ("Waiting 1 h 35 min, 35 min over the target of 1 h", 158),
    ]
    assert score("URGENT", 30, 240, 50).why[1].words == "Waiting 30 min of the 4 h allowed"
    assert score("URGENT", 30, 240, 50).why[2].points == 50
    assert [part.words for part in score("STAT", None, 60).why] == ["Class STAT"]


@pytest.mark.parametrize(
    ("length", "words"),
    [(0.9, "0 min"), (59.9, "59 min"), (60, "1 h"), (1439, "23 h 59 min"), (1500, "1 d 1 h"), (2880, "2 d")],
)
def test_lengths_of_time_read_as_people_say_them(length: float, words: str) -> None:
    assert span(length) == words


def test_what_an_organization_says_goes_before_the_defaults_and_nonsense_is_not_said() -> None:
    assert target_minutes("STAT", {"STAT": 45}) == 45
    assert target_minutes("URGENT", {"STAT": 45}) == TARGETS["URGENT"]
    for nonsense in ("45", 0, -1, True, None, 1.5, 10**9):
        assert target_minutes("STAT", {"STAT": nonsense}) == TARGETS["STAT"]
    assert problems({"STAT": 45, "ROUTINE": 2000}) == []
    assert len(problems({"SOON": 3, "STAT": 0, "URGENT": "x"})) == 3
    assert problems([]) != []
