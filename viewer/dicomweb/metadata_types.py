"""In which model attributes are given out (PS3.18 8.7.4): JSON, or XML with one part for each object."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from rest_framework.exceptions import NotAcceptable
from rest_framework.request import Request

from viewer.dicomweb.accepting import accepted

JSON: Final = "application/dicom+json"
XML: Final = "application/dicom+xml"
PLAIN_JSON: Final = "application/json"


def chosen(request: Request) -> str:
    """JSON or XML, as the client accepts it; JSON is given its plain name to whoever asks by that. Raises NotAcceptable."""
    header = request.headers.get("Accept", "")
    for wish in accepted(header, request.query_params.get("accept", "")):
        if wish.media_type == PLAIN_JSON:
            return PLAIN_JSON
        if not wish.multipart and wish.covers(JSON):
            return JSON
        if wish.multipart is not False and wish.covers(XML):
            return XML
        if wish.media_type == XML:
            return XML
    raise NotAcceptable(f'Attributes can be had as {JSON}, or as multipart/related; type="{XML}".')


def root_of(request: Request) -> str:
    """Scheme and host of the addresses that are given out, as the client knows them. Some clients name the host without its
    port: then it is the one that this server is known by."""
    public = urlsplit(settings.FARVIEW_PUBLIC_URL)
    host = str(request.get_host())
    return str(settings.FARVIEW_PUBLIC_URL) if host == public.hostname else f"{request.scheme}://{host}"


def gzipped(request: Request) -> bool:
    """Whether the client takes gzip (RFC 9110 12.5.3)."""
    wanted = {one.partition(";")[0].strip(): one.partition(";")[2] for one in _codings(request)}
    parameters = wanted.get("gzip", wanted.get("*", "q=0"))
    return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")


def _codings(request: Request) -> list[str]:
    return str(request.headers.get("Accept-Encoding", "")).lower().split(",")


@dataclass(frozen=True, slots=True)
class Multipart:
    """XML documents in one answer (RFC 2387)."""

    boundary: str

    @classmethod
    def new(cls) -> Multipart:
        return cls(secrets.token_hex(16))

    @property
    def content_type(self) -> str:
        return f'multipart/related; type="{XML}"; boundary={self.boundary}'

    def pieces(self, documents: Iterable[str]) -> Iterator[bytes]:
        head = f"--{self.boundary}\r\nContent-Type: {XML}\r\n\r\n"
        for document in documents:
            yield f"{head}{document}\r\n".encode()
        yield f"--{self.boundary}--\r\n".encode()
