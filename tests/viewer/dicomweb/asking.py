"""Asking the doors of DICOMweb as a client does, and taking apart what they answer with Python's own MIME parser."""

from __future__ import annotations

import email.parser
import email.policy
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.test import AsyncClient, Client

from accounts.models import Membership, Organization, Role, User
from viewer.archive.ingest import ingest_file
from viewer.dicom.errors import DicomError
from viewer.dicom.read import read_instance
from viewer.models import Instance

numbers = count(1)


@dataclass(frozen=True)
class Answer:
    response: HttpResponse
    body: bytes

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def type(self) -> str:
        return self.response["Content-Type"]

    @property
    def parts(self) -> list[tuple[str, str, bytes]]:
        """(media type, location, content) of each part."""
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
            b"Content-Type: " + self.type.encode() + b"\r\n\r\n" + self.body
        )
        assert message.is_multipart()
        assert not message.defects
        return [
            (plain(part["Content-Type"]), part["Content-Location"], part.get_payload(decode=True))
            for part in message.iter_parts()
        ]


def plain(media_type: str) -> str:
    """As the server writes it: the parser puts in spaces and quotes of its own."""
    return media_type.replace("; ", ";").replace('"', "")


def ask(client: Client, address: str, accept: str | None = None, **headers: str) -> Answer:
    async def answered() -> Answer:
        asynchronous = AsyncClient()
        asynchronous.cookies = client.cookies
        given = headers | ({"Accept": accept} if accept else {})
        answer = await asynchronous.get(address, headers=given)
        if not answer.streaming:
            return Answer(answer, answer.content)
        return Answer(answer, b"".join([piece async for piece in answer.streaming_content]))

    return async_to_sync(answered)()


def address(instance: Instance, more: str = "") -> str:
    series = instance.series
    return (
        f"/dicom-web/studies/{series.study.study_instance_uid}/series/{series.series_instance_uid}"
        f"/instances/{instance.sop_instance_uid}{more}"
    )


def stored(path: Path, organization: Organization) -> Instance:
    outcome = ingest_file(path, organization, "ingest", "")
    assert outcome.outcome == "stored", outcome.reason
    return Instance.objects.select_related("series__study").get(
        organization=organization, sop_instance_uid=read_instance(path).sop_instance_uid
    )


def each_alone(paths: Iterable[Path], reader: str) -> Iterable[tuple[Path, Instance, dict[str, Any]]]:
    """(file, its row, the query that names its organization): sets of one image in every syntax share UIDs."""
    for path in paths:
        try:
            if read_instance(path).is_directory:
                continue
        except DicomError:
            continue
        organization = Organization.objects.create(name=f"alone-{next(numbers)}")
        Membership.objects.create(
            user=User.objects.get(username=reader), organization=organization, role=Role.RADIOLOGIST
        )
        yield path, stored(path, organization), {"organization": organization.name}
