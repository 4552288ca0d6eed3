"""What a moving picture may weigh follows the link; how many pixels it has, also the time it takes to draw."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

import pytest

from viewer.streaming.credit import Credit
from viewer.streaming.pacing import (
    DRAWING,
    FIRST_PASSAGE,
    LEAST_DRAWN,
    LEAST_PIXELS,
    PASSAGE,
    UNMEASURED,
    Kind,
    Link,
    Pace,
)

SLICE = Kind("slice", False, False)
WHOLE = Kind("mip", True, True)
MOST = 2**20
HEADER = 1800
QUALITY_BYTES = {90: 1.0, 80: 0.73, 70: 0.60, 60: 0.52}


@dataclass
class Line:
    """A reader at the end of a line of `rate` bytes a second and `round_trip` seconds, whose browser takes `paint` seconds
    for every picture and whose pictures of `pixels` pixels come to `weight` bytes a pixel. A virtual clock; one viewport."""

    rate: float
    round_trip: float
    paint: tuple[float, float] = (0.002, 0.018)
    pixels: int = 512 * 512
    weight: float = 0.2
    now: float = 0.0
    ages: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.credit = Credit(Link(), clock=lambda: self.now)
        self.pace = Pace(MOST)
        self.qualities: list[tuple[int, int]] = []
        self._random = random.Random(7)
        self._arrivals: deque[tuple[float, int, float]] = deque()
        self._line_free = self._browser_free = 0.0
        self._index = 0

    def send(self, size: int) -> None:
        self._index += 1
        self._line_free = max(self._line_free, self.now) + size / self.rate
        begun = max(self._line_free + self.round_trip / 2, self._browser_free)
        self._browser_free = begun + self._random.uniform(*self.paint)
        self._arrivals.append((self._browser_free + self.round_trip / 2, self._index, self.now))
        self.credit.sent(self._index, size)

    def hear(self, until: float) -> None:
        """Acknowledgements up to a moment."""
        while self._arrivals and self._arrivals[0][0] <= until:
            self.now, index, sent = self._arrivals.popleft()
            self.ages.append(self.now - sent)
            self.credit.shown(index)
        self.now = until

    def first(self) -> None:
        self.picture(UNMEASURED if not self.credit.link.measured else self.credit.link.carries(FIRST_PASSAGE))

    def picture(self, allowed: float) -> None:
        size = self.pace.size(SLICE, self.pixels, allowed)
        drawn = min(self.pixels, size.most or self.pixels)
        payload = int(self.weight * self.pixels * QUALITY_BYTES[size.quality] * (drawn / self.pixels) ** 0.85)
        self.pace.sent(size.quality, self.pixels, drawn, payload, payload + HEADER)
        self.qualities.append((size.quality, drawn))
        self.sizes.append(payload + HEADER)
        self.send(payload + HEADER)

    def exact(self) -> None:
        self.hear(self.now + 1.0)
        self.send(int(self.weight * self.pixels * 1.5))
        self.hear(self.now + 3.0)

    def move(self, seconds: float, every: float = 1 / 60) -> float:
        """A hand that moves; the pictures a second that came."""
        end, before = self.now + seconds, len(self.ages)
        while self.now < end:
            if self.credit.open:
                self.picture(self.credit.link.carries(PASSAGE))
            self.hear(self.now + every)
        return (len(self.ages) - before) / seconds


def megabits(number: float) -> float:
    return number * 1e6 / 8


def moving(line: Line) -> Line:
    """A reader who opened a series, looked, and has scrolled for a while."""
    line.first()
    line.exact()
    line.move(3.0)
    line.ages.clear()
    return line


@pytest.mark.parametrize("round_trip", [0.020, 0.040, 0.120])
@pytest.mark.parametrize(("rate", "least"), [(2, 18), (10, 20), (30, 25), (1000, 25)])
def test_pictures_flow_over_any_link_and_none_stands_in_a_queue(rate: float, least: float, round_trip: float) -> None:
    line = moving(Line(megabits(rate), round_trip))
    assert line.move(5.0) >= least
    line.ages.sort()
    assert line.ages[len(line.ages) // 2] <= round_trip + 2 * PASSAGE + 0.040


@pytest.mark.parametrize("round_trip", [0.020, 0.120])
def test_a_thinner_link_gets_lighter_pictures(round_trip: float) -> None:
    wide, medium, thin = (moving(Line(megabits(rate), round_trip)) for rate in (30, 10, 2))
    assert wide.qualities[-1] == (90, wide.pixels)
    assert medium.qualities[-1][0] < 90
    assert medium.qualities[-1][1] == medium.pixels
    assert thin.qualities[-1][0] == 60
    assert LEAST_PIXELS <= thin.qualities[-1][1] < thin.pixels


@pytest.mark.parametrize("rate", [2, 10, 30])
def test_the_rate_is_found_within_half(rate: float) -> None:
    line = moving(Line(megabits(rate), 0.040))
    assert line.credit.link.carries(1.0) == pytest.approx(megabits(rate), rel=0.7)


def test_a_browser_that_paints_slowly_is_not_taken_for_a_thin_link() -> None:
    line = moving(Line(megabits(1000), 0.001, paint=(0.02, 0.045)))
    line.move(20.0)
    assert {pixels for _, pixels in line.qualities} == {line.pixels}


def test_a_link_that_becomes_slow_is_found_out_and_one_that_recovers_too() -> None:
    line = moving(Line(megabits(30), 0.020))
    line.rate = megabits(3)
    line.move(4.0)
    slow = line.qualities[-1]
    assert slow[0] <= 70
    line.rate = megabits(30)
    for _ in range(3):
        line.move(3.0)
        line.exact()
    line.move(3.0)
    assert line.qualities[-1][0] >= 80


def test_the_first_picture_is_small_while_nothing_is_known_of_the_link() -> None:
    line = Line(megabits(30), 0.020)
    line.first()
    assert line.sizes[0] <= UNMEASURED + HEADER


def test_viewports_share_what_the_link_carries() -> None:
    link = Link()
    left, right = Credit(link, clock=lambda: 0.0), Credit(link, clock=lambda: 0.0)
    left.sent(1, 1000)
    right.sent(1, 1000)
    assert (link.flying, link.busy) == (2000, 2)
    left.leave()
    assert (link.flying, link.busy) == (1000, 1)
    left.come_back()
    assert link.busy == 2


def drawn(pace: Pace, kind: Kind, pixels: int, each: float, times: int = 1) -> list[int]:
    """Pixels of some pictures of a kind of which each pixel takes `each` seconds."""
    sizes = []
    for _ in range(times):
        size = pace.size(kind, pixels, 1e9)
        sizes.append(size.most or pixels)
        pace.drew(kind, sizes[-1], sizes[-1] * each)
    return sizes


def test_what_is_quick_to_draw_comes_with_all_its_pixels() -> None:
    assert drawn(Pace(MOST), SLICE, 512 * 512, 10e-9, 5) == [512 * 512] * 5


def test_what_takes_long_to_draw_comes_with_fewer_pixels_so_that_it_moves() -> None:
    each = 1e-6
    sizes = drawn(Pace(MOST), WHOLE, 1024 * 1024, each, 20)
    assert sizes[0] * each <= 2.5 * DRAWING
    assert sizes[-1] >= LEAST_DRAWN
    assert sizes[-1] * each <= DRAWING
    assert sizes[-1] * each >= DRAWING / 2
    assert len(set(sizes[10:])) == 1


def test_kinds_of_pictures_are_judged_each_by_its_own() -> None:
    pace = Pace(MOST)
    drawn(pace, WHOLE, 1024 * 1024, 1e-6, 3)
    assert drawn(pace, SLICE, 1024 * 1024, 10e-9) == [1024 * 1024]


def test_a_machine_that_becomes_quicker_draws_larger_again() -> None:
    pace = Pace(MOST)
    assert drawn(pace, WHOLE, 1024 * 1024, 2e-6, 10)[-1] < 2**16
    assert drawn(pace, WHOLE, 1024 * 1024, 20e-9, 30)[-1] == 1024 * 1024


def test_no_picture_is_so_slow_that_it_comes_smaller_than_anyone_can_see() -> None:
    assert drawn(Pace(MOST), WHOLE, 1024 * 1024, 1.0, 5)[-1] >= LEAST_DRAWN
