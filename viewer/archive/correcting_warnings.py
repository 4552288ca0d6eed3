"""What the images of a study say of it otherwise than it says itself, found anew from the files after series have moved."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from viewer.archive import disagreement
from viewer.archive.corrected import applied, paths_of
from viewer.archive.correcting import locked, whole
from viewer.archive.correcting_arrivals import said_by, saying
from viewer.archive.storage import blob_store
from viewer.dicom.attributes import patient_attributes, series_attributes, study_attributes
from viewer.dicom.errors import DicomError
from viewer.dicom.header import opened
from viewer.dicom.limits import Limits
from viewer.dicom.read import ParsedInstance
from viewer.models import Instance, Study

logger = logging.getLogger(__name__)

MOST = 5000
"""Files of a study that are looked at again."""


def restate(studies: Iterable[Study]) -> None:
    """Find the warnings of studies anew, outside of any transaction: it reads files. Where one cannot be read, they stay."""
    for study in studies:
        found: list[str] = []
        rows = Instance.objects.served().filter(series__study=study).select_related("series__study").defer("index")
        try:
            for said in as_corrected(rows.order_by("id")[:MOST]):
                found += [one for one in disagreement.between(study, said) if one not in found]
        except (DicomError, OSError):
            logger.warning("The warnings of a study could not be found anew: a file of it cannot be read")
        else:
            whole(lambda study=study, found=found: _write(study, found))  # type: ignore[misc]


def as_corrected(instances: Iterable[Instance]) -> Iterator[ParsedInstance]:
    """What objects say of patient and study, read from their files, after what was put right since. Raises DicomError,
    OSError."""
    rows = [(one.sop_instance_uid, one.blob_id, one.series) for one in instances]
    paths, store = paths_of(series for _, _, series in rows), blob_store()
    for uid, digest, series in rows:
        with opened(store.path(digest), Limits()) as header:
            dataset = header.dataset
            said = ParsedInstance(
                *(patient_attributes(dataset), study_attributes(dataset), series_attributes(dataset), uid, "", "")
            )
        yield saying(said, applied(paths.get(series.pk, ()), said_by(said)))


def _write(study: Study, found: list[str]) -> None:
    held = locked(study)
    others = [one for one in held.warnings if not one.startswith(OURS)]
    warnings = [*others, *found][: disagreement.MOST_WARNINGS]
    if warnings != held.warnings:
        held.warnings = warnings
        held.save(update_fields=["warnings"])


OURS = "An image of this study gives another"
