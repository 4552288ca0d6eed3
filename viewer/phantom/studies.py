"""The demonstration studies: which examinations there are, and how each becomes files."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import JPEGBaseline8Bit, JPEGLSLossless

from viewer.phantom import brain, ct, facts, mammogram, radiograph, ultrasound, write

Progress = Callable[[str, float], None]
CT_IMAGE, MR_IMAGE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"

MG_FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.2"
DX_FOR_PRESENTATION, US_MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.3.1"

BODY = "CT chest and abdomen with contrast"
CT_STUDY = write.Study("ada-ct", write.ADA, "20260918", "101530", "FV2026-0918", "CT0918", BODY)
PRIOR_STUDY = write.Study("ada-ct-prior", write.ADA, "20260116", "090210", "FV2026-0116", "CT0116", BODY)
CHEST_STUDY = write.Study("ada-dx", write.ADA, "20260915", "164405", "FV2026-0915", "DX0915", "Chest, two views")
MR_STUDY = write.Study("bruno-mr", write.BRUNO, "20260917", "133020", "FV2026-0917", "MR0917", "MR head")
ECHO_STUDY = write.Study("clara-us", write.CLARA, "20260916", "110045", "FV2026-0916", "US0916", "Echocardiography")
MAMMOGRAPHY = "Mammography, both breasts"
BREAST_STUDY = write.Study("clara-mg", write.CLARA, "20260914", "084512", "FV2026-0914", "MG0914", MAMMOGRAPHY)
BREAST_PRIOR = write.Study("clara-mg-prior", write.CLARA, "20240909", "091033", "FV2024-0909", "MG0909", MAMMOGRAPHY)

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def _ct_series(study: write.Study, scan: facts.Scan, number: int, description: str) -> Dataset:
    """Everything that the images of one CT series share (PS3.3 A.3)."""
    d = write.base(
        study, "ct", CT_IMAGE, "CT", number,
        SeriesDescription=description, BodyPartExamined="CHEST", ProtocolName="Chest and abdomen, portal venous",
        PatientPosition="FFS", PositionReferenceIndicator="", FrameOfReferenceUID=write.uid("frame", study.key),
        ContrastBolusAgent="Iodinated contrast (simulated)", ContrastBolusRoute="IV",
        KVP="120", XRayTubeCurrent=210, ExposureTime=500, DataCollectionDiameter="500", ReconstructionDiameter="384",
        GantryDetectorTilt="0", TableHeight="150", RotationDirection="CW", FilterType="BODY", ConvolutionKernel="FV40",
        ScanOptions="HELICAL MODE", AcquisitionNumber=1,
        RescaleType="HU", RescaleSlope="1",
        WindowCenter=["40", "-600"], WindowWidth=["400", "1500"], WindowCenterWidthExplanation=["Soft tissue", "Lung"],
    )  # fmt: skip
    d.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    d.SliceThickness = write.decimal(scan.spacing[0])
    d.SpacingBetweenSlices = write.decimal(scan.spacing[0])
    return d


def write_ct(
    folder: Path,
    *,
    prior: bool = False,
    shape: tuple[int, int, int] | None = None,
    progress: Callable[[float], None] = lambda share: None,
    exposure: radiograph.Exposure | None = None,
) -> list[Path]:
    """The chest and abdomen CT: signed HU, explicit little endian; the prior: unsigned with an intercept, JPEG-LS lossless."""
    scan = facts.scan(shape or (facts.PRIOR if prior else facts.CURRENT).shape)
    study = PRIOR_STUDY if prior else CT_STUDY
    thickness = f"{scan.spacing[0]:.3g} mm"
    d = _ct_series(study, scan, 2, f"Axial {thickness}, portal venous")
    write.pixels_of(d, *scan.shape[1:], bits=16 if not prior else 12, signed=not prior)
    d.RescaleIntercept = "-1024" if prior else "0"
    paths = []
    for first, slab in ct.paint(
        ct.build(ct.detail_for(scan)),
        scan,
        prior=prior,
        strength=12.0 if prior else 15.0,
        progress=progress,
        exposure=exposure,
    ):
        for offset, hounsfield in enumerate(slab):
            index = first + offset
            position = (scan.origin[0], scan.origin[1], scan.origin[2] - index * scan.spacing[0])
            write.plane_of(d, position, AXIAL, scan.spacing[1:])
            d.SOPInstanceUID = write.uid("image", study.key, scan.shape, index)
            d.InstanceNumber = index + 1
            d.SliceLocation = write.decimal(position[2])
            path = folder / study.key / f"CT{index + 1:04d}.dcm"
            if prior:
                stored = np.clip(hounsfield.astype(np.int32) + 1024, 0, 4095).astype(np.uint16)
                write.save(d, path, [bytes(imagecodecs.jpegls_encode(stored))], syntax=JPEGLSLossless)
            else:
                write.save(d, path, hounsfield.astype("<i2", copy=False))
            paths.append(path)
    return paths


def write_radiographs(folder: Path, exposure: radiograph.Exposure) -> list[Path]:
    """Two views of the chest, from the density that the CT's painting left behind."""
    thin = ct.build(ct.detail_for(exposure.scan)).thin
    paths = []
    for number, view in enumerate(VIEWS, 1):
        stored = view.take(exposure, thin)
        d = write.base(
            CHEST_STUDY, f"dx-{number}", DX_FOR_PRESENTATION, "DX", number,
            SeriesDescription=f"Chest {view.position}", BodyPartExamined="CHEST", ProtocolName="Chest two views",
            PresentationIntentType="FOR PRESENTATION", ViewPosition=view.position, PatientOrientation=list(view.orientation),
            ImageLaterality="U", PixelIntensityRelationship="LOG", PixelIntensityRelationshipSign=-1,
            RescaleIntercept="0", RescaleSlope="1", RescaleType="US",
            PresentationLUTShape="INVERSE" if view.inverted else "IDENTITY",
            WindowCenter="2048", WindowWidth="3600", WindowCenterWidthExplanation="Chest",
            ImagerPixelSpacing=[write.decimal(radiograph.PIXEL)] * 2, DetectorType="DIRECT", DetectorID="FV-1",
            DetectorConfiguration="AREA", PositionerType="COLUMN", KVP="120", ExposureInuAs=2200,
            DistanceSourceToDetector="1800",
            InstanceNumber=1, AcquisitionContextSequence=write.sequence(), AnatomicRegionSequence=write.sequence(
                write.code("43799004", "SCT", "Chest")),
            ViewCodeSequence=write.sequence(_view_code(*view.code)),
        )  # fmt: skip
        d.ImageType = ["DERIVED", "PRIMARY"]
        d.SOPInstanceUID = write.uid("image", CHEST_STUDY.key, number)
        photometric = "MONOCHROME1" if view.inverted else "MONOCHROME2"
        write.pixels_of(d, *stored.shape, bits=12, photometric=photometric)
        if view.inverted:
            stored = 4095 - stored
        paths.append(write.save(d, folder / CHEST_STUDY.key / f"DX{number:04d}.dcm", stored.astype("<u2", copy=False)))
    return paths


