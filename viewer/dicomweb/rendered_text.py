"""Objects that are no images, rendered (PS3.18 8.7.4, category Text): a report as a page or as lines, a PDF as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Final

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request

from viewer.archive.ingest import limits
from viewer.dicom.apart import Waiting
from viewer.dicom.documents import DOCUMENTS, PDF, encapsulated, kind_of
from viewer.dicom.errors import DicomError
from viewer.dicom.report_apart import report_of
from viewer.dicom.structured_report import Report, written_date
from viewer.dicomweb.accepting import Accepted
from viewer.dicomweb.selecting import Leaving
from viewer.engine.errors import Busy, CannotDraw

HTML: Final = "text/html"
PLAIN: Final = "text/plain"
OF_PDF: Final = "application/pdf"
LARGEST: Final = 256 << 20
"""Bytes of a PDF."""
SANDBOX: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""What stands in a file may neither run nor load anything."""


def types_of(leaving: Sequence[Leaving]) -> tuple[str, ...]:
    """The media types of one object that is read, not looked at; the first where the client does not mind."""
    if len(leaving) != 1:
        return ()
    kind = kind_of(leaving[0].instance.sop_class_uid)
    return (HTML, PLAIN) if kind in DOCUMENTS else (OF_PDF,) if kind == PDF else ()


def wished(wishes: Sequence[Accepted], types: Sequence[str]) -> str | None:
    """The most wanted of the types."""
    alone = (wish for wish in wishes if wish.multipart is not True)
    return next((name for wish in alone for name in types if wish.covers(name)), None)


async def as_text(request: Request, leaving: Leaving, media_type: str) -> HttpResponseBase:
    """Raises CannotDraw, Busy."""
    person = list(_person(leaving))
    etag = f'"{leaving.etag(media_type, repr(person))}"'
    response: HttpResponseBase | None = get_conditional_response(request._request, etag=etag)
    if response is None:
        content = await asyncio.to_thread(_content, leaving, media_type, person)
        kind = media_type if media_type == OF_PDF else f"{media_type}; charset=utf-8"
        response = HttpResponse(content, content_type=kind)
        response["Content-Security-Policy"] = SANDBOX
        response["Content-Location"] = f"{leaving.address}/rendered"
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def _content(leaving: Leaving, media_type: str, person: list[tuple[str, str]]) -> bytes:
    try:
        if media_type == OF_PDF:
            return _pdf(leaving)
        report = report_of(leaving.path, limits())
    except Waiting as problem:
        raise Busy(str(problem)) from None
    except (DicomError, OSError) as problem:
        reason = problem.reason if isinstance(problem, DicomError) else "The file cannot be read."
        raise CannotDraw("cannot_show", reason) from None
    write = _page if media_type == HTML else _lines
    return "".join(write(report, [*person, *report.facts])).encode("utf-8", "replace")


def _pdf(leaving: Leaving) -> bytes:
    found = encapsulated(leaving.path, limits())
    if found.length > LARGEST:
        raise CannotDraw("too_large", "The document is too large to be shown.")
    with leaving.path.open("rb") as file:
        content = found.read(file)
    if not content.startswith(b"%PDF-"):
        raise CannotDraw("cannot_show", "The document does not begin as a PDF does, so it is not given out as one.")
    return content


def _person(leaving: Leaving) -> Iterator[tuple[str, str]]:
    """Of whom the object is, as corrected."""
    study = leaving.instance.series.study
    stated = study.stated_patient
    yield "Patient's Name", stated["name"]
    yield "Patient ID", study.patient.patient_id
    yield "Patient's Birth Date", written_date(stated["birth_date"])
    yield "Accession Number", study.accession_number
    yield "Study Date", written_date(study.date)


def _lines(report: Report, facts: list[tuple[str, str]]) -> Iterator[str]:
    yield f"{report.title}\n\n"
    for name, value in facts:
        if value:
            yield f"{name}: {value}\n"
    yield "\n"
    for node, depth in _walk(report.tree):
        indent = "  " * max(0, depth - 1)
        said = _said(node).replace("\n", f"\n{indent}  ")
        yield f"{indent}{': '.join(part for part in (node['name'], said) if part)}\n"
    for note in report.notes:
        yield f"\n{note}\n"


def _page(report: Report, facts: list[tuple[str, str]]) -> Iterator[str]:
    title = escape(report.title)
    yield f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{title}</title>'
    yield "<style>body{font-family:sans-serif;max-width:60em;margin:1em auto}p{white-space:pre-wrap;margin:.2em 0}</style>"
    yield f"</head><body><h1>{title}</h1><dl>\n"
    for name, value in facts:
        if value:
            yield f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n"
    yield "</dl>\n"
    for node, depth in _walk(report.tree):
        name, value = escape(node["name"]), escape(_said(node))
        if node["type"] == "container" and name:
            heading = min(depth + 1, 6)
            yield f"<h{heading}>{name}</h{heading}>\n"
        elif name or value:
            named = f"<b>{name}:</b> " if name else ""
            yield f'<p style="margin-left:{max(0, depth - 1)}em">{named}{value}</p>\n'
    for note in report.notes:
        yield f"<p><i>{escape(note)}</i></p>\n"
    yield "</body></html>\n"


def _walk(tree: dict[str, Any]) -> Iterator[tuple[dict[str, Any], int]]:
    """The content items below the title, each with its depth, in the order of the report."""
    waiting = [(node, 1) for node in reversed(tree.get("children", []))]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(child, depth + 1) for child in reversed(node.get("children", []))]


def _said(node: dict[str, Any]) -> str:
    """What a content item says, with its unit and qualifier; of a reference the object and its frame."""
    pointed = node.get("reference")
    if pointed:
        frame = f", {pointed['frame_number']}" if pointed["frame_number"] else ""
        return f"{pointed['sop_instance_uid']}{frame}"
    parts = (node.get("value", ""), node.get("unit", ""), node.get("qualifier", ""))
    return " ".join(part for part in parts if part)
