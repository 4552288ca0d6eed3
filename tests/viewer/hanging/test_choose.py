"""Which protocol is chosen for which study, and the reason that is given."""

from __future__ import annotations

from typing import Any

import pytest

from tests.viewer.hanging.studies import image, mammogram, series, single, study
from viewer.hanging.choose import Suits, suiting
from viewer.hanging.facts import facts_of
from viewer.hanging.protocol import protocol_of
from viewer.hanging.seeds import SEEDS

Json = dict[str, Any]
PROTOCOLS = [protocol_of(number, slug, *SEEDS[slug][1:]) for number, slug in enumerate(SEEDS)]


def best(made: Json, priors: int = 0) -> Suits:
    return suiting(PROTOCOLS, facts_of(made), priors)[0]


@pytest.mark.parametrize(
    ("slug", "made"),
    [
        ("ct-head", study(series("CT", "Axial 1 mm", body_part_examined="HEAD"))),
        ("ct-head", study(series("CT", "CCT nativ"), description="CT Schädel")),
        ("ct-chest", study(series("CT", "Thorax 1.0", body_part_examined="CHEST"))),
        ("ct-chest", study(series("CT", "1.0 I70f"), description="CT Thorax mit KM")),
        ("ct-abdomen", study(series("CT", "portal venous", body_part_examined="ABDOMEN"))),
        ("ct-abdomen", study(series("CT", body_part_examined="PELVIS"))),
        ("ct", study(series("CT", "Axial"), description="")),
        ("ct", study(series("CT", body_part_examined="FOOT"))),
        ("mr-brain", study(series("MR", "t2_tse_tra", body_part_examined="BRAIN"))),
        ("mr-brain", study(series("MR", "AX T2 FLAIR"), description="MRI brain w/o contrast")),
        ("mr-spine", study(series("MR", "SAG T2", body_part_examined="LSPINE"))),
        ("mr-spine", study(series("MR", "t2_sag"), description="MRT LWS")),
        ("mr-knee", study(series("MR", "PD fs cor", body_part_examined="KNEE"))),
        ("mr", study(series("MR", "T2", body_part_examined="LIVER"))),
        ("radiograph-chest", study(single("CR", image("PA")), description="Chest")),
        ("radiograph-chest", study(single("DX", image("PA"), body_part_examined="CHEST"))),
        ("radiograph", study(single("DX", image("AP"), body_part_examined="HAND"))),
        ("mammography", mammogram()),
        ("ultrasound", study(single("US", image(), image()))),
        ("pet-ct", study(series("CT", "CT WB", body_part_examined="CHEST"), series("PT", "PET WB AC"))),
        ("pet", study(series("PT", "PET brain"))),
        ("angiography", study(series("XA", "Run 1", kind="cine", volume=False, plane=""))),
        ("default", study(series("OT"))),
        ("default", study(single("XC", image()))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_study_hangs_by_the_protocol_that_is_made_for_it(slug: str, made: Json) -> None:
    assert best(made).protocol.name == slug


def test_body_part_examined_counts_for_more_than_words_that_mention_another() -> None:
    both = study(series("CT", "Axial", body_part_examined="ABDOMEN"), description="CT chest and abdomen")
    assert best(both).protocol.name == "ct-abdomen"
    assert (
        best(study(series("CT", body_part_examined="CHEST"), description="chest and abdomen")).protocol.name
        == "ct-chest"
    )


def test_the_reason_is_said_in_words() -> None:
    assert best(study(series("CT", body_part_examined="CHEST"))).reason == "CT, chest by Body Part Examined"
    assert best(study(series("CT"), description="Head")).reason == "CT, head by description"
    assert best(study(series("OT"))).reason == "for every study"
    assert "has PT, has CT" in best(study(series("CT"), series("PT"))).reason


def test_what_was_drawn_beside_the_images_changes_nothing() -> None:
    made = study(series("CT", body_part_examined="CHEST"), series("SEG", "Lung", body_part_examined="CHEST"))
    assert best(made).protocol.name == "ct-chest"


def chosen(matches: list[Json], made: Json, priors: int = 0, **more: Any) -> list[int]:
    stages = [{"name": "A", "layout": "1x1", "viewports": [{}]}]
    protocols = [protocol_of(number, "", one, stages, **more) for number, one in enumerate(matches)]
    return [one.protocol.id for one in suiting(protocols, facts_of(made), priors)]


def test_every_condition_must_hold_and_each_counts() -> None:
    made = study(single("MG", image("CC", "L"), image("MLO", "L")), description="Diagnostic left breast")
    matches = [
        {"modality": ["MG"]},
        {"modality": ["MG"], "laterality": ["L"]},
        {"modality": ["MG"], "laterality": ["R"]},
        {"modality": ["MG"], "view_position": ["MLO"], "laterality": ["L"]},
        {"modality": ["MG"], "view_position": ["XCCL"]},
        {"modality": ["MG"], "description": ["diagn*"], "laterality": ["L"], "view_position": ["CC"]},
        {"modality": ["MG"], "description": ["screening"]},
        {"modality": ["CT"]},
    ]
    assert chosen(matches, made) == [5, 3, 1, 0]


@pytest.mark.parametrize(("priors", "expected"), [(0, [2, 0]), (1, [1, 0]), (2, [1, 0]), (3, [0])])
def test_the_number_of_priors_is_a_condition(priors: int, expected: list[int]) -> None:
    matches = [{}, {"priors": {"least": 1, "most": 2}}, {"priors": {"most": 0}}]
    assert chosen(matches, study(series("CT")), priors) == expected


def test_needed_series_are_a_condition() -> None:
    matches = [{"series": [{"modality": ["MR"], "description": ["dwi*"]}]}, {"modality": ["MR"]}]
    assert chosen(matches, study(series("MR", "T1"))) == [1]
    assert chosen(matches, study(series("MR", "T1"), series("MR", "DWI b1000"))) == [1, 0], "the modality says more"


def test_where_two_suit_alike_priority_decides_and_then_whose_it_is() -> None:
    stages = [{"name": "A", "layout": "1x1", "viewports": [{}]}]
    made = facts_of(study(series("CT")))
    rows = [(1, 0, False), (2, 0, True), (3, 5, False), (4, 5, True)]
    protocols = [protocol_of(number, "", {"modality": ["CT"]}, stages, priority, own) for number, priority, own in rows]
    assert [one.protocol.id for one in suiting(protocols, made, 0)] == [4, 3, 2, 1]


def test_words_are_found_whole_without_case_or_accents() -> None:
    matches = [
        {"description": ["t2"]},
        {"description": ["t2*"]},
        {"description": ["schadel"]},
        {"description": ["ax* t2"]},
    ]
    assert chosen(matches, study(series("MR", "AX T2 tse"))) == [0, 1, 3]
    assert chosen(matches, study(series("MR", "t2w axial"))) == [1]
    assert chosen(matches, study(series("CT"), description="SCHÄDEL nativ")) == [2]
