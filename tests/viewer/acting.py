"""How each changing door is asked so that it acts, and what has to be there first; or why it is not asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from accounts.authentication import issue
from tests.accounts.matrix.world import OWNER, World

PASSWORD = "correct horse battery"
REASON = "because of the test"
Send = Callable[..., Any]


@dataclass(frozen=True)
class How:
    """How a door is asked so that it acts. `before`: what has to be there first; gives names for the address and the body."""

    door: str
    method: str = "post"
    body: dict[str, Any] | str = field(default_factory=dict, hash=False)
    before: Callable[[World, Send], dict[str, Any]] | None = None
    by: str = OWNER
    form: bool = False
    query: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.door}"


# --- what has to be there first


def _opened(world: World, send: Send) -> dict[str, Any]:
    """A draft with nothing in it."""
    asked = {"study": world.real["study_instance_uid"], "template": "free-text", "new": True, "reason": REASON}
    report = send("post", "/api/reports/", asked).json()
    return {"report_id": report["id"], "version": report["version"]}


def _begun(world: World, send: Send, *, by: str = OWNER) -> dict[str, Any]:
    """A draft with something in it."""
    asked = {"study": world.real["study_instance_uid"], "template": "free-text", "new": True, "reason": REASON}
    report = send("post", "/api/reports/", asked, by=by).json()
    door = f"/api/reports/{report['id']}/"
    content = {"findings": "Nothing.", "impression": "Nothing."}
    saved = send("put", door, {"based_on": report["version"], "content": content}, by=by).json()
    rules = [one["rule"] for one in send("get", f"{door}checks/", by=by).json()["problems"]]
    return {"report_id": report["id"], "version": saved["version"], "rules": rules}


def _signed(world: World, send: Send, meaning: str = "final", by: str = OWNER) -> dict[str, Any]:
    told = _begun(world, send, by=by)
    asked = {"password": PASSWORD, "meaning": meaning, "acknowledged": told["rules"]}
    answer = send("post", f"/api/reports/{told['report_id']}/sign/", asked, by=by)
    assert answer.status_code == 200, answer.content
    return told


def _by_resident(world: World, send: Send) -> dict[str, Any]:
    return _signed(world, send, "submit", by="resident")


def _under_correction(world: World, send: Send) -> dict[str, Any]:
    told = _signed(world, send)
    answer = send("post", f"/api/reports/{told['report_id']}/correct/", {"reason": REASON, "reason_code": "content"})
    assert answer.status_code == 200, answer.content
    return told


def _half_withdrawn(world: World, send: Send) -> dict[str, Any]:
    told = _signed(world, send)
    asked = {"reason": REASON, "password": PASSWORD}
    assert send("post", f"/api/reports/{told['report_id']}/entered-in-error/", asked).status_code == 200
    return told


def _after(*steps: tuple[str, dict[str, Any]]) -> Callable[[World, Send], dict[str, Any]]:
    """Acts of the worklist, one after another."""

    def before(world: World, send: Send) -> dict[str, Any]:
        for act, body in steps:
            answer = send("post", f"/api/worklist/{world.real['item_id']}/{act}/", body)
            assert answer.status_code == 200, answer.content
        return {}

    return before


def _order(world: World, send: Send) -> dict[str, Any]:
    asked = {"patient": {"patient_id": world.real["patient_id"]}, "accession_number": "ACC-NEW", "modality": "CT"}
    answer = send("post", "/api/orders/", asked)
    assert answer.status_code == 201, answer.content
    return {"order_id": answer.json()["id"]}


def _awaited(world: World, send: Send) -> dict[str, Any]:
    """An item of the worklist before its images, and another order."""
    from reporting.models import ReadingItem

    made = _order(world, send)
    item = ReadingItem.objects.get(order=made["order_id"])
    asked = {"patient": {"patient_id": world.real["patient_id"]}, "accession_number": "ACC-2", "modality": "CT"}
    return {"item_id": item.pk, "order_id": send("post", "/api/orders/", asked).json()["id"]}


def _corrected(world: World, send: Send) -> dict[str, Any]:
    asked = {"act": "person", "name": "Other^Anna", "reason": REASON}
    answer = send("post", f"/api/studies/{world.real['study_instance_uid']}/corrections/", asked)
    assert answer.status_code == 201, answer.content
    return {"correction": answer.json()["correction"]["id"]}


def _linked(world: World, send: Send) -> dict[str, Any]:
    answer = send("post", f"/api/studies/{world.real['study_instance_uid']}/share-links/", {"recipient": "Dr Who"})
    assert answer.status_code == 201, answer.content
    return {"link": answer.json()["link"]["id"]}


def _filter(world: World, send: Send) -> dict[str, Any]:
    return {"filter_id": send("post", "/api/worklist/filters/", FILTER).json()["id"]}


def _macro(world: World, send: Send) -> dict[str, Any]:
    return {"macro_id": send("post", "/api/macros/", MACRO).json()["id"]}


def _queued(world: World, send: Send) -> dict[str, Any]:
    asked = {"kind": "send", "peer": int(world.real["peer"]), "study": world.real["study_instance_uid"]}
    return {"transfer": send("post", "/api/transfers/", asked).json()["id"]}


def _given_up(world: World, send: Send) -> dict[str, Any]:
    from viewer.models import Transfer

    told = _queued(world, send)
    Transfer.objects.filter(pk=told["transfer"]).update(state="given_up")
    return told


def _kept_image(world: World, send: Send) -> dict[str, Any]:
    answer = send("post", f"/api/studies/{world.real['study_instance_uid']}/key-images/", KEY_IMAGE)
    assert answer.status_code == 201, answer.content
    return {"uid": answer.json()["uid"]}


def _measured(world: World, send: Send) -> dict[str, Any]:
    answer = send("post", f"/api/studies/{world.real['study_instance_uid']}/measurements/", LINE)
    assert answer.status_code == 201, answer.content
    return {"uid": answer.json()["uid"]}


def _token(world: World, send: Send) -> dict[str, Any]:
    from accounts.models import ApiToken

    issue(world.users[OWNER], "of the test")
    return {"token": ApiToken.objects.get(name="of the test").pk}


def _template(world: World, send: Send) -> dict[str, Any]:
    from reporting.models import Template

    return {"template": Template.objects.exclude(active_version=None).order_by("pk")[0].pk}


ITEM = {"reason": REASON, "note": REASON}
FILTER = {"name": "mine", "query": {"tab": "mine"}}
MACRO = {"shortcut": "nl", "text": "Normal."}
KEY_IMAGE = {"series": "{series_instance_uid}", "view": {"size": [32, 32]}, "note": "x"}
LINE = {
    "series": "{series_instance_uid}",
    "kind": "text",
    "points": [[1, 1]],
    "space": "image",
    "label": "x",
    "view": {},
}
CRITICAL = {"finding": "Bleeding", "category": "minutes"}
NUMBERS = {"accession_number": "{accession_number}", "patient_id": "{patient_id}"}
SENDING = {"kind": "send", "peer": "{peer}", "study": "{study_instance_uid}"}
SIGN = {"password": PASSWORD, "meaning": "final", "acknowledged": "{rules}"}

TABLE = (
    # images
    How("api-my-settings", "put", {"texts": "none"}),
    How("api-key-images", body=KEY_IMAGE),
    How("api-key-image", "put", {"version": 1, "note": "y"}, _kept_image),
    How("api-key-image", "delete", before=_kept_image),
    How("api-key-image-object", before=_kept_image),
    How("api-measurements", body=LINE),
    How("api-measurement", "put", {"version": 1, "label": "y"}, _measured),
    How("api-measurement", "delete", before=_measured, query="version=1"),
    How("api-measurement-object", before=_measured),
    How("api-corrections", body={"act": "person", "name": "Other^Anna", "reason": REASON}),
    How("api-correction-undo", body={"reason": REASON}, before=_corrected),
    How("api-share-links", body={"recipient": "Dr Who"}),
    How("api-share-link", "delete", before=_linked),
    How("api-transfers", body={**SENDING, "series": "{series_instance_uid}"}),
    How("api-transfer-cancel", before=_queued),
    How("api-transfer-retry", before=_given_up),
    How(
        "api-emergency",
        body={"accession_number": "{accession_number}", "patient_id": "{patient_id}", "reason": REASON},
        by="admin",
    ),
    How("api-study-emergency", body={"reason": REASON}, by="admin"),
    How("dicomweb-study", "delete", by="admin"),
    How("dicomweb-series", "delete", by="admin"),
    How("dicomweb-instance", "delete", by="admin"),
    # reports
    How("api-reports", body={"study": "{study_instance_uid}", "template": "free-text", "new": True, "reason": REASON}),
    How("api-report", "put", {"based_on": "{version}", "content": {"findings": "More."}}, _opened),
    How("api-report-lock", body={"action": "release"}, before=_begun),
    How("api-report-sign", body=SIGN, before=_begun),
    How("api-report-cosign", body={**SIGN, "discrepancy": "none"}, before=_by_resident),
    How("api-report-return", body={"comment": REASON}, before=_by_resident),
    How("api-report-addendum", body={"password": PASSWORD, "text": "More."}, before=_signed),
    How("api-report-correct", body={"reason": REASON, "reason_code": "content"}, before=_signed),
    How("api-report-correct", "delete", before=_under_correction),
    How("api-report-cancel", body={"reason": REASON}, before=_begun),
    How("api-report-entered-in-error", body={"reason": REASON, "password": PASSWORD}, before=_signed),
    How("api-report-entered-in-error", "delete", before=_half_withdrawn),
    How("api-report-critical", body=CRITICAL, before=_begun),
    # orders and worklist
    How("api-orders", body={"patient": {"patient_id": "{patient_id}"}, "accession_number": "N", "modality": "CT"}),
    How("api-order", "put", {"laterality": "L"}, _order),
    How("api-order-cancel", body={"reason": REASON}, before=_order),
    How("api-worklist-next"),
    How("api-worklist-claim"),
    How("api-worklist-release", before=_after(("claim", {}))),
    How("api-worklist-put-aside", body={"note": REASON}, before=_after(("claim", {}))),
    How("api-worklist-hold", body={"reason": "wrong_side", "note": REASON}),
    How("api-worklist-ready", body={"note": REASON}, before=_after(("hold", {"reason": "wrong_side"}))),
    How("api-worklist-correct", body={"laterality": "L"}, before=_after(("hold", {"reason": "wrong_side"}))),
    How("api-worklist-class", body={"reading_class": "STAT"}),
    How("api-worklist-assign", body={"to": "radiologist"}),
    How("api-worklist-free", body={"reason": REASON}, before=_after(("claim", {}))),
    How("api-worklist-cancel", body={"reason": REASON}, before=_awaited),
    How("api-worklist-filters", body=FILTER),
    How("api-worklist-filter", "delete", before=_filter),
    # templates
    How("api-template-default", "put", {"template": "{template}", "modality": "CT"}, _template),
    How("api-macros", body=MACRO),
    How("api-macro", "delete", before=_macro),
    # oneself
    How("tokens", body={"name": "mine", "days": "5", "everything": "on"}, form=True),
    How("token-revoke", before=_token, form=True),
    How(
        "password",
        body={"old_password": PASSWORD, "new_password1": "x8-fresh-and-long", "new_password2": "x8-fresh-and-long"},
        form=True,
    ),
)

ELSEWHERE = {
    # what is asked for is no act here, or is looked at: a page, shown whatever the method
    **dict.fromkeys(
        ["study", "corrections", "launch", "shares", "emergency", "report", "result"], "a page that only shows"
    ),
    **dict.fromkeys(
        ["launch-code", "share", "shared-report", "shared-report-picture"], "opens what a guest or a link opens"
    ),
    # bodies of bytes: one transaction for rows and event (`viewer.archive.rows.record`)
    **dict.fromkeys(["api-uploads", "dicomweb-studies", "dicomweb-study"], "takes objects"),
    **dict.fromkeys(["mrrt-templates", "mrrt-template"], "takes templates"),
    **dict.fromkeys(["api-hanging-protocols", "api-launches", "api-viewed"], "needs a screen, a program, a mammogram"),
    **dict.fromkeys(["api-report-critical-attempts", "api-report-critical-close"], "needs somebody who was reached"),
    "api-worklist-link": "needs images that came without an order",
    "api-worklist-heartbeat": "says again what a claim said; told of once in a while",
    # the person is not known yet, or proves who it is by means that are no request
    **dict.fromkeys(["sign-in", "account_login", "sign-out", "sign-in-link"], "sessions are not rows of this table"),
    **dict.fromkeys(["password-forgotten", "password-reset"], "by mail"),
    **dict.fromkeys(["session-end", "session-state", "sessions", "account_reauthenticate", "confirmed"], "sessions"),
    **dict.fromkeys(
        ["mfa_authenticate", "mfa_login_webauthn", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"], "codes"
    ),
    **dict.fromkeys(["mfa_activate_totp", "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_remove_webauthn"], "devices"),
    **dict.fromkeys(["mfa_edit_webauthn", "mfa_generate_recovery_codes"], "devices"),
    **dict.fromkeys(
        ["single-sign-on", "single-sign-on-confirm", "single-sign-on-connect", "single-sign-on-logout"], "a provider"
    ),
}
"""Doors that are not asked here, and why."""
