"""The view of a projection by View Code Sequence (0054,0220), as the terms of View Position (0018,5101) (PS3.3 C.8.11.7)."""

from __future__ import annotations

from . import tags, values
from .elements import Dataset


def view_position(dataset: Dataset) -> str:
    """View Position, or where that is empty what the code of the view means; "" where neither says."""
    said = values.code(dataset, tags.VIEW_POSITION)
    if said:
        return said
    for item in dataset.items(tags.VIEW_CODE_SEQUENCE)[:1]:
        return _POSITIONS.get(values.text(item, tags.CODE_VALUE).strip(), "")
    return ""


_CODES: dict[str, tuple[str, ...]] = {
    "CC": ("399162004", "R-10242"),
    "MLO": ("399368009", "R-10226"),
    "ML": ("399260004", "R-10224"),
    "LM": ("399352003", "R-10228"),
    "LMO": ("399099002", "R-10230"),
    "FB": ("399196006", "R-10244"),
    "SIO": ("399188001", "R-102D0"),
    "ISO": ("441555000", "R-40AAA"),
    "XCCL": ("399192008", "R-1024A", "Y-X1770"),
    "XCCM": ("399101009", "R-1024B", "Y-X1771"),
    "AP": ("399348003", "R-10206"),
    "PA": ("272479007", "399148005", "R-10214", "R-40888"),
    "LL": ("399173006", "R-10236"),
    "RL": ("399198007", "R-10232"),
}
"""View -> its codes in SNOMED CT and its older forms (PS3.16 CID 4014 and CID 4010)."""

_POSITIONS = {code: view for view, codes in _CODES.items() for code in codes}
