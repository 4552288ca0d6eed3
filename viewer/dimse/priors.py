"""Earlier studies of a patient at another archive: found, compared, and each that helps is fetched (PS3.4 C)."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from django.conf import settings

from viewer.archive import transfers
from viewer.archive.prefetch import Listening
from viewer.archive.rows import DatabaseBusy, patiently
from viewer.dimse.queue_work import InVain, Work
from viewer.dimse.remote import RemoteStudy, find_studies
from viewer.hanging.priors import OTHER, Outline, relevance
from viewer.models import Patient, Study

logger = logging.getLogger(__name__)

PERIOD_S = 2.0
PRIORITY = -1
"""What a person asks for goes first."""


@dataclass(frozen=True, slots=True)
class Current:
    """What the priors are to be compared with, as far as anybody knows."""

    study_instance_uid: str = ""
    date: str = ""
    modality: str = ""
    body_part: str = ""
    description: str = ""

    def outline(self) -> Outline:
        modalities = tuple(code for code in self.modality.split("\\") if code)
        parts = (self.body_part,) if self.body_part else ()
        return Outline(self.study_instance_uid, self.date, "", modalities, parts, (self.description,))


def run(work: Work) -> None:
    """Raises NotReached, NotAnswered, InVain."""
    transfer = work.transfer
    patient = Patient.objects.filter(organization=transfer.organization, pk=transfer.options.get("patient")).first()
    if patient is None or not patient.patient_id:
        raise InVain("the patient is no longer known here")
    current = Current(transfer.study_instance_uid, **transfer.options.get("current", {}))
    found, _ = find_studies(transfer.peer, {"PatientID": asked_for(patient.patient_id)}, stop=work.stop)
    work.check()
    theirs = [one for one in found if _same_id(one, patient)]
    doubtful = [one for one in theirs if differs(one, patient)]
    wanted = chosen(current, [one for one in theirs if one not in doubtful and not _is_here(one, work)])
    work.transfer.total, work.transfer.done = len(theirs), len(wanted)
    work.remark = _remark(doubtful, patient)

    def write() -> None:
        for one in wanted:
            transfers.ask(
                transfer.peer,
                transfers.RETRIEVE,
                study_instance_uid=one.study_instance_uid,
                options={"shown": shown(one)},
                reason="prefetch",
                priority=PRIORITY,
            )

    patiently(write)


def asked_for(patient_id: str) -> str:
    """A Patient ID as a key. A backslash parts values; "*" and "?" match more, of which only the very same is taken."""
    return patient_id.replace("\\", "?")


def _same_id(one: RemoteStudy, patient: Patient) -> bool:
    issuers = {one.issuer_of_patient_id, patient.issuer_of_patient_id} - {""}
    return one.patient_id == patient.patient_id and len(issuers) < 2


def differs(one: RemoteStudy, patient: Patient) -> list[str]:
    """What the archive says of the person otherwise than we do: under a Patient ID alone nobody is the same person."""
    pairs = (
        ("birth date", one.patient_birth_date, patient.birth_date),
        ("sex", one.patient_sex, patient.sex),
    )
    return [what for what, theirs, ours in pairs if theirs and ours and theirs != ours]


def chosen(current: Current, studies: list[RemoteStudy]) -> list[RemoteStudy]:
    """The newest that have something to say beside the current study, FARVIEW_PREFETCH_STUDIES at most."""
    outline = current.outline()
    others = [one for one in studies if one.study_instance_uid != current.study_instance_uid]
    if outline.modalities:
        others = [one for one in others if relevance(outline, _outline(one)).degree > OTHER]
    newest = sorted(others, key=lambda one: (one.date, one.time), reverse=True)
    return newest[: settings.FARVIEW_PREFETCH_STUDIES]


def _outline(one: RemoteStudy) -> Outline:
    return Outline(one.study_instance_uid, one.date, one.time, one.modalities, (), (one.description,))


def _is_here(one: RemoteStudy, work: Work) -> bool:
    held = Study.objects.filter(
        organization=work.transfer.organization, study_instance_uid=one.study_instance_uid
    ).first()
    return held is not None and held.number_of_instances >= (one.number_of_instances or 1)


def _remark(doubtful: list[RemoteStudy], patient: Patient) -> str:
    if not doubtful:
        return ""
    what = sorted({name for one in doubtful for name in differs(one, patient)})
    studies = "1 study" if len(doubtful) == 1 else f"{len(doubtful)} studies"
    return f"{studies} there under this Patient ID with another {' and '.join(what)}: not fetched"


def shown(one: RemoteStudy) -> dict[str, object]:
    """What readers see of a study that is not here yet."""
    return {
        "patient_name": one.patient_name,
        "patient_id": one.patient_id,
        "date": one.date,
        "description": one.description,
        "modalities": list(one.modalities),
    }


def watch(stop: threading.Event) -> None:
    """The job that hears of new studies."""
    listening = Listening()
    while not stop.wait(PERIOD_S):
        try:
            listening.look()
        except DatabaseBusy as problem:
            logger.warning("Earlier studies are looked for later: %s", problem)
