"""The minimal lower layer protocol (HL7 v2.5.1 implementation guide, appendix C): where a message begins and ends in a stream.

A block is <VT> message <FS><CR>. Between blocks nothing but line ends is let pass.
"""

from __future__ import annotations

START, STOP, END = b"\x0b", b"\x1c", b"\r"
BETWEEN = b"\r\n"


class BadFraming(ValueError):
    """The stream is not what the protocol says; what follows in it cannot be trusted. The message says how."""


class TooLong(BadFraming):
    """A block grew past the bound."""


def framed(message: bytes) -> bytes:
    """A message as a block. It may not hold the marks of a block itself."""
    if START in message or STOP in message:
        raise ValueError("a message cannot hold the marks of a block")
    return START + message + STOP + END


class Blocks:
    """Cuts messages out of a stream as it comes, holding `limit` bytes at most."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._inside = False
        self._searched = 0

    @property
    def begun(self) -> bool:
        """Part of a block is here, and not all of it."""
        return self._inside

    def feed(self, data: bytes) -> list[bytes]:
        """Messages that are whole now, in order. Raises BadFraming; the stream is over then."""
        self._held += data
        found: list[bytes] = []
        while self._held:
            if not self._inside and not self._enter():
                break
            message = self._leave()
            if message is None:
                break
            found.append(message)
        return found

    def _enter(self) -> bool:
        """Step over what may lie between blocks, and into the next."""
        bare = self._held.lstrip(BETWEEN)
        if bare and not bare.startswith(START):
            raise BadFraming("bytes outside of a block")
        self._inside = bool(bare)
        self._held = bare[1:]
        self._searched = 0
        return self._inside

    def _leave(self) -> bytes | None:
        """The message, where its end is here."""
        end = self._held.find(STOP, self._searched)
        if (len(self._held) if end < 0 else end) > self._limit:
            raise TooLong(f"a message of more than {self._limit:,} bytes")
        if end < 0:
            self._searched = len(self._held)
            return None
        self._searched = end
        if end + 1 == len(self._held):
            return None
        if self._held[end + 1 : end + 2] != END:
            raise BadFraming("the end of a block is not followed by a carriage return")
        message = bytes(self._held[:end])
        if START in message:
            raise BadFraming("a block begins inside of another")
        del self._held[: end + 2]
        self._inside = False
        return message
