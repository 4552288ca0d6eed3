"""What was mended and what was left out while a template was read, in words with the place; and what made it
unusable."""

from __future__ import annotations

from dataclasses import dataclass

MOST = 400
LINES = 12
"""That are named for one thing."""


@dataclass(slots=True)
class Words:
    """Text that may still find its use."""

    text: str
    line: int | None
    used: bool = False


class Unusable(Exception):
    """Nothing of it can be used; `problems` says why."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Notes:
    """Collects; the same thing said of several lines is said once with all of them, and very many are counted.

    `exact`: the template was written here, so that nothing of it is guessed at.
    """

    def __init__(self, exact: bool = False) -> None:
        self.exact = exact
        self._repairs: dict[str, list[int]] = {}
        self._dropped: dict[str, list[int]] = {}

    def repaired(self, where: int | None, what: str) -> None:
        _add(self._repairs, where, what)

    def dropped(self, where: int | None, what: str) -> None:
        _add(self._dropped, where, what)

    @property
    def repairs(self) -> tuple[str, ...]:
        return _told(self._repairs)

    @property
    def drops(self) -> tuple[str, ...]:
        return _told(self._dropped)


def _add(said: dict[str, list[int]], where: int | None, what: str) -> None:
    lines = said.setdefault(what, [])
    if where and where not in lines[-1:]:
        lines.append(where)


def _told(said: dict[str, list[int]]) -> tuple[str, ...]:
    """In the order of the file; what is said of no line comes first."""
    rest = len(said) - MOST
    ordered = sorted(said, key=lambda what: said[what][:1])
    kept = tuple(_placed(said[what], what) for what in ordered[:MOST])
    return (*kept, f"and {rest} more") if rest > 0 else kept


def _placed(lines: list[int], what: str) -> str:
    if not lines:
        return what
    named = ", ".join(map(str, lines[:LINES]))
    more = f" and {len(lines) - LINES} more" if len(lines) > LINES else ""
    return f"line{'s' if len(lines) > 1 else ''} {named}{more}: {what}"


def quoted(text: str, longest: int = 60) -> str:
    """A text of a template inside a sentence of ours."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in text[: 4 * longest]).split())
    return f"“{plain[:longest]}…”" if len(plain) > longest else f"“{plain}”"
