"""Templates in files: bytes to text, and many of them in one zip."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from accounts.models import Organization, User
from accounts.origin import Request
from reporting.models import TemplateVersion
from reporting.mrrt import Unusable, read
from reporting.mrrt.tree import LONGEST
from reporting.templating.rights import NotAllowed
from reporting.templating.storing import Conflict, Stored, identifier_of, take_in

LARGEST = 4 * LONGEST
"""Bytes of one template."""
ENTRIES = 500
ALL = 64 * 2**20
"""Bytes of all templates of a zip."""
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]{1,40})", re.IGNORECASE)
_WIDE = (
    "utf-16",
    "utf-32",
    "utf-7",
    "idna",
    "punycode",
    "unicode",
    "raw",
    "undefined",
    "mbcs",
    "oem",
    "hex",
    "base64",
    "zlib",
    "bz2",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: "new", "version", "unchanged" or "refused", with words."""

    name: str
    outcome: str
    said: str
    version: TemplateVersion | None = None
    repairs: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def decoded(data: bytes) -> tuple[str, str]:
    """(text, what was mended) of a file, as browsers find it out: byte order mark, what it says of itself, UTF-8,
    Windows-1252."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace"), "" if name == "utf-8" else f"it was written in {name}"
    said = _CHARSET.search(data[:4096])
    named = said[1].decode().lower() if said else "utf-8"
    try:
        return data.decode("utf-8"), "" if named in ("utf-8", "utf8") else f"it says {named} and is UTF-8"
    except UnicodeDecodeError:
        pass
    name = named if not named.startswith(_WIDE) and _is_known(named) else "cp1252"
    name = "cp1252" if name in ("utf-8", "utf8", "iso-8859-1", "latin-1", "latin1", "ascii", "us-ascii") else name
    mended = (
        f"it is no UTF-8, though it says so; read as {name}"
        if named in ("utf-8", "utf8")
        else f"it was written in {name}"
    )
    return data.decode(name, "replace"), mended


def _is_known(name: str) -> bool:
    try:
        return bool(codecs.lookup(name)._is_text_encoding)  # type: ignore[attr-defined]
    except LookupError:
        return False


def take_in_file(
    name: str,
    data: bytes,
    user: User,
    organization: Organization | None,
    request: Request | None = None,
    note: str = "",
) -> Outcome:
    """One template from a file; refusals are outcomes."""
    if len(data) > LARGEST:
        return Outcome(name, "refused", f"it is larger than {LARGEST:,} bytes")
    text, mended = decoded(data)
    try:
        found = read(text, _titled(name))
        told: Stored = take_in(found, text, user, organization, request, note)
    except Unusable as refused:
        return Outcome(name, "refused", "; ".join(refused.problems))
    except (NotAllowed, Conflict) as refused:
        return Outcome(name, "refused", str(refused))
    repairs = (*((mended,) if mended else ()), *found.repairs)
    said = {
        "new": "a new template",
        "version": f"version {told.version.number}",
        "unchanged": "is here already, the same",
    }
    return Outcome(name, told.outcome, said[told.outcome], told.version, repairs, found.dropped)


def _titled(name: str) -> str:
    return re.sub(r"\.x?html?$", "", name.rpartition("/")[2], flags=re.IGNORECASE)[:200]


def take_in_many(
    name: str,
    data: bytes,
    user: User,
    organization: Organization | None,
    request: Request | None = None,
    note: str = "",
) -> list[Outcome]:
    """A template, or a zip of them; one outcome for each file."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return [take_in_file(name, data, user, organization, request, note)]
    try:
        return [_one(one, user, organization, request, note) for one in _entries(data)]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as problem:
        return [Outcome(name, "refused", f"the zip cannot be read: {problem}")]


def _one(
    entry: tuple[str, bytes | str],
    user: User,
    organization: Organization | None,
    request: Request | None,
    note: str,
) -> Outcome:
    name, held = entry
    if isinstance(held, str):
        return Outcome(name, "refused", held)
    return take_in_file(name, held, user, organization, request, note)


def _entries(data: bytes) -> Iterator[tuple[str, bytes | str]]:
    """(name, bytes) of the files of a zip; words in place of the bytes of those that are not looked at."""
    room = ALL
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for place, entry in enumerate(archive.infolist()):
            if place >= ENTRIES:
                yield "", f"the zip holds more than {ENTRIES} files; the rest is left out"
                return
            if entry.is_dir() or not re.search(r"\.x?html?$", entry.filename, re.IGNORECASE):
                if not entry.is_dir():
                    yield entry.filename, "it is no .html file"
                continue
            if entry.flag_bits & 1:
                yield entry.filename, "it is locked with a password"
                continue
            held = _inflated(archive, entry, min(LARGEST, room))
            room -= len(held) if isinstance(held, bytes) else 0
            yield entry.filename, held


def _inflated(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes | str:
    """No more than `most` bytes are ever made of it, whatever the zip says about its size."""
    try:
        with archive.open(entry) as file:
            held = file.read(most + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as problem:
        return f"it cannot be read: {problem}"
    return held if len(held) <= most else f"it is larger than {most:,} bytes"


# --- out


def file_name(version: TemplateVersion) -> str:
    """A name that every file system takes."""
    plain = re.sub(r"[^A-Za-z0-9._\-]+", "_", identifier_of(version)).strip("._") or "template"
    return f"{plain[:120]}.html"


def zipped(versions: Iterable[TemplateVersion]) -> bytes:
    """A zip of templates, each as it is kept here, with a list of what is what. The same templates give the same
    bytes."""
    out, taken, listed = io.BytesIO(), set(), []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for version in versions:
            name, number = file_name(version), 1
            while name in taken:
                number += 1
                name = f"{file_name(version)[:-5]}-{number}.html"
            taken.add(name)
            listed.append(f"{name}\t{version.title}\tversion {version.number}\tsha256 {version.sha256}")
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), version.html, zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("templates.txt", (1980, 1, 1, 0, 0, 0)), "\n".join([*listed, ""]))
    return out.getvalue()
