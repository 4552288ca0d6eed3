"""Passwords that were found in breaches of other places: a file of their SHA-1 on this machine, for this server asks nobody.

The file is that of Have I Been Pwned, one line each: 40 hexadecimal digits, a colon, how often it was seen; in the order of the
digits. It has tens of gigabytes, so a password is looked for by halves, and of the file thirty-odd lines are read.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.checks import Error, register
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from accounts.models import User

logger = logging.getLogger(__name__)

LINE = re.compile(rb"([0-9A-Fa-f]{40})(?::\d{1,20})?\r?\n?")
LONGEST = 80


class NotAList(ValueError):
    """The file is none of lines of hashes."""


class BreachedValidator:
    """For AUTH_PASSWORD_VALIDATORS. Without a file it says nothing; with one that cannot be read no password is set."""

    def validate(self, password: str, user: User | None = None) -> None:
        path = settings.FARVIEW_BREACHED_PASSWORDS
        if path is None:
            return
        try:
            found = holds(path, password)
        except (OSError, NotAList) as problem:
            logger.error("the list of breached passwords cannot be read: %s", problem)
            words = gettext("Passwords cannot be checked at present, so none is set. Tell your administrator.")
            raise ValidationError(words, code="password_unchecked") from problem
        if found:
            words = gettext(
                "This password was found in a breach of another place, so others know it. Take another one."
            )
            raise ValidationError(words, code="password_breached")

    def get_help_text(self) -> str:
        if settings.FARVIEW_BREACHED_PASSWORDS is None:
            return ""
        return gettext("Your password must not be one that was found in a breach of another place.")


def holds(path: Path, password: str) -> bool:
    """Whether the list at `path` names `password`. Raises OSError, NotAList."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as lines:
        low, high = 0, lines.seek(0, os.SEEK_END)
        while low < high:  # the line that is looked for begins at `low` or later, and before `high`
            middle = (low + high) // 2
            begin = _line_from(lines, middle)
            if begin >= high:
                high = middle
                continue
            there = _hash(lines.readline(LONGEST))
            if there == wanted:
                return True
            if there < wanted:
                low = lines.tell()
            else:
                high = middle
    return False


def _line_from(lines: BinaryIO, place: int) -> int:
    """Where the first line begins that begins at `place` or later; the file stands there."""
    lines.seek(max(0, place - 1))
    if place:
        lines.readline(LONGEST)
    return lines.tell()


def _hash(line: bytes) -> bytes:
    read = LINE.fullmatch(line)
    if read is None:
        raise NotAList("a line of it is not a SHA-1 in hexadecimal digits")
    return read[1].upper()


@register("security")
def list_can_be_read(app_configs: Any, **kwargs: Any) -> list[Error]:
    """A list that is named has to be there when the server starts."""
    path = settings.FARVIEW_BREACHED_PASSWORDS
    if path is None:
        return []
    try:
        holds(path, "")
    except (OSError, NotAList) as problem:
        hint = "See docs/signing-in.md for what the file looks like, or leave the setting empty."
        return [Error(f"FARVIEW_BREACHED_PASSWORDS: {problem}", hint=hint, id="accounts.E003")]
    return []
