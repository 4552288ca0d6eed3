"""Words as data: headings for every language, lexicons one for each."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def _headings() -> dict[str, str]:
    table: dict[str, list[str]] = json.loads((FOLDER / "headings.json").read_text(encoding="utf-8"))
    return {word: kind for kind, words in table.items() for word in words}


def kind_of_heading(words: str) -> str:
    """The kind of section that a heading opens; empty: the words are no heading."""
    return _headings().get(words.strip().rstrip(":").strip().lower(), "")
