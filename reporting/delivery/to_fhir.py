"""FHIR R4: the Bundle posted to a configured server (RESTful API, 3.1.0.11), with Python's own client.

A redirect is an answer like any other and not followed; no proxy of the environment is used; what is read is bounded in bytes
and time. Posting again after a crash is harmless: a transaction brings resources up to date by identifiers that are unique in
the world, and a collection is made only where its Bundle.identifier is not there yet (`If-None-Exist`).
"""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import json
import ssl
import time
from dataclasses import replace
from urllib.parse import quote, urlsplit

from reporting.delivery.outcomes import NotReached, NotSent, Outgoing
from reporting.delivery.secret_names import secret
from reporting.delivery.transport import reason, tls_context

CONNECT_S = 10.0
ANSWER_S = 60.0
ANSWER_BYTES = 1 << 20
LONGEST = 256 << 20
PIECE = 64 * 1024
MEDIA_TYPE = "application/fhir+json"
SYSTEM = "urn:ietf:rfc:3986"
BUNDLES = (TRANSACTION, COLLECTION) = ("transaction", "collection")
"""A transaction goes to the base of the server, which makes resources of it; a collection is kept as it is, under /Bundle."""


async def send(outgoing: Outgoing) -> str:
    """Post one Bundle; returns what the server answered. Raises NotSent."""
    if outgoing.options.get("bundle") == COLLECTION:
        outgoing = replace(outgoing, address=outgoing.address.rstrip("/") + "/Bundle")
    return await asyncio.to_thread(_ask, "POST", outgoing)


async def test(outgoing: Outgoing) -> str:
    """Ask the server what it can do (`/metadata`); nothing is sent. Raises NotSent."""
    return await asyncio.to_thread(_ask, "GET", replace(outgoing, address=outgoing.address.rstrip("/") + "/metadata"))


def problems(address: str, options: dict[str, object]) -> list[str]:
    """What is wrong with a server's address."""
    try:
        parts = urlsplit(address)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError:
        return ["The address is not a URL."]
    found = []
    if parts.scheme not in ("https", "http") or not parts.hostname or not port_is_good:
        found.append("The address is the base of a FHIR server: https://HOST[:PORT]/PATH.")
    elif parts.scheme == "http" and not options.get("allow_http") and not _is_this_machine(parts.hostname):
        found.append('Over http everybody on the way reads the report. Use https, or say {"allow_http": true}.')
    if options.get("bundle", TRANSACTION) not in BUNDLES:
        found.append(f"bundle is one of: {', '.join(BUNDLES)}.")
    if parts.username or parts.password or parts.query or parts.fragment:
        found.append("A name, password, query or fragment does not belong into the address; secrets go by token_env.")
    return found


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _ask(method: str, outgoing: Outgoing) -> str:
    if found := problems(outgoing.address, outgoing.options):
        raise NotSent(found[0])
    if len(outgoing.data) > LONGEST:
        raise NotSent(f"the Bundle has {len(outgoing.data):,} bytes; {LONGEST:,} are the most")
    parts = urlsplit(outgoing.address)
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    headers = _headers(outgoing)
    deadline = time.monotonic() + ANSWER_S
    try:
        connection.connect()
    except ssl.SSLError as problem:
        raise NotReached(f"TLS with {parts.netloc} failed: {problem.reason or problem}") from None
    except OSError as problem:
        raise NotReached(f"{parts.netloc} cannot be reached: {reason(problem)}") from None
    try:
        connection.sock.settimeout(ANSWER_S)
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=")
        connection.request(method, path, outgoing.data if method == "POST" else None, headers)
        response = connection.getresponse()
        with response:
            body = _read(response, deadline)
    except TimeoutError:
        raise NotSent(f"no answer within {ANSWER_S:.0f} s; it may have arrived", unreachable=True) from None
    except (OSError, http.client.HTTPException):
        raise NotSent("the connection broke before an answer; it may have arrived", unreachable=True) from None
    finally:
        connection.close()
    return _understood(response, body)


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=CONNECT_S, context=tls_context())
    return http.client.HTTPConnection(host, port, timeout=CONNECT_S)


def _headers(outgoing: Outgoing) -> dict[str, str]:
    headers = {
        "Content-Type": f"{MEDIA_TYPE}; charset=utf-8",
        "Accept": MEDIA_TYPE,
        "User-Agent": "Farview",
        "X-Request-Id": outgoing.control_id.removeprefix("urn:uuid:"),
    }
    if outgoing.options.get("bundle") == COLLECTION:
        headers["If-None-Exist"] = f"identifier={quote(f'{SYSTEM}|{outgoing.control_id}', safe='')}"
    if name := outgoing.options.get("token_env"):
        try:
            headers["Authorization"] = f"Bearer {secret(str(name), outgoing.organization)}"
        except LookupError as problem:
            raise NotSent(str(problem.args[0])) from None
    return headers


def _read(response: http.client.HTTPResponse, deadline: float) -> bytes:
    found = bytearray()
    while len(found) <= ANSWER_BYTES and (piece := response.read1(PIECE)):
        found += piece
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(found[:ANSWER_BYTES])


def _understood(response: http.client.HTTPResponse, body: bytes) -> str:
    """The answer as kept, where the server took the Bundle. Raises NotSent."""
    where = response.headers.get("Location", "")
    told = f"HTTP {response.status}" + (f", {where[:300]}" if where and response.status < 300 else "")
    if response.status in (200, 201, 202):
        return told
    if 300 <= response.status < 400:
        raise NotSent(f"HTTP {response.status}: the server sends elsewhere, where nothing is sent")
    busy = response.status in (408, 425, 429) or response.status >= 500
    raise NotSent(f"HTTP {response.status}", _outcome(body), unreachable=busy)


def _outcome(body: bytes) -> str:
    """What an OperationOutcome says in words; nothing of any other body."""
    try:
        said = json.loads(body)
        issues = said["issue"] if said.get("resourceType") == "OperationOutcome" else []
        words = [str(one.get("diagnostics") or one.get("details", {}).get("text") or one.get("code")) for one in issues]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    return "; ".join(words)[:2000]
