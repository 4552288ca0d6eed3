"""Answers, read by python-hl7 where they are ours and written by hand where they are others'."""

from __future__ import annotations

from datetime import UTC, datetime

import hl7
import pytest

from reporting.messages.acknowledgements import Header, Outcome, acknowledgement, header_of, read
from reporting.messages.er7 import BadMessage, parse

NOW = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
ASKED = "MSH|^~\\&|RIS|WARD|FARVIEW|SITE|20260504||ORM^O01^ORM_O01|A-1|T|2.4|||||DE|8859/1\rPID|||1\r"


def test_a_good_answer_goes_back_to_the_sender_with_the_number_of_the_message() -> None:
    answer = hl7.parse(acknowledgement(header_of(parse(ASKED)), Outcome("AA"), "F-1", NOW))
    msh, msa = answer.segment("MSH"), answer.segment("MSA")
    assert [str(msh[place]) for place in (3, 4, 5, 6)] == ["FARVIEW", "SITE", "RIS", "WARD"]
    assert (str(msh[9]), str(msh[10]), str(msh[11]), str(msh[12])) == ("ACK^O01^ACK", "F-1", "T", "2.4")
    assert str(msh[18]) == "8859/1"
    assert (str(msa[1]), str(msa[2])) == ("AA", "A-1")
    assert "ERR" not in str(answer)


def test_a_bad_answer_says_what_is_wrong_and_where() -> None:
    outcome = Outcome("AE", "PID-3 names no patient | or two", "required field", "PID-3")
    answer = hl7.parse(acknowledgement(header_of(parse(ASKED)), outcome, "F-1", NOW))
    err = answer.segment("ERR")
    assert str(answer.segment("MSA")[1]) == "AE"
    assert (str(err[2]), str(err[3]), str(err[4])) == ("PID^1^3", "101^Required field missing^HL70357", "E")
    assert answer.unescape(str(err[8])) == "PID-3 names no patient | or two"


def test_in_enhanced_mode_receipt_alone_is_acknowledged_where_that_is_all_that_is_asked_for() -> None:
    enhanced = ASKED.replace("|T|2.4|||||DE", "|T|2.5|||AL|NE|DE")
    answer = hl7.parse(acknowledgement(header_of(parse(enhanced)), Outcome("AA"), "F-1", NOW))
    assert str(answer.segment("MSA")[1]) == "CA"


def test_something_that_is_no_message_is_answered_too() -> None:
    answer = hl7.parse(acknowledgement(Header(), Outcome("AR", "no message", "data type"), "F-1", NOW))
    assert (str(answer.segment("MSA")[1]), str(answer.segment("MSH")[9])) == ("AR", "ACK")


@pytest.mark.parametrize("code", ["AA", "CA", "AE", "AR", "CE", "CR"])
def test_others_answers_are_understood(code: str) -> None:
    told = read(
        f"MSH|^~\\&|A|B|C|D|||ACK|9|P|2.5.1\rMSA|{code}|FV1|no such patient\rERR|||207^Internal^HL70357|E||||sorry\r"
    )
    assert (told.code, told.control_id, told.good) == (code, "FV1", code in ("AA", "CA"))
    assert "no such patient" in told.words
    assert "sorry" in told.words


@pytest.mark.parametrize("text", ["", "MSH|^~\\&|A\r", "MSH|^~\\&|A\rMSA||FV1\r", "MSH|^~\\&|A\rMSA|OK|FV1\r"])
def test_what_is_no_answer_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(BadMessage):
        read(text)
