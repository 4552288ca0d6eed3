"""Modality worklist as a provider (PS3.4 K): what the orders of the peer's organization have scheduled.

No order says at which station it is to be made, so each is for whichever station asks: a Scheduled Station AE Title that is
asked for is the one that is answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from accounts.models import Organization
from viewer.dimse.comparing import matches, returned
from viewer.dimse.extended import Options
from viewer.dimse.identifiers import UTF_8, first_text, is_key, texts
from viewer.dimse.question import Question
from viewer.models import DicomPeer
from viewer.scheduling import SCHEDULED, ScheduledStep

MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"


def scheduled_steps(peer: DicomPeer, identifier: Dataset, sop_class_uid: str, options: Options) -> Question:
    """Steps that match all keys."""
    steps = identifier.get("ScheduledProcedureStepSequence")
    wanted = steps[0] if steps else Dataset()
    asked = [element for element in (*identifier, *wanted) if is_key(element) and element.VR != "SQ" and element.value]
    ids = texts(identifier.get("PatientID"))
    return Question(
        _answers(peer, identifier, _station(wanted, peer)),
        {"level": "WORKLIST", "keys": sorted(element.keyword for element in asked)},
        ids[0] if len(ids) == 1 and not set(ids[0]) & set("*?") else "",
    )


def _answers(peer: DicomPeer, identifier: Dataset, station: str) -> Iterator[Dataset]:
    zone = _zone(peer.organization)
    for source in SCHEDULED:
        for step in source(peer):
            held = described(step, station, zone)
            if matches(identifier, held):
                answer = returned(identifier, held)
                answer.SpecificCharacterSet = UTF_8
                yield answer


def _station(wanted: Dataset, peer: DicomPeer) -> str:
    """The station that a step is told to be for: the one asked for, else who asks."""
    named = first_text(wanted, "ScheduledStationAETitle")
    return named if named and not set(named) & set("*?") else peer.ae_title


def _zone(organization: Organization) -> ZoneInfo:
    try:
        return ZoneInfo(organization.time_zone)
    except (KeyError, ValueError):
        return ZoneInfo("UTC")


def described(step: ScheduledStep, station: str, zone: ZoneInfo) -> Dataset:
    """A step with the attributes of PS3.4 table K.6-1, its time in the zone of the organization."""
    at = step.starts_at.astimezone(zone)
    code = [_code(*step.procedure_code)] if step.procedure_code else []
    return _dataset(
        AccessionNumber=step.accession_number,
        ReferringPhysicianName=step.referring_physician,
        PatientName=step.patient_name,
        PatientID=step.patient_id,
        IssuerOfPatientID=step.issuer_of_patient_id,
        PatientBirthDate=step.patient_birth_date,
        PatientSex=step.patient_sex,
        StudyInstanceUID=step.study_instance_uid,
        RequestedProcedureID=step.identifier,
        RequestedProcedureDescription=step.description,
        RequestedProcedureCodeSequence=code,
        ReasonForTheRequestedProcedure=step.reason,
        PlacerOrderNumberImagingServiceRequest=step.placer_order_number,
        FillerOrderNumberImagingServiceRequest=step.filler_order_number,
        ScheduledProcedureStepSequence=[
            _dataset(
                ScheduledStationAETitle=station,
                ScheduledProcedureStepStartDate=f"{at:%Y%m%d}",
                ScheduledProcedureStepStartTime=f"{at:%H%M%S}",
                Modality=step.modality,
                ScheduledProcedureStepDescription=step.description,
                ScheduledProtocolCodeSequence=code,
                ScheduledProcedureStepID=step.identifier,
            )
        ],
    )


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    return _dataset(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def _dataset(**values: object) -> Dataset:
    """What is empty is there, and empty."""
    made = Dataset()
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword) or 0
        vr = dictionary_VR(tag)
        made[tag] = DataElement(tag, vr, _fitting(value, vr), validation_mode=config.IGNORE)
    return made


def _fitting(value: object, vr: str) -> object:
    """Text as long as its kind allows (PS3.5 6.2)."""
    return value[: LONGEST.get(vr, len(value))] if isinstance(value, str) else value


LONGEST = {"SH": 16, "LO": 64, "AE": 16, "CS": 16}
