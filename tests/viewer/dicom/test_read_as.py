"""What is read of headers changes only together with the number that has old archives read again."""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path

from viewer.dicom import read, tags

MODULES = (
    "attributes",
    "groups",
    "image_index",
    "luts",
    "masks",
    "overlay_planes",
    "pixel_index",
    "read",
    "shutters",
    "suv",
    "ultrasound_regions",
    "view_codes",
)
"""They make an index."""

READ = {3: "c8afa1431b4e4dcd"}
"""By `READ_AS`: what was read then."""


def names_in(module: str) -> set[str]:
    """Words in quotes that may be names of an index."""
    source = (Path(read.__file__).parent / f"{module}.py").read_text()
    constants = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return {one for one in constants if isinstance(one, str) and re.fullmatch("[a-z][a-z_]{0,31}", one)}


def test_an_index_gains_a_field_only_with_a_higher_number() -> None:
    names = sorted(f"{module}.{name}" for module in MODULES for name in names_in(module))
    kept = sorted(tags.written(tag) for tag in tags.KEPT)
    digest = hashlib.sha256("\n".join(names + kept).encode()).hexdigest()[:16]
    assert READ.get(read.READ_AS) == digest, (
        "More or other things are read of a header: count `READ_AS` of viewer/dicom/read.py up, say there what is new, and "
        f"write {{{read.READ_AS + 1}: {digest!r}}} here. Old archives are then read again; else they never show what is new."
    )


def test_the_modules_are_those_that_make_an_index() -> None:
    """Whatever `read` and `image_index` bring in of this folder that looks into a data set is among them."""
    found = set()
    for module in ("read", "image_index", "groups"):
        source = (Path(read.__file__).parent / f"{module}.py").read_text()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
                found.add(node.module)
    # What they lend is no field: how values are read, errors, limits, tables of the standard.
    lent = {"elements", "errors", "header", "limits", "objects", "syntaxes"}
    assert found - lent <= set(MODULES)
