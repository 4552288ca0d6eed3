"""Finding studies and series, always within what the person asking may see."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from django.db.models import Case, Count, Model, Q, QuerySet, When

from accounts.models import User
from viewer.archive.correcting_links import linked
from viewer.archive.storage import BlobStore, blob_store
from viewer.dicom import text as text_of_dicom
from viewer.dicom.modalities import NOT_IMAGES
from viewer.dicom.series import InstanceFile, SeriesContent
from viewer.models import Conflict, Instance, Series, Study, StudyQuerySet

COUNTED_AT_MOST = 10_000
PAGE = 50
PAGE_AT_MOST = 200
WORDS = 12
"""Of one filter; further ones are not looked for. Databases bound how deep a condition may be."""
STATES_LISTED = 200
"""Presentation states of one study."""

Row = TypeVar("Row", bound=Model)


class BadQuery(ValueError):
    """A search that cannot be answered; `field` names the parameter."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class NotFound(LookupError):
    """There is no such object, or not for this person: the two are told alike."""


class Ambiguous(LookupError):
    """The UID exists in several organizations that this person serves; `organizations` lists their names."""

    def __init__(self, organizations: Sequence[str]) -> None:
        super().__init__("this UID exists in several organizations: name one")
        self.organizations = list(organizations)


@dataclass(frozen=True, slots=True)
class StudySearch:
    """A search of studies as a person typed it. Empty fields say nothing."""

    q: str = ""
    patient_name: str = ""
    patient_id: str = ""
    accession_number: str = ""
    date_from: str = ""
    date_to: str = ""
    modality: str = ""
    description: str = ""
    organization: str = ""
    sort: str = "-date"
    cursor: str = ""
    limit: int = PAGE


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: studies with patient and organization, the next page's cursor, and how many there are in all
    (counted up to `COUNTED_AT_MOST`)."""

    studies: list[Study] = field(default_factory=list)
    next: str | None = None
    total: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """What a study's thumbnail is drawn from."""

    series_instance_uid: str
    version: int


# --- one object


def find_study(user: User, study_instance_uid: str, organization: str | None = None) -> Study:
    """The study of this UID that `user` may see, with patient and organization. Raises NotFound or Ambiguous."""
    rows = Study.objects.visible_to(user).filter(study_instance_uid=study_instance_uid)
    return one_of(rows.select_related("patient", "organization"), organization)


def find_series(user: User, series_instance_uid: str, organization: str | None = None) -> Series:
    """The series of this UID that `user` may see, with study, patient, organization. Raises NotFound or Ambiguous."""
    rows = (
        Series.objects.held()
        .filter(series_instance_uid=series_instance_uid, study__in=Study.objects.visible_to(user))
        .select_related("study__patient", "organization")
    )
    return one_of(rows, organization)


def one_of(rows: QuerySet[Row], organization: str | None) -> Row:
    """The only row, or that of the named organization. Raises NotFound or Ambiguous."""
    if organization:
        rows = rows.filter(organization__name=organization)
    found = list(rows[:20])
    if not found:
        raise NotFound("there is no such object")
    if len(found) > 1:
        raise Ambiguous(sorted(row.organization.name for row in found))  # type: ignore[attr-defined]
    return found[0]


def series_content(series: Series, store: BlobStore | None = None) -> SeriesContent:
    """What the engine needs of a series: where each instance's bytes lie and the index of what is in them.

    The version is that of the instances, also when some arrive while they are read; `series` is brought up to it.
    """
    store = store or blob_store()
    while True:
        instances = tuple(instance_files(Instance.objects.served().filter(series=series), store))
        version = Series.objects.values_list("version", flat=True).get(pk=series.pk)
        if version == series.version:
            break
        series.version = version
    return SeriesContent(
        series=series.series_instance_uid,
        organization=series.organization.name,
        version=str(series.version),
        instances=instances,
    )


def instance_files(rows: QuerySet[Instance], store: BlobStore) -> Iterable[InstanceFile]:
    """Rows as the files they stand for, in order of arrival."""
    for digest, index in rows.order_by("id").values_list("blob_id", "index"):
        yield InstanceFile(path=store.path(digest), digest=digest, index=index)


