"""Orders and patients out of messages as systems send them; the expected values are read off the standard's own fields."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.messages.er7 import BadMessage, parse
from reporting.messages.orders import OrderSaid, class_of, laterality_of, orders_of
from reporting.messages.patients import patient_of
from reporting.messages.reading import NotUsable

BERLIN = ZoneInfo("Europe/Berlin")
MSH = "MSH|^~\\&|RIS|WARD|FARVIEW|SITE|20260504123000||{kind}|A-1|P|{version}"
PID = "PID|1||4711^^^HOSP^MR~999^^^INS^SS||Müller^Zoë^M^^Dr.^^L^A~山田^太郎^^^^^L^I||19570312|F"
ORM = [
    MSH.format(kind="ORM^O01", version="2.3.1"),
    PID,
    "PV1||I|W3||||||R-8^House^Gregory",
    "ORC|NW|P-1^RIS|F-1^RIS||SC||1^^^202605050800^^S||20260504113000",
    "OBR|1|P-1^RIS|F-1^RIS|CTHEAD^CT head^L|||||||||fell from a horse||^^^HEAD|R-77^Brandt^Bob^^^Dr.||ACC-1|RP-1|SPS-1||||CT"
    "|||1^^^202605050800^^S||||^bleeding?",
    "NTE|1||allergic to contrast",
    "ZDS|1.2.840.1.2.3^100^Application^DICOM",
]
OMI = [
    MSH.format(kind="OMI^O23^OMI_O23", version="2.5.1"),
    PID,
    "ORC|NW|P-2|F-2||||||20260504093000+0000",
    "TQ1|1||||||202605060900||A",
    "OBR|1|P-2|F-2|MRKNEE^MR left knee^99X" + "|" * 12 + "R-77^Brandt^Bob" + "|" * 15 + "OBR31^instability",
    "IPC|ACC-2|RP-2|1.2.3.4.5|SPS-2|MR",
]


def told(segments: list[str], **mapping: object) -> list[OrderSaid]:
    return orders_of(parse("\r".join(segments) + "\r"), mapping, BERLIN)


def test_an_orm_as_ihe_has_it_is_read_whole() -> None:
    (order,) = told(ORM)
    assert order.act == "place"
    assert (order.patient.patient_id, order.patient.issuer) == ("4711", "")
    assert order.patient.name == "Müller^Zoë^M^Dr.=山田^太郎"
    assert (order.patient.birth_date, order.patient.sex) == ("19570312", "F")
    assert order.values == {
        "accession_number": "ACC-1",
        "placer_order_number": "P-1",
        "filler_order_number": "F-1",
        "study_instance_uid": "1.2.840.1.2.3",
        "procedure_code": "CTHEAD",
        "procedure_code_system": "L",
        "procedure_text": "CT head",
        "body_part": "HEAD",
        "modality": "CT",
        "reading_class": "STAT",
        "reason": "bleeding?\nfell from a horse\nallergic to contrast",
        "referring_physician": "Brandt^Bob^^Dr.",
        "referring_identifier": "R-77",
        "requested_at": datetime(2026, 5, 4, 11, 30, tzinfo=BERLIN),
        "scheduled_at": datetime(2026, 5, 5, 8, 0, tzinfo=BERLIN),
    }


def test_an_omi_is_read_by_its_ipc_and_tq1() -> None:
    (order,) = told(OMI)
    assert order.values["accession_number"] == "ACC-2"
    assert order.values["study_instance_uid"] == "1.2.3.4.5"
    assert order.values["modality"] == "MR"
    assert order.values["laterality"] == "L"  # of the procedure's own words
    assert order.values["reading_class"] == "URGENT"
    assert order.values["reason"] == "instability"
    assert order.values["requested_at"] == datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("control", "state", "act"),
    [
        *[("NW", "", "place"), ("XO", "", "change"), ("CA", "", "cancel"), ("DC", "", "discontinue")],
        *[("OC", "", "cancel"), ("OD", "", "discontinue"), ("SC", "IP", "status"), ("SC", "CA", "cancel")],
        ("SC", "DC", "discontinue"),
    ],
)
def test_the_order_control_code_says_what_is_to_be_done(control: str, state: str, act: str) -> None:
    segments = [*ORM[:3], f"ORC|{control}|P-1|F-1||{state}", ORM[4]]
    assert told(segments)[0].act == act


def test_a_control_code_that_is_not_done_here_is_refused_by_name() -> None:
    with pytest.raises(NotUsable, match="'HD' is not done") as refused:
        told([*ORM[:3], "ORC|HD|P-1|F-1", ORM[4]])
    assert refused.value.place == "ORC-1"


def test_a_sender_may_put_things_elsewhere() -> None:
    (order,) = told(ORM, accession_number=["OBR-20", "OBR-18"], priorities={"S": "TRAUMA"}, issuer="HOSP")
    assert order.values["accession_number"] == "SPS-1"
    assert order.values["reading_class"] == "TRAUMA"
    assert order.patient.issuer == "HOSP"
    assert told(ORM, identifier_types=["SS"])[0].patient.patient_id == "999"
    assert told(ORM, identifier_types=["INS"])[0].patient.patient_id == "999"
    with pytest.raises(NotUsable, match="PID-3"):
        told(ORM, identifier_types=["PASSPORT"])


def test_steps_of_one_procedure_are_one_order_and_two_procedures_are_two() -> None:
    step = [ORM[3], ORM[4]]
    assert len(told([*ORM[:3], *step, *step, ORM[6]])) == 1
    other = [
        ORM[3].replace("P-1", "P-9").replace("F-1", "F-9"),
        ORM[4].replace("ACC-1", "ACC-9").replace("1|P-1", "1|P-9"),
    ]
    found = told([*ORM[:3], *step, *other])
    assert [one.values["accession_number"] for one in found] == ["ACC-1", "ACC-9"]


def test_what_the_sender_deletes_is_told_from_what_is_not_said() -> None:
    segments = [*ORM[:3], "ORC|XO|P-1|F-1", 'OBR|1|P-1|F-1|CTHEAD^""^L||||||||||||||ACC-1']
    (order,) = told(segments)
    assert order.values["procedure_text"] == ""
    assert "modality" not in order.values


@pytest.mark.parametrize(
    ("segments", "place"),
    [
        ([ORM[0], "PID|1", *ORM[2:]], "PID-3"),
        ([ORM[0], *ORM[3:]], "PID-3"),
        ([ORM[0], PID], "ORC"),
        ([ORM[0], PID, "ORC|NW", "OBR|1"], "ORC-2"),
        ([ORM[0], PID, "ORC|NW|P-1", "OBR|1|P-1" + "|" * 16 + "A" * 65], "IPC-1"),
        ([ORM[0], PID, "ORC|NW|P-1", "OBR|1|P-1", "ZDS|not a uid"], "ZDS-1"),
        ([ORM[0], PID.replace("19570312", "19571332"), *ORM[2:]], "PID-7"),
    ],
)
def test_what_cannot_be_an_order_is_refused_with_its_place(segments: list[str], place: str) -> None:
    with pytest.raises(NotUsable) as refused:
        told(segments)
    assert refused.value.place == place


@pytest.mark.parametrize(
    ("stated", "procedure", "side"),
    [
        *[("L", "", "L"), ("R", "MR left knee", "R"), ("24028007", "", "R"), ("", "MR left knee", "L")],
        *[("", "MRT Knie rechts", "R"), ("", "Radiographie épaule gauche", "L"), ("", "Mammografía bilateral", "B")],
        *[("", "CT legs left and right", "B"), ("", "CT head", None), ("", "upright chest", None)],
        *[("", "brightness", None), ("left", "", "L"), ("", "左膝 MRI", "L"), ("SER^Serum", "", None)],
    ],
)
def test_the_side_is_read_from_its_field_else_from_words_that_stand_by_themselves(
    stated: str, procedure: str, side: str | None
) -> None:
    assert laterality_of(stated, procedure) == side


def test_a_priority_that_nobody_knows_is_routine() -> None:
    assert class_of("S", {}) == "STAT"
    assert class_of("whatever", {}) == "ROUTINE"
    assert class_of("1", {"1": "STROKE"}) == "STROKE"


@pytest.mark.parametrize(
    ("said", "sex"), [("M", "M"), ("F", "F"), ("O", "O"), ("A", "O"), ("U", ""), ("X", ""), ("", None)]
)
def test_the_sex_is_said_as_dicom_says_it(said: str, sex: str | None) -> None:
    message = parse("\r".join([ORM[0], PID.removesuffix("F") + said]))
    assert patient_of(message, {}).sex == sex


@given(st.randoms(use_true_random=False), st.lists(st.text(max_size=12), max_size=6))
def test_whatever_becomes_of_a_message_it_is_read_or_refused(chance: random.Random, pieces: list[str]) -> None:
    """Fields of real messages replaced, moved and torn."""
    fields = "\r".join(chance.choice((ORM, OMI))).split("|")
    for piece in pieces:
        fields[chance.randrange(4, len(fields))] = piece
    del fields[chance.randrange(5, len(fields)) :][chance.randrange(0, 3) :]
    try:
        for order in orders_of(parse("|".join(fields)), {}, BERLIN):
            assert order.act
            assert len(order.values.get("accession_number") or "") <= 64
            assert len(order.patient.patient_id) <= 64
    except BadMessage:
        pass
