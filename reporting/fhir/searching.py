"""Searches of FHIR R4 (3.1.1): parameters become conditions on rows, within what the person asking may see."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Q

Condition = Callable[[str], Q]

PAGE, PAGE_AT_MOST = 20, 100
LONGEST = 300
OF_THE_RESULT = ("_count", "_format", "_pretty", "_cursor", "_sort", "_summary", "_total", "_elements")
"""Parameters that narrow nothing."""


class BadSearch(ValueError):
    """A parameter that cannot be understood; the message names it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as it was understood. `used` is what the self link says."""

    condition: Q
    used: tuple[tuple[str, str], ...]
    count: int
    after: int | None


def asked(given: Mapping[str, list[str]], known: Mapping[str, Condition], *, strict: bool) -> Asked:
    """Raises BadSearch. An unknown parameter is one only where the client asks for strictness (3.1.1.3)."""
    condition, used = Q(), []
    for name, values in given.items():
        bare, _, modifier = name.partition(":")
        if bare in OF_THE_RESULT:
            continue
        make = known.get(name)
        if make is None:
            if modifier and bare in known:
                raise BadSearch(f"{name}: this modifier is not supported")
            if strict:
                raise BadSearch(f"{name}: this parameter is not supported")
            continue
        for value in values:
            if len(value) > LONGEST or "\0" in value:
                raise BadSearch(f"{name}: too long, or no text")
            either = Q()
            try:
                for one in value.split(","):
                    either |= make(one)
            except BadSearch as problem:
                raise BadSearch(f"{name}: {problem}") from None
            condition &= either
            used.append((name, value))
    return Asked(condition, tuple(used), _count(given), _cursor(given))


def _count(given: Mapping[str, list[str]]) -> int:
    text = given.get("_count", [str(PAGE)])[-1]
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadSearch("_count: a whole number is expected")
    return min(int(text), PAGE_AT_MOST)


def cursor(key: int) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _cursor(given: Mapping[str, list[str]]) -> int | None:
    text = given.get("_cursor", [""])[-1]
    if not text:
        return None
    try:
        found = int(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii"))
    except (ValueError, binascii.Error):
        raise BadSearch("_cursor: it is of no page") from None
    if not 0 <= found < 2**63:
        raise BadSearch("_cursor: it is of no page")
    return found


# --- kinds of parameters


def by_key(column: str = "pk") -> Condition:
    """`_id` of resources whose id is the row's number."""

    def condition(value: str) -> Q:
        key = number(value)
        return Q(pk__in=[]) if key is None else Q(**{column: key})

    return condition


def by_uuid(column: str) -> Condition:
    def condition(value: str) -> Q:
        try:
            return Q(**{column: uuid.UUID(value.removeprefix("urn:uuid:"))})
        except ValueError:
            return Q(pk__in=[])

    return condition


def by_reference(kind: str, column: str) -> Condition:
    """`Patient/12`, `12`, or the whole address."""

    def condition(value: str) -> Q:
        *path, last = value.split("/")
        if path and path[-1] != kind:
            return Q(pk__in=[])
        return by_key(column)(last)

    return condition


def by_token(*columns: str, plain: Callable[[str], str] = str) -> Condition:
    """`value` or `system|value`; the system says nothing where numbers have none here."""

    def condition(value: str) -> Q:
        wanted = plain(value.rpartition("|")[2].strip())
        found = Q(pk__in=[])
        for column in columns if wanted else ():
            found |= Q(**{column: wanted})
        return found

    return condition


def by_code(column: str, values: Mapping[str, list[str]]) -> Condition:
    """A code, as the values of a column that it stands for."""

    def condition(value: str) -> Q:
        return Q(**{f"{column}__in": values.get(value.rpartition("|")[2].strip(), [])})

    return condition


def by_text(column: str, plain: Callable[[str], str]) -> Condition:
    """Each word, anywhere."""

    def condition(value: str) -> Q:
        found = Q()
        for word in plain(value).split()[:12]:
            found &= Q(**{f"{column}__contains": word})
        return found

    return condition


def by_moment(column: str) -> Condition:
    """A date or an instant with a comparison (3.1.1.4.7): `ge2026-05-04`, `2026-05-04T10:00:00Z`."""

    def condition(value: str) -> Q:
        comparison, start, end = span(value)
        return {
            "eq": Q(**{f"{column}__gte": start, f"{column}__lt": end}),
            "ne": Q(**{f"{column}__lt": start}) | Q(**{f"{column}__gte": end}),
            "ge": Q(**{f"{column}__gte": start}),
            "gt": Q(**{f"{column}__gte": end}),
            "sa": Q(**{f"{column}__gte": end}),
            "le": Q(**{f"{column}__lt": end}),
            "lt": Q(**{f"{column}__lt": start}),
            "eb": Q(**{f"{column}__lt": start}),
        }[comparison]

    return condition


def by_day(column: str) -> Condition:
    """The same on a column that holds YYYYMMDD."""

    def condition(value: str) -> Q:
        comparison, start, end = span(value)
        first, last = f"{start:%Y%m%d}", f"{end - timedelta(microseconds=1):%Y%m%d}"
        stated = ~Q(**{column: ""})
        return (
            stated
            & {
                "eq": Q(**{f"{column}__gte": first, f"{column}__lte": last}),
                "ne": Q(**{f"{column}__lt": first}) | Q(**{f"{column}__gt": last}),
                "ge": Q(**{f"{column}__gte": first}),
                "gt": Q(**{f"{column}__gt": last}),
                "sa": Q(**{f"{column}__gt": last}),
                "le": Q(**{f"{column}__lte": last}),
                "lt": Q(**{f"{column}__lt": first}),
                "eb": Q(**{f"{column}__lt": first}),
            }[comparison]
        )

    return condition


_MOMENT = re.compile(r"(eq|ne|ge|gt|le|lt|sa|eb)?(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(T\S+)?\Z", re.ASCII)


def span(value: str) -> tuple[str, datetime, datetime]:
    """(comparison, first moment, first moment after it) of a value as precise as it is written."""
    found = _MOMENT.match(value.replace(" ", "+"))  # a "+" that was not encoded
    try:
        if found is None or (found[5] and not found[4]):
            raise ValueError
        comparison, year, month, day, clock = found.groups()
        if clock:
            start = datetime.fromisoformat(f"{year}-{month}-{day}{clock}")
            start = start if start.tzinfo else start.replace(tzinfo=UTC)
            return comparison or "eq", start, start + _precision(clock)
        first = date(int(year), int(month or 1), int(day or 1))
        after = first + timedelta(days=1) if day else _next_month(first) if month else date(int(year) + 1, 1, 1)
        return comparison or "eq", _midnight(first), _midnight(after)
    except (ValueError, OverflowError):
        raise BadSearch("a date as 2026-05-04, with ge, gt, le or lt before it, is expected") from None


def _precision(clock: str) -> timedelta:
    if "." in clock:
        return timedelta(milliseconds=1)
    return (
        timedelta(seconds=1)
        if clock.count(":") >= 2 and re.match(r"T\d{2}:\d{2}:\d{2}", clock)
        else timedelta(minutes=1)
    )


def _next_month(first: date) -> date:
    return (first.replace(day=1) + timedelta(days=32)).replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def number(text: Any) -> int | None:
    """A row's number out of an id; None: it cannot be one."""
    plain = str(text)
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= 18 else None
