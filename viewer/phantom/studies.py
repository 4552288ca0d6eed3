"""The demonstration studies: which examinations there are, and how each becomes files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import JPEGLSLossless

from viewer.phantom import ct, facts, write

Progress = Callable[[str, float], None]
CT_IMAGE, MR_IMAGE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"

CT_STUDY = write.Study(
    "ada-ct", write.ADA, "20260918", "101530", "FV2026-0918", "CT0918", "CT chest and abdomen with contrast"
)
PRIOR_STUDY = write.Study(
    "ada-ct-prior", write.ADA, "20260116", "090210", "FV2026-0116", "CT0116", "CT chest and abdomen with contrast"
)

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
        ct.build(ct.detail_for(scan)), scan, prior=prior, strength=12.0 if prior else 15.0, progress=progress
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
                write.save(d, path, [imagecodecs.jpegls_encode(stored)], syntax=JPEGLSLossless)
            else:
                write.save(d, path, hounsfield.astype("<i2", copy=False))
            paths.append(path)
    return paths


def _volume(slabs: Iterator[tuple[int, NDArray[np.int16]]]) -> NDArray[np.int16]:
    return np.concatenate([slab for _, slab in slabs])


def write_demonstration(folder: Path, progress: Progress = lambda step, share: None) -> list[Path]:
    """All demonstration studies as DICOM files under `folder`; `progress` gets the step's name and its share done, 0 to 1."""
    paths: list[Path] = []
    for name, step in STEPS:
        progress(name, 0.0)
        paths += step(folder, lambda share, name=name: progress(name, share))
        progress(name, 1.0)
    return paths


STEPS: list[tuple[str, Callable[[Path, Callable[[float], None]], list[Path]]]] = [
    ("CT chest and abdomen", lambda folder, progress: write_ct(folder, progress=progress)),
    ("CT, eight months earlier", lambda folder, progress: write_ct(folder, prior=True, progress=progress)),
]
