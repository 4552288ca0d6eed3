"""What a token may be narrowed to. A token without scopes carries all rights of its person; one with scopes carries those of
them that its scopes open, and no scope gives anybody a right that they lack."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Scope:
    """`looks` and `changes` name doors by the names of their URLs, as patterns; sockets by their path."""

    words: str
    looks: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()

    def opens(self, door: str, *, changes: bool) -> bool:
        return any(fnmatchcase(door, pattern) for pattern in (self.changes if changes else self.looks))


_DICOMWEB = ("dicomweb", "dicomweb-*", "wado-uri")
_REPORTS = ("api-reports", "api-report", "api-report-*", "mrrt-*", "report", "result", "results")
_WORKLIST = ("api-worklist", "api-worklist-*", "api-orders", "api-order", "api-order-*", "/ws/news/")
_ADMIN = ("admin:*", "metrics", "fhir-audit-*", "api-hanging-protocols", "api-worklist-readers")

SCOPES: dict[str, Scope] = {
    "dicomweb:read": Scope("Search and fetch images by DICOMweb", looks=_DICOMWEB),
    "dicomweb:store": Scope("Store images by DICOMweb and by upload", changes=(*_DICOMWEB, "api-uploads")),
    "fhir:read": Scope("Read reports and studies by FHIR", looks=("fhir-search", "fhir-read")),
    "reports:read": Scope("Read reports", looks=_REPORTS),
    "reports:write": Scope("Write and sign reports", looks=_REPORTS, changes=_REPORTS),
    "worklist": Scope("Read and change the worklist and orders", looks=_WORKLIST, changes=_WORKLIST),
    "api:read": Scope("See everything in the API that its person sees", looks=("api-*", "/ws/*")),
    "api:write": Scope("See and change everything in the API", looks=("api-*", "/ws/*"), changes=("api-*",)),
    "launch": Scope("Open a study for somebody who is signed in", changes=("api-launches",)),
    "audit:read": Scope("Read the record by FHIR", looks=("fhir-audit-*",)),
    "metrics": Scope("Read the server's figures", looks=("metrics",)),
    "admin": Scope("Administer, and read the record", looks=_ADMIN, changes=_ADMIN),
}

ALWAYS = ("api-me", "api-schema", "fhir-metadata", "dicomweb-capabilities")
"""Looked at with any scope: who one is, and what there is to ask for."""


def opened(scopes: Collection[str], door: str, *, changes: bool) -> bool:
    """True when a token of these scopes may come through `door`. A name that is no scope opens nothing."""
    if not scopes or (not changes and door in ALWAYS):
        return True
    return any(SCOPES[name].opens(door, changes=changes) for name in scopes if name in SCOPES)


def wanted(door: str, *, changes: bool) -> tuple[str, ...]:
    """The scopes that open a door."""
    return tuple(name for name, scope in SCOPES.items() if scope.opens(door, changes=changes))


def unknown(scopes: Collection[str]) -> list[str]:
    """Those that are none."""
    return sorted(set(scopes) - SCOPES.keys())
