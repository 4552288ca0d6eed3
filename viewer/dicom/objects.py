"""Objects that hold no frames, and what to say of them."""

from __future__ import annotations

from pydicom.uid import UID_dictionary

_KINDS = (
    ("Grayscale Softcopy Presentation State", "presentation state"),
    ("Presentation State", "presentation state"),
    ("Key Object Selection", "key object selection"),
    ("Structured Display", "structured display"),
    ("SR Storage", "structured report"),
    (" SR", "structured report"),
    ("Radiation Dose SR", "dose report"),
    ("Encapsulated PDF", "PDF document"),
    ("Encapsulated CDA", "clinical document"),
    ("Encapsulated STL", "3D model"),
    ("RT Structure Set", "RT structure set"),
    ("Plan Storage", "RT plan"),
    ("RT Beams", "RT treatment record"),
    ("RT ", "radiotherapy object"),
    ("Waveform", "waveform"),
    ("ECG", "waveform"),
    ("Registration", "spatial registration"),
    ("Fiducials", "spatial fiducials"),
    ("Real World Value Mapping", "real world value mapping"),
    ("Surface Segmentation", "surface segmentation"),
    ("Raw Data", "raw data"),
    ("Tractography", "tractography"),
)


_LISTED = {
    "presentation state",
    "key object selection",
    "structured report",
    "dose report",
    "PDF document",
    "RT structure set",
}
"""Kinds that the viewer page shows in its panel of objects."""


def class_name(sop_class_uid: str) -> str:
    """The standard's name of a SOP Class without "Storage", or "" for one that is not in it."""
    entry = UID_dictionary.get(sop_class_uid)
    return entry[0].removesuffix(" Storage") if entry else ""


def is_image_class(sop_class_uid: str) -> bool:
    """Whether objects of this class cannot do without pixels (PS3.4 B.5)."""
    entry = UID_dictionary.get(sop_class_uid)
    return entry is not None and ("Image Storage" in entry[0] or entry[0] == "Segmentation Storage")


def not_drawn_reason(sop_class_uid: str) -> str:
    """Why an object without pixels shows no picture."""
    entry = UID_dictionary.get(sop_class_uid)
    official = entry[0] if entry else ""
    for part, kind in _KINDS:
        if part in official:
            return f"{kind}: listed with the objects of the study" if kind in _LISTED else f"{kind}: not shown here"
    return f"{class_name(sop_class_uid)}: not shown here" if official else "an object without pixels: not shown here"
