"""Frames of one object as an animated GIF (PS3.18 8.7.4): each as the viewer draws it, at the times of the file."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import imagecodecs

from viewer.engine.errors import CannotDraw

if TYPE_CHECKING:
    import PIL.Image

GIF: Final = "image/gif"
MOST_FRAMES: Final = 300
MOST_PIXELS: Final = 100_000_000
"""Of all frames together."""
STEP_MS: Final = 100.0
"""Of frames without times of their own."""
LEAST_MS: Final = 20.0
"""Browsers slow down what is said to be quicker."""


async def animated(frames: int, draw: Callable[[int], Awaitable[bytes]], times_ms: tuple[float, ...] | None) -> bytes:
    """`draw` gives the place-th frame as PNG. Raises CannotDraw."""
    if frames > MOST_FRAMES:
        raise CannotDraw("too_large", f"an animated GIF has {MOST_FRAMES} frames at most: ask for some of them")
    pictures: list[PIL.Image.Image] = []
    for place in range(frames):
        picture = await asyncio.to_thread(_picture, await draw(place))
        if picture.width * picture.height * frames > MOST_PIXELS:
            raise CannotDraw("too_large", "the animated GIF would be too large: ask for a smaller viewport")
        pictures.append(picture)
    steps = [max(LEAST_MS, step or STEP_MS) for step in times_ms or (STEP_MS,) * frames]
    return await asyncio.to_thread(_file, pictures, steps)


def _picture(png: bytes) -> PIL.Image.Image:
    """Of 256 greys, each of them as it is, or of as many colours as a GIF has."""
    import PIL.Image  # here: few ask for it

    picture = PIL.Image.fromarray(imagecodecs.png_decode(png))
    return picture if picture.mode == "L" else picture.convert("RGB").quantize(256)


def _file(pictures: list[PIL.Image.Image], steps: list[float]) -> bytes:
    out = io.BytesIO()
    durations = [round(step / 10) * 10 for step in steps]
    pictures[0].save(
        out, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=False, disposal=1
    )
    return out.getvalue()
