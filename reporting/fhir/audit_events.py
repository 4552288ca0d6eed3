"""Events of the record as AuditEvent (R4), read and searched by FHIR itself after IHE BALP (IHE.BasicAudit 1.1)."""

from __future__ import annotations

import base64
import ipaddress

from django.db.models import Q, QuerySet

from accounts.audit_codes import Code, coded
from accounts.audit_export import DESTINATION, LEAVING, SOURCE
from accounts.audit_reading import first_since
from accounts.models import AuditEvent
from reporting.exports.fhir_types import DICOM_UID, SYSTEMS, Json, bare, instant
from reporting.fhir.searching import BadSearch, number, span
from viewer.models import Patient

TYPES = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTIONS = "http://hl7.org/fhir/restful-interaction"
ENTITY_TYPES = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ENTITY_ROLES = "http://terminology.hl7.org/CodeSystem/object-role"
SOURCE_TYPES = "http://terminology.hl7.org/CodeSystem/security-source-type"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
OWN = "urn:farview:audit"
"""Coding system of our actions and roles."""
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
_WORDS = {"1": "Person", "2": "System Object"}
_ROLES = {"1": "Patient", "3": "Report", "4": "Domain Resource", "24": "Query"}


def audit_event(row: AuditEvent) -> Json:
    told = coded(row)
    interaction = _interaction(row)
    kinds = [_dicom(told.kind)] if told.kind else []
    rest = {"system": TYPES, "code": "rest", "display": "Restful Operation"}
    return bare(
        {
            "resourceType": "AuditEvent",
            "id": str(row.sequence),
            "meta": {"profile": [_profile(row, interaction)] if interaction else []},
            "type": rest if interaction else _dicom(told.event),
            "subtype": [
                *([{"system": INTERACTIONS, "code": interaction, "display": interaction}] if interaction else kinds),
                {"system": OWN, "code": row.action},
            ],
            "action": ("E" if interaction == "search" else "R") if interaction else told.act,
            "recorded": instant(row.at),
            "outcome": told.outcome,
            "outcomeDesc": "" if row.outcome == "success" else str(row.detail.get("reason") or row.outcome),
            "purposeOfEvent": [{"text": row.purpose}],
            "agent": _agents(row, leaving=told.event.value in LEAVING or interaction == "read"),
            "source": {
                "site": row.organization,
                "observer": {"display": "Farview"},
                "type": [{"system": SOURCE_TYPES, "code": "4", "display": "Application Server"}],
            },
            "entity": _entities(row, interaction),
        }
    )


def _interaction(row: AuditEvent) -> str:
    """What was done by FHIR's own doors; empty for what was not."""
    if row.action in ("fhir.search", "audit.search"):
        return "search"
    by_fhir = row.action in ("fhir.read", "audit.read") or row.detail.get("door") == "fhir"
    return "read" if by_fhir and row.outcome == "success" else ""


def _profile(row: AuditEvent, interaction: str) -> str:
    whose = "Patient" if row.patient_id else ""
    return f"{BALP}{whose}{'Query' if interaction == 'search' else 'Read'}"


def _agents(row: AuditEvent, *, leaving: bool) -> list[Json]:
    """The program that asked, this server, and the person behind it."""
    name = row.actor or "nobody"
    asking = {
        "type": {"coding": [_dicom(DESTINATION if leaving else SOURCE)]},
        "who": {"display": row.origin or name},
        "requestor": False,
        "network": _network(row.origin),
    }
    server = {
        "type": {"coding": [_dicom(SOURCE if leaving else DESTINATION)]},
        "who": {"display": "Farview"},
        "requestor": False,
    }
    person = {
        "type": {"coding": [{"system": PARTICIPATION, "code": "IRCP", "display": "information recipient"}]},
        "role": [{"coding": [{"system": OWN, "code": role}]} for role in row.role.split(",") if role],
        "who": {"identifier": {"system": OWN, "value": name}},
        "name": name,
        "requestor": True,
    }
    return [asking, server, person]


def _network(origin: str) -> Json:
    if not origin:
        return {}
    try:
        ipaddress.ip_address(origin)
    except ValueError:
        return {"address": origin, "type": "1"}
    return {"address": origin, "type": "2"}


def _entities(row: AuditEvent, interaction: str) -> list[Json]:
    found = []
    if interaction == "search":
        asked = f"{row.detail.get('resource', '')}?{'&'.join(map(str, row.detail.get('asked') or []))}"
        found.append({**_entity("2", "24"), "query": base64.b64encode(asked.encode()).decode("ascii")})
    if row.patient_id:
        found.append({**_entity("1", "1"), "what": {"identifier": {"value": row.patient_id}}})
    if row.study_instance_uid:
        uid = {"system": DICOM_UID, "value": f"urn:oid:{row.study_instance_uid}"}
        found.append({**_entity("2", "3"), "what": {"identifier": uid, "type": "ImagingStudy"}})
    resource = f"{row.detail.get('resource', '')}/{row.detail.get('id', '')}" if interaction == "read" else ""
    name = row.object_uid or (resource if len(resource) > 1 else "")
    if name or interaction == "read":
        what = {"identifier": {"value": name or row.study_instance_uid or row.patient_id}}
        found.append({**_entity("2", "4"), "what": what})
    kept = {"sequence": row.sequence, "mac": row.mac, **row.detail}
    details = [{"type": str(key), "valueString": str(value)} for key, value in kept.items() if str(value).strip()]
    chained = {"identifier": {"system": OWN, "value": str(row.sequence)}}
    found.append({**_entity("2", "4"), "what": chained, "name": "row of the record", "detail": details})
    # FHIR (aue-1): a name or a query, not both
    return found


def _entity(kind: str, role: str) -> Json:
    return {
        "type": {"system": ENTITY_TYPES, "code": kind, "display": _WORDS[kind]},
        "role": {"system": ENTITY_ROLES, "code": role, "display": _ROLES[role]},
    }


def _dicom(code: Code | None) -> Json:
    return {"system": SYSTEMS["DCM"], "code": code.value, "display": code.meaning} if code else {}


# --- searching


def one_of(rows: QuerySet[AuditEvent], key: str) -> AuditEvent | None:
    found = number(key)
    return None if found is None else rows.filter(sequence=found).first()


def by_date(value: str) -> Q:
    """`date`: the time of the event, by the numbers that it has in the record."""
    comparison, start, end = span(value)
    first, after = first_since(start), first_since(end)
    found = {
        "eq": Q(sequence__gte=first, sequence__lt=after),
        "ne": Q(sequence__lt=first) | Q(sequence__gte=after),
        "ge": Q(sequence__gte=first),
        "gt": Q(sequence__gte=after),
        "sa": Q(sequence__gte=after),
        "le": Q(sequence__lt=after),
        "lt": Q(sequence__lt=first),
        "eb": Q(sequence__lt=first),
    }
    return found[comparison]


def by_patient(value: str) -> Q:
    """`patient`: a Patient of this server, whose number and organization the event names."""
    key = number(value.removeprefix("Patient/"))
    row = Patient.objects.filter(pk=key).select_related("organization").first() if key is not None else None
    return Q(patient_id=row.patient_id, organization=row.organization.name) if row else Q(pk__in=[])


def by_outcome(value: str) -> Q:
    words = {"0": "success", "4": "failure", "8": "denied"}.get(value.rpartition("|")[2])
    if words is None:
        raise BadSearch("0, 4 or 8 is expected")
    return Q(outcome=words)
