"""What the DICOM node does for peers: one row for a service, one for each SOP class it is asked by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pynetdicom import evt

from viewer.dimse import commitment, counting, extended, finding, performed, retrieving, storing

EXPLICIT_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2"
EXPLICIT_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
UNCOMPRESSED = (EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN)
"""For all that is asked and answered; objects come in whatever syntax they have."""

VERIFICATION: Final = "1.2.840.10008.1.1"
STORAGE_COMMITMENT: Final = "1.2.840.10008.1.20.1"


@dataclass(frozen=True, slots=True)
class Supported:
    """A SOP class that is answered here, for peers with a right: store, query, retrieve, commit; empty: for all peers."""

    sop_class_uid: str
    right: str = ""


CONTEXTS: list[Supported] = [
    Supported(VERIFICATION),
    Supported(STORAGE_COMMITMENT, "commit"),
    *(Supported(uid, "query") for uid in finding.QUESTIONS),
    *(Supported(uid, "retrieve") for uid in retrieving.SERVED),
    Supported(performed.PERFORMED_STEP, "commit"),
]

HANDLERS: list[tuple[Any, Callable[..., Any]]] = [
    (evt.EVT_SOP_EXTENDED, extended.answered),
    (evt.EVT_C_ECHO, lambda event: 0x0000),
    (evt.EVT_C_STORE, storing.store),
    (evt.EVT_N_ACTION, commitment.requested),
    (evt.EVT_C_FIND, finding.find),
    (evt.EVT_N_CREATE, performed.created),
    (evt.EVT_N_SET, performed.changed),
    *counting.HANDLERS,
]

retrieving.install()
