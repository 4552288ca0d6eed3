"""What every act on a report asks and says: whether it may be done, and whom it is about."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from accounts.models import User
from reporting.models import Report
from reporting.workflow.context import context_of
from reporting.workflow.heading import heading_of
from reporting.workflow.naming import roles_in
from reporting.workflow.refusals import NotYours, WrongState
from reporting.workflow.states import why_not
from reporting.workflow.versions import standing_of
from reporting.worklist import images


def stated(report: Report) -> dict[str, Any]:
    """Patient, study, order and template as they stand: the context of a version."""
    version = report.template_version
    template = {"identifier": version.template.identifier, "version": version.number, "sha256": version.sha256}
    modalities = images.modalities_of(report.study)
    more = {"modalities": modalities, "criticals": criticals_of(report), "template": template}
    return {**context_of(report.study, report.order), **more}


def stated_at_signing(report: Report) -> dict[str, Any]:
    """The same, with the images that whoever signs had and what stands over and under the text: what comes, goes or is renamed
    later changes nothing that was signed."""
    return {**stated(report), "images": images.read_of(report.study), "heading": heading_of(report)}


def criticals_of(report: Report) -> list[dict[str, Any]]:
    """What is known of its critical results, as a version states it."""
    return [
        {**{name: getattr(one, name) for name in CRITICAL}, **{name: _moment(getattr(one, name)) for name in TIMES}}
        for one in report.critical_results.order_by("pk")
    ]


CRITICAL = ("finding", "category", "recipient", "recipient_role", "method", "read_back")
TIMES = ("found_at", "acknowledged_at", "closed_at")


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at is not None else ""


def digest_of(criticals: list[dict[str, Any]]) -> str:
    """Of what `criticals_of` states."""
    return hashlib.sha256(json.dumps(criticals, sort_keys=True).encode()).hexdigest()


def about(report: Report) -> dict[str, str]:
    """Whom and what an act is about, for the record."""
    return {
        "organization": report.organization.name,
        "patient_id": report.study.patient.patient_id,
        "study_instance_uid": report.study.study_instance_uid,
        "object_uid": str(report.uid),
    }


def must_be_able(report: Report, act: str, user: User) -> None:
    """Raise WrongState or NotYours unless `user` may do `act` with the report as it stands."""
    now = standing_of(report)
    why = why_not(act, now, roles_in(user, report), user.pk)
    if why == "state":
        raise WrongState(f"{WORDS[now.row]} {CANNOT[act]}", state=report.state, version=report.version)
    if why == "second_person":
        raise NotYours("Another person has to do this.", code="second_person")
    if why:
        raise NotYours(NEEDS[act])


WORDS = {
    "draft": "This report is a draft.",
    "preliminary": "This report is preliminary.",
    "pending_cosign": "This report waits for a co-signature.",
    "returned": "This report was returned to its author.",
    "final": "This report is signed.",
    "appended": "This report is signed.",
    "corrected": "This report is signed.",
    "correcting": "A correction of this report is being written.",
    "cancelled": "This report was cancelled.",
    "entered_in_error": "This report was marked as entered in error.",
    "blind": "This is one of two reads, and not signed yet.",
    "read": "This is one of two reads, and signed by its reader.",
}
CANNOT = {
    "save": "Its text cannot be changed.",
    "sign_read": "It is no read of which another reader sees nothing.",
    "sign_preliminary": "It cannot be signed as preliminary.",
    "sign_final": "It cannot be signed as final.",
    "submit": "It cannot be sent to be co-signed.",
    "cosign": "There is nothing to co-sign.",
    "return": "It cannot be returned.",
    "cancel": "It cannot be cancelled.",
    "addendum": "It cannot have an addendum.",
    "correct": "A correction cannot be begun.",
    "abandon": "There is no correction to give up.",
    "entered_in_error": "It cannot be marked as entered in error.",
    "confirm_error": "Nobody asked for it to be marked as entered in error.",
    "withdraw_error": "Nobody asked for it to be marked as entered in error.",
}
NEEDS = {
    **dict.fromkeys(("save", "sign_preliminary"), "Radiologists and residents write reports."),
    "sign_read": "Only a radiologist signs one of two reads.",
    "sign_final": "Only a radiologist signs a final report; a resident's goes to be co-signed.",
    "submit": "Only a resident's report goes to be co-signed; a radiologist signs it as final.",
    "cosign": "Only a radiologist co-signs.",
    "return": "Only a radiologist returns a report.",
    "cancel": "Only an administrator cancels a report.",
    "addendum": "Only a radiologist adds to a signed report.",
    "correct": "Only a radiologist corrects a signed report.",
    "abandon": "Only a radiologist gives a correction up.",
    "entered_in_error": "Only a radiologist or an administrator asks for this.",
    "confirm_error": "Only a radiologist or an administrator confirms this.",
    "withdraw_error": "Whoever asked for it takes it back.",
}
