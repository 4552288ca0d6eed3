"""Where voxels land in the picture, and how they are mixed."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from viewer.rendering.render import Picture, render
from viewer.rendering.sampling import Axis, place, taps
from viewer.rendering.view import BadView, View
from viewer.rendering.volume import Frame, LookupTable

from . import judge
from .frames import dataset_of, frame, noise

WINDOW = {"window_center": 600.0, "window_width": 3600.0, "voi_lut_function": "LINEAR"}
HALF = 0.501
"""Of a grey level: rounding to 8 bits, and a little for pictures that are resampled in 32 bits."""
ORIENTATIONS = list(itertools.product((0, 90, 180, 270), (False, True), (False, True)))


def drawn(of: Frame, **view: Any) -> Picture:
    return render(of, View.from_json(WINDOW | view))


def native(of: Frame) -> NDArray[np.uint8]:
    return judge.grey_picture(dataset_of(of), of.values, window=(600.0, 3600.0, "LINEAR"))


def judged(
    of: Frame, scale: tuple[float, float], size: tuple[int, int], inverted: bool = False, **placing: Any
) -> NDArray[Any]:
    """The scaled picture in grey levels before rounding; -1 for background."""
    padding = judge.padding(dataset_of(of), of.values)
    values = judge.modality_values([dataset_of(of)], of.values.astype(np.float64), dataset_of(of))
    mixed, shown = judge.scaled_picture(values, ~padding, scale, size, **placing)
    y = judge.through_window(mixed, 600.0, 3600.0, "LINEAR")
    return np.where(shown, 255.0 - y if inverted else y, 0.0)


@pytest.mark.parametrize(("rotation", "horizontal", "vertical"), ORIENTATIONS)
def test_a_native_picture_turns_clockwise_and_then_flips(rotation: int, horizontal: bool, vertical: bool) -> None:
    of = frame(noise((13, 22)))
    picture = drawn(of, rotation=rotation, flip_horizontal=horizontal, flip_vertical=vertical)
    assert picture.sampling == "native"
    assert np.array_equal(picture.pixels, judge.oriented(native(of), rotation, horizontal, vertical))
    assert picture.pixels.flags.c_contiguous


@pytest.mark.parametrize(("rotation", "horizontal", "vertical"), ORIENTATIONS)
@pytest.mark.parametrize("size", [(30, 41), (9, 12), (29, 8)])
@pytest.mark.parametrize("pan", [(0.0, 0.0), (0.26, -0.33), (5.0, 0.0)])
def test_a_native_picture_is_moved_by_whole_pixels(
    rotation: int, horizontal: bool, vertical: bool, size: tuple[int, int], pan: tuple[float, float]
) -> None:
    of = frame(noise((13, 22)))
    whole = judge.oriented(native(of), rotation, horizontal, vertical)
    expected = np.zeros(size, np.uint8)
    top, left = (int(np.floor((size[i] - whole.shape[i]) / 2 + pan[1 - i] * size[i] + 0.5)) for i in (0, 1))
    for row, column in itertools.product(range(size[0]), range(size[1])):
        if 0 <= row - top < whole.shape[0] and 0 <= column - left < whole.shape[1]:
            expected[row, column] = whole[row - top, column - left]
    picture = drawn(
        of,
        rotation=rotation,
        flip_horizontal=horizontal,
        flip_vertical=vertical,
        size=list(size),
        pan=list(pan),
        zoom="native",
    )
    assert picture.sampling == "native"
    assert np.array_equal(picture.pixels, expected)


@pytest.mark.parametrize(("rotation", "horizontal", "vertical"), ORIENTATIONS)
@pytest.mark.parametrize(
    ("zoom", "size", "sampling"),
    [(1, (30, 40), "enlarged"), (2.7, (30, 40), "enlarged"), (1, (9, 7), "reduced"), (0.31, (20, 31), "reduced")],
)
def test_a_scaled_picture_equals_the_judge(
    rotation: int, horizontal: bool, vertical: bool, zoom: float, size: tuple[int, int], sampling: str
) -> None:
    values = noise((13, 22))
    values[3:6, 4:9] = -2000
    of = frame(values, pixel_padding=(-2000, -2000), rescale_intercept=-24.0)
    placing = {"rotation": rotation, "flip_horizontal": horizontal, "flip_vertical": vertical, "pan": (0.07, -0.11)}
    picture = drawn(of, zoom=zoom, size=list(size), **(placing | {"pan": [0.07, -0.11]}))
    turned = (22, 13) if rotation in (90, 270) else (13, 22)
    scale = min(size[0] / turned[0], size[1] / turned[1]) * zoom
    assert picture.sampling == sampling
    assert np.abs(picture.pixels - judged(of, (scale, scale), size, **placing)).max() <= HALF


RISING = LookupTable(-1200, np.arange(0, 3601, dtype=np.uint16), 12, "rising")
KINDS: dict[str, Frame] = {
    "unsigned 8": frame(noise((13, 22), np.uint8, 0, 256), rescale_slope=9.0, rescale_intercept=-400.0),
    "unsigned 16": frame(noise((13, 22), np.uint16, 0, 65536), rescale_slope=0.05, rescale_intercept=-1000.0),
    "signed 32": frame(noise((13, 22), np.int32, -(2**31), 2**31), rescale_slope=1e-6),
    "floats": frame(noise((13, 22)).astype(np.float32) / 3, rescale_slope=3.0),
    "MONOCHROME1": frame(noise((13, 22)), "MONOCHROME1"),
    "modality LUT": frame(noise((13, 22)), modality_lut=RISING),
    "padding range": frame(noise((13, 22)), pixel_padding=(-300, 900)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("size", [(30, 40), (9, 7)])
def test_modality_values_are_mixed_and_windowed_afterwards(kind: str, function: str, size: tuple[int, int]) -> None:
    of = KINDS[kind]
    scale = min(size[0] / 13, size[1] / 22)
    dataset = dataset_of(of)
    values = judge.modality_values([dataset], of.values.astype(np.float64), dataset)
    mixed, shown = judge.scaled_picture(values, ~judge.padding(dataset, of.values), (scale, scale), size)
    y = judge.through_window(mixed, 600.0, 1500.0, function)
    expected = np.where(shown, 255.0 - y if judge.reversed_polarity(dataset) else y, 0.0)
    picture = drawn(of, size=list(size), window_width=1500.0, voi_lut_function=function)
    assert np.abs(picture.pixels - expected).max() <= HALF
    assert len(np.unique(picture.pixels)) > 3


def test_a_voi_lut_reads_mixed_values() -> None:
    of = frame(noise((13, 22)), voi_luts=(RISING,))
    picture = render(of, View(size=(30, 40))).pixels
    mixed, shown = judge.scaled_picture(of.values.astype(float), np.ones((13, 22), bool), (40 / 22, 40 / 22), (30, 40))
    expected = np.where(shown, np.clip(mixed + 1200, 0, 3600) / 4095 * 255, 0.0)
    # The table is read at the nearest whole number: an entry is a sixteenth of a grey level.
    assert np.abs(picture - expected).max() <= 0.5 + 1 / 16


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("size", [(40, 60), (7, 9)])
def test_outside_of_the_frame_is_black_even_when_inverted(inverted: bool, size: tuple[int, int]) -> None:
    of = frame(noise((13, 22), low=500, high=700))
    picture = drawn(of, size=list(size), zoom=0.8, inverted=inverted)
    expected = judged(of, (min(size[0] / 13, size[1] / 22) * 0.8,) * 2, size, inverted)
    assert np.abs(picture.pixels - expected).max() <= HALF
    assert picture.pixels[0, 0] == 0
    assert picture.pixels[size[0] // 2, size[1] // 2] > 90


def test_pixels_that_are_not_square_keep_their_shape() -> None:
    of = frame(noise((20, 20)), pixel_spacing=(1.0, 0.5), pixel_spacing_source="Pixel Spacing")
    picture = drawn(of, size=[40, 40])
    assert picture.millimetres == pytest.approx((0.5, 0.5))
    assert not picture.pixels[:, :10].any()
    assert picture.pixels[:, 10:30].any(axis=0).all()
    assert np.abs(picture.pixels - judged(of, (2.0, 1.0), (40, 40))).max() <= HALF


def test_an_aspect_ratio_shapes_the_picture_but_gives_no_millimetres() -> None:
    of = frame(noise((20, 20)), pixel_aspect_ratio=(1.0, 2.0))
    picture = drawn(of, size=[40, 40])
    assert picture.millimetres is None
    assert picture.geometry is None
    assert picture.pixels[10:30].any(axis=1).all()
    assert not picture.pixels[:10].any()


def test_a_long_axis_may_shrink_while_the_short_one_grows() -> None:
    of = frame(noise((4, 30)), pixel_spacing=(5.0, 0.5), pixel_spacing_source="Pixel Spacing")
    picture = drawn(of, size=[24, 18])
    scale = min(24 / 20, 18 / 15)
    assert picture.sampling == "reduced"
    assert np.abs(picture.pixels - judged(of, (scale * 5, scale / 2), (24, 18))).max() <= HALF


def test_a_pixel_spacing_asks_for_millimetres() -> None:
    of = frame(noise((20, 30)), pixel_spacing=(0.8, 0.8), pixel_spacing_source="Pixel Spacing")
    picture = drawn(of, pixel_spacing=0.4)
    assert picture.pixels.shape == (40, 60)
    assert picture.view.size == (40, 60)
    assert picture.millimetres == pytest.approx((0.4, 0.4))
    assert drawn(of, pixel_spacing=0.8).sampling == "native"
    with pytest.raises(BadView, match="pixel_spacing"):
        drawn(frame(noise((20, 30))), pixel_spacing=0.4)


def test_padding_never_mixes_with_voxels() -> None:
    values = np.full((8, 8), 1000, np.int16)
    values[:, 4:] = -30000
    of = frame(values, pixel_padding=(-30000, -30000))
    for size in ([32, 32], [3, 3]):
        picture = drawn(of, size=size).pixels
        assert set(np.unique(picture)) == {0, drawn(of).pixels[0, 0]}


def test_a_fit_that_needs_no_scaling_is_native() -> None:
    assert drawn(frame(noise((20, 30))), size=[20, 90]).sampling == "native"
    spaced = frame(noise((20, 30)), pixel_spacing=(0.7, 0.7), pixel_spacing_source="Pixel Spacing")
    assert drawn(spaced, size=[77, 30], zoom=1).sampling == "native"


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
@pytest.mark.parametrize("size", [(1, 1), (5, 5), (16, 3)])
def test_the_smallest_frames_are_drawn_too(shape: tuple[int, int], size: tuple[int, int]) -> None:
    of = frame(np.full(shape, 2000, np.int16))
    picture = drawn(of, size=list(size)).pixels
    assert picture.shape == size
    assert set(np.unique(picture)) <= {0, drawn(of).pixels[0, 0]}
    assert picture.any()


@settings(deadline=None, max_examples=300)
@given(
    length=st.integers(1, 60),
    voxels=st.integers(1, 60),
    offset=st.floats(-80, 80) | st.integers(-160, 160).map(lambda halves: halves / 2),
    step=(st.floats(0.05, 20) | st.sampled_from([0.25, 0.5, 1.0, 2.0])).flatmap(
        lambda step: st.sampled_from([step, -step])
    ),
)
def test_covered_pixels_are_those_whose_centres_lie_in_the_frame(
    length: int, voxels: int, offset: float, step: float
) -> None:
    inside = [i for i in range(length) if -0.5 <= offset + step * i < voxels - 0.5]
    first, end = Axis(length, voxels, offset, step).covered
    if inside or voxels >= abs(step):
        assert list(range(first, end)) == inside
    else:
        assert end - first <= 1


@pytest.mark.parametrize("size", [[7, 9], [31, 50], [13, 22], [400, 500]])
@pytest.mark.parametrize("zoom", [0.01, 0.4, 1.0, 3.3, 100.0])
def test_weights_add_up_and_stay_inside_of_the_frame(size: list[int], zoom: float) -> None:
    of = frame(noise((13, 22)))
    view = View.from_json({"size": size, "zoom": zoom, "rotation": 90, "pan": [0.2, 0.1]})
    placement = place(view, of.description)
    for axis in (placement.rows, placement.columns):
        one = taps(axis)
        assert one.weights.shape[0] == axis.covered[1] - axis.covered[0]
        if one.weights.size:
            assert np.allclose(one.weights.sum(axis=1), 1.0, atol=1e-12)
            assert one.weights.min() >= 0.0
            assert one.starts.min() >= 0
            assert one.starts.max() + one.weights.shape[1] <= axis.voxels


def test_pictures_larger_than_the_limit_are_refused() -> None:
    of = frame(noise((20, 30)), pixel_spacing=(1.0, 1.0), pixel_spacing_source="Pixel Spacing")
    with pytest.raises(BadView, match="size"):
        drawn(of, pixel_spacing=1e-5)


def test_colour_is_scaled_channel_by_channel() -> None:
    rgb = noise((13, 22, 3), np.uint8, 0, 256)
    for size, pan in (((30, 40), (0.1, 0.0)), ((9, 7), (0.0, -0.2))):
        picture = render(frame(rgb, "RGB"), View(size=size, zoom=1.0, pan=pan, rotation=270)).pixels
        scale = min(size[0] / 22, size[1] / 13)
        for channel in range(3):
            mixed, _ = judge.scaled_picture(
                rgb[:, :, channel].astype(float), np.ones((13, 22), bool), (scale, scale), size, rotation=270, pan=pan
            )
            assert np.abs(picture[:, :, channel] - mixed).max() <= HALF


@pytest.mark.parametrize(("rotation", "horizontal", "vertical"), ORIENTATIONS)
def test_a_header_says_where_its_pixels_lie_in_the_frame(rotation: int, horizontal: bool, vertical: bool) -> None:
    of = frame(noise((13, 22)))
    turned = {"rotation": rotation, "flip_horizontal": horizontal, "flip_vertical": vertical}
    picture = drawn(of, **turned, size=(40, 50), pan=(0.1, -0.2))
    said, placement = picture.placement, place(picture.view, of.description)
    assert said is not None
    for row, column in ((0, 0), (7, 3), (39, 49)):
        found = [
            first + column * across + row * down
            for first, across, down in zip(said["first"], said["across"], said["down"], strict=True)
        ]
        assert tuple(found[::-1]) == pytest.approx(placement.voxel(row, column))
