"""The kinds of destinations: how each is sent to, and what its row has to say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from reporting.delivery import to_archive, to_dicom, to_fhir, to_hl7, to_mail
from reporting.delivery.outcomes import NotSent, Outgoing
from reporting.delivery.secret_names import is_allowed, prefix_of
from reporting.delivery.transport import host_and_port
from reporting.messages.charsets import codec_of

ACTOR = "farview"
Problems = Callable[[str, dict[str, object]], list[str]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of destination."""

    title: str
    problems: Problems
    """What is wrong with (address, options), in sentences."""
    send: Callable[[Outgoing], Awaitable[str]]
    """Returns the receiver's answer, or raises NotSent."""
    options: frozenset[str] = frozenset()
    test: Callable[[Outgoing], Awaitable[str]] | None = None
    """Sends something harmless, and returns what came back."""
    export: str = ""
    """Of `reporting.exports`, where the payload is one of them; "objects": DICOM objects; "": nothing is kept."""
    mails: bool = False


def problems(kind: str, address: str, options: object, organization: str) -> list[str]:
    """What is wrong with the row of a destination, in sentences; empty: it can be sent to."""
    known = KINDS.get(kind)
    if known is None:
        return [f"There is no kind {kind!r}; the kinds are {', '.join(KINDS)}."]
    if not isinstance(options, dict):
        return ["The options are an object: {}."]
    strange = sorted(set(options) - known.options)
    found = [f"{kind} has no option {name!r}; it has {', '.join(sorted(known.options)) or 'none'}." for name in strange]
    secret = options.get("token_env")
    if secret is not None and not is_allowed(str(secret), organization):
        found.append(
            f"token_env names a variable of the server's environment: {prefix_of(organization)}... in capitals."
        )
    return found + known.problems(address, options)


def _none(address: str, options: dict[str, object]) -> list[str]:
    return ["This kind has no address."] if address else []


def _mllp(address: str, options: dict[str, object]) -> list[str]:
    found = []
    try:
        host_and_port(address)
    except NotSent:
        found.append("The address is HOST:PORT.")
    if "character_set" in options and codec_of(str(options["character_set"])) is None:
        found.append(f"The character set {str(options['character_set'])[:40]!r} is not known (HL7 table 0211).")
    texts = ("receiving_application", "receiving_facility", "sending_application", "sending_facility")
    found += [f"{name} is a text." for name in texts if not isinstance(options.get(name, ""), str)]
    return found


def _aet(address: str, options: dict[str, object]) -> list[str]:
    return [] if 0 < len(address.strip()) <= 16 else ["The address is the AE title of a DICOM peer."]


KINDS: dict[str, Kind] = {
    "archive": Kind("This archive", _none, send=to_archive.send, export="objects"),
    "fhir": Kind(
        "FHIR server",
        to_fhir.problems,
        send=to_fhir.send,
        options=frozenset({"allow_http", "token_env", "bundle"}),
        test=to_fhir.test,
        export="fhir",
    ),
    "hl7": Kind(
        "HL7 v2 receiver (MLLP)",
        _mllp,
        send=to_hl7.send,
        options=frozenset(
            {
                *("tls", "pdf", "character_set", "receiving_application", "receiving_facility"),
                *("sending_application", "sending_facility"),
            }
        ),
        test=to_hl7.test,
        export="hl7",
    ),
    "email": Kind("Mail with a link", to_mail.problems, send=to_mail.send, test=to_mail.send, mails=True),
    "dicom": Kind(
        "DICOM node",
        _aet,
        send=to_dicom.send,
        test=to_dicom.test,
        export="objects",
    ),
}
