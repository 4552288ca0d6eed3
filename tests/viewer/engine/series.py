"""Series of the shared files, as an edge hands them to the engine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from viewer.dicom.read import read_instance
from viewer.dicom.series import InstanceFile, SeriesContent


def series_of(files: Iterable[Path], version: str = "1", organization: str = "default") -> SeriesContent:
    """All of `files`, which are of one series."""
    parsed = [(path, read_instance(path)) for path in sorted(files)]
    return SeriesContent(
        series=parsed[0][1].series.series_instance_uid,
        organization=organization,
        version=version,
        instances=tuple(
            InstanceFile(path, hashlib.sha256(path.read_bytes()).hexdigest(), instance.index)
            for path, instance in parsed
        ),
    )
