"""The one engine of this process, and how every edge reaches it.

`serve` starts the engine on the server's own event loop. Where no server runs (a management command, Django's test
client) the first use starts a private engine on a loop of its own, and the end of the process stops it. The state lives
on the app's configuration object, which is one per process.
"""

from __future__ import annotations

import asyncio
import atexit
import inspect
import shutil
import threading
from typing import TYPE_CHECKING, Any, cast

from django.apps import apps
from django.conf import settings

if TYPE_CHECKING:
    from viewer.engine.engine import Engine
    from viewer.engine.store import DecodedStore
    from viewer.rendering.device import Device

DECODED_SHARE = 0.1
"""Of the disk, for decoded frames."""


class Runtime:
    """Holds the engine and the loop it lives on."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._private: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def running(self) -> bool:
        """True once the engine has started and until it stops."""
        return self._engine is not None

    @property
    def engine(self) -> Engine | None:
        """The engine while it runs; none is started for whoever asks. Its methods belong to its own loop."""
        return self._engine

    async def start(self) -> Engine:
        """Start the engine on the running loop, which becomes its home."""
        engine = make_engine()
        await engine.start()
        self._engine, self._loop = engine, asyncio.get_running_loop()
        return engine

    async def stop(self) -> None:
        """Stop the engine. To be awaited on its own loop."""
        engine, self._engine, self._loop = self._engine, None, None
        if engine is not None:
            await engine.stop()

    def home(self) -> asyncio.AbstractEventLoop:
        """The engine's loop; a private engine is started when no server brought one."""
        with self._lock:
            if self._loop is None:
                self._start_private()
            return cast(asyncio.AbstractEventLoop, self._loop)

    def engine_at_home(self) -> Engine:
        self.home()
        return cast("Engine", self._engine)

    def _start_private(self) -> None:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="private-engine", daemon=True)
        thread.start()
        asyncio.run_coroutine_threadsafe(self.start(), loop).result()
        self._private = thread
        atexit.register(self.stop_private)

    def stop_private(self) -> None:
        """Stop an engine that was started for want of a server; does nothing else."""
        with self._lock:
            thread, self._private = self._private, None
            if thread is None or self._loop is None:
                return
            loop = self._loop
            asyncio.run_coroutine_threadsafe(self.stop(), loop).result(timeout=20)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout=5)
            loop.close()
            atexit.unregister(self.stop_private)


class Elsewhere:
    """The engine as seen from another loop: the same methods, awaited here and run at its home."""

    def __init__(self, engine: Engine, home: asyncio.AbstractEventLoop) -> None:
        self._engine, self._home = engine, home

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def bridged(*args: Any, **kwargs: Any) -> Any:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(found(*args, **kwargs), self._home))

        return bridged


def make_engine() -> Engine:
    """An engine measured for this machine, or as the settings say."""
    from viewer.engine.budget import Budget
    from viewer.engine.engine import Engine

    budget = Budget.measure(
        frames=settings.FARVIEW_FRAME_CACHE_BYTES or None,
        volumes=settings.FARVIEW_VOLUME_CACHE_BYTES or None,
        decode_child=settings.FARVIEW_DECODE_BYTES or None,
    )
    return Engine(
        budget,
        render_threads=settings.FARVIEW_RENDER_THREADS or None,
        decode_children=settings.FARVIEW_DECODE_CHILDREN or None,
        decode_seconds=settings.FARVIEW_DECODE_SECONDS,
        store=make_store(),
        find_device=find_device,
    )


def find_device() -> Device | None:
    """What draws volumes beside the processor, as the settings say."""
    from viewer.rendering.device import find

    return find(settings.FARVIEW_GPU, settings.FARVIEW_GPU_CACHE_BYTES)


def make_store() -> DecodedStore:
    """Where decoded frames are kept. It stops growing, and shrinks, well before the disk is so full that nothing more is
    taken in."""
    from viewer.engine.store import DecodedStore

    disk = shutil.disk_usage(settings.FARVIEW_CACHE_DIR).total
    accepting = max(settings.FARVIEW_MIN_FREE_BYTES, int(settings.FARVIEW_MIN_FREE_FRACTION * disk))
    limit = settings.FARVIEW_DECODED_CACHE_BYTES or int(disk * DECODED_SHARE)
    return DecodedStore(settings.FARVIEW_CACHE_DIR / "decoded", limit, keep_free=2 * accepting)


def runtime() -> Runtime:
    """The runtime of this process, kept on the app's configuration."""
    config = apps.get_app_config("viewer")
    found = getattr(config, "runtime", None)
    if found is None:
        found = Runtime()
        config.runtime = found  # type: ignore[attr-defined]
    return cast(Runtime, found)


async def engine() -> Engine:
    """The engine, for asynchronous edges: `drawn = await (await engine()).draw(...)`, from whichever loop."""
    held = runtime()
    if not held.running:
        await asyncio.to_thread(held.home)
    home, here = held.home(), asyncio.get_running_loop()
    found = held.engine_at_home()
    return found if home is here else cast("Engine", Elsewhere(found, home))
