"""Structured reports made to measure, for tests that need to say what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComprehensiveSRStorage, ExplicitVRLittleEndian, XRayRadiationDoseSRStorage

Code = tuple[str, str, str]


def code(value: str, scheme: str, meaning: str) -> Dataset:
    d = Dataset()
    d.CodeValue, d.CodingSchemeDesignator, d.CodeMeaning = value, scheme, meaning
    return d


def item(kind: str, concept: Code | None, *children: Dataset, how: str = "CONTAINS", **values: Any) -> Dataset:
    """A content item; `values` by keyword."""
    d = Dataset()
    if how:
        d.RelationshipType = how
    d.ValueType = kind
    if concept is not None:
        d.ConceptNameCodeSequence = [code(*concept)]
    if kind == "CONTAINER":
        d.ContinuityOfContent = "SEPARATE"
    for keyword, value in values.items():
        setattr(d, keyword, value)
    if children:
        d.ContentSequence = list(children)
    return d


def dcm(value: str, meaning: str) -> Code:
    return value, "DCM", meaning


def number(concept: Code, value: str, unit: Code, *children: Dataset, how: str = "CONTAINS") -> Dataset:
    measured = Dataset()
    measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = [code(*unit)]
    return item("NUM", concept, *children, how=how, MeasuredValueSequence=[measured])


def coded(concept: Code, value: Code, *children: Dataset, how: str = "CONTAINS") -> Dataset:
    return item("CODE", concept, *children, how=how, ConceptCodeSequence=[code(*value)])


def text(concept: Code, value: str, how: str = "CONTAINS") -> Dataset:
    return item("TEXT", concept, how=how, TextValue=value)


def report(*content: Dataset, title: Code = dcm("126000", "Imaging Measurement Report"), **changed: Any) -> Dataset:  # noqa: B008
    """A whole report; `changed` by keyword."""
    d = item("CONTAINER", title, *content, how="")
    d.SpecificCharacterSet = "ISO_IR 192"
    d.SOPClassUID, d.SOPInstanceUID = ComprehensiveSRStorage, "1.2.3.6.1"
    d.StudyInstanceUID, d.SeriesInstanceUID = "1.2.3", "1.2.3.6"
    d.PatientID, d.PatientName, d.PatientBirthDate, d.PatientSex = "P1", "Doe^Jane", "19700101", "F"
    d.StudyDate, d.StudyTime, d.StudyID, d.AccessionNumber = "20240131", "101500", "1", "A1"
    d.ReferringPhysicianName, d.Modality, d.Manufacturer = "", "SR", "Somebody"
    d.SeriesNumber, d.InstanceNumber = 1, 1
    d.ContentDate, d.ContentTime = "20240131", "101500"
    d.ReferencedPerformedProcedureStepSequence, d.PerformedProcedureCodeSequence = [], []
    d.CompletionFlag, d.VerificationFlag = "COMPLETE", "UNVERIFIED"
    for keyword, value in changed.items():
        setattr(d, keyword, value)
    return d


def save(d: Dataset, path: Path) -> Path:
    d.file_meta = FileMetaDataset()
    d.file_meta.MediaStorageSOPClassUID, d.file_meta.MediaStorageSOPInstanceUID = d.SOPClassUID, d.SOPInstanceUID
    d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    pydicom.dcmwrite(path, d, enforce_file_format=True)
    return path


# --- radiation dose

MGY: Code = ("mGy", "UCUM", "mGy")
MGYCM: Code = ("mGy.cm", "UCUM", "mGy.cm")
KV: Code = ("kV", "UCUM", "kV")
MA: Code = ("mA", "UCUM", "mA")
EVENTS: Code = ("{events}", "UCUM", "events")
GYM2: Code = ("Gy.m2", "UCUM", "Gy.m2")
GY: Code = ("Gy", "UCUM", "Gy")
SECONDS: Code = ("s", "UCUM", "s")
DEGREES: Code = ("deg", "UCUM", "deg")


def dose_report(*content: Dataset, **changed: Any) -> Dataset:
    return report(
        coded(
            dcm("121058", "Procedure reported"), ("77477000", "SCT", "Computed Tomography X-Ray"), how="HAS CONCEPT MOD"
        ),
        coded(dcm("121005", "Observer Type"), dcm("121007", "Device"), how="HAS OBS CONTEXT"),
        item("UIDREF", dcm("121012", "Device Observer UID"), how="HAS OBS CONTEXT", UID="1.2.3.777"),
        coded(dcm("113705", "Scope of Accumulation"), dcm("113014", "Study"), how="HAS OBS CONTEXT"),
        *content,
        title=dcm("113701", "X-Ray Radiation Dose Report"),
        SOPClassUID=XRayRadiationDoseSRStorage,
        DeviceSerialNumber="7",
        ManufacturerModelName="Scanner",
        SoftwareVersions="1",
        **changed,
    )


def ct_event(protocol: str, ctdi: str, dlp: str, uid: str = "1.2.3.9.1") -> Dataset:
    """TID 10013."""
    return item(
        "CONTAINER",
        dcm("113819", "CT Acquisition"),
        text(dcm("125203", "Acquisition Protocol"), protocol),
        coded(dcm("123014", "Target Region"), ("51185008", "SCT", "Chest")),
        coded(dcm("113820", "CT Acquisition Type"), ("116152004", "SCT", "Spiral Acquisition")),
        item("UIDREF", dcm("113769", "Irradiation Event UID"), UID=uid),
        item(
            "CONTAINER",
            dcm("113822", "CT Acquisition Parameters"),
            number(dcm("113824", "Exposure Time"), "4.2", SECONDS),
            item(
                "CONTAINER",
                dcm("113831", "CT X-Ray Source Parameters"),
                number(dcm("113733", "KVP"), "120", KV),
                number(dcm("113734", "X-Ray Tube Current"), "210", MA),
            ),
        ),
        item(
            "CONTAINER",
            dcm("113829", "CT Dose"),
            number(dcm("113830", "Mean CTDIvol"), ctdi, MGY),
            number(dcm("113838", "DLP"), dlp, MGYCM),
        ),
    )


def ct_dose() -> Dataset:
    """TID 10011: two spirals."""
    return dose_report(
        item(
            "CONTAINER",
            dcm("113811", "CT Accumulated Dose Data"),
            number(dcm("113812", "Total Number of Irradiation Events"), "2", EVENTS),
            number(dcm("113813", "CT Dose Length Product Total"), "412.6", MGYCM),
        ),
        ct_event("Thorax", "8.1", "300.2"),
        ct_event("Abdomen", "6.25", "112.4", "1.2.3.9.2"),
    )


def projection_dose() -> Dataset:
    """TID 10001: one plane, two events, one of them without a dose area product."""
    first = item(
        "CONTAINER",
        dcm("113706", "Irradiation Event X-Ray Data"),
        coded(dcm("113764", "Acquisition Plane"), dcm("113622", "Single Plane")),
        item("DATETIME", dcm("111526", "DateTime Started"), DateTime="20240131101501.25+0100"),
        coded(dcm("113721", "Irradiation Event Type"), ("44491008", "SCT", "Fluoroscopy")),
        number(dcm("122130", "Dose Area Product"), "0.00012", GYM2),
        number(dcm("113738", "Dose (RP)"), "0.004", GY),
        number(dcm("112011", "Positioner Primary Angle"), "-30", DEGREES),
    )
    second = item(
        "CONTAINER",
        dcm("113706", "Irradiation Event X-Ray Data"),
        coded(dcm("113764", "Acquisition Plane"), dcm("113622", "Single Plane")),
        coded(dcm("113721", "Irradiation Event Type"), dcm("113611", "Stationary Acquisition")),
    )
    return dose_report(
        item(
            "CONTAINER",
            dcm("113702", "Accumulated X-Ray Dose Data"),
            coded(dcm("113764", "Acquisition Plane"), dcm("113622", "Single Plane"), how="HAS CONCEPT MOD"),
            number(dcm("113722", "Dose Area Product Total"), "0.0005", GYM2),
            number(dcm("113725", "Dose (RP) Total"), "0.02", GY),
            number(dcm("113730", "Total Fluoro Time"), "61", SECONDS),
        ),
        first,
        second,
    )
