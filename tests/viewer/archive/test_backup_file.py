"""The file of a backup: every byte of it counts, and other programs read it."""

from __future__ import annotations

import hashlib
import io
import random
import subprocess
import tarfile
from pathlib import Path

import pytest

from viewer.archive.backup_file import HEADER, KEYS, SCRYPT, Broken, Reader, Secret, Writer, canonical

PASSPHRASE, SALT = b"correct horse battery", "0123456789abcdef"
KEY_WORDS = {"audit_key": "a" * 64}
HEAD = {
    "format": 1,
    "made_at": "2026-11-22",
    "database": "sqlite",
    "migrations": [],
    "objects": 4,
    "bytes": 1,
    "salt": SALT,
}
OBJECTS = [b"first object", b"x" * 512, b"", bytes(range(256)) * 9]


@pytest.fixture(autouse=True)
def quick_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of them are tried here."""
    monkeypatch.setitem(SCRYPT, "n", 2)


def made(passphrase: bytes | None = PASSPHRASE) -> bytes:
    out = io.BytesIO()
    secret = Secret.of(passphrase, SALT.encode()) if passphrase else None
    header = canonical(HEAD | {"encrypted": secret is not None})
    writer = Writer(out, secret, io.BytesIO())
    writer.words(HEADER, header)
    writer.words(KEYS, secret.hide(canonical(KEY_WORDS), header) if secret else canonical(KEY_WORDS))
    for data in OBJECTS:
        digest = hashlib.sha256(data).hexdigest()
        assert writer.stream(f"blob/{digest[:2]}/{digest}", io.BytesIO(data), len(data)) == digest
    writer.finish({})
    return out.getvalue()


def read(file: bytes, passphrase: bytes | None = PASSPHRASE) -> tuple[Reader, dict[str, str], list[bytes]]:
    reader = Reader(io.BytesIO(file), passphrase)
    keys: dict[str, str] = {}
    objects = []
    for part in reader.parts():
        if part.name == KEYS:
            keys = reader.keys(part)
        else:
            objects.append(part.words())
    return reader, keys, objects


@pytest.mark.parametrize("passphrase", [PASSPHRASE, None])
def test_what_was_put_in_comes_out(passphrase: bytes | None) -> None:
    reader, keys, objects = read(made(passphrase), passphrase)
    assert (keys, objects) == (KEY_WORDS, OBJECTS)
    assert reader.authentic is (passphrase is not None)


def test_tar_and_sha256sum_read_it_without_farview(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(made())) as archive:
        archive.extractall(tmp_path, filter="data")
    done = subprocess.run(["sha256sum", "--strict", "-c", "MANIFEST.sha256"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b": OK") == 2 + len(OBJECTS)


def test_the_keys_cannot_be_read_without_the_passphrase() -> None:
    assert b"a" * 64 not in made()
    assert b"a" * 64 in made(None)
    assert read(made(), None)[1] == {}


def test_another_passphrase_is_refused_in_words() -> None:
    with pytest.raises(Broken, match="passphrase is another one"):
        read(made(), b"correct horse battery staple")


def test_a_file_cut_anywhere_is_refused() -> None:
    file = made()
    for length in [*range(0, len(file), 97), len(file) - 1]:
        with pytest.raises(Broken):
            read(file[:length])


@pytest.mark.parametrize("passphrase", [PASSPHRASE, None])
def test_no_byte_can_be_changed_unnoticed(passphrase: bytes | None) -> None:
    file = made(passphrase)
    chance = random.Random(7)
    for place in sorted({*range(0, 1024), *chance.sample(range(len(file)), 800), len(file) - 1}):
        altered = bytearray(file)
        altered[place] ^= 1 << chance.randrange(8)
        with pytest.raises(Broken):
            read(bytes(altered), passphrase)


def test_something_after_the_end_is_refused() -> None:
    with pytest.raises(Broken, match="follows its end"):
        read(made() + b"\0")


def test_a_file_rewritten_throughout_by_somebody_without_the_passphrase_is_refused() -> None:
    """Manifest and seal are recomputed; what they cannot make is the seal's HMAC."""
    honest = made()
    header_end = 512 * 2
    keys_end = honest.index(b"blob/", header_end)
    other = Secret.of(b"another passphrase", SALT.encode())
    out = io.BytesIO()
    writer = Writer(out, other, io.BytesIO())
    with tarfile.open(fileobj=io.BytesIO(honest)) as archive:
        for name in (HEADER, KEYS):
            held = archive.extractfile(name)
            assert held is not None
            writer.words(name, held.read())
    writer.finish({})
    assert keys_end > header_end
    with pytest.raises(Broken, match="altered"):
        read(out.getvalue())


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "blob/aa/../x", "heads/../x_head", "database/../../x"]
)
def test_a_part_that_would_lie_elsewhere_is_refused(name: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for named, data in ((HEADER, canonical(HEAD | {"encrypted": False})), (name, b"root")):
            info = tarfile.TarInfo(named)
            info.size, info.mode = len(data), 0o600
            archive.addfile(info, io.BytesIO(data))
    with pytest.raises(Broken, match="no backup of Farview"):
        read(out.getvalue(), None)


def test_a_source_that_fails_is_filled_up_and_its_digest_tells() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    out = io.BytesIO()
    digest = Writer(out, None, io.BytesIO()).stream(f"blob/aa/{'a' * 64}", Failing(), 700)
    assert digest == hashlib.sha256(bytes(700)).hexdigest()
    assert len(out.getvalue()) % 512 == 0
