"""Signing: the password, the checks and the pictures first; then one transaction that makes all of it true, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.models import User
from accounts.origin import Request
from reporting.checks import BLOCK, Problem
from reporting.critical import opening
from reporting.delivery.queue import queue
from reporting.evidence import freezing
from reporting.evidence.freezing import CannotFreeze, Frozen
from reporting.models import Report, ReportVersion
from reporting.workflow import checking, locking, passwords
from reporting.workflow.acting import must_be_able, stated, stated_at_signing
from reporting.workflow.content import TEXT, sound
from reporting.workflow.context import must_agree
from reporting.workflow.finding import in_hand
from reporting.workflow.noting import note
from reporting.workflow.refusals import Stale, Unready, Unusable
from reporting.workflow.states import TRANSITIONS, standing
from reporting.workflow.versions import SIGNING, append, correction_of, mac_before, text_of
from reporting.worklist import clocks
from viewer.archive import rows


@dataclass(frozen=True, slots=True)
class Asked:
    """What a signer sends along."""

    password: Any
    acknowledged: Any = None
    version: Any = None
    """The version that was looked at: nothing newer is signed by it."""
    context: Any = None
    token: str = ""
    discrepancy: Any = None
    note: Any = None
    """Words about the discrepancy."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A text that may be signed by this person at this moment."""

    number: int
    content: dict[str, Any]
    checks: dict[str, Any]
    confirmed: str
    """How its signer proved who they are."""
    untold: str
    """A critical finding that nobody is recorded to have heard of."""


async def sign(report: Report, user: User, act: str, asked: Asked, request: Request | None) -> ReportVersion:
    """Sign the newest text: `act` is sign_preliminary, sign_final, submit or cosign. Raises refusals, DatabaseBusy, Busy."""
    ready = await sync_to_async(_made_ready)(report, user, act, asked, request)
    try:
        frozen = await freezing.freeze(report, ready.content, user)
    except CannotFreeze as problem:
        raise _unready(Problem("evidence", BLOCK, str(problem))) from None
    return await sync_to_async(_sign)(report, user, act, asked, ready, frozen, request)


def _made_ready(report: Report, user: User, act: str, asked: Asked, request: Request | None) -> _Ready:
    """Everything that can be asked before the transaction. Raises refusals."""
    must_be_able(report, act, user)
    must_agree(report, asked.context)
    locking.must_be_free(report, user, asked.token)
    text = text_of(report)
    _must_be_newest(report, text, asked.version)
    acknowledged, grade = checking.acknowledged_of(asked.acknowledged), checking.grade_of(asked.discrepancy)
    remark = words_of(asked.note, "discrepancy_note", 1000)
    confirmed = passwords.confirm(user, asked.password, report, act, request)
    problems = checking.problems_of(report, text)
    if act in ("sign_final", "cosign") and not correction_of(report):
        problems = [*checking.grading(report, text, user.pk, grade), *problems]
    checking.must_pass(problems, acknowledged)
    checks = checking.kept(problems, acknowledged)
    if act in ("sign_final", "cosign") and checking.preliminary_of(report, user.pk) is not None:
        checks["discrepancy"] = {"grade": grade or "none", "note": remark}
    return _Ready(text.number, text.content, checks, confirmed, checking.untold(report, problems, text.content))


