"""Objects of a study as files on a medium: a ZIP with a DICOMDIR (PS3.10 8, PS3.11), made while it is sent.

Objects leave as they are stored, with their corrections, except that Implicit VR Little Endian and Explicit VR Big Endian
become Explicit VR Little Endian, which the general purpose media profiles ask for and the web services too.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from django.db.models import QuerySet
from pydicom import Dataset

from viewer.archive.corrected import changes_of
from viewer.archive.exporting_zip import ZipStream
from viewer.archive.storage import blob_store
from viewer.dicom.changes import AS_STORED, Changes
from viewer.dicom.directory import Directory
from viewer.dicom.errors import DicomError
from viewer.dicom.rewriting import dataset_of, rewritten, web_syntax
from viewer.models import Instance, Series, Study

logger = logging.getLogger(__name__)

FOLDER: Final = "DICOM"


@dataclass(frozen=True, slots=True)
class Exported:
    """One object on its way out."""

    path: Path
    size: int
    sop_class_uid: str
    transfer_syntax_uid: str
    series_instance_uid: str
    changes: Changes


class Copy(Protocol):
    """One object as it goes onto the medium."""

    @property
    def dataset(self) -> Dataset:
        """Without its pixel data."""

    @property
    def transfer_syntax_uid(self) -> str: ...

    def pieces(self) -> Iterator[bytes]:
        """The whole file."""


class Making(Protocol):
    """What is made of the objects."""

    @property
    def readme(self) -> str:
        """About the whole of it, once all objects have gone."""

    def copy(self, one: Exported) -> Copy | None:
        """None: it is left out. Raises DicomError, OSError, ValueError for what cannot be read."""


@dataclass(slots=True)
class StoredCopy:
    """The object as it is stored, and corrected."""

    one: Exported
    dataset: Dataset
    transfer_syntax_uid: str

    def pieces(self) -> Iterator[bytes]:
        return rewritten(self.one.path, transfer_syntax_uid=self.transfer_syntax_uid, changes=self.one.changes)


@dataclass(slots=True)
class AsStored:
    """An export of the objects themselves."""

    @property
    def readme(self) -> str:
        return "It holds a patient's personal data: keep it as safe as the images themselves."

    def copy(self, one: Exported) -> Copy | None:
        dataset = dataset_of(one.path, one.changes)
        return StoredCopy(one, dataset, web_syntax(one.transfer_syntax_uid))


def objects_of(study: Study, series: Series | None = None) -> list[Exported]:
    """All that is served of a study, or of one of its series, in order of series and number."""
    rows = list(_rows(study, series))
    changes = changes_of(rows)
    store = blob_store()
    return [
        Exported(
            path=store.path(row.blob_id),
            size=row.blob.size,
            sop_class_uid=row.sop_class_uid,
            transfer_syntax_uid=row.transfer_syntax_uid,
            series_instance_uid=row.series.series_instance_uid,
            changes=changes.get(row.pk, AS_STORED),
        )
        for row in rows
    ]


def _rows(study: Study, series: Series | None) -> QuerySet[Instance]:
    found = Instance.objects.served().filter(series__study=study)
    found = found.filter(series=series) if series is not None else found
    found = found.select_related("blob", "series__study__patient", "series__organization")
    return found.defer("index").order_by("series__number", "series_id", "instance_number", "id")


@dataclass(slots=True)
class _Tally:
    files: int = 0
    left_out: int = 0
    not_read: int = 0
    folders: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By series: its folder, and how many files are in it."""

    def file_id(self, series: str) -> tuple[str, str, str]:
        """Folders and name of the next file of a series: capital letters and digits, eight at most (PS3.10 8.5)."""
        folder, count = self.folders.get(series, (f"SE{len(self.folders) + 1:06d}", 0))
        self.folders[series] = (folder, count + 1)
        return FOLDER, folder, f"IM{count + 1:06d}"


def zipped(objects: Iterable[Exported], making: Making) -> Iterator[bytes]:
    """The ZIP in pieces. An object that cannot be read is left out and counted in README.TXT."""
    archive, directory, tally = ZipStream(), Directory(), _Tally()
    for one in objects:
        try:
            copy = making.copy(one)
            if copy is None:
                tally.left_out += 1
                continue
            pieces = copy.pieces()
            first = next(pieces, b"")
        except (DicomError, OSError, ValueError) as problem:
            logger.warning("not exported: %s of %s", type(problem).__name__, one.path.name)
            tally.not_read += 1
            continue
        file_id = tally.file_id(one.series_instance_uid)
        yield from archive.entry("/".join(file_id), _again(first, pieces), one.size)
        directory.add(copy.dataset, file_id, one.sop_class_uid, copy.transfer_syntax_uid)
        tally.files += 1
    yield from archive.entry("DICOMDIR", directory.encoded(f"2.25.{uuid.uuid4().int}"))
    yield from archive.entry("README.TXT", [_readme(tally, making.readme)])
    yield from archive.end()


def _again(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def _readme(tally: _Tally, about: str) -> bytes:
    lines = [
        "DICOM images and documents, exported by Farview.",
        "",
        f"{tally.files} objects in {len(tally.folders)} series, in the folder {FOLDER}.",
        "DICOMDIR lists them: DICOM viewers open it.",
        "",
        about,
    ]
    if tally.left_out:
        lines += ["", f"{tally.left_out} objects were left out on purpose."]
    if tally.not_read:
        lines += ["", f"{tally.not_read} objects could not be read and are MISSING from this copy."]
    return "\r\n".join([*lines, ""]).encode("ascii")
