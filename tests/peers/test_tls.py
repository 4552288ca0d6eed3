"""TLS with DCMTK's programs, in both directions and with certificates of both sides (PS3.15 B.12)."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from django.conf import LazySettings

from accounts.models import Organization
from tests.live import free_port
from tests.peers.conftest import Dcmtk, needed
from tests.viewer.archive.objects import slices
from tests.viewer.conftest import hospital as hospital
from tests.viewer.conftest import store as store
from tests.viewer.dimse import nodes
from tests.viewer.dimse.test_sending import outgoing
from tests.viewer.serving.test_serve import make_certificate
from viewer.archive.storage import BlobStore
from viewer.dimse.calling import NotReached, echo
from viewer.dimse.process import _tls
from viewer.dimse.sending import store as send
from viewer.models import DicomPeer, Instance

Certificate = tuple[Path, Path]


@pytest.fixture
def certificate(tmp_path: Path, settings: LazySettings) -> Certificate:
    """Ours and, for this machine is both, the peer's."""
    made, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_certificate(made, key)
    settings.FARVIEW_TLS_CERT, settings.FARVIEW_TLS_KEY = str(made), str(key)
    settings.FARVIEW_DICOM_CA_FILE = str(made)
    return made, key


@pytest.fixture
def storescp(certificate: Certificate, tmp_path: Path) -> Iterator[tuple[DicomPeer, Path]]:
    """DCMTK's receiver, which speaks TLS alone and asks for our certificate; the folder that it fills."""
    program, port, out = needed(Path("/usr/bin/storescp"), "dcmtk"), free_port(), tmp_path / "came"
    out.mkdir()
    made, key = map(str, certificate)
    command = [str(program), "+tls", key, made, "+cf", made, "-rc", "-aet", "STORESCP", "-od", str(out), str(port)]
    process = subprocess.Popen(command)
    row = DicomPeer(ae_title="STORESCP", host="127.0.0.1", port=port, tls=True)
    assert nodes.until(lambda: _is_there(row), 20)
    yield row, out
    process.terminate()
    process.wait(10)


def _is_there(row: DicomPeer) -> bool:
    try:
        echo(row)
    except NotReached:
        time.sleep(0.1)
        return False
    return True


def test_objects_reach_a_peer_by_tls(storescp: tuple[DicomPeer, Path], tmp_path: Path) -> None:
    row, out = storescp
    paths = slices(tmp_path / "images", 3)
    assert send(row, [outgoing(path) for path in paths]).failed == []
    came = {one.SOPInstanceUID: one.PixelData for one in map(pydicom.dcmread, out.iterdir())}
    assert came == {one.SOPInstanceUID: one.PixelData for one in map(pydicom.dcmread, paths)}


def test_a_peer_whose_certificate_nobody_vouches_for_gets_nothing(
    storescp: tuple[DicomPeer, Path], tmp_path: Path, settings: LazySettings
) -> None:
    row, out = storescp
    settings.FARVIEW_DICOM_CA_FILE = ""
    with pytest.raises(NotReached, match="CERTIFICATE_VERIFY_FAILED"):
        send(row, [outgoing(path) for path in slices(tmp_path / "images", 1)])
    assert not list(out.iterdir())


@pytest.mark.django_db(transaction=True)
def test_objects_come_from_storescu_by_tls(
    dcmtk: Dcmtk, store: BlobStore, hospital: Organization, certificate: Certificate, tmp_path: Path
) -> None:
    nodes.peer(hospital, "STORESCU")
    folder = tmp_path / "images"
    slices(folder, 3)
    made, key = certificate
    with nodes.listening(_tls()) as node:
        to = ("-aet", "STORESCU", "-aec", "FARVIEW", "localhost", node.port, "+sd", folder)
        done = dcmtk("storescu", "+tls", key, made, "+cf", made, *to)
        assert done.returncode == 0, done.stderr
        plain = dcmtk("storescu", *to)
        assert plain.returncode != 0
    assert Instance.objects.count() == 3
