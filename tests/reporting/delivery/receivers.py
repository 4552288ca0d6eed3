"""Real receivers on real sockets, written for the tests without a line of what they judge."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import hl7


class MllpReceiver:
    """Answers each message by the next of `replies`, and by the last for ever: a code, or silence, close, other, garbage."""

    def __init__(self, *replies: str, tls: ssl.SSLContext | None = None, words: str = "") -> None:
        self.replies = list(replies) or ["AA"]
        self.words = words
        self.received: list[str] = []
        self.raw: list[bytes] = []
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []
        self._ended = threading.Event()
        self._talking: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> MllpReceiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in (self._thread, *self._talking):
            thread.join(5)

    def control_ids(self) -> list[str]:
        return [str(hl7.parse(one).segment("MSH")[10]) for one in self.received]

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._talk, args=(connection,), daemon=True)
            self._talking.append(thread)
            thread.start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if self._tls:
                connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
            self._open.append(connection)
            held = b""
            while piece := connection.recv(65536):
                held += piece
                while b"\x1c\r" in held:
                    block, _, held = held.partition(b"\x1c\r")
                    if not self._answer(connection, block.removeprefix(b"\x0b")):
                        return

    def _answer(self, connection: socket.socket, raw: bytes) -> bool:
        text = raw.decode("utf-8", "replace")
        self.raw.append(raw)
        self.received.append(text)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if reply == "silence":
            self._ended.wait(60)
        if reply in ("close", "silence"):
            return False
        if reply == "garbage":
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            return True
        control_id = "OTHER" if reply == "other" else str(hl7.parse(text).segment("MSH")[10])
        code = "AA" if reply == "other" else reply
        err = f"ERR|||207^Application internal error^HL70357|E||||{self.words}\r" if self.words else ""
        answer = f"MSH|^~\\&|R|R|F|F|20260504||ACK^R01^ACK|1|P|2.5.1\rMSA|{code}|{control_id}\r{err}"
        connection.sendall(b"\x0b" + answer.encode() + b"\x1c\r")
        return True


class HttpReceiver:
    """A FHIR server as far as taking Bundles goes; `reply(handler)` may answer otherwise."""

    def __init__(self, reply: Callable[[Any], None] | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                receiver.received.append((self.path, dict(self.headers), self.rfile.read(length)))
                (reply or created)(self)

            def log_message(self, *_: object) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/fhir"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> HttpReceiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def bundles(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.received]


def created(handler: Any) -> None:
    answer(handler, 201, b'{"resourceType": "Bundle", "type": "transaction-response"}')


def answer(handler: Any, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)
