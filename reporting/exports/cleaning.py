"""Texts without what no form of a report can hold: controls, halves of surrogate pairs, noncharacters, foreign line ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from reporting.exports.document import SignedReport

_UNFIT = re.compile(
    "[\\x00-\\x09\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufdd0-\\ufdef\\ufff9-\\uffff"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 17))
    + "]"
)


def cleaned(report: SignedReport) -> SignedReport:
    """The report with every text of it fit for XML (1.0, 2.2), DICOM (PS3.5 6.1.3), HL7 and PDF."""
    return cast(SignedReport, _clean(report))


def text(value: str) -> str:
    """Line ends as \\n, tabs as spaces; what has no place in a text as the replacement character."""
    lines = re.sub("\r\n|[\r\x85\u2028\u2029]", "\n", value)
    return _UNFIT.sub("\ufffd", lines.replace("\t", "    "))


def line(value: str) -> str:
    """A text on one line."""
    return " ".join(text(value).split())


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, tuple):
        return tuple(map(_clean, value))
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, Mapping):
        return {_clean(key): _clean(inner) for key, inner in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _clean(getattr(value, one.name)) for one in fields(value)})
    return value
