"""The two WebSockets: live frames, and news. They let in, ask what may be seen, and move messages; nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Collection
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.conf import settings

from accounts import idle
from accounts.authentication import bearer_of
from accounts.models import READING_ROLES, Role
from accounts.policy import websocket_refusal
from viewer.api.auditing import note_storm
from viewer.api.shared import stamp_of
from viewer.api.viewing import note_denial, note_viewing
from viewer.archive import query
from viewer.dicom.series import InstanceFile, SeriesContent
from viewer.marks import calibrating
from viewer.rendering.sheets import Stated
from viewer.rendering.stamping import Stamp
from viewer.serving.database import database
from viewer.serving.entrance import Guest, from_our_pages, guest_again, guest_of, session_key
from viewer.serving.life import watch
from viewer.serving.news import FOR_ADMINISTRATORS, group_of
from viewer.serving.runtime import engine
from viewer.serving.wire import EXTENSION, Wire
from viewer.streaming.protocol import POLICY_VIOLATION, text_message
from viewer.streaming.rate import RateMeter
from viewer.streaming.session import Ambiguous, NotFound, Session

logger = logging.getLogger(__name__)

COME_AGAIN, SIGN_IN_FIRST, FORBIDDEN, NOT_THERE, TOO_MANY = 4000, 4401, 4403, 4404, 4429
REFUSALS = {"signed_out": SIGN_IN_FIRST, "not_found": NOT_THERE}
SOCKETS_PER_PERSON = 64
REMEMBERED = 1000
"""Series of one connection that are not written down again when they are opened again."""


class LetInConsumer(AsyncWebsocketConsumer):
    """A socket whose other end is known, and which closes when they lose a right."""

    guest: Guest | None = None

    async def connect(self) -> None:
        self.meter = RateMeter()
        refusal = await self.refusal()
        if refusal:
            await self.close(refusal)
            return
        await self.accept()
        await self.begin()

    async def refusal(self) -> int | None:
        """The close code for whoever may not come in. Sets `guest` for the others."""
        if bearer_of(self.scope) is None and not session_key(self.scope):
            return SIGN_IN_FIRST
        if not from_our_pages(self.scope):
            return FORBIDDEN
        found = await database(self._asked)()
        if isinstance(found, int):
            return found
        if watch().count(found) >= SOCKETS_PER_PERSON:
            return TOO_MANY
        self.guest = found
        watch().add(self, found, self.withdrawn)
        for group in self.news_groups():
            await self.channel_layer.group_add(group, self.channel_name)
        return None

    def news_groups(self) -> list[str]:
        """The groups whose news this socket hears."""
        return groups_of(self.guest) if self.guest is not None else []

    def _asked(self) -> Guest | int:
        """Who it is by what the database says now, or the close code for nobody and for those who have no business here."""
        guest = guest_again(self.guest, self.scope) if self.guest is not None else guest_of(self.scope)
        if guest is None:
            return SIGN_IN_FIRST
        refused = websocket_refusal(self.scope["path"], guest.principal.user, guest.principal.scopes)
        return REFUSALS[refused] if refused else guest

    async def begin(self) -> None:
        """The socket is open."""

    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        """As ever; a flood that ended it is written down."""
        await super().close(code, reason)
        if code == POLICY_VIOLATION and self.guest is not None:
            await database(note_storm)(self.guest.principal.user, self.scope, self.scope["path"])

    async def end(self) -> None:
        """Let go of everything; nothing is sent after this."""

    async def withdrawn(self) -> None:
        """Rights have changed. Whoever may still come in is asked to come again; the others are told that it is over.

        Either way no frame leaves after this, also when nobody reads.
        """
        await self.end()
        if not isinstance(await database(self._asked)(), int):
            goodbyes = [self.close(COME_AGAIN)]
        else:
            text = "You are signed out, or your rights have changed. Sign in again."
            told = text_message("error", code="signed_out", message=text, viewport=None)
            goodbyes = [self.send(text_data=told), self.close(SIGN_IN_FIRST)]
        for goodbye in goodbyes:
            # What is sent is on its way at once; the waiting is for a client that reads.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(goodbye, 1.0)

    async def leave(self) -> None:
        """Whatever ended the connection, nobody waits for it any more."""
        watch().remove(self)
        for group in self.news_groups():
            await self.channel_layer.group_discard(group, self.channel_name)
        await self.end()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """As ever, but the channel layer is heard beside the client, not once for each of the client's messages."""
        self.scope, self.base_send = scope, send
        self.channel_layer = get_channel_layer(self.channel_layer_alias)
        self.channel_name = await self.channel_layer.new_channel()
        hearing = asyncio.create_task(self.hear())
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        finally:
            hearing.cancel()
            await self.leave()

    async def hear(self) -> None:
        """Take the channel layer's messages."""
        while True:
            message = await self.channel_layer.receive(self.channel_name)
            with contextlib.suppress(StopConsumer):
                await self.dispatch(message)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As ever, but without a look at the database's connections for every message."""
        handler = getattr(self, str(message["type"]).replace(".", "_"))
        try:
            await handler(message)
        except StopConsumer:
            raise
        except Exception:
            logger.exception("a socket's message could not be handled")
            await self.close(1011)
            raise StopConsumer() from None

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        raise StopConsumer()


