"""The short way of messages: what it takes, in which order, and what it leaves to others."""

from __future__ import annotations

import asyncio
import struct

import pytest

from viewer.serving.wire import BINARY, TEXT, WAITING, Wire, at_once, head_of, whole_text

MASK = b"\x01\x02\x03\x04"


def masked(content: bytes, first: int = TEXT, mask: bytes = MASK) -> bytes:
    size = len(content)
    length = (
        bytes([0x80 | size])
        if size < 126
        else struct.pack(">BH", 0xFE, size)
        if size < 65536
        else struct.pack(">BQ", 0xFF, size)
    )
    return bytes([first]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(content))


@pytest.mark.parametrize("text", ["", "a", "{}", "x" * 125, "x" * 126, "x" * 127, "x" * 65535, "Zoë 山田 😀"])
def test_a_whole_text_is_cut_out(text: str) -> None:
    data = masked(text.encode())
    assert whole_text(data) == (text, len(data))


def test_what_comes_behind_it_is_left() -> None:
    first, second = masked(b"first"), masked(b"second", mask=b"\xff\x00\xaa\x55")
    text, taken = whole_text(first + second) or ("", 0)
    assert (text, taken) == ("first", len(first))
    assert whole_text((first + second)[taken:]) == ("second", len(second))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        masked(b"hello")[:1],
        masked(b"hello")[:5],
        masked(b"hello")[:-1],
        masked(b"x" * 300)[:7],
        masked(b"hello", first=0x01),  # a fragment
        masked(b"hello", first=0x82),  # binary
        masked(b"hello", first=0xC1),  # a reserved bit
        masked(b"hello", first=0x89),  # a ping
        masked(b"x" * 65536),  # 64 KiB: Autobahn refuses it
        b"\x81\x05hello",  # not masked
        b"\x81\xfe\x00\x05" + MASK + b"hello",  # not the shortest length
        masked(b"\xff\xfe"),  # not UTF-8
    ],
)
def test_everything_else_goes_the_ordinary_way(data: bytes) -> None:
    assert whole_text(data) is None


@pytest.mark.parametrize(("length", "head"), [(5, b"\x82\x05"), (126, b"\x82\x7e\x00\x7e"), (70000, None)])
def test_heads_of_what_is_sent(length: int, head: bytes | None) -> None:
    assert head_of(BINARY, length) == (head or b"\x82\x7f" + struct.pack(">Q", length))


class Recorder:
    """A socket that notes what is asked of it."""

    def __init__(self) -> None:
        self.written: list[tuple[int, bytes]] = []
        self.paused = False
        self.closed = 0
        self.hung_up = False
        self.has_room = True

    def write_message(self, kind: int, content: bytes) -> None:
        self.written.append((kind, content))

    async def room(self) -> bool:
        return self.has_room

    def hang_up(self) -> None:
        self.hung_up = True

    def say_goodbye(self, code: int, reason: str = "") -> None:
        self.closed = code

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


async def test_a_message_is_handled_before_take_returns() -> None:
    heard: list[str] = []

    async def hearer(text: str) -> None:
        heard.append(text)

    wire = Wire(Recorder())
    wire.hear(hearer)
    wire.take("one")
    assert heard == ["one"]


async def test_messages_keep_their_order_behind_one_that_waits() -> None:
    heard: list[str] = []
    door = asyncio.Event()

    async def hearer(text: str) -> None:
        if text == "slow":
            await door.wait()
        heard.append(text)

    wire = Wire(Recorder())
    wire.hear(hearer)
    for text in ("slow", "a", "b"):
        wire.take(text)
    assert heard == []
    door.set()
    await asyncio.sleep(0.01)
    assert heard == ["slow", "a", "b"]
    wire.take("c")
    assert heard[-1] == "c"


async def test_a_flood_behind_one_that_waits_is_not_read_further() -> None:
    door, socket, count = asyncio.Event(), Recorder(), 0

    async def hearer(text: str) -> None:
        nonlocal count
        await door.wait()
        count += 1

    wire = Wire(socket)
    wire.hear(hearer)
    for _ in range(WAITING + 2):
        wire.take("x")
    assert socket.paused
    door.set()
    await asyncio.sleep(0.05)
    assert count == WAITING + 2
    assert not socket.paused


@pytest.mark.parametrize("late", [False, True])
async def test_a_failure_closes_the_connection_and_nothing_more_is_heard(late: bool) -> None:
    socket, heard = Recorder(), 0

    async def hearer(text: str) -> None:
        nonlocal heard
        heard += 1
        if late:
            await asyncio.sleep(0)
        raise KeyError("broken")

    wire = Wire(socket)
    wire.hear(hearer)
    wire.take("one")
    wire.take("two")
    await asyncio.sleep(0.01)
    assert (socket.closed, heard) == (1011, 1)
    assert not wire.heard


async def test_nobody_hears_after_the_end() -> None:
    heard: list[str] = []

    async def hearer(text: str) -> None:
        heard.append(text)

    wire = Wire(Recorder())
    wire.hear(hearer)
    wire.hear(None)
    wire.take("late")
    assert heard == []


async def test_a_sender_waits_for_room_and_hangs_up_on_who_takes_nothing() -> None:
    socket = Recorder()
    wire = Wire(socket)
    await wire.text("é")
    await wire.binary(b"\x00\x01")
    assert socket.written == [(TEXT, "é".encode()), (BINARY, b"\x00\x01")]
    socket.has_room = False
    await wire.binary(b"")
    assert socket.hung_up


async def test_work_that_waits_goes_on_with_what_it_waited_for() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    got: list[object] = []

    async def work() -> None:
        got.append(await future)
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(asyncio.sleep(5), 0.01)
        except TimeoutError:
            got.append("late")

    rest = at_once(work())
    assert rest is not None
    assert got == []
    future.set_result(7)
    await rest
    assert got == [7, "late"]
