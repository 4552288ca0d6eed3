"""Rooms of live sessions: who is there, what stands in the panes, and who is told of what."""

from __future__ import annotations

from typing import Any

import pytest

from viewer.live.cells import HIDDEN, Named
from viewer.live.messages import Cursor
from viewer.live.rooms import MEMBERS, Full, Room, Rooms, Seat

ALICE, BOB = 1, 2
AT = {"space": "image", "sop_instance_uid": "1.1", "frame_number": 1, "kind": "slice", "point": [3.0, 4.0]}


def seat(person: int = ALICE, name: str = "") -> Seat:
    return Seat(person, name or {ALICE: "Alice", BOB: "Bob"}.get(person, f"Reader {person}"), lambda: None)


def joined(room: Room, who: Seat, window: str, cells: dict[str, Any]) -> Seat:
    """Has the study open, and comes in."""
    room.enter(who)
    room.join(who, window, cells)
    return who


def shown(series: str = "1") -> dict[str, Any]:
    return {"series": series, "organization": "north", "study": "9"}


def place(frame: int, series: str = "1") -> dict[str, Any]:
    return {"series": series, "view": {"frame": frame}}


def everything(_: Named) -> bool:
    return True


def told(room: Room, to: Seat, sees: Any = everything) -> list[dict[str, Any]]:
    return list(room.told(to, sees))


def state(messages: list[dict[str, Any]]) -> dict[str, Any]:
    [found] = [one for one in messages if one["type"] == "live.state"]
    return found


def two(cells: dict[str, Any] | None = None) -> tuple[Room, Seat, Seat]:
    """Alice began, Bob joined; both were told everything."""
    room, alice, bob = Room(), seat(), seat(BOB)
    for one in (alice, bob):
        room.enter(one)
    room.join(alice, "a", {"layout": {"name": "1x1", "maximised": None}, "0": shown()} if cells is None else cells)
    room.join(bob, "b", {"layout": {"name": "4x4", "maximised": None}})
    for one in (alice, bob):
        told(room, one)
    return room, alice, bob


def test_who_has_the_study_open_hears_who_shows_it_live() -> None:
    room, alice, bob = Room(), seat(), seat(BOB)
    room.enter(alice)
    room.enter(bob)
    assert told(room, bob) == [{"type": "live.who", "you": None, "members": []}]
    room.join(alice, "a", {})
    [who] = told(room, bob)
    assert who["you"] is None
    assert [(one["name"], one["mine"]) for one in who["members"]] == [("Alice", False)]
    room.exit(alice)
    assert told(room, bob) == [{"type": "live.who", "you": None, "members": []}]


def test_the_first_brings_what_is_shown_and_the_others_take_it() -> None:
    room, alice, bob = Room(), seat(), seat(BOB)
    joined(room, alice, "a", {"0": shown(), "0.place": place(3)})
    joined(room, bob, "b", {"0": shown("2")})
    assert state(told(room, bob))["cells"] == {"0": shown(), "0.place": place(3)}
    assert {one.color for one in room.members} == {0, 1}


def test_the_newest_change_stands_and_everybody_is_told_of_the_newest_alone() -> None:
    room, alice, bob = two()
    for count, frame in enumerate((5, 6, 7), 1):
        room.change(alice, count, {"0.place": place(frame)})
    room.change(bob, 1, {"0.place": place(9)})
    for one, counted in ((alice, 3), (bob, 1)):
        message = state(told(room, one))
        assert (message["change"], message["cells"]) == (counted, {"0.place": place(9)})
        assert told(room, one) == []


def test_a_change_counts_once() -> None:
    room, alice, _ = two()
    room.change(alice, 2, {"0.place": place(5)})
    room.change(alice, 2, {"0.place": place(6)})
    room.change(alice, 1, {"0.place": place(7)})
    assert room.cells["0.place"] == place(5)


def test_what_is_done_to_a_picture_is_not_done_to_another_one() -> None:
    room, alice, bob = two({"0": shown(), "0.place": place(5)})
    room.change(alice, 1, {"0": shown("2")})
    room.change(bob, 1, {"0.place": place(6)})  # sent before Bob saw the other series
    assert room.cells == {"0": shown("2")}
    message = state(told(room, bob))
    assert (message["change"], message["cells"]) == (1, {"0": shown("2"), "0.place": None})


def test_a_series_and_its_view_come_at_once_in_whatever_order() -> None:
    room, alice, _ = two({})
    room.change(alice, 1, {"0.place": place(6, "2"), "0": shown("2")})
    assert room.cells == {"0": shown("2"), "0.place": place(6, "2")}


def blind(named: Named) -> bool:
    return named[0] != "secret"


