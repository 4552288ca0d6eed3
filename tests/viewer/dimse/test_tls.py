"""Associations by TLS, where the setting asks for it: they alone get through, and nobody holds the listener up."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import Organization
from tests.viewer.serving.test_serve import make_certificate
from viewer.archive.storage import BlobStore
from viewer.dimse.listening import Node
from viewer.dimse.process import _tls
from viewer.models import Instance

from . import nodes
from .test_store import image

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def certificate(tmp_path: Path, settings: object) -> Path:
    made, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_certificate(made, key)
    settings.FARVIEW_TLS_CERT, settings.FARVIEW_TLS_KEY = str(made), str(key)  # type: ignore[attr-defined]
    return made


@pytest.fixture
def node(store: BlobStore, hospital: Organization, certificate: Path) -> Iterator[Node]:
    nodes.peer(hospital)
    with nodes.listening(_tls(), negotiation_s=1.0) as made:
        yield made


def test_objects_come_in_by_tls(node: Node, certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    large = image("1.2.3.4.2", Rows=512, Columns=512, PixelData=bytes(512 * 512 * 2))
    assert nodes.sent(node, image("1.2.3.4.1"), large, tls=trusting) == [0, 0]
    assert Instance.objects.count() == 2


def test_who_does_not_speak_tls_gets_no_association(node: Node) -> None:
    with nodes.connected(node) as connection:
        connection.sendall(nodes.associate_request())
        assert nodes.answer_kind(connection) != nodes.ACCEPTED
    assert nodes.until(lambda: not node.associations())


def test_who_stops_within_the_handshake_holds_nobody_up(node: Node, certificate: Path) -> None:
    with nodes.connected(node) as half:
        half.sendall(b"\x16\x03\x01\x02\x00\x01")
        trusting = ssl.create_default_context(cafile=str(certificate))
        assert nodes.sent(node, image(), tls=trusting) == [0]
        assert nodes.answer_kind(half) is None, "it is sent away"
