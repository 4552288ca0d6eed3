"""Threads that wait for somebody slow are not those that everybody else needs."""

from __future__ import annotations

import asyncio
import threading

from viewer.serving.database import database
from viewer.serving.life import many_may_wait


def test_ten_peers_that_never_answer_keep_nobody_from_the_database() -> None:
    over = threading.Event()

    async def serve() -> int:
        many_may_wait()
        slow = [asyncio.create_task(asyncio.to_thread(over.wait, 60)) for _ in range(10)]
        await asyncio.sleep(0)
        try:
            return await asyncio.wait_for(database(lambda: 42)(), 20)
        finally:
            over.set()
            await asyncio.gather(*slow)

    assert asyncio.run(serve()) == 42
