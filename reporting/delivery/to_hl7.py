"""HL7 v2 over MLLP: one message, one answer (v2.5.1 2.9.2), each over a connection of its own."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from datetime import UTC, datetime

from reporting.delivery.outcomes import NotReached, NotSent, Outgoing
from reporting.delivery.transport import host_and_port, reason, tls_context
from reporting.messages import acknowledgements
from reporting.messages.charsets import decoded
from reporting.messages.er7 import BadMessage, encode
from reporting.messages.mllp import BadFraming, Blocks, framed

CONNECT_S = 10.0
ANSWER_S = 30.0
ANSWER_BYTES = 64 * 1024
TEST_ID = "FVTEST"


async def send(outgoing: Outgoing) -> str:
    """Send one message; returns what the receiver said of it. Raises NotSent."""
    host, port = host_and_port(outgoing.address)
    tls = tls_context() if outgoing.options.get("tls") else None
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=host if tls else None)
    except ssl.SSLError as problem:
        raise NotReached(f"TLS with {host}:{port} failed: {problem.reason or problem}") from None
    except TimeoutError:
        raise NotReached(f"{host}:{port} does not answer within {CONNECT_S:.0f} s") from None
    except OSError as problem:
        raise NotReached(f"{host}:{port} cannot be reached: {reason(problem)}") from None
    try:
        async with asyncio.timeout(ANSWER_S):
            writer.write(framed(outgoing.data))
            await writer.drain()
            raw = await _answer(reader)
    except TimeoutError:
        raise NotSent(f"no answer within {ANSWER_S:.0f} s; the message may have arrived", unreachable=True) from None
    except OSError:
        raise NotSent("the connection broke before an answer; the message may have arrived", unreachable=True) from None
    finally:
        writer.close()
    return _understood(raw, outgoing.control_id)


async def test(outgoing: Outgoing) -> str:
    """Send a message that says nothing (NMD^N02 with no content, marked as training), and return what came back.

    Any answer shows that the receiver is there and speaks HL7, also that it does not want this one. Raises NotSent.
    """
    header = {
        3: "FARVIEW",
        7: f"{datetime.now(UTC):%Y%m%d%H%M%S%z}",
        9: ("NMD", "N02", "NMD_N02"),
        10: TEST_ID,
        11: "T",
    }
    addressed = {
        **{3: outgoing.options.get("sending_application"), 4: outgoing.options.get("sending_facility")},
        **{5: outgoing.options.get("receiving_application"), 6: outgoing.options.get("receiving_facility")},
    }
    said = {
        **header,
        **{number: str(value) for number, value in addressed.items() if value},
        12: "2.5.1",
        18: "UNICODE UTF-8",
    }
    message = encode([("MSH", said)])
    try:
        return await send(replace(outgoing, control_id=TEST_ID, data=message.encode()))
    except NotSent as problem:
        if problem.answer:
            return f"it is there; {problem}"
        raise


async def _answer(reader: asyncio.StreamReader) -> bytes:
    blocks = Blocks(ANSWER_BYTES)
    while data := await reader.read(4096):
        try:
            found = blocks.feed(data)
        except BadFraming as problem:
            raise NotSent(f"the answer is no MLLP block: {problem}") from None
        if found:
            return found[0]
    raise NotSent("the connection was closed without an answer; the message may have arrived", unreachable=True)


def _understood(raw: bytes, control_id: str) -> str:
    """What the answer says, where it says that all is well. Raises NotSent."""
    try:
        text = decoded(raw, "8859/1")
        answer = acknowledgements.read(text)
    except BadMessage as problem:
        raise NotSent(f"the answer cannot be read: {problem}") from None
    if answer.control_id != control_id:
        raise NotSent("the answer is about another message (MSA-2)", text)
    if not answer.good:
        raise NotSent(f"the receiver answered {answer.code}{_also(answer.words)}", text)
    return text


def _also(words: str) -> str:
    return f": {words}" if words else ""
