"""Addresses and TLS of what is sent over a network."""

from __future__ import annotations

import os
import ssl

from django.conf import settings

from reporting.delivery.outcomes import NotSent


def host_and_port(address: str) -> tuple[str, int]:
    """Of "host:port" or "[::1]:port". Raises NotSent."""
    host, colon, port = address.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise NotSent(f"the address {address[:80]!r} is not HOST:PORT")
    return host, int(port)


def reason(problem: OSError) -> str:
    """Why, in the words of the operating system; not in those of a library, which repeat the address."""
    return os.strerror(problem.errno) if problem.errno and problem.errno > 0 else str(problem.strerror or problem)


def tls_context() -> ssl.SSLContext:
    """TLS 1.2 and later, the receiver's certificate checked against the system's authorities and those of
    FARVIEW_DELIVERY_CA_FILE. Raises NotSent."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.FARVIEW_DELIVERY_CA_FILE:
        try:
            context.load_verify_locations(settings.FARVIEW_DELIVERY_CA_FILE)
        except (OSError, ssl.SSLError) as problem:
            raise NotSent(f"FARVIEW_DELIVERY_CA_FILE cannot be used: {reason(problem)}") from None
    return context
