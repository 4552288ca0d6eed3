"""Alice reads at North, Bob is a referrer there, Charlie reads at South."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from accounts.authentication import issue
from accounts.models import Membership, Organization, User

ORIGIN = f"http://127.0.0.1:{settings.FARVIEW_PORT}"


@dataclass
class People:
    alice: User
    bob: User
    charlie: User
    north: Organization
    south: Organization


@pytest.fixture
def people(transactional_db: None) -> People:
    north, south = (Organization.objects.create(name=name) for name in ("north", "south"))
    alice, bob, charlie = (
        User.objects.create_user(name, password="long enough") for name in ("alice", "bob", "charlie")
    )
    Membership.objects.create(user=alice, organization=north, role="radiologist")
    Membership.objects.create(user=bob, organization=north, role="referrer")
    Membership.objects.create(user=charlie, organization=south, role="radiologist")
    for person in (alice, bob, charlie):
        person.refresh_from_db()
    return People(alice, bob, charlie, north, south)


def cookie_of(user: User) -> dict[bytes, bytes]:
    """Headers of a browser in which `user` is signed in."""
    browser = Client()
    browser.force_login(user)
    return {b"cookie": f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}".encode()}


def token_of(user: User) -> dict[bytes, bytes]:
    return {b"authorization": f"Bearer {issue(user)}".encode()}


Dial = Callable[..., Awaitable[tuple[WebsocketCommunicator, bool, Any]]]


@pytest.fixture
async def dial() -> Any:
    """Opens a socket of the whole application: (communicator, connected, close code)."""
    from config.asgi import application

    open_ones: list[WebsocketCommunicator] = []

    async def connect(path: str, headers: dict[bytes, bytes]) -> tuple[WebsocketCommunicator, bool, Any]:
        socket = WebsocketCommunicator(application, path, headers=list(headers.items()))
        connected, code = await socket.connect(timeout=10)
        if connected:
            open_ones.append(socket)
        return socket, connected, code

    yield connect
    for socket in open_ones:
        if not socket.future.done():
            await socket.disconnect()


in_thread = sync_to_async
