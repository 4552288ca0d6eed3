"""Texts without what no form of a report can hold: controls, halves of surrogate pairs, noncharacters, foreign line ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from reporting.exports.document import SignedReport

_UNFIT = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufdd0-\\ufdef\\ufff9-\\uffff"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 17))
    + "]"
)


def cleaned(report: SignedReport) -> SignedReport:
    """The report with every text of it fit for XML (1.0, 2.2), DICOM (PS3.5 6.1.3), HL7 and PDF."""
    return cast(SignedReport, _clean(report))


def text(value: str) -> str:
    """Line ends as \\n; what has no place in a text as the replacement character."""
    lines = value.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    return _UNFIT.sub("\ufffd", lines.replace("\u2028", "\n").replace("\u2029", "\n"))


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
