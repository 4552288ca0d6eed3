"""Events as DICOM audit messages (PS3.15 A.5.1, the XML that grew out of RFC 3881) in syslog lines (RFC 5424)."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime

from accounts.audit_codes import Code, coded
from accounts.models import AuditEvent

DESTINATION, SOURCE = Code("110152", "Destination Role ID"), Code("110153", "Source Role ID")
STUDY_UID = Code("110180", "Study Instance UID")
OWN = "99FARVIEW"
"""Coding scheme of our roles and actions."""
RFC_3881 = "RFC-3881"
APPLICATION_SERVER = "4"
PERSON, SYSTEM_OBJECT = "1", "2"
"""Participant Object Type Code."""
PATIENT_ROLE, REPORT_ROLE, QUERY_ROLE = "1", "3", "24"
LEAVING = ("110104", "110106")
"""Events in which this server is the source."""
PRIORITY = 10 * 8 + 5
"""Facility 10 (security), severity 5 (notice): PS3.15 A.6."""
MESSAGE_ID = "DICOM+RFC3881"
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Source:
    """Which server tells."""

    host: str
    process: int


def message(event: AuditEvent, source: Source) -> bytes:
    """One AuditMessage, UTF-8."""
    told = coded(event)
    root = ET.Element("AuditMessage")
    said = {
        "EventActionCode": told.act,
        "EventDateTime": _moment(event.at),
        "EventOutcomeIndicator": told.outcome,
    }
    what = ET.SubElement(root, "EventIdentification", said)
    _code(what, "EventID", *told.event)
    if told.kind is not None:
        _code(what, "EventTypeCode", *told.kind)
    _code(what, "EventTypeCode", event.action, event.action, OWN)
    if event.outcome != "success":
        ET.SubElement(what, "EventOutcomeDescription").text = _text(str(event.detail.get("reason") or event.outcome))
    _participants(root, event, source, told.event)
    identity = {"AuditSourceID": source.host}
    if event.organization:
        identity = {"AuditEnterpriseSiteID": _text(event.organization), **identity}
    ET.SubElement(
        ET.SubElement(root, "AuditSourceIdentification", identity),
        "AuditSourceTypeCode",
        {"csd-code": APPLICATION_SERVER},
    )
    _objects(root, event)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _participants(root: ET.Element, event: AuditEvent, source: Source, what: Code) -> None:
    asking = {"UserID": _text(event.actor) or "nobody", "UserIsRequestor": "true"}
    if event.origin:
        kind = "2" if _is_address(event.origin) else "1"
        asking |= {"NetworkAccessPointID": _text(event.origin), "NetworkAccessPointTypeCode": kind}
    person = ET.SubElement(root, "ActiveParticipant", asking)
    for role in filter(None, event.role.split(",")):
        _code(person, "RoleIDCode", role, role, OWN)
    leaving = what.value in LEAVING
    _code(person, "RoleIDCode", *(DESTINATION if leaving else SOURCE))
    server = ET.SubElement(
        root,
        "ActiveParticipant",
        {
            **{"UserID": "farview", "AlternativeUserID": str(source.process), "UserIsRequestor": "false"},
            **{"NetworkAccessPointID": source.host, "NetworkAccessPointTypeCode": "1"},
        },
    )
    _code(server, "RoleIDCode", *(SOURCE if leaving else DESTINATION))


def _objects(root: ET.Element, event: AuditEvent) -> None:
    if event.study_instance_uid:
        _object(root, event.study_instance_uid, REPORT_ROLE, (*STUDY_UID, "DCM"))
    if event.object_uid:
        _object(root, event.object_uid, REPORT_ROLE, ("9", "Report Number", RFC_3881))
    if event.patient_id:
        _object(root, event.patient_id, PATIENT_ROLE, ("2", "Patient Number", RFC_3881))
    details = {**event.detail, **({"purpose": event.purpose} if event.purpose else {})}
    said = {**details, "sequence": event.sequence, "mac": event.mac}
    found = _object(root, str(event.sequence), "13", ("12", "URI", RFC_3881))
    for name, value in said.items():
        words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if not words:
            continue
        kept = base64.b64encode(words.encode("utf-8", "replace")).decode("ascii")
        ET.SubElement(found, "ParticipantObjectDetail", {"type": _text(str(name)) or "detail", "value": kept})


def _object(root: ET.Element, name: str, role: str, kind: tuple[str, str, str]) -> ET.Element:
    said = {
        "ParticipantObjectID": _text(name),
        "ParticipantObjectTypeCode": PERSON if role == PATIENT_ROLE else SYSTEM_OBJECT,
        "ParticipantObjectTypeCodeRole": role,
    }
    found = ET.SubElement(root, "ParticipantObjectIdentification", said)
    _code(found, "ParticipantObjectIDTypeCode", *kind)
    return found


def _code(parent: ET.Element, name: str, value: str, meaning: str, scheme: str = "DCM") -> None:
    ET.SubElement(
        parent, name, {"csd-code": _text(value) or "-", "codeSystemName": scheme, "originalText": _text(meaning) or "-"}
    )


def _text(value: str) -> str:
    """What XML can say."""
    return _NO_XML.sub("\ufffd", value)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def syslog_line(event: AuditEvent, source: Source) -> bytes:
    """RFC 5424, with the mark of UTF-8 before the message."""
    head = f"<{PRIORITY}>1 {_moment(event.at)} {source.host} farview {source.process} {MESSAGE_ID} - "
    return head.encode("ascii", "replace") + b"\xef\xbb\xbf" + message(event, source)


def counted(line: bytes) -> bytes:
    """As a stream carries it: its length first (RFC 5425 4.3, RFC 6587 3.4.1)."""
    return str(len(line)).encode("ascii") + b" " + line
