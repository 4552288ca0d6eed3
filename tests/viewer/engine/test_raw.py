"""Runs of frames into their slices: what goes wrong with one of them is named or passes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.viewer.dicom.making import image_file
from viewer.dicom.frames import frame_sources
from viewer.engine import raw
from viewer.engine.raw import NotRead, read_run
from viewer.rendering.bricks import GrowingBricks, bricks_of
from viewer.rendering.volume import CellDescription, Storage

from .series import series_of

SHAPE = (11, 17, 20)
AS_IT_IS = Storage(np.dtype(np.int16)).cells(CellDescription(16, 15, True, 0.0, None))


@pytest.fixture
def words() -> np.ndarray:
    return np.random.default_rng(3).integers(-2000, 2000, SHAPE).astype(np.int16)


@pytest.fixture
def paths(tmp_path: Path, words: np.ndarray) -> list[Path]:
    paths = [tmp_path / f"{number:02}.dcm" for number in range(SHAPE[0])]
    for number, path in enumerate(paths):
        image_file(path, words[number], SOPInstanceUID=f"1.2.{number}", InstanceNumber=number)
    return paths


def read(paths: list[Path]) -> tuple[np.ndarray, GrowingBricks]:
    sources = [frame_sources(instance)[0] for instance in series_of(paths).instances]
    values, growing = np.empty(SHAPE, np.int16), GrowingBricks(SHAPE)
    part = growing.part(0, len(sources))
    read_run(sources, values, AS_IT_IS, part)
    growing.add(part)
    return values, growing


def test_a_file_that_became_shorter_is_named(paths: list[Path]) -> None:
    sources = [frame_sources(instance)[0] for instance in series_of(paths).instances]
    paths[6].write_bytes(paths[6].read_bytes()[:-2])
    growing = GrowingBricks(SHAPE)
    with pytest.raises(NotRead) as error:
        read_run(sources, np.empty(SHAPE, np.int16), AS_IT_IS, growing.part(0, SHAPE[0]))
    assert error.value.number == 6
    assert "shorter than its index" in str(error.value.why)


def test_an_interruption_costs_nothing_but_time(
    paths: list[Path], words: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame that the kernel could not read and plain Python can: the descriptor is none, as for a call cut short."""
    met = []

    def read_whole(descriptor: int, offset: int, out: np.ndarray) -> None:
        met.append(descriptor)
        out[...] = words[len(met) * 4]

    take = raw._taken

    def interrupted(values: np.ndarray, how: object, files: np.ndarray, *more: object) -> bool:
        files[[4, 8]] = 2**30
        return take(values, how, files, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(raw, "_read_whole", read_whole)
    monkeypatch.setattr(raw, "_taken", interrupted)
    values, growing = read(paths)
    assert met == [2**30, 2**30]
    np.testing.assert_array_equal(values, words)
    bricks = growing.finished()
    assert bricks is not None
    np.testing.assert_array_equal(bricks.least, bricks_of(words).least)
    np.testing.assert_array_equal(bricks.greatest, bricks_of(words).greatest)
