"""What is different between two versions, in sentences."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from reporting.mrrt.difference import differences
from reporting.mrrt.document import Document
from reporting.mrrt.schema import Condition, Field, Option, Schema, Section
from tests.reporting.mrrt.documents import documents
from tests.reporting.mrrt.test_round_trip import UNSHRUNK

SIZE = Field("size", "number", "Size", units="mm", maximum=20)
SIDE = Field("side", "selection", "Side", options=(Option("right", "right"), Option("left", "left")))


def document(*sections: Section, title: str = "T") -> Document:
    return Document(Schema(title, "en", sections), "t")


def findings(*fields: Field, title: str = "Findings") -> Section:
    return Section("findings", title, fields=fields)


def test_nothing_is_said_of_what_is_the_same() -> None:
    assert differences(document(findings(SIZE)), document(findings(SIZE))) == []


def test_each_change_is_one_sentence() -> None:
    old = document(findings(SIZE, SIDE), Section("other", "Other"))
    both = Option("both", "both")
    new = document(
        findings(
            replace(SIZE, units="cm", show_if=Condition("side", "filled")),
            replace(SIDE, options=(*SIDE.options[:1], both), required=True),
            Field("text", "textarea", "Text"),
            title="What was seen",
        ),
        title="U",
    )
    assert differences(old, new) == [
        "The title: “T” is now “U”.",
        "Section “What was seen”, title: “Findings” is now “What was seen”.",
        "Field “Size”, unit: “mm” is now “cm”.",
        "Field “Size”, shown if: nothing is now “side filled”.",
        "Field “Side”, required: no is now yes.",
        "Field “Side”: the choice “left” is gone.",
        "Field “Side”: the choice “both” is new.",
        "Field “Text” is new in “What was seen”.",
        "Section “Other” is gone.",
    ]


def test_order_and_places_are_told() -> None:
    old = document(findings(SIZE, SIDE), Section("other", "Other"))
    assert differences(old, document(findings(SIDE, SIZE), Section("other", "Other"))) == [
        "Fields stand in another order."
    ]
    assert "Field “Side” has moved to “Other”." in differences(
        old, document(findings(SIZE), Section("other", "Other", fields=(SIDE,)))
    )
    turned = replace(SIDE, options=tuple(reversed(SIDE.options)))
    assert differences(old, document(findings(SIZE, turned), Section("other", "Other"))) == [
        "Field “Side”: the choices stand in another order."
    ]


@settings(max_examples=60, deadline=None, phases=UNSHRUNK)
@given(documents(), documents())
def test_two_templates_that_differ_are_said_to(one: Document, two: Document) -> None:
    assert differences(one, one) == []
    same = replace(two, identifier=one.identifier, top_level=one.top_level) == one
    assert same or sorted(one.metadata) == sorted(two.metadata) or differences(one, two)
    assert same or one.schema == two.schema or differences(one, two)
