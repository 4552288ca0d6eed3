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
UNMEASURED = 30_000.0
"""Bytes of a first picture while nothing is known of the link."""
DRAWING = 0.040
"""Seconds that drawing a moving picture may take."""

REMEMBERED = 8
"""Lone frames, of which the quickest tells how long the way is."""
TRIPS_LEFT = 0.9
"""What a lone frame counts for against the next one: some ten are remembered."""
GAP_LEFT = 0.75
"""The same of a frame that stood behind another, among those of like size."""
HURRY = 0.95
"""Frames that follow each other and do not wait could follow more closely: so much more, until one does wait."""
GAPS_LAST = 4.0
"""Seconds for which it is remembered how long frames of one size took."""
GAPS_COUNT = 10.0
"""How many frames those of one size count for."""
STEADY = 0.1
"""How much it counts that frames should take no time but that for their bytes: where all are of one size it decides."""
SUPPOSED = 0.4e-3
"""Seconds for a kilobyte (20 Mbit/s) that are supposed as long as frames tell nothing..."""
DOUBT = 50.0
"""... with the weight of one frame of 7 kB."""


class User(Protocol):
    """One viewport's frames on the link."""

    bytes: int


class Sums:
    """What frames took, by what they weighed."""

    __slots__ = ("frames", "kilobytes", "products", "seconds", "squares")

    def __init__(self) -> None:
        self.frames = self.kilobytes = self.seconds = 0.0
        self.squares = self.products = 0.0
        """Of kilobytes, and of kilobytes and seconds."""

    def fade(self, left: float) -> None:
        """What was seen so far counts only so much any more."""
        self.frames *= left
        self.kilobytes *= left
        self.seconds *= left
        self.squares *= left
        self.products *= left

    def add(self, kilobytes: float, seconds: float, weight: float = 1.0) -> None:
        self.frames += weight
        self.kilobytes += weight * kilobytes
        self.seconds += weight * seconds
        self.squares += weight * kilobytes * kilobytes
        self.products += weight * kilobytes * seconds

    @property
    def usual(self) -> float:
        """Seconds of a frame, on average."""
        return self.seconds / self.frames if self.frames else 0.0

    def spread(self, steady: float = 0.0) -> tuple[float, float]:
        """(how sizes differ from each other, how seconds go with them), for the slope of a line through all of them."""
        frames = self.frames * (1.0 + steady)
        if not frames:
            return 0.0, 0.0
        return self.squares - self.kilobytes**2 / frames, self.products - self.kilobytes * self.seconds / frames


class Gaps:
    """Seconds from one acknowledgement to the next, of frames that stood behind each other, by size.

    Each size is remembered for itself: when pictures became smaller because the link was slow, or did not come quicker for it
    because it is the browser that is, the one can be told from the other.
    """

    def __init__(self) -> None:
        self._sizes: dict[int, tuple[float, float, float]] = {}
        """By size, in steps of a fifth: kilobytes, seconds, when last seen."""
        self.usual = 0.0
        """Seconds, on average."""

    def add(self, now: float, kilobytes: float, seconds: float) -> None:
        self.usual = 0.9 * self.usual + 0.1 * seconds if self._sizes else seconds
        step = int(4 * math.log2(max(kilobytes, 0.1)))
        former = self._sizes.get(step)
        if former is not None:
            kilobytes = GAP_LEFT * former[0] + (1 - GAP_LEFT) * kilobytes
            seconds = GAP_LEFT * former[1] + (1 - GAP_LEFT) * seconds
        self._sizes[step] = kilobytes, seconds, now

    def sums(self, now: float) -> Sums:
        """What is remembered; the most recent of it counts in full."""
        sums = Sums()
        newest = max((seen for _, _, seen in self._sizes.values()), default=now)
        for step, (kilobytes, seconds, seen) in list(self._sizes.items()):
            if newest - seen > GAPS_LAST:
                del self._sizes[step]
            else:
                sums.add(kilobytes, seconds, GAPS_COUNT * (1 - (newest - seen) / GAPS_LAST))
        return sums