def _sign(
    report: Report,
    user: User,
    act: str,
    asked: Asked,
    ready: _Ready,
    frozen: Sequence[Frozen],
    request: Request | None,
) -> ReportVersion:
    def work() -> ReportVersion:
        held = in_hand(report)
        must_be_able(held, act, user)
        must_agree(held, asked.context)
        locking.require(held, user, asked.token, request)
        text = text_of(held)
        _must_be_newest(held, text, ready.number)
        begun = correction_of(held)
        step = TRANSITIONS[standing(held.state, begun is not None), act]
        graded = ready.checks.get("discrepancy")
        if graded:
            held.discrepancy, held.discrepancy_note = graded["grade"], graded["note"]
            held.save(update_fields=["discrepancy", "discrepancy_note"])
        opening.at_signing(held, user, ready.untold, timezone.now(), request)
        version = append(
            held,
            step,
            user,
            content=text.content,
            fills=text.fills,
            context=stated_at_signing(held),
            based_on=text.number,
            checks=ready.checks,
            evidence=[one.manifest() for one in frozen],
            reason=begun.reason if begun else "",
            reason_code=begun.reason_code if begun else "",
        )
        freezing.keep(version, frozen)
        goes_out(held, version, user, act, request, ready.confirmed)
        locking.let_go(held)
        return version

    return rows.patiently(work)


def goes_out(
    report: Report, version: ReportVersion, user: User, act: str, request: Request | None, confirmed: str = ""
) -> None:
    """What follows from a signature, a return or a withdrawal, in the same transaction: clocks, deliveries, the record.

    `confirmed`: how a signer proved who they are.
    """
    clocks.report_signed(report, version)
    if version.meaning in SIGNING or (version.kind == "cancel" and report.signed_version):
        queue(report, version)
    by = {"by": confirmed} if confirmed else {}
    told = {"version": version.number, "state": version.state, "mac": version.mac, **by}
    note(f"report.{act}", report, user, request, mac_before=mac_before(version), **told)


async def addendum(report: Report, user: User, text: Any, asked: Asked, request: Request | None) -> ReportVersion:
    """Append and sign `text`; what was signed before stays as it is. Takes no lock."""
    said = words_of(text, "text", TEXT).strip()
    if not said:
        raise Unusable("text: say what is added")
    return await sync_to_async(_append)(report, user, said, asked, request)


def _append(report: Report, user: User, said: str, asked: Asked, request: Request | None) -> ReportVersion:
    must_be_able(report, "addendum", user)
    must_agree(report, asked.context)
    acknowledged = checking.acknowledged_of(asked.acknowledged)
    confirmed = passwords.confirm(user, asked.password, report, "addendum", request)
    problems = checking.problems_of_text(report, said)
    checking.must_pass([one for one in problems if one.level == BLOCK], ())
    checks = checking.kept(problems, acknowledged)
    untold = checking.untold(report, problems, said)

    def work() -> ReportVersion:
        held = in_hand(report)
        must_be_able(held, "addendum", user)
        must_agree(held, asked.context)
        if asked.version is not None and asked.version != held.version:
            raise Stale(
                "This report was changed meanwhile. Nothing was signed: look at it again.", version=held.version
            )
        step = TRANSITIONS[standing(held.state, correction_of(held) is not None), "addendum"]
        newest = text_of(held)
        opening.at_signing(held, user, untold, timezone.now(), request)
        version = append(
            held,
            step,
            user,
            content={"addendum": said},
            fills={},
            context=stated(held),
            based_on=newest.number,
            checks=checks,
        )
        goes_out(held, version, user, "addendum", request, confirmed)
        return version

    return rows.patiently(work)


def _must_be_newest(report: Report, text: ReportVersion, seen: Any) -> None:
    """Raise Stale where something newer than what was seen would be signed."""
    if seen is None:
        return
    if isinstance(seen, bool) or not isinstance(seen, int):
        raise Unusable("version: the number of the version that is signed is expected")
    if not text.number <= seen <= report.version:
        raise Stale(
            f"{text.author_name} changed this report meanwhile. Nothing was signed: look at it again.",
            version=report.version,
            content=text.content,
        )


def words_of(given: Any, name: str, longest: int) -> str:
    """A text that somebody sends along. Raises Unusable."""
    if given is None:
        return ""
    if not isinstance(given, str) or len(given) > longest or sound(given) != given:
        raise Unusable(f"{name}: a text of at most {longest:,} characters is expected")
    return given


def _unready(problem: Problem) -> Unready:
    return Unready(problem.message, problems=checking.told([problem]))
