"""What an ingest has to know before it writes, asked in plain SQL: objects come a hundred times a second, and a query of three
joined tables takes longer to put together than to run."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.db import connection

from accounts.models import Organization
from accounts.tables import Table
from viewer.models import Blob, Correction, Instance, Patient, Series, Study

PATIENTS, STUDIES, SERIES = Table(Patient), Table(Study), Table(Series, without=["stacks"])
INSTANCES, BLOBS, CORRECTIONS = Table(Instance), Table(Blob), Table(Correction)


def any_instance(uids: Collection[str], organization: Organization) -> bool:
    """Whether one of these SOP Instance UIDs is held."""
    return _is_there(_any_instance(len(uids)), organization, *uids)


@dataclass(frozen=True, slots=True)
class Held:
    """An object that is recorded: where it belongs, and its bytes."""

    series_instance_uid: str
    study_instance_uid: str
    sha256: str
    size: int


def instances(uids: Collection[str], organization: Organization) -> dict[str, Held]:
    """Those of these SOP Instance UIDs that are held."""
    if not any_instance(uids, organization):  # most arrive for the first time, and this is the cheaper question
        return {}
    rows = Instance.objects.filter(organization=organization, sop_instance_uid__in=uids)
    columns = ("series__series_instance_uid", "series__study__study_instance_uid", "blob_id", "blob__size")
    return {uid: Held(*values) for uid, *values in rows.values_list("sop_instance_uid", *columns)}


def any_correction(organization: Organization) -> bool:
    """Whether anything was ever corrected there."""
    return _is_there(f"SELECT 1 FROM {CORRECTIONS.name} WHERE organization_id = %s LIMIT 1", organization)  # noqa: S608  # nosec B608  # a name of ours


def series_with_studies(uids: Collection[str], organization: Organization) -> Iterator[Series]:
    """Series by UID, with their studies and these's patients; series and studies are locked for this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_series(len(uids)), [organization.pk, *uids])
        lines = cursor.fetchall()
    of_study, of_patient = SERIES.width, SERIES.width + STUDIES.width
    for line in lines:
        series = SERIES.row(line[:of_study])
        series.study = STUDIES.row(line[of_study:of_patient])
        series.study.patient = PATIENTS.row(line[of_patient:])
        yield series


def _is_there(question: str, organization: Organization, *uids: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(question, [organization.pk, *uids])
        return cursor.fetchone() is not None


@lru_cache(maxsize=64)
def _any_instance(asked: int) -> str:
    uids = _places(asked)
    return f"SELECT 1 FROM {INSTANCES.name} WHERE organization_id = %s AND sop_instance_uid IN ({uids}) LIMIT 1"  # noqa: S608  # nosec B608  # a name of ours


@lru_cache(maxsize=64)
def _series(asked: int) -> str:
    locked = " FOR UPDATE OF series, study" if connection.features.has_select_for_update_of else ""
    return (
        f"SELECT {SERIES.columns('series')}, {STUDIES.columns('study')}, {PATIENTS.columns('patient')}"  # noqa: S608  # nosec B608  # names of ours
        f" FROM {SERIES.name} series JOIN {STUDIES.name} study ON study.id = series.study_id"
        f" JOIN {PATIENTS.name} patient ON patient.id = study.patient_id"
        f" WHERE series.organization_id = %s AND series.series_instance_uid IN ({_places(asked)})"
        f" ORDER BY series.id{locked}"
    )


def _places(number: int) -> str:
    return ", ".join(["%s"] * number)
