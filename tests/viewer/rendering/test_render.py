"""`render` is a pure function of frame and View, and says what it drew."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import numpy as np
import pytest

from viewer.rendering import colour, encode, grey
from viewer.rendering.render import render, resolve, warm
from viewer.rendering.view import BadView, View
from viewer.rendering.volume import Frame, LookupTable, Palette, Plane

from .frames import frame, noise

LUT = LookupTable(0, np.arange(256, dtype=np.uint16), 8, "")
FRAMES: dict[str, Frame] = {
    "ct": frame(
        noise((40, 30)), modality="CT", unit="HU", rescale_intercept=-24.0, pixel_spacing=(0.5, 0.5),
        pixel_spacing_source="Pixel Spacing", plane=Plane((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    ),
    "mr": frame(noise((40, 30), np.uint16, 0, 4096), modality="MR"),
    "floats": frame(noise((40, 30)).astype(np.float32), modality="PT"),
    "voi lut": frame(noise((40, 30), np.uint8, 0, 256), voi_luts=(LUT,)),
    "colour": frame(noise((40, 30, 3), np.uint8, 0, 256), "RGB"),
}  # fmt: skip
VIEWS = [
    View(), View(size=(64, 50)), View(size=(20, 20), zoom=2.0), View(inverted=True, rotation=90),
    View(zoom="native", size=(9, 9)),
    View(window_center=10.0), View(window_width=33.0), View(voi_lut_function="SIGMOID"), View(zoom=3.0), View(color_map="pet"),
]  # fmt: skip


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("view", VIEWS)
def test_resolving_twice_is_resolving_once_and_draws_the_same(kind: str, view: View) -> None:
    of = FRAMES[kind]
    resolved = resolve(view, of)
    assert resolve(resolved, of) == resolved
    assert View.from_json(resolved.to_json()) == resolved
    asked, again = render(of, view), render(of, resolved)
    assert asked.view == again.view == resolved
    assert np.array_equal(asked.pixels, again.pixels)


def test_a_resolved_view_has_nothing_left_to_choose() -> None:
    resolved = resolve(View(size=(64, 64)), FRAMES["ct"])
    left = {field.name for field in fields(View) if getattr(resolved, field.name) is None}
    # Who holds the frame knows where it lies; a preset is a window by now; zoom stands for pixel_spacing.
    volumes = {"center", "volume_preset", "clip", "fusion"}
    volumes |= {"mask", "presentation_state"}  # nothing is subtracted, no state is applied
    assert left - volumes == {"series", "organization", "frame", "preset", "pixel_spacing"}
    assert (resolved.sop_instance_uid, resolved.frame_number, resolved.zoom) == ("1.2.3", 1, 1.0)


def test_without_size_and_zoom_the_frame_is_drawn_as_it_is() -> None:
    resolved = resolve(View(rotation=90), FRAMES["ct"])
    assert (resolved.zoom, resolved.size) == ("native", (30, 40))


def test_drawing_in_many_threads_gives_the_same_bytes() -> None:
    view = View(size=(130, 170), zoom=1.3, rotation=90)
    expected = {kind: render(of, view).pixels.tobytes() for kind, of in FRAMES.items()}
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda kind: (kind, render(FRAMES[kind], view).pixels.tobytes()), [*FRAMES] * 20))
    assert all(expected[kind] == pixels for kind, pixels in drawn)


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("view", VIEWS)
def test_a_picture_has_the_size_it_names_and_leaves_the_frame_alone(kind: str, view: View) -> None:
    of = FRAMES[kind]
    before = of.values.tobytes()
    picture = render(of, view)
    assert picture.pixels.shape[:2] == picture.view.size
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.flags.c_contiguous
    assert of.values.tobytes() == before
    assert not np.shares_memory(picture.pixels, of.values)


def test_a_frame_that_cannot_be_written_to_is_drawn() -> None:
    for of in FRAMES.values():
        values = of.values.copy()
        values.flags.writeable = False
        for view in (View(), View(size=(99, 99)), View(size=(9, 9))):
            render(Frame(values, of.photometric_interpretation, of.description), view)


def test_a_frame_larger_than_a_picture_needs_a_size() -> None:
    of = frame(np.zeros((9000, 3), np.uint8))
    with pytest.raises(BadView, match="size"):
        render(of, View())
    assert render(of, View(size=(90, 90))).pixels.shape == (90, 90)


def compiled_so_far() -> dict[str, int]:
    """How many kinds of arguments each kernel was compiled for; the parts of kernels are compiled with them."""
    return {
        name: len(kernel.signatures)
        for module in (grey, colour, encode)
        for name, kernel in vars(module).items()
        if hasattr(kernel, "signatures") and (module is not grey or not name.startswith("_"))
    }


def test_after_warming_up_no_reader_waits_for_a_compiler() -> None:
    warm()
    before = compiled_so_far()
    assert min(before.values()) >= 1
    frames = [*FRAMES.values(), frame(noise((40, 30)), pixel_padding=(0, 30), modality_lut=LUT)]
    frames += [
        frame(of.values.astype(of.values.dtype.newbyteorder(">")), of.photometric_interpretation) for of in frames
    ]
    frames += [frame(noise((40, 30), np.uint8, 0, 256), "PALETTE COLOR", palette=Palette(LUT, LUT, LUT))]
    frames += [frame(noise((40, 30, 3), np.uint8, 0, 256), "YBR_FULL"), frame(noise((40, 30), np.int8, -99, 99))]
    for of in frames:
        of.values.flags.writeable = False
        for view in [*VIEWS, View(window_center=3, window_width=7)]:
            for media_type in encode.ENCODERS:
                encode.encode(render(of, view).pixels, media_type)
    assert compiled_so_far() == before
