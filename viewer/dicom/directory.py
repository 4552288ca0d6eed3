"""The DICOMDIR of a file-set that holds one study (PS3.3 F, PS3.10 8): built in memory, a few hundred bytes an object."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from pydicom import Dataset
from pydicom.charset import convert_encodings
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.multival import MultiValue

from .changed_elements import element_of
from .elements import EXPLICIT
from .emitting import head
from .header import EXPLICIT_LITTLE_ENDIAN
from .implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from .rewriting import PREAMBLE

MEDIA_STORAGE_DIRECTORY: Final = "1.2.840.10008.1.3.10"
FILE_SET_ID: Final = "FARVIEW"

_STORAGE = "1.2.840.10008.5.1.4.1.1."
KINDS: Final = {
    "88.59": "KEY OBJECT DOC",
    "88": "SR DOCUMENT",
    "11": "PRESENTATION",
    "9": "WAVEFORM",
    "104": "ENCAP DOC",
    "481.2": "RT DOSE",
    "481.3": "RT STRUCTURE SET",
    "481.5": "RT PLAN",
    "481.8": "RT PLAN",
    "481.4": "RT TREAT RECORD",
    "481.6": "RT TREAT RECORD",
    "481.7": "RT TREAT RECORD",
    "481.9": "RT TREAT RECORD",
    "4.2": "SPECTROSCOPY",
    "66": "RAW DATA",
    "66.1": "REGISTRATION",
    "66.2": "FIDUCIAL",
    "66.3": "REGISTRATION",
    "66.4": "IMAGE",
    "66.5": "SURFACE",
    "66.6": "TRACT",
    "66.7": "IMAGE",
    "67": "VALUE MAP",
    "68": "SURFACE SCAN",
    "77.1.5.3": "STEREOMETRIC",
    "78": "MEASUREMENT",
}
"""Directory Record Type by the SOP class: what stands behind the storage root, or the beginning of it. Others are images."""

_CONTENT = ("InstanceNumber", "ContentDate", "ContentTime")
_LABELLED = ("ContentLabel", "ContentDescription", "ContentCreatorName")
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "PATIENT": ("PatientName", "PatientID"),
    "STUDY": ("StudyDate", "StudyTime", "StudyDescription", "StudyInstanceUID", "StudyID", "AccessionNumber"),
    "SERIES": ("Modality", "SeriesInstanceUID", "SeriesNumber"),
    "IMAGE": ("InstanceNumber",),
    "KEY OBJECT DOC": (*_CONTENT, "ConceptNameCodeSequence"),
    "SR DOCUMENT": (*_CONTENT, "CompletionFlag", "VerificationFlag", "VerificationDateTime", "ConceptNameCodeSequence"),
    "PRESENTATION": (
        *("PresentationCreationDate", "PresentationCreationTime", "InstanceNumber", *_LABELLED),
        *("ReferencedSeriesSequence", "BlendingSequence"),
    ),
    "WAVEFORM": _CONTENT,
    "RAW DATA": _CONTENT,
    "ENCAP DOC": (
        *(*_CONTENT, "DocumentTitle", "HL7InstanceIdentifier", "ConceptNameCodeSequence"),
        "MIMETypeOfEncapsulatedDocument",
    ),
    "RT DOSE": ("InstanceNumber", "DoseSummationType"),
    "RT STRUCTURE SET": ("InstanceNumber", "StructureSetLabel", "StructureSetDate", "StructureSetTime"),
    "RT PLAN": ("InstanceNumber", "RTPlanLabel", "RTPlanDate", "RTPlanTime"),
    "RT TREAT RECORD": ("InstanceNumber", "TreatmentDate", "TreatmentTime"),
    "SPECTROSCOPY": (
        *("ImageType", *_CONTENT, "ReferencedImageEvidenceSequence", "NumberOfFrames", "Rows", "Columns"),
        *("DataPointRows", "DataPointColumns"),
    ),
    "SURFACE SCAN": ("ContentDate", "ContentTime"),
    "STEREOMETRIC": (*_CONTENT, *_LABELLED),
}
"""What a record tells besides (PS3.3 F.5); of other types: contents and label."""
NEVER_EMPTY: Final = {
    "PatientID": "UNKNOWN",
    "StudyID": "1",
    "SeriesNumber": "0",
    "Modality": "OT",
    "InstanceNumber": "0",
    "CompletionFlag": "PARTIAL",
    "VerificationFlag": "UNVERIFIED",
    "ContentLabel": "NONE",
    "StructureSetLabel": "NONE",
    "RTPlanLabel": "NONE",
    "DoseSummationType": "PLAN",
}
"""Readers of media stumble over records without these; an object that leaves them out is entered with what stands here."""
ABSENT_IF_EMPTY: Final = {
    *("VerificationDateTime", "ReferencedSeriesSequence", "BlendingSequence", "HL7InstanceIdentifier"),
    *("ReferencedImageEvidenceSequence", "ContentDescription", "ContentCreatorName"),
}

_NEXT, _LOWER = 16, 38
"""Where the two offsets stand in an encoded record: behind the item's head (8), as its first and third elements."""


