"""Steps in the life of a report that sign no text: returning, correcting, cancelling, withdrawing what was entered in error."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from accounts.origin import Request
from reporting.models import Report, ReportVersion
from reporting.workflow import locking, passwords
from reporting.workflow.acting import must_be_able, stated
from reporting.workflow.context import must_agree
from reporting.workflow.finding import in_hand
from reporting.workflow.noting import note
from reporting.workflow.refusals import Unusable
from reporting.workflow.signing import goes_out, words_of
from reporting.workflow.states import REASON_CODES, TRANSITIONS, standing
from reporting.workflow.versions import (
    accusation_of,
    append,
    correction_of,
    mac_before,
    signed_text_of,
    standing_of,
    text_of,
)
from viewer.archive import rows

REASON = 1000


def send_back(report: Report, user: User, comment: Any, token: str, request: Request | None) -> ReportVersion:
    """Return a report that waits for a co-signature to its author, with a comment."""
    said = _reason(comment, "comment")

    def work() -> ReportVersion:
        held = in_hand(report)
        must_be_able(held, "return", user)
        locking.require(held, user, token, request)
        version = _step(held, "return", user, reason=said)
        goes_out(held, version, user, "return", request)
        locking.let_go(held)
        return version

    return rows.patiently(work)


def correct(
    report: Report, user: User, reason: Any, code: Any, context: Any, token: str, request: Request | None
) -> ReportVersion:
    """Begin a correction: a draft beside the signed text, which stays what readers get until the correction is signed."""
    said = _reason(reason, "reason")
    if code not in REASON_CODES:
        raise Unusable(f"reason_code: one of {', '.join(REASON_CODES)} is expected")

    def work() -> ReportVersion:
        held = in_hand(report)
        must_be_able(held, "correct", user)
        must_agree(held, context)
        signed = signed_text_of(held)
        if signed is None:
            raise Unusable("there is no signed text to correct")
        held.template_version = signed.template_version
        version = _step(held, "correct", user, of=signed, reason=said, reason_code=str(code))
        locking.require(held, user, token, request)
        note("report.correct", held, user, request, version=version.number, code=code, **_macs(version))
        return version

    return rows.patiently(work)


def abandon(report: Report, user: User, token: str, request: Request | None) -> ReportVersion:
    """Give a correction up: what was signed goes on to hold."""

    def work() -> ReportVersion:
        held = in_hand(report)
        must_be_able(held, "abandon", user)
        locking.require(held, user, token, request)
        signed = signed_text_of(held)
        if signed is None:
            raise Unusable("there is no signed text to go back to")
        held.template_version = signed.template_version
        version = _step(held, "abandon", user, of=signed)
        locking.let_go(held)
        note("report.correct", held, user, request, abandoned=version.number, **_macs(version))
        return version

    return rows.patiently(work)


def cancel(report: Report, user: User, reason: Any, request: Request | None) -> ReportVersion:
    """End a report before it is final."""
    said = _reason(reason, "reason")

    def work() -> ReportVersion:
        held = in_hand(report)
        must_be_able(held, "cancel", user)
        version = _step(held, "cancel", user, reason=said)
        goes_out(held, version, user, "cancel", request)
        locking.let_go(held)
        return version

    return rows.patiently(work)


def entered_in_error(
    report: Report, user: User, reason: Any, password: Any, request: Request | None, withdraw: bool = False
) -> ReportVersion:
    """Ask that a report be marked as entered in error; a second person who asks for the same confirms it."""
    if withdraw:
        return rows.patiently(lambda: _quietly(report, user, "withdraw_error", "", request))
    accused = standing_of(report).accused
    act = "confirm_error" if accused else "entered_in_error"
    said = _reason(reason, "reason") if not accused else words_of(reason, "reason", REASON)
    must_be_able(report, act, user)
    by = passwords.confirm(user, password, report, act, request)
    if not accused:
        return rows.patiently(lambda: _quietly(report, user, act, said, request, by=by))
    return rows.patiently(lambda: _withdrawn(report, user, said, request, by))


def _quietly(report: Report, user: User, act: str, said: str, request: Request | None, **told: str) -> ReportVersion:
    """A step that nobody outside hears of."""
    held = in_hand(report)
    must_be_able(held, act, user)
    version = _step(held, act, user, reason=said)
    note(f"report.{act}", held, user, request, version=version.number, **_macs(version), **told)
    return version


def _macs(version: ReportVersion) -> dict[str, str]:
    return {"mac": version.mac, "mac_before": mac_before(version)}


def _withdrawn(report: Report, user: User, said: str, request: Request | None, confirmed: str) -> ReportVersion:
    held = in_hand(report)
    must_be_able(held, "confirm_error", user)
    accusation = accusation_of(held)
    signed = signed_text_of(held)
    version = _step(held, "confirm_error", user, of=signed, reason=said or (accusation.reason if accusation else ""))
    goes_out(held, version, user, "entered_in_error", request, confirmed)
    locking.let_go(held)
    return version


def _step(
    held: Report, act: str, user: User, *, of: ReportVersion | None = None, reason: str = "", reason_code: str = ""
) -> ReportVersion:
    """The next version, saying what the newest text says (or the text of `of`)."""
    text = of or text_of(held)
    step = TRANSITIONS[standing(held.state, correction_of(held) is not None), act]
    return append(
        held,
        step,
        user,
        content=text.content,
        fills=text.fills,
        context=stated(held),
        based_on=text.number,
        reason=reason,
        reason_code=reason_code,
    )


def _reason(given: Any, name: str) -> str:
    said = words_of(given, name, REASON).strip()
    if not said:
        raise Unusable(f"{name}: say why")
    return said
