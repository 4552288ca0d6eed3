"""The versions of reports: rows that are only ever added to, each chained to the one before it over all reports.

`append` is the one place that makes them. Which of them says what: `text_of` (being written), `signed_text_of` (what readers
get), `addenda_of`, `signatures_of`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.chain import Chain, Journal, mac_of, moment
from accounts.models import User
from reporting.models import Report, ReportVersion
from reporting.workflow.naming import name_of, role_of
from reporting.workflow.states import NOT_TEXT, TEXTS, Standing, Step
from viewer.archive import outbox

COLUMNS = (
    *("sequence", "report_id", "number", "kind", "state", "based_on", "content", "fills", "template_version_id"),
    *("context", "checks", "evidence", "meaning", "reason", "reason_code"),
    *("author_id", "author_username", "author_name", "author_role", "at"),
)
"""What the MAC covers, in this order, after the format's number and before the previous MAC."""
NEWS = "report.changed"

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
    row = ReportVersion(
        report=report,
        number=report.version + 1,
        kind=step.kind,
        state=step.to or report.state,
        based_on=based_on,
        content=plain(content),
        fills=dict(fills),
        template_version=report.template_version,
        context=plain(context),
        checks=plain(checks or {}),
        evidence=plain(list(evidence)),
        meaning=step.meaning,
        reason=reason,
        reason_code=reason_code,
        author=user,
        author_username=user.get_username(),
        author_name=name_of(user)[:200],
        author_role=role_of(user, report),
        at=timezone.now(),
    )
    CHAIN.take_turn()
    before = CHAIN.newest()
    row.sequence, row.previous_mac = before.sequence + 1, before.mac
    row.mac = mac(CHAIN.key(), {name: getattr(row, name) for name in COLUMNS}, row.previous_mac)
    row.save(force_insert=True)
    head = type(before)(row.sequence, row.mac)
    transaction.on_commit(lambda: CHAIN.keep_head(head), robust=True)
    report.version, report.state = row.number, row.state
    if step.meaning in SIGNING:
        report.signed_version = row.number
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
    return row


SIGNING = ("author", "co-signer", "verified", "addendum", "correction", "entered in error")
"""Meanings under which what readers get becomes another."""


def mac(key: bytes, row: Mapping[str, Any], previous: str) -> str:
    """The MAC of a row given by its columns."""
    return mac_of(key, [moment(row[name]) if name == "at" else plain(row[name]) for name in COLUMNS], previous)


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


def _of(report: Report) -> QuerySet[ReportVersion]:
    rows = ReportVersion.objects.filter(report=report).select_related("template_version__template")
    return rows.defer("template_version__html", "template_version__source")


def text_of(report: Report) -> ReportVersion:
    """The newest text, signed or not: what a writer goes on from."""
    return _of(report).exclude(kind__in=NOT_TEXT).order_by("-number")[:1].get()


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
