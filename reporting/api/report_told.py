"""A report as the REST doors tell it to whoever writes reports."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from accounts.models import User
from reporting.models import CriticalResult, Order, Report, ReportVersion
from reporting.workflow import locking, reads
from reporting.workflow.another_template import left_over, merge_names
from reporting.workflow.checking import changes_since
from reporting.workflow.context import context_of, disagreements, reassigned
from reporting.workflow.merging import merged, priors_of
from reporting.workflow.naming import name_of, roles_in, title_of
from reporting.workflow.states import APART, acts
from reporting.workflow.versions import (
    accusation_of,
    correction_of,
    signatures_of,
    signed_text_of,
    standing_of,
    text_of,
)
from reporting.worklist import corrected, double_reading
from viewer.api.corrections import told_of

SHOWN_AS = {"confirm_error": "entered_in_error"}
"""Acts that a page offers under another name: the second person does what the first one asked for."""


def may(report: Report, user: User) -> list[str]:
    """What this person may do with it now, whoever holds the lock."""
    found = acts(standing_of(report), roles_in(user, report), user.pk)
    return list(dict.fromkeys(SHOWN_AS.get(act, act) for act in found))


def brief(report: Report) -> dict[str, Any]:
    """What also those are told who may not read it."""
    return {"id": report.pk, "uid": str(report.uid), "state": report.state, "version": report.version}


def row(report: Report) -> dict[str, Any]:
    """A report in a list."""
    return {
        **brief(report),
        "study": report.study.study_instance_uid,
        "organization": report.organization.name,
        "signed_version": report.signed_version,
        "title": title_of(report, report.template_version),
        "author": name_of(report.author),
        "created_at": report.created_at.isoformat(),
    }


def told(report: Report, user: User, token: str) -> dict[str, Any]:
    """All of it: what its page needs to go on."""
    text, version = text_of(report), report.template_version
    schema, signatures = version.schema, signatures_of(report)
    return {
        **row(report),
        "template": {
            "id": version.template_id,
            "identifier": version.template.identifier,
            "title": version.title,
            "version": version.number,
            "why": _why(report),
        },
        "schema": schema,
        "sections": [{name: section[name] for name in ("id", "title", "code")} for section in schema["sections"]],
        "content": text.content,
        "fills": text.fills,
        "merged": merged(report.study, report.order, merge_names(version)),
        "context": context_of(report.study, report.order),
        "disagreements": disagreements(report.study, report.order),
        "corrected_since": corrected_since(report),
        "reassigned": act.pk if (act := reassigned(report)) is not None else None,
        "order": _order(report.order),
        "item": report.item_id,
        "lock": locking.told(report, user, token),
        "may": may(report, user),
        "signatures": [signature(one) for one in signatures if one.meaning],
        "returned": _said(signatures[-1]) if report.state == "returned" and signatures else None,
        "correction": _said(correction_of(report)),
        "error_request": _said(accusation_of(report)),
        "discrepancy": report.discrepancy,
        "left_over": [asdict(one) for one in left_over(report)],
        "criticals": [_critical(one) for one in report.critical_results.order_by("pk")],
        "priors": priors_of(user, report),
        "reads": reads.told(_reads(report)),
    }


def _reads(report: Report) -> list[Report]:
    """The two reads apart that this report follows from; none where it is one of them, or nobody read it so."""
    return double_reading.reads_of(report.item) if report.item is not None and report.state not in APART else []


def corrected_since(report: Report) -> list[dict[str, Any]]:
    """What was corrected about its images since it was signed, or else since it was last written."""
    text = signed_text_of(report) or text_of(report)
    return [told_of(row) for row in corrected.since(report.study, text.at)]


def signature(one: ReportVersion) -> dict[str, Any]:
    """A name under a version, as it is printed."""
    found = {
        "name": one.author_name,
        "role": one.author_role,
        "meaning": one.meaning,
        "at": one.at.isoformat(),
        "version": one.number,
    }
    return {**found, "reason": one.reason} if one.reason else found


def version_row(one: ReportVersion, whole: bool) -> dict[str, Any]:
    """A version with its hash; `whole`: with what it says."""
    found = {
        "version": one.number,
        "sequence": one.sequence,
        "kind": one.kind,
        "state": one.state,
        "based_on": one.based_on,
        "at": one.at.isoformat(),
        "author": one.author_name,
        "template_version": one.template_version_id,
        "previous_hash": one.previous_mac,
        "hash": one.mac,
        "signature": signature(one) if one.meaning else None,
        "reason": one.reason,
        "reason_code": one.reason_code,
    }
    if whole:
        found |= {name: getattr(one, name) for name in ("content", "fills", "context", "checks", "evidence")}
    return found


def difference(report: Report) -> dict[str, Any] | None:
    """How the newest text differs from the newest one that was signed; None: nothing is signed."""
    signed = signed_text_of(report)
    if signed is None:
        return None
    return {
        "version": signed.number,
        "author": signed.author_name,
        "changes": [asdict(one) for one in changes_since(signed, text_of(report))],
    }


def _why(report: Report) -> str:
    """Why the report is written in its template: kept with the version that began it, as long as it is that one."""
    first = report.versions.order_by("number").values_list("template_version_id", "reason").first()
    return first[1] if first is not None and first[0] == report.template_version_id else "You asked for it."


def _said(one: ReportVersion | None) -> dict[str, Any] | None:
    if one is None:
        return None
    said = {"by": one.author_name, "at": one.at.isoformat(), "reason": one.reason, "version": one.number}
    return {**said, "reason_code": one.reason_code} if one.reason_code else said


def _order(order: Order | None) -> dict[str, Any] | None:
    if order is None:
        return None
    return {
        "id": order.pk,
        "requested_at": order.requested_at.isoformat() if order.requested_at else None,
        **{name: getattr(order, name) for name in ORDER},
    }


ORDER = (
    *("accession_number", "placer_order_number", "filler_order_number", "procedure_code", "procedure_text"),
    *("modality", "body_part", "laterality", "reading_class", "reason", "referring_physician", "source"),
)


def _critical(one: CriticalResult) -> dict[str, Any]:
    times = {name: getattr(one, name) for name in ("found_at", "due_at", "acknowledged_at", "closed_at")}
    return {
        "id": one.pk,
        "finding": one.finding,
        "category": one.category,
        "read_back": one.read_back,
        **{name: at.isoformat() if at else None for name, at in times.items()},
    }
