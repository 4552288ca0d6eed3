"""The versions of reports: rows that are only ever added to, each chained to the one before it over all reports.

`append` is the one place that makes them. While somebody writes without a pause, the newest text stands in a row of its own
between two versions (`go_on`): a version a minute is kept, not one for every second of typing.

Which of them says what: `text_of` (being written), `signed_text_of` (what readers get), `addenda_of`, `signatures_of`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.chain import Chain, Journal, mac_of, moment
from accounts.models import User
from reporting.models import Report, ReportVersion, WorkingText
from reporting.workflow.naming import name_of, role_of
from reporting.workflow.refusals import Lost
from reporting.workflow.states import NOT_TEXT, TEXTS, Standing, Step
from viewer.archive import outbox

COLUMNS = (
    *("sequence", "report_id", "number", "kind", "state", "based_on", "content", "fills", "template_version_id"),
    *("context", "checks", "evidence", "meaning", "reason", "reason_code"),
    *("author_id", "author_username", "author_name", "author_role", "at"),
)
"""What the MAC covers, in this order, after the format's number and before the previous MAC."""
NEWS = "report.changed"
FREELY = 20
"""Saves in a row of which each is a version."""
EVERY = timedelta(seconds=60)
"""After those, how often the text of one who goes on writing becomes one."""
WORKING = (
    *("number", "based_on", "content", "fills", "template_version_id", "context"),
    *("author_id", "author_username", "author_name", "author_role", "at"),
)
"""What a text between two versions holds, in the names of a version."""

_journal = Journal()
CHAIN = Chain("report", "version", "reporting_reportversion", 0x46415256_52455054, _journal)


def append(
    report: Report,
    step: Step,
    user: User,
    *,
    content: Mapping[str, Any],
    fills: Mapping[str, str],
    context: Mapping[str, Any],
    based_on: int = 0,
    checks: Mapping[str, Any] | None = None,
    evidence: Sequence[Mapping[str, Any]] = (),
    reason: str = "",
    reason_code: str = "",
) -> ReportVersion:
    """Write the next version and bring the report's row up to it, with its news. Inside the caller's transaction, which has
    the report's row for itself."""
    row = _made(report, step, user, content, fills, context, based_on)
    row.checks, row.evidence = plain(checks or {}), plain(list(evidence))
    row.reason, row.reason_code = reason, reason_code
    held = working_text_of(report)
    if held is not None:
        if not _replaces(row, held):
            _chain(_as_version(report, held))
        WorkingText.objects.filter(report=report).delete()
    _chain(row)
    if step.meaning in SIGNING:
        report.signed_version = row.number
    _stand(report, row)
    return row


def go_on(
    report: Report,
    step: Step,
    user: User,
    *,
    content: Mapping[str, Any],
    fills: Mapping[str, str],
    context: Mapping[str, Any],
    based_on: int,
) -> ReportVersion:
    """The next save of somebody who writes without a pause: as `append`, but what it says gives way to the next one."""
    newest = (
        ReportVersion.objects.filter(report=report).order_by("-number").values_list("kind", "author", "at")[:FREELY]
    )
    saves = [(author, at) for kind, author, at in newest if kind == "save"]
    if len(saves) < FREELY or saves[0][0] != user.pk or timezone.now() - saves[0][1] >= EVERY:
        return append(report, step, user, content=content, fills=fills, context=context, based_on=based_on)
    row = _made(report, step, user, content, fills, context, based_on)
    held = working_text_of(report)
    if held is not None and not _replaces(row, held):
        return append(report, step, user, content=content, fills=fills, context=context, based_on=based_on)
    row.mac = working_mac(CHAIN.key(), report.pk, {name: getattr(row, name) for name in WORKING})
    kept = {name: getattr(row, name) for name in (*WORKING, "mac")}
    WorkingText.objects.update_or_create(report=report, defaults=kept)
    _stand(report, row)
    return row


def _made(
    report: Report,
    step: Step,
    user: User,
    content: Mapping[str, Any],
    fills: Mapping[str, str],
    context: Mapping[str, Any],
    based_on: int,
) -> ReportVersion:
    return ReportVersion(
        report=report,
        number=report.version + 1,
        kind=step.kind,
        state=step.to or report.state,
        based_on=based_on,
        content=plain(content),
        fills=dict(fills),
        template_version=report.template_version,
        context=plain(context),
        meaning=step.meaning,
        author=user,
        author_username=user.get_username(),
        author_name=name_of(user)[:200],
        author_role=role_of(user, report),
        at=timezone.now(),
    )


def _replaces(row: ReportVersion, held: WorkingText) -> bool:
    """Whether a save says all that stood between: the same writer went on, in the same template, about the same patient."""
    mine = (row.kind, row.author_id, row.template_version_id, row.context)
    return mine == ("save", held.author_id, held.template_version_id, held.context)


def _chain(row: ReportVersion) -> None:
    """Write a version behind the newest one of all reports."""
    CHAIN.take_turn()
    before = CHAIN.newest()
    row.sequence, row.previous_mac = before.sequence + 1, before.mac
    row.mac = mac(CHAIN.key(), {name: getattr(row, name) for name in COLUMNS}, row.previous_mac)
    row.save(force_insert=True)
    head = type(before)(row.sequence, row.mac)
    transaction.on_commit(lambda: CHAIN.keep_head(head), robust=True)


