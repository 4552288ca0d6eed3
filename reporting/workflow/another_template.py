"""Which template a report is written in, and what becomes of its text when another one is taken: nothing is lost."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from django.db.models import F

from accounts.models import User
from reporting.models import Order, Report, ReportVersion, Template, TemplateVersion
from reporting.workflow import content as contents
from reporting.workflow.refusals import Unusable
from reporting.worklist.choosing import choose
from viewer.models import Study


def chosen_template(
    user: User, study: Study, order: Order | None, asked: str | int | None
) -> tuple[TemplateVersion, str]:
    """The template asked for (by identifier or number), or the one that suits. Raises Unusable."""
    if asked is None:
        choice = choose(user, study, order)
        return choice.template_version, choice.why
    offered = Template.objects.exclude(active_version=None).select_related("active_version")
    theirs = offered.filter(organization=study.organization) | offered.filter(organization=None)
    by = {"pk": asked} if isinstance(asked, int) else {"identifier": asked}
    template = theirs.filter(**by).order_by(F("organization").desc(nulls_last=True)).first()
    if template is None and isinstance(asked, str) and asked.isascii() and asked.isdigit() and len(asked) < 18:
        template = theirs.filter(pk=int(asked)).first()
    if template is None or template.active_version is None:
        raise Unusable("template: there is no such template in use")
    return template.active_version, "You asked for it."


def merge_names(version: TemplateVersion) -> list[str]:
    """The names of what its fields take over from elsewhere."""
    return [field["merge"] for field in contents.fields_of(version.schema).values() if field["merge"]]


def in_another(
    report: Report, chosen: TemplateVersion, content: contents.Json, fills: Mapping[str, str], known: Mapping[str, str]
) -> tuple[contents.Json, dict[str, str], tuple[contents.LeftOver, ...]]:
    """The report in another template: what fits, what earlier versions hold for it, then its own defaults."""
    fitted = contents.fitted(content, fills, report.template_version.schema, chosen.schema)
    begun, begun_fills = contents.beginning(chosen.schema, known)
    back, back_fills, still = _brought_back(report, chosen, fitted)
    return {**begun, **back, **fitted.content}, {**begun_fills, **back_fills, **fitted.fills}, tuple(still)


def _brought_back(
    report: Report, chosen: TemplateVersion, fitted: contents.Fitted
) -> tuple[contents.Json, dict[str, str], list[contents.LeftOver]]:
    """What was left over at earlier changes, as far as it has a place in `chosen`; and what still has none."""
    back: contents.Json = {}
    fills: dict[str, str] = {}
    still = list(fitted.left_over)
    for one, how in _left_before(report):
        try:
            value = contents.checked(chosen.schema, {one.field: one.value})[one.field]
        except contents.BadContent:
            if one.field not in {other.field for other in still}:
                still.append(one)
            continue
        if one.field not in fitted.content and one.field not in back:
            back[one.field], fills[one.field] = value, how
    return back, fills, still


def left_over(report: Report) -> list[contents.LeftOver]:
    """What earlier versions say that has no place in the template of now."""
    fields = contents.fields_of(report.template_version.schema)
    return [one for one, _ in _left_before(report) if one.field not in fields]


def _left_before(report: Report) -> list[tuple[contents.LeftOver, str]]:
    """Of every change of the template so far what found no place, the newest first; each with how it was filled."""
    rows_of = ReportVersion.objects.filter(report=report).exclude(kind="addendum").order_by("number")
    taken = list(rows_of.values_list("number", "template_version_id"))
    ends = [(number, after) for (number, one), (after, other) in itertools.pairwise(taken) if one != other]
    if not ends:
        return []
    found: dict[str, tuple[contents.LeftOver, str]] = {}
    held = rows_of.select_related("template_version")
    for before, after in reversed(ends):
        row, schema = held.get(number=before), held.get(number=after).template_version.schema
        for one in contents.fitted(row.content, row.fills, row.template_version.schema, schema).left_over:
            found.setdefault(one.field, (one, row.fills.get(one.field, "touched")))
    return list(found.values())
