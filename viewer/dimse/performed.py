"""Modality Performed Procedure Step as a provider (PS3.4 F.7): what a modality says it does is kept, and others hear of it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

from django.db import connections
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom.events import Event

from accounts import audit
from viewer.archive.rows import patiently
from viewer.dimse.admission import Withdrawn, actor, may, peer_of
from viewer.dimse.identifiers import ELEMENTS_AT_MOST, first_text
from viewer.models import DicomPeer, PerformedStep
from viewer.scheduling import PERFORMED

logger = logging.getLogger(__name__)

PERFORMED_STEP = "1.2.840.10008.3.1.2.3.3"
IN_PROGRESS, COMPLETED, DISCONTINUED = "IN PROGRESS", "COMPLETED", "DISCONTINUED"
FINAL = (COMPLETED, DISCONTINUED)

SUCCESS = 0x0000
INVALID_VALUE, FAILED, DUPLICATE, NO_SUCH_INSTANCE = 0x0106, 0x0110, 0x0111, 0x0112
MISSING, NOT_ALLOWED = 0x0120, 0x0124
"""Statuses (PS3.7 C.4, C.5)."""
NO_LONGER_CHANGED = 0xA506
"""Error ID: the step may no longer be updated (PS3.4 F.7.2.2.2)."""
LATER_TOO = frozenset(
    {
        "PerformedProcedureStepStatus",
        "PerformedProcedureStepEndDate",
        "PerformedProcedureStepEndTime",
        "PerformedProcedureStepDescription",
        "PerformedProcedureTypeDescription",
        "PerformedProcedureStepDiscontinuationReasonCodeSequence",
        "PerformedProtocolCodeSequence",
        "PerformedSeriesSequence",
        "ProcedureCodeSequence",
        "CommentsOnThePerformedProcedureStep",
        "TotalNumberOfExposures",
        "EntranceDose",
        "EntranceDoseInmGy",
        "ExposedArea",
        "ImageAndFluoroscopyAreaDoseProduct",
        "TotalTimeOfFluoroscopy",
        "DistanceSourceToDetector",
        "ExposureDoseSequence",
        "RadiationSourceSequence",
        "FilmConsumptionSequence",
        "BillingProcedureStepSequence",
        "BillingSuppliesAndDevicesSequence",
        "SpecificCharacterSet",
    }
)
"""What N-SET may say (PS3.4 table F.7.2-1); of whom and for which order a step is stays as it was created."""

Answer = tuple[int | Dataset, Dataset | None]


class Refused(Exception):
    """A status of failure, an Error Comment and an Error ID."""

    def __init__(self, status: int, comment: str, error: int = 0) -> None:
        super().__init__(comment)
        self.status, self.comment, self.error = status, comment, error

    def answer(self) -> Dataset:
        said = Dataset()
        said.Status = self.status
        said.ErrorComment = self.comment[:64]
        if self.error:
            said.ErrorID = self.error
        return said


def created(event: Event) -> Answer:
    """N-CREATE: a step has begun."""
    request: Any = event.request
    given = request.AffectedSOPInstanceUID
    uid = str(given or generate_uid(prefix=None))
    told = None
    if not given:
        told = Dataset()
        told.AffectedSOPInstanceUID = uid
    return _answered(event, lambda peer: _create(peer, uid, event), told)


def changed(event: Event) -> Answer:
    """N-SET: more of a step that goes on, or how it ended."""
    request: Any = event.request
    return _answered(event, lambda peer: _change(peer, str(request.RequestedSOPInstanceUID or ""), event), None)


def _answered(event: Event, work: Callable[[DicomPeer], None], told: Dataset | None) -> Answer:
    try:
        if not may(event.assoc, "commit"):
            return NOT_ALLOWED, None
        work(peer_of(event.assoc))
    except Refused as refusal:
        return refusal.answer(), None
    except Withdrawn:
        return NOT_ALLOWED, None
    except Exception as problem:
        frames = "".join(traceback.format_tb(problem.__traceback__))
        logger.error("A performed procedure step could not be kept (%s)\n%s", type(problem).__name__, frames)
        return Refused(FAILED, f"it failed here ({type(problem).__name__})").answer(), None
    finally:
        connections.close_all()
    return SUCCESS, told


def _create(peer: DicomPeer, uid: str, event: Event) -> None:
    said = _readable(event.attribute_list)
    status = first_text(said, "PerformedProcedureStepStatus")
    if not status:
        raise Refused(MISSING, "Performed Procedure Step Status is missing")
    if status != IN_PROGRESS:
        raise Refused(INVALID_VALUE, "a new step is IN PROGRESS")
    scheduled = said.get("ScheduledStepAttributesSequence") or [Dataset()]
    step = PerformedStep(
        organization=peer.organization,
        peer=peer,
        sop_instance_uid=uid,
        status=status,
        study_instance_uid=first_text(scheduled[0], "StudyInstanceUID")[:64],
        accession_number=first_text(scheduled[0], "AccessionNumber")[:64],
        attributes=said.to_json_dict(),
    )

    def write() -> None:
        if PerformedStep.objects.filter(organization=peer.organization, sop_instance_uid=uid).exists():
            raise Refused(DUPLICATE, "a step of this UID is known")
        step.pk = None
        step.save(force_insert=True)
        _told(step, peer, "begin", event)

    patiently(write)


def _change(peer: DicomPeer, uid: str, event: Event) -> None:
    said = _readable(event.modification_list)
    status = first_text(said, "PerformedProcedureStepStatus")
    if status and status not in (IN_PROGRESS, *FINAL):
        raise Refused(INVALID_VALUE, f"Performed Procedure Step Status: {', '.join((IN_PROGRESS, *FINAL))}")
    later = Dataset()
    for element in said:
        if element.keyword in LATER_TOO or element.tag.is_private:
            later.add(element)

    def write() -> None:
        rows = PerformedStep.objects.select_for_update(of=("self",)).select_related("organization")
        step = rows.filter(organization=peer.organization, sop_instance_uid=uid).first()
        if step is None:
            raise Refused(NO_SUCH_INSTANCE, "there is no such step")
        if step.status in FINAL:
            raise Refused(FAILED, "Performed Procedure Step may no longer be updated", NO_LONGER_CHANGED)
        step.attributes = {**step.attributes, **later.to_json_dict()}
        step.status = status or step.status
        step.save(update_fields=["attributes", "status", "updated_at"])
        _told(step, peer, "change", event)

    patiently(write)


def _told(step: PerformedStep, peer: DicomPeer, act: str, event: Event) -> None:
    """Within the transaction that keeps the step."""
    audit.record(
        "dicom.performed",
        actor=actor(peer),
        organization=peer.organization.name,
        patient_id=_text_of(step.attributes, "00100020"),
        study_instance_uid=step.study_instance_uid,
        object_uid=step.sop_instance_uid,
        origin=str(event.assoc.requestor.address or ""),
        detail={"act": act, "status": step.status},
    )
    for hear in PERFORMED:
        hear(step)


def _readable(attributes: Dataset) -> Dataset:
    try:
        many = len([element.value for element in attributes.iterall()])
    except Exception as problem:
        raise Refused(FAILED, f"the attributes cannot be read ({type(problem).__name__})") from problem
    if many > 20 * ELEMENTS_AT_MOST:
        raise Refused(FAILED, "too many attributes")
    return attributes


def _text_of(attributes: dict[str, Any], tag: str) -> str:
    values = attributes.get(tag, {}).get("Value") or [""]
    return str(values[0])
