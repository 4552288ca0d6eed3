"""News across processes: rows of the outbox, read by id, told to the sockets of this process.

Whoever stores something writes its news in the same transaction, so news is never about what did not happen; this tail
only makes it quick.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from channels.layers import get_channel_layer

from viewer.archive import emergency, outbox
from viewer.serving.database import database

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 0.5
AT_ONCE = 1000
PRUNE_EVERY_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class News:
    """One row of the outbox."""

    id: int
    kind: str
    organization_id: int
    organization: str
    payload: dict[str, Any]

    @property
    def about(self) -> tuple[object, ...]:
        """What this is news of: the newest of several about the same thing says it all."""
        uids = (self.payload.get("study_instance_uid"), self.payload.get("series_instance_uid"))
        return (self.kind, self.organization_id, *uids) if any(uids) else (self.id,)

    def message(self) -> dict[str, Any]:
        """As the channel layer carries it; consumers have a method `news`."""
        return {"type": "news", "news": {**self.payload, "type": self.kind, "organization": self.organization}}


def group_of(organization_id: int, kind: str = "") -> str:
    """The channel layer's group of everyone who may hear this organization's news (of this kind)."""
    return f"news.{organization_id}.administrators" if kind in FOR_ADMINISTRATORS else f"news.{organization_id}"


FOR_ADMINISTRATORS = frozenset({emergency.NEWS})
"""Kinds of news that whoever administers an organization hears, and nobody else."""


def rows_after(last: int) -> list[News]:
    """Up to `AT_ONCE` rows after id `last`, oldest first."""
    rows = outbox.since(last, AT_ONCE)
    return [News(row.id, row.kind, row.organization_id, row.organization.name, row.payload) for row in rows]


def newest_of_each(rows: Iterable[News]) -> list[News]:
    """One row about each thing, the newest, with the series of all: a channel holds a hundred messages, no more."""
    newest: dict[tuple[object, ...], News] = {}
    for row in rows:
        former = newest.pop(row.about, None)
        newest[row.about] = row if former is None else replace(row, payload=_joined(former.payload, row.payload))
    return list(newest.values())


def _joined(former: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    """The newer word about each series stands; that something of it was withdrawn is not forgotten over it."""
    series: dict[str, dict[str, Any]] = {}
    for one in [*former.get("series", ()), *payload.get("series", ())]:
        uid = one["series_instance_uid"]
        withdrawn = {"withdrawn": True} if series.get(uid, {}).get("withdrawn") else {}
        series[uid] = {**one, **withdrawn}
    return {**payload, "series": list(series.values())} if series else payload


class NewsTail:
    """Reads the outbox and tells this process's sockets."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._pruned_at = 0.0

    async def look(self) -> int:
        """Read and tell what is new; how many rows were read."""
        if self._last is None:
            self._last = await database(outbox.newest)()
        rows = await database(rows_after)(self._last)
        layer = get_channel_layer()
        for row in newest_of_each(rows):
            await layer.group_send(group_of(row.organization_id, row.kind), row.message())
        if rows:
            self._last = rows[-1].id
        return len(rows)

    async def run(self) -> None:
        """Look for as long as the process serves."""
        while True:
            try:
                read = await self.look()
                if time.monotonic() - self._pruned_at > PRUNE_EVERY_SECONDS:
                    self._pruned_at = time.monotonic()
                    await database(outbox.prune)()
            except Exception:
                logger.exception("cannot read the news")
                read = 0
            if read < AT_ONCE:
                await asyncio.sleep(PERIOD_SECONDS)
