"""Daphne with manners: sends wait for the transport, bodies are admitted and counted, one process ends when told to.

Daphne writes without back-pressure, spools whole request bodies before anyone is asked, and then queues them in memory.
These thin subclasses change just that.
"""

from __future__ import annotations

import daphne.server  # noqa: F401 # isort: skip - it chooses Twisted's reactor, so it comes before anything of Twisted

import asyncio
import errno
import json
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import IO, Any
from urllib.parse import unquote

from autobahn.twisted.websocket import ConnectionDeny
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server
from daphne.utils import HEADER_NAME_RE, INVALID_HEADER_VALUE_BYTES
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.tcp import Server as Connection
from twisted.logger import globalLogBeginner
from twisted.web import http

from viewer.serving import admission
from viewer.serving.body import IN_MEMORY, Body, Intake
from viewer.serving.flow import Flow, Inbox
from viewer.serving.wire import EXTENSION, TEXT, Wire, head_of, whole_text

logger = logging.getLogger(__name__)

MESSAGE_BYTES = 64 * 1024
"""The longest WebSocket message that is read."""
LINGER_SECONDS = 5.0
LINGER_BYTES = 64 * 2**20
"""How much of a refused body is still read (and dropped), so that its sender gets to see the answer."""


class Request(WebRequest):
    """One HTTP request. A large body is admitted before it is kept, counted while it comes, and never parsed here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parsePOSTFormSubmission = False
        self.flow = Flow()
        self._refused = False
        self._complete = False
        self._dropped = 0
        self._admission: asyncio.Task[None] | None = None
        self._settling: asyncio.Task[None] | None = None

    # --- the body arrives

    def gotLength(self, length: int | None) -> None:
        network = self.channel._networkProducer
        self.intake = Intake(network.pauseProducing, network.resumeProducing, self._cannot_keep)
        self.content: IO[bytes] | None = self.intake.file
        if length is None or length <= IN_MEMORY:
            return  # of an unknown length nothing is asked before it turns out to be long
        waits = (self.requestHeaders.getRawHeaders(b"Expect") or [b""])[0].lower() == b"100-continue"
        self.requestHeaders.removeHeader(b"Expect")  # answered below, after the question whether it is wanted
        verdict = admission.refused_by_size(self._target, length)
        if verdict.status:
            self.refuse(verdict)
        else:
            self._ask(length, waits)

    def _ask(self, length: int | None, waits: bool) -> None:
        """Stop reading until it is known whether this body is welcome."""
        self.intake.hold()
        self._admission = asyncio.ensure_future(self._admit(length, waits))
        self._admission.add_done_callback(self.intake.release)

    @property
    def _target(self) -> str:
        return unquote(self.channel._path.split(b"?", 1)[0].decode("latin-1"))

    async def _admit(self, length: int | None, waits: bool) -> None:
        headers = [(name.lower(), value) for name, values in self.requestHeaders.getAllRawHeaders() for value in values]
        try:
            verdict = await admission.admit(self._target, headers, length)
        except Exception:
            logger.exception("cannot tell whether a body is welcome")
            verdict = admission.Verdict(503, "try again later")
        if self._complete or self.channel is None:
            return  # it was small after all, and the application asks for itself; or nobody is there
        if verdict.status:
            self.refuse(verdict)
        elif waits:
            self.channel._send100Continue()

    def handleContentChunk(self, data: bytes) -> None:
        if self._refused:
            self._dropped += len(data)
            if self._dropped > LINGER_BYTES:
                self.channel.transport.abortConnection()
            return
        self.intake.take(data)
        verdict = admission.refused_by_size(self._target, self.intake.received)
        if verdict.status:
            self.refuse(verdict)
        elif self.intake.received > IN_MEMORY and self._admission is None:
            self._ask(None, waits=False)

    def _cannot_keep(self, problem: OSError) -> None:
        logger.error("cannot keep a request's body: %s", problem.strerror)
        if self.channel is not None and not self._refused:
            full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
            self.refuse(
                admission.Verdict(507, "the disk is full" if full else "the server cannot keep this; try again later")
            )

    def refuse(self, verdict: admission.Verdict) -> None:
        """Answer at once; drop what still comes for a moment, then hang up."""
        self._refused = True
        self.requestHeaders.removeHeader(b"Expect")
        self.intake.close()
        self.content = None
        body = json.dumps({"detail": verdict.detail}).encode()
        status = b"%d %s" % (verdict.status, http.RESPONSES.get(verdict.status, b"Refused"))
        self.channel.transport.writeSequence(
            [
                b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nConnection: close\r\n",
                b"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n",
                b"WWW-Authenticate: Bearer\r\n" if verdict.status == 401 else b"",
                b"Content-Length: %d\r\n\r\n" % len(body),
                body,
            ]
        )
        if self._complete:  # nothing more comes that could be dropped
            self.channel.transport.loseConnection()
        else:
            reactor.callLater(LINGER_SECONDS, self.hang_up)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if self._refused:
            self.channel.transport.loseConnection()
            return
        self._complete = True
        if self.intake.settled:
            super().requestReceived(command, path, version)
        else:
            self._settling = asyncio.ensure_future(self._settle(command, path, version))

    async def _settle(self, command: bytes, path: bytes, version: bytes) -> None:
        await self.intake.settle()
        if self.channel is not None and not self._refused:
            super().requestReceived(command, path, version)

    # --- the application is asked

    def process(self) -> Any:
        upgrade = self.requestHeaders.getRawHeaders(b"Upgrade") or [b""]
        if upgrade[0].lower() == b"websocket":
            return super().process()
        try:
            self._process_http()
        except Exception:
            logger.exception("cannot process a request")
            self.basic_error(500, b"Internal Server Error", "The server failed.")
        return None

    def _process_http(self) -> None:
        headers = [(name, value) for name, values in self.requestHeaders.getAllRawHeaders() for value in values]
        if not all(HEADER_NAME_RE.fullmatch(n) and not INVALID_HEADER_VALUE_BYTES.intersection(v) for n, v in headers):
            self.basic_error(400, b"Bad Request", "Invalid header")
            return
        path, _, query = self.uri.partition(b"?")
        if not path.isascii() or not query.isascii():
            self.path = b"/"
            self.basic_error(400, b"Bad Request", "Invalid characters in the address")
            return
        if hasattr(self.client, "host") and hasattr(self.client, "port"):
            self.client_addr = [str(self.client.host), self.client.port]
            self.server_addr = [str(self.host.host), self.host.port]
        file, self.content = self.content, None
        assert file is not None  # noqa: S101 - gotLength made it, and nobody has taken it
        self.body = Body(file)
        self.registerProducer(self.flow, True)
        scope = {
            "type": "http",
            "http_version": self.clientproto.split(b"/")[-1].decode("ascii"),
            "method": self.method.decode("ascii"),
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "root_path": "",
            "scheme": "https" if self.isSecure() else "http",
            "query_string": query,
            # A name with an underscore could pass for another header once it is in META.
            "headers": [(name.lower(), value) for name, value in headers if b"_" not in name],
            "client": self.client_addr,
            "server": self.server_addr,
        }
        self.application_queue = self.body
        self.server.create_application(self, scope)

    # --- the answer leaves, or nobody is there for it

    def finish(self) -> None:
        if self.producer:
            self.unregisterProducer()
        self.flow.stopProducing()
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        if self._admission is not None:
            self._admission.cancel()
        self.flow.stopProducing()
        super().connectionLost(reason)

    def hang_up(self) -> None:
        """End a connection whose reader takes nothing, or sends what nobody wants."""
        channel = getattr(self, "channel", None)
        if channel is not None:
            channel.transport.abortConnection()

    def handle_reply(self, message: dict[str, Any]) -> None:
        """As ever, but HEAD gets no body (RFC 9110 9.3.2): Daphne writes pieces past Twisted's own guard."""
        if self.method == b"HEAD" and message.get("type") == "http.response.body":
            message = {**message, "body": b""}
        super().handle_reply(message)


