"""What our actions are called elsewhere: codes of DICOM PS3.16 CID 400 and CID 401, and what was done (C, R, U, D, E)."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from accounts.models import AuditEvent


class Code(NamedTuple):
    """Of the coding scheme DCM."""

    value: str
    meaning: str


ACTIVITY = Code("110100", "Application Activity")
LOG_USED = Code("110101", "Audit Log Used")
ACCESSED = Code("110103", "DICOM Instances Accessed")
TRANSFERRED = Code("110104", "DICOM Instances Transferred")
EXPORT = Code("110106", "Export")
IMPORT = Code("110107", "Import")
NETWORK = Code("110108", "Network Entry")
ORDER = Code("110109", "Order Record")
PATIENT = Code("110110", "Patient Record")
PROCEDURE = Code("110111", "Procedure Record")
QUERY = Code("110112", "Query")
ALERT = Code("110113", "Security Alert")
AUTHENTICATION = Code("110114", "User Authentication")

LOGIN, LOGOUT = Code("110122", "Login"), Code("110123", "Logout")
OVERRIDE = Code("110127", "Emergency Override Started")
ROLES_CHANGED = Code("110136", "Security Roles Changed")
ATTRIBUTES_CHANGED = Code("110137", "User Security Attributes Changed")

KINDS: tuple[tuple[str, Code, Code | None], ...] = (
    ("sign-in", AUTHENTICATION, LOGIN),
    ("sign-out", AUTHENTICATION, LOGOUT),
    ("sessions.*", AUTHENTICATION, LOGOUT),
    ("emergency*", ALERT, OVERRIDE),
    ("membership.*", ALERT, ROLES_CHANGED),
    *((f"{one}.*", ALERT, ATTRIBUTES_CHANGED) for one in ("person", "user", "password", "token", "apitoken", "link")),
    *((f"{one}.*", ALERT, ATTRIBUTES_CHANGED) for one in ("factor", "share", "organization")),
    ("door.refuse", ALERT, None),
    ("audit.*", LOG_USED, None),
    ("*.search", QUERY, None),
    ("*.query", QUERY, None),
    ("*.list", QUERY, None),
    *((f"{one}.view", ACCESSED, None) for one in ("study", "series", "image", "marks")),
    *((f"{one}.retrieve", TRANSFERRED, None) for one in ("dicomweb", "dicom")),
    ("study.receive", TRANSFERRED, None),
    ("dicom.associate", NETWORK, None),
    ("export.*", EXPORT, None),
    ("*.export", EXPORT, None),
    ("*.deliver", EXPORT, None),
    ("*.import", IMPORT, None),
    ("order.*", ORDER, None),
    ("worklist.*", PROCEDURE, None),
    *((f"{one}.*", PATIENT, None) for one in ("report", "critical", "patient", "correction", "fhir", "hl7")),
)
"""The first that fits counts: pattern of the action, event, what kind of it."""

_VERBS: dict[str, str] = {
    **dict.fromkeys(("view", "read", "retrieve", "export", "deliver", "search", "query", "list"), "R"),
    **dict.fromkeys(("make", "issue", "give", "place", "receive", "store", "import", "open", "record", "save"), "C"),
    **dict.fromkeys(("change", "write", "sign_final", "cosign", "addendum", "correct", "settle", "activate"), "U"),
    **dict.fromkeys(("delete", "prune", "revoke", "retire"), "D"),
}
_ACTS = {**dict.fromkeys((QUERY, AUTHENTICATION, ALERT, ACTIVITY), "E"), EXPORT: "R", ACCESSED: "R"}
"""What PS3.15 A.5.3 leaves no choice about."""
OUTCOMES = {"success": "0", "failure": "4", "denied": "8"}
"""Event Outcome Indicator (PS3.15 A.5.2): 4 a minor failure, 8 a serious one."""


@dataclass(frozen=True, slots=True)
class Coded:
    """One event in their words."""

    event: Code
    kind: Code | None
    act: str
    outcome: str


def coded(event: AuditEvent) -> Coded:
    found = ((what, kind) for pattern, what, kind in KINDS if fnmatchcase(event.action, pattern))
    what, kind = next(found, (ACTIVITY, None))
    act = _ACTS.get(what) or _VERBS.get(event.action.rpartition(".")[2], "E")
    return Coded(what, kind, act, OUTCOMES.get(event.outcome, "4"))
