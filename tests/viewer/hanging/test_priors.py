"""Which other studies are compared with, and why, in words."""

from __future__ import annotations

import pytest

from viewer.hanging.priors import Outline, compared, is_earlier, relevance

NOW = Outline("now", "20260918", "1000", ("CT",), ("CHEST",), ("CT chest",))


def other(uid: str = "x", date: str = "20250301", modalities: tuple[str, ...] = ("CT",), part: str = "CHEST", text: str = "",
          time: str = "0900") -> Outline:  # fmt: skip
    return Outline(uid, date, time, modalities, (part,) if part else (), (text,) if text else ())


@pytest.mark.parametrize(
    ("study", "degree", "words"),
    [
        (other(), 3, "same modality and part of the body: CT, chest"),
        (other(part="", text="Thorax nativ"), 3, "same modality and part of the body: CT, chest"),
        (other(part=""), 2, "same modality: CT; the part of the body is not said"),
        (other(part="HEAD"), 0, "same modality (CT), another part of the body: head"),
        (other(modalities=("DX",)), 1, "same part of the body (chest), another modality"),
        (other(modalities=("MR",), part="KNEE"), 0, "another modality and part of the body"),
        (other(modalities=("CT", "SR"), part="CHEST"), 3, "same modality and part of the body: CT, chest"),
        (other(modalities=("SR",), part=""), 0, "another modality and part of the body"),
    ],
)
def test_relevance_is_by_modality_and_part_of_the_body(study: Outline, degree: int, words: str) -> None:
    found = relevance(NOW, study)
    assert (found.degree, found.reason, found.earlier) == (degree, words, True)


def test_a_plate_and_a_detector_show_the_same() -> None:
    plate = Outline("a", "20260101", "", ("CR",), ("CHEST",))
    detector = Outline("b", "20250101", "", ("DX",), ("CHEST",))
    assert relevance(plate, detector).degree == 3


def test_only_what_was_taken_before_is_a_prior() -> None:
    assert is_earlier(other(date="20260917"), NOW)
    assert is_earlier(other(date="20260918", time="0900"), NOW)
    assert not is_earlier(other(date="20260918", time="1100"), NOW)
    assert not is_earlier(other(date="20260919"), NOW)
    assert not is_earlier(other(date=""), NOW)


def test_priors_are_counted_from_the_newest_and_only_those_that_compare() -> None:
    others = [
        other("old", "20200101"),
        other("later", "20270101"),
        other("newest", "20260901"),
        other("head", "20260902", part="HEAD"),
        other("plain film", "20260903", ("DX",)),
        other("unsaid", "20230101", part=""),
        other("undated", ""),
    ]
    assert compared(NOW, others) == ["newest", "unsaid", "old"]