def _stand(report: Report, row: ReportVersion) -> None:
    """Bring the report's row up to its newest text, with the news."""
    report.version, report.state = row.number, row.state
    report.save(update_fields=["version", "state", "signed_version", "template_version", "updated_at"])
    outbox.announce(
        NEWS,
        report.organization,
        {
            "report": report.pk,
            "study_instance_uid": report.study.study_instance_uid,
            "state": report.state,
            "version": report.version,
        },
    )


SIGNING = ("author", "co-signer", "verified", "addendum", "correction", "entered in error")
"""Meanings under which what readers get becomes another."""


def mac(key: bytes, row: Mapping[str, Any], previous: str) -> str:
    """The MAC of a row given by its columns."""
    return mac_of(key, [moment(row[name]) if name == "at" else plain(row[name]) for name in COLUMNS], previous)


def working_mac(key: bytes, report: int, row: Mapping[str, Any]) -> str:
    """The MAC of a text between two versions."""
    return mac_of(key, [report, *(moment(row[name]) if name == "at" else plain(row[name]) for name in WORKING)], "")


def plain(value: Any) -> Any:
    """JSON as every database gives it back: a whole number is written without a fraction, whatever wrote it."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


# --- reading them


def mac_before(version: ReportVersion) -> str:
    """The MAC of the version of the same report before this one; "" of the first. (`previous_mac` is of any report.)"""
    former = ReportVersion.objects.filter(report=version.report_id, number__lt=version.number)
    return former.order_by("-number").values_list("mac", flat=True).first() or ""


def _of(report: Report) -> QuerySet[ReportVersion]:
    rows = ReportVersion.objects.filter(report=report).select_related("template_version__template")
    return rows.defer("template_version__html", "template_version__source")


def text_of(report: Report) -> ReportVersion:
    """The newest text, signed or not: what a writer goes on from; an empty one where nothing was ever written. Raises Lost."""
    held = working_text_of(report)
    if held is not None:
        return _as_version(report, held)
    newest: ReportVersion | None = _of(report).exclude(kind__in=NOT_TEXT).order_by("-number").first()
    if newest is not None:
        return newest
    if report.version:
        raise Lost(LOST)
    return _nothing_written(report)


def _nothing_written(report: Report) -> ReportVersion:
    author = {"author": report.author, "author_name": name_of(report.author), "at": report.created_at}
    said = {"content": {}, "fills": {}, "context": {}, "template_version": report.template_version}
    return ReportVersion(report=report, number=0, kind="save", state=report.state, **author, **said)


LOST = (
    "The text of this report is not in the database any more. Have an administrator run manage.py verify and bring it back from"
    " a backup; nothing can be written or signed until then."
)


def written_at(report: Report) -> datetime | None:
    """When its newest text was written; None: there is none."""
    rows = ReportVersion.objects.filter(report=report).exclude(kind__in=NOT_TEXT).order_by("-number")
    between = WorkingText.objects.filter(report=report).values_list("at", flat=True).first()
    at: datetime | None = between or rows.values_list("at", flat=True).first()
    return at


def text_before(report: Report, number: int) -> ReportVersion | None:
    """The text as it stood with `number`, or with the version before that where it was none."""
    held = working_text_of(report)
    if held is not None and held.number == number:
        return _as_version(report, held)
    rows = _of(report).exclude(kind__in=NOT_TEXT).filter(number__lte=number)
    found: ReportVersion | None = rows.order_by("-number").first()
    return found


def working_text_of(report: Report) -> WorkingText | None:
    """What was written since the newest version, if anything."""
    rows = WorkingText.objects.filter(report=report).select_related("template_version__template")
    found: WorkingText | None = rows.defer("template_version__html", "template_version__source").first()
    return found


def _as_version(report: Report, held: WorkingText) -> ReportVersion:
    said = {name: getattr(held, name) for name in WORKING}
    row = ReportVersion(report=report, kind="save", state=report.state, mac=held.mac, **said)
    row.template_version = held.template_version
    return row


def signed_text_of(report: Report, version: int | None = None) -> ReportVersion | None:
    """The newest signed text, as of `version` when that is given: what readers get. An addendum is not the text."""
    rows = _of(report).filter(kind__in=TEXTS)
    if version is not None:
        rows = rows.filter(number__lte=version)
    return rows.order_by("-number").first()


def addenda_of(report: Report, version: int | None = None) -> list[ReportVersion]:
    """Signed addenda, oldest first; each holds its text under "addendum"."""
    rows = _of(report).filter(kind="addendum")
    if version is not None:
        rows = rows.filter(number__lte=version)
    return list(rows.order_by("number"))


def signatures_of(report: Report) -> list[ReportVersion]:
    """Every version with a name under it, oldest first."""
    return list(_of(report).exclude(meaning="").order_by("number"))


def correction_of(report: Report) -> ReportVersion | None:
    """The version that began the correction being written; None: none is."""
    found = _of(report).filter(kind__in=("correcting", "correct", "abandon")).order_by("-number").first()
    return found if found is not None and found.kind == "correcting" else None


def accusation_of(report: Report) -> ReportVersion | None:
    """The request, not answered yet, that it be marked as entered in error."""
    found = _of(report).filter(kind__in=("error_request", "error_withdrawn", "error")).order_by("-number").first()
    return found if found is not None and found.kind == "error_request" else None


def standing_of(report: Report) -> Standing:
    """What the table of states has to know of it."""
    authors: dict[str, int] = {}
    rows = ReportVersion.objects.filter(report=report, kind__in=("submit", "error_request")).order_by("number")
    for kind, author in rows.values_list("kind", "author_id"):
        authors[kind] = author
    return Standing(report.state, correction_of(report) is not None, authors, accusation_of(report) is not None)
