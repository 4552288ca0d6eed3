"""A small CT study with objects of every kind, written by pydicom: what a test says of them it knows from here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    MPEG4HP41,
    ComprehensiveSRStorage,
    EncapsulatedPDFStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
    RTPlanStorage,
    VideoEndoscopicImageStorage,
    XRayRadiationDoseSRStorage,
)

from tests.viewer.archive.objects import ct_slice, save

ROOT = "1.2.826.0.1.3680043.10.1577"
HOSTILE = '<img src=x onerror="window.struck=1"><script>window.struck=1</script> & "quoted" \u202e'
SLICES = 6
MP4 = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 4
"""Named as a video, and none that plays."""
SIDE = 64


def pixels(number: int) -> bytes:
    """A picture that no other slice has: a ramp, and a bright column that says which slice it is."""
    values = np.tile(np.arange(SIDE, dtype="<i2") * 4, (SIDE, 1))
    values[:, 8 * number] = 1000
    return values.tobytes()


class Made:
    """Study number `number`; each has UIDs of its own."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.study = folder, f"{ROOT}.{number}"
        self.series = f"{self.study}.1"
        self.images = [f"{self.series}.{place}" for place in range(SLICES)]  # head to feet
        for place, uid in enumerate(self.images):
            self.save(
                self.image(uid, place, ImagePositionPatient=[0, 0, -2.0 * place], PixelData=pixels(place)),
                f"ct{place}",
            )

    def save(self, made: Dataset, name: str) -> Path:
        return save(made, self.folder / f"{name}.dcm")

    def image(self, uid: str, place: int, **changed: Any) -> Dataset:
        return ct_slice(
            uid,
            self.study,
            self.series,
            InstanceNumber=place + 1,
            Rows=SIDE,
            Columns=SIDE,
            PixelSpacing=[2, 2],
            SpecificCharacterSet="ISO_IR 192",
            SeriesDescription="Axial",
            WindowCenter=500,
            WindowWidth=1000,
            FrameOfReferenceUID=f"{self.study}.9",
            PatientID=f"MADE-{self.study.rsplit('.', 1)[1]}",
            PatientName="Made^Mary",
            **changed,
        )

    def bare(self, series: int, kind: str, modality: str, **more: Any) -> Dataset:
        """An object without pixels in a series of its own."""
        made = self.image(f"{self.study}.{series}.1", 0, **more)
        for keyword in (
            *("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
            *("SamplesPerPixel", "PhotometricInterpretation", "PixelSpacing", "ImagePositionPatient"),
            *("ImageOrientationPatient", "RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth"),
        ):
            delattr(made, keyword)
        made.SOPClassUID, made.SeriesInstanceUID, made.Modality = kind, f"{self.study}.{series}", modality
        made.SeriesNumber, made.SeriesDescription = series, more.get("SeriesDescription", modality)
        made.ContentDate, made.ContentTime = "20240201", "113000"
        return made

    # --- kinds of objects

    def key_objects(self, places: list[int]) -> None:
        """Selects those slices, in that order."""
        made = self.bare(2, KeyObjectSelectionDocumentStorage, "KO")
        made.ValueType, made.ContinuityOfContent = "CONTAINER", "SEPARATE"
        made.ConceptNameCodeSequence = [code("113000", "DCM", "Of Interest")]
        made.ContentSequence = [self.pointing(place) for place in places]
        made.CurrentRequestedProcedureEvidenceSequence = [self.evidence()]
        self.save(made, "ko")

    def report(self) -> None:
        made = self.bare(3, ComprehensiveSRStorage, "SR")
        made.ValueType, made.ContinuityOfContent = "CONTAINER", "SEPARATE"
        made.CompletionFlag, made.VerificationFlag = "COMPLETE", "UNVERIFIED"
        made.ConceptNameCodeSequence = [code("126000", "DCM", "Imaging Measurement Report")]
        findings = item("CONTAINER", "121070", "Findings", ContinuityOfContent="SEPARATE")
        number = item("NUM", "410668003", "Length")
        measured = Dataset()
        measured.NumericValue, measured.MeasurementUnitsCodeSequence = "12.5", [code("mm", "UCUM", "millimeter")]
        number.MeasuredValueSequence = [measured]
        findings.ContentSequence = [item("TEXT", "121071", HOSTILE[:60], TextValue=HOSTILE), number, self.pointing(4)]
        made.ContentSequence = [item("PNAME", "121008", "Person Observer Name", PersonName="Doe^Ann"), findings]
        made.CurrentRequestedProcedureEvidenceSequence = [self.evidence()]
        self.save(made, "sr")

    def dose(self) -> None:
        made = self.bare(4, XRayRadiationDoseSRStorage, "SR")
        made.ValueType, made.ContinuityOfContent = "CONTAINER", "SEPARATE"
        made.CompletionFlag, made.VerificationFlag = "COMPLETE", "UNVERIFIED"
        made.ConceptNameCodeSequence = [code("113701", "DCM", "X-Ray Radiation Dose Report")]
        total = item("CONTAINER", "113811", "CT Accumulated Dose Data", ContinuityOfContent="SEPARATE")
        total.ContentSequence = [quantity("113813", "CT Dose Length Product Total", "312.7", "mGy.cm")]
        event = item("CONTAINER", "113819", "CT Acquisition", ContinuityOfContent="SEPARATE")
        event.ContentSequence = [
            item("TEXT", "125203", "Acquisition Protocol", TextValue="Thorax routine"),
            quantity("113830", "Mean CTDIvol", "8.21", "mGy"),
            quantity("113838", "DLP", "312.7", "mGy.cm"),
        ]
        made.ContentSequence = [total, event]
        self.save(made, "dose")

    def pdf(self) -> None:
        made = self.bare(5, EncapsulatedPDFStorage, "DOC")
        made.DocumentTitle, made.MIMETypeOfEncapsulatedDocument = "Letter", "application/pdf"
        made.EncapsulatedDocument = PDF + b"\0" * (len(PDF) % 2)
        made.EncapsulatedDocumentLength = len(PDF)
        self.save(made, "pdf")

    def state(self) -> None:
        """Narrow window on slice 2, a line, a circle and a text."""
        made = self.bare(6, GrayscaleSoftcopyPresentationStateStorage, "PR")
        made.ContentLabel, made.ContentDescription, made.PresentationLUTShape = "BRIGHT", "as it was read", "IDENTITY"
        made.PresentationCreationDate, made.PresentationCreationTime = "20240201", "113000"
        image = Dataset()
        image.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        image.ReferencedSOPInstanceUID = self.images[2]
        series = Dataset()
        series.SeriesInstanceUID, series.ReferencedImageSequence = self.series, [image]
        made.ReferencedSeriesSequence = [series]
        voi = Dataset()
        voi.WindowCenter, voi.WindowWidth = 100, 100
        made.SoftcopyVOILUTSequence = [voi]
        area = Dataset()
        area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [1, 1], [SIDE, SIDE]
        area.PresentationSizeMode, area.PresentationPixelAspectRatio = "SCALE TO FIT", [1, 1]
        made.DisplayedAreaSelectionSequence = [area]
        layer = Dataset()
        layer.GraphicLayer, layer.GraphicLayerOrder = "NOTES", 1
        made.GraphicLayerSequence = [layer]
        note = Dataset()
        note.GraphicLayer = "NOTES"
        note.GraphicObjectSequence = [
            graphic("POLYLINE", [16.5, 16.5, 48.5, 16.5]),
            graphic("CIRCLE", [32.5, 32.5, 40.5, 32.5]),
        ]
        text = Dataset()
        text.AnchorPointAnnotationUnits, text.AnchorPoint, text.AnchorPointVisibility = "PIXEL", [32.5, 50.5], "Y"
        text.UnformattedTextValue = HOSTILE
        note.TextObjectSequence = [text]
        made.GraphicAnnotationSequence = [note]
        self.save(made, "state")

    def video(self, stream: bytes = MP4) -> None:
        made = self.image(f"{self.study}.7.1", 0, SOPClassUID=VideoEndoscopicImageStorage)
        made.SeriesInstanceUID, made.Modality, made.SeriesNumber = f"{self.study}.7", "ES", 7
        made.NumberOfFrames, made.SamplesPerPixel, made.PhotometricInterpretation = 30, 3, "YBR_PARTIAL_420"
        made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
        made.PlanarConfiguration = 0
        made.PixelData = encapsulate([stream], has_bot=False)
        made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
        path = self.save(made, "video")
        import pydicom

        read = pydicom.dcmread(path)
        read.file_meta.TransferSyntaxUID = MPEG4HP41
        pydicom.dcmwrite(path, read)

    def plan(self) -> None:
        self.save(self.bare(8, RTPlanStorage, "RTPLAN"), "plan")

    # --- parts

    def pointing(self, place: int) -> Dataset:
        found = item("IMAGE", "", "")
        found.ReferencedSOPSequence = [self.reference(place)]
        return found

    def reference(self, place: int) -> Dataset:
        found = Dataset()
        found.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        found.ReferencedSOPInstanceUID = self.images[place]
        return found

    def evidence(self) -> Dataset:
        series, study = Dataset(), Dataset()
        series.SeriesInstanceUID = self.series
        series.ReferencedSOPSequence = [self.reference(place) for place in range(SLICES)]
        study.StudyInstanceUID, study.ReferencedSeriesSequence = self.study, [series]
        return study


def code(value: str, scheme: str, meaning: str) -> Dataset:
    found = Dataset()
    found.CodeValue, found.CodingSchemeDesignator, found.CodeMeaning = value, scheme, meaning
    return found


def item(kind: str, value: str, meaning: str, **more: Any) -> Dataset:
    found = Dataset()
    found.RelationshipType, found.ValueType = "CONTAINS", kind
    if value:
        found.ConceptNameCodeSequence = Sequence([code(value, "DCM", meaning)])
    for keyword, one in more.items():
        setattr(found, keyword, one)
    return found


def quantity(value: str, meaning: str, number: str, unit: str) -> Dataset:
    found, measured = item("NUM", value, meaning), Dataset()
    measured.NumericValue, measured.MeasurementUnitsCodeSequence = number, [code(unit, "UCUM", unit)]
    found.MeasuredValueSequence = [measured]
    return found


def graphic(kind: str, points: list[float]) -> Dataset:
    """Column and row; the middle of the first pixel is at 1\\1, its corner at 0.5\\0.5 (PS3.3 C.10.5.1.2)."""
    found = Dataset()
    found.GraphicAnnotationUnits, found.GraphicDimensions, found.NumberOfGraphicPoints = "PIXEL", 2, len(points) // 2
    found.GraphicData, found.GraphicType, found.GraphicFilled = points, kind, "N"
    return found


PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj
4 0 obj<</Length 42>>stream
BT /F 24 Tf 40 100 Td (A letter) Tj ET    \nendstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>
"""