class Factory(HTTPFactory):
    """Makes connections whose requests are ours."""

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol

    def acceptableProtocols(self) -> list[bytes]:
        return [b"http/1.1"]


class Socket(WebSocketProtocol):
    """One WebSocket. What it sends waits for the transport; what it receives is read no faster than it is handled."""

    def onConnect(self, request: Any) -> Any:
        self.flow = Flow()
        self.room = self.flow.room
        self.wire = Wire(self)
        self.transport.unregisterProducer()  # the HTTP channel that this connection began as
        self.transport.registerProducer(self.flow, True)
        return super().onConnect(request)

    def dataReceived(self, data: bytes) -> None:
        """Whole plain texts go the short way while nothing else is half read; the rest is Autobahn's."""
        while self.state == self.STATE_OPEN and self.wire.heard and not self.data and not self.inside_message:
            message = whole_text(data) if self.current_frame is None else None
            if message is None:
                break
            text, taken = message
            self.last_ping = time.time()
            self.wire.take(text)
            data = data[taken:]
            if not data:
                return
        super().dataReceived(data)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A message that came Autobahn's way keeps its turn among those that came the short one."""
        if self.wire.heard and not isBinary:
            self.last_ping = time.time()
            self.wire.take(payload.decode())
        else:
            super().onMessage(payload, isBinary)

    def write_message(self, kind: int, content: bytes) -> None:
        """Give one message to the kernel now, as far as it takes it; the transport keeps the rest."""
        if self.state != self.STATE_OPEN:
            return
        if self.send_queue:
            self.sendMessage(content, kind != TEXT)
            return
        data = head_of(kind, len(content)) + content
        transport = self.transport
        # By its exact type: what wraps a connection in TLS passes on the names of the bare one below it.
        if type(transport) is Connection and not transport.TLS and self._nothing_waits(transport):
            written = transport.writeSomeData(data)
            if isinstance(written, int):  # else the connection is lost, which the next write finds out
                data = data[written:]
        if data:
            transport.write(data)

    @staticmethod
    def _nothing_waits(transport: Connection) -> bool:
        free = not (transport.dataBuffer or transport._tempDataBuffer)
        return bool(free and transport.connected and not transport.disconnecting)

    def pause(self) -> None:
        self.transport.pauseProducing()

    def resume(self) -> None:
        self.transport.resumeProducing()

    def connectionLost(self, reason: Any) -> None:
        if hasattr(self, "flow"):
            self.flow.stopProducing()
        super().connectionLost(reason)

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close" and self.state == self.STATE_CONNECTING:
            self.deny(*DENIALS.get(message.get("code", 0), (403, "Access denied")))
        elif message["type"] == "websocket.close":
            self.say_goodbye(message.get("code") or 1000, message.get("reason") or "")
        elif self.state in (self.STATE_CONNECTING, self.STATE_OPEN):
            super().handle_reply(message)

    def say_goodbye(self, code: int, reason: str = "") -> None:
        """Begin to close. Autobahn's own door refuses the codes 1001 to 1015, some of which are a server's to use."""
        self.sendCloseFrame(code=code, reasonUtf8=reason.encode()[:123])

    def deny(self, status: int, reason: str) -> None:
        """Refuse the handshake with an HTTP status."""
        if hasattr(self, "handshake_deferred"):
            deferred = self.handshake_deferred
            del self.handshake_deferred
            deferred.errback(ConnectionDeny(code=status, reason=reason))
            self.server.protocol_disconnected(self)

    def sendMessage(self, *args: Any, **kwargs: Any) -> None:
        """As ever, but for the limit, which is meant for what comes in."""
        limit, self.maxMessagePayloadSize = self.maxMessagePayloadSize, 0
        try:
            super().sendMessage(*args, **kwargs)
        finally:
            self.maxMessagePayloadSize = limit

    def serverReject(self) -> None:
        self.deny(403, "Access denied")

    def hang_up(self) -> None:
        self.transport.abortConnection()


