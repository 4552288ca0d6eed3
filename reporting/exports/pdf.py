"""A signed report as PDF/A-2a and PDF/UA-1: tagged, every font inside it, the same bytes for the same report.

Typst lays it out (docs/decisions). The report goes in as JSON and its pictures as bytes beside it, all in memory: nothing of a
patient lies in a folder that a killed server leaves behind. No text of it is ever markup.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import typst

from reporting.exports.cleaning import cleaned
from reporting.exports.document import Picture, SignedReport
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
Files = dict[str, bytes]
"""Name -> content of what Typst reads."""


def make(report: SignedReport, standards: tuple[str, ...] = STANDARDS) -> bytes:
    """The whole document. Its dates are those of the newest signature."""
    report = cleaned(report)
    for spelling in (drawable, plainest):
        with contextlib.suppress(typst.TypstError):
            return _compiled(report, spelling, standards)
    return _compiled(report, barest, standards)


def _compiled(report: SignedReport, spelling: Spelling, standards: tuple[str, ...]) -> bytes:
    files: Files = {}
    data = _data(report, files, spelling)
    files |= {"main.typ": TEMPLATE.read_bytes(), "sheet.json": json.dumps(data).encode()}
    made = typst.compile(
        files,
        root=FONTS,  # where it may look for other files: nothing of ours lies there but fonts
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


def _data(report: SignedReport, files: Files, spelling: Spelling) -> dict[str, Any]:
    """What the template reads; the pictures are put beside it, into `files`."""
    sheet = sheet_of(report)
    at = signed_at(report)
    told = asdict(replace(sheet, figures=())) | {
        "running": [_short(sheet.patient), _short(sheet.title)],
        "authors": list(dict.fromkeys(one.name or one.username for one in report.signatures)),
        "date": {name: getattr(at, name) for name in ("year", "month", "day", "hour", "minute", "second")},
        "lang": sheet.language.partition("-")[0],
        "region": "CN" if sheet.language == "zh-Hans" else None,
        "fonts": list(FAMILIES),
        "figures": [_figure(one, files, spelling) for one in sheet.figures],
    }
    spelled: dict[str, Any] = _spelled(told, spelling)
    for titled in (spelled, *spelled["parts"]):
        titled["title"] = titled["title"].strip() or NAMELESS
    return spelled


def _short(text: str) -> str:
    """What has to fit on one line of every page."""
    line = " ".join(text.split())
    return line if len(line) <= RUNNING else f"{line[: RUNNING - 1]}…"


def _figure(figure: Figure, files: Files, spelling: Spelling) -> dict[str, Any]:
    file, drawing = f"{figure.number}.svg", f"{figure.number}-lines.svg"
    files[file] = _as_text(figure.picture)
    drawn = overlay(figure.picture, spelling)
    if drawn:
        files[drawing] = drawn.encode()
    return {
        "file": file,
        "overlay": drawing if drawn else None,
        "caption": ": ".join(filter(None, (figure.title, figure.caption))),
        "values": list(figure.values),
        "origin": figure.origin,
        "note": figure.note,
    }


def _as_text(picture: Picture) -> bytes:
    """The very PNG inside an SVG of its size: what Typst is given in memory has to be text."""
    width, height = picture.columns, picture.rows
    data = base64.b64encode(picture.png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/></svg>'
    ).encode()


def _spelled(value: Any, spelling: Spelling) -> Any:
    if isinstance(value, str):
        return spelling(value)
    if isinstance(value, dict):
        return {key: _spelled(inner, spelling) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(one, spelling) for one in value]
    return value
