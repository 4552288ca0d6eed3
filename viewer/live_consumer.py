"""The WebSocket of live sessions: lets in who may see the study, asks once for each series who may see it, and moves messages
between the socket and the room."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import parse_qs

from channels.exceptions import StopConsumer
from django.apps import apps
from django.conf import settings

from accounts import audit
from viewer.api.viewing import note_denial
from viewer.archive import emergency, query, rows
from viewer.consumers import NOT_THERE, REMEMBERED, LetInConsumer
from viewer.live.cells import Cells, Named, pane_of, series_named
from viewer.live.messages import PER_SECOND, Change, Cursor, Join, Leave, Look, Message, Steer, parse
from viewer.live.rooms import Full, Room, Rooms, Seat
from viewer.models import Study
from viewer.serving.database import database
from viewer.serving.entrance import Guest
from viewer.streaming.protocol import MAX_MESSAGE, POLICY_VIOLATION, TOO_BIG, BadMessage, Hello, text_message
from viewer.streaming.rate import RateMeter


class LiveConsumer(LetInConsumer):
    """One open study page: it hears who shows the study live, and may come in."""

    study: Study | None = None
    seat: Seat | None = None
    room: Room | None = None
    telling: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        asked = parse_qs(self.scope["query_string"].decode("latin-1"))
        self.asked_study, self.asked_organization = (asked.get(name, [""])[0] for name in ("study", "organization"))
        self.studies: dict[Named, str] = {}
        """The study of each series that was asked about; empty where this person may not see it."""
        self.woken = asyncio.Event()
        await super().connect()
        self.meter = RateMeter(PER_SECOND)

    def news_groups(self) -> list[str]:
        return []

    def _asked(self) -> Guest | int:
        """As for every socket; and the study that the address names must be one that this person may see."""
        found = super()._asked()
        if isinstance(found, int):
            return found
        person = found.principal.user
        try:
            self.study = query.find_study(person, self.asked_study, self.asked_organization or None)
        except (query.NotFound, query.Ambiguous):
            if self.seat is None:
                note_denial(person, self.asked_study, self.scope, door="live")
            return NOT_THERE
        return found

    @property
    def key(self) -> tuple[str, str]:
        assert self.study is not None  # noqa: S101 - nobody comes in without one
        return self.study.organization.name, self.study.study_instance_uid

    # --- coming and going

    async def begin(self) -> None:
        assert self.guest is not None  # noqa: S101 - a socket begins after the entrance
        person = self.guest.principal.user
        self.seat = Seat(person.pk, person.get_full_name() or person.get_username(), self.woken.set)
        self.room = rooms().enter(self.key, self.seat)
        self.telling = asyncio.ensure_future(self.tell())

    async def end(self) -> None:
        seat, self.seat = self.seat, None
        if self.telling is not None:
            self.telling.cancel()
        if seat is None:
            return
        joined = seat.number is not None
        rooms().exit(self.key, seat)
        if joined:
            await database(self._note)("live.leave")

    def _note(self, action: str) -> None:
        assert self.guest is not None  # noqa: S101 - as above
        assert self.study is not None  # noqa: S101 - as above
        study, person = self.study, self.guest.principal.user
        rows.patiently(
            lambda: audit.record(
                action,
                actor=person,
                request=self.scope,
                organization=study.organization.name,
                patient_id=study.patient.patient_id,
                study_instance_uid=study.study_instance_uid,
                purpose=emergency.purpose_of(person, study),
            )
        )

    # --- what the client says

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        text = text_data or ""
        if len(text) > MAX_MESSAGE:
            await self.close(TOO_BIG)
            return
        try:
            message: Message | None = parse(text)
        except BadMessage as problem:
            message, wrong = None, str(problem)
        if not self.meter.allows("other" if message is None else message.rate):
            await self.close(POLICY_VIOLATION)
        elif message is None:
            await self.refuse("bad_message", wrong)
        elif self.seat is not None and self.room is not None:
            await self.take(message, self.seat, self.room)

    async def take(self, message: Message, seat: Seat, room: Room) -> None:
        match message:
            case Hello():
                await self.send(text_data=text_message("hello", protocol=1, build=settings.FARVIEW_BUILD))
            case Look():
                room.look(seat)
            case Join():
                await self.join(message, seat)
            case _ if seat.number is None:
                await self.refuse("bad_message", "join the session first")
            case Leave():
                room.leave(seat)
                await database(self._note)("live.leave")
            case Steer():
                room.steer(seat, message.together)
            case Change():
                await self.change(message, seat, room)
            case Cursor():
                room.point(seat, message)

    async def join(self, message: Join, seat: Seat) -> None:
        """Written down first: what cannot be does not happen."""
        if seat.number is not None:
            await self.refuse("bad_message", "you are in the session already")
            return
        if not await self.may_show({}, message.cells):
            await self.refuse("not_found", NO_SERIES)
            return
        await database(self._note)("live.join")
        try:
            rooms().join(self.key, seat, message.window, message.cells)
        except Full as problem:
            await database(self._note)("live.leave")
            await self.refuse("busy", str(problem))

    async def change(self, message: Change, seat: Seat, room: Room) -> None:
        if await self.may_show(room.cells, message.cells):
            room.change(seat, message.change, message.cells)
        else:
            room.refuse(seat, message.change)
            await self.refuse("not_found", NO_SERIES)

    async def may_show(self, cells: Cells, change: Cells) -> bool:
        """Whether this person sees every series that a change names, and each is of the study that it says."""
        named = set(series_named(cells, change))
        await self.look_up(named)
        panes = [cell for name, cell in change.items() if cell is not None and name == pane_of(name)]
        of_its_study = (self.studies.get((cell["series"], cell["organization"])) == cell["study"] for cell in panes)
        return all(map(self.sees, named)) and all(of_its_study)

    def sees(self, named: Named) -> bool:
        """Whether this person may see a series, as far as it was looked up."""
        return bool(self.studies.get(named))

    async def look_up(self, named: set[Named]) -> None:
        """Ask the database about series it was not asked about before on this connection; it ends when a right does."""
        if len(self.studies) > REMEMBERED:
            self.studies.clear()
        if unknown := named - self.studies.keys():
            self.studies |= await database(self._found)(unknown)

    def _found(self, named: set[Named]) -> dict[Named, str]:
        assert self.guest is not None  # noqa: S101 - as above
        found = {}
        for series, organization in named:
            try:
                row = query.find_series(self.guest.principal.user, series, organization or None)
                found[series, organization] = row.study.study_instance_uid
            except (query.NotFound, query.Ambiguous):
                found[series, organization] = ""
        return found

    # --- what it is told

    async def tell(self) -> None:
        """Tell what there is to tell, the newest of everything, for as long as the socket is open."""
        with contextlib.suppress(StopConsumer):
            while True:
                await self.woken.wait()
                self.woken.clear()
                if self.seat is None or self.room is None:
                    return
                while (named := self.room.named_for(self.seat)) - self.studies.keys():
                    await self.look_up(named)
                for message in list(self.room.told(self.seat, self.sees)):
                    await self.send(text_data=text_message(message.pop("type"), **message))

    async def refuse(self, code: str, message: str) -> None:
        await self.send(text_data=text_message("error", code=code, message=message))


NO_SERIES = "There is no such series, or not for you."


def rooms() -> Rooms:
    """The rooms of this process, kept on the app's configuration."""
    config = apps.get_app_config("viewer")
    found = getattr(config, "live_rooms", None)
    if not isinstance(found, Rooms):
        found = Rooms()
        config.live_rooms = found
    return found
