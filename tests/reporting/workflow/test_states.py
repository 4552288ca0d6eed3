"""The table of transitions, read as the specification tells the life of a report."""

from __future__ import annotations

import itertools

import pytest

from reporting.models import ReportState
from reporting.workflow.states import (
    ACTS,
    APART,
    CLOSED,
    CORRECTING,
    ENDED,
    OPEN,
    TRANSITIONS,
    Standing,
    acts,
    why_not,
)

RITA, ALICE, DORA, BOSS = 1, 2, 3, 4
RADIOLOGIST, RESIDENT, ADMIN = {"radiologist"}, {"resident"}, {"admin"}


def standing(state: str, correcting: bool = False, accused: bool = False, **authors: int) -> Standing:
    return Standing(state, correcting, authors, accused)


def test_every_state_of_the_rows_has_its_place_in_the_table() -> None:
    states = {state for state, _ in TRANSITIONS} | set(ENDED)
    assert states == {state.value for state in ReportState} | {CORRECTING}
    assert sorted({act for _, act in TRANSITIONS}) == sorted(ACTS)
    assert {step.to for step in TRANSITIONS.values()} <= {"", *ReportState.values}
    assert set(OPEN) | set(CLOSED) | set(ENDED) | set(APART) == set(ReportState.values)


def reachable(roles: set[str], *starts: str) -> set[str]:
    """Every row of the table that people of these roles can come to; beginning a correction leads to its own row."""
    found, waiting = set(starts), list(starts)
    while waiting:
        now = waiting.pop()
        for (state, act), step in TRANSITIONS.items():
            following = CORRECTING if act == "correct" else step.to
            if state == now and set(step.by) & roles and following and following not in found:
                found.add(following)
                waiting.append(following)
    return found


def test_a_resident_alone_never_comes_to_a_final_report_whatever_the_order_of_acts() -> None:
    assert not reachable(RESIDENT, *OPEN) & set(CLOSED)
    assert reachable(RADIOLOGIST, "draft") >= set(CLOSED)


def test_what_is_signed_as_final_never_becomes_a_draft_again() -> None:
    everybody = RADIOLOGIST | RESIDENT | ADMIN
    assert not reachable(everybody, *CLOSED) & set(OPEN)
    assert reachable(everybody, *ENDED) == set(ENDED)


def test_nothing_leads_from_one_of_two_reads_to_a_report_that_leaves() -> None:
    everybody = RADIOLOGIST | RESIDENT | ADMIN
    assert reachable(everybody, *APART) == {*APART, "cancelled"}
    assert not reachable(everybody, *OPEN, *CLOSED) & set(APART)


def test_only_an_administrator_cancels_and_only_before_final() -> None:
    for state in ReportState.values:
        may = {who for who in ("radiologist", "resident", "admin") if "cancel" in acts(standing(state), {who}, BOSS)}
        assert may == ({"admin"} if state in (*OPEN, *APART) else set()), state


def test_an_administrator_alone_signs_and_writes_nothing() -> None:
    told = {act for state in ReportState.values for act in acts(standing(state), ADMIN, BOSS)}
    assert told == {"cancel", "entered_in_error"}


def test_whatever_puts_a_name_under_a_text_asks_for_the_password() -> None:
    for (state, act), step in TRANSITIONS.items():
        if step.meaning and step.meaning not in ("returned", "cancelled"):
            assert step.password, (state, act)
    for act in ("return", "cancel", "correct", "entered_in_error"):
        assert all(step.reason for (_, one), step in TRANSITIONS.items() if one == act)


@pytest.mark.parametrize("act", ["cosign", "return"])
def test_a_second_person_co_signs_and_returns(act: str) -> None:
    now = standing("pending_cosign", submit=RITA)
    assert why_not(act, now, RADIOLOGIST, ALICE) == ""
    assert why_not(act, now, RADIOLOGIST | RESIDENT, RITA) == "second_person"
    assert why_not(act, now, RESIDENT, DORA) == "role"


def test_a_report_that_waits_for_its_co_signature_is_the_attendings() -> None:
    now = standing("pending_cosign", submit=RITA)
    assert why_not("save", now, RESIDENT, RITA) == "role"
    assert why_not("save", now, RADIOLOGIST, ALICE) == ""
    assert "save" in acts(standing("returned", submit=RITA), RESIDENT, RITA)


def test_it_takes_two_people_to_mark_a_report_as_entered_in_error() -> None:
    fresh, accused = standing("final"), standing("final", accused=True, error_request=ALICE)
    assert why_not("entered_in_error", fresh, RADIOLOGIST, ALICE) == ""
    assert why_not("confirm_error", fresh, RADIOLOGIST, DORA) == "state"
    assert why_not("entered_in_error", accused, RADIOLOGIST, DORA) == "state"
    assert why_not("confirm_error", accused, RADIOLOGIST, ALICE) == "second_person"
    assert why_not("confirm_error", accused, RADIOLOGIST, DORA) == ""
    assert why_not("confirm_error", accused, RESIDENT, RITA) == "role"
    assert why_not("withdraw_error", accused, RADIOLOGIST, ALICE) == ""
    assert why_not("withdraw_error", accused, RADIOLOGIST, DORA) == "role"


def test_a_correction_is_written_beside_the_signed_text_and_nowhere_else() -> None:
    for state in CLOSED:
        assert "save" not in acts(standing(state), RADIOLOGIST, ALICE)
        assert {"save", "sign_final", "abandon", "addendum"} <= set(acts(standing(state, True), RADIOLOGIST, ALICE))
        assert "correct" not in acts(standing(state, True), RADIOLOGIST, ALICE)
    assert TRANSITIONS[CORRECTING, "sign_final"].to == "corrected"


def test_who_has_no_role_does_nothing() -> None:
    for state, correcting in itertools.product(ReportState.values, (False, True)):
        assert acts(standing(state, correcting), {"technologist", "referrer"}, 9) == []


def test_nothing_is_offered_that_the_table_refuses() -> None:
    for state, roles in itertools.product(ReportState.values, (RADIOLOGIST, RESIDENT, ADMIN)):
        offered = acts(standing(state, submit=RITA), roles, ALICE)
        assert all(why_not(act, standing(state, submit=RITA), roles, ALICE) == "" for act in offered)
        assert all(why_not(act, standing(state, submit=RITA), roles, ALICE) for act in set(ACTS) - set(offered))
