"""Whoever loses a right is disconnected, however the right was lost and whoever else stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import ApiToken, Membership, User
from tests.viewer.serving.conftest import ORIGIN, Dial, People, cookie_of, in_thread, token_of
from viewer.serving.life import watch
from viewer.serving.runtime import runtime

SignIn = Callable[[User], dict[bytes, bytes]]


def disabled(people: People) -> None:
    User.objects.filter(pk=people.alice.pk).update(is_active=False)


def epoch_raised(people: People) -> None:
    people.alice.withdraw()


def token_revoked(people: People) -> None:
    ApiToken.objects.filter(user=people.alice).update(revoked_at=timezone.now())


def token_expired(people: People) -> None:
    ApiToken.objects.filter(user=people.alice).update(expires_at=timezone.now())


def role_taken(people: People) -> None:
    Membership.objects.filter(user=people.alice).delete()


def role_changed_behind_our_back(people: People) -> None:
    Membership.objects.filter(user=people.alice).update(role="admin")


def role_given(people: People) -> None:
    Membership.objects.create(user=people.alice, organization=people.south, role="radiologist")


def session_ended(people: People) -> None:
    Session.objects.all().delete()


def session_expired(people: People) -> None:
    Session.objects.all().update(expire_date=timezone.now())


def person_deleted(people: People) -> None:
    people.alice.delete()


async def connected(dial: Dial, path: str, person: User, signed_in: SignIn = token_of) -> WebsocketCommunicator:
    socket, let_in, _ = await dial(path, {**await in_thread(signed_in)(person), b"origin": ORIGIN.encode()})
    assert let_in
    return socket


@pytest.mark.parametrize(
    ("signed_in", "happens"),
    [
        *((token_of, event) for event in (disabled, token_revoked, token_expired, person_deleted)),
        *((cookie_of, event) for event in (disabled, session_ended, session_expired, person_deleted)),
    ],
)
async def test_whoever_may_come_in_no_more_is_told_and_cut_off(
    dial: Dial, people: People, signed_in: SignIn, happens: Callable[[People], None]
) -> None:
    alice = await connected(dial, "/ws/news/", people.alice, signed_in)
    charlie = await connected(dial, "/ws/news/", people.charlie)
    await watch().check()
    assert await alice.receive_nothing()

    await in_thread(happens)(people)
    await watch().check()

    told = json.loads(await alice.receive_from())
    assert (told["type"], told["code"]) == ("error", "signed_out")
    assert (await alice.receive_output())["code"] == 4401
    assert await charlie.receive_nothing()


@pytest.mark.parametrize("signed_in", [token_of, cookie_of])
@pytest.mark.parametrize("happens", [epoch_raised, role_taken, role_changed_behind_our_back, role_given])
async def test_whose_rights_changed_is_asked_to_come_again(
    dial: Dial, people: People, signed_in: SignIn, happens: Callable[[People], None]
) -> None:
    alice = await connected(dial, "/ws/news/", people.alice, signed_in)
    await in_thread(happens)(people)
    await watch().check()
    assert (await alice.receive_output())["code"] == 4000


async def test_whoever_holds_no_role_any_more_is_told_so_by_the_viewer(dial: Dial, people: People) -> None:
    await runtime().start()
    try:
        alice = await connected(dial, "/ws/viewer/", people.alice)
        await in_thread(role_taken)(people)
        await watch().check()
        assert json.loads(await alice.receive_from())["code"] == "signed_out"
        assert (await alice.receive_output())["code"] == 4401
    finally:
        await runtime().stop()


async def test_nobody_connected_costs_no_query(people: People, django_assert_num_queries: object) -> None:
    await watch().check()
    assert watch()._connected == {}


async def test_a_closed_socket_is_watched_no_longer(dial: Dial, people: People) -> None:
    socket, *_ = await dial("/ws/news/", await in_thread(token_of)(people.alice))
    await socket.disconnect()
    assert watch()._connected == {}


async def test_a_connection_that_is_cut_off_is_watched_no_longer(dial: Dial, people: People) -> None:
    socket, *_ = await dial("/ws/news/", await in_thread(token_of)(people.alice))
    assert len(watch()._connected) == 1
    socket.future.cancel()
    await asyncio.wait([socket.future])
    assert watch()._connected == {}
