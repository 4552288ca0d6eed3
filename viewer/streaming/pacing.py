"""What acknowledgements tell about the way to one browser, and how large the next picture may be.

`Link` measures: one for a connection, whose viewports share the way. `Pace` chooses for one viewport: as good and as large as
the link carries and the machine draws while the hand moves. The picture at rest is no matter of choice: it is exact.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple, Protocol

KILOBYTE = 1000.0
PASSAGE = 0.030
"""Seconds that a moving picture may occupy the link: what it adds to the time from hand to eye."""
FIRST_PASSAGE = 0.150
"""The same for the first picture of a series, which is looked at before the exact one comes."""
UNMEASURED = 40_000.0
"""Bytes of a first picture while nothing is known of the link."""
DRAWING = 0.040
"""Seconds that drawing a moving picture may take."""

REMEMBERED = 8
"""Lone frames, of which the quickest tells how long the way is."""
FADE = 0.97
"""Weight of a frame against the next one: some thirty frames are remembered."""
SUPPOSED = 0.4e-3
"""Seconds for a kilobyte (20 Mbit/s) that are supposed as long as frames tell nothing..."""
DOUBT = 400.0
"""... with the weight of one frame of 20 kB."""
STEADY = 0.3
"""Weight of supposing that frames take no time beside that for their bytes, where all are alike and it cannot be told."""


class User(Protocol):
    """One viewport's frames on the link."""

    bytes: int


class Link:
    """Round trip and rate of one connection, from when frames left, what they weighed and when they were acknowledged.

    Frames queue for the slowest part of the way, so the service of one begins when it has come there or when the one before
    is through, whichever is later. What it then takes is fitted as `held + bytes * per_byte`: a browser that needs long for
    every picture, however small, is not taken for a slow link.
    """

    def __init__(self) -> None:
        self.users: list[User] = []
        self.per_kilobyte = SUPPOSED
        self.held = 0.0
        """Seconds that a frame takes whatever it weighs, beyond the round trip: decoding, waiting for the screen."""
        self.measured = False
        self._lone: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        """(seconds, kilobytes) of frames with nothing else on its way: a frame behind another has waited for it as well."""
        self._last_shown = -math.inf
        self._weight = self._k = self._s = self._kk = self._ks = 0.0
        """Faded sums over frames of 1, kilobytes, seconds, their square and their product."""

    @property
    def flying(self) -> int:
        """Bytes on their way to any viewport."""
        return sum(user.bytes for user in self.users)

    @property
    def busy(self) -> int:
        """Viewports with frames on their way."""
        return sum(user.bytes > 0 for user in self.users)

    @property
    def round_trip(self) -> float:
        """Seconds for a frame of no bytes at its quickest; 0 while unmeasured."""
        return max(0.0, min((trip - self.per_kilobyte * size for trip, size in self._lone), default=0.0))

    @property
    def service(self) -> float:
        """Seconds from one frame to the next of those that come now, were they sent without a pause."""
        return self._s / self._weight if self._weight else 0.0

    def carries(self, seconds: float) -> float:
        """Bytes in so many seconds."""
        return seconds / max(self.per_kilobyte, 1e-9) * KILOBYTE

    def shown(self, now: float, sent: float, size: int, frames: int, alone: bool) -> None:
        """`frames` frames of `size` bytes in all are acknowledged, of which the first was sent at `sent` (seconds)."""
        kilobytes = size / KILOBYTE
        if alone and frames == 1:
            self._lone.append((now - sent, kilobytes))
        self.measured = True
        round_trip = self.round_trip
        taken = (now - max(sent, self._last_shown - round_trip) - round_trip) / frames
        kilobytes /= frames
        expected = self.held + self.per_kilobyte * kilobytes
        # A hiccup of the browser says nothing of the link; a link that has become slow goes on saying it.
        self._learn(kilobytes, min(max(taken, 0.0), 2 * expected + 0.1))
        self._last_shown = now

    def _learn(self, kilobytes: float, seconds: float) -> None:
        self._weight = FADE * self._weight + 1.0
        self._k = FADE * self._k + kilobytes
        self._s = FADE * self._s + seconds
        self._kk = FADE * self._kk + kilobytes * kilobytes
        self._ks = FADE * self._ks + kilobytes * seconds
        weight, square = self._weight + STEADY, self._kk + DOUBT
        slope = weight * (self._ks + DOUBT * SUPPOSED) - self._k * self._s
        self.per_kilobyte = max(0.0, slope / (weight * square - self._k * self._k))
        self.held = max(0.0, (self._s - self._k * self.per_kilobyte) / weight)


@dataclass(frozen=True, slots=True)
class Size:
    """How a picture is made while the hand moves."""

    quality: int
    most: int | None
    """Pixels; None for as many as were asked for."""


