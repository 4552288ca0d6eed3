"""What a client accepts (RFC 9110 12.5.1, PS3.18 8.3.3, 8.7): media types with their parameters, the most wanted first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rest_framework.response import Response

MOST = 64
"""Media types of one request; further ones are not looked at."""
MULTIPART = "multipart/related"
ANY = "*/*"


@dataclass(frozen=True, slots=True)
class Accepted:
    """One media type that is welcome."""

    media_type: str
    """Of the single part, or of each part: lower case, wildcards as they are; "*/*" where a multipart names none."""
    multipart: bool | None
    """None: either."""
    parameters: Mapping[str, str]
    quality: float = 1.0

    @property
    def transfer_syntax(self) -> str | None:
        """A UID, "*", or None where nothing is said."""
        return self.parameters.get("transfer-syntax") or None

    def covers(self, media_type: str) -> bool:
        """Whether `media_type`, written without parameters, is one of those meant."""
        if self.media_type == ANY:
            return True
        kind, _, name = self.media_type.partition("/")
        return self.media_type == media_type or (name == "*" and media_type.startswith(f"{kind}/"))


def accepted(header: str, parameter: str = "") -> list[Accepted]:
    """The media types of an Accept header, those of the query parameter `accept` (PS3.18 8.3.3.1) before them; of those
    wanted equally the more particular one first, then in the order of the client. Nothing said: anything is welcome."""
    found = [one for text in (parameter, header) for one in _parsed(text)][:MOST]
    if not found:
        return [Accepted(ANY, None, {})]
    found = [one for one in found if one.quality > 0]
    return sorted(found, key=lambda one: (-one.quality, one.media_type.count("*")))


def _parsed(text: str) -> Iterator[Accepted]:
    for entry in split(text, ","):
        name, *rest = (part.strip() for part in split(entry, ";"))
        parameters = dict(map(_parameter, rest))
        try:
            quality = min(1.0, max(0.0, float(parameters.pop("q", "1"))))
        except ValueError:
            quality = 0.0
        name = name.lower()
        if name == MULTIPART or name == "multipart/*":
            inner = (parameters.pop("type", "") or ANY).lower()
            # Some write parameters of the inner type within its quotes.
            inner, *more = (part.strip() for part in inner.split(";"))
            yield Accepted(inner, True, dict(map(_parameter, more)) | parameters, quality)
        elif "/" in name:
            yield Accepted(name, None if name == ANY else False, parameters, quality)


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip().strip('"').replace('\\"', '"')


def split(text: str, sign: str) -> Iterator[str]:
    """The parts of a header between `sign`, none of which stands within quotes; empty ones are left out."""
    part, quoted, escaped = "", False, False
    for letter in text:
        if escaped:
            escaped = False
        elif letter == "\\" and quoted:
            escaped = True
        elif letter == '"':
            quoted = not quoted
        elif letter == sign and not quoted:
            if part.strip():
                yield part.strip()
            part = ""
            continue
        part += letter
    if part.strip():
        yield part.strip()


def not_acceptable(available: list[str]) -> Response:
    """406, with what can be had."""
    detail = "This cannot be given in any of the media types and transfer syntaxes that are accepted."
    return Response({"detail": detail, "available": available}, status=406)
