"""How a mammogram is turned so that it hangs as it is read: chest wall inwards, the outer side or the head at the top."""

from __future__ import annotations

from dataclasses import dataclass

Vector = tuple[float, float, float]

_LETTERS: dict[str, Vector] = {
    "L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1),
}  # fmt: skip
FROM_ABOVE = frozenset({"CC", "XCCL", "XCCM", "FB", "SIO"})
"""View positions in which the outer side (the arm's) is at the top; in all others it is the head."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Fields of a View: degrees clockwise, then flips."""

    rotation: int = 0
    flip_horizontal: bool = False
    flip_vertical: bool = False


def turn(patient_orientation: str, view_position: str, laterality: str, chest_wall: str) -> Turn | None:
    r"""The turn that brings the chest wall to `chest_wall` ("left" or "right") and the right side up.

    `patient_orientation` is (0020,0020), "P\FL": what lies at the right and at the bottom of the stored picture (PS3.3
    C.7.6.1.1.1). None where it does not say where the chest wall is.
    """
    right, bottom = _directions(patient_orientation)
    if right is None or bottom is None:
        return None
    posterior = _LETTERS["P"]
    if max(abs(_dot(right, posterior)), abs(_dot(bottom, posterior))) < 0.5:
        return None
    up = _LETTERS.get(laterality) if view_position in FROM_ABOVE else _LETTERS["H"]

    def fits(one: Turn) -> float:
        across, down = turned(right, bottom, one)
        wall = _dot(across, posterior) * (1 if chest_wall == "right" else -1)
        return 2.0 * wall - (_dot(down, up) if up is not None else 0.0)

    best = max(fits(one) for one in TURNS)
    return next(one for one in TURNS if fits(one) > best - 1e-6)


def turned(right: Vector, bottom: Vector, by: Turn) -> tuple[Vector, Vector]:
    """What lies at the right and at the bottom of the picture after a turn."""
    for _ in range(by.rotation // 90):
        right, bottom = _opposite(bottom), right
    if by.flip_horizontal:
        right = _opposite(right)
    if by.flip_vertical:
        bottom = _opposite(bottom)
    return right, bottom


def _directions(patient_orientation: str) -> tuple[Vector | None, Vector | None]:
    parts = patient_orientation.upper().split("\\")
    if len(parts) != 2 or not all(part and set(part) <= set(_LETTERS) for part in parts):
        return None, None
    return _direction(parts[0]), _direction(parts[1])


def _direction(letters: str) -> Vector:
    """The first letter names the nearest direction, each further one a lesser part."""
    sums = [0.0, 0.0, 0.0]
    for place, letter in enumerate(letters):
        for axis, value in enumerate(_LETTERS[letter]):
            sums[axis] += value * 0.5**place
    length = sum(value * value for value in sums) ** 0.5 or 1.0
    return (sums[0] / length, sums[1] / length, sums[2] / length)


def _opposite(a: Vector) -> Vector:
    return (-a[0], -a[1], -a[2])


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


TURNS = tuple(
    Turn(rotation, horizontal, vertical)
    for rotation, horizontal, vertical in (
        (0, False, False), (0, True, False), (0, False, True), (180, False, False),
        (90, False, False), (270, False, False), (90, True, False), (90, False, True),
    )
)  # fmt: skip
"""The eight ways in which a picture can lie; the first that fits is taken."""
