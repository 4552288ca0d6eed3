"""Whatever two or three do at once, and however slow their lines: all end with the same. Played with the pages' own module."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from tests.chromium import chromium
from tests.js.test_modules import SITE, serve
from viewer.live.cells import Named, shown_to
from viewer.live.rooms import Room, Seat

__all__ = ["chromium"]

PLAY = """async (pages) => {
  const { Replica } = await import("/static/viewer/features/live/replica.js");
  return pages.map((events) => {
    let replica = new Replica();
    const wrong = [];
    for (const { did, told, joined } of events) {
      if (joined) replica = new Replica();
      else if (told) replica.told(told);
      else {
        replica.change(did);
        for (const [name, cell] of Object.entries(did)) {
          const meant = !name.includes(".") || replica.shown[name.split(".")[0]]?.series === cell.series;
          if (meant && JSON.stringify(replica.shown[name] ?? null) !== JSON.stringify(cell)) wrong.push(name);
        }
      }
    }
    return { shown: replica.shown, pending: replica.pending.length, wrong };
  });
}"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    page.route(f"{SITE}/**", serve)
    page.goto(f"{SITE}/")
    yield page
    page.close()


SERIES = st.sampled_from(["a", "b", "secret"])
cells = st.one_of(
    st.builds(lambda name: {"layout": {"name": name, "maximised": None}}, st.sampled_from(["1x1", "2x2", "1x2"])),
    st.builds(
        lambda pane, one: {pane: one},
        st.sampled_from("01"),
        SERIES.map(lambda one: {"series": one, "organization": "o", "study": "s"}),
    ),
    st.builds(lambda pane: {pane: None}, st.sampled_from("01")),
    st.builds(
        lambda pane, part, one, number: {f"{pane}.{part}": {"series": one, "view": {"frame": number}}},
        st.sampled_from("01"),
        st.sampled_from(["place", "window"]),
        SERIES,
        st.integers(0, 99),
    ),
)
changes = st.lists(cells, min_size=1, max_size=3).map(
    lambda several: {name: cell for one in several for name, cell in one.items()}
)
steps = st.tuples(st.integers(0, 2), st.one_of(changes, st.sampled_from(["up", "down", "hear", "again"])))


def everything(_: Named) -> bool:
    return True


def blind(named: Named) -> bool:
    return named[0] != "secret"


class Reader:
    """One page, its line and its seat: what it does goes up after a while, what it is told comes down after a while."""

    def __init__(self, room: Room, number: int) -> None:
        self.room, self.number, self.sees = room, number, blind if number == 2 else everything
        self.events: list[dict[str, Any]] = []
        self.join()

    def join(self) -> None:
        """Its line is new: what was under way is lost, and it takes what stands there."""
        self.up: deque[tuple[int, Any]] = deque()
        self.down: deque[dict[str, Any]] = deque()
        self.counter = 0
        self.seat = Seat(self.number, str(self.number), lambda: None)
        self.room.enter(self.seat)
        self.room.join(self.seat, "w", {"0": {"series": "a", "organization": "o", "study": "s"}})
        self.events.append({"joined": True})

    def act(self, what: Any) -> None:
        if isinstance(what, dict):
            self.counter += 1
            self.events.append({"did": what})
            self.up.append((self.counter, what))
        elif what == "up" and self.up:
            self.room.change(self.seat, *self.up.popleft())
        elif what == "down":
            self.down.extend(one for one in self.room.told(self.seat, self.sees) if one["type"] == "live.state")
        elif what == "hear" and self.down:
            self.events.append({"told": self.down.popleft()})
        elif what == "again":
            self.room.exit(self.seat)
            self.join()

    def drain(self) -> None:
        while self.up:
            self.act("up")

    def hear_all(self) -> None:
        self.act("down")
        while self.down:
            self.act("hear")


def without_nothing(cells: dict[str, Any]) -> dict[str, Any]:
    return {name: cell for name, cell in cells.items() if cell is not None}


@settings(max_examples=150, deadline=None)
@given(st.integers(2, 3), st.lists(steps, max_size=60))
def test_all_pages_end_with_what_the_room_holds(page: Page, readers: int, schedule: list[tuple[int, Any]]) -> None:
    room = Room()
    there = [Reader(room, number) for number in range(readers)]
    for who, what in schedule:
        there[who % readers].act(what)
    for reader in there:
        reader.drain()
    for reader in there:
        reader.hear_all()
    played = page.evaluate(PLAY, [reader.events for reader in there])
    for reader, end in zip(there, played, strict=True):
        assert end["pending"] == 0
        assert not end["wrong"], "who changes something sees it at once"
        assert end["shown"] == without_nothing(shown_to(room.cells, set(room.cells), reader.sees))
        if reader.sees is blind:
            assert "secret" not in str([one for one in reader.events if "told" in one])
