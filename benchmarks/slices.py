"""A windowed CT slice to JPEG: our pipeline beside pydicom's LUTs and Pillow."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from benchmarks.timing import alternately, ms, table, times
from viewer.dicom.decode import load_frame
from viewer.dicom.frames import frame_sources
from viewer.dicom.read import read_instance
from viewer.dicom.series import InstanceFile
from viewer.phantom.studies import write_ct
from viewer.rendering.encode import encode
from viewer.rendering.render import render, warm
from viewer.rendering.view import View


def run() -> None:
    """Both draw 512 x 512 with a window of its own every time, and write JPEG of quality 90. Decoding is not part of it."""
    warm()
    with tempfile.TemporaryDirectory() as folder:
        path = write_ct(Path(folder), shape=(8, 512, 512))[3]
        (source,) = frame_sources(InstanceFile(path, "", read_instance(path).index))
        frame = load_frame(source)
        d = pydicom.dcmread(path)
        stored = d.pixel_array
    sizes: dict[str, int] = {}

    def ours(turn: int) -> None:
        view = View(window_center=40.0 + turn, window_width=400.0, zoom="native")
        sizes["ours"] = len(encode(render(frame, view).pixels, "image/jpeg", 90))

    def theirs(turn: int) -> None:
        d.WindowCenter, d.WindowWidth = str(40 + turn), "400"
        values = apply_voi_lut(apply_modality_lut(stored, d), d)
        low, high = values.min(), values.max()
        grey = ((values - low) * (255.0 / max(high - low, 1)) + 0.5).astype(np.uint8)
        out = io.BytesIO()
        Image.fromarray(grey).save(out, "JPEG", quality=90)
        sizes["theirs"] = out.tell()

    medians = alternately({"ours": ours, "theirs": theirs}, 200)
    table(
        "Windowed 512 x 512 slice to JPEG (quality 90), one thread, median ms",
        ("", "ms", "kB", "against the peer"),
        [
            (
                "Farview render + encode",
                ms(medians["ours"]),
                sizes["ours"] // 1000,
                times(medians["ours"], medians["theirs"]),
            ),
            ("pydicom LUTs + Pillow", ms(medians["theirs"]), sizes["theirs"] // 1000, ""),
        ],
    )
