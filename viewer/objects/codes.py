"""Codes of measurement reports (PS3.16: TID 1500, 1501, 1410, 300 and their context groups), and our names for them."""

from __future__ import annotations

from .content import Code

REPORT: Code = ("126000", "DCM", "Imaging Measurement Report")
LANGUAGE: Code = ("121049", "DCM", "Language of Content Item and Descendants")
ENGLISH: Code = ("en", "RFC5646", "English")
OBSERVER_TYPE: Code = ("121005", "DCM", "Observer Type")
PERSON: Code = ("121006", "DCM", "Person")
DEVICE: Code = ("121007", "DCM", "Device")
PERSON_NAME: Code = ("121008", "DCM", "Person Observer Name")
DEVICE_UID: Code = ("121012", "DCM", "Device Observer UID")
DEVICE_NAME: Code = ("121013", "DCM", "Device Observer Name")
DEVICE_MANUFACTURER: Code = ("121014", "DCM", "Device Observer Manufacturer")
DEVICE_MODEL: Code = ("121015", "DCM", "Device Observer Model Name")
PROCEDURE: Code = ("121058", "DCM", "Procedure reported")
MEASUREMENTS: Code = ("126010", "DCM", "Imaging Measurements")
GROUP: Code = ("125007", "DCM", "Measurement Group")
TRACKING_IDENTIFIER: Code = ("112039", "DCM", "Tracking Identifier")
TRACKING_UID: Code = ("112040", "DCM", "Tracking Unique Identifier")
FINDING: Code = ("121071", "DCM", "Finding")
FINDING_SITE: Code = ("363698007", "SCT", "Finding Site")
FINDING_SITE_OLD: Code = ("G-C0E3", "SRT", "Finding Site")
COMMENT: Code = ("121106", "DCM", "Comment")
SOURCE: Code = ("260753009", "SCT", "Source")
DERIVATION: Code = ("121401", "DCM", "Derivation")
PATH: Code = ("121055", "DCM", "Path")
REGION: Code = ("111030", "DCM", "Image Region")
SERIES: Code = ("112002", "DCM", "Series Instance UID")
SEGMENT: Code = ("121191", "DCM", "Referenced Segment")
SEGMENTATION_FRAME: Code = ("121214", "DCM", "Referenced Segmentation Frame")

OWN = "99FARVIEW"
OWN_NAME = "Farview"

IMAGING: Code = ("363679005", "SCT", "Imaging procedure")
PROCEDURES: dict[str, Code] = {
    "CT": ("77477000", "SCT", "Computed tomography"),
    "MR": ("113091000", "SCT", "Magnetic resonance imaging"),
    "US": ("16310003", "SCT", "Ultrasonography"),
    "PT": ("82918005", "SCT", "Positron emission tomography"),
    "MG": ("71651007", "SCT", "Mammography"),
}
"""By modality; of others, or of several, `IMAGING`."""

FINDINGS: dict[str, Code] = {
    "nodule": ("27925004", "SCT", "Nodule"),
    "mass": ("4147007", "SCT", "Mass"),
    "lesion": ("52988006", "SCT", "Lesion"),
    "cyst": ("441457006", "SCT", "Cyst"),
}
"""Labels that say in one word what a code says; any other text of a reader stays text."""

CONCEPTS: dict[str, Code] = {
    "length": ("410668003", "SCT", "Length"),
    "long": ("103339001", "SCT", "Long axis"),
    "short": ("103340004", "SCT", "Short axis"),
    "product": ("product", OWN, "Product of long and short axis"),
    "angle": ("1483009", "SCT", "Angle"),
    "supplementary": ("supplementary", OWN, "Supplementary angle"),
    "area": ("42798000", "SCT", "Area"),
    "perimeter": ("131191004", "SCT", "Perimeter"),
    "n": ("pixel-count", OWN, "Number of pixels"),
    "known": ("410668003", "SCT", "Length"),
    "scale": ("scale", OWN, "Length to one unit of the image"),
}
"""What a number is, by our name for it."""
COBB: Code = ("285285000", "SCT", "Cobb angle")

VALUES: dict[str, Code] = {
    "HU": ("112031", "DCM", "Attenuation Coefficient"),
    "g/ml": ("126401", "DCM", "SUVbw"),
}
"""What the values of an image are, by their unit."""
VALUE: Code = ("modality-value", OWN, "Modality value")
SUV: Code = VALUES["g/ml"]

DERIVATIONS: dict[str, Code] = {
    "mean": ("373098007", "SCT", "Mean"),
    "sd": ("386136009", "SCT", "Standard Deviation"),
    "min": ("255605001", "SCT", "Minimum"),
    "max": ("56851009", "SCT", "Maximum"),
}

