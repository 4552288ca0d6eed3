"""Nothing that is not exactly right comes in."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer.streaming.protocol import (
    BadMessage,
    FrameShown,
    Hello,
    Measure,
    SeriesOpen,
    ViewChange,
    ViewportClose,
    frame_message,
    parse,
    text_message,
)

RIGHT = {
    '{"type":"hello","protocol":1}': Hello(1),
    '{"type":"series.open","viewport":"a","series":"1.2","view":{"frame":3}}': SeriesOpen("a", "1.2", {"frame": 3}),
    '{"type":"view.change","viewport":"a","change":7,"index":3,"view":{}}': ViewChange("a", {}, 7, 3),
    '{"type":"view.change","viewport":"a","change":7,"view":{}}': ViewChange("a", {}, 7, None),
    '{"type":"view.change","viewport":"a","change":7,"index":null,"view":{}}': ViewChange("a", {}, 7, None),
    '{"type":"frame.shown","viewport":"a","index":9}': FrameShown("a", 9),
    '{"type":"measure","viewport":"a","index":1,"id":"m","kind":"length","points":[[1,2],[3.5,4,5]]}': Measure(
        "a", 1, "m", "length", ((1.0, 2.0), (3.5, 4.0, 5.0))
    ),
    '{"type":"viewport.close","viewport":"oben links"}': ViewportClose("oben links"),
}

WRONG = {
    "": "one JSON object",
    "[]": "one JSON object",
    "{": "one JSON object",
    "[" * 60_000: "one JSON object",
    '{"type":"frame.shown","viewport":"a","index":NaN}': "one JSON object",
    "{}": "type: one of",
    '{"type":7}': "type: one of",
    '{"type":["hello"]}': "type: one of",
    '{"type":"reboot"}': "type: one of",
    '{"type":"frame.shown","viewport":"a"}': "index: missing",
    '{"type":"frame.shown","viewport":"a","index":true}': "index: a whole number",
    '{"type":"frame.shown","viewport":"a","index":1.0}': "index: a whole number",
    '{"type":"frame.shown","viewport":"a","index":-1}': "index: a whole number",
    '{"type":"frame.shown","viewport":"a","index":9007199254740992}': "index: a whole number",
    '{"type":"frame.shown","viewport":"a","index":null}': "index: a whole number",
    '{"type":"frame.shown","viewport":"a","index":1,"extra":1}': "'extra' is no field",
    '{"type":"viewport.close","viewport":""}': "viewport: a text",
    '{"type":"viewport.close","viewport":"\\u0000"}': "viewport: a text",
    '{"type":"viewport.close","viewport":"\\ud800"}': "viewport: a text",
    json.dumps({"type": "viewport.close", "viewport": "x" * 65}): "viewport: a text",
    '{"type":"series.open","viewport":"a","series":"1.2","view":[]}': "view: an object",
    '{"type":"series.open","viewport":"a","series":12,"view":{}}': "series: a text",
    **{
        f'{{"type":"measure","viewport":"a","index":1,"id":"m","kind":"probe","points":{points}}}': "points: a list"
        for points in ("{}", "[1]", "[[1]]", "[[1,2,3,4]]", '[["1",2]]', "[[true,2]]", "[[1,1e9]]", "[[1,1e999]]")
    },
}


@pytest.mark.parametrize("text", RIGHT)
def test_a_right_message_becomes_its_dataclass(text: str) -> None:
    assert parse(text) == RIGHT[text]


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:60])
def test_a_wrong_message_is_refused_with_what_is_wrong(text: str) -> None:
    with pytest.raises(BadMessage) as refused:
        parse(text)
    assert WRONG[text] in str(refused.value)


def test_a_refusal_names_the_viewport_where_it_can() -> None:
    with pytest.raises(BadMessage) as refused:
        parse('{"type":"frame.shown","viewport":"left","index":"x"}')
    assert refused.value.viewport == "left"


SCALARS = st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["hello", "measure", "series.open"])
NAMES = st.sampled_from(["type", "viewport", "index", "view", "series"]) | st.text()


@settings(deadline=None)
@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)))
def test_no_json_whatever_does_anything_but_parse_or_be_refused(value: object) -> None:
    try:
        parse(json.dumps(value))
    except BadMessage:
        return


def test_a_frame_is_a_length_a_header_and_the_picture() -> None:
    message = frame_message({"type": "frame", "viewport": "ä"}, b"picture")
    (length,) = struct.unpack(">I", message[:4])
    assert json.loads(message[4 : 4 + length].decode()) == {"type": "frame", "viewport": "ä"}
    assert message[4 + length :] == b"picture"


def test_no_number_leaves_that_json_does_not_have() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        text_message("error", value=float("nan"))
