"""A client made of one TCP socket, for what well-behaved clients never do: not reading, lying, stopping half way."""

from __future__ import annotations

import base64
import os
import socket
import struct
import time


def connect(port: int, receive_buffer: int | None = None) -> socket.socket:
    raw = socket.socket()
    if receive_buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.settimeout(20)
    raw.connect(("127.0.0.1", port))
    return raw


def upgrade(raw: socket.socket, port: int, path: str, **headers: str) -> str:
    """Ask for a WebSocket; the head of the answer, lower case."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    raw.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return head_of(raw)


def head_of(raw: socket.socket) -> str:
    """Read to the end of a response's head, byte by byte so that nothing of what follows is taken."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = raw.recv(1)
        if not byte:
            break
        head += byte
    return head.decode("latin-1").lower()


def text_frame(text: str) -> bytes:
    """One masked text message, as clients send it."""
    content = text.encode()
    size = len(content)
    if size < 126:
        head = struct.pack(">BB", 0x81, 0x80 | size)
    elif size < 65536:
        head = struct.pack(">BBH", 0x81, 0x80 | 126, size)
    else:
        head = struct.pack(">BBQ", 0x81, 0x80 | 127, size)
    return head + bytes(4) + content  # a mask of zeros


def read_until_closed(raw: socket.socket, seconds: float = 20) -> bytes:
    """Everything that still comes before the other side closes."""
    raw.settimeout(seconds)
    pieces, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            piece = raw.recv(65536)
        except (ConnectionResetError, TimeoutError):
            break
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces)
