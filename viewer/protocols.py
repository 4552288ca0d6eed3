"""Hanging protocols as rows: those that came with Farview, which ones an organization has, and whether one can be used."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Q, QuerySet

from accounts.models import Organization
from viewer.hanging import check, seeds
from viewer.hanging.protocol import Protocol, protocol_of
from viewer.models import HangingProtocol
from viewer.rendering.view import BadView, View

logger = logging.getLogger(__name__)


def seed(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Bring the protocols that come with Farview up to date. Whatever an administrator changed, or switched off, stays so."""
    if HangingProtocol._meta.db_table not in connections[using].introspection.table_names():
        return  # a database on its way back to an older version
    held = {row.slug: row for row in HangingProtocol.objects.filter(organization=None).exclude(slug="")}
    for slug, (name, matches, stages) in seeds.SEEDS.items():
        row = held.get(slug)
        if row is None:
            HangingProtocol.objects.create(slug=slug, name=name, matches=matches, stages=stages)
        elif seeds.digest(row.matches, row.stages) in seeds.FORMER.get(slug, ()):
            row.matches, row.stages = matches, stages
            row.save(update_fields=["matches", "stages", "updated_at"])


def is_untouched(row: HangingProtocol) -> bool:
    """Does it hold what came with Farview?"""
    shipped = seeds.SEEDS.get(row.slug)
    return shipped is not None and seeds.digest(row.matches, row.stages) == seeds.digest(*shipped[1:])


def of_organization(organization: Organization) -> QuerySet[HangingProtocol]:
    """Those that may hang a study of this organization."""
    return HangingProtocol.objects.filter(Q(organization=organization) | Q(organization=None), active=True).order_by(
        "id"
    )


def usable(rows: Iterable[HangingProtocol]) -> list[Protocol]:
    """Rows as protocols; one that was written past the checks is left out, and the log says so."""
    found = []
    for row in rows:
        wrong = check.problems(row.matches, row.stages)
        if wrong:
            logger.warning("hanging protocol %s (%s) is left out: %s", row.pk, row.name, wrong[0])
            continue
        found.append(
            protocol_of(row.pk, row.name, row.matches, row.stages, row.priority, row.organization_id is not None)
        )
    return found


def problems(matches: Any, stages: Any) -> list[str]:
    """Everything that is wrong with a protocol, in sentences; none where it can be used."""
    found = check.problems(matches, stages)
    return found or list(_views(stages))


def _views(stages: list[Mapping[str, Any]]) -> Iterable[str]:
    """Views that no picture can be drawn of."""
    for number, stage in enumerate(stages, 1):
        for place, slot in enumerate(stage["viewports"], 1):
            where = f"stage {number}, viewport {place}"
            try:
                View.from_json(_without_suv((slot or {}).get("view") or {}))
            except BadView as problem:
                yield f"{where}, view: {problem}"
            fusion = (slot or {}).get("fusion")
            if fusion:
                try:
                    View.from_json({"fusion": {**_without_suv(fusion), "series": "1"}})
                except BadView as problem:
                    yield f"{where}, {problem}"


def _without_suv(part: Mapping[str, Any]) -> dict[str, Any]:
    """Limits in SUV become a window when the series is known."""
    return {name: value for name, value in part.items() if name != "suv"}
