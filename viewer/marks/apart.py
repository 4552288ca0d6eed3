"""Marks that nobody but their author sees for now: those of people who read a study apart from one another.

Who does is not for the viewer to know: whoever does know offers a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from accounts.models import User
from viewer.models import Study

NOT_YET = "Two people read this study, neither seeing the marks of the other: they are written once both have read it."

_rules: list[Callable[[Study], set[int]]] = []


def offer(rule: Callable[[Study], set[int]]) -> None:
    """`rule(study)` gives the keys of the people whose marks on it are theirs alone."""
    _rules.append(rule)


def authors(study: Study) -> set[int]:
    """Keys of the people whose marks on this study nobody else sees now."""
    return set().union(*(rule(study) for rule in _rules))


class _Marked(Protocol):
    @property
    def author_id(self) -> int | None: ...


Mark = TypeVar("Mark", bound=_Marked)


def shown_to(user: User, study: Study, marks: Iterable[Mark]) -> list[Mark]:
    """Those of `marks` that `user` sees."""
    hidden = authors(study) - {user.pk}
    return [mark for mark in marks if mark.author_id not in hidden]


def rested(studies: Sequence[Study]) -> list[Study]:
    """Those that nobody reads apart: what is written of marks into the archive is seen by everybody."""
    return [study for study in studies if not authors(study)]
