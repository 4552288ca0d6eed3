"""What leaves, made once and kept: the same bytes and the same control id at every try."""

from __future__ import annotations

import hashlib
import json

from django.utils import timezone

from reporting.delivery import filed, objects, to_archive, to_mail
from reporting.delivery.kinds import KINDS
from reporting.delivery.outcomes import NotSent, Outgoing, Payload
from reporting.delivery.to_fhir import COLLECTION
from reporting.evidence.blobs import bytes_of, keep
from reporting.exports import fhir, hl7
from reporting.messages import er7
from reporting.messages.charsets import DEFAULT, encoded
from reporting.models import Delivery
from reporting.workflow.reading import signed_report

CONTROL_ID = 20
"""Longest MSH-10 of v2.5.1 (2.15.9.10)."""


def made(delivery: Delivery) -> Payload:
    """The payload of a delivery: the one that is kept, else a new one, durable before this returns.

    Raises StorageFull, NotSent, and whatever making it raises.
    """
    if delivery.control_id and (delivery.payload_id or not KINDS[delivery.destination.kind].export):
        return Payload(delivery.control_id, delivery.payload)
    export = KINDS[delivery.destination.kind].export
    if not export:
        return Payload(control_id_of(delivery))
    control_id, data = _bytes_of(delivery, export)
    return Payload(control_id, keep(data).row())


def control_id_of(delivery: Delivery) -> str:
    """The same for the same version to the same destination, also out of a restored database; another for all others."""
    said = (
        f"{delivery.report.uid}/{delivery.report_version.number}/{delivery.destination.pk}/{delivery.destination.name}"
    )
    return "FV" + hashlib.sha256(said.encode()).hexdigest()[: CONTROL_ID - 2].upper()


def outgoing(delivery: Delivery, payload: Payload) -> Outgoing:
    """What a sender is given."""
    destination = delivery.destination
    options = dict(destination.options)
    if KINDS[destination.kind].mails:
        options["signed_as"] = str(destination.organization)
    return Outgoing(
        control_id=payload.control_id,
        data=bytes_of(payload.blob) if payload.blob is not None else b"",
        address=destination.address.strip(),
        options=options,
        organization=destination.organization.name,
        report=delivery.report_id,
        recipients=_recipients(delivery) if KINDS[destination.kind].mails else (),
    )


def _recipients(delivery: Delivery) -> tuple[str, ...]:
    address = delivery.destination.address.strip()
    if address != to_mail.REFERRER:
        return tuple(to_mail.addresses_in(address))
    order = delivery.report.order
    referrer = order.referrer if order is not None else None
    return (referrer.email,) if referrer is not None and referrer.is_active and referrer.email else ()


def _bytes_of(delivery: Delivery, export: str) -> tuple[str, bytes]:
    """(control id, bytes)"""
    number = delivery.report_version.number
    if export == "objects":
        made = filed.made_before(delivery.report_id, number)
        return control_id_of(delivery), made if made is not None else _objects(delivery)
    report = signed_report(delivery.report, number)
    if export == "hl7":
        return _addressed(delivery, hl7.make(report, document=bool(delivery.destination.options.get("pdf"))))
    data = fhir.make(report, transaction=delivery.destination.options.get("bundle") != COLLECTION)
    return _identifier_of(data) or control_id_of(delivery), data


def _objects(delivery: Delivery) -> bytes:
    said = signed_report(delivery.report, delivery.report_version.number, as_signed=True)
    return to_archive.packed(objects.of_report(delivery.report, delivery.report_version, said))


def _identifier_of(bundle: bytes) -> str:
    """Bundle.identifier: what a receiver knows a second sending by."""
    value = json.loads(bundle).get("identifier", {}).get("value", "")
    return str(value) if len(str(value)) <= 64 else ""


def _addressed(delivery: Delivery, data: bytes) -> tuple[str, bytes]:
    """The ORU with the header that this receiver asks for, in its character set."""
    options, control_id = delivery.destination.options, control_id_of(delivery)
    text = data.decode("utf-8")
    header, _, rest = text.partition("\r")
    fields = header.split("|")
    wanted = {
        2: options.get("sending_application"),
        3: options.get("sending_facility"),
        4: options.get("receiving_application"),
        5: options.get("receiving_facility"),
        6: f"{timezone.now():%Y%m%d%H%M%S%z}",
        9: control_id,
        17: options.get("character_set") or DEFAULT,
    }
    fields += [""] * (18 - len(fields))
    for place, value in wanted.items():
        if value:
            fields[place] = er7.escape(str(value))
    message = "|".join(fields) + "\r" + rest
    try:
        return control_id, encoded(message, str(wanted[17]))
    except ValueError as problem:
        raise NotSent(f"the report cannot be written in the receiver's characters: {problem}") from None
