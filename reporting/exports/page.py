"""A signed report as HTML: a fragment for our pages, or one self-contained file that loads nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from html import escape
from pathlib import Path

from reporting.exports.cleaning import cleaned
from reporting.exports.document import Picture, SignedReport
from reporting.exports.overlay import overlay
from reporting.exports.sheet import Added, Banner, Figure, Line, Part, Sheet, sheet_of

MEDIA_TYPE = "text/html; charset=utf-8"
SHEET = Path(__file__).parents[2] / "static" / "reporting" / "signed_report.css"
"""The same sheet that our pages link to."""

Address = Callable[[Picture], str]


def make(report: SignedReport) -> bytes:
    """The whole document in UTF-8, pictures inside it."""
    sheet = sheet_of(cleaned(report))
    style, policy = _style()
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{escape(sheet.title)} · {escape(sheet.patient)}</title><style>{style}</style>"
    )
    body = _body(sheet, inline)
    language = escape(sheet.language)
    return f'<!DOCTYPE html>\n<html lang="{language}"><head>{head}</head><body>\n{body}\n</body></html>\n'.encode()


def body(report: SignedReport, address: Address) -> str:
    """What a page of ours shows; `address` says where a picture is. The page links reporting/signed_report.css."""
    return _body(sheet_of(cleaned(report)), address)


def inline(picture: Picture) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.png).decode()


@lru_cache
def _style() -> tuple[str, str]:
    """The style sheet with the tokens it uses, and the policy that lets this one in and nothing else."""
    style = f"{_TOKENS}\n{SHEET.read_text(encoding='utf-8')}"
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return style, f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


_TOKENS = """:root{color-scheme:light dark;--pane:#000;--page:light-dark(#fff,#0b0d10);--line:light-dark(#ccd4dc,#2a323b);
--edge:light-dark(#7b8794,#5d6873);--text:light-dark(#14191f,#e6eaee);--quiet:light-dark(#505c68,#9aa5b1);
--preview:light-dark(#8a5a00,#f5b942);--danger:light-dark(#c02626,#ff5d5d);--size-small:.8rem;--size-read:1rem;
--size-title:1.2rem;--strong:600;--s1:4px;--s2:8px;--s3:12px;--s4:16px;--s6:24px;--s12:48px;--radius:4px;--hair:1px;
--rule:2px;--measure:640px}
body{margin:0;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,-apple-system,"Segoe UI","Noto Sans",
"Noto Sans CJK SC","Liberation Sans",sans-serif;font-variant-numeric:tabular-nums}
@page{margin:18mm 16mm}
@media print{:root{color-scheme:light}body{font-size:10.5pt}}"""


def _body(sheet: Sheet, address: Address) -> str:
    return "\n".join(filter(None, _parts(sheet, address)))


def _parts(sheet: Sheet, address: Address) -> Iterable[str]:
    yield f'<article class="signed-report" lang="{escape(sheet.language)}">'
    yield _header(sheet)
    yield from map(_banner, sheet.banners)
    yield f'<h1 dir="auto">{escape(sheet.title)}</h1>'
    yield "<dl>" + "".join(map(_fact, sheet.facts)) + "</dl>"
    for part in sheet.parts:
        yield _part(part, sheet)
    yield from (_added(added, sheet) for added in sheet.addenda)
    if sheet.figures:
        shown = "".join(_figure(one, address) for one in sheet.figures)
        yield f'<section><h2>{escape(sheet.figures_title)}</h2><div class="figures">{shown}</div></section>'
    if sheet.criticals:
        yield f"<section><h2>{escape(sheet.criticals_title)}</h2>{_list(sheet.criticals)}</section>"
    if sheet.signatures:
        yield f'<section class="signatures"><h2>{escape(sheet.signatures_title)}</h2>{_list(sheet.signatures)}</section>'
    footer = f'<p class="lines">{escape(sheet.footer)}</p>' if sheet.footer else ""
    yield f'<footer class="quiet">{footer}<p>{escape(sheet.identity)}</p></footer></article>'


def _header(sheet: Sheet) -> str:
    letterhead = f'<span class="lines">{escape(sheet.letterhead)}</span>' if sheet.letterhead else ""
    address = f'<p class="lines quiet">{escape(sheet.address)}</p>' if sheet.address else ""
    return f'<header dir="auto"><p><strong>{escape(sheet.site)}</strong>{letterhead}</p>{address}</header>'


def _banner(banner: Banner) -> str:
    detail = f' <span dir="auto">{escape(banner.detail)}</span>' if banner.detail else ""
    return f'<p class="state {escape(banner.kind)}"><strong>{escape(banner.words)}</strong>{detail}</p>'


def _fact(line: Line) -> str:
    return f'<dt>{escape(line.label)}</dt><dd class="lines" dir="auto">{escape(line.text)}</dd>'


def _part(part: Part, sheet: Sheet) -> str:
    lines = "".join(_line(line) for line in part.lines)
    heading = f"h{part.level + 1}"
    title = f'<{heading} dir="auto">{escape(part.title)}</{heading}>'
    return f'<section lang="{escape(sheet.text_language)}">{title}{lines}</section>'


def _line(line: Line) -> str:
    label = f"<b>{escape(line.label)}:</b> " if line.label else ""
    links = "".join(f' <a href="#signed-picture-{number}">[{number}]</a>' for number in line.pictures)
    return f'<p class="lines" dir="auto">{label}{escape(line.text)}{links}</p>'


def _added(added: Added, sheet: Sheet) -> str:
    text = f'<p class="lines" dir="auto" lang="{escape(sheet.text_language)}">{escape(added.text)}</p>'
    return f'<section><h2>{escape(added.title)}</h2>{text}<p class="quiet">{escape(added.signature)}</p></section>'


def _figure(figure: Figure, address: Address) -> str:
    picture = figure.picture
    caption = ": ".join(filter(None, (figure.title, figure.caption)))
    size = f'width="{picture.columns}" height="{picture.rows}"'
    values = "".join(f'<p dir="auto">{escape(one)}</p>' for one in figure.values)
    note = f"<p><strong>{escape(figure.note)}</strong></p>" if figure.note else ""
    return (
        f'<figure id="signed-picture-{figure.number}"><div class="picture">'
        f'<img src="{escape(address(picture))}" alt="{escape(caption)}" {size}>{overlay(picture)}</div>'
        f'<figcaption><p class="lines" dir="auto">{escape(caption)}</p>{values}{note}'
        f'<p class="quiet" title="{escape(picture.sha256)}">{escape(figure.origin)}</p></figcaption></figure>'
    )


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f'<li dir="auto">{escape(line)}</li>' for line in lines) + "</ul>"
