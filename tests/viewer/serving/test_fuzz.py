"""Every wire of one running server is fed what no honest program sends, a minute in all and always the same.

Nothing may answer with 5xx, leave a traceback in the log, end a process or keep memory; honest callers go on being served.
`make soak` draws a fresh seed beside it, prints it and gives each wire a minute and more; FARVIEW_FUZZ_SEED repeats what such
a run printed, FARVIEW_FUZZ_SECONDS sets the time.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pynetdicom import AE
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.browser.reporting.people import people
from tests.live import LiveServer, free_port
from tests.viewer.archive.objects import ct_slice, save

pytestmark = pytest.mark.soak

LONG = bool(os.environ.get("FARVIEW_SOAK"))
ASKED = int(os.environ.get("FARVIEW_FUZZ_SEED", "0"))
SECONDS = float(os.environ.get("FARVIEW_FUZZ_SECONDS", "150" if LONG else "24"))
"""Of a wire that gets half of it; those that answer at once get a quarter."""
SEEDS = {
    "fixed": 20260711,
    **({"fresh": ASKED or random.SystemRandom().randrange(1, 2**31)} if LONG or ASKED else {}),
}
GROWTH = 400 * 2**20
PEER = """
from accounts.models import Organization
from reporting.models import HL7Peer
HL7Peer.objects.create(organization=Organization.objects.get(name="default"), name="RIS", address="127.0.0.1")
"""


class Target:
    """The server, who may use it, and what it held when the fuzzing began."""

    def __init__(self, server: LiveServer, folder: Path) -> None:
        self.server = server
        self.token = people(server, {"alice": ["radiologist", "admin", "technologist"]})["alice"].token
        server.manage("shell", "-c", PEER)
        server.manage("add_peer", "SCANNER", "127.0.0.1", "--may", "store,query,retrieve")
        self.file = save(ct_slice(), folder / "one.dcm").read_bytes()
        self.headers = {"Authorization": f"Bearer {self.token}"}
        assert self.upload(self.file) == 200
        self.echo()
        with self.socket() as line:
            line.send(json.dumps(OPEN))
            line.recv(timeout=60)
        self.memory = server.memory()
        self.read = 0

    def upload(self, content: bytes) -> int:
        door = f"{self.server.url}/api/uploads/"
        return requests.post(door, files={"file": ("a.dcm", content)}, headers=self.headers, timeout=60).status_code

    def socket(self) -> ClientConnection:
        address = f"ws://127.0.0.1:{self.server.port}/ws/viewer/"
        return connect(address, additional_headers=self.headers, max_size=None, proxy=None, open_timeout=60)

    def port(self, name: str) -> int:
        return int(self.server.environment[name])

    def echo(self) -> None:
        entity = AE(ae_title="SCANNER")
        entity.add_requested_context("1.2.840.10008.1.1")
        line = entity.associate("127.0.0.1", self.port("FARVIEW_DICOM_PORT"), ae_title="FARVIEW")
        assert line.is_established
        assert line.send_c_echo().Status == 0
        line.release()

    def sound(self) -> None:
        """Honest callers are served, nothing crashed and nothing was kept."""
        assert self.server.healthy()
        assert requests.get(f"{self.server.url}/api/studies/", headers=self.headers, timeout=60).status_code == 200
        self.echo()
        said, self.read = self.server.log()[self.read :], len(self.server.log())
        before, failed, trace = said.partition("Traceback")
        assert not failed, before[-600:] + failed + trace[:4000]
        assert self.server.memory() - self.memory < GROWTH


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with LiveServer(dicom=True, FARVIEW_HL7_PORT=str(free_port())) as server:
        yield Target(server, tmp_path_factory.mktemp("fuzz"))


@pytest.fixture(params=SEEDS.values(), ids=SEEDS.keys())
def dice(request: pytest.FixtureRequest) -> random.Random:
    print(f"FARVIEW_FUZZ_SEED={request.param}")
    return random.Random(request.param)


def rounds(seconds: float = SECONDS / 2) -> Iterator[int]:
    """Numbers until the time is up; at least twenty of them."""
    end, number = time.monotonic() + seconds, 0
    while number < 20 or time.monotonic() < end:
        yield number
        number += 1


# --- what is done to honest bytes and values


def bent(dice: random.Random, content: bytes) -> bytes:
    """Honest bytes with one to six of these done to them."""
    for _ in range(dice.randint(1, 6)):
        content = dice.choice(BENDS)(dice, content)
    return content[: 2**20]


def _set(dice: random.Random, content: bytes) -> bytes:
    at = dice.randrange(len(content) or 1)
    return content[:at] + bytes([dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))]) + content[at + 1 :]


def _cut(dice: random.Random, content: bytes) -> bytes:
    return content[: dice.randrange(len(content) + 1)]


def _doubled(dice: random.Random, content: bytes) -> bytes:
    at = dice.randrange(len(content) + 1)
    return content[:at] + content[at : at + dice.randrange(1, 64)] * dice.randrange(2, 40) + content[at:]


def _dropped(dice: random.Random, content: bytes) -> bytes:
    at = dice.randrange(len(content) + 1)
    return content[:at] + content[at + dice.randrange(1, 16) :]


def _length(dice: random.Random, content: bytes) -> bytes:
    """Something that may be a length says something else."""
    at = dice.randrange(len(content) or 1)
    shape = dice.choice(("<H", ">H", "<I", ">I"))
    most = 2 ** (8 * struct.calcsize(shape)) - 1
    return content[:at] + struct.pack(shape, dice.choice((0, 1, most, most - 1, most // 2))) + content[at + 4 :]


def _noise(dice: random.Random, content: bytes) -> bytes:
    at = dice.randrange(len(content) + 1)
    return content[:at] + dice.randbytes(dice.randrange(1, 40)) + content[at:]


BENDS: tuple[Callable[[random.Random, bytes], bytes], ...] = (_set, _set, _cut, _doubled, _dropped, _length, _noise)


def value(dice: random.Random, depth: int = 0) -> Any:
    """Anything that JSON can say, odd numbers and halves of characters among it."""
    plain = (None, True, False, 0, -1, 2**53, 2**63, -(2**70), 1e308, 0.1, "", "a", "1.2.3", "\ud800", "\0", "é" * 300)
    if depth > 3 or dice.random() < 0.6:
        return dice.choice(plain)
    if dice.random() < 0.5:
        return [value(dice, depth + 1) for _ in range(dice.randrange(6))]
    return {str(value(dice, 9)): value(dice, depth + 1) for _ in range(dice.randrange(6))}


def distorted(dice: random.Random, message: dict[str, Any]) -> dict[str, Any]:
    """A message with a field or two of another kind, missing, or too many; also inside of its View."""
    changed = dict(message)
    for _ in range(dice.randint(1, 3)):
        name = dice.choice([*changed, "surplus"])
        if dice.random() < 0.2:
            changed.pop(name, None)
        elif isinstance(changed.get(name), dict) and dice.random() < 0.8:
            changed[name] = {**changed[name], dice.choice(VIEW_FIELDS): value(dice)}
        else:
            changed[name] = value(dice)
    return changed


# --- the WebSocket

OPEN = {"type": "series.open", "viewport": "a", "series": "1.2.3.4", "view": {"size": [64, 64]}}
HONEST: tuple[dict[str, Any], ...] = (
    {"type": "hello", "protocol": 1},
    OPEN,
    {"type": "view.change", "viewport": "a", "change": 1, "view": {"frame": 0}},
    {"type": "frame.shown", "viewport": "a", "index": 1},
    {"type": "measure", "viewport": "a", "index": 1, "id": "m", "kind": "length", "points": [[0, 0], [1, 1]]},
    {"type": "viewport.close", "viewport": "a"},
)
VIEW_FIELDS = (
    *("size", "frame", "zoom", "center", "window_center", "window_width", "preset", "plane", "projection", "rotation"),
    *("stack", "voi_lut_function", "sop_instance_uid", "frame_number", "pixel_spacing", "color_map", "mask", "nothing"),
)


def message(dice: random.Random) -> str | bytes:
    """One message: honest but out of order, distorted, bent, binary, deep or long."""
    honest = dice.choice(HONEST)
    kind = dice.randrange(10)
    if kind < 2:
        return json.dumps(honest)
    if kind < 7:
        return json.dumps(distorted(dice, honest))
    if kind == 7:
        return bent(dice, json.dumps(honest).encode()).decode("utf-8", "replace")[:60_000]
    if kind == 8:
        return dice.randbytes(dice.randrange(200))
    return dice.choice(("[" * 30_000, '{"a":' * 9_000, "null", "7", '"x"', "{}", "NaN", "x" * 65_537, '{"type":1e999}'))


def test_the_socket_of_the_viewer(target: Target, dice: random.Random) -> None:
    told: set[str] = set()
    for _ in rounds():
        with contextlib.suppress(ConnectionClosed), target.socket() as line:
            for _ in range(dice.randrange(5, 60)):
                line.send(message(dice))
            with contextlib.suppress(TimeoutError):
                while True:
                    heard = line.recv(timeout=0.05)
                    if isinstance(heard, str):
                        told.add(json.loads(heard).get("code", "") or json.loads(heard)["type"])
    assert {"bad_message", "bad_view"} <= told
    with target.socket() as line:
        line.send(json.dumps(OPEN))
        assert json.loads(line.recv(timeout=60))["type"] == "series.opened"
    target.sound()


def test_frames_of_the_socket_that_are_none(target: Target, dice: random.Random) -> None:
    """Bytes after the upgrade that are no WebSocket (RFC 6455 5.2): bad opcodes, lengths, masks, fragments."""
    honest = b"\x81\xfe\x00\x80" + bytes(4) + json.dumps(OPEN).encode()
    for _ in rounds(SECONDS / 4):
        with contextlib.suppress(OSError, WebSocketException), target.socket() as line:
            line.socket.sendall(bent(dice, honest))
            line.socket.shutdown(socket.SHUT_WR)
    target.sound()


# --- HTTP


def requests_of(target: Target) -> list[bytes]:
    """Honest requests: forms, JSON, STOW-RS."""
    head = f"Host: 127.0.0.1:{target.server.port}\r\nAuthorization: Bearer {target.token}\r\nConnection: close\r\n"

    def one(line: str, media_type: str, body: bytes) -> bytes:
        length = f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n" if body else ""
        return f"{line} HTTP/1.1\r\n{head}{length}\r\n".encode() + body

    form = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.dcm"\r\n\r\n' + target.file + b"\r\n--B--\r\n"
    )
    stow = b"--B\r\nContent-Type: application/dicom\r\n\r\n" + target.file + b"\r\n--B--\r\n"
    as_json = "application/json"
    order = {"patient": {"patient_id": "1", "name": "A^B"}, "accession_number": "7", "modality": "CT"}
    return [
        one("POST /api/uploads/", "multipart/form-data; boundary=B", form),
        one("POST /dicom-web/studies", 'multipart/related; type="application/dicom"; boundary=B', stow),
        one("POST /api/orders/", as_json, json.dumps(order).encode()),
        one("POST /api/reports/", as_json, b'{"study": "1.2.3", "template": "free-text"}'),
        one("PUT /api/my-settings/", as_json, b'{"language": "de", "keys": {}}'),
        one("POST /csp-report/", "application/csp-report", b'{"csp-report": {"effective-directive": "img-src"}}'),
        one("GET /api/series/1.2.3.4/frame?view=%7B%22size%22:[64,64]%7D", "", b""),
        one("GET /dicom-web/studies?PatientName=A*&limit=5&includefield=all", "", b""),
        one("GET /wado?requestType=WADO&studyUID=1.2.3&seriesUID=1.2.3.4&objectUID=1.2.3.4.1", "", b""),
    ]


def test_the_doors_of_http(target: Target, dice: random.Random) -> None:
    honest = requests_of(target)
    seen: set[int] = set()
    for _ in rounds():
        asked = bent(dice, dice.choice(honest))
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", target.server.port), 30) as line:
            line.sendall(asked)
            line.shutdown(socket.SHUT_WR)
            line.settimeout(30)
            heard = line.recv(4096)
            if heard.startswith(b"HTTP/1."):
                status = int(heard[9:12])
                seen.add(status)
                assert status < 500 or status == 507, (status, asked[:400])
    assert {400, 200} & seen
    target.sound()


# --- DICOM's upper layer and its messages (PS3.8 9.3, PS3.7 6.3)


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(content)) + content


def pdu(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBI", kind, 0, len(content)) + content


def element(number: int, content: bytes) -> bytes:
    return struct.pack("<HHI", 0, number, len(content)) + content


def associate() -> bytes:
    contexts = b"".join(
        item(0x20, bytes((number, 0, 0, 0)) + item(0x30, kind) + item(0x40, b"1.2.840.10008.1.2"))
        for number, kind in ((1, b"1.2.840.10008.1.1"), (3, b"1.2.840.10008.5.1.4.1.1.2"), (5, FIND))
    )
    user = item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3.4"))
    named = b"FARVIEW".ljust(16) + b"SCANNER".ljust(16) + bytes(32)
    return pdu(1, b"\0\1\0\0" + named + item(0x10, b"1.2.840.10008.3.1.1.1") + contexts + user)


FIND = b"1.2.840.10008.5.1.4.1.2.2.1"


def command(context: int, sop_class: bytes, field: int, data: bytes = b"") -> bytes:
    body = (
        element(2, sop_class + b"\0" * (len(sop_class) % 2))
        + element(0x100, struct.pack("<H", field))
        + element(0x110, b"\1\0")
        + element(0x700, b"\0\0")
        + element(0x800, struct.pack("<H", 1 if data else 0x0101))
        + (element(0x1000, b"1.2.3.4.99") if field == 1 else b"")
    )
    whole = element(0, struct.pack("<I", len(body))) + body
    sent = pdu(4, struct.pack(">IBB", len(whole) + 2, context, 3) + whole)
    return sent + (pdu(4, struct.pack(">IBB", len(data) + 2, context, 2) + data) if data else b"")


KEYS = struct.pack("<HHI", 8, 0x52, 6) + b"STUDY " + struct.pack("<HHI", 0x10, 0x10, 2) + b"A*"
MESSAGES = (
    command(1, b"1.2.840.10008.1.1", 0x30),
    command(3, b"1.2.840.10008.5.1.4.1.1.2", 1, struct.pack("<HHI", 8, 0x18, 10) + b"1.2.3.4.99"),
    command(5, FIND, 0x20, KEYS),
    pdu(5, bytes(4)),
    pdu(7, bytes(4)),
)


def test_the_dicom_node(target: Target, dice: random.Random) -> None:
    for _ in rounds():
        opening = associate() if dice.random() < 0.7 else bent(dice, associate())
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", target.port("FARVIEW_DICOM_PORT")), 30) as line,
        ):
            line.settimeout(0.3)
            line.sendall(opening)
            with contextlib.suppress(TimeoutError):
                line.recv(65536)
            for _ in range(dice.randrange(1, 4)):
                line.sendall(bent(dice, dice.choice(MESSAGES)))
    target.sound()


# --- files and HL7


def test_files_that_are_uploaded(target: Target, dice: random.Random) -> None:
    for _ in rounds():
        content = target.file[:132] + bent(dice, target.file[132:]) if dice.random() < 0.8 else bent(dice, target.file)
        assert target.upload(content) < 500
    target.sound()


ORDER = (
    b"\x0bMSH|^~\\&|RIS|WARD|FARVIEW|SITE|20261122083000||ORM^O01^ORM_O01|F-1|P|2.5.1||||||UNICODE UTF-8\r"
    b"PID|1||P7||Muster^Erika||19700101|F\rORC|NW|PL-1|FI-1\r"
    b"OBR|1|PL-1|FI-1|CT^Chest^L|||||||||Cough|||R-1^Doe||A7||||||CT\r\x1c\r"
)


def test_messages_of_hl7(target: Target, dice: random.Random) -> None:
    heard = b""
    for _ in rounds(SECONDS / 4):
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", target.port("FARVIEW_HL7_PORT")), 30) as line,
        ):
            line.settimeout(0.3)
            line.sendall(b"\x0b" + bent(dice, ORDER[1:-2]) + b"\x1c\r" if dice.random() < 0.7 else bent(dice, ORDER))
            with contextlib.suppress(TimeoutError):
                heard += line.recv(65536)
    assert b"MSA|" in heard
    target.sound()
