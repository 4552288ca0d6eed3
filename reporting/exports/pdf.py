"""A signed report as PDF/A-2a and PDF/UA-1: tagged, every font inside it, the same bytes for the same report.

Typst lays it out (docs/decisions). The report goes in as JSON in a folder of its own, which is all that Typst can read; no
text of it is ever markup.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import typst

from reporting.exports.cleaning import cleaned
from reporting.exports.document import SignedReport
from reporting.exports.glyphs import FAMILIES, FONTS, barest, drawable, plainest
from reporting.exports.overlay import overlay
from reporting.exports.sheet import Figure, sheet_of

MEDIA_TYPE = "application/pdf"
STANDARDS = ("a-2a", "ua-1")
TEMPLATE = Path(__file__).parent / "sheet.typ"

RUNNING = 90
"""Characters of the patient and of the title at the head of every page."""

NAMELESS = "–"
"""Where a heading has no words; PDF/UA has none without."""

Spelling = Callable[[str], str]


def make(report: SignedReport, standards: tuple[str, ...] = STANDARDS) -> bytes:
    """The whole document. Its dates are those of the newest signature."""
    report = cleaned(report)
    for spelling in (drawable, plainest):
        with contextlib.suppress(typst.TypstError):
            return _compiled(report, spelling, standards)
    return _compiled(report, barest, standards)


def _compiled(report: SignedReport, spelling: Spelling, standards: tuple[str, ...]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="farview-pdf-") as name:
        folder = Path(name)
        (folder / "sheet.typ").write_bytes(TEMPLATE.read_bytes())
        (folder / "sheet.json").write_text(json.dumps(_data(report, folder, spelling)), encoding="utf-8")
        made = typst.compile(
            folder / "sheet.typ",
            root=folder,
            font_paths=_fonts(),
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=cast(Any, list(standards)),
            timestamp=signed_at(report),
        )
        return bytes(made)


@lru_cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])


def signed_at(report: SignedReport) -> datetime:
    """Of the newest signature on it, to the second."""
    signatures = [*report.signatures, *(one.signature for one in report.addenda)]
    newest = max((one.at for one in signatures), default=datetime(1970, 1, 1, tzinfo=UTC))
    return newest.astimezone(UTC).replace(microsecond=0)


def _data(report: SignedReport, folder: Path, spelling: Spelling) -> dict[str, Any]:
    """What the template reads; the pictures lie beside it."""
    sheet = sheet_of(report)
    at = signed_at(report)
    told = asdict(replace(sheet, figures=())) | {
        "running": [_short(sheet.patient), _short(sheet.title)],
        "authors": list(dict.fromkeys(one.name or one.username for one in report.signatures)),
        "date": {name: getattr(at, name) for name in ("year", "month", "day", "hour", "minute", "second")},
        "lang": sheet.language.partition("-")[0],
        "region": "CN" if sheet.language == "zh-Hans" else None,
        "fonts": list(FAMILIES),
        "figures": [_figure(one, folder, spelling) for one in sheet.figures],
    }
    spelled: dict[str, Any] = _spelled(told, spelling)
    for titled in (spelled, *spelled["parts"]):
        titled["title"] = titled["title"].strip() or NAMELESS
    return spelled


def _short(text: str) -> str:
    """What has to fit on one line of every page."""
    line = " ".join(text.split())
    return line if len(line) <= RUNNING else f"{line[: RUNNING - 1]}…"


def _figure(figure: Figure, folder: Path, spelling: Spelling) -> dict[str, Any]:
    file, drawing = f"{figure.number}.png", f"{figure.number}.svg"
    (folder / file).write_bytes(figure.picture.png)
    drawn = overlay(figure.picture, spelling)
    if drawn:
        (folder / drawing).write_text(drawn, encoding="utf-8")
    return {
        "file": file,
        "overlay": drawing if drawn else None,
        "caption": ": ".join(filter(None, (figure.title, figure.caption))),
        "values": list(figure.values),
        "origin": figure.origin,
        "note": figure.note,
    }


def _spelled(value: Any, spelling: Spelling) -> Any:
    if isinstance(value, str):
        return spelling(value)
    if isinstance(value, dict):
        return {key: _spelled(inner, spelling) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(one, spelling) for one in value]
    return value
