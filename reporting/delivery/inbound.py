"""HL7 messages that came in: kept, done, answered. In this order: what is answered well was durable before, and is done.

The same message (sender, control id, bytes) again is answered as the first time and done once.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts import audit
from reporting.delivery import corrections, peers
from reporting.delivery.kinds import ACTOR
from reporting.delivery.outcomes import fault
from reporting.messages.acknowledgements import ACCEPTED, FAILED, REJECTED, Header, Outcome, acknowledgement, header_of
from reporting.messages.charsets import decoded, encoded, named_in
from reporting.messages.er7 import BadMessage, Message, parse
from reporting.messages.orders import KINDS as ORDERS
from reporting.messages.orders import OrderSaid, orders_of
from reporting.messages.patients import MERGES, UPDATES, merges_of, patient_of
from reporting.messages.reading import NotUsable
from reporting.models import HL7Peer, InboundMessage
from reporting.worklist import orders
from reporting.worklist.refusals import BadOrder, Refused
from viewer.archive.rows import DatabaseBusy, patiently
from viewer.archive.storage import StorageFull

logger = logging.getLogger(__name__)

APPLIED, REFUSED, RECEIVED = "applied", "refused", "received"


@dataclass(frozen=True, slots=True)
class Answered:
    """The bytes to send back, and whether the sender may stay."""

    data: bytes
    known: bool = True


def receive(data: bytes, address: str) -> Answered:
    """Take one message in. Never raises: whatever is wrong is said in the answer."""
    header, character_set = Header(), named_in(data)
    try:
        message = parse(decoded(data, peers.default_character_set(address)))
        header = header_of(message)
        peer = peers.peer_of(address, header)
        if peer is None:
            _note_stranger(address, header)
            outcome = Outcome(REJECTED, "this sender is not known here", "message type", "MSH-3")
            return Answered(_written(header, outcome, character_set), known=False)
        outcome = _taken(data, message, header, peer)
    except BadMessage as problem:
        outcome = Outcome(REJECTED, str(problem), "data type")
    except (DatabaseBusy, StorageFull) as problem:
        outcome = Outcome(FAILED, f"{problem}; send it again")
    except Exception as problem:
        logger.error("An HL7 message could not be taken in: %s", fault(problem))
        outcome = Outcome(FAILED, "the message could not be taken in; send it again")
    return Answered(_written(header, outcome, character_set))


def _taken(data: bytes, message: Message, header: Header, peer: HL7Peer) -> Outcome:
    if not header.control_id:
        return Outcome(
            REJECTED, "MSH-10 is empty: without it a message cannot be known again", "required field", "MSH-10"
        )
    if len(header.control_id) > 200:
        return Outcome(REJECTED, "MSH-10 is too long", "data type", "MSH-10")
    row, new = _kept(data, message, header, peer)
    if not new and row.state != RECEIVED:
        return _as_before(row)
    return apply(row)


def _kept(data: bytes, message: Message, header: Header, peer: HL7Peer) -> tuple[InboundMessage, bool]:
    """The message's row, committed; and whether it is new."""
    by = message.header.by
    body = "\r".join(by.field.join([one.name, *one.fields[one.name == "MSH" :]]) for one in message.segments)
    kind = "^".join(filter(None, (message.header.text(9, 1), message.header.text(9, 2))))
    return patiently(
        lambda: InboundMessage.objects.get_or_create(
            peer=peer,
            control_id=header.control_id,
            sha256=hashlib.sha256(data).hexdigest(),
            defaults={
                **{"organization": peer.organization, "sender": header.sender[:200], "kind": kind[:32]},
                "body": body,
            },
        )
    )


def apply(row: InboundMessage) -> Outcome:
    """Do what a kept message says, and write down what came of it in the same transaction. Also again, by a person.

    Raises DatabaseBusy, StorageFull.
    """
    try:
        return patiently(lambda: _done(row))
    except NotUsable as problem:
        outcome = Outcome(FAILED, str(problem), problem.error, problem.place)
    except (BadOrder, Refused, BadMessage) as problem:
        outcome = Outcome(FAILED, str(problem), "data type")
    except (DatabaseBusy, StorageFull):
        raise
    except Exception as problem:
        logger.error("An HL7 message could not be done: %s", fault(problem))
        outcome = Outcome(FAILED, "the message is kept and could not be done; an administrator can see it")
    patiently(lambda: _write_down(row, REFUSED, outcome))
    return outcome


