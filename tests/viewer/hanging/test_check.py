"""What an administrator is told of a protocol that cannot be used, and how one reads that can."""

from __future__ import annotations

from typing import Any

import pytest

from viewer.hanging.check import problems
from viewer.hanging.preview import in_words
from viewer.hanging.seeds import FORMER, SEEDS, digest
from viewer.protocols import problems as all_problems

GOOD: list[Any] = [{"name": "A", "layout": "1x2", "viewports": [{"series": {"modality": ["CT"]}}, None]}]


def stage(**changed: Any) -> list[Any]:
    return [{**GOOD[0], **changed}]


@pytest.mark.parametrize("slug", SEEDS)
def test_those_that_come_along_are_without_fault_and_can_be_read(slug: str) -> None:
    _, matches, stages = SEEDS[slug]
    assert all_problems(matches, stages) == []
    text = in_words(matches, stages)
    assert text.startswith("For ")
    assert all(one["name"] in text for one in stages)
    assert digest(matches, stages) not in FORMER.get(slug, ())


@pytest.mark.parametrize(
    ("matches", "stages", "told"),
    [
        ([], GOOD, "matches: an object {...} is needed"),
        ({"modalty": ["CT"]}, GOOD, 'matches: "modalty" means nothing here; is modality meant?'),
        ({"modality": "CT"}, GOOD, "matches, modality: a list of at most 50 is needed"),
        ({"modality": ["ct scan"]}, GOOD, "matches, modality: a code in capital letters, as CT, is needed"),
        (
            {"body_part": ["nose tip"]},
            GOOD,
            "matches, body_part: 'nose tip' is no part of the body known here; there are head",
        ),
        ({"priors": {"least": -1}}, GOOD, "matches, priors, least: a whole number from 0 to 99 is needed"),
        ({}, [], "stages: a list with at least one stage is needed"),
        ({}, [{"name": "A"}], "stage 1: layout is missing"),
        ({}, stage(layout="5x1"), 'stage 1, layout: rows x columns up to 4x4, as "2x2", or "grid" is needed'),
        ({}, stage(layout="2x2"), "stage 1: layout 2x2 has 4 viewports, 2 are described"),
        (
            {},
            stage(viewports=[{}, {"study": "prior"}]),
            'stage 1, viewports 2, study: "current", "prior 1" to "prior 9"',
        ),
        (
            {},
            stage(viewports=[{}, {"same_as": 2}]),
            "stage 1, viewport 2, same_as: the number of a viewport before this one",
        ),
        ({}, stage(viewports=[{"each": True}, {}]), 'stage 1, viewport 1, each: only where the layout is "grid"'),
        ({}, stage(viewports=[{}, {"same_as": 1, "study": "prior 1"}]), "stage 1, viewport 2: same_as already says"),
        ({}, stage(viewports=[{"view": {"frame": 3}}, {}]), 'stage 1, viewports 1, view: "frame" means nothing here'),
        ({}, stage(viewports=[{"view": {"rotation": 45}}, {}]), "stage 1, viewport 1, view: rotation"),
        ({}, stage(viewports=[{"fusion": {"series": {}, "color_map": 7}}, {}]), "stage 1, viewport 1, fusion"),
        (
            {},
            stage(viewports=[{"view": {"suv": [7]}}, {}]),
            "stage 1, viewports 1, view, suv: a lower and an upper SUV",
        ),
        ({}, stage(viewports=[{"view": {"suv": [7, 7]}}, {}]), "stage 1, viewports 1, view, suv: from 0 on"),
        (
            {},
            stage(viewports=[{"view": {"suv": [0, 7], "preset": "x"}}, {}]),
            "stage 1, viewport 1, view: suv already says the window",
        ),
        (
            {},
            stage(viewports=[{"series": {"sort": ["beauty"]}}, {}]),
            "stage 1, viewports 1, series, sort: one of number",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(matches: Any, stages: Any, told: str) -> None:
    found = all_problems(matches, stages)
    assert any(said.startswith(told) for said in found), found


def test_garbage_of_any_shape_is_told_and_breaks_nothing() -> None:
    for garbage in (None, 1, "x", [1], [[]], [{}], [None], [{"name": 1, "layout": 2, "viewports": 3}], {"a": []}):
        assert problems(garbage, garbage)
        assert problems({}, garbage)
        assert problems({}, stage(viewports=[garbage, {}])) or garbage is None
