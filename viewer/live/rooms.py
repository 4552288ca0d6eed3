"""Rooms: one for each study of an organization that somebody has open. Kept in memory, bounded, gone with the last one there.

All changes of a room go through it one after the other; that order is the same for everybody. What somebody has yet to be told
is a set of names, not a queue: whoever is slow is told of the newest values, and costs no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from viewer.live.cells import Cell, Cells, Named, applied, series_named, shown_to
from viewer.live.messages import Cursor

MEMBERS = 8
"""In one session; as many as there are colours to tell them apart."""
SESSIONS = 1000
"""In one process."""

NOWHERE = Cursor()


class Full(Exception):
    """No more of them fit; the text says of what."""


@dataclass(eq=False)
class Seat:
    """One connection at a study: somebody who has it open, or, with a `number`, a member of its session."""

    person: int
    name: str
    wake: Callable[[], None]
    """Called whenever there is something to tell."""
    number: int | None = None
    window: str = ""
    color: int = 0
    together: bool = True
    cursor: Cursor = NOWHERE
    counted: int = 0
    """The newest of its own changes that was taken in."""
    who: bool = True
    """Whether it has yet to be told who is there; likewise the two below."""
    names: set[str] = field(default_factory=set)
    acknowledge: bool = False
    cursors: set[int] = field(default_factory=set)
    once: bool = False


class Room:
    """Who has one study open, and the session of some of them."""

    def __init__(self) -> None:
        self.cells: dict[str, Cell] = {}
        self.sequence = 0
        self._seats: list[Seat] = []
        self._numbers = 0

    @property
    def members(self) -> list[Seat]:
        return [seat for seat in self._seats if seat.number is not None]

    @property
    def empty(self) -> bool:
        return not self._seats

    # --- coming and going

    def enter(self, seat: Seat) -> None:
        """Somebody has the study open."""
        self._seats.append(seat)
        seat.wake()

    def exit(self, seat: Seat) -> None:
        """Not any more."""
        self.leave(seat)
        if seat in self._seats:
            self._seats.remove(seat)

    def join(self, seat: Seat, window: str, cells: Cells) -> None:
        """Into the session, which begins with `cells` where there is none. The same window of the same person that comes back
        takes the place it had: its former connection may not have been missed yet. Raises Full."""
        former = next((one for one in self.members if (one.person, one.window) == (seat.person, window)), None)
        if former is None and len(self.members) >= MEMBERS:
            raise Full(f"{MEMBERS} are in this session already")
        if former is None:
            self._numbers += 1
            number, color = self._numbers, min(set(range(MEMBERS)) - {one.color for one in self.members})
        else:
            number, color = former.number or 0, former.color
            self._stand_up(former)
        begins = not self.members
        seat.number, seat.color, seat.window, seat.together = number, color, window, True
        seat.counted, seat.cursor = 0, NOWHERE
        if begins:
            self.cells = {}
            self.sequence += 1
            applied(self.cells, cells)
        seat.names, seat.acknowledge = set(self.cells), True
        seat.cursors = {one.number for one in self.members if one.number is not None and one is not seat}
        self._tell_who()

    def leave(self, seat: Seat) -> None:
        """Out of the session, which is over with its last member."""
        if seat.number is None:
            return
        self._stand_up(seat)
        if not self.members:
            self.cells = {}
        self._tell_who()

    def _stand_up(self, seat: Seat) -> None:
        seat.number, seat.cursor, seat.window = None, NOWHERE, ""
        seat.names, seat.cursors, seat.acknowledge = set(), set(), False
        seat.who = True
        seat.wake()

    def _tell_who(self) -> None:
        for seat in self._seats:
            seat.who = True
            seat.wake()

    # --- what members do

    def steer(self, seat: Seat, together: bool) -> None:
        seat.together = together
        self._tell_who()

    def change(self, seat: Seat, counted: int, cells: Cells) -> None:
        """A change of a member, in the order in which it came here. One that was counted before changes nothing."""
        if counted <= seat.counted:
            return
        self.sequence += 1
        seat.counted, seat.acknowledge = counted, True
        touched = applied(self.cells, cells)
        for member in self.members:
            member.names |= touched
            member.wake()

    def refuse(self, seat: Seat, counted: int) -> None:
        """A change that is not let in counts, so that who made it waits for it no longer."""
        self.change(seat, counted, {})

    def point(self, seat: Seat, cursor: Cursor) -> None:
        """The newest place of a member's hand."""
        seat.cursor = cursor
        for member in self.members:
            if member is not seat and seat.number is not None:
                member.cursors.add(seat.number)
                member.wake()

    def look(self, seat: Seat) -> None:
        """Somebody wants to see once what stands in the panes."""
        seat.once = True
        seat.wake()

    # --- what they are told

    def named_for(self, seat: Seat) -> set[Named]:
        """The series in what a seat has yet to be told: those that it must be known to see, or not to."""
        if seat.once or seat.names or seat.cursors:
            return set(series_named(self.cells))
        return set()

    def told(self, seat: Seat, sees: Callable[[Named], bool]) -> Iterator[dict[str, Any]]:
        """What a seat has yet to be told, as far as it `sees` the series. After this it has been told."""
        if seat.who:
            seat.who = False
            yield {"type": "live.who", "you": seat.number, "members": [self._member(one, seat) for one in self.members]}
        if seat.once:
            seat.once = False
            yield self._state(seat, set(self.cells), sees, once=True)
        if seat.names or seat.acknowledge:
            names, seat.names, seat.acknowledge = seat.names, set(), False
            yield self._state(seat, names, sees)
        numbers, seat.cursors = seat.cursors, set()
        for member in self.members:
            if member.number in numbers:
                yield self._cursor(member, sees)

    def _member(self, member: Seat, seat: Seat) -> dict[str, Any]:
        mine = member.person == seat.person
        return {
            **{"id": member.number, "name": member.name, "color": member.color},
            **{"together": member.together, "mine": mine},
        }

    def _state(
        self, seat: Seat, names: set[str], sees: Callable[[Named], bool], *, once: bool = False
    ) -> dict[str, Any]:
        cells = shown_to(self.cells, names, sees)
        told = {"type": "live.state", "sequence": self.sequence, "change": seat.counted, "cells": cells}
        return {**told, "once": True} if once else told

    def _cursor(self, member: Seat, sees: Callable[[Named], bool]) -> dict[str, Any]:
        """Where a member points; nowhere, for who may not see the series that is pointed at."""
        pane, series, at = member.cursor.pane, member.cursor.series, member.cursor.at
        shown = self.cells.get(str(pane))
        there = at is not None and shown is not None and shown["series"] == series
        if not there or not all(map(sees, series_named(self.cells, {str(pane): shown}))):
            pane = series = at = None
        return {"type": "live.cursor", "member": member.number, "pane": pane, "series": series, "at": at}


class Rooms:
    """All rooms of a process, by organization and study."""

    def __init__(self) -> None:
        self._rooms: dict[tuple[str, str], Room] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def enter(self, key: tuple[str, str], seat: Seat) -> Room:
        room = self._rooms.setdefault(key, Room())
        room.enter(seat)
        return room

    def exit(self, key: tuple[str, str], seat: Seat) -> None:
        """With the last one there goes the room."""
        room = self._rooms.get(key)
        if room is None:
            return
        room.exit(seat)
        if room.empty:
            del self._rooms[key]

    def join(self, key: tuple[str, str], seat: Seat, window: str, cells: Cells) -> None:
        """As `Room.join`. Raises Full also where too many studies are shown at once."""
        room = self._rooms[key]
        if not room.members and sum(bool(one.members) for one in self._rooms.values()) >= SESSIONS:
            raise Full("too many sessions at once")
        room.join(seat, window, cells)
