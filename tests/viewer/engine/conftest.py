from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from viewer.dicom.series import SeriesContent
from viewer.engine.budget import Budget
from viewer.engine.engine import Engine

from .series import series_of


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[Engine]:
    """A whole engine: threads, decode children, kernels."""
    engine = Engine(Budget.measure(frames=64 << 20), render_threads=2, decode_children=2)
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture(scope="module")
def chest(shared_data: Path) -> SeriesContent:
    """24 neighbouring slices of the chest CT, JPEG-LS."""
    whole = series_of((shared_data / "series" / "ct_chest_lidc0314_jpegls").glob("*.dcm"))
    by_position = sorted(whole.instances, key=lambda file: file.index["shared"]["position"][2])
    return dataclasses.replace(whole, instances=tuple(by_position[100:124]))
