"""One page of a search: its rows in a stable order, and where the next one begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from accounts.models import User
from viewer.archive.matching import BadKey, Key, Level, narrowed
from viewer.archive.query import BadQuery, NotFound
from viewer.dicomweb.qido_query import Query
from viewer.models import Study

LAST = 2**31 - 1
"""Rows without a number come behind those that have one."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows with all that is above them at hand, and the cursor of the page behind; None: this is the last one."""

    rows: list[Any]
    next: str | None = None


def page_of(user: User, query: Query, uids: Mapping[str, str], organization: str | None) -> Page:
    """The page that `user` may see, within the study and series of an address. Raises BadQuery, NotFound."""
    rows = _visible(user, query, uids, organization)
    order = ORDERS[query.level]
    rows = rows.annotate(**NUMBERS.get(query.level, {}))
    if query.after:
        rows = rows.filter(_behind(rows, query.after, order))
    ordered = rows.order_by(*(f"-{name}" if down else name for name, down in order))
    # Found by key alone; whole rows are read for the page only.
    keys = list(ordered.values_list("pk", flat=True)[query.offset : query.offset + query.limit + 1])
    found = rows.model._default_manager.filter(pk__in=keys[: query.limit]).select_related(*ABOVE[query.level])
    found = found.prefetch_related(*BESIDE[query.level]).defer(*DEFERRED[query.level])
    by_key = {row.pk: row for row in found}
    more = len(keys) > query.limit > 0
    page = [by_key[key] for key in keys[: query.limit] if key in by_key]
    return Page(page, _cursor(keys[query.limit - 1]) if more else None)


def _visible(user: User, query: Query, uids: Mapping[str, str], organization: str | None) -> QuerySet[Any]:
    studies = Study.objects.visible_to(user)
    if organization:
        studies = studies.filter(organization__name=organization)
    if "study_instance_uid" in uids:
        studies = studies.filter(study_instance_uid=uids["study_instance_uid"])
        if not studies.exists():
            raise NotFound("there is no such study")
    keys = [*query.keys, *(Key(WITHIN[name], (uid,)) for name, uid in uids.items())]
    try:
        rows = narrowed(query.level, keys, fuzzy=query.fuzzy)
    except BadKey as problem:
        raise BadQuery(*str(problem).split(": ", 1)) from None
    if query.level is Level.STUDY:
        return rows.filter(pk__in=studies.values("pk"))
    way = "study__in" if query.level is Level.SERIES else "series__study__in"
    return rows.filter(**{way: studies})


def _cursor(key: int) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _behind(rows: QuerySet[Any], cursor: str, order: tuple[tuple[str, bool], ...]) -> Q:
    """The condition for rows that come after the cursor's row."""
    try:
        key = int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii"))
        values = rows.filter(pk=key).values(*(name for name, _ in order)).first()
    except (binascii.Error, ValueError, OverflowError):
        values = None
    if values is None:
        raise BadQuery("after", "what it follows is no longer there; begin again")
    behind, equal = Q(), Q()
    for name, down in order:
        behind |= equal & Q(**{f"{name}__{'lt' if down else 'gt'}": values[name]})
        equal &= Q(**{name: values[name]})
    return behind


WITHIN = {"study_instance_uid": 0x0020000D, "series_instance_uid": 0x0020000E}
NUMBERS: dict[Level, dict[str, Any]] = {
    Level.SERIES: {"at": Coalesce(F("number"), Value(LAST))},
    Level.INSTANCE: {"at": Coalesce(F("instance_number"), Value(LAST))},
}
ORDERS: dict[Level, tuple[tuple[str, bool], ...]] = {
    Level.STUDY: (("date", True), ("time", True), ("id", True)),
    Level.SERIES: (("study_id", True), ("at", False), ("id", False)),
    Level.INSTANCE: (("series__study_id", True), ("series_id", False), ("at", False), ("id", False)),
}
"""(column, falling): studies newest first, series and instances of one study by number."""
ABOVE: dict[Level, tuple[str, ...]] = {
    Level.STUDY: ("patient", "organization"),
    Level.SERIES: ("study__patient", "study__organization", "organization"),
    Level.INSTANCE: ("series__study__patient", "series__study__organization", "series__organization"),
}
BESIDE: dict[Level, tuple[str, ...]] = {
    Level.STUDY: (),
    Level.SERIES: ("requests",),
    Level.INSTANCE: ("series__requests",),
}
DEFERRED: dict[Level, tuple[str, ...]] = {
    Level.STUDY: ("warnings",),
    Level.SERIES: ("stacks",),
    Level.INSTANCE: ("index", "warnings", "series__stacks"),
}