@dataclass(frozen=True)
class View:
    position: str
    orientation: tuple[str, str]
    """Patient Orientation of rows and columns (PS3.3 C.7.6.1.1.1)."""
    take: Callable[[radiograph.Exposure, list[radiograph.Thin]], NDArray[np.uint16]]
    inverted: bool
    """Stored as MONOCHROME1."""
    code: tuple[str, str]


VIEWS = (
    View("PA", ("L", "F"), radiograph.frontal, False, ("399148005", "postero-anterior")),
    View("LL", ("P", "F"), radiograph.lateral, True, ("399173006", "left lateral")),
)


def _view_code(value: str, meaning: str) -> Dataset:
    d = write.code(value, "SCT", meaning)
    d.ViewModifierCodeSequence = write.sequence()
    return d


def write_mammograms(folder: Path) -> list[Path]:
    """Both breasts in two views, and the same two years earlier: JPEG-LS lossless."""
    paths = []
    for number, view in enumerate(mammogram.VIEWS, 1):
        now, before = mammogram.take(view)
        paths.append(_mammogram(folder, BREAST_STUDY, number, view, now))
        paths.append(_mammogram(folder, BREAST_PRIOR, number, view, before))
    return paths


def _mammogram(folder: Path, study: write.Study, number: int, view: mammogram.View, stored: NDArray[np.uint16]) -> Path:
    """One view as a series of its own (PS3.3 A.27)."""
    d = write.base(
        study, f"mg-{number}", MG_FOR_PRESENTATION, "MG", number,
        SeriesDescription=f"{view.side} {view.position}", BodyPartExamined="BREAST", ProtocolName="Screening, two views",
        PresentationIntentType="FOR PRESENTATION", ViewPosition=view.position, ImageLaterality=view.side,
        PatientOrientation=list(BREAST_ORIENTATION[view.side, view.position]), OrganExposed="BREAST",
        BreastImplantPresent="NO", PixelIntensityRelationship="LOG", PixelIntensityRelationshipSign=-1,
        RescaleIntercept="0", RescaleSlope="1", RescaleType="US", PresentationLUTShape="IDENTITY",
        WindowCenter="1350", WindowWidth="2300", WindowCenterWidthExplanation="Breast",
        ImagerPixelSpacing=[write.decimal(mammogram.PIXEL)] * 2, DetectorType="DIRECT", DetectorID="FV-2",
        DetectorConfiguration="AREA", PositionerType="MAMMOGRAPHIC", KVP="29", ExposureInuAs=82000,
        PositionerPrimaryAngle="0" if view.position == "CC" else {"R": "-45", "L": "45"}[view.side],
        BodyPartThickness="55", CompressionForce="120", DistanceSourceToDetector="650",
        InstanceNumber=1, AcquisitionContextSequence=write.sequence(), AnatomicRegionSequence=write.sequence(
            write.code("76752008", "SCT", "Breast")),
        ViewCodeSequence=write.sequence(_view_code(*BREAST_VIEWS[view.position])),
    )  # fmt: skip
    d.ImageType = ["DERIVED", "PRIMARY"]
    d.SOPInstanceUID = write.uid("image", study.key, number)
    write.pixels_of(d, *stored.shape, bits=12)
    path = folder / study.key / f"MG{number:04d}.dcm"
    return write.save(d, path, [bytes(imagecodecs.jpegls_encode(stored))], syntax=JPEGLSLossless)


