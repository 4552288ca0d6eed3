"""The file of a backup: a plain tar that is written and read piece by piece, every byte of which is accounted for.

Parts come in a fixed order: what it is (`farview-backup.json`), the keys, the heads of the chains, the database, the stored
objects, `MANIFEST.sha256` (as sha256sum reads it) and a seal. With a passphrase the keys are encrypted (scrypt, AES-256-GCM)
and the seal is an HMAC, so that nobody without it can alter the file unnoticed. A file that was cut off has no seal.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT = 1
HEADER, KEYS, MANIFEST, SEAL = "farview-backup.json", "keys", "MANIFEST.sha256", "seal.json"
DATABASE = "database.sqlite3"
NAMES = re.compile(
    r"(farview-backup\.json|keys|heads/[a-z]{1,32}_heads?|database\.sqlite3|database/[a-z][a-z0-9_]{0,62}"
    r"|blob/([0-9a-f]{2})/\2[0-9a-f]{62}|MANIFEST\.sha256|seal\.json)\Z"
)
BLOCK = tarfile.BLOCKSIZE
CHUNK = 1 << 20
MOST_WORDS = 16 << 20
"""Bytes of a part that is read at once: header, keys, seal."""
SCRYPT = {"n": 2**15, "r": 8, "p": 1}
END = bytes(2 * BLOCK)
HEADER_FIELDS: dict[str, type] = {
    "made_at": str,
    "database": str,
    "migrations": list,
    "objects": int,
    "bytes": int,
    "encrypted": bool,
    "salt": str,
}

Sink = Callable[[bytes], object]


class Out(Protocol):
    def write(self, data: bytes, /) -> object: ...


class Broken(Exception):
    """The file is not a whole and unaltered backup that can be opened like this; says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What a passphrase opens: one key for the keys, one for the seal."""

    keys: bytes
    seal: bytes

    @classmethod
    def of(cls, passphrase: bytes, salt: bytes) -> Self:
        made = hashlib.scrypt(passphrase, salt=salt, dklen=64, maxmem=128 << 20, **SCRYPT)
        return cls(made[:32], made[32:])

    def hide(self, words: bytes, bound_to: bytes) -> bytes:
        """Each secret has a salt of its own and hides one text: the nonce may be fixed."""
        return AESGCM(self.keys).encrypt(bytes(12), words, bound_to)

    def show(self, hidden: bytes, bound_to: bytes) -> bytes:
        try:
            return AESGCM(self.keys).decrypt(bytes(12), hidden, bound_to)
        except InvalidTag:
            raise Broken("the passphrase is another one, or the file was altered") from None


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=True).encode("ascii")


def _entry(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, 0
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> int:
    return -size % BLOCK


class Writer:
    """Writes parts one after the other; nothing is a backup before `finish`."""

    def __init__(self, out: Out, secret: Secret | None, lines: BinaryIO) -> None:
        """`lines`: an empty file for the manifest while it grows."""
        self._out, self._secret, self._lines = out, secret, lines

    def words(self, name: str, data: bytes) -> None:
        self._begin(name, len(data))
        self._out.write(data + bytes(_padding(len(data))))
        self._note(name, hashlib.sha256(data).hexdigest())

    def stream(self, name: str, source: BinaryIO, size: int) -> str:
        """Returns the SHA-256 of what was written. A source that fails or ends early is filled up with zeros: the digest says
        that something is wrong."""
        self._begin(name, size)
        digest, left = hashlib.sha256(), size
        while left:
            try:
                chunk = source.read(min(CHUNK, left))
            except OSError:
                chunk = b""
            chunk = chunk or bytes(min(CHUNK, left))
            digest.update(chunk)
            self._out.write(chunk)
            left -= len(chunk)
        self._out.write(bytes(_padding(size)))
        self._note(name, digest.hexdigest())
        return digest.hexdigest()

    def finish(self, damaged: dict[str, str]) -> str:
        """Manifest and seal; returns the manifest's SHA-256. `damaged`: stored objects that were not sound, and why."""
        size = self._lines.tell()
        self._lines.seek(0)
        manifest = self.stream(MANIFEST, self._lines, size)
        told = {"manifest": manifest, "damaged": damaged}
        self.words(SEAL, canonical(told | {"mac": _mac(self._secret, told)}))
        self._out.write(END)
        return manifest

    def _begin(self, name: str, size: int) -> None:
        if not NAMES.match(name):
            raise ValueError(name)
        self._out.write(_entry(name, size))

    def _note(self, name: str, sha256: str) -> None:
        self._lines.write(f"{sha256}  {name}\n".encode("ascii"))


def _mac(secret: Secret | None, told: dict[str, Any]) -> str:
    """Without a passphrase a plain digest: it tells of accidents, not of people."""
    words = canonical(told)
    return (hmac.new(secret.seal, words, hashlib.sha256) if secret else hashlib.sha256(words)).hexdigest()


