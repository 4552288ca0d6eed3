"""All rows of the viewer: the archive, what readers leave on images, the DICOM network, corrections."""

from __future__ import annotations

from viewer.models.access import EmergencyAccess
from viewer.models.archive import (
    Blob,
    Conflict,
    Grant,
    HangingProtocol,
    Instance,
    InstanceQuerySet,
    KeyImage,
    Measurement,
    Outbox,
    Patient,
    ReaderSettings,
    Series,
    SeriesRequest,
    Study,
    StudyQuerySet,
    ViewedImage,
)
from viewer.models.corrections import Correction, CorrectionKind
from viewer.models.launches import Launch
from viewer.models.network import (
    Commitment,
    DicomPeer,
    PerformedStep,
    Quarantined,
    Transfer,
    TransferState,
)
from viewer.models.retention import CountedFrom, Deletion, Hold, Patients, RetentionAction, RetentionRule

__all__ = [
    "Blob",
    "Commitment",
    "Conflict",
    "Correction",
    "CorrectionKind",
    "CountedFrom",
    "Deletion",
    "DicomPeer",
    "EmergencyAccess",
    "Grant",
    "HangingProtocol",
    "Hold",
    "Instance",
    "InstanceQuerySet",
    "KeyImage",
    "Launch",
    "Measurement",
    "Outbox",
    "Patient",
    "Patients",
    "PerformedStep",
    "Quarantined",
    "ReaderSettings",
    "RetentionAction",
    "RetentionRule",
    "Series",
    "SeriesRequest",
    "Study",
    "StudyQuerySet",
    "Transfer",
    "TransferState",
    "ViewedImage",
]