BREAST_VIEWS = {"CC": ("399162004", "cranio-caudal"), "MLO": ("399368009", "medio-lateral oblique")}
BREAST_ORIENTATION = {
    ("R", "CC"): ("P", "L"), ("L", "CC"): ("A", "R"), ("R", "MLO"): ("P", "FL"), ("L", "MLO"): ("A", "FR"),
}  # fmt: skip
"""Patient Orientation of rows and columns: the chest wall is the right edge of a right breast, the left one of a left."""


def write_mr(folder: Path) -> list[Path]:
    """A head in three series: T2 and T1 along one tilted axial stack, T1 sagittal."""
    paths: list[Path] = []
    t1, t2 = brain.render(brain.AXIAL)
    sagittal, _ = brain.render(brain.SAGITTAL)
    for number, (name, series, stack) in enumerate(
        (("T2 axial", brain.AXIAL, t2), ("T1 axial", brain.AXIAL, t1), ("T1 sagittal", brain.SAGITTAL, sagittal)), 2
    ):
        weighted = name[:2]
        d = write.base(
            MR_STUDY, f"mr-{number}", MR_IMAGE, "MR", number,
            SeriesDescription=name, BodyPartExamined="BRAIN", ProtocolName="Head routine", PatientPosition="HFS",
            PositionReferenceIndicator="", FrameOfReferenceUID=write.uid("frame", MR_STUDY.key),
            ScanningSequence="SE", SequenceVariant="SK", ScanOptions="", MRAcquisitionType="2D",
            SequenceName="tse2d" if weighted == "T2" else "se2d", RepetitionTime="4200" if weighted == "T2" else "520",
            EchoTime="98" if weighted == "T2" else "11", EchoTrainLength=15 if weighted == "T2" else 1, NumberOfAverages="2",
            MagneticFieldStrength="1.5", ImagingFrequency="63.87", ImagedNucleus="1H", FlipAngle="90", PixelBandwidth="180",
            AcquisitionNumber=1,
            WindowCenter="560" if weighted == "T2" else "430", WindowWidth="1150" if weighted == "T2" else "900",
        )  # fmt: skip
        d.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
        d.SliceThickness = write.decimal(series.spacing[0] - 0.4)
        d.SpacingBetweenSlices = write.decimal(series.spacing[0])
        write.pixels_of(d, *stack.shape[1:], bits=12)
        for index, picture in enumerate(stack):
            position = series.position(index)
            write.plane_of(d, position, (*series.row, *series.column), series.spacing[1:])
            d.SliceLocation = write.decimal(float(np.dot(position, series.step)))
            d.SOPInstanceUID = write.uid("image", MR_STUDY.key, number, index)
            d.InstanceNumber = index + 1
            path = folder / MR_STUDY.key / f"MR{number}{index + 1:03d}.dcm"
            paths.append(write.save(d, path, picture.astype("<u2", copy=False)))
    return paths


