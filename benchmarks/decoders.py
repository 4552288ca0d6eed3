"""One frame of each transfer syntax: our decoder beside pydicom's plugins."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pydicom
from pydicom.pixels import get_decoder

from benchmarks.timing import alternately, ms, table, times
from viewer.dicom.decode import DECODERS, decode
from viewer.dicom.frames import frame_sources
from viewer.dicom.pixels import read_encoded
from viewer.dicom.read import read_instance
from viewer.dicom.series import InstanceFile

DATA = Path(os.environ.get("FARVIEW_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
"""Real DICOM files, as for the tests."""
DEFLATED = "1.2.840.10008.1.2.1.99"


def run() -> None:
    """The files of the real test data's folder with one CT image in every syntax."""
    folder = DATA / "syntax_ctimage"
    if not folder.is_dir():
        print(f"\nDecoders: no files at {folder}; set FARVIEW_TEST_DATA")
        return
    rows = []
    for path in sorted(folder.glob("*.dcm")):
        row = _one(path)
        if row:
            rows.append(row)
    head = ("transfer syntax", "ours ms", "best plugin", "its ms", "against it")
    table("Decoding one 512 x 512 frame of 16 bits allocated, one thread, median ms", head, rows)


def _one(path: Path) -> tuple[object, ...] | None:
    try:
        (source,) = frame_sources(InstanceFile(path, "", read_instance(path).index))
    except ValueError as problem:
        return (path.stem, f"refused: {problem}", "", "", "")
    syntax = source.layout.transfer_syntax_uid
    encoded = read_encoded(source)
    work: dict[str, Callable[[int], object]] = {"ours": lambda turn: decode(encoded, source.layout)}
    for name, one in _peers(path, syntax).items():
        try:
            one(0)
        except Exception:
            continue  # not every plugin reads every file
        work[name] = one
    medians = alternately(work, 15, seconds=3.0)
    mine = medians.pop("ours")
    best = min(medians, key=medians.__getitem__, default="")
    peer = medians.get(best)
    return DECODERS[syntax].name, ms(mine), best or "-", ms(peer), times(mine, peer)


def _peers(path: Path, syntax: str) -> dict[str, Callable[[int], object]]:
    d = pydicom.dcmread(path)
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        return {}
    if syntax == DEFLATED:  # inflated while it is read
        return {"pydicom, whole file": lambda turn: pydicom.dcmread(path).pixel_array}
    if not decoder.UID.is_encapsulated:
        return {"pydicom": lambda turn: decoder.as_array(d, raw=True)}
    return {
        name: (lambda turn, name=name: decoder.as_array(d, raw=True, decoding_plugin=name))
        for name in decoder.available_plugins
    }
