"""The value representation of elements whose encoding does not name it (PS3.5 A.1, PS3.6 section 6)."""

from __future__ import annotations

from typing import Final

from pydicom.datadict import dictionary_VR, private_dictionary_VR

SIZES: Final = {
    "AT": 2, "US": 2, "SS": 2, "OW": 2,
    "UL": 4, "SL": 4, "FL": 4, "OL": 4, "OF": 4,
    "UV": 8, "SV": 8, "FD": 8, "OV": 8, "OD": 8,
}  # fmt: skip
"""Bytes of one number: what is turned round when the byte order is another one."""
LONG: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
"""Written with a length of 32 bits (PS3.5 7.1.2)."""
TEXT: Final = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""Under the Specific Character Set (PS3.5 6.1.2.3)."""

_CHOICES = {
    "US or SS": ("US", "SS"),
    "OB or OW": ("OW", "OW"),
    "US or OW": ("OW", "OW"),
    "US or SS or OW": ("OW", "OW"),
}
"""Where the dictionary leaves a choice: what it is for unsigned and for signed pixels."""

Creators = dict[tuple[int, int], str]
"""(group, block) -> who reserved it (PS3.5 7.8.1)."""


def representation(tag: int, length: int, creators: Creators, *, signed: bool) -> str:
    """By the dictionaries, private ones included; UN where they know nothing, or where the value cannot be that."""
    vr = _named(tag, creators)
    if vr in _CHOICES:
        vr = _CHOICES[vr][signed]
    if len(vr) != 2 or (vr not in LONG and length > 0xFFFE) or length % SIZES.get(vr, 1) or (vr == "SQ" and length):
        return "UN"
    return vr


def _named(tag: int, creators: Creators) -> str:
    group, number = tag >> 16, tag & 0xFFFF
    if number == 0:
        return "UL"
    try:
        if group % 2 == 0:
            return str(dictionary_VR(tag))
        if 0x10 <= number <= 0xFF:
            return "LO"
        return str(private_dictionary_VR(tag, creators[group, number >> 8]))
    except KeyError:
        return "UN"
