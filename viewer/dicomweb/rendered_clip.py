"""Frames of one object as an animated GIF or a video (PS3.18 8.7.4): each as the viewer draws it, at the times of the file
(a video: at their mean)."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import imagecodecs
import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from viewer.engine.errors import CannotDraw
from viewer.rendering.clip import ClipWriter

if TYPE_CHECKING:
    import PIL.Image

MOST_FRAMES: Final = 300
MOST_PIXELS: Final = 100_000_000
"""Of all frames together."""
STEP_MS: Final = 100.0
"""Of frames without times of their own."""
LEAST_MS: Final = 20.0
"""Browsers slow down what is said to be quicker."""


Draw = Callable[[int], Awaitable[bytes]]
"""Gives the place-th frame as PNG."""
Times = tuple[float, ...] | None


async def animated(frames: int, draw: Draw, times_ms: Times) -> bytes:
    """A GIF. Raises CannotDraw."""
    pictures: list[PIL.Image.Image] = []
    for place in range(frames):
        pictures.append(await asyncio.to_thread(_picture, await _pixels(place, frames, draw)))
    steps = [max(LEAST_MS, step or STEP_MS) for step in times_ms or (STEP_MS,) * frames]
    return await asyncio.to_thread(_file, pictures, steps)


async def filmed(frames: int, draw: Draw, times_ms: Times) -> bytes:
    """VP9 in MP4. Raises CannotDraw."""
    steps = [max(LEAST_MS, step or STEP_MS) for step in times_ms or (STEP_MS,)]
    with tempfile.TemporaryDirectory(prefix="video-", dir=settings.FARVIEW_TMP_DIR) as folder:
        path = Path(folder) / "clip.mp4"
        writer = ClipWriter(path, 1000 * len(steps) / sum(steps))
        try:
            for place in range(frames):
                await asyncio.to_thread(writer.add, await _pixels(place, frames, draw))
            await asyncio.to_thread(writer.close)
            return await asyncio.to_thread(path.read_bytes)
        except OSError as problem:
            raise CannotDraw("cannot_write", "No video can be written here.") from problem
        finally:
            writer.close()


async def _pixels(place: int, frames: int, draw: Draw) -> NDArray[np.uint8]:
    """One frame of so many, (rows, columns[, 3]). Raises CannotDraw where all of them are too much."""
    if frames > MOST_FRAMES:
        raise CannotDraw("too_large", f"{MOST_FRAMES} frames at most can move: ask for some of them")
    found: NDArray[np.uint8] = await asyncio.to_thread(imagecodecs.png_decode, await draw(place))
    if found.shape[0] * found.shape[1] * frames > MOST_PIXELS:
        raise CannotDraw("too_large", "the moving picture would be too large: ask for a smaller viewport")
    return found


def _picture(pixels: NDArray[np.uint8]) -> PIL.Image.Image:
    """Of 256 greys, each of them as it is, or of as many colours as a GIF has."""
    import PIL.Image  # here: few ask for it

    picture = PIL.Image.fromarray(pixels)
    return picture if picture.mode == "L" else picture.convert("RGB").quantize(256)


def _file(pictures: list[PIL.Image.Image], steps: list[float]) -> bytes:
    out = io.BytesIO()
    durations = [round(step / 10) * 10 for step in steps]
    pictures[0].save(
        out, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=False, disposal=1
    )
    return out.getvalue()


MOVING: Final[dict[str, Callable[[int, Draw, Times], Awaitable[bytes]]]] = {"image/gif": animated, "video/mp4": filmed}
"""What one object can be where that is asked for by name."""
