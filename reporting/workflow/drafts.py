"""Opening a report and writing it: every save is a version of its own, made on the newest one or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from accounts import audit
from accounts.models import User
from accounts.origin import Request
from reporting.models import ReadingItem, Report, ReportVersion, TemplateVersion
from reporting.workflow import content as contents
from reporting.workflow import locking
from reporting.workflow.acting import about, must_be_able, stated
from reporting.workflow.another_template import chosen_template, in_another, merge_names
from reporting.workflow.context import must_agree, reassigned
from reporting.workflow.difference import three_way
from reporting.workflow.finding import in_hand
from reporting.workflow.merging import merged
from reporting.workflow.naming import roles_in
from reporting.workflow.noting import note_writing
from reporting.workflow.reads import agreed
from reporting.workflow.refusals import NotYours, Stale, Unusable
from reporting.workflow.states import BLIND, CLOSED, DRAFT, OPEN, TRANSITIONS, acts, standing
from reporting.workflow.versions import append, correction_of, go_on, standing_of, text_before, text_of
from reporting.worklist import double_reading
from reporting.worklist.items import item_for_study
from viewer.archive import rows
from viewer.models import Study


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save has made: the newest text, and what of it found no place in another template."""

    version: ReportVersion
    new: bool
    left_over: tuple[contents.LeftOver, ...] = ()


# --- opening


def open_report(
    user: User, study: Study, template_identifier: str | int | None, token: str, request: Request | None
) -> Report:
    """The report of this study, as `opened` finds or makes it."""
    return opened(user, study, template_identifier, token, request)[0]


def opened(
    user: User,
    study: Study,
    template: str | int | None,
    token: str,
    request: Request | None,
    another: bool = False,
    reason: str = "",
) -> tuple[Report, bool]:
    """The report of this study that is being written, else its newest finished one, else a new draft; and whether it is new.

    The lock is taken where the report can be written and nobody else holds it, with the examination in the worklist; `reason`
    takes both from whoever holds them. `another`: one more beside finished ones. Raises Held where another reads an examination
    that has no report yet.
    """
    found = _standing_report(study, another)
    if found is not None:
        return rows.patiently(lambda: _opened_again(found, user, token, reason, request)), False
    item = item_for_study(study, user, request)
    own = double_reading.read_of(item, user) if double_reading.is_open(item) else None
    if own is not None:
        return rows.patiently(lambda: _opened_again(own, user, token, reason, request)), False
    order = item.order
    chosen, why = chosen_template(user, study, order, template)
    known = merged(study, order, merge_names(chosen))
    return rows.patiently(lambda: _begun(user, study, item, chosen, why, known, token, request, another, reason))


def _standing_report(study: Study, another: bool) -> Report | None:
    reports = Report.objects.filter(study=study).order_by("-pk")
    return reports.filter(state__in=OPEN).first() or (None if another else reports.filter(state__in=CLOSED).first())


def _opened_again(found: Report, user: User, token: str, reason: str, request: Request | None) -> Report:
    report = in_hand(found)
    writable = "save" in acts(standing_of(report), roles_in(user, report), user.pk)
    if writable and not locking.take_at_opening(report, user, token, request) and reason:
        locking.take_over(report, user, token, reason, request)
    return report


def _begun(
    user: User,
    study: Study,
    item: ReadingItem,
    chosen: TemplateVersion,
    why: str,
    known: Mapping[str, str],
    token: str,
    request: Request | None,
    another: bool,
    reason: str,
) -> tuple[Report, bool]:
    Study.objects.select_for_update(of=("self",)).get(pk=study.pk)  # two at once make one report
    item.refresh_from_db(fields=["double_reading", "blind_reads"])
    alone = double_reading.is_open(item)
    there = _standing_report(study, another) or (double_reading.read_of(item, user) if alone else None)
    if there is not None:
        return _opened_again(there, user, token, reason, request), False
    if why_not := double_reading.why_not(item, user):
        raise NotYours(why_not)
    report = Report.objects.create(
        organization=study.organization,
        study=study,
        item=item,
        order=item.order,
        template_version=chosen,
        author=user,
        state=BLIND if alone else DRAFT,
    )
    report = in_hand(report)
    content, fills = contents.beginning(chosen.schema, known)
    content, fills = agreed(double_reading.reads_of(item), chosen, content, fills)
    step = TRANSITIONS[report.state, "save"]
    append(report, step, user, content=content, fills=fills, context=stated(report), reason=why[:1000])
    if reason:
        locking.take_over(report, user, token, reason, request)
    else:
        locking.require(report, user, token, request)
    audit.record("report.open", actor=user, request=request, **about(report), detail={"template": str(chosen)})
    return report, True


# --- saving


def save(
    report: Report,
    user: User,
    *,
    based_on: Any,
    given: Any,
    fills: Any = None,
    template: str | int | None = None,
    context: Any = None,
    token: str = "",
    request: Request | None = None,
) -> Saved:
    """Write `given` (field: value; fields left out stay) over version `based_on`. Raises Stale with the difference, ..."""
    if isinstance(based_on, bool) or not isinstance(based_on, int) or based_on < 0:
        raise Unusable("based_on: the number of the version that was changed is expected")
    chosen = None
    known: dict[str, str] = {}
    if template is not None:
        chosen, _ = chosen_template(user, report.study, report.order, template)
        known = merged(report.study, report.order, merge_names(chosen))
    return rows.patiently(lambda: _saved(report, user, based_on, given, fills, chosen, known, context, token, request))


def _saved(
    report: Report,
    user: User,
    based_on: int,
    given: Any,
    fills: Any,
    chosen: TemplateVersion | None,
    known: Mapping[str, str],
    context: Any,
    token: str,
    request: Request | None,
) -> Saved:
    report = in_hand(report)
    must_be_able(report, "save", user)
    must_agree(report, context)
    locking.require(report, user, token, request)
    accepted = reassigned(report) is not None  # or must_agree had refused
    newest = text_of(report)
    schema = report.template_version.schema
    new = contents.checked(schema, given if given is not None else {})
    said = contents.checked_fills(schema, fills)
    if not newest.number <= based_on <= report.version:
        raise _stale(report, newest, based_on, new)
    content, filled = contents.laid_over(newest.content, newest.fills, new, said)
    left: tuple[contents.LeftOver, ...] = ()
    if chosen is not None and chosen.pk != report.template_version_id:
        content, filled, left = in_another(report, chosen, content, filled, known)
        report.template_version = chosen
    elif (content, filled) == (newest.content, newest.fills) and not accepted:
        return Saved(newest, new=False)
    step = TRANSITIONS[standing(report.state, correction_of(report) is not None), "save"]
    write = append if chosen is not None or accepted else go_on
    version = write(report, step, user, content=content, fills=filled, context=stated(report), based_on=newest.number)
    note_writing(report, user, request)
    return Saved(version, new=True, left_over=left)


def _stale(report: Report, newest: ReportVersion, based_on: int, yours: Mapping[str, Any]) -> Stale:
    base = text_before(report, based_on)
    began = base.content if base is not None else {}
    mine = {**began, **{name: value for name, value in yours.items() if value is not None}}
    for name in (name for name, value in yours.items() if value is None):
        mine.pop(name, None)
    found = three_way(began, mine, newest.content)
    return Stale(
        f"{newest.author_name} saved this report meanwhile. Nothing of yours was kept here: look at the difference.",
        version=report.version,
        content=newest.content,
        fills=newest.fills,
        template=report.template_version.template_id,
        difference=[{**asdict(one), "both": one.both} for one in found],
    )