class Directory:
    """Objects in the order of their series; then `encoded` is the whole file."""

    def __init__(self) -> None:
        self._top: list[bytearray] = []
        """Patient and study, once there is an object."""
        self._series: dict[str, tuple[bytearray, list[bytearray]]] = {}

    def add(self, dataset: Dataset, file_id: Sequence[str], sop_class_uid: str, transfer_syntax_uid: str) -> None:
        """One object, of which `file_id` are the folders and the name of its file."""
        if not self._top:
            self._top = [_record(dataset, "PATIENT"), _record(dataset, "STUDY")]
        uid = str(dataset.get("SeriesInstanceUID", ""))
        if uid not in self._series:
            self._series[uid] = (_record(dataset, "SERIES"), [])
        reference = {
            "ReferencedFileID": "\\".join(file_id),
            "ReferencedSOPClassUIDInFile": sop_class_uid,
            "ReferencedSOPInstanceUIDInFile": str(dataset.get("SOPInstanceUID", "")),
            "ReferencedTransferSyntaxUIDInFile": transfer_syntax_uid,
        }
        self._series[uid][1].append(_record(dataset, kind_of(sop_class_uid), reference))

    def encoded(self, sop_instance_uid: str) -> Iterator[bytes]:
        """The file in pieces: one record each, behind what comes first."""
        meta = _meta(sop_instance_uid)
        sequence = head(EXPLICIT, 0x00041220, "SQ", self._size)
        start = len(meta) + len(_root(0, 0)) + len(sequence)
        ordered = self._linked(start)
        yield meta + _root(start if ordered else 0, start if ordered else 0) + sequence
        yield from map(bytes, ordered)

    @property
    def _records(self) -> list[bytearray]:
        return [*self._top, *(one for series, objects in self._series.values() for one in (series, *objects))]

    @property
    def _size(self) -> int:
        return sum(map(len, self._records))

    def _linked(self, start: int) -> list[bytearray]:
        """All records, each saying where the next beside it and the first below it stand."""
        records, offsets = self._records, {}
        for record in records:
            offsets[id(record)] = start
            start += len(record)
        families = [(one, [two]) for one, two in pairwise(self._top)]
        if self._top:
            families.append((self._top[1], [series for series, _ in self._series.values()]))
        for above, beside in [*families, *self._series.values()]:
            struct.pack_into("<I", above, _LOWER, offsets[id(beside[0])])
            for one, two in pairwise(beside):
                struct.pack_into("<I", one, _NEXT, offsets[id(two)])
        return records


def kind_of(sop_class_uid: str) -> str:
    """The Directory Record Type of an object (PS3.3 F.4)."""
    if not sop_class_uid.startswith(_STORAGE):
        return "IMAGE"
    parts = sop_class_uid[len(_STORAGE) :].split(".")
    beginnings = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return next((KINDS[one] for one in beginnings if one in KINDS), "IMAGE")


def _record(dataset: Dataset, kind: str, reference: Mapping[str, str] | None = None) -> bytearray:
    record = Dataset()
    heading: dict[str, str | int] = {
        "OffsetOfTheNextDirectoryRecord": 0,
        "RecordInUseFlag": 0xFFFF,
        "OffsetOfReferencedLowerLevelDirectoryEntity": 0,
        "DirectoryRecordType": kind,
        **(reference or {}),
    }
    for keyword, value in heading.items():
        record.add(element_of(keyword, value))
    terms = dataset.get("SpecificCharacterSet")
    if terms:
        record.add(element_of("SpecificCharacterSet", terms))
    for keyword in KEYS.get(kind, (*_CONTENT, *_LABELLED)):
        _copy(dataset, record, keyword)
    body = _encoded(record, terms)
    return bytearray(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(body)) + body)


def _copy(dataset: Dataset, record: Dataset, keyword: str) -> None:
    held = dataset.get_item(keyword)
    if held is not None and held.VR == "SQ" and dataset[keyword].value:
        record[keyword] = dataset[keyword]
        return
    value = "" if held is None or held.VR == "SQ" else _text(dataset, keyword)
    value = value or NEVER_EMPTY.get(keyword, "")
    element = element_of(keyword, value)
    if value or (keyword not in ABSENT_IF_EMPTY and element.VR != "SQ"):
        record.add(element)


def _text(dataset: Dataset, keyword: str) -> str:
    """A value as text; nothing of one that cannot be read as what it ought to be."""
    try:
        value = dataset[keyword].value
    except (ValueError, TypeError, OverflowError):
        return ""
    if value is None:
        return ""
    return "\\".join(map(str, value)) if isinstance(value, MultiValue | list) else str(value)


def _encoded(dataset: Dataset, terms: str | list[str] | None = None) -> bytes:
    file = DicomBytesIO()
    file.is_little_endian, file.is_implicit_VR = True, False
    write_dataset(file, dataset, convert_encodings(terms or None))
    return bytes(file.getvalue())


def _root(first: int, last: int) -> bytes:
    root = Dataset()
    said: dict[str, str | int] = {
        "FileSetID": FILE_SET_ID,
        "OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity": first,
        "OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity": last,
        "FileSetConsistencyFlag": 0,
    }
    for keyword, value in said.items():
        root.add(element_of(keyword, value))
    return _encoded(root)


def _meta(sop_instance_uid: str) -> bytes:
    meta = Dataset()
    for keyword, value in {
        "MediaStorageSOPClassUID": MEDIA_STORAGE_DIRECTORY,
        "MediaStorageSOPInstanceUID": sop_instance_uid,
        "TransferSyntaxUID": EXPLICIT_LITTLE_ENDIAN,
        "ImplementationClassUID": IMPLEMENTATION_CLASS_UID,
        "ImplementationVersionName": IMPLEMENTATION_VERSION_NAME,
    }.items():
        meta.add(element_of(keyword, value))
    body = head(EXPLICIT, 0x00020001, "OB", 2) + b"\0\1" + _encoded(meta)
    return PREAMBLE + head(EXPLICIT, 0x00020000, "UL", 4) + struct.pack("<I", len(body)) + body