def _done(row: InboundMessage) -> Outcome:
    message = parse(row.body)
    peer = row.peer
    if peer is None or row.organization is None:
        raise NotUsable("the sender's row is gone", "MSH-3", "not found")
    words = _apply(message, peer)
    outcome = Outcome(ACCEPTED, words)
    _write_down(row, APPLIED, outcome)
    return outcome


def _write_down(row: InboundMessage, state: str, outcome: Outcome) -> None:
    problem = "" if state == APPLIED else outcome.words[:1000]
    answer = "\n".join((outcome.code, " ".join(outcome.words.split()), outcome.error, outcome.place))
    InboundMessage.objects.filter(pk=row.pk).update(state=state, problem=problem, answer=answer)
    row.state, row.problem = state, problem
    if state == REFUSED:
        audit.record(
            "hl7.refuse",
            actor=ACTOR,
            organization=row.organization.name if row.organization else "",
            object_uid=f"message {row.pk}",
            outcome="failure",
            detail={"kind": row.kind},
        )


def _as_before(row: InboundMessage) -> Outcome:
    code, words, error, place = (row.answer.split("\n") + [""] * 4)[:4]
    return Outcome(code or FAILED, words, error or "internal", place)


# --- what messages say


def _apply(message: Message, peer: HL7Peer) -> str:
    """Do it; returns words for the answer. Within a transaction. Raises NotUsable, BadOrder, Refused."""
    kind, event = message.header.text(9, 1).upper(), message.header.text(9, 2).upper()
    if (kind, event) in ORDERS or (kind == "ORM" and not event):
        zone = ZoneInfo(peer.organization.time_zone)
        for said in orders_of(message, peer.mapping, zone):
            _order(said, peer)
        return ""
    if kind == "ADT" and event in MERGES:
        pairs = merges_of(message, peer.mapping)
        known = [corrections.merge(peer.organization, *pair, event) for pair in pairs]
        return "" if any(known) else "these patients are not known here; nothing was to be changed"
    if kind == "ADT" and event in UPDATES:
        changed = corrections.correct(peer.organization, patient_of(message, peer.mapping), event)
        return "" if changed else "this patient is not known here; nothing was to be changed"
    if kind == "ADT":
        raise NotUsable(f"the event {event[:8]!r} is not done here", "MSH-9", "event")
    raise NotUsable(f"messages of type {kind[:8]!r} are not taken here", "MSH-9", "message type")


def _order(said: OrderSaid, peer: HL7Peer) -> None:
    values = {name: value for name, value in said.values.items() if value}
    patient = orders.PatientFacts(
        patient_id=said.patient.patient_id,
        issuer_of_patient_id=said.patient.issuer,
        name=said.patient.name or "",
        birth_date=said.patient.birth_date or "",
        sex=said.patient.sex or "",
    )
    facts = orders.OrderFacts(organization=peer.organization, patient=patient, **values)
    if said.act == "place":
        orders.place(facts, "hl7", ACTOR)
        return
    known = orders.find(facts)
    if known is None and said.act in ("change", "status"):
        orders.place(facts, "hl7", ACTOR)
    elif known is None:
        raise NotUsable("there is no such order to end", "ORC-2", "not found")
    elif said.act in ("change", "status"):
        changed = orders.change(known, facts, ACTOR)
        emptied = {name: _NOTHING.get(name, "") for name, value in said.values.items() if value == ""}
        emptied.pop("reading_class", None)
        if emptied:
            orders.correct(changed, emptied, ACTOR)
    else:
        orders.cancel(known, ACTOR, "as the ordering system says", discontinued=said.act == "discontinue")


_NOTHING = {"requested_at": None, "scheduled_at": None}


def pending() -> list[InboundMessage]:
    """Messages that are kept and were not done: the server ended in between."""
    rows = InboundMessage.objects.filter(state=RECEIVED).select_related("peer__organization", "organization")
    return list(rows.order_by("id")[:1000])


# --- answers


def _written(header: Header, outcome: Outcome, character_set: str) -> bytes:
    text = acknowledgement(header, outcome, f"FA{secrets.token_hex(8).upper()}", timezone.now())
    try:
        return encoded(text, character_set)
    except ValueError:
        return text.encode("utf-8", "replace")


def refusal(words: str) -> bytes:
    """An answer to what was not even looked at."""
    return _written(Header(), Outcome(REJECTED, words, "message type"), "")


def _note_stranger(address: str, header: Header) -> None:
    patiently(
        lambda: audit.record(
            "hl7.refuse",
            actor="",
            origin=address,
            outcome="denied",
            detail={"sender": header.sender[:200], "why": "unknown sender"},
        )
    )