def series_beside(series: Series, series_instance_uid: str) -> Series:
    """A series of the same organization. Raises NotFound."""
    found = Series.objects.held().filter(organization=series.organization, series_instance_uid=series_instance_uid)
    beside = found.select_related("study__patient", "organization").first()
    if beside is None:
        raise NotFound("there is no such series")
    return beside


def objects_beside(
    series: Series, wanted: Collection[str] | None = None, store: BlobStore | None = None
) -> list[InstanceFile]:
    """Objects of the study that a series is of, by SOP Instance UID; without UIDs its presentation states, the newest first."""
    store = store or blob_store()
    rows = Instance.objects.served().filter(series__study_id=series.study_id).order_by("-id")
    rows = rows.filter(sop_instance_uid__in=wanted) if wanted is not None else rows.filter(series__modality="PR")
    rows = rows if wanted is not None else rows[:STATES_LISTED]
    return [InstanceFile(store.path(digest), digest, index) for digest, index in rows.values_list("blob_id", "index")]


def priors(user: User, study: Study) -> StudyQuerySet:
    """Other studies of the same patient, also under IDs that are linked, that `user` may see, newest first."""
    return (
        Study.objects.visible_to(user)
        .listed()
        .filter(patient_id__in=linked(study.patient_id))
        .exclude(pk=study.pk)
        .order_by("-date", "-time", "-id")
    )


# --- many studies


def search(user: User, asked: StudySearch) -> Page:
    """One page of the studies that `user` may see and that match. Raises BadQuery.

    Pages follow each other by key, not by number: a study that arrives meanwhile neither repeats nor hides another.
    """
    rows = matching(user, asked)
    order = _order(asked.sort)
    total = rows.order_by()[: COUNTED_AT_MOST + 1].count()
    page = rows.order_by(*(f"-{name}" if down else name for name, down in order)).select_related(
        "patient", "organization"
    )
    if asked.cursor:
        page = page.filter(_after(user, asked.cursor, asked.sort, order))
    limit = max(1, min(asked.limit, PAGE_AT_MOST))
    found = list(page[: limit + 1])
    following = _cursor(asked.sort, found[limit - 1]) if len(found) > limit else None
    return Page(found[:limit], following, min(total, COUNTED_AT_MOST))


def matching(user: User, asked: StudySearch) -> StudyQuerySet:
    """The studies that `user` may see and that match, in no order. Raises BadQuery."""
    rows = Study.objects.visible_to(user).listed()
    for name, narrow in FILTERS.items():
        text = getattr(asked, name).strip()
        if text:
            rows = rows.filter(narrow(text))
    return rows


def pictures(studies: Iterable[Study]) -> dict[int, Picture]:
    """The series that stands for each study (by row id): of those with frames the one with most, of images where there are
    any. Others are left out.

    Asked for a page alone: as a column of the search it would be worked out for every study that is sorted.
    """
    derived = Case(When(modality__in=NOT_IMAGES, then=1), default=0)
    rows = (
        Series.objects.filter(study__in=[study.pk for study in studies], number_of_frames__gt=0)
        .order_by(derived, "-number_of_frames", "number", "id")
        .values_list("study", "series_instance_uid", "version")
    )
    found: dict[int, Picture] = {}
    for study, uid, version in rows:
        found.setdefault(study, Picture(uid, version))
    return found


def conflict_counts(studies: Iterable[Study]) -> dict[int, int]:
    """How many open conflicts each study (by row id) has; those without any are left out."""
    rows = Conflict.objects.open().filter(study__in=[study.pk for study in studies])
    return dict(rows.order_by().values_list("study").annotate(Count("pk")))


def fold(text: str) -> str:
    """What a person typed, as the folded columns hold it. "*" and "," mean nothing: every search looks inside."""
    return text_of_dicom.fold(text.translate(_SPACES))


_SPACES = {ord("*"): " ", ord(","): " "}


def _every_word(column: str, text: str) -> Q:
    wanted = Q()
    for word in fold(text).split()[:WORDS]:
        wanted &= Q(**{f"{column}__contains": word})
    return wanted


