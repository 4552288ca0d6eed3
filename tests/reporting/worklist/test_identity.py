"""Two statements of who a patient is: what is left out says nothing, what differs is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reporting.worklist.identity import Identity, confirmed, disagreements

ERIKA = Identity("HARBOUR", "PID-1", "muster erika", "19600101", "F")


@pytest.mark.parametrize("field", ["issuer_of_patient_id", "patient_id", "name_folded", "birth_date", "sex"])
def test_what_one_side_leaves_out_does_not_disagree(field: str) -> None:
    assert disagreements(ERIKA, replace(ERIKA, **{field: ""})) == []
    assert disagreements(replace(ERIKA, **{field: ""}), ERIKA) == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("issuer_of_patient_id", "CITY", "issuer of the Patient ID"),
        ("patient_id", "PID-2", "Patient ID"),
        ("name_folded", "sommer ines", "name"),
        ("birth_date", "19600102", "birth date"),
        ("sex", "M", "sex"),
    ],
)
def test_what_differs_is_said_with_both_values(field: str, value: str, words: str) -> None:
    (said,) = disagreements(ERIKA, replace(ERIKA, **{field: value}))
    assert said.startswith(words)
    assert value in said
    assert getattr(ERIKA, field) in said


def test_a_name_after_a_marriage_or_in_another_order_does_not_disagree() -> None:
    assert disagreements(ERIKA, replace(ERIKA, name_folded="erika muster-sommer erika")) == []


def test_sexes_that_are_neither_do_not_disagree() -> None:
    assert disagreements(ERIKA, replace(ERIKA, sex="O")) == []


def test_only_the_same_stated_id_confirms() -> None:
    assert confirmed(ERIKA, ERIKA)
    assert not confirmed(replace(ERIKA, patient_id=""), replace(ERIKA, patient_id=""))
    assert not confirmed(ERIKA, replace(ERIKA, patient_id="pid-1"))
