"""Every URL that can be resolved, and how it is asked: what stands in its address, in its query, in its body."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.urls import resolve

from accounts import policy

METHODS = ("get", "post", "put", "patch", "delete")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
FIXED = {"frames": "1", "position": "1", "path": "1", "kind": "html", "code": "x" * 43, "uidb64": "MQ"}
"""Parts of addresses that name nothing by themselves."""
STUDY = {"study_instance_uid": "study_instance_uid"}
NUMBERS = {**STUDY, "accession_number": "accession_number", "patient_id": "patient_id"}


@dataclass(frozen=True)
class Ask:
    """What is put into the query and into the JSON body: names -> names of the world. `fixed`: beside it, as it is."""

    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)


NOTHING = Ask()
REASON = {"reason": "because of the matrix"}
FREE: dict[str, Ask] = {
    # pages
    "study-list": Ask(query={"q": "patient_id"}),
    "launch": Ask(query={"accession": "accession_number", "patient_id": "patient_id"}),
    "upload": NOTHING,
    "shares": NOTHING,
    "transfers": NOTHING,
    "emergency": NOTHING,
    "worklist": Ask(query={"q": "patient_id"}),
    "results": Ask(query={"q": "patient_id"}),
    "shared-report": NOTHING,
    "metrics": NOTHING,
    # REST
    "api-schema": NOTHING,
    "api-me": NOTHING,
    "api-my-settings": NOTHING,
    "api-studies": Ask(query=NUMBERS),
    "api-emergency": Ask(body=NUMBERS, fixed=REASON),
    "api-hanging-protocols": Ask(body=STUDY),
    "api-launches": Ask(
        body={"accession": "accession_number", "patient_id": "patient_id"}, fixed={"user": "radiologist"}
    ),
    "api-uploads": NOTHING,
    "api-peers": NOTHING,
    "api-transfers": Ask(query=STUDY, body={**STUDY, "peer": "peer"}, fixed={"kind": "send"}),
    "api-reports": Ask(query={"study": "study_instance_uid"}, body={**STUDY, "item": "item_id"}),
    "api-orders": Ask(query={"q": "patient_id"}, body=NUMBERS),
    "api-worklist": Ask(query={"q": "patient_id"}),
    "api-worklist-next": NOTHING,
    "api-worklist-readers": NOTHING,
    "api-worklist-filters": NOTHING,
    "api-templates": Ask(query={"q": "identifier"}),
    "api-template-default": Ask(query=STUDY),
    "api-macros": NOTHING,
    "mrrt-templates": Ask(query={"identifier": "identifier"}),
    # DICOMweb
    "dicomweb": NOTHING,
    "dicomweb-capabilities": NOTHING,
    "dicomweb-studies": Ask(query={"StudyInstanceUID": "study_instance_uid", "PatientID": "patient_id"}),
    "dicomweb-all-series": Ask(query={"SeriesInstanceUID": "series_instance_uid"}),
    "dicomweb-all-instances": Ask(query={"SOPInstanceUID": "sop_instance_uid"}),
    "wado-uri": Ask(
        query={
            "studyUID": "study_instance_uid",
            "seriesUID": "series_instance_uid",
            "objectUID": "sop_instance_uid",
        },
        fixed={"requestType": "WADO"},
    ),
    "fhir-audit-search": Ask(query={"patient": "patient_id", "entity": "study_instance_uid"}),
}
"""Doors whose address names nothing: each has a row here, or the matrix fails."""

OWN_ROOM = ("admin:", "account", "mfa_", "password", "session", "sign-", "token", "single-sign-on", "confirmed")
"""Doors about oneself, by the beginnings of their names: they tell of nobody's study. Administration: test_administration."""
BY_KIND = {
    "api-document": ("sr", "ko"),
    "api-segments": ("seg", "rtstruct"),
    "api-pdf": ("pdf",),
    "api-video": ("video",),
}
"""Doors of one kind of object, with the objects of that kind; an image is asked of them too."""


@dataclass(frozen=True)
class Door:
    """One address to ask, with everything that it is asked with."""

    name: str
    route: str
    ask: Ask = NOTHING
    values: dict[str, str] = field(default_factory=dict, hash=False)
    """Parts of the address that are not the world's, or go by another name there."""

    def __str__(self) -> str:
        said = ",".join(f"{name}={value}" for name, value in {**self.values, **self.ask.query}.items())
        return f"{self.route}({said})" if self.values else self.route

    def methods(self) -> list[str]:
        """Those that its view takes; a page that is a function is asked to show and to act."""
        view = resolve(self.address(dict.fromkeys(PARAMETER.findall(self.route), "1"))).func
        kind = getattr(view, "view_class", None) or getattr(view, "cls", None)
        return ["get", "post"] if kind is None else [one for one in METHODS if hasattr(kind, one)]

    def address(self, world: dict[str, str]) -> str:
        def value(match: re.Match[str]) -> str:
            said = self.values.get(match[1], match[1])
            return world.get(said, FIXED.get(match[1], said) if said == match[1] else said)

        return PARAMETER.sub(value, self.route)

    def query(self, world: dict[str, str]) -> dict[str, str]:
        return {name: world[of] for name, of in self.ask.query.items()} | {
            name: str(value) for name, value in self.ask.fixed.items()
        }

    def body(self, world: dict[str, str]) -> dict[str, Any]:
        return {name: world[of] for name, of in self.ask.body.items()} | self.ask.fixed


FHIR_KEYS = {
    "Patient": "patient_key",
    "ImagingStudy": "study_key",
    "ServiceRequest": "order_id",
    "DiagnosticReport": "report_uid",
}
FHIR_PARAMETERS = {
    "patient": "patient_key",
    "subject": "patient_key",
    "identifier": "patient_id",
    "accession": "accession_number",
    "based-on": "order_id",
    "basedon": "order_id",
    "study": "study_key",
    "_id": "report_uid",
}


def doors() -> list[Door]:
    """Every door that is not public, with its variants."""
    from reporting.fhir.kinds import KINDS

    found: list[Door] = []
    for route, name in policy.doors():
        if "(?P" in route or policy.rule_named(name) is policy.PUBLIC or name.startswith(OWN_ROOM):
            continue
        if name == "fhir-read":
            found += [Door(name, route, values={"kind": kind, "key": FHIR_KEYS.get(kind, "1")}) for kind in KINDS]
        elif name == "fhir-search":
            for kind, rows in KINDS.items():
                found += [
                    Door(
                        name,
                        route,
                        Ask(query={parameter: FHIR_PARAMETERS.get(parameter, "patient_id")}),
                        {"kind": kind},
                    )
                    for parameter in rows.parameters
                ]
                found.append(Door(name, route, values={"kind": kind}))
        elif name == "fhir-audit-read":
            found.append(Door(name, route, values={"key": "1"}))
        elif name in BY_KIND:
            kinds = (*BY_KIND[name], "sop_instance_uid")
            found += [Door(name, route, values={"sop_instance_uid": kind}) for kind in kinds]
        elif PARAMETER.search(route):
            found.append(Door(name, route, Ask(body=STUDY, fixed=REASON)))
        else:
            found.append(Door(name, route, FREE.get(name, NOTHING)))
    return found
