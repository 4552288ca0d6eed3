"""Whoever loses a right is disconnected, however the right was lost and whoever else stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import ApiToken, Membership, User
from tests.viewer.serving.conftest import ORIGIN, Dial, People, cookie_of, in_thread, token_of
from viewer.serving.life import watch


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
    Membership.objects.filter(user=people.alice).update(role="referrer")


def session_ended(people: People) -> None:
    Session.objects.all().delete()


def session_expired(people: People) -> None:
    Session.objects.all().update(expire_date=timezone.now())


def person_deleted(people: People) -> None:
    people.alice.delete()


BY_TOKEN = [
    disabled,
    epoch_raised,
    token_revoked,
    token_expired,
    role_taken,
    role_changed_behind_our_back,
    person_deleted,
]
BY_COOKIE = [disabled, epoch_raised, session_ended, session_expired, role_taken]


@pytest.mark.parametrize(
    ("signed_in", "happens"),
    [(token_of, happens) for happens in BY_TOKEN] + [(cookie_of, happens) for happens in BY_COOKIE],
)
async def test_a_lost_right_ends_the_connection(
    dial: Dial, people: People, signed_in: Callable[[User], dict[bytes, bytes]], happens: Callable[[People], None]
) -> None:
    alice, *_ = await dial("/ws/news/", {**await in_thread(signed_in)(people.alice), b"origin": ORIGIN.encode()})
    charlie, *_ = await dial("/ws/news/", await in_thread(token_of)(people.charlie))
    await watch().check()
    assert await alice.receive_nothing()

    await in_thread(happens)(people)
    await watch().check()

    told = json.loads(await alice.receive_from())
    assert (told["type"], told["code"]) == ("error", "signed_out")
    assert (await alice.receive_output())["code"] == 4401
    assert await charlie.receive_nothing()


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