UNITS: dict[str, Code] = {
    "mm": ("mm", "UCUM", "millimeter"),
    "mm²": ("mm2", "UCUM", "square millimeter"),
    "px": ("{pixels}", "UCUM", "pixels"),
    "px²": ("{squarepixels}", "UCUM", "square pixels"),
    "pixels": ("{pixels}", "UCUM", "pixels"),
    "samples": ("{samples}", "UCUM", "samples"),
    "°": ("deg", "UCUM", "degree"),
    "HU": ("[hnsf'U]", "UCUM", "Hounsfield unit"),
    "g/ml": ("g/ml{SUVbw}", "UCUM", "Standardized Uptake Value body weight"),
    "BQML": ("Bq/ml", "UCUM", "Becquerels per milliliter"),
    "cm": ("cm", "UCUM", "centimeter"),
    "cm²": ("cm2", "UCUM", "square centimeter"),
    "cm³": ("cm3", "UCUM", "cubic centimeter"),
    "cm/s": ("cm/s", "UCUM", "centimeter per second"),
    "cm²/s": ("cm2/s", "UCUM", "square centimeter per second"),
    "cm³/s": ("cm3/s", "UCUM", "cubic centimeter per second"),
    "Hz": ("Hz", "UCUM", "hertz"),
    "dB": ("dB", "UCUM", "decibel"),
    "dB/s": ("dB/s", "UCUM", "decibel per second"),
    "%": ("%", "UCUM", "percent"),
    "s": ("s", "UCUM", "second"),
    "ms": ("ms", "UCUM", "millisecond"),
    "mm/px": ("mm/{pixel}", "UCUM", "millimeter per pixel"),
    "mm/mm": ("mm/mm", "UCUM", "millimeter per millimeter"),
    "": ("1", "UCUM", "no units"),
}
_UNIT_NAMES = {unit[0]: name for name, unit in reversed(UNITS.items())} | {
    "{SUVbw}g/ml": "g/ml",
    "{pixels}": "px",
    "1": "",
    "Cel": "°C",
}

_NAMES: dict[tuple[str, str], str] = {
    concept[:2]: name for name, concept in CONCEPTS.items() if name not in ("known", "scale")
} | {
    COBB[:2]: "angle",
    ("G-D7FE", "SRT"): "length",
    ("103355008", "SCT"): "width",
    ("G-A185", "SRT"): "long",
    ("G-A186", "SRT"): "short",
    ("131187009", "SCT"): "long",
    ("131188004", "SCT"): "short",
    ("131189007", "SCT"): "short",
    ("G-A166", "SRT"): "area",
    ("118565006", "SCT"): "volume",
    ("G-D705", "SRT"): "volume",
    ("121211", "DCM"): "length",
    ("M-02550", "SRT"): "diameter",
    ("81827009", "SCT"): "diameter",
    VALUE[:2]: "value",
    VALUES["HU"][:2]: "value",
    SUV[:2]: "suv",
    ("R-00317", "SRT"): "mean",
    ("G-A437", "SRT"): "max",
    ("R-404FB", "SRT"): "min",
    ("R-10047", "SRT"): "sd",
}
"""Our name of what others measure; SRT is the older spelling of SCT."""


def unit_code(unit: str) -> Code:
    """A unit of values as UCUM has it; one that nobody knows as an annotation."""
    if unit in UNITS:
        return UNITS[unit]
    plain = "".join(c for c in unit if c.isascii() and c.isalnum())[:14]
    return f"{{{plain}}}" if plain else "1", "UCUM", unit[:64] or "no units"


def unit_name(unit: Code) -> str:
    """A unit of somebody's report as people read it."""
    value, scheme, meaning = unit
    if value in _UNIT_NAMES:
        return _UNIT_NAMES[value]
    if value.endswith("2") and value[:-1].isalpha():
        return f"{value[:-1]}²"
    if value.endswith("3") and value[:-1].isalpha():
        return f"{value[:-1]}³"
    return value.strip("{}") if scheme == "UCUM" else meaning or value


def concept_name(concept: Code) -> str:
    """Our name for what a report measures, else its own words."""
    return _NAMES.get(concept[:2]) or "_".join(concept[2].casefold().split()) or concept[0]


def derivation_name(derivation: Code) -> str:
    for name, known in DERIVATIONS.items():
        if derivation[:2] == known[:2]:
            return name
    return _NAMES.get(derivation[:2]) or "_".join(derivation[2].casefold().split())
