"""Objects by their kind, and the reason where one is not shown."""

from __future__ import annotations

import pytest

from viewer.dicom.documents import kind_of, reason_of

ROOT = "1.2.840.10008.5.1.4.1.1."


@pytest.mark.parametrize(
    ("sop_class", "kind", "reason"),
    [
        ("88.11", "sr", None),
        ("88.22", "sr", None),
        ("88.34", "sr", None),
        ("88.67", "dose", None),
        ("88.59", "ko", None),
        ("88.65", "sr", None),
        ("104.1", "pdf", None),
        ("104.2", "other", "clinical document: not shown here"),
        ("104.3", "other", "3D model: not shown here"),
        ("11.1", "gsps", None),
        ("11.2", "gsps", None),
        ("11.3", "other", "Pseudo-Color Softcopy Presentation State: not shown here"),
        ("66.4", "seg", None),
        ("66.5", "other", "surface segmentation: not shown here"),
        ("481.3", "rtstruct", None),
        ("481.5", "other", "RT plan: not shown here"),
        ("9.1.1", "other", "waveform: not shown here"),
    ],
)
def test_every_class_has_its_kind_and_what_is_not_shown_its_reason(
    sop_class: str, kind: str, reason: str | None
) -> None:
    assert (kind_of(ROOT + sop_class), reason_of(kind, ROOT + sop_class)) == (kind, reason)


def test_a_private_class_is_listed_too() -> None:
    assert kind_of("1.2.3") == "other"
    assert reason_of("other", "1.2.3") == "an object without pixels: not shown here"


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.107"])
def test_a_video_is_known_by_its_transfer_syntax(syntax: str) -> None:
    assert kind_of(ROOT + "77.1.1.1", syntax) == "video"
