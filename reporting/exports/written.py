"""Names, days and times as people read them on paper. The same conventions as static/text.js."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo


def person_name(name: str, otherwise: str = "") -> str:
    """A DICOM name: the ideographic group first where there is one, then the alphabetic one in brackets."""
    groups = [[part.strip() for part in (group.split("^") + [""] * 3)[:3]] for group in name.split("=")[:3]]
    found = [_written(parts, index) for index, parts in enumerate(groups) if any(parts)]
    if len(groups) > 1 and any(groups[0]) and any(groups[1]):
        return f"{_written(groups[1], 1)} ({_written(groups[0], 0)})"
    return found[0] if found else otherwise


def _written(parts: list[str], index: int) -> str:
    family, *rest = parts
    given = " ".join(filter(None, rest))
    return (" " if index == 1 else ", ").join(filter(None, (family, given)))


def day(date: str) -> str:
    """20240131 as 2024-01-31; what is no date as it is stored."""
    found = re.fullmatch(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})", date.strip())
    return "-".join(found.groups()) if found else date.strip()


def clock(time: str) -> str:
    """134502.123 as 13:45."""
    found = re.match(r"(\d{2}):?(\d{2})", time.strip())
    return ":".join(found.groups()) if found else time.strip()


def moment(at: datetime, zone: str) -> str:
    """An aware time with its zone, as 21 CFR 11.50 wants signatures to be dated: 2024-01-31 13:45:02 CET (UTC+01:00)."""
    here = local(at, zone)
    offset = here.strftime("%z")
    name = here.tzname() or ""
    written = f"UTC{offset[:3]}:{offset[3:5]}"
    shown = (
        f"{name} ({written})"
        if re.fullmatch(r"[A-Z]{3,5}", name) and name != "UTC"
        else "UTC"
        if name == "UTC"
        else written
    )
    return f"{here:%Y-%m-%d %H:%M:%S} {shown}"


def local(at: datetime, zone: str) -> datetime:
    """In the site's time zone; in UTC where nobody knows that zone."""
    return at.astimezone(zone_of(zone))


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return ZoneInfo("UTC")


def language_tag(language: str) -> str:
    """A tag as RFC 5646 has it; English where it is none."""
    return language if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", language) else "en"