def write_ultrasound(folder: Path, frames: int = ultrasound.FRAMES) -> list[Path]:
    """A beating heart as a multi-frame clip, baseline JPEG as scanners send it: lossy, and marked so."""
    clip = ultrasound.cine(frames)
    encoded = [
        bytes(imagecodecs.jpeg8_encode(frame, level=90, colorspace="RGB", outcolorspace="YCBCR", subsampling="422"))
        for frame in clip
    ]
    ratio = clip.nbytes / sum(map(len, encoded))
    d = write.base(
        ECHO_STUDY, "us", US_MULTI_FRAME, "US", 1,
        SeriesDescription="Apical four chambers", BodyPartExamined="HEART", ProtocolName="Adult heart",
        PatientOrientation="", InstanceNumber=1, FrameTime=write.decimal(ultrasound.FRAME_TIME_MS),
        FrameIncrementPointer=0x00181063, CineRate=30, RecommendedDisplayFrameRate=30, PreferredPlaybackSequencing=0,
        HeartRate=60, NumberOfFrames=len(clip), TransducerData="PHANTOM", ProcessingFunction="", UltrasoundColorDataPresent=0,
        LossyImageCompression="01", LossyImageCompressionRatio=write.decimal(round(ratio, 2)),
        LossyImageCompressionMethod="ISO_10918_1",
    )  # fmt: skip
    d.ImageType = ["ORIGINAL", "PRIMARY", "", "0001"]
    d.SOPInstanceUID = write.uid("image", ECHO_STUDY.key, len(clip))
    write.pixels_of(d, *clip.shape[1:3], bits=8, photometric="YBR_FULL_422")
    d.SamplesPerPixel, d.PlanarConfiguration = 3, 0
    d.SequenceOfUltrasoundRegions = write.sequence(_sector())
    return [write.save(d, folder / ECHO_STUDY.key / "US0001.dcm", encoded, syntax=JPEGBaseline8Bit)]


def _sector() -> Dataset:
    """Where the sector lies in the picture and what a pixel measures (PS3.3 C.8.5.5); centimetres, as the standard has it."""
    r = Dataset()
    r.RegionSpatialFormat, r.RegionDataType, r.RegionFlags = 1, 1, 2
    r.RegionLocationMinX0, r.RegionLocationMinY0 = 48, 16
    r.RegionLocationMaxX1, r.RegionLocationMaxY1 = ultrasound.COLUMNS - 50, ultrasound.ROWS - 62
    r.ReferencePixelX0 = int(ultrasound.APEX[0]) - 48
    r.ReferencePixelY0 = int(ultrasound.APEX[1]) - 16
    r.PhysicalUnitsXDirection = r.PhysicalUnitsYDirection = 3
    r.ReferencePixelPhysicalValueX = r.ReferencePixelPhysicalValueY = 0.0
    r.PhysicalDeltaX = r.PhysicalDeltaY = ultrasound.PIXEL / 10
    r.TransducerFrequency = 2500
    return r


def write_demonstration(folder: Path, progress: Progress = lambda step, share: None) -> list[Path]:
    """All demonstration studies as DICOM files under `folder`; `progress` gets the step's name and its share done, 0 to 1."""
    paths: list[Path] = []
    exposure = radiograph.Exposure(facts.CURRENT)
    with ThreadPoolExecutor(1, thread_name_prefix="phantom-aside") as aside:
        # Fills the core that waits while the CT's loops are compiled and its trees grow.
        clip = aside.submit(write_ultrasound, folder)
        head = aside.submit(write_mr, folder)
        breasts = aside.submit(write_mammograms, folder)
        views: list[Future[list[Path]]] = []

        def current(told: Callable[[float], None]) -> list[Path]:
            written = write_ct(folder, progress=told, exposure=exposure)
            views.append(aside.submit(write_radiographs, folder, exposure))
            return written

        steps: list[tuple[str, Callable[[Callable[[float], None]], list[Path]]]] = [
            ("CT of chest and abdomen", current),
            ("CT, eight months earlier", lambda told: write_ct(folder, prior=True, progress=told)),
            ("Radiographs of the chest", lambda told: views[0].result()),
            ("MR of the head", lambda told: head.result()),
            ("Ultrasound of the heart", lambda told: clip.result()),
            ("Mammograms, and those of two years earlier", lambda told: breasts.result()),
        ]
        for name, step in steps:
            progress(name, 0.0)
            paths += step(lambda share, name=name: progress(name, min(share, 0.99)))  # type: ignore[misc]
            progress(name, 1.0)
    return paths
