"""What this server can do, told to machines (PS3.18 8.9, H): WADL, or the same in JSON.

Made from the addresses and the methods that there are, so that it cannot say otherwise than the code does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from django.http import HttpResponse
from pydicom.datadict import keyword_for_tag
from rest_framework.exceptions import NotAcceptable
from rest_framework.request import Request

from viewer.archive.matching import ATTRIBUTES, SEQUENCES
from viewer.dicomweb.accepting import accepted
from viewer.dicomweb.doors import DicomWebDoor
from viewer.dicomweb.media_types import DICOM, ENCAPSULATED, OCTETS
from viewer.dicomweb.metadata_types import JSON, XML, root_of
from viewer.dicomweb.rendering import MEDIA_TYPES, RENDERED

WADL: Final = "application/vnd.sun.wadl+xml"
NAMESPACE: Final = "http://wadl.dev.java.net/2009/02"
TOLD: Final = ("GET", "POST", "DELETE")
BOTH_MODELS: Final = (JSON, f'multipart/related; type="{XML}"')
FRAME_TYPES: Final = (OCTETS, *sorted(set(ENCAPSULATED.values())))
SEARCH: Final = ("limit", "offset", "fuzzymatching", "includefield")

Method = dict[str, Any]
"""{"name", "query": names of parameters, "consumes", "produces": media types}."""


class Capabilities(DicomWebDoor):
    """`OPTIONS /dicom-web/` and `GET /dicom-web/capabilities`."""

    async def get(self, request: Request, **uids: str) -> HttpResponse:
        root = f"{root_of(request)}/dicom-web"
        for wish in accepted(request.headers.get("Accept", ""), request.query_params.get("accept", "")):
            if wish.multipart:
                continue
            if wish.covers(WADL):
                return HttpResponse(wadl(root), content_type=WADL)
            if wish.covers("application/json"):
                return HttpResponse(
                    json.dumps({"base": root, "resources": resources()}), content_type="application/json"
                )
        raise NotAcceptable(f"The capabilities can be had as {WADL} or application/json.")

    async def options(self, request: Request, **uids: str) -> HttpResponse:
        return await self.get(request, **uids)


def resources() -> list[dict[str, Any]]:
    """Every address below the root with its methods."""
    from viewer.dicomweb.urls import ROUTES  # the addresses name this door

    return [
        {"path": _template(address), "methods": [_method(name, door) for name in _methods(door)]}
        for address, door, _ in ROUTES
    ]


def _methods(door: type[Any]) -> Iterator[str]:
    for name in TOLD:
        if hasattr(door, name.lower()):
            yield name
    if door.options is Capabilities.options:
        yield "OPTIONS"


def _template(address: str) -> str:
    """`studies/<str:study_instance_uid>` as a URI template."""
    return address.replace("<str:", "{").replace("<path:", "{").replace(">", "}")


def _method(name: str, door: type[Any]) -> Method:
    told: Method = {"name": name}
    level = getattr(door, "level", None)
    if name == "GET" and level is not None:
        keys = [key for key in map(keyword_for_tag, sorted(ATTRIBUTES)) if key]
        for sequence, held in SEQUENCES.items():
            keys += [f"{keyword_for_tag(sequence)}.{keyword_for_tag(tag)}" for tag in held.columns]
        return told | {"query": [*SEARCH, *keys], "produces": list(BOTH_MODELS)}
    for method, kind, facts in FACTS:
        if method == name and any(base.__name__ == kind for base in door.__mro__):
            told |= facts
    return told


FACTS: tuple[tuple[str, str, dict[str, list[str]]], ...] = (
    ("GET", "Metadata", {"produces": list(BOTH_MODELS)}),
    ("GET", "Capabilities", {"produces": [WADL, "application/json"]}),
    ("OPTIONS", "Capabilities", {"produces": [WADL, "application/json"]}),
    (
        "GET",
        "BulkData",
        {"produces": ["application/octet-stream", 'multipart/related; type="application/octet-stream"']},
    ),
    ("GET", "Retrieve", {"produces": ["application/dicom", 'multipart/related; type="application/dicom"']}),
    (
        "GET",
        "Frames",
        {"produces": [f'multipart/related; type="{kind}"' for kind in FRAME_TYPES]},
    ),
    ("GET", "Rendered", {"produces": list(RENDERED)}),
    ("GET", "Thumbnail", {"produces": list(MEDIA_TYPES)}),
    (
        "POST",
        "Store",
        {
            "consumes": [*(f'multipart/related; type="{kind}"' for kind in (DICOM, JSON, XML)), DICOM],
            "produces": [JSON],
        },
    ),
)
"""(method, name of the class that answers it, media types)."""


def wadl(root: str) -> str:
    """The description as WADL."""
    found = "".join(_resource(one) for one in resources())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<application xmlns="{NAMESPACE}">'
        f"<resources base={quoteattr(root)}>{found}</resources></application>"
    )


def _resource(one: dict[str, Any]) -> str:
    names = [part.strip("{}") for part in one["path"].split("/") if part.startswith("{")]
    params = "".join(f'<param name={quoteattr(name)} style="template" required="true"/>' for name in names)
    methods = "".join(_wadl_method(method) for method in one["methods"])
    return f"<resource path={quoteattr(one['path'])}>{params}{methods}</resource>"


def _wadl_method(method: Method) -> str:
    asked = "".join(f'<param name={quoteattr(name)} style="query"/>' for name in method.get("query", ()))
    asked += "".join(f"<representation mediaType={quoteattr(kind)}/>" for kind in method.get("consumes", ()))
    told = "".join(f"<representation mediaType={quoteattr(kind)}/>" for kind in method.get("produces", ()))
    request = f"<request>{asked}</request>" if asked else ""
    response = f'<response status="200">{told}</response>' if told else ""
    return f'<method name="{method["name"]}">{request}{response}</method>'
