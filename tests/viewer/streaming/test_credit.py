"""How many frames are on their way follows the link, and never what a client claims."""

from __future__ import annotations

from collections import deque

import pytest

from viewer.streaming.credit import MOST, MOST_BYTES, Credit


class Link:
    """A client at the end of a line: one frame after the other takes `spacing` seconds, and `delay` more for the way."""

    def __init__(self, delay: float, spacing: float) -> None:
        self.now = 0.0
        self.delay, self.spacing = delay, spacing
        self.credit = Credit(clock=lambda: self.now)
        self.arrivals: deque[tuple[float, int]] = deque()
        self.free_at = 0.0
        self.index = 0

    def run(self, frames: int, size: int = 30_000) -> None:
        """A server that always has a picture ready."""
        while self.index < frames:
            if self.credit.open and self.credit.fits(size):
                self.index += 1
                self.free_at = max(self.free_at, self.now) + self.spacing
                self.arrivals.append((self.free_at + self.delay, self.index))
                self.credit.sent(self.index, size)
            else:
                self.now, index = self.arrivals.popleft()
                self.credit.shown(index)


@pytest.mark.parametrize(
    ("delay", "spacing", "limit"),
    [(0.0, 0.016, 2), (0.001, 0.001, 2), (0.020, 0.011, 3), (0.120, 0.016, 6), (0.040, 0.016, 4)],
)
def test_as_many_frames_as_fill_the_way(delay: float, spacing: float, limit: int) -> None:
    link = Link(delay, spacing)
    link.run(200)
    assert abs(link.credit.limit - limit) <= 1
    assert 2 <= link.credit.limit <= MOST
    if limit == 2:
        assert link.credit.limit <= 3


def test_the_limit_does_not_creep_up_while_the_hand_never_rests() -> None:
    link = Link(0.0, 0.016)
    link.run(5000)
    assert link.credit.limit <= 3


def test_without_acknowledgements_two_frames_go() -> None:
    credit = Credit(clock=lambda: 0.0)
    credit.sent(1, 10)
    assert credit.open
    credit.sent(2, 10)
    assert not credit.open


def test_one_acknowledgement_answers_every_frame_up_to_it() -> None:
    credit = Credit(clock=lambda: 0.0)
    credit.sent(1, 10)
    credit.sent(2, 10)
    assert credit.shown(2)
    assert credit.open
    assert not credit.shown(2)


def test_no_more_bytes_than_the_limit_except_for_one_large_frame() -> None:
    credit = Credit(clock=lambda: 0.0)
    assert credit.fits(50 << 20)
    credit.sent(1, 50 << 20)
    assert not credit.open
    credit.shown(1)
    credit.sent(2, MOST_BYTES - 10)
    assert not credit.fits(11)
    assert credit.fits(10)


def test_acknowledging_what_was_never_sent_is_worth_nothing() -> None:
    credit = Credit(clock=lambda: 0.0)
    assert not credit.shown(1000)
    credit.sent(1, 10)
    credit.sent(2, 10)
    assert not credit.open


def test_a_client_that_answers_several_frames_at_once_is_given_no_more_for_it() -> None:
    now = [0.0]
    credit = Credit(clock=lambda: now[0])
    for index in (2, 4, 6):
        credit.sent(index - 1, 10)
        credit.sent(index, 10)
        now[0] += 0.1
        credit.shown(index)
    assert credit.limit == 2