class Link:
    """Round trip and rate of one connection, from when frames left, what they weighed and when they were acknowledged.

    A frame that found the way free took the round trip and the time for its bytes; sizes of such frames differ, for every
    rest brings a large one, and so they tell both. A frame that stood behind another tells what passed between the two
    acknowledgements: the time for its bytes, or what the browser needs for a picture. The time for a kilobyte is what fits
    both best (least squares), so that a browser that paints slowly is not soon taken for a slow link.
    """

    def __init__(self) -> None:
        self.users: list[User] = []
        self.per_kilobyte = SUPPOSED
        self.measured = False
        self.way = math.inf
        """Seconds for the last frame, had it found the way free; without end while no frame has."""
        self.round_trip = 0.0
        """Seconds for a frame of no bytes at its quickest."""
        self._lone: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        """(seconds, kilobytes) of frames with nothing else on its way."""
        self._last_shown = -math.inf
        self._trips, self._gaps = Sums(), Gaps()

    @property
    def flying(self) -> int:
        """Bytes on their way to any viewport."""
        return sum(user.bytes for user in self.users)

    @property
    def busy(self) -> int:
        """Viewports with frames on their way."""
        return sum(user.bytes > 0 for user in self.users)

    @property
    def service(self) -> float:
        """Seconds between frames that stand behind each other; 0 where none do."""
        return self._gaps.usual

    def carries(self, seconds: float) -> float:
        """Bytes in so many seconds."""
        return seconds / max(self.per_kilobyte, 1e-9) * KILOBYTE

    def shown(self, now: float, sent: float, size: int, frames: int, alone: bool) -> None:
        """`frames` frames of `size` bytes in all are acknowledged, of which the first was sent at `sent` (seconds)."""
        kilobytes = size / KILOBYTE / frames
        trip, gap = now - sent, (now - self._last_shown) / frames
        # A hiccup of the browser says nothing of the link; a link that has become slow goes on saying it.
        longest = 2 * self.per_kilobyte * kilobytes + 0.1
        if alone and frames == 1:
            self._lone.append((trip, kilobytes))
        self.way = self._way_of(kilobytes)
        if self._last_shown + self.per_kilobyte * kilobytes > sent + self.way and self.measured:
            self._gaps.add(now, kilobytes, min(gap, longest + self._gaps.usual))
        elif frames == 1:
            self._gaps.usual *= 1.0 if alone else HURRY
            self._trips.fade(TRIPS_LEFT)
            self._trips.add(kilobytes, min(trip, longest + self._trips.usual) if self.measured else trip)
            self.measured = True
        self._last_shown = now
        self._conclude(now)

    def _way_of(self, kilobytes: float) -> float:
        """Seconds for a frame that finds the way free. A heavier one that was quicker shows that it takes no longer, so that
        what is held of the rate, which may be wrong, only counts for what is missing."""
        way = math.inf
        for trip, size in self._lone:
            way = min(way, trip + self.per_kilobyte * (kilobytes - size) if kilobytes > size else trip)
        return way

    def _conclude(self, now: float) -> None:
        # Each lone frame holds a round trip, whatever that is; what lies between two frames need hold nothing but their bytes.
        sizes, times = self._trips.spread()
        more_sizes, more_times = self._gaps.sums(now).spread(STEADY)
        self.per_kilobyte = max(0.0, (times + more_times + DOUBT * SUPPOSED) / (sizes + more_sizes + DOUBT))
        if self._lone:
            self.round_trip = max(0.0, min(trip - self.per_kilobyte * size for trip, size in self._lone))


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


def _share(steps: int) -> float:
    """Of the pixels, that many steps down."""
    return math.exp2(-steps / 2)


FEWER = 0.85
"""Bytes go with this power of the number of pixels: fewer pixels weigh more each."""
LADDER = (
    _Step(90, 1.0, 1.0),
    _Step(80, 1.0, 0.73),
    _Step(70, 1.0, 0.60),
    _Step(60, 1.0, 0.52),
    *(_Step(60, _share(n), 0.52 * _share(n) ** FEWER) for n in range(1, 13)),
)
"""From the best picture to the lightest: first coarser steps of grey, then fewer pixels."""
LEAST_PIXELS = 2**16
"""A thin link gets no smaller picture than this: it would show nothing."""
LEAST_DRAWN = 2**15
BETTER = 0.8
"""A better picture is tried only when it would fill no more than this of what is allowed, lest two steps take turns."""
TOLERATED = 1.3
"""The best picture may fill so much more than what is allowed before a lesser one is sent."""
SUPPOSED_WEIGHT = 0.2
"""Bytes for each pixel of a picture that was not seen yet, at the best quality: a slice of a lung."""
QUICKER = 0.7
"""The time to draw a picture of a volume goes with this power of the number of pixels."""
SUPPOSED_DRAWING: dict[Kind, float] = {
    Kind("volume", True, False): 17e-6,
    Kind("volume", True, True): 17e-6,
    Kind("mip", True, True): 11e-6,
    Kind("minip", True, True): 11e-6,
    Kind("mean", True, True): 11e-6,
}
"""Seconds for the pixels to that power, until one was drawn; kinds that are not here are quick."""


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
        cost, former = seconds / max(drawn, 1) ** QUICKER, self._drawing.get(kind)
        self._drawing[kind] = cost if former is None else 0.7 * former + 0.3 * cost

    def _climb(self, pixels: int, allowed: float) -> int:
        """Up while there is room to spare, down as far as need be; but not below what still shows something."""
        weight, step = self._weight * pixels, self._step
        while step and weight * LADDER[step - 1].weight <= BETTER * allowed:
            step -= 1
        if step == 0 and weight <= TOLERATED * allowed:
            allowed = weight
        while step + 1 < len(LADDER) and weight * LADDER[step].weight > allowed:
            if LADDER[step].quality == LADDER[-1].quality and pixels * LADDER[step].share <= LEAST_PIXELS:
                break
            step += 1
        self._step = step
        return step

    def _drawn_in_time(self, kind: Kind, pixels: int) -> int:
        steps, seconds = self._halvings.get(kind, 0), self._drawing.get(kind, 0.0) * pixels**QUICKER
        if not steps and seconds <= DRAWING:
            return pixels
        if steps and seconds * _share(steps - 1) ** QUICKER <= BETTER * DRAWING:
            steps -= 1
        while seconds * _share(steps) ** QUICKER > DRAWING and pixels * _share(steps) > LEAST_DRAWN:
            steps += 1
        self._halvings[kind] = steps
        return min(pixels, max(LEAST_DRAWN, int(pixels * _share(steps))))
