"""What users of other viewers suffer from, as their threads tell: each is a test that names the thread."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FAILURES = {
    "browser/test_memory.py::test_a_long_study_takes_no_more_memory_than_a_short_one": (
        *("OHIF/Viewers#3229", "OHIF/Viewers#4151", "VolView#475"),
        *("OHIF/Viewers#5171", "OHIF/Viewers#3941"),
    ),
    "browser/test_hanging.py::test_the_first_picture_waits_for_nothing_else": ("OHIF/Viewers#3480",),
    "browser/test_mpr.py::test_a_tilted_head_agrees_with_its_letters": ("cornerstone3D#227", "Weasis#715"),
    "browser/test_mpr.py::test_images_that_come_later_are_marked_in_all_planes_and_taken_in_together": ("OHIF#3647",),
    "viewer/dicom/test_volumes.py::test_beads_between_uneven_slices_are_found_where_they_are": ("uneven steps",),
    "viewer/dicom/test_volumes.py::test_numbers_of_the_images_and_slice_thickness_say_nothing": ("OHIF/Viewers#3303",),
    "browser/measuring/test_kinds.py::test_a_region_on_ultrasound_has_no_millimetres_without_a_source": (
        "OHIF/Viewers#5556",
    ),
    "browser/test_mpr.py::test_a_pet_without_a_weight_is_not_told_in_suv_and_says_why": (
        *("cornerstone3D#163", "OHIF/Viewers#3587"),
    ),
    "browser/test_exact_picture.py::test_a_colour_clip_is_painted_without_a_shade_of_difference": (
        *("OHIF/Viewers#4110", "OHIF/Viewers#4218"),
    ),
    "viewer/dicom/test_codecs.py::test_lossless_unsigned_values_survive": ("OHIF/Viewers#5918", "codecs#10"),
    "browser/test_cine.py::test_a_clip_is_never_slowed_and_says_what_it_dropped": ("OHIF/Viewers#2939",),
    "browser/test_objects.py::test_a_presentation_state_is_chosen_drawn_and_taken_off": ("OHIF/Viewers#4106",),
    "viewer/engine/test_presentation_states.py::test_a_later_window_wins_and_the_state_does_not_take_it_back": (
        "Weasis#746",
    ),
    "browser/measuring/test_lengths.py::test_beads_200_mm_apart_measure_so_on_axial_and_stay_after_a_reload": (
        "OHIF/Viewers#2322",
    ),
    "viewer/rendering/test_measuring.py::test_statistics_leave_padding_out_and_follow_the_modality_lut": (
        "Weasis#858",
    ),
    "browser/test_exact_picture.py::test_the_badge_is_green_only_for_the_exact_answer_to_the_newest_change": (
        *("trame#880", "trame-vtk#77"),
    ),
    "browser/test_viewer.py::test_presets_by_key_and_by_menu": ("trame-slicer#61",),
}
"""By test: the threads."""


@cache
def _docstrings(path: Path) -> dict[str, str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name: ast.get_docstring(node) or "" for node in functions}


@pytest.mark.parametrize("test", FAILURES)
def test_every_failure_of_the_peers_has_a_test_that_names_it(test: str) -> None:
    path, name = test.split("::")
    said = " ".join(_docstrings(TESTS / path)[name].split())
    assert [thread for thread in FAILURES[test] if thread not in said] == []
