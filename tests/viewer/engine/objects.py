"""Objects beside a series, as an edge hands them to the engine, and pictures out of the engine."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from viewer.dicom.read import read_instance
from viewer.dicom.series import InstanceFile
from viewer.engine.engine import Drawn, Engine, Objects, OpenSeries
from viewer.rendering.view import View


def object_file(path: Path) -> InstanceFile:
    return InstanceFile(path, hashlib.sha256(path.read_bytes()).hexdigest(), read_instance(path).index)


async def exact(
    engine: Engine, series: OpenSeries, objects: Objects | None = None, /, **view: Any
) -> tuple[NDArray[np.uint8], Drawn]:
    drawn = await engine.draw(series, View.from_json(view), "image/png", objects=objects or {})
    assert drawn.header["exact"]
    return np.asarray(Image.open(io.BytesIO(drawn.payload))), drawn
