"""Answers to messages (HL7 v2.5.1 2.9.2, 2.14.1 ACK): written for what comes in, read for what went out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from reporting.messages.er7 import BadMessage, Message, Segment, encode, parse

ACCEPTED, FAILED, REJECTED = "AA", "AE", "AR"
GOOD = ("AA", "CA")
BAD = ("AE", "AR", "CE", "CR")
WORDS = 400
VERSION = "2.5.1"

ERRORS = {
    "segment sequence": ("100", "Segment sequence error"),
    "required field": ("101", "Required field missing"),
    "data type": ("102", "Data type error"),
    "not found": ("204", "Unknown key identifier"),
    "message type": ("200", "Unsupported message type"),
    "event": ("201", "Unsupported event code"),
    "internal": ("207", "Application internal error"),
}
"""Table 0357."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message. `words` are for a person; `error` is a row of `ERRORS`."""

    code: str
    words: str = ""
    error: str = "internal"
    place: str = ""
    """The field that is wrong: "PID-3"."""


@dataclass(frozen=True, slots=True)
class Header:
    """What an answer takes from the message that it answers. Of something that is no message: nothing."""

    sending: tuple[str, str] = ("", "")
    receiving: tuple[str, str] = ("", "")
    control_id: str = ""
    event: str = ""
    processing: str = "P"
    version: str = VERSION
    character_set: str = ""
    accept_only: bool = False
    """Enhanced mode (2.9.3) in which only receipt is to be acknowledged."""

    @property
    def sender(self) -> str:
        return " / ".join(self.sending)


def header_of(message: Message) -> Header:
    msh = message.header
    return Header(
        sending=(msh.text(3), msh.text(4)),
        receiving=(msh.text(5), msh.text(6)),
        control_id=msh.text(10),
        event=msh.text(9, 2),
        processing=msh.text(11) or "P",
        version=msh.text(12) or VERSION,
        character_set=msh.text(18),
        accept_only=msh.text(15) not in ("", "NE") and msh.text(16) == "NE",
    )


def acknowledgement(header: Header, outcome: Outcome, control_id: str, now: datetime) -> str:
    """The answer: ACK with MSA, and ERR where it is not good."""
    code = outcome.code.replace("A", "C", 1) if header.accept_only else outcome.code
    words = " ".join(outcome.words.split())[:WORDS]
    segments = [
        (
            "MSH",
            {
                **{3: header.receiving[0], 4: header.receiving[1], 5: header.sending[0], 6: header.sending[1]},
                **{7: f"{now:%Y%m%d%H%M%S%z}", 9: ("ACK", header.event, "ACK") if header.event else "ACK"},
                **{10: control_id, 11: header.processing, 12: header.version, 18: header.character_set},
            },
        ),
        ("MSA", {1: code, 2: header.control_id, 3: words[:80]}),
    ]
    if outcome.code != ACCEPTED:
        number, meaning = ERRORS[outcome.error]
        segments.append(
            ("ERR", {2: _location(outcome.place), 3: (number, meaning, "HL70357"), 4: "E", 8: words or meaning})
        )
    return encode(segments)


def _location(place: str) -> tuple[str, ...]:
    """ERL: segment, which one of them, field."""
    segment, dash, number = place.partition("-")
    return (segment, "1", number.partition(".")[0]) if dash else (segment,)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered."""

    code: str
    control_id: str
    words: str = field(default="")

    @property
    def good(self) -> bool:
        return self.code in GOOD


def read(text: str) -> Answer:
    """An answer out of its text. Raises BadMessage."""
    message = parse(text)
    if not message.has("MSA"):
        raise BadMessage("the answer has no MSA segment")
    msa = message.first("MSA")
    code = msa.text(1).upper()
    if code not in GOOD + BAD:
        raise BadMessage(f"MSA-1 is {code[:8]!r}")
    said = [msa.whole(3), *(part for error in message.all("ERR") for part in _error(error))]
    return Answer(code, msa.text(2), "; ".join(dict.fromkeys(one for one in said if one))[:1000])


def _error(error: Segment) -> list[str]:
    text = error.text
    return [text(8), text(7), " ".join(filter(None, (text(3, 1), text(3, 2)))) or text(1, 4, 2)]
