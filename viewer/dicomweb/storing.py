"""STOW-RS (PS3.18 10.5): instances in a multipart body, each answered for itself once it is durable.

The body lies in a file before it comes here (viewer.serving.body): admitted, counted and spooled without being held.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from asgiref.sync import sync_to_async
from django.conf import settings
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Organization
from accounts.origin import client_address
from viewer.api.uploads import organization_for
from viewer.archive.ingest import Outcome, ingest, note_refusals
from viewer.archive.rows import DatabaseBusy, Sender
from viewer.archive.sources import Left, Source, open_plainly
from viewer.archive.storage import StorageFull
from viewer.dicom.read import ParsedInstance
from viewer.dicomweb import json_in, xml_in
from viewer.dicomweb.doors import DicomWebDoor
from viewer.dicomweb.json_in import BadInstance, identity_of
from viewer.dicomweb.multipart_in import BadMultipart, Part, Slice, media_type_of, parts
from viewer.dicomweb.xml_in import DICOM_XML

DICOM, DICOM_JSON = "application/dicom", "application/dicom+json"
CHUNK = 1 << 20
OUT_OF_RESOURCES, WRONG_STUDY, CANNOT_UNDERSTAND, DUPLICATE = 0xA700, 0xA900, 0xC000, 0x0111
"""Failure reasons (PS3.18 10.5.3.2, PS3.4 B.2.3, PS3.7 C.4)."""


class AsItIs(BaseParser):
    """The body is no form: it is left where it lies."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return stream


@dataclass(slots=True)
class Said:
    """What is to be answered."""

    stored: list[Outcome] = field(default_factory=list)
    failed: list[tuple[str, str, int, str]] = field(default_factory=list)
    """SOP Class UID, SOP Instance UID, failure reason, words."""
    full: str = ""

    @property
    def status(self) -> int:
        if self.full and not self.stored:
            return 507
        if self.failed or self.full:
            return 202 if self.stored else 409
        return 200


class Store(DicomWebDoor):
    """`POST /studies` and `/studies/{study}`: multipart/related of application/dicom, application/dicom+json or
    application/dicom+xml, or one application/dicom."""

    parser_classes = [AsItIs]

    async def post(self, request: Request, study_instance_uid: str = "") -> Response:
        organization = await sync_to_async(organization_for)(request)
        said = await sync_to_async(_stored)(request, organization, study_instance_uid)
        response = Response(_answer(said), status=said.status, content_type=DICOM_JSON)
        if warnings := _warnings(said):
            response["Warning"] = warnings
        return response


def _stored(request: Request, organization: Organization, study_instance_uid: str) -> Said:
    media_type, parameters = media_type_of(request.headers.get("Content-Type", ""))
    sender = Sender(organization, request.user, "stow", client_address(request))
    said, told = Said(), list[Outcome]()
    with contextlib.ExitStack() as kept:
        file = _body(request, kept)
        try:
            sources = _sources(media_type, parameters, file, said, kept)
            for outcome in ingest(sources, sender, unwanted=partial(_of_another_study, study_instance_uid)):
                told.append(outcome)
                _sort(outcome, said)
        except (StorageFull, DatabaseBusy) as problem:
            said.full = str(problem)
        except BadMultipart as problem:
            if not told:
                raise ParseError(str(problem)) from None
            said.failed.append(("", "", CANNOT_UNDERSTAND, str(problem)))
        finally:
            note_refusals(told, sender)
    if not told and not said.failed and not said.full:
        raise ParseError("No instance came.")
    return said


def _of_another_study(wanted: str, parsed: ParsedInstance) -> str:
    found = parsed.study.study_instance_uid
    return OTHER_STUDY if wanted and found != wanted else ""


OTHER_STUDY = "belongs to another study than the address names"


def _sort(outcome: Outcome, said: Said) -> None:
    if outcome.outcome in ("stored", "duplicate"):
        said.stored.append(outcome)
        return
    reason = WRONG_STUDY if outcome.reason == OTHER_STUDY else FAILURES.get(outcome.outcome, CANNOT_UNDERSTAND)
    said.failed.append((outcome.sop_class_uid, outcome.sop_instance_uid, reason, outcome.reason))


FAILURES = {"conflict": DUPLICATE, "refused": CANNOT_UNDERSTAND, "skipped": CANNOT_UNDERSTAND}


# --- the body


def _body(request: Request, kept: contextlib.ExitStack) -> BinaryIO:
    """The body as a file that can be read from anywhere."""
    stream = getattr(request._request, "_stream", None)
    if getattr(stream, "seekable", lambda: False)():
        return cast(BinaryIO, stream)
    file = tempfile.TemporaryFile(dir=settings.FARVIEW_TMP_DIR)  # noqa: SIM115 - outlives this
    kept.callback(file.close)
    while chunk := request._request.read(CHUNK):
        if file.tell() + len(chunk) > settings.FARVIEW_MAX_ZIP_BYTES:
            raise TooLong
        file.write(chunk)
    return cast(BinaryIO, file)


class TooLong(APIException):
    status_code = 413
    default_detail = "The body is larger than this server takes at once."


def _sources(
    media_type: str, parameters: dict[str, str], file: BinaryIO, said: Said, kept: contextlib.ExitStack
) -> Iterator[Source | Left]:
    if media_type == DICOM:
        return iter([_source(file, Part(DICOM, {}, "", 0, file.seek(0, 2)), "instance")])
    make = KINDS.get(parameters.get("type", DICOM).lower()) if media_type == "multipart/related" else None
    if make is None:
        raise UnsupportedMediaType(media_type or "none", f"Send multipart/related of {' or '.join(KINDS)}.")
    return make(file, parts(file, parameters.get("boundary", ""), settings.FARVIEW_MAX_ZIP_ENTRIES), said, kept)


