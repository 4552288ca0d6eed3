"""What resources of this server say beyond the data types (`reporting.exports.fhir_types`): of each other, and of a failure."""

from __future__ import annotations

from reporting.exports.fhir_types import Json


def reference(kind: str, key: object, display: str = "") -> Json:
    """To a resource of this server."""
    return {"reference": f"{kind}/{key}", "display": display}


def outcome(code: str, words: str, severity: str = "error") -> Json:
    """An OperationOutcome of one issue."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "diagnostics": words}],
    }
