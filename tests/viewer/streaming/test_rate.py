from __future__ import annotations

from viewer.streaming.rate import RateMeter


def test_a_second_is_worth_as_many_messages_as_the_limit_says() -> None:
    now = [0.0]
    meter = RateMeter({"other": 10}, clock=lambda: now[0])
    assert sum(meter.allows("other") for _ in range(20)) == 10
    now[0] = 0.5
    assert sum(meter.allows("other") for _ in range(20)) == 5
    now[0] = 100.0
    assert sum(meter.allows("other") for _ in range(20)) == 10


def test_kinds_are_counted_apart() -> None:
    meter = RateMeter({"merged": 3, "other": 1}, clock=lambda: 0.0)
    assert meter.allows("other")
    assert not meter.allows("other")
    assert meter.allows("merged")
