"""Who may send HL7 messages, and for which organization: by address and by what the message says of its sender."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from reporting.messages.acknowledgements import Header
from reporting.messages.charsets import codec_of
from reporting.messages.orders import PLACES
from reporting.messages.reading import is_place
from reporting.models import HL7Peer
from reporting.worklist.classes import CLASSES


def knows(address: str) -> bool:
    """Does any row name this address? Nobody else is listened to."""
    return any(_covers(peer.address, address) for peer in HL7Peer.objects.filter(active=True).only("address"))


def peer_of(address: str, header: Header) -> HL7Peer | None:
    """The row of whoever sends this: that which says most about them. None: no row, or rows that do not agree for which
    organization."""
    application, facility = header.sending
    fitting = [
        peer
        for peer in HL7Peer.objects.filter(active=True).select_related("organization")
        if _covers(peer.address, address)
        and peer.sending_application in ("", application)
        and peer.sending_facility in ("", facility)
    ]
    ranked = sorted(fitting, key=_closeness, reverse=True)
    if not ranked or len({peer.organization_id for peer in ranked}) > 1:
        return None
    if len(ranked) > 1 and _closeness(ranked[0]) == _closeness(ranked[1]):
        return None
    return ranked[0]


def default_character_set(address: str) -> str:
    """What whoever is at this address means where MSH-18 names nothing; "" where their rows do not agree."""
    rows = HL7Peer.objects.filter(active=True)
    said = {peer.character_set for peer in rows if _covers(peer.address, address)}
    return said.pop() if len(said) == 1 else ""


def problems(address: str, character_set: str, mapping: object) -> list[str]:
    """What is wrong with a row, in sentences."""
    found = []
    if _network(address) is None:
        found.append("The address is an IP address, or a network as 10.1.0.0/16.")
    if character_set and codec_of(character_set) is None:
        found.append(f"The character set {character_set!r} is not known (HL7 table 0211).")
    return found + (_mapping_problems(mapping) if isinstance(mapping, dict) else ["The mapping is an object: {}."])


def in_the_way(peer: HL7Peer) -> bool:
    """Whether messages that this row would take are another organization's already: nobody draws those to themselves."""
    ours = _network(peer.address)
    others = HL7Peer.objects.filter(active=True).exclude(organization=peer.organization_id)
    return ours is not None and any(
        theirs.version == ours.version
        and theirs.overlaps(ours)  # type: ignore[arg-type]
        and _meet(peer.sending_application, other.sending_application)
        and _meet(peer.sending_facility, other.sending_facility)
        for other in others
        if (theirs := _network(other.address)) is not None
    )


def _meet(one: str, other: str) -> bool:
    return not one or not other or one == other


def _mapping_problems(mapping: Mapping[str, Any]) -> list[str]:
    found = []
    for name, value in mapping.items():
        if name in PLACES:
            if not _are_texts(value) or not all(map(is_place, value)):
                found.append(f'{name} is a list of fields: ["OBR-18", "ZDS-1.1"].')
        elif name == "identifier_types":
            if not _are_texts(value):
                found.append('identifier_types is a list of types or authorities of PID-3: ["MR"].')
        elif name == "issuer":
            if not isinstance(value, str) or len(value) > 64:
                found.append("issuer is the Issuer of Patient ID as the images have it.")
        elif name == "priorities":
            if not isinstance(value, dict) or not set(map(str, value.values())) <= set(CLASSES):
                found.append(f"priorities says which word is which class: {', '.join(CLASSES)}.")
        else:
            found.append(f"There is nothing named {name!r} to map.")
    return found


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _closeness(peer: HL7Peer) -> tuple[int, bool, bool]:
    network = _network(peer.address)
    return (network.prefixlen if network else 0, bool(peer.sending_application), bool(peer.sending_facility))


def _covers(row: str, address: str) -> bool:
    network = _network(row)
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    return network is not None and plain.version == network.version and plain in network


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
