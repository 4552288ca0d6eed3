"""`manage.py add_peer`: let an application entity call, or change what it may."""

from __future__ import annotations

import ipaddress
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import audit
from accounts.models import Organization
from accounts.people import DEFAULT_ORGANIZATION, organization_named
from viewer.models import DicomPeer

ORIGIN = "command add_peer"
RIGHTS = ("store", "query", "retrieve", "commit")


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page; nothing here depends on them
    help = (
        "Let a DICOM peer call, or change one. What it sends belongs to its organization; unknown callers are refused. "
        "Naming an AE title again sets its host, port and rights anew."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ae_title", help="its AE title, 16 characters at most")
        parser.add_argument(
            "host", help="name or address that it calls from and is called at; or a network, 10.1.0.0/16"
        )
        parser.add_argument("port", nargs="?", type=int, help="where it listens; left out: it only calls")
        parser.add_argument(
            "--organization", default=DEFAULT_ORGANIZATION, help="whose it is; made when new (default: %(default)s)"
        )
        parser.add_argument(
            "--may",
            default="store",
            help=f"what it may do, of {','.join(RIGHTS)} (default: %(default)s; '' for nothing)",
        )

    def handle(self, *, ae_title: str, host: str, port: int | None, organization: str, may: str, **_: Any) -> None:
        rights = _rights(may)
        title = _title(ae_title)
        _check_host(host, port)
        try:
            with transaction.atomic():
                peer, made = _kept(title, host, port, rights, organization_named(organization))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        allowed = ", ".join(sorted(rights, key=RIGHTS.index)) or "nothing but C-ECHO"
        self.stdout.write(f"{peer}: {'made' if made else 'changed'}, may {allowed}, of {organization}")
        self.stdout.write(f"It calls {settings.FARVIEW_DICOM_AE_TITLE} at port {settings.FARVIEW_DICOM_PORT}.")


def _rights(may: str) -> set[str]:
    rights = {one.strip().lower() for one in may.split(",")} - {""}
    unknown = rights - set(RIGHTS)
    if unknown:
        raise CommandError(f"--may: there is no {', '.join(sorted(unknown))}; there are {', '.join(RIGHTS)}")
    return rights


def _title(text: str) -> str:
    title = text.strip()
    if not (0 < len(title) <= 16 and title.isascii() and title.isprintable() and "\\" not in title):
        raise CommandError("an AE title is 1 to 16 ASCII characters, without a backslash")
    return title


def _check_host(host: str, port: int | None) -> None:
    if not host.strip() or any(letter.isspace() for letter in host):
        raise CommandError("a host is a name, an address or a network as 10.1.0.0/16")
    if "/" in host:
        try:
            ipaddress.ip_network(host, strict=False)
        except ValueError as problem:
            raise CommandError(f"{host} is no network: {problem}") from problem
        if port is not None:
            raise CommandError("a network only calls: it has no port to be called at")
    if port is not None and not 0 < port < 65536:
        raise CommandError("a port is 1 to 65535")


def _kept(
    title: str, host: str, port: int | None, rights: set[str], organization: Organization
) -> tuple[DicomPeer, bool]:
    """The row of this title, changed or made. A title that has rows for several hosts is told apart by the host."""
    titled = DicomPeer.objects.filter(ae_title=title)
    peer = titled.filter(host=host).first()
    if peer is None and titled.filter(organization=organization).count() == 1:
        peer = titled.get(organization=organization)
    made = peer is None
    if peer is None:
        peer = DicomPeer(ae_title=title)
    peer.organization, peer.host, peer.port, peer.active = organization, host, port, True
    for right in RIGHTS:
        setattr(peer, f"may_{right}", right in rights)
    peer.save()
    audit.record(
        "peer.change",
        actor="",
        origin=ORIGIN,
        organization=organization.name,
        detail={"ae_title": title, "host": host, "port": port, "may": sorted(rights), "made": made},
    )
    return peer, made