def test_who_may_not_see_a_series_is_told_that_something_is_there_and_never_what() -> None:
    room, alice, bob = two()
    room.change(alice, 1, {"0": shown("secret"), "0.place": place(6, "secret")})
    assert room.named_for(bob) == {("secret", "north")}
    assert state(told(room, bob, blind))["cells"] == {"0": HIDDEN}
    for count, change in enumerate(
        ({"0.place": place(7, "secret")}, {"0.window": {"series": "secret", "view": {}}}), 2
    ):
        room.change(alice, count, change)
        assert state(told(room, bob, blind))["cells"] == {"0": HIDDEN}
    room.point(alice, Cursor(0, "secret", AT))
    [cursor] = told(room, bob, blind)
    assert cursor == {"type": "live.cursor", "member": 1, "pane": None, "series": None, "at": None}
    crosshair = {"series": "secret", "organization": "north", "space": "secret's", "point": [1.0, 2.0, 3.0]}
    room.change(alice, 4, {"crosshair": crosshair})
    assert state(told(room, bob, blind))["cells"] == {"crosshair": None}
    assert state(told_anew(room, blind))["cells"]["crosshair"] is None


def told_anew(room: Room, sees: Any) -> list[dict[str, Any]]:
    """What a newcomer is told."""
    return told(room, joined(room, seat(3), "c", {}), sees)


def test_a_layer_of_another_series_hides_its_pane_and_gives_it_back() -> None:
    room, alice, bob = two({"0": shown(), "0.place": place(5)})
    room.change(
        alice, 1, {"0.layers": {"series": "1", "view": {"fusion": {"series": "secret", "organization": "north"}}}}
    )
    assert state(told(room, bob, blind))["cells"] == {"0": HIDDEN}
    bare = {"series": "1", "view": {"fusion": None}}
    room.change(alice, 2, {"0.layers": bare})
    assert state(told(room, bob, blind))["cells"] == {"0": shown(), "0.place": place(5), "0.layers": bare}


def test_the_newest_place_of_a_hand_goes_to_the_others_until_it_is_nowhere() -> None:
    room, alice, bob = two()
    room.point(alice, Cursor(0, "1", {**AT, "point": [1.0, 1.0]}))
    room.point(alice, Cursor(0, "1", AT))
    assert told(room, alice) == []
    assert told(room, bob) == [{"type": "live.cursor", "member": 1, "pane": 0, "series": "1", "at": AT}]
    room.point(alice, Cursor())
    assert told(room, bob)[0]["at"] is None


def test_a_hand_on_a_picture_that_is_there_no_more_is_nowhere() -> None:
    room, alice, bob = two()
    room.point(alice, Cursor(0, "1", AT))
    room.change(bob, 1, {"0": shown("2")})
    assert [one["at"] for one in told(room, bob) if one["type"] == "live.cursor"] == [None]


def test_a_window_that_comes_back_takes_its_place() -> None:
    room, alice, _ = two()
    before = (alice.number, alice.color)
    again = joined(room, seat(), "a", {})
    assert (again.number, again.color) == before
    assert alice.number is None
    joined(room, seat(3), "a", {})  # the same word of another person is another window
    assert again.number == before[0]


def test_a_session_is_gone_with_its_last_member_and_its_room_with_the_last_one_there() -> None:
    rooms, alice, bob = Rooms(), seat(), seat(BOB)
    key = ("north", "9")
    room = rooms.enter(key, alice)
    assert rooms.enter(key, bob) is room
    assert rooms.enter(("south", "9"), seat(3)) is not room
    rooms.join(key, alice, "a", {"0": shown()})
    room.leave(alice)
    assert room.cells == {}
    rooms.join(key, bob, "b", {"0": shown("2")})
    assert room.cells == {"0": shown("2")}
    rooms.exit(key, bob)
    rooms.exit(key, alice)
    assert len(rooms) == 1


def test_who_looks_once_is_told_the_state_and_stays_outside() -> None:
    room, _, _ = two({"0": shown(), "0.place": place(5)})
    late = seat(3)
    room.enter(late)
    room.look(late)
    message = state(told(room, late))
    assert (message["once"], message["cells"]) == (True, {"0": shown(), "0.place": place(5)})
    room.change(room.members[0], 1, {"0.place": place(6)})
    assert told(room, late) == []


def test_who_looks_alone_is_told_apart() -> None:
    room, alice, bob = two()
    room.steer(bob, False)
    [who] = told(room, alice)
    assert [one["together"] for one in who["members"]] == [True, False]


def test_a_session_holds_so_many_and_a_process_so_many_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room()
    for person in range(MEMBERS):
        joined(room, seat(person), "w", {})
    with pytest.raises(Full, match="8 are in this session"):
        joined(room, seat(99), "w", {})
    assert len({one.color for one in room.members}) == MEMBERS
    monkeypatch.setattr("viewer.live.rooms.SESSIONS", 1)
    rooms, alice, bob = Rooms(), seat(), seat(BOB)
    rooms.enter(("north", "1"), alice)
    rooms.enter(("north", "2"), bob)
    rooms.join(("north", "1"), alice, "a", {})
    with pytest.raises(Full, match="too many sessions"):
        rooms.join(("north", "2"), bob, "b", {})
