"""`manage.py serve` as a whole: real process, real sockets, real series."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.live import LiveServer
from tests.viewer.serving import raw

MIB = 2**20
MR = "mr_head_sag_HFDR"


class Reader:
    """One person of the live server with one series to look at."""

    def __init__(self, server: LiveServer, folder: Path, name: str) -> None:
        self.server, self.name = server, name
        self.password, self.token = server.user(name)
        server.manage("ingest", folder)
        self.headers = {"Authorization": f"Bearer {self.token}"}
        studies = requests.get(f"{server.url}/api/studies/", headers=self.headers, timeout=20).json()["studies"]
        uid = studies[0]["study_instance_uid"]
        study = requests.get(f"{server.url}/api/studies/{uid}/", headers=self.headers, timeout=20).json()
        self.study, self.series = uid, study["series"][0]["series_instance_uid"]

    def open_message(self, size: int = 512) -> str:
        view = {"plane": "acquired", "size": [size, size]}
        return json.dumps({"type": "series.open", "viewport": "a", "series": self.series, "view": view})

    def socket(self) -> ClientConnection:
        return connect(f"ws://127.0.0.1:{self.server.port}/ws/viewer/", additional_headers=self.headers, max_size=None)


@pytest.fixture(scope="module")
def reader(live_server_process: LiveServer, shared_data: Path) -> Reader:
    return Reader(live_server_process, shared_data / "series" / MR, "serving-reader")


def test_health_needs_no_sign_in_and_tells_nothing(live_server_process: LiveServer) -> None:
    answer = requests.get(f"{live_server_process.url}/healthz", timeout=10)
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_the_sign_in_page_and_what_it_needs_are_served(live_server_process: LiveServer) -> None:
    page = requests.get(f"{live_server_process.url}/", timeout=10)
    assert page.url.startswith(f"{live_server_process.url}/accounts/sign-in/")
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert files
    for file in files:
        answer = requests.get(live_server_process.url + file, timeout=10)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


def test_a_connection_that_never_reads_holds_little(reader: Reader) -> None:
    with reader.socket() as warm:  # whatever the first picture of a series costs is not the connection's
        warm.send(reader.open_message(2048))
        frames = 0
        while frames < 2:
            message = warm.recv(timeout=20)
            if isinstance(message, bytes):
                frames += 1
                index = json.loads(message[4 : 4 + int.from_bytes(message[:4], "big")])["index"]
                warm.send(json.dumps({"type": "frame.shown", "viewport": "a", "index": index}))
    time.sleep(1)
    before = reader.server.memory()
    clients = []
    for _ in range(3):
        client = raw.connect(reader.server.port, receive_buffer=4096)
        assert "101" in raw.upgrade(client, reader.server.port, "/ws/viewer/", **reader.headers)
        client.sendall(raw.text_frame(reader.open_message(2048)))
        for number in range(100):
            change = {"type": "view.change", "viewport": "a", "change": number, "view": {"window_width": 100 + number}}
            client.sendall(raw.text_frame(json.dumps(change)))
            time.sleep(0.005)
        clients.append(client)
    time.sleep(1.5)
    grown = reader.server.memory() - before
    for client in clients:
        client.close()
    assert grown < len(clients) * 8 * MIB


def moving(reader: Reader, client: ClientConnection, ended: threading.Event) -> Iterator[float]:
    """Change the view and acknowledge until the connection ends; when each frame came."""
    for number in range(100_000):
        view = {"window_width": 100 + number % 99}
        with contextlib.suppress(ConnectionClosed):  # what came before the end is still there to be received
            client.send(json.dumps({"type": "view.change", "viewport": "a", "change": number, "view": view}))
        message = client.recv(timeout=20)
        if isinstance(message, bytes):
            yield time.monotonic()
            index = json.loads(message[4 : 4 + int.from_bytes(message[:4], "big")])["index"]
            with contextlib.suppress(ConnectionClosed):
                client.send(json.dumps({"type": "frame.shown", "viewport": "a", "index": index}))
        elif json.loads(message).get("code") == "signed_out":
            ended.set()


def test_whoever_loses_a_right_while_pictures_come_gets_no_more(reader: Reader) -> None:
    server = reader.server
    _, token = server.user("leaver")
    headers = {"Authorization": f"Bearer {token}"}
    told, withdrawn_at, frames = threading.Event(), [], []

    def disable() -> None:
        code = "from accounts.models import User; User.objects.filter(username='leaver').update(is_active=False)"
        server.manage("shell", "-v", "0", "-c", code)
        withdrawn_at.append(time.monotonic())

    with connect(f"ws://127.0.0.1:{server.port}/ws/viewer/", additional_headers=headers, max_size=None) as client:
        client.send(reader.open_message())
        disabling = threading.Thread(target=disable)
        disabling.start()
        with pytest.raises(ConnectionClosed) as end:
            frames.extend(moving(reader, client, told))
        disabling.join()
    assert frames
    assert told.is_set()
    assert end.value.rcvd is not None
    assert end.value.rcvd.code == 4401
    assert time.monotonic() - withdrawn_at[0] < 5


def test_news_of_an_arrival_reaches_a_connected_reader(live_server_process: LiveServer, shared_data: Path) -> None:
    server = live_server_process
    _, token = server.user("listener", "radiologist", "newsroom")
    headers = {"Authorization": f"Bearer {token}"}
    with connect(f"ws://127.0.0.1:{server.port}/ws/news/", additional_headers=headers) as client:
        one = next((shared_data / "series" / MR).glob("*.dcm"))
        server.manage("ingest", one, "--organization", "newsroom")
        news = json.loads(client.recv(timeout=10))
    assert (news["type"], news["organization"], news["number_of_instances"]) == ("study.changed", "newsroom", 1)


def test_a_large_upload_of_a_stranger_is_refused_and_of_a_reader_taken(reader: Reader, shared_data: Path) -> None:
    url = f"{reader.server.url}/api/uploads/"
    largest = max((shared_data / "series" / MR).glob("*.dcm"), key=lambda path: path.stat().st_size)
    assert largest.stat().st_size > 65_536
    assert requests.post(url, data=largest.read_bytes(), timeout=20).status_code == 401
    with largest.open("rb") as file:
        answer = requests.post(url, files={"file": file}, headers=reader.headers, timeout=20)
    assert answer.status_code == 200
    assert answer.json()["outcomes"][0]["outcome"] == "duplicate"


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[LiveServer]:
    with LiveServer(tmp_path / "data") as server:
        yield server


def test_a_second_server_is_told_what_is_in_its_way(own_server: LiveServer, tmp_path: Path) -> None:
    same_folder = LiveServer(own_server.data)
    done = subprocess.run(
        same_folder.command(), env=same_folder.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "already uses the data folder" in done.stderr
    assert "Traceback" not in done.stderr

    same_port = LiveServer(tmp_path / "other", FARVIEW_PORT=str(own_server.port))
    done = subprocess.run(same_port.command(), env=same_port.environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"cannot listen on 127.0.0.1:{own_server.port}" in done.stderr
    assert "FARVIEW_PORT" in done.stderr
    assert "Traceback" not in done.stderr
    assert own_server.healthy()


def test_it_stops_cleanly_and_leaves_nobody_behind(own_server: LiveServer) -> None:
    assert len(own_server.group()) > 1  # decode children
    _, token = own_server.user("stopper")
    headers = {"Authorization": f"Bearer {token}"}
    with connect(f"ws://127.0.0.1:{own_server.port}/ws/news/", additional_headers=headers) as client:
        began = time.monotonic()
        assert own_server.terminate() == 0
        assert time.monotonic() - began < 10
        with pytest.raises(ConnectionClosed) as end:
            client.recv(timeout=5)
    assert end.value.rcvd is not None
    assert end.value.rcvd.code == 1001
    assert own_server.group_after(5) == []  # multiprocessing's own servant notices its pipe's end a moment later
    assert "Traceback" not in own_server.log()


def test_nobody_survives_the_web_process(own_server: LiveServer) -> None:
    assert own_server.process is not None
    own_server.process.kill()  # alone, not its group
    own_server.process.wait(10)
    assert own_server.group_after(10) == []
    own_server.start()  # nothing that was left is in the way
    assert own_server.healthy()


def make_certificate(certificate: Path, key: Path) -> None:
    """A certificate for this machine that trusts itself, for two days."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    here = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(here), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key.write_bytes(private.private_bytes(*plain))


