"""What a C-MOVE or C-GET brings: the rows it names, as files that leave (PS3.4 C.4.2, C.4.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from accounts import audit
from viewer.archive.corrected import changes_of
from viewer.archive.rows import patiently
from viewer.archive.storage import BlobStore, blob_store
from viewer.dicom.changes import AS_STORED
from viewer.dimse.admission import actor
from viewer.dimse.identifiers import IMAGE, NOT_AUTHORISED, PATIENT, SERIES, STUDY, Asked, Refused, first_text
from viewer.dimse.sending import Outgoing
from viewer.models import DicomPeer, Instance

MOST = 65535
"""Sub-operations are counted in 16 bits (PS3.7 9.1.3)."""
AT_ONCE = 200
TOO_MANY = 0xA701
"""Out of resources: unable to calculate the number of matches (PS3.4 C.4.2.1.5)."""
UNKNOWN_DESTINATION = 0xA801
COLUMNS = {
    PATIENT: "series__study__patient__patient_id",
    STUDY: "series__study__study_instance_uid",
    SERIES: "series__series_instance_uid",
    IMAGE: "sop_instance_uid",
}
"""Of the unique keys."""


@dataclass(frozen=True, slots=True)
class Part:
    """Objects of one study that somebody asked for."""

    patient_id: str
    study_instance_uid: str
    instances: tuple[int, ...]


def parts(peer: DicomPeer, asked: Asked) -> list[Part]:
    """What is asked for, study by study, in the order of arrival; only of the peer's organization. Raises Refused."""
    rows = Instance.objects.served().filter(organization=peer.organization)
    for level, uids in asked.uids.items():
        if uids:
            rows = rows.filter(**{f"{COLUMNS[level]}__in": uids})
    issuer = first_text(asked.identifier, "IssuerOfPatientID") if PATIENT in asked.uids else ""
    if issuer:
        rows = rows.filter(series__study__patient__issuer_of_patient_id=issuer)
    ordered = rows.order_by("series__study_id", "series_id", "id")
    found: dict[tuple[str, str], list[int]] = {}
    columns = ("series__study__patient__patient_id", "series__study__study_instance_uid", "pk")
    for patient_id, study, key in ordered.values_list(*columns)[: MOST + 1]:
        found.setdefault((patient_id, study), []).append(key)
    if sum(map(len, found.values())) > MOST:
        raise Refused(TOO_MANY, f"more than {MOST} objects: ask for less at once")
    return [Part(patient_id, study, tuple(keys)) for (patient_id, study), keys in found.items()]


def files(found: list[Part]) -> Iterator[Outgoing]:
    """The objects as they leave. One that was taken back meanwhile is left out."""
    store = blob_store()
    keys = [key for part in found for key in part.instances]
    for start in range(0, len(keys), AT_ONCE):
        yield from _files(keys[start : start + AT_ONCE], store)


def _files(keys: list[int], store: BlobStore) -> list[Outgoing]:
    rows = Instance.objects.served().select_related("series__study__patient").defer("index", "series__stacks")
    held = {row.pk: row for row in rows.filter(pk__in=keys)}
    instances = [held[key] for key in keys if key in held]
    changes = changes_of(instances)
    return [
        Outgoing(
            store.path(row.blob_id),
            row.sop_class_uid,
            row.sop_instance_uid,
            row.transfer_syntax_uid,
            changes.get(row.pk, AS_STORED),
        )
        for row in instances
    ]


def noted(
    peer: DicomPeer, found: list[Part], service: str, destination: str, address: str, failed: int | None = None
) -> None:
    """The record of a retrieval: before anything leaves, and once more where not all of it did."""

    def write() -> None:
        for part in found:
            audit.record(
                "dicom.retrieve",
                actor=actor(peer),
                organization=peer.organization.name,
                patient_id=part.patient_id,
                study_instance_uid=part.study_instance_uid,
                origin=address,
                outcome="success" if failed is None else "failure",
                detail={
                    "service": service,
                    "instances": len(part.instances),
                    "destination": destination,
                    **({} if failed is None else {"failed": failed}),
                },
            )

    patiently(write)


def refused(peer: DicomPeer, service: str, refusal: Refused, address: str) -> None:
    """The record of a retrieval that was not begun."""
    denied = refusal.status in (NOT_AUTHORISED, UNKNOWN_DESTINATION)
    patiently(
        lambda: audit.record(
            "dicom.retrieve",
            actor=actor(peer),
            organization=peer.organization.name,
            origin=address,
            outcome="denied" if denied else "failure",
            detail={"service": service, "status": f"{refusal.status:04X}"},
        )
    )
