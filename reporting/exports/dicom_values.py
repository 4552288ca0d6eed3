"""Values as DICOM takes them (PS3.5 6.2): a text can be no second value, no foreign date, no code that is too long."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from reporting.exports import cleaning
from reporting.exports.document import Code
from viewer.objects.codes import OWN

SHORT = 16
"""Of SH: characters by the standard, bytes by most readers; codes are kept to both."""


def line(text: str, longest: int = 64) -> str:
    """Of LO and SH: one line, without the backslash that separates values."""
    return cleaning.line(text).replace("\\", "/")[:longest].strip()


def person(name: str) -> str:
    """Of PN: at most three groups of at most five components and 64 characters each (6.2.1)."""
    groups = []
    for group in line(name, 10_000).split("=")[:3]:
        parts = [part.strip() for part in group.split("^")[:5]]
        groups.append("^".join(parts).rstrip("^")[:64])
    return "=".join(groups).rstrip("=")


def spoken(name: str) -> str:
    """A printed name, "Alice Adler", as PN: the last word is the family name."""
    *given, family = line(name.replace("^", " ").replace("=", " "), 10_000).split() or [""]
    return person("^".join(filter(None, (family, " ".join(given)))))


def date(text: str) -> str:
    """Of DA; empty for what is none."""
    plain = text.strip().replace("-", "").replace(".", "")
    try:
        return f"{datetime.strptime(plain, '%Y%m%d'):%Y%m%d}" if re.fullmatch(r"\d{8}", plain, re.ASCII) else ""
    except ValueError:
        return ""


def time(text: str) -> str:
    """Of TM; empty for what is none."""
    found = re.fullmatch(r"([01]\d|2[0-3])([0-5]\d)?([0-5]\d)?(\.\d{1,6})?", text.strip(), re.ASCII)
    return text.strip() if found and (found[3] or not found[4]) and (found[2] or not found[3]) else ""


def zone(offset: str) -> timezone | None:
    """Of Timezone Offset From UTC (0008,0201); None for what is none."""
    found = re.fullmatch(r"([+-])(\d{2})([0-5]\d)", offset.strip(), re.ASCII)
    if not found or int(found[2]) > 14:
        return None
    return timezone((-1 if found[1] == "-" else 1) * timedelta(hours=int(found[2]), minutes=int(found[3])))


def offset_of(at: datetime) -> str:
    return at.strftime("%z")[:5]


def moment(at: datetime) -> str:
    """Of DT, with its offset (6.2)."""
    return f"{at:%Y%m%d%H%M%S}{offset_of(at)}"


def code_item(code: Code) -> Dataset:
    """One coded entry (PS3.3 8.8). What is no code is one of ours, by its meaning."""
    d = Dataset()
    value, scheme = line(code.value, 10_000), line(code.scheme)
    if not value or not scheme or len(scheme.encode()) > SHORT:
        value, scheme = value or "text", OWN
    if len(value.encode()) <= SHORT:
        d.CodeValue = value
    else:
        d.LongCodeValue = value
    d.CodingSchemeDesignator = scheme
    d.CodeMeaning = line(code.meaning) or line(value)
    return d


def put(d: Dataset, keyword: str, value: str) -> None:
    """A value as it was received, also where it is longer than the standard has it: identity is never cut."""
    d.add(DataElement(tag_for_keyword(keyword), dictionary_VR(keyword), value, validation_mode=IGNORE))