class SocketFactory(WebSocketFactory):
    protocol = Socket


class WebServer(Server):
    """The server of this process. On its loop: `starting`, then it listens, then `listening`; at the end `stopping`."""

    def __init__(
        self,
        application: Any,
        *,
        listen: Callable[[Factory], Any],
        starting: Callable[[], Awaitable[None]],
        listening: Callable[[], None],
        stopping: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(
            application,
            endpoints=["our own"],
            websocket_timeout=-1,  # a session's end is the watch's business
            websocket_max_message_size=MESSAGE_BYTES,
            websocket_max_frame_size=MESSAGE_BYTES,
            verbosity=0,
            server_name="",
        )
        self.listen, self.starting, self.listening, self.stopping = listen, starting, listening, stopping
        self.failed = False

    def run(self) -> None:
        self.connections: dict[Any, dict[str, Any]] = {}
        self.http_factory = Factory(self)
        self.ws_factory = SocketFactory(self, server="")
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            closeHandshakeTimeout=2,
            maxMessagePayloadSize=MESSAGE_BYTES,
            maxFramePayloadSize=MESSAGE_BYTES,
            perMessageCompressionAccept=lambda offers: None,
            failByDrop=False,
        )
        globalLogBeginner.beginLoggingTo([lambda event: None], redirectStandardIO=False, discardBuffer=True)
        loop = reactor._asyncioEventloop
        asyncio.set_event_loop(loop)
        reactor.callWhenRunning(lambda: loop.create_task(self._begin()))
        reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromFuture(loop.create_task(self._end())))
        reactor.run(installSignalHandlers=True)

    async def _begin(self) -> None:
        try:
            await self.starting()
            self.port = self.listen(self.http_factory)
            reactor.callLater(1, self.application_checker)
            reactor.callLater(2, self.timeout_checker)
            self.listening()
        except Exception as problem:
            self.failed = True
            logger.critical("cannot start: %s", problem, exc_info=problem)
            self.stop()

    async def _end(self) -> None:
        """Stop listening, tell sockets, let requests finish for a moment, then stop what `starting` started."""
        if hasattr(self, "port"):
            self.port.stopListening()
        for protocol in list(self.connections):
            if isinstance(protocol, Socket) and protocol.state == protocol.STATE_OPEN:
                protocol.say_goodbye(1001, "the server is stopping")
        for patience, cancel in ((1.0, False), (2.0, True)):
            running = [
                task
                for details in list(self.connections.values())
                if (task := details.get("application_instance")) and not task.done()
            ]
            if running:
                if cancel:
                    for task in running:
                        task.cancel()
                await asyncio.wait(running, timeout=patience)
        try:
            await asyncio.wait_for(self.stopping(), 8)
        except Exception:
            logger.exception("not everything stopped in order")

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Start the application for one request or socket; its inbox is what the protocol then fills."""
        scope.setdefault("asgi", {"version": "3.0"})
        if isinstance(protocol, Request):
            inbox: Any = protocol.body
            receive: Callable[[], Awaitable[Any]] = protocol.body
        else:
            inbox = Inbox(protocol.transport.pauseProducing, protocol.transport.resumeProducing)
            receive = inbox.get
            scope["extensions"] = {EXTENSION: protocol.wire}
        task = asyncio.ensure_future(self._serve(protocol, scope, receive))
        self.connections[protocol]["application_instance"] = task
        return inbox

    async def _serve(self, protocol: Any, scope: dict[str, Any], receive: Any) -> None:
        try:
            await self.application(scope, receive, partial(self.handle_reply, protocol))
        finally:
            if isinstance(receive, Body):
                receive.close()

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Write one message, then wait until the transport has room for the next."""
        await super().handle_reply(protocol, message)
        if not await protocol.flow.room():
            protocol.hang_up()


DENIALS = {
    4400: (400, "Bad request"),
    4401: (401, "Sign in first"),
    4403: (403, "Access denied"),
    4404: (404, "Not found"),
    4429: (429, "Too many connections"),
}
"""Close codes of our consumers before the handshake, as HTTP answers."""