class TlsServer(LiveServer):
    """A live server that proves who it is."""

    def __init__(self, folder: Path) -> None:
        self.certificate, key = folder / "cert.pem", folder / "key.pem"
        make_certificate(self.certificate, key)
        tls = {"FARVIEW_TLS_CERT": str(self.certificate), "FARVIEW_TLS_KEY": str(key)}
        super().__init__(folder / "data", first_start=True, **tls)
        self.url = self.url.replace("http:", "https:")
        self.trusting = ssl.create_default_context(cafile=str(self.certificate))

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5, context=self.trusting) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def test_a_certificate_makes_it_speak_tls_alone(tmp_path: Path) -> None:
    with TlsServer(tmp_path) as server:
        page = requests.get(f"{server.url}/accounts/sign-in/", verify=str(server.certificate), timeout=10)
        assert page.status_code == 200
        assert "Strict-Transport-Security" in page.headers
        assert all("Secure" in cookie for cookie in page.raw.headers.getlist("Set-Cookie"))
        _, token = server.user("tls-reader")
        headers = {"Authorization": f"Bearer {token}"}
        for door in ("news", "viewer"):
            address = f"wss://127.0.0.1:{server.port}/ws/{door}/"
            with connect(address, additional_headers=headers, ssl=server.trusting) as client:
                client.send('{"type":"hello","protocol":1}')
                assert json.loads(client.recv(timeout=10))["type"] == "hello"
        with pytest.raises(requests.ConnectionError):
            requests.get(server.url.replace("https:", "http:"), timeout=10)
