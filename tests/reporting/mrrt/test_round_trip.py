"""What is written is read back as what it was, whatever it holds."""

from __future__ import annotations

import json

from hypothesis import Phase, given, settings

from reporting.mrrt import read
from reporting.mrrt.document import Document
from reporting.mrrt.schema import from_json, to_json
from reporting.mrrt.writing import write
from tests.reporting.mrrt.documents import documents

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Whole templates are too large to be made small in reasonable time."""


@settings(max_examples=150, deadline=None, phases=UNSHRUNK)
@given(documents())
def test_a_template_is_read_as_it_was_written(document: Document) -> None:
    back = read(write(document))
    assert back.document == document
    assert (back.repairs, back.dropped) == ((), ())
    assert back.html == write(document)


@settings(max_examples=80, deadline=None, phases=UNSHRUNK)
@given(documents())
def test_a_schema_is_the_same_after_json(document: Document) -> None:
    assert from_json(json.loads(json.dumps(to_json(document.schema)))) == document.schema
