"""Who may open a socket."""

from __future__ import annotations

import pytest
from django.conf import settings

from accounts.models import ApiToken, User
from tests.viewer.serving.conftest import ORIGIN, Dial, People, cookie_of, in_thread, token_of

NEWS, VIEWER = "/ws/news/", "/ws/viewer/"
FROM_US = {b"origin": ORIGIN.encode()}


@pytest.mark.parametrize("path", [NEWS, VIEWER])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        FROM_US,
        {b"cookie": b"farview_session=nonsense"},
        {b"authorization": b"Bearer nonsense"},
        {b"authorization": b"Bearer"},
    ],
)
async def test_nobody_is_let_in(dial: Dial, people: People, path: str, headers: dict[bytes, bytes]) -> None:
    _, connected, code = await dial(path, headers)
    assert (connected, code) == (False, 4401)


async def test_a_session_that_is_none_is_nobody(dial: Dial, people: People) -> None:
    cookie = {b"cookie": f"{settings.SESSION_COOKIE_NAME}=abcdefgh".encode()}
    assert (await dial(NEWS, {**cookie, **FROM_US}))[1:] == (False, 4401)


async def test_a_browser_on_one_of_our_pages_is_let_in(dial: Dial, people: People) -> None:
    _, connected, _ = await dial(NEWS, {**await in_thread(cookie_of)(people.alice), **FROM_US})
    assert connected


@pytest.mark.parametrize(
    "origin",
    [
        None,
        b"",
        b"null",
        b"http://evil.example",
        b"http://127.0.0.1:1",
        b"https://" + ORIGIN.partition("//")[2].encode(),
        ORIGIN.encode() + b"/",
        ORIGIN.encode() + b".evil.example",
    ],
)
async def test_a_cookie_from_any_other_page_is_not_enough(dial: Dial, people: People, origin: bytes | None) -> None:
    headers = await in_thread(cookie_of)(people.alice)
    if origin is not None:
        headers[b"origin"] = origin
    assert (await dial(NEWS, headers))[1:] == (False, 4403)


async def test_a_token_needs_no_origin(dial: Dial, people: People) -> None:
    _, connected, _ = await dial(NEWS, await in_thread(token_of)(people.alice))
    assert connected


async def test_a_cookie_beside_a_bad_token_counts_for_nothing(dial: Dial, people: People) -> None:
    headers = {**await in_thread(cookie_of)(people.alice), **FROM_US, b"authorization": b"Bearer farview_wrong"}
    assert (await dial(NEWS, headers))[1:] == (False, 4401)


async def test_a_revoked_token_opens_nothing(dial: Dial, people: People) -> None:
    headers = await in_thread(token_of)(people.alice)
    await ApiToken.objects.all().adelete()
    assert (await dial(NEWS, headers))[1:] == (False, 4401)


async def test_a_disabled_person_is_nobody(dial: Dial, people: People) -> None:
    cookie, token = await in_thread(cookie_of)(people.alice), await in_thread(token_of)(people.alice)
    await User.objects.filter(pk=people.alice.pk).aupdate(is_active=False)
    assert (await dial(NEWS, {**cookie, **FROM_US}))[1:] == (False, 4401)
    assert (await dial(NEWS, token))[1:] == (False, 4401)


async def test_whoever_looks_nowhere_finds_no_viewer(dial: Dial, people: People) -> None:
    await in_thread(people.bob.memberships.all().delete)()
    assert (await dial(VIEWER, await in_thread(token_of)(people.bob)))[1:] == (False, 4404)


async def test_a_referrer_may_come_in_and_look_at_what_was_granted(dial: Dial, people: People) -> None:
    assert (await dial(VIEWER, await in_thread(token_of)(people.bob)))[1]


async def test_a_socket_that_is_none_is_not_there(dial: Dial, people: People) -> None:
    assert (await dial("/ws/other/", await in_thread(token_of)(people.alice)))[1:] == (False, 4404)


async def test_one_person_opens_no_end_of_sockets(dial: Dial, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viewer.consumers.SOCKETS_PER_PERSON", 2)
    alice, charlie = await in_thread(token_of)(people.alice), await in_thread(token_of)(people.charlie)
    assert [(await dial(NEWS, alice))[1] for _ in range(2)] == [True, True]
    assert (await dial(NEWS, alice))[1:] == (False, 4429)
    assert (await dial(NEWS, charlie))[1]
