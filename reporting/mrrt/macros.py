"""Macros: `{shortcut}` in a text stands for the text of that macro, nested. static/reporting/macros.js does the same
while typing; tests/reporting/macros.json holds both to it.

A macro that leads back to itself, and what would grow without bound, is left as it is written. Unknown ones too:
braces are also just braces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

SHORTCUT = re.compile(r"[^ \t\r\n\u00a0{}\[\]|]{2,32}")
_CALL = re.compile(r"\{([^ \t\r\n\u00a0{}\[\]|]{2,32})\}")
LONGEST = 20_000
"""Characters that an expansion may grow to."""
DEEPEST = 16
MOST = 2_000
"""Calls that one expansion may hold."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """The text with its macros written out, and the shortcuts that were left as they are: unknown ones, those that
    lead back to themselves, and whether something was left for being too much."""

    text: str
    unknown: tuple[str, ...] = ()
    loops: tuple[str, ...] = ()
    too_much: bool = False


class _Expansion:
    def __init__(self, macros: Mapping[str, str]) -> None:
        self.macros = macros
        self.unknown: dict[str, None] = {}
        self.loops: dict[str, None] = {}
        self.too_much = False
        self.calls = 0
        self.room = LONGEST

    def of(self, text: str, within: tuple[str, ...]) -> str:
        parts, end = [], 0
        for found in _CALL.finditer(text):
            parts.append(self.kept(text[end : found.start()]))
            parts.append(self.called(found[0], found[1], within))
            end = found.end()
        parts.append(self.kept(text[end:]))
        return "".join(parts)

    def called(self, written: str, name: str, within: tuple[str, ...]) -> str:
        body = self.macros.get(name)
        if body is None:
            self.unknown[name] = None
        elif name in within:
            self.loops[name] = None
        elif len(within) >= DEEPEST or self.calls >= MOST or len(body) > self.room:
            self.too_much = True
        else:
            self.calls += 1
            return self.of(body, (*within, name))
        return self.kept(written)

    def kept(self, text: str) -> str:
        self.room -= len(text)
        return text


def expand(text: str, macros: Mapping[str, str]) -> Expanded:
    """`text` with its macros written out; `macros` is shortcut -> text."""
    work = _Expansion(macros)
    done = work.of(text, ())
    return Expanded(done, tuple(work.unknown), tuple(work.loops), work.too_much)
