"""Chest walls meet, the outer side or the head is up: judged with the letters of the orientation, independently of the code."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from viewer.hanging.mammography import Turn, turn

LETTERS = "LRPAHF"
OPPOSITE = dict(zip("LRPAHF", "RLAPFH", strict=True))


def letters_after(orientation: str, by: Turn) -> dict[str, str]:
    """The letters around a picture that is turned clockwise and then flipped: a 3 x 3 board with a letter at each side."""
    right, bottom = orientation.split("\\")
    opposed = ["".join(OPPOSITE[letter] for letter in side) for side in (right, bottom)]
    board = np.array([["", opposed[1], ""], [opposed[0], "", right], ["", bottom, ""]], dtype=object)
    board = np.rot90(board, -by.rotation // 90)
    board = np.fliplr(board) if by.flip_horizontal else board
    board = np.flipud(board) if by.flip_vertical else board
    return {"top": board[0, 1], "left": board[1, 0], "right": board[1, 2], "bottom": board[2, 1]}


STANDARD = {("R", "CC"): "P\\L", ("L", "CC"): "A\\R", ("R", "MLO"): "P\\FL", ("L", "MLO"): "A\\FR", ("R", "ML"): "P\\F",
            ("L", "LM"): "A\\F", ("R", "XCCL"): "P\\L"}  # fmt: skip


def stored(orientation: str) -> set[str]:
    """The same picture stored in each of its eight ways."""
    found = set()
    for rotation, horizontal, vertical in product((0, 90, 180, 270), (False, True), (False, True)):
        after = letters_after(orientation, Turn(rotation, horizontal, vertical))
        found.add(f"{after['right']}\\{after['bottom']}")
    return found


@pytest.mark.parametrize(("side", "view"), STANDARD)
def test_however_it_was_stored_the_chest_wall_is_inwards_and_the_right_side_up(side: str, view: str) -> None:
    wall = "right" if side == "R" else "left"
    ways = stored(STANDARD[side, view])
    assert len(ways) == 8
    for way in ways:
        by = turn(way, view, side, wall)
        assert by is not None
        around = letters_after(way, by)
        assert around[wall] == "P", (way, by)
        up = side if view in {"CC", "XCCL"} else "H"
        assert around["top"].startswith(up), (way, by, around)


def test_what_is_stored_as_it_hangs_is_not_turned() -> None:
    for (side, view), orientation in STANDARD.items():
        assert turn(orientation, view, side, "right" if side == "R" else "left") == Turn()


def test_the_two_walls_meet_in_the_middle() -> None:
    right, left = turn("A\\R", "CC", "R", "right"), turn("P\\L", "CC", "L", "left")
    assert right
    assert letters_after("A\\R", right)["right"] == "P"
    assert left
    assert letters_after("P\\L", left)["left"] == "P"


@pytest.mark.parametrize("orientation", ["", "P", "X\\Y", "L\\F", "CD\\V", "H\\R"])
def test_a_picture_that_does_not_say_where_the_chest_wall_is_is_left_as_it_is(orientation: str) -> None:
    assert turn(orientation, "CC", "R", "right") is None
