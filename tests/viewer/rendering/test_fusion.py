"""A second series over the first: at the same points of the patient, with a window, colours and an opacity of its own."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from viewer.rendering.colour import COLOR_MAPS
from viewer.rendering.render import render, resolve
from viewer.rendering.view import BadView, View
from viewer.rendering.volume import Volume, Window

from . import volume_judge
from .frames import noise
from .small_volumes import LEANING, ORIGIN, STRAIGHT, VOLUMES, modality_values, volume
from .volume_judge import Asked, slab

CT = VOLUMES["whole numbers"]
# Other voxels, another box, another direction; with voxels that are nothing.
OVERLAID = noise((6, 9, 8), np.int16, 0, 3000, seed=9).astype(np.float32)
OVERLAID[2, 3:6, 3:6] = np.nan
PET = volume(
    OVERLAID, ((0.3, 0.0, -2.9), (0.0, 1.4, 0.1), (1.3, 0.0, 0.2)), (-12.0, 9.0, 298.0), modality="PT", unit="BQML"
)
OBLIQUE = {"row": [0.8, 0.6, 0.0], "column": [-0.36, 0.48, 0.8]}
CENTER = (-6.3, 11.8, 292.1)


def view_of(**more: Any) -> View:
    fusion = {
        "series": "1.2.9", "window_center": 1400, "window_width": 2200, "voi_lut_function": "LINEAR_EXACT",
        "color_map": "pet", "opacity": 0.6,
    }  # fmt: skip
    return View.from_json(
        {
            "plane": OBLIQUE, "center": CENTER, "pixel_spacing": 0.45, "size": [31, 37], "window_center": 300,
            "window_width": 2600, "voi_lut_function": "LINEAR", "fusion": fusion | more.pop("fusion", {}),
        } | more
    )  # fmt: skip


def judged(projection: str, thickness: float, spare: float, base: Volume = CT, opacity: float = 0.6) -> Any:
    asked = Asked(
        tuple(OBLIQUE["row"]), tuple(OBLIQUE["column"]), CENTER, (31, 37), 0.45, projection, slab(thickness, 0.5)
    )  # fmt: skip
    below = volume_judge.grey(
        volume_judge.values_of(modality_values(base), base.geometry.to_patient, asked, spare), (300, 2600, "LINEAR")
    )
    values = volume_judge.values_of(modality_values(PET), PET.geometry.to_patient, asked, spare)
    levels = volume_judge.grey(values, (1400, 2200, "LINEAR_EXACT"))
    share = (np.minimum(levels / 32, 1.0) * opacity)[..., None]
    return below[..., None] * (1 - share) + COLOR_MAPS["pet"][levels] * share, levels


@pytest.mark.parametrize(("projection", "thickness"), [("slice", 0.0), ("mip", 4.0), ("mean", 4.0)])
def test_what_lies_over_each_other_lies_at_the_same_point_of_the_patient(projection: str, thickness: float) -> None:
    picture = render(CT, view_of(projection=projection, slab_thickness=thickness), fused=PET)
    assert picture.pixels.shape == (31, 37, 3)
    # One level of the overlay may be rounded otherwise, and is another colour then.
    apart = np.min(
        [np.abs(picture.pixels - judged(projection, thickness, spare)[0]) for spare in (1e-4, -1e-4)], axis=0
    )
    assert apart.max() <= 5
    assert (apart > 1).mean() < 0.01
    assert len(np.unique(picture.pixels.reshape(-1, 3), axis=0)) > 100


def test_where_the_overlay_shows_nothing_the_picture_beneath_is_untouched() -> None:
    grey = render(CT, replace(view_of(), fusion=None)).pixels
    fused = render(CT, view_of(), fused=PET).pixels
    levels = judged("slice", 0.0, 1e-4)[1]
    untouched = levels == 0
    assert untouched.sum() > 100
    assert (fused[untouched] == grey[untouched][:, None]).all()
    clear = render(CT, view_of(fusion={"opacity": 0}), fused=PET).pixels
    assert (clear == grey[..., None]).all()


def test_in_full_opacity_only_the_overlay_is_seen() -> None:
    fused = render(CT, view_of(fusion={"opacity": 1, "window_center": 0, "window_width": 2}), fused=PET).pixels
    levels = judged("slice", 0.0, -1e-4)[1]
    assert (fused[levels > 0] == COLOR_MAPS["pet"][255]).all()


def test_polarity_and_colours_of_the_picture_leave_the_overlay_alone() -> None:
    fused = render(CT, view_of(inverted=True, fusion={"opacity": 1}), fused=PET).pixels
    plain = render(CT, view_of(fusion={"opacity": 1}), fused=PET).pixels
    opaque = judged("slice", 0.0, -1e-4)[1] > 40
    assert (fused[opaque] == plain[opaque]).all()
    assert (fused != plain).any()
    under_colours = render(CT, view_of(color_map="rainbow"), fused=PET).pixels
    assert under_colours.shape == (31, 37, 3)


def test_a_picture_in_colour_may_have_an_overlay() -> None:
    under = render(VOLUMES["colour"], View.from_json(replace(view_of(), fusion=None).to_json()))
    fused = render(VOLUMES["colour"], view_of(), fused=PET)
    untouched = judged("slice", 0.0, 1e-4)[1] == 0
    assert (fused.pixels[untouched] == under.pixels[untouched]).all()
    assert (fused.pixels != under.pixels).any()


def test_what_a_fusion_leaves_to_the_server_is_filled_and_stays() -> None:
    asked = View.from_json({"plane": "axial", "size": [20, 20], "fusion": {"series": "1.2.9"}})
    picture = render(CT, asked, fused=PET)
    fusion = picture.view.fusion
    assert fusion is not None
    assert (fusion.color_map, fusion.opacity, fusion.voi_lut_function) == ("hot_iron", 0.5, "LINEAR_EXACT")
    assert fusion.window_center is not None
    assert fusion.window_width is not None
    lower = fusion.window_center - fusion.window_width / 2
    assert lower == pytest.approx(0.0)  # PT begins at nothing
    again = View.from_json(picture.view.to_json())
    assert again == picture.view == resolve(again, CT, PET)
    assert np.array_equal(render(CT, again, fused=PET).pixels, picture.pixels)
    own = volume(OVERLAID.copy(), STRAIGHT, ORIGIN, windows=(Window(500.0, 900.0, "LINEAR"),))
    fusion = resolve(asked, CT, own).fusion
    assert fusion is not None
    assert (fusion.window_center, fusion.window_width, fusion.voi_lut_function) == (500.0, 900.0, "LINEAR")


def test_series_that_share_no_space_are_not_laid_over_each_other() -> None:
    for here, there in itertools.product(("1.2.8", ""), ("1.2.7", "")):
        below = volume(CT.values.copy(), frame_of_reference_uid=here)
        above = volume(OVERLAID.copy(), frame_of_reference_uid=there)
        with pytest.raises(BadView, match=r"fusion: .* frame of reference"):
            render(below, view_of(), fused=above)


@pytest.mark.parametrize(
    ("fusion", "fused", "said"),
    [
        ({"color_map": "blues"}, PET, "fusion: color_map"),
        ({"window_width": 0.5, "voi_lut_function": "LINEAR"}, PET, "fusion: window_w"),
        ({}, VOLUMES["colour"], "fusion: .* colour"), ({}, None, "fusion"),
    ],
)  # fmt: skip
def test_what_cannot_be_laid_over_is_refused_in_words(fusion: dict[str, Any], fused: Volume | None, said: str) -> None:
    with pytest.raises(BadView, match=said):
        render(CT, view_of(fusion=fusion), fused=fused)


def test_a_frame_alone_has_no_overlay_and_resolving_without_the_other_series_leaves_it() -> None:
    assert resolve(view_of(), CT).fusion == view_of().fusion


def test_a_leaning_grid_and_holes_beneath_are_no_matter() -> None:
    below = volume(VOLUMES["holes"].values.copy(), LEANING, ORIGIN)
    picture = render(below, view_of(), fused=PET)
    apart = np.min([np.abs(picture.pixels - judged("slice", 0.0, spare, below)[0]) for spare in (1e-4, -1e-4)], axis=0)
    assert apart.max() <= 5
    assert (apart > 1).mean() < 0.01
