"""What comes by the live session's socket is exactly right, or it does not come in."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer.live.messages import Change, Cursor, Join, Leave, Look, Steer, parse
from viewer.streaming.protocol import BadMessage, Hello

SHOWN = {"series": "1.2", "organization": "north", "study": "1"}
PLACE = {"series": "1.2", "view": {"frame": 3, "center": None, "plane": "acquired"}, "series_version": "7"}
PLANE = {"row": [1, 0, 0], "column": [0, 1, 0]}
CELLS: dict[str, Any] = {
    "layout": {"name": "2x3", "maximised": None},
    "stage": {"protocol": None, "index": 0},
    "links": {"scroll": True, "look": False, "window": False, "turn": False},
    "crosshair": {
        **{"series": "1.2", "organization": "north", "space": "1.9", "point": [1, 2, 3], "follows": True},
        "planes": {"axial": PLANE, "coronal": PLANE, "sagittal": PLANE},
    },
    "0": SHOWN,
    "15": None,
    "0.place": PLACE,
    "0.window": {"series": "1.2", "view": {"window_center": 40, "window_width": 400}},
}
IMAGE = {"space": "image", "sop_instance_uid": "1.2.3", "frame_number": 1, "kind": "slice", "point": [1, 2]}
PATIENT = {"space": "patient", "stack": 0, **PLANE, "kind": "mip 20", "point": [1, 2, 3]}


def said(kind: str, **members: Any) -> str:
    return json.dumps({"type": kind, **members})


def test_what_is_right_comes_in() -> None:
    assert parse(said("hello", protocol=1)) == Hello(1)
    assert parse(said("live.join", window="w", cells=CELLS)) == Join("w", CELLS)
    assert parse(said("live.change", change=1, cells=CELLS)) == Change(1, CELLS)
    assert parse(said("live.cursor", pane=3, series="1.2", at=IMAGE)) == Cursor(3, "1.2", IMAGE)
    assert parse(said("live.cursor", pane=3, series="1.2", at=PATIENT)) == Cursor(3, "1.2", PATIENT)
    assert parse(said("live.cursor")) == Cursor()
    assert parse(said("live.steer", together=False)) == Steer(together=False)
    assert (parse(said("live.leave")), parse(said("live.look"))) == (Leave(), Look())


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([], "an object of cells"),
        ({"16": SHOWN}, "is no cell"),
        ({"00": SHOWN}, "is no cell"),
        ({"0.size": PLACE}, "is no cell"),
        ({"report": {}}, "is no cell"),
        ({"layout": {"name": "5x1", "maximised": None}}, "rows x columns"),
        ({"layout": {"name": "1x1"}}, "exactly name, maximised"),
        ({"0": {**SHOWN, "name": "Doe"}}, "exactly series, organization, study"),
        ({"0.place": None}, "an object of at most"),
        ({"0.place": {**PLACE, "view": {"size": [1, 1]}}}, "'size' is none of"),
        ({"0.place": {**PLACE, "view": {"frame": -1}}}, "frame"),
        ({"0.place": {"view": {}}}, "series"),
        ({"0.window": {"series": "1", "view": {"preset": "bone", "window_center": 1}}}, "give one, not both"),
        ({"0.place": {**PLACE, "note": "x"}}, "series, view and perhaps"),
        ({"0.layers": {"series": "1", "view": {"overlays": ["6000"] * 4000}}}, "an object of at most"),
        ({"crosshair": {**CELLS["crosshair"], "point": [1, 2]}}, "a list of 3 numbers"),
        ({"crosshair": {**CELLS["crosshair"], "planes": {"axial": PLANE}}}, "exactly axial, coronal, sagittal"),
        ({"links": {"scroll": 1, "look": False, "window": False, "turn": False}}, "true or false"),
    ],
)
def test_a_cell_that_is_not_right_is_refused_in_words(cells: Any, why: str) -> None:
    with pytest.raises(BadMessage, match=why):
        parse(said("live.change", change=1, cells=cells))


@pytest.mark.parametrize(
    "at",
    [{**IMAGE, "point": [1, 2, 3]}, {**PATIENT, "point": [1, 2]}, {**IMAGE, "space": "glass"}, {"space": "image"}, 7],
)
def test_a_cursor_that_is_not_right_is_refused(at: Any) -> None:
    with pytest.raises(BadMessage, match="at"):
        parse(said("live.cursor", pane=0, series="1", at=at))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200)
@given(
    st.sampled_from(["live.join", "live.change", "live.cursor", "live.steer"]), st.sampled_from(sorted(CELLS)), anything
)
def test_whatever_comes_is_a_message_or_is_refused(kind: str, name: str, value: Any) -> None:
    for members in (
        {"change": 1, "cells": {name: value}},
        {"window": "w", "cells": value},
        {"pane": value},
        {"at": value},
    ):
        with contextlib.suppress(BadMessage):
            parse(said(kind, **members))
