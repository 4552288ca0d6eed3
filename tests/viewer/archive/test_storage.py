"""Bytes on disk: the order in which they become durable, what happens when there is no room, and keeping house."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from viewer.archive import storage
from viewer.archive.storage import BlobStore, StorageFull, TooLarge

HELLO = hashlib.sha256(b"hello").hexdigest()


def kept(store: BlobStore, content: bytes = b"hello") -> Path:
    return store.keep(store.receive(io.BytesIO(content), limit=100))


def received_and_kept(store: BlobStore) -> Path:
    """As whoever takes objects in does it: what could not be kept is discarded."""
    received = store.receive(io.BytesIO(b"hello"), limit=10)
    try:
        return store.keep(received)
    finally:
        store.discard(received)


def files_under(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file() and p.name != ".lock")


def test_bytes_lie_under_their_hash_and_cannot_be_written(store: BlobStore) -> None:
    place = kept(store)
    assert place == store.root / HELLO[:2] / HELLO
    assert place.read_bytes() == b"hello"
    assert stat.S_IMODE(place.stat().st_mode) == 0o440
    assert files_under(store.root) == [HELLO]


def test_the_file_is_synced_before_it_is_renamed_and_the_folder_after(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def sync(handle: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        real_sync(handle)

    def replace(source: Any, target: Any) -> None:
        steps.append("rename")
        real_replace(source, target)

    monkeypatch.setattr(storage.os, "fsync", sync)
    monkeypatch.setattr(storage.os, "replace", replace)
    for _ in ("new", "there already"):
        steps.clear()
        kept(store)
        assert steps == ["file", "rename", "folder", "folder"], "the root's folder and the hash's"


@pytest.mark.parametrize("content", [b"", b"x", b"y" * (3 << 20)])
def test_whatever_comes_is_hashed_as_it_is_written(store: BlobStore, content: bytes) -> None:
    received = store.receive(io.BytesIO(content), limit=1 << 30)
    assert (received.sha256, received.size) == (hashlib.sha256(content).hexdigest(), len(content))
    store.keep(received)
    assert store.damage(received.sha256, received.size) is None


def test_chunks_of_a_network_are_taken_as_well_as_files(store: BlobStore) -> None:
    assert store.receive(iter([b"he", b"", b"llo"]), limit=5).sha256 == HELLO


def test_what_is_larger_than_the_limit_leaves_nothing(store: BlobStore) -> None:
    with pytest.raises(TooLarge):
        store.receive(io.BytesIO(b"hello"), limit=4)
    with pytest.raises(TooLarge):
        store.receive(io.BytesIO(b""), limit=4, expected=5)
    assert files_under(store.root) == []


def test_a_sender_that_breaks_off_leaves_nothing(store: BlobStore) -> None:
    def broken() -> Any:
        yield b"he"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.receive(broken(), limit=10)
    assert files_under(store.root) == []


def test_a_nearly_full_disk_takes_nothing_until_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = BlobStore(tmp_path, min_free_bytes=2 << 30, min_free_fraction=0.05)
    state = SimpleNamespace(f_bavail=(2 << 30) // 4096, f_frsize=4096, f_blocks=(1 << 30) // 4096)
    monkeypatch.setattr(storage.os, "statvfs", lambda path: state)
    assert kept(store)
    state.f_bavail -= 1
    with pytest.raises(StorageFull, match="nearly full"):
        store.receive(io.BytesIO(b"hello"), limit=10)
    state.f_bavail += 1
    with pytest.raises(StorageFull):
        store.receive(io.BytesIO(b"hello"), limit=10, expected=5)
    state.f_blocks = (100 << 30) // 4096  # now 5 % are more than 2 GiB
    with pytest.raises(StorageFull):
        store.receive(io.BytesIO(b"hello"), limit=10)
    state.f_bavail = (10 << 30) // 4096
    assert kept(store)


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_is_said_at_whichever_call_it_shows_and_leaves_nothing(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(storage.os, call, full)
        with pytest.raises(StorageFull, match="disk is full"):
            received_and_kept(store)
    assert files_under(store.root) == []
    assert kept(store), "and it goes on as soon as there is room"


def test_damage_is_named(store: BlobStore) -> None:
    place = kept(store)
    assert store.damage(HELLO, 5) is None
    place.chmod(0o600)
    place.write_bytes(b"hallo")
    assert store.damage(HELLO, 5) == "its bytes have changed"
    place.write_bytes(b"hell")
    assert store.damage(HELLO, 5) == "has 4 bytes instead of 5"
    place.unlink()
    assert store.damage(HELLO, 5) == "is missing"


def test_the_same_bytes_again_mend_a_damaged_copy(store: BlobStore) -> None:
    place = kept(store)
    place.chmod(0o600)
    place.write_bytes(b"hallo")
    kept(store)
    assert store.damage(HELLO, 5) is None


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", HELLO.upper(), HELLO[:-1], HELLO + "\n", "1.2.840"])
def test_only_a_hash_makes_a_path(store: BlobStore, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        store.path(name)


# --- the sweep


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "TEMPORARY_IS_YOUNG_S", -1.0)


@pytest.mark.usefixtures("no_patience")
def test_temporaries_of_the_dead_are_swept_and_those_of_the_living_are_not(store: BlobStore) -> None:
    living = store.receive(io.BytesIO(b"hello"), limit=10)
    (store.incoming / "left-behind").write_bytes(b"half")
    assert store.sweep_temporaries() == 1
    assert store.keep(living).read_bytes() == b"hello"
    assert files_under(store.root) == [HELLO]


def with_rows(*digests: str) -> Callable[[list[str]], set[str]]:
    return lambda asked: set(asked) & set(digests)


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_bytes_without_a_row_are_swept_once_they_are_old(store: BlobStore) -> None:
    orphan, owned = kept(store, b"orphan"), kept(store)
    assert store.sweep_orphans(with_rows(HELLO)) == []
    for place in (orphan, owned):
        age(place, 7 * 3600)
    assert store.sweep_orphans(with_rows(HELLO)) == [orphan.name]
    assert files_under(store.root) == [HELLO]


def test_nothing_is_swept_where_the_rows_are_what_is_missing(store: BlobStore) -> None:
    for n in range(30):
        age(kept(store, str(n).encode()), 7 * 3600)
    with pytest.raises(RuntimeError, match="30 of 30"):
        store.sweep_orphans(with_rows())
    assert len(files_under(store.root)) == 30


def test_an_orphan_that_gets_its_row_meanwhile_stays(store: BlobStore) -> None:
    place = kept(store)
    age(place, 7 * 3600)
    answers = iter([set(), {HELLO}])
    assert store.sweep_orphans(lambda asked: next(answers)) == []
    assert place.exists()


def test_no_sweep_comes_between_the_bytes_and_their_rows(store: BlobStore) -> None:
    with store.holding():
        handle = os.open(store.root / ".lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)
        with store.holding():
            pass  # others may take objects in side by side
