"""What a field is called: by its label, else by the words before it, the head of its row and its column.

Published templates call fields by their place in a table more often than by labels, and "left:" means nothing alone.
So each field gets its words from the inside out, as many as it takes to tell it from the others of its section.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reporting.mrrt import words
from reporting.mrrt.schema import LABEL


def told_apart(chains: Sequence[Sequence[str]]) -> list[tuple[str, int]]:
    """(label, words taken) for each chain of words (outermost first): the innermost, with outer ones where several
    would read alike.

    What one field takes, all that stand under the same words take too: else "left" would be said of one half only.
    """
    depth = [1] * len(chains)
    while again := _alike(chains, depth):
        for place in again:
            depth[place] += 1
        _share(chains, depth)
    labels = [_joined(chain, taken) for chain, taken in zip(chains, depth, strict=True)]
    return list(zip(_numbered(labels), depth, strict=True))


def _alike(chains: Sequence[Sequence[str]], depth: list[int]) -> list[int]:
    """Places whose label another one has too, where more words would help."""
    by_label: dict[str, list[int]] = {}
    for place, (chain, taken) in enumerate(zip(chains, depth, strict=True)):
        by_label.setdefault(_joined(chain, taken), []).append(place)
    return [
        place
        for places in by_label.values()
        if len({tuple(chains[place]) for place in places}) > 1
        for place in places
        if depth[place] < len(chains[place])
    ]


def _share(chains: Sequence[Sequence[str]], depth: list[int]) -> None:
    taken = {
        tuple(chain[: at + 1])
        for chain, deep in zip(chains, depth, strict=True)
        for at in range(len(chain) - deep, len(chain) - 1)
    }
    for place, chain in enumerate(chains):
        for at in range(len(chain) - 1):
            if tuple(chain[: at + 1]) in taken:
                depth[place] = max(depth[place], len(chain) - at)
                break


def _joined(chain: Sequence[str], taken: int) -> str:
    parts: list[str] = []
    for part in chain[-taken:]:
        if not parts or part.casefold() != parts[-1].casefold():
            parts.append(part)
    return words.line(": ".join(parts), LABEL)


def _numbered(labels: list[str]) -> list[str]:
    """Those that read alike to the end get numbers, from the second on."""
    seen: Counter[str] = Counter()
    taken = set(labels)
    named = []
    for said in labels:
        seen[said] += 1
        name, number = said, seen[said]
        if number > 1:
            while (name := f"{said[: LABEL - 8]} ({number})") in taken:
                number += 1
            taken.add(name)
        named.append(name)
    return named