def _anything(text: str) -> Q:
    """Each word somewhere: in the name, an ID, a number, a description, as a modality, or a whole UID."""
    wanted = Q()
    for word in text.split()[:WORDS]:
        somewhere = Q(study_instance_uid=word) | Q(patient__patient_id__icontains=word)
        somewhere |= Q(accession_number__icontains=word) | _modality(word)
        folded = fold(word)
        if folded:
            somewhere |= _every_word("patient__name_folded", word) | _every_word("description_folded", word)
        wanted &= somewhere
    return wanted


def _modality(text: str) -> Q:
    wanted = Q(pk__in=[])
    for code in text.upper().replace(",", "\\").split("\\")[:WORDS]:
        if code.strip():
            wanted |= _one_modality(code.strip())
    return wanted


def _one_modality(code: str) -> Q:
    """A whole word of the backslash-parted column."""
    middle, first, last = f"\\{code}\\", f"{code}\\", f"\\{code}"
    column = "modalities"
    return (
        Q(**{column: code})
        | Q(**{f"{column}__startswith": first})
        | Q(**{f"{column}__endswith": last})
        | Q(**{f"{column}__contains": middle})
    )


def _day(name: str, text: str) -> str:
    """YYYYMMDD from YYYY-MM-DD or YYYYMMDD."""
    digits = text.replace("-", "")
    try:
        if not (len(digits) == 8 and digits.isascii() and digits.isdigit()):
            raise ValueError
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise BadQuery(name, "a date like 2024-01-31 is expected") from None
    return digits


FILTERS: dict[str, Callable[[str], Q]] = {
    "q": _anything,
    "patient_name": lambda text: _every_word("patient__name_folded", text),
    "patient_id": lambda text: Q(patient__patient_id__icontains=text),
    "accession_number": lambda text: Q(accession_number__icontains=text),
    "date_from": lambda text: Q(date__gte=_day("date_from", text)),
    "date_to": lambda text: Q(date__lte=_day("date_to", text)) & ~Q(date=""),
    "modality": _modality,
    "description": lambda text: _every_word("description_folded", text),
    "organization": lambda text: Q(organization__name=text),
}

SORTS: dict[str, tuple[str, ...]] = {
    "date": ("date", "time"),
    "name": ("patient__name_folded",),
    "patient_id": ("patient__patient_id",),
    "birth_date": ("patient__birth_date",),
    "accession_number": ("accession_number",),
    "modality": ("modalities",),
    "description": ("description_folded",),
    "instances": ("number_of_instances",),
    "received": ("created_at",),
}
"""Columns by which a list is sorted; "-" before a name turns it round. The newest date and the row break ties."""


def _order(sort: str) -> list[tuple[str, bool]]:
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if name not in SORTS:
        raise BadQuery("sort", f"one of {', '.join(SORTS)}, with - before it for the other direction")
    order = [(column, down) for column in SORTS[name]]
    if name != "date":
        order += [("date", True), ("time", True)]
    return [*order, ("id", True)]


# A cursor names the row it follows and nothing of what the row says: addresses must not hold names of patients.


def _cursor(sort: str, study: Study) -> str:
    return base64.urlsafe_b64encode(f"{sort} {study.pk}".encode()).decode().rstrip("=")


def _after(user: User, cursor: str, sort: str, order: list[tuple[str, bool]]) -> Q:
    """The condition for rows behind the cursor's row in this order."""
    try:
        said, key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(" ")
        values = Study.objects.visible_to(user).filter(pk=int(key)).values(*(name for name, _ in order)).first()
    except (binascii.Error, ValueError, OverflowError):
        values, said = None, ""
    if values is None or said != sort:
        raise BadQuery("cursor", "it belongs to another list, or its study is no longer there; begin again")
    behind, equal = Q(), Q()
    for name, down in order:
        step: dict[str, Any] = {f"{name}__{'lt' if down else 'gt'}": values[name]}
        behind |= equal & Q(**step)
        equal &= Q(**{name: values[name]})
    return behind