@dataclass(slots=True)
class Part:
    """One part of the file, read once and in its turn."""

    name: str
    size: int
    _reader: Reader

    def pour(self, sink: Sink) -> str:
        """All of it, piece by piece, into `sink`; its SHA-256."""
        return self._reader.pour(sink)

    def words(self) -> bytes:
        if self.size > MOST_WORDS:
            raise Broken(f"its part {self.name} is too large")
        found: list[bytes] = []
        self.pour(found.append)
        return b"".join(found)


class Reader:
    """Goes through a file from its beginning. Raises Broken at the first byte that is not as `Writer` left it; only when
    the last part is through is the file known to be whole."""

    def __init__(self, source: BinaryIO, passphrase: bytes | None) -> None:
        self._source, self._passphrase = source, passphrase
        self._manifest = hashlib.sha256()
        self._open: Part | None = None
        self.secret: Secret | None = None
        self.header: dict[str, Any] = {}
        self._header_words = b""
        self.damaged: dict[str, str] = {}
        self.authentic = False
        """The seal was made with the passphrase that was given."""

    def keys(self, part: Part) -> dict[str, str]:
        """Name -> text of every key; empty where the file hides them and no passphrase was given."""
        found = part.words()
        if self.header["encrypted"]:
            if self.secret is None:
                return {}
            found = self.secret.show(found, self._header_words)
        return _object(found, "its keys")

    def parts(self) -> Iterator[Part]:
        """Parts between the header and the manifest, each to be poured out before the next."""
        yield from self._checked()

    def _checked(self) -> Iterator[Part]:
        first = self._next()
        if first is None or first.name != HEADER:
            raise Broken("it is no backup of Farview")
        self._begin(first)
        while (part := self._next()) is not None and part.name != MANIFEST:
            yield part
            if self._open is not None:
                self.pour(lambda _: None)
        self._end(part)

    def _begin(self, part: Part) -> None:
        self._header_words = part.words()
        self.header = _object(self._header_words, "its header")
        if self.header.get("format") != FORMAT:
            raise Broken("it was made by a newer version of Farview, or is none of its backups")
        if any(type(self.header.get(name)) is not kind for name, kind in HEADER_FIELDS.items()):
            raise Broken("its header cannot be read: it was altered")
        if not self.header["encrypted"]:
            if self._passphrase is not None:
                raise Broken("it was made without a passphrase; none is needed")
        elif self._passphrase is not None:
            self.secret = Secret.of(self._passphrase, self.header["salt"].encode())

    def _end(self, part: Part | None) -> None:
        if part is None:
            raise Broken("it has no end: it was cut off, or never finished")
        expected = self._manifest.hexdigest()
        if self.pour(lambda _: None) != expected:
            raise Broken("its parts are not those of its manifest")
        seal = self._next()
        if seal is None or seal.name != SEAL:
            raise Broken("it has no seal: it was cut off, or never finished")
        words = seal.words()
        said = _object(words, "its seal")
        mac = str(said.pop("mac", ""))
        if words != canonical(said | {"mac": mac}) or said.keys() != {"manifest", "damaged"}:
            raise Broken("its seal was altered")
        if said["manifest"] != expected or type(said["damaged"]) is not dict:
            raise Broken("its seal is not that of its manifest")
        if self.secret is not None or not self.header["encrypted"]:
            if not hmac.compare_digest(mac, _mac(self.secret, said)):
                raise Broken("its seal is another one: it was altered")
            self.authentic = self.secret is not None
        self.damaged = said["damaged"]
        if self._next() is not None or self._source.read(1):
            raise Broken("something follows its end")

    def _next(self) -> Part | None:
        entry = self._exactly(BLOCK)
        if entry == END[:BLOCK]:
            if self._exactly(BLOCK) != entry:
                raise Broken("it was altered near its end")
            return None
        try:
            info = tarfile.TarInfo.frombuf(entry, "ascii", "strict")
        except (tarfile.HeaderError, ValueError):
            raise Broken("it is no backup of Farview, or was altered") from None
        if not NAMES.match(info.name) or info.size < 0 or entry != _entry(info.name, info.size):
            raise Broken("it is no backup of Farview, or was altered")
        self._open = Part(info.name, info.size, self)
        return self._open

    def pour(self, sink: Sink) -> str:
        part, self._open = self._open, None
        if part is None:
            raise ValueError("a part is read once")
        digest, left = hashlib.sha256(), part.size
        while left:
            chunk = self._source.read(min(CHUNK, left))
            if not chunk:
                raise Broken("it ends in the middle: it was cut off")
            digest.update(chunk)
            sink(chunk)
            left -= len(chunk)
        if any(self._exactly(_padding(part.size))):
            raise Broken("it was altered between its parts")
        self._manifest.update(f"{digest.hexdigest()}  {part.name}\n".encode("ascii"))
        return digest.hexdigest()

    def _exactly(self, size: int) -> bytes:
        found = self._source.read(size)
        if len(found) != size:
            raise Broken("it ends in the middle: it was cut off")
        return found


def _object(text: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Broken(f"{what} cannot be read: it was altered")
    return found
