"""From a frame or a volume to bytes, with what the header of the protocol says about them. In a render thread."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from typing import Any

from viewer.rendering.dressing import Extras, dressed
from viewer.rendering.encode import ENCODERS, encode
from viewer.rendering.render import Picture, render, resolve
from viewer.rendering.segments import Segmentation
from viewer.rendering.stamping import Stamp, stamped
from viewer.rendering.storing import Run
from viewer.rendering.view import View
from viewer.rendering.volume import Frame, Volume


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture that was drawn, before it was encoded: the next one of the same View is it again."""

    picture: Picture
    render_ms: float
    content: tuple[str, ...]
    """What it was drawn from: the versions of its series."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One picture as bytes, with what the header of the protocol says about it."""

    header: dict[str, Any]
    payload: bytes
    view: View
    """Resolved: the same picture can be had again by it."""
    picture: Pixels | None = None
    """To be given back as `reuse`, when the same View is wanted in another encoding. Never stamped."""


@dataclass(frozen=True, slots=True)
class Order:
    """All that one picture is made from."""

    source: Frame | Volume
    view: View
    """With its place in the series."""
    media_type: str
    quality: int
    most: int | None
    content: tuple[str, ...]
    frames: int
    """In the stack."""
    loaded: float
    """Seconds that loading took."""
    fused: Volume | None = None
    reuse: Pixels | None = None
    segmented: tuple[Segmentation, ...] = ()
    extras: Extras | None = None
    """What is laid on the frame."""
    stamp: Stamp | None = None
    """What is drawn into the picture last of all."""


def carry_out(order: Order, run: Run, device: Any) -> Drawn:
    """Draw, or take what was drawn, and encode."""
    if order.extras is not None and isinstance(order.source, Frame):
        order = replace(order, source=dressed(order.source, order.extras))
    pixels = order.reuse if order.reuse is not None and _is_it(order.reuse, order) else _draw(order, run, device)
    begun = time.perf_counter()
    picture = pixels.picture
    shown = picture.pixels if order.stamp is None else stamped(picture.pixels, order.stamp)
    payload = encode(shown, order.media_type, order.quality)
    exact = ENCODERS[order.media_type].lossless and order.most is None
    sha256 = hashlib.sha256(shown.data).hexdigest() if exact else None
    header = {
        "media_type": order.media_type,
        "rows": picture.pixels.shape[0],
        "columns": picture.pixels.shape[1],
        "exact": exact,
        **_described(order, picture),
        "timing_ms": {
            "load": round(order.loaded * 1000, 3),
            "render": pixels.render_ms,
            "encode": round((time.perf_counter() - begun) * 1000, 3),
        },
    }
    if exact:
        header["sha256"] = sha256
    return Drawn(header, payload, picture.view, pixels)


def _is_it(pixels: Pixels, order: Order) -> bool:
    """Whether drawing the order would give these pixels again."""
    if not pixels.picture.final or pixels.content != order.content:
        return False
    drawn = pixels.picture.view
    return drawn == order.view or drawn == resolve(order.view, order.source, order.fused)


def _draw(order: Order, run: Run, device: Any) -> Pixels:
    begun = time.perf_counter()
    picture = render(order.source, order.view, order.most, run, order.fused, device, order.segmented)
    return Pixels(picture, round((time.perf_counter() - begun) * 1000, 3), order.content)


def _described(order: Order, picture: Picture) -> dict[str, Any]:
    description = order.source.description
    lossy = description.source_lossy
    return {
        "sampling": picture.sampling,
        "source_lossy": None if lossy is None else {"ratio": lossy.ratio, "method": lossy.method},
        "stamped": order.stamp is not None,
        "renderer": picture.renderer,
        "series_version": order.content[0],
        "view": picture.view.to_json(),
        "geometry": None if picture.geometry is None else picture.geometry.to_json(),
        "pixel_spacing": picture.millimetres,
        "pixel_spacing_source": picture.millimetres_source,
        "stack": picture.view.stack,
        "frames": order.frames,
        "placement": None if picture.placement is None else dict(picture.placement),
        "graphics": None if picture.graphics is None else [dict(graphic) for graphic in picture.graphics],
        "subtraction": None if picture.subtraction is None else dict(picture.subtraction),
        "true_size": None if picture.true_size is None else list(picture.true_size),
        "depth": None if picture.depth is None else dict(picture.depth),
        "labels": dict(description.labels),
        "warnings": list(picture.warnings),
    }