class ViewerConsumer(LetInConsumer):
    """Live frames: a `Session` of the streaming room, and who is looking."""

    session: Session | None = None
    wire: Wire | None = None
    """The short way to and from the socket, where the server has one (decision 0014)."""

    async def begin(self) -> None:
        self.recorded: set[tuple[str, str | None]] = set()
        self.wire = self.scope.get("extensions", {}).get(EXTENSION)
        self.session = Session(
            await engine(),
            self.open_series_for,
            self.wire.text if self.wire else self.send_text,
            self.wire.binary if self.wire else self.send_binary,
            self.close,
            build=settings.FARVIEW_BUILD,
            meter=self.meter,
            find_objects=self.objects_for,
            find_stated=self.stated_for,
            stamp=await database(self._stamp)(),
        )
        if self.wire is not None:
            self.wire.hear(self.received)

    async def end(self) -> None:
        if self.wire is not None:
            self.wire.hear(None)
        if self.session is not None:
            await self.session.close()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.wire is not None and self.wire.heard:
            self.wire.take(text_data or "")  # it came before the wire was heard, and keeps its turn
        else:
            await self.received(text_data or "")

    async def received(self, text: str) -> None:
        """One message of the client, by whichever way it came."""
        if self.session is not None and self.guest is not None:
            idle.told_by_socket(self.guest.principal.session, text)
            await self.session.receive(text)

    async def send_text(self, text: str) -> None:
        await self.send(text_data=text)

    async def send_binary(self, content: bytes) -> None:
        await self.send(bytes_data=content)

    def _stamp(self) -> Stamp | None:
        """What goes over every picture of this connection."""
        return stamp_of(self.guest.principal.user) if self.guest is not None else None

    async def open_series_for(self, series: str, organization: str | None) -> SeriesContent:
        """The files of a series this person may see, written down once per connection. Raises NotFound or Ambiguous."""
        first = (series, organization) not in self.recorded
        if len(self.recorded) >= REMEMBERED:
            self.recorded.clear()
        self.recorded.add((series, organization))
        return await database(self._content)(series, organization, first)

    def _content(self, series: str, organization: str | None, first: bool) -> SeriesContent:
        assert self.guest is not None  # noqa: S101 - a session begins after the entrance
        person = self.guest.principal.user
        try:
            found = query.find_series(person, series, organization)
        except query.NotFound:
            if first:
                note_denial(person, series, self.scope, door="viewer")
            raise NotFound(series) from None
        except query.Ambiguous as several:
            raise Ambiguous(several.organizations) from None
        if first:
            note_viewing(person, found.study, self.scope, door="viewer")
        return query.series_content(found)

    async def objects_for(self, series: str, organization: str, wanted: Collection[str] | None) -> list[InstanceFile]:
        """Objects of the study of a series that this person may see by now; none where they may not."""
        return await database(self._objects)(series, organization, wanted)

    def _objects(self, series: str, organization: str, wanted: Collection[str] | None) -> list[InstanceFile]:
        assert self.guest is not None  # noqa: S101 - a session begins after the entrance
        try:
            found = query.find_series(self.guest.principal.user, series, organization)
        except query.NotFound:
            return []
        return query.objects_beside(found, wanted)

    async def stated_for(self, series: str, organization: str, image: str, frame_number: int | None) -> Stated | None:
        """The calibration that holds for a frame by now."""
        return await database(self._stated)(series, organization, image, frame_number)

    def _stated(self, series: str, organization: str, image: str, frame_number: int | None) -> Stated | None:
        assert self.guest is not None  # noqa: S101 - a session begins after the entrance
        try:
            found = query.find_series(self.guest.principal.user, series, organization)
        except query.NotFound:
            return None
        return calibrating.ground(found.study, {image}).stated(image, frame_number)

    async def news(self, message: dict[str, Any]) -> None:
        """Something was stored: whoever shows one of its series is told."""
        if self.session is None:
            return
        for uid, members in series_in(message["news"]):
            await self.session.series_changed(uid, **members)


class NewsConsumer(LetInConsumer):
    """What has happened in the organizations where this person reads."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing is expected, a greeting is answered, and a flood ends it."""
        if not self.meter.allows("other"):
            await self.close(POLICY_VIOLATION)
        elif text_data and '"hello"' in text_data:
            await self.send(text_data=text_message("hello", protocol=1, build=settings.FARVIEW_BUILD))

    async def news(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message["news"]))


def groups_of(guest: Guest) -> list[str]:
    """The groups whose news is for this person: of organizations where they read, and of those that they administer."""
    read, administered = guest.organizations_as(READING_ROLES), guest.organizations_as((Role.ADMIN,))
    return [group_of(one) for one in read] + [
        group_of(one, kind) for one in administered for kind in FOR_ADMINISTRATORS
    ]


def series_in(news: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(Series Instance UID, what else is known) of every series that a piece of news is about."""
    listed = news.get("series") or []
    found = [{"series_instance_uid": one} if isinstance(one, str) else dict(one) for one in listed]
    if not found and news.get("series_instance_uid"):
        found = [{k: news[k] for k in ("series_instance_uid", "series_version") if k in news}]
    return [(str(one.pop("series_instance_uid")), one) for one in found if one.get("series_instance_uid")]