def _files(file: BinaryIO, found: Iterator[Part], said: Said, kept: contextlib.ExitStack) -> Iterator[Source | Left]:
    for number, part in enumerate(found, 1):
        if part.media_type in (DICOM, "application/octet-stream"):
            yield _source(file, part, f"part {number}")
        else:
            yield Left(f"part {number}", f"is {part.media_type[:80]}, not {DICOM}", refused=True)


def _source(file: BinaryIO, part: Part, name: str) -> Source:
    def opened() -> contextlib.AbstractContextManager[BinaryIO]:
        return contextlib.nullcontext(cast(BinaryIO, Slice(file, part.offset, part.length)))

    return Source(name, part.length, opened, alone=True)


def _described(
    file: BinaryIO, found: Iterator[Part], said: Said, kept: contextlib.ExitStack
) -> Iterator[Source | Left]:
    """Instances as DICOM JSON, all of them in the first part."""
    metadata, *bulk = list(found)
    if metadata.media_type not in (DICOM_JSON, "application/json"):
        raise BadMultipart(f"the first part is not {DICOM_JSON}")
    yield from _written(file, json_in.datasets(file, metadata), bulk, said, kept)


def _described_in_xml(
    file: BinaryIO, found: Iterator[Part], said: Said, kept: contextlib.ExitStack
) -> Iterator[Source | Left]:
    """Instances as the Native DICOM Model, each in a part of its own."""
    described: list[Part] = []
    bulk: list[Part] = []
    for part in found:
        (described if part.media_type in (DICOM_XML, "application/xml", "text/xml") else bulk).append(part)
    if not described:
        raise BadMultipart(f"no part is {DICOM_XML}")
    yield from _written(file, (xml_in.dataset(file, part) for part in described), bulk, said, kept)


def _written(
    file: BinaryIO, datasets: Iterable[dict[str, Any]], bulk: list[Part], said: Said, kept: contextlib.ExitStack
) -> Iterator[Source | Left]:
    """Each becomes a file in a folder of the request."""
    folder = Path(kept.enter_context(tempfile.TemporaryDirectory(dir=settings.FARVIEW_TMP_DIR, suffix=".upload")))
    for number, dataset in enumerate(datasets, 1):
        path = folder / f"{number}.dcm"
        try:
            json_in.write(dataset, file, bulk, path)
        except BadInstance as problem:
            sop_class_uid, sop_instance_uid = identity_of(problem.dataset)
            said.failed.append((sop_class_uid, sop_instance_uid, CANNOT_UNDERSTAND, str(problem)))
            continue
        yield Source(f"instance {number}", path.stat().st_size, partial(open_plainly, path), alone=True)


Made = Callable[[BinaryIO, Iterator[Part], Said, contextlib.ExitStack], Iterator[Source | Left]]
KINDS: dict[str, Made] = {DICOM: _files, DICOM_JSON: _described, DICOM_XML: _described_in_xml}


# --- the answer (PS3.18 table 10.5.3-1)


def _answer(said: Said) -> dict[str, Any]:
    root = f"{settings.FARVIEW_PUBLIC_URL}/dicom-web"
    studies = {one.study_instance_uid for one in said.stored}
    answer: dict[str, Any] = {}
    if len(studies) == 1:
        answer["00081190"] = {"vr": "UR", "Value": [f"{root}/studies/{studies.pop()}"]}
    failed = [_identified(kind, uid) | _reason(reason) for kind, uid, reason, _ in said.failed if uid]
    other = [_reason(reason) for _, uid, reason, _ in said.failed if not uid]
    if said.full:
        other.append(_reason(OUT_OF_RESOURCES))
    sequences = {
        "00081198": failed,
        "00081199": [_reference(root, one) for one in said.stored],
        "0008119A": other,
    }
    return answer | {tag: {"vr": "SQ", "Value": items} for tag, items in sequences.items() if items}


def _reference(root: str, one: Outcome) -> dict[str, Any]:
    address = (
        f"{root}/studies/{one.study_instance_uid}/series/{one.series_instance_uid}/instances/{one.sop_instance_uid}"
    )
    return _identified(one.sop_class_uid, one.sop_instance_uid) | {"00081190": {"vr": "UR", "Value": [address]}}


def _identified(sop_class_uid: str, sop_instance_uid: str) -> dict[str, Any]:
    return {
        "00081150": {"vr": "UI", **({"Value": [sop_class_uid]} if sop_class_uid else {})},
        "00081155": {"vr": "UI", "Value": [sop_instance_uid]},
    }


def _reason(reason: int) -> dict[str, Any]:
    return {"00081197": {"vr": "US", "Value": [reason]}}


def _warnings(said: Said) -> str:
    """What a person can do something with, as the Warning header (PS3.18 8.4.2): the data set has no place for words."""
    words = [one[3] for one in said.failed] + ([said.full] if said.full else [])
    few = list(dict.fromkeys(words))[:WARNINGS]
    return ", ".join(f'299 farview "{_quotable(one)}"' for one in few)


def _quotable(words: str) -> str:
    return "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\' else "?" for letter in words
    )


WARNINGS = 5
