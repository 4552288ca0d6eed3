"""What lies where when a study hangs, and what is said of what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.viewer.hanging.studies import image, mammogram, series, single, study
from viewer.hanging.facts import facts_of
from viewer.hanging.place import Hung, Skipped, Studies, counterparts, hang
from viewer.hanging.protocol import protocol_of
from viewer.hanging.seeds import SEEDS

Json = dict[str, Any]


def studies(current: Json, *priors: Json) -> Studies:
    return Studies(facts_of(current), [facts_of(one) for one in priors])


def stages(slug: str, current: Json, *priors: Json) -> tuple[list[Hung], dict[str, str]]:
    hung, skipped = hang(protocol_of(1, slug, *SEEDS[slug][1:]), studies(current, *priors))
    return hung, {one.name: one.reason for one in skipped}


def own(slots: list[Json | None], current: Json, *priors: Json, layout: str = "", **more: Any) -> Hung | Skipped:
    """One stage made for the test."""
    stage = {"name": "A", "layout": layout or f"1x{len(slots)}", "viewports": slots, **more}
    hung, skipped = hang(protocol_of(1, "", {}, [stage]), studies(current, *priors))
    return hung[0] if hung else skipped[0]


def described(hung: Hung | Skipped) -> list[str | None]:
    assert isinstance(hung, Hung), hung
    return [one and one.candidate.description for one in hung.viewports]


def test_a_ct_without_prior_is_shown_large_and_the_stage_with_prior_is_skipped_with_the_reason() -> None:
    hung, skipped = stages("ct-chest", study(series("CT", "Axial", body_part_examined="CHEST")))
    assert (hung[0].name, hung[0].layout) == ("Current", "1x1")
    assert skipped["With prior"] == "there is no prior 1"
    assert "lung" in skipped["Soft tissue and lung series"]
    planes = next(one for one in hung if one.name == "Three planes")
    assert [one.view.get("plane", "acquired") for one in planes.viewports if one] == ["acquired", "coronal", "sagittal"]
    assert len({one.candidate.series for one in planes.viewports if one}) == 1


def test_a_ct_with_a_prior_hangs_beside_it_and_the_most_similar_series_is_taken() -> None:
    current = study(series("CT", "Scout", image_type="ORIGINAL\\PRIMARY\\LOCALIZER", frames=2, volume=False),
                    series("CT", "Thorax 1.0 axial", contrast=True))  # fmt: skip
    before = study(
        series("CT", "Topogram", frames=1, volume=False),
        series("CT", "Lung coronal", plane="coronal"),
        series("CT", "Lung 1.0 axial"),
        series("CT", "Thorax 2.0 axial", contrast=True),
        uid="1.0",
        date="20250301",
    )
    hung, _ = stages("ct-chest", current, before)
    assert (hung[0].name, hung[0].layout) == ("With prior", "1x2")
    assert described(hung[0]) == ["Thorax 1.0 axial", "Thorax 2.0 axial"]
    assert [one.role for one in hung[0].viewports if one] == ["current", "prior"]
    assert len({one.link for one in hung[0].viewports if one}) == 1


def test_a_stack_that_makes_no_volume_is_not_shown_in_other_planes() -> None:
    hung, skipped = stages("ct-chest", study(series("CT", "Axial", volume=False)))
    assert "Three planes" in skipped
    assert "makes a volume" in skipped["Three planes"]
    assert "Lung, 8 mm MIP" not in [one.name for one in hung]


@pytest.mark.parametrize(
    ("names", "expected", "layout"),
    [
        (["T1 ax", "T2 ax", "FLAIR ax", "DWI ax"], ["T2 ax", "FLAIR ax", "DWI ax", "T1 ax"], "2x2"),
        (["T1 ax", "T2 ax"], ["T2 ax", "T1 ax"], "1x2"),
        (["ax t2_tirm dark-fluid", "T2 ax"], ["T2 ax", "ax t2_tirm dark-fluid"], "1x2"),
        (["something"], ["something"], "1x1"),
        (["a", "b", "c", "d", "e"], ["a", "b", "c"], "2x2"),
    ],
)
def test_mr_sequences_lie_in_the_order_in_which_they_are_read(
    names: list[str], expected: list[str], layout: str
) -> None:
    hung, _ = stages("mr-brain", study(*(series("MR", name) for name in names)))
    assert (described(hung[0])[: len(expected)], hung[0].layout) == (expected, layout)


def test_two_views_of_the_chest_lie_beside_each_other_also_out_of_one_series() -> None:
    views = image("LL"), image("PA")
    for made in (study(single("DX", *views)), study(single("DX", views[0]), single("DX", views[1]))):
        hung, skipped = stages("radiograph-chest", made)
        assert (hung[0].name, hung[0].layout) == ("Two views", "1x2")
        assert [one.view["sop_instance_uid"] for one in hung[0].viewports if one] == [
            views[1]["sop_instance_uid"], views[0]["sop_instance_uid"],
        ]  # fmt: skip
        assert "With prior" in skipped


def test_with_a_prior_the_frontal_view_is_compared_with_the_frontal_view() -> None:
    before = study(
        single("DX", image("LL")), single("CR", image("LL")), single("DX", image("PA")), uid="1.0", date="20250301"
    )
    hung, _ = stages("radiograph-chest", study(single("DX", image("PA"), image("LL"))), before)
    assert (hung[0].name, hung[0].layout) == ("Two views with prior", "1x3")
    assert [one.candidate.view_position for one in hung[0].viewports if one] == ["PA", "LL", "PA"]
    assert hung[0].viewports[2]
    assert hung[0].viewports[2].role == "prior"


@pytest.mark.parametrize("one_series", [True, False])
def test_mammograms_hang_in_their_four_places_also_out_of_one_series(one_series: bool) -> None:
    hung, skipped = stages("mammography", mammogram(one_series=one_series))
    four = hung[0]
    assert (four.name, four.layout) == ("Four views", "2x2")
    placed = [one for one in four.viewports if one]
    assert [(one.candidate.laterality, one.candidate.view_position) for one in placed] == [
        ("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO"),
    ]  # fmt: skip
    assert [one.align for one in placed] == ["right", "left", "right", "left"], "chest walls back to back"
    assert skipped.keys() == {"CC with prior", "MLO with prior"}


def test_the_current_cc_hangs_over_the_prior_cc_and_mlo_likewise() -> None:
    hung, _ = stages("mammography", mammogram(), mammogram(uid="1.0", date="20240101"))
    for view in ("CC", "MLO"):
        stage = next(one for one in hung if one.name == f"{view} with prior")
        placed = [(one.candidate.laterality, one.candidate.view_position, one.role) for one in stage.viewports if one]
        assert placed == [("R", view, "current"), ("L", view, "current"), ("R", view, "prior"), ("L", view, "prior")]


def test_a_missing_mammogram_leaves_its_place_empty_and_it_is_said() -> None:
    made = mammogram()
    made["series"] = made["series"][:3]
    hung, _ = stages("mammography", made)
    assert hung[0].viewports[3] is None
    assert hung[0].missing == ("viewport 4: no MG, L, MLO",)


def test_ultrasound_images_make_a_grid_that_is_as_large_as_needed() -> None:
    for count, layout in ((1, "1x1"), (2, "1x2"), (4, "2x2"), (5, "2x3"), (9, "3x3")):
        hung, _ = stages("ultrasound", study(single("US", *(image() for _ in range(count)))))
        assert hung[0].layout == layout
        assert sum(one is not None for one in hung[0].viewports) == count
    hung, _ = stages("ultrasound", study(single("US", *(image() for _ in range(30)))))
    assert [one.layout for one in hung[:2]] == ["3x3", "4x4"]


def test_pet_lies_over_ct_only_in_one_frame_of_reference() -> None:
    ct, pet = series("CT", "CT WB"), series("PT", "PET AC", frames=300)
    hung, _ = stages("pet-ct", study(ct, series("PT", "PET NAC", frames=300), pet))
    fused = hung[0].viewports[2]
    assert hung[0].name == "Fusion"
    assert fused is not None
    assert fused.view["fusion"]["series"] == pet["series_instance_uid"], "the corrected one"
    assert fused.candidate.series == ct["series_instance_uid"]
    hung, skipped = stages("pet-ct", study(ct, series("PT", "PET AC", frame_of_reference_uid="8.8")))
    assert "frame of reference" in skipped["Fusion"]
    assert hung[0].name == "CT and PET"


def test_no_images_are_taken_twice_unless_asked() -> None:
    made = study(series("CT", "a"), series("CT", "b"))
    assert described(own([{}, {}, {}], made)) == ["a", "b", None]
    assert described(own([{}, {"same_as": 1}, {}], made)) == ["a", "a", "b"]


def test_priors_are_named_by_their_number_and_the_oldest() -> None:
    before = [study(series("CT", f"before {number}"), uid=f"1.0.{number}") for number in (1, 2, 3)]
    slots = [{}, {"study": "prior 1"}, {"study": "prior 2"}, {"study": "oldest prior"}]
    assert described(own(slots, study(series("CT", "now")), *before)) == ["now", "before 1", "before 2", "before 3"]
    few = own(slots, study(series("CT", "now")), before[0])
    assert described(few) == ["now", "before 1", None, None], "one prior is not shown twice"
    assert isinstance(few, Hung)
    assert few.missing[0] == "viewport 3: there is no prior 2"


def test_selectors_ask_for_plane_contrast_kind_words_and_sort() -> None:
    made = study(
        series("MR", "T1 sag", plane="sagittal", frames=20),
        series("MR", "T1 ax", frames=30),
        series("MR", "T1 ax KM", contrast=True, frames=40),
        series("MR", "Perfusion", kind="cine", volume=False),
    )
    slots = [
        {"series": {"plane": ["sagittal"]}},
        {"series": {"contrast": True}},
        {"series": {"kind": ["cine"]}},
        {"series": {"description": ["t1*"], "sort": ["-frames"]}},
    ]
    assert described(own(slots, made)) == ["T1 sag", "T1 ax KM", "Perfusion", "T1 ax"]
    tried = own([{"series": [{"plane": ["coronal"]}, {"description": ["perf*"]}]}], made)
    assert described(tried) == ["Perfusion"], "the first that finds something decides"


def test_a_stage_says_why_it_is_skipped() -> None:
    made = study(series("CT", "a"))
    assert own([{"series": {"modality": ["MR"]}, "needed": True}], made) == Skipped("A", "no MR")
    assert own([{}, {}], made, least=2).reason == "viewport 2: no images are left"  # type: ignore[union-attr]
    assert own([{}], made, when=[{"modality": ["PT"]}]) == Skipped("A", "there is no PT")


def test_localizers_and_what_was_drawn_on_others_hang_last() -> None:
    made = study(series("SEG", "Liver"), series("CT", "Topogram 0.6"), series("CT", "Axial"))
    hung, _ = stages("default", made)
    assert described(hung[0])[:3] == ["Axial", "Topogram 0.6", "Liver"]


def test_each_series_has_its_counterpart_in_the_prior() -> None:
    now = facts_of(study(series("MR", "T1 ax"), series("MR", "T2 sag", plane="sagittal"), series("CT", "x")))
    before = facts_of(study(series("MR", "sag T2", plane="sagittal"), series("MR", "ax T1"), uid="1.0"))
    assert [(one.description, other.description) for one, other in counterparts(now, before)] == [
        ("T1 ax", "ax T1"),
        ("T2 sag", "sag T2"),
    ]


def test_a_right_breast_is_never_compared_with_a_left_one() -> None:
    now, before = facts_of(mammogram()), facts_of(mammogram(uid="1.0"))
    for one, other in counterparts(now, before):
        assert (one.laterality, one.view_position) == (other.laterality, other.view_position)


@pytest.mark.parametrize("slug", SEEDS)
def test_every_protocol_that_comes_along_shows_something_of_any_study_it_is_for(slug: str) -> None:
    modality = (SEEDS[slug][1].get("modality") or ["OT"])[0]
    rows = [series(modality, "anything", volume=False, plane="", kind="other", frames=1)]
    if slug == "pet-ct":
        rows.append(series("CT", "ct", volume=False))
    hung, _ = stages(slug, study(*rows))
    assert hung
    assert all(len(one.viewports) == int(one.layout[0]) * int(one.layout[2]) for one in hung)
