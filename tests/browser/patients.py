"""Patients for the hanging of studies: small, synthetic, each with studies before the current one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from viewer.phantom import write
from viewer.phantom.write import Patient, Study

CT_IMAGE, MG_IMAGE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.1.2"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
HANS = Patient("Hanging^Hans", "HANG-1", "19500101", "M", 1.8, 80.0)
NOT_HANS = Patient("Other^Otto", "HANG-1", "19600202", "M", 1.7, 70.0)
MARIA = Patient("Hanging^Maria", "HANG-2", "19611231", "F", 1.7, 70.0)

CT_NOW = Study("hang-ct", HANS, "20260918", "101500", "H-CT-2", "2", "CT chest")
CT_BEFORE = Study("hang-ct-before", HANS, "20260116", "090000", "H-CT-1", "1", "CT chest")
CT_OF_ANOTHER = Study("hang-ct-other", NOT_HANS, "20250101", "090000", "H-CT-0", "0", "CT chest")
MG_NOW = Study("hang-mg", MARIA, "20260901", "101500", "H-MG-2", "2", "Mammography screening")
MG_BEFORE = Study("hang-mg-before", MARIA, "20240815", "090000", "H-MG-1", "1", "Mammography screening")

ORIENTATION = {("R", "CC"): ("P", "L"), ("L", "CC"): ("A", "R"), ("R", "MLO"): ("P", "FL"), ("L", "MLO"): ("A", "FR")}
_OPPOSITE = str.maketrans("LRPAHF", "RLAPFH")
ROWS, COLUMNS = 300, 200


def ct(folder: Path, study: Study, slices: int, top: float) -> None:
    """A stack from `top` mm downwards, 5 mm apart, in a frame of reference of its own; brightness tells the slice."""
    d = write.base(
        study, "ct", CT_IMAGE, "CT", 2, SeriesDescription="Axial 5 mm", BodyPartExamined="CHEST", RescaleSlope="1",
        RescaleIntercept="0", FrameOfReferenceUID=write.uid("frame", study.key), WindowCenter="40", WindowWidth="400",
    )  # fmt: skip
    write.pixels_of(d, 64, 64, bits=16, signed=True)
    for number in range(slices):
        write.plane_of(d, (-96.0, -96.0, top - 5.0 * number), AXIAL, (3.0, 3.0))
        d.SOPInstanceUID = write.uid("image", study.key, number)
        d.InstanceNumber = number + 1
        write.save(d, folder / study.key / f"{number}.dcm", np.full((64, 64), -150 + 10 * number, "<i2"))


def mammograms(folder: Path, study: Study, *, upside_down: bool = False) -> None:
    """Four views, each a half disc of breast on the chest wall; `upside_down`: stored turned by 180 degrees, in one series."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    for number, ((side, view), orientation) in enumerate(ORIENTATION.items(), 1):
        wall = COLUMNS - 1 if side == "R" else 0
        pixels = np.where((x - wall) ** 2 + (y - ROWS / 2) ** 2 < (0.4 * ROWS) ** 2, 3000, 0).astype("<u2")
        if upside_down:
            pixels = np.ascontiguousarray(pixels[::-1, ::-1])
            orientation = tuple(letters.translate(_OPPOSITE) for letters in orientation)
        d = write.base(
            study, "mg" if upside_down else f"mg-{number}", MG_IMAGE, "MG", 1 if upside_down else number,
            SeriesDescription="Screening" if upside_down else f"{side} {view}", BodyPartExamined="BREAST", ViewPosition=view,
            ImageLaterality=side, PatientOrientation=list(orientation), ImagerPixelSpacing=["0.5", "0.5"],
            InstanceNumber=number, PresentationIntentType="FOR PRESENTATION", WindowCenter="2000", WindowWidth="4000",
            RescaleSlope="1", RescaleIntercept="0",
        )  # fmt: skip
        d.SOPInstanceUID = write.uid("image", study.key, number)
        write.pixels_of(d, ROWS, COLUMNS, bits=12)
        write.save(d, folder / study.key / f"{number}.dcm", pixels)


def write_all(folder: Path) -> None:
    """Every study of this file. The one of another person under the same number comes last: the first one names the patient."""
    ct(folder / "1", CT_NOW, 30, 300.0)
    ct(folder / "1", CT_BEFORE, 24, 250.0)
    mammograms(folder / "1", MG_NOW)
    mammograms(folder / "1", MG_BEFORE, upside_down=True)
    ct(folder / "2", CT_OF_ANOTHER, 3, 0.0)