class Kind(NamedTuple):
    """Pictures of one kind take alike to draw, pixel for pixel."""

    projection: str
    reformatted: bool
    whole: bool
    """The slab is the whole volume."""


@dataclass(frozen=True, slots=True)
class _Step:
    quality: int
    share: float
    """Of the pixels."""
    weight: float
    """Of the bytes: measured on slices of CT, MR and PET."""


FEWER = 0.85
"""Bytes go with this power of the number of pixels: fewer pixels weigh more each."""
LADDER = (
    _Step(90, 1.0, 1.0),
    _Step(80, 1.0, 0.73),
    _Step(70, 1.0, 0.60),
    _Step(60, 1.0, 0.52),
    *(_Step(60, 2.0 ** (-n / 2), 0.52 * 2.0 ** (-n / 2 * FEWER)) for n in range(1, 13)),
)
"""From the best picture to the lightest: first coarser steps of grey, then fewer pixels."""
LEAST_PIXELS = 2**16
"""A thin link gets no smaller picture than this: it would show nothing."""
LEAST_DRAWN = 2**14
BETTER = 0.8
"""A better picture is tried only when it would fill no more than this of what is allowed, lest two steps take turns."""
SUPPOSED_WEIGHT = 0.2
"""Bytes for each pixel of a picture that was not seen yet, at the best quality: a slice of a lung."""
SUPPOSED_DRAWING: dict[Kind, float] = {
    Kind("volume", True, False): 0.8e-6,
    Kind("volume", True, True): 0.8e-6,
    Kind("mip", True, True): 0.5e-6,
    Kind("minip", True, True): 0.5e-6,
    Kind("mean", True, True): 0.5e-6,
}
"""Seconds for each pixel until one was drawn; kinds that are not here are quick."""


class Pace:
    """Quality and pixels of one viewport's moving pictures, of `most` pixels at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._weight = SUPPOSED_WEIGHT
        """Bytes for each pixel of a whole picture at the best quality."""
        self._overhead = 0.0
        self._step = 0
        self._drawing = dict(SUPPOSED_DRAWING)
        self._halvings: dict[Kind, int] = {}
        """How many times a kind's pixels are divided by the square root of 2."""

    def size(self, kind: Kind, pixels: int, bytes_allowed: float) -> Size:
        """For the next picture, of which `pixels` pixels are wanted."""
        whole = min(pixels, self._most)
        step = LADDER[self._climb(whole, bytes_allowed - self._overhead)]
        most = self._drawn_in_time(kind, whole)
        if step.share < 1.0:
            most = min(most, max(LEAST_PIXELS, int(whole * step.share)))
        return Size(step.quality, None if most >= pixels else most)

    def sent(self, quality: int, pixels: int, drawn: int, payload: int, message: int) -> None:
        """`drawn` of the `pixels` wanted came to so many bytes, and to so many with all that goes before them."""
        whole = max(1, min(pixels, self._most))
        step = next(step for step in LADDER if step.quality == quality)
        self._weight = payload / (step.weight * min(drawn / whole, 1.0) ** FEWER * whole)
        self._overhead = message - payload

    def drew(self, kind: Kind, drawn: int, seconds: float) -> None:
        """Drawing `drawn` pixels took so long."""
        cost, former = seconds / max(drawn, 1), self._drawing.get(kind)
        self._drawing[kind] = cost if former is None else 0.7 * former + 0.3 * cost

    def _climb(self, pixels: int, allowed: float) -> int:
        """Up while there is room to spare, down as far as need be; but not below what still shows something."""
        weight, step = self._weight * pixels, self._step
        while step and weight * LADDER[step - 1].weight <= BETTER * allowed:
            step -= 1
        while step + 1 < len(LADDER) and weight * LADDER[step].weight > allowed:
            if LADDER[step].quality == LADDER[-1].quality and pixels * LADDER[step].share <= LEAST_PIXELS:
                break
            step += 1
        self._step = step
        return step

    def _drawn_in_time(self, kind: Kind, pixels: int) -> int:
        steps, seconds = self._halvings.get(kind, 0), self._drawing.get(kind, 0.0) * pixels
        if not steps and seconds <= DRAWING:
            return pixels
        if steps and seconds * 2.0 ** ((1 - steps) / 2) <= BETTER * DRAWING:
            steps -= 1
        while seconds * 2.0 ** (-steps / 2) > DRAWING and pixels * 2.0 ** (-steps / 2) > LEAST_DRAWN:
            steps += 1
        self._halvings[kind] = steps
        return min(pixels, max(LEAST_DRAWN, int(pixels * 2.0 ** (-steps / 2))))
