"""Decoded frames on disk: the same values come back, damage is found, and the folder never grows past its limit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from viewer.dicom.layout import Decoded, FrameLayout
from viewer.engine.store import DecodedStore

KEY = ("ab" * 32, 1)
GREY = FrameLayout("1.2.840.10008.1.2.4.80", 40, 50, 1, "MONOCHROME2", 16, 12, 11, 1)
COLOUR = FrameLayout("1.2.840.10008.1.2.4.50", 40, 50, 3, "YBR_FULL_422", 8, 8, 7, 0)
SIZE = 40 * 50 * 2 + 64


def grey(seed: int = 0) -> Decoded:
    return Decoded(np.random.default_rng(seed).integers(-2000, 2000, (40, 50)).astype(np.int16), "MONOCHROME2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "decoded"


@pytest.fixture
def store(folder: Path) -> Iterator[DecodedStore]:
    store = DecodedStore(folder, 1 << 20)
    store.start()
    yield store
    store.close()


def again(folder: Path, limit: int = 1 << 20, stamp: bytes | None = None) -> DecodedStore:
    """A store on the same folder, as after a restart; everything it does is done when it is returned."""
    store = DecodedStore(folder, limit, stamp=stamp)
    store._look_through()
    return store


def kept(store: DecodedStore, *frames: tuple[tuple[str, int], Decoded]) -> None:
    for key, decoded in frames:
        store.keep(key, decoded)
    store.settle()


def test_what_was_kept_comes_back_to_the_byte(store: DecodedStore) -> None:
    picture = Decoded(np.random.default_rng(1).integers(0, 256, (40, 50, 3)).astype(np.uint8), "RGB")
    kept(store, (KEY, grey()), ((KEY[0], 2), picture))
    for number, layout, expected in ((1, GREY, grey()), (2, COLOUR, picture)):
        found = store.read((KEY[0], number), layout)
        assert found is not None
        assert found.values.dtype == expected.values.dtype
        assert np.array_equal(found.values, expected.values)
        assert found.photometric_interpretation == expected.photometric_interpretation


def test_values_come_back_straight_into_a_volume(store: DecodedStore, folder: Path) -> None:
    kept(store, (KEY, grey()))
    out = np.empty((40, 50), np.int16)
    assert store.read_into(KEY, out)
    assert np.array_equal(out, grey().values)
    assert not store.read_into((KEY[0], 2), out)
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    damaged = bytearray(path.read_bytes())
    damaged[500] ^= 1
    path.write_bytes(damaged)
    assert not store.read_into(KEY, out)
    assert not path.exists()


def test_values_of_another_shape_or_size_are_not_put_into_a_volume(store: DecodedStore) -> None:
    for shape, dtype in (((50, 40), np.int16), ((40, 25), np.float32), ((40, 49), np.int16), ((40, 51), np.int16)):
        kept(store, (KEY, grey()))
        assert not store.read_into(KEY, np.empty(shape, dtype))


def test_what_was_never_kept_is_not_there(store: DecodedStore) -> None:
    assert store.read(KEY, GREY) is None
    assert store.counts.bent == 0


def test_it_is_there_after_a_restart(store: DecodedStore, folder: Path) -> None:
    kept(store, (KEY, grey()))
    later = again(folder)
    assert later.read(KEY, GREY) is not None
    assert (later.used, len(later)) == (SIZE, 1)


@pytest.mark.parametrize("place", [0, 9, 17, 25, 30, 44, 64, 1000, SIZE - 1])
def test_one_changed_bit_anywhere_is_found_and_the_file_is_removed(
    store: DecodedStore, folder: Path, place: int
) -> None:
    kept(store, (KEY, grey()))
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    damaged = bytearray(path.read_bytes())
    damaged[place] ^= 4
    path.write_bytes(damaged)
    assert store.read(KEY, GREY) is None
    assert not path.exists()
    assert (store.counts.bent, store.used) == (1, 0)


def test_a_file_cut_short_is_found(store: DecodedStore, folder: Path) -> None:
    kept(store, (KEY, grey()))
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    for length in (SIZE - 1, 70, 64, 10, 0):
        path.write_bytes(path.read_bytes()[:length])
        assert store.read(KEY, GREY) is None
        kept(store, (KEY, grey()))


def test_a_frame_of_another_shape_than_the_file_says_is_not_taken(store: DecodedStore) -> None:
    kept(store, (KEY, grey()))
    assert store.read(KEY, COLOUR) is None


def test_what_other_code_decoded_is_decoded_again(store: DecodedStore, folder: Path) -> None:
    kept(store, (KEY, grey()))
    assert again(folder, stamp=b"other   ").read(KEY, GREY) is None


def test_the_least_recently_used_goes_first(folder: Path) -> None:
    store = DecodedStore(folder, 3 * SIZE)
    store.start()
    kept(store, *(((KEY[0], number), grey(number)) for number in (1, 2, 3)))
    assert store.read((KEY[0], 1), GREY) is not None
    kept(store, ((KEY[0], 4), grey(4)))
    assert [number for number in (1, 2, 3, 4) if store.read((KEY[0], number), GREY)] == [1, 3, 4]
    assert store.used == 3 * SIZE
    store.close()


def test_a_smaller_limit_than_last_time_is_kept_at_the_start(store: DecodedStore, folder: Path) -> None:
    kept(store, *(((KEY[0], number), grey(number)) for number in range(1, 6)))
    for age, number in enumerate((5, 4, 3, 2, 1)):
        os.utime(folder / KEY[0][:2] / f"{KEY[0]}-{number}", (1e9 - age, 1e9 - age))
    later = again(folder, limit=2 * SIZE)
    assert [number for number in range(1, 6) if later.read((KEY[0], number), GREY)] == [4, 5]


def test_files_left_half_written_are_removed(store: DecodedStore, folder: Path) -> None:
    kept(store, (KEY, grey()))
    left = folder / KEY[0][:2] / f"{KEY[0]}-9-77.part"
    left.write_bytes(b"half")
    os.utime(left, (1e9, 1e9))
    assert len(again(folder)) == 1
    assert not left.exists()


def test_a_disk_that_others_need_is_left_to_them(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = DecodedStore(folder, 1 << 20, keep_free=1 << 60)
    store.start()
    kept(store, (KEY, grey()))
    assert (store.counts.skipped, store.used, store.read(KEY, GREY)) == (1, 0, None)
    store.close()


def test_a_folder_that_cannot_be_written_to_is_nobodys_trouble(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a file").write_text("")
    store = DecodedStore(tmp_path / "a file" / "decoded", 1 << 20)
    store.start()
    kept(store, (KEY, grey()), ((KEY[0], 2), grey()))
    assert store.read(KEY, GREY) is None
    store.close()
    assert sum("cannot be kept" in record.message for record in caplog.records) == 1


def test_what_comes_faster_than_the_disk_takes_it_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viewer.engine.store.MOST_PENDING", 2 * SIZE)
    store = DecodedStore(folder, 1 << 20)
    for number in range(5):
        store.keep((KEY[0], number), grey(number))
    assert store.counts.skipped == 3
    store.start()
    store.settle()
    assert store.counts.written == 2
    store.close()
