"""One person under several IDs: of another issuer, or in another organization. Nothing leaves changed; priors are found."""

from __future__ import annotations

from viewer.archive.correcting import BadCorrection, Who, begun, finished, whole
from viewer.archive.correcting_facts import as_known
from viewer.models import Correction, CorrectionKind, Patient

MOST = 50
"""IDs of one person."""


def link_patients(one: Patient, other: Patient, who: Who) -> Correction:
    """They are the same person. Raises BadCorrection."""
    if one.pk == other.pk:
        raise BadCorrection("other", "this is the same patient")

    def write() -> Correction:
        if other.pk in linked(one.pk):
            raise BadCorrection("other", "they are linked already")
        before, after = _named(one), _named(other)
        done = begun(CorrectionKind.PATIENTS_LINKED, one.organization, who, one, before, after)
        mirrored = Correction.objects.create(
            organization=other.organization,
            kind=done.act.kind,
            patient=other,
            before=after,
            after=before,
            reason=done.act.reason,
            source=done.act.source,
            actor=done.act.actor,
            actor_name=done.act.actor_name,
            at=done.act.at,
            part_of=done.act,
        )
        done.parts.append(mirrored)
        return finished(done)

    return whole(write)


def linked(patient: int) -> set[int]:
    """Row ids of a patient and of all that are linked to them, through others too."""
    found, new = {patient}, {patient}
    while new and len(found) < MOST:
        rows = Correction.objects.filter(
            kind=CorrectionKind.PATIENTS_LINKED, patient__in=new, undoes=None, undone_by=None
        )
        rows = rows.filter(part_of__undoes=None, part_of__undone_by=None)
        new = {int(after["row"]) for after in rows.values_list("after", flat=True)} - found
        found |= new
    return found


def _named(patient: Patient) -> dict[str, str]:
    named = as_known(patient)
    ids = {name: named[name] for name in ("PatientID", "IssuerOfPatientID")}
    return {**ids, "organization": patient.organization.name, "row": str(patient.pk)}
