"""What every door leaves in the record. A door that has a rule and no row here fails a test.

Most acts are written down by the views themselves, in the transaction of the act. Of the doors that are `carried` the first
statement that writes carries the event (`accounts.audit_carrying`); what is looked at `viewer.api.auditing` writes down before
the answer leaves. So nothing that a row names happens without an event, whoever writes the view.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Act:
    """Actions of the record. `looks`: of one that sees something; `changes`: of one that changes something; empty: nothing of
    patients or people is there, and `why` says so."""

    looks: str = ""
    changes: str = ""
    why: str = ""
    each: bool = True
    """Whether every address is an opening of its own; else what one person looks at in a while is one."""
    carried: bool = False
    """Whether its view says nothing of what it changes."""


def act_of(door: str) -> Act | None:
    """The row of a door by the name of its URL; of a name in a namespace also by "namespace:*"."""
    namespace, colon, _ = door.rpartition(":")
    return ACTS.get(door) or (ACTS.get(f"{namespace}:*") if colon else None)


def _all(names: str, act: Act) -> dict[str, Act]:
    return dict.fromkeys(names.split(), act)


_OWN = Act(changes="account.change", why="one's own account; each act is written down by its page")
_NOTHING = Act(why="tells nothing of patients or people")
_STUDY = Act("study.view", "study.change")
_WORKLIST = Act("worklist.list", "worklist.change")
_REPORT = Act("report.view", "report.change")
_DICOMWEB = Act("dicomweb.retrieve", "study.receive")
_SEARCH = Act("dicomweb.search", "study.receive")

ACTS: dict[str, Act] = {
    # coming in and one's own account
    **_all("sign-in sign-in-link sign-out password password-forgotten password-reset account account_login", _OWN),
    **_all("sessions session-end session-state tokens token-revoke account_reauthenticate", _OWN),
    "api-my-settings": Act(changes="account.change", why="one's own settings", carried=True),
    **_all("mfa_index mfa_list_webauthn mfa_authenticate mfa_login_webauthn mfa_reauthenticate", _OWN),
    **_all("mfa_reauthenticate_webauthn mfa_activate_totp mfa_deactivate_totp mfa_add_webauthn", _OWN),
    **_all("mfa_remove_webauthn mfa_edit_webauthn mfa_view_recovery_codes mfa_generate_recovery_codes", _OWN),
    **_all("single-sign-on single-sign-on-back single-sign-on-confirm single-sign-on-connect", _OWN),
    **_all("single-sign-on-logout confirmed", _OWN),
    **_all("healthz csp-report metrics api-schema api-me fhir-metadata dicomweb dicomweb-capabilities", _NOTHING),
    **_all(
        "study-list worklist upload transfers",
        Act(why="a page without rows: they come by the API, which is written down"),
    ),
    **_all("api-uploads", Act(changes="study.receive", why="takes, and shows nothing")),
    # images
    **_all("study api-study api-key-images api-key-image api-key-image-object api-measurements", _STUDY),
    "api-viewed": Act("study.view", "study.change", carried=True),
    **_all("api-measurement api-measurement-object api-objects api-document api-segments api-pdf api-video", _STUDY),
    **_all("api-hanging api-frame api-study-export-choices", _STUDY),
    "api-thumbnail": Act("image.thumbnail", each=False),
    "api-studies": Act("study.search"),
    **_all("api-study-export api-series-export api-series-video", Act("export.study", "export.study")),
    "api-hanging-protocols": Act(changes="hangingprotocol.make", why="how images hang"),
    **_all("launch launch-code api-launches", Act("launch", "launch.make")),
    **_all("emergency api-emergency api-study-emergency", Act("emergency.view", "emergency.change")),
    **_all(
        "share shares shared-report shared-report-picture api-share-links api-share-link",
        Act("share.view", "share.change"),
    ),
    # corrections, other archives
    **_all(
        "corrections api-corrections api-correction-choices api-correction-undo",
        Act("correction.view", "correction.change"),
    ),
    **_all("api-transfers api-transfer-cancel api-transfer-retry", Act("transfer.list", "transfer.change")),
    "api-peer-search": Act("dicom.query"),
    "api-peers": Act(why="names of archives"),
    # reports
    **_all("api-reports api-report api-report-lock api-report-checks api-report-versions", _REPORT),
    **_all("api-report-difference api-report-sign api-report-cosign api-report-addendum api-report-return", _REPORT),
    **_all("api-report-correct api-report-cancel api-report-entered-in-error api-report-preview", _REPORT),
    **_all("api-report-critical api-report-critical-attempts api-report-critical-close", _REPORT),
    **_all("api-report-insertable api-report-evidence api-report-evidence-picture report result", _REPORT),
    "api-report-export": Act("report.export"),
    "results": Act("report.list"),
    # orders and worklist
    **_all("api-orders api-order api-order-cancel", Act("order.view", "order.change")),
    **_all("api-worklist api-worklist-item api-worklist-next api-worklist-claim api-worklist-heartbeat", _WORKLIST),
    **_all("api-worklist-release api-worklist-put-aside api-worklist-hold api-worklist-ready", _WORKLIST),
    **_all(
        "api-worklist-correct api-worklist-link api-worklist-class api-worklist-assign api-worklist-free", _WORKLIST
    ),
    "api-worklist-cancel": _WORKLIST,
    **_all(
        "api-worklist-filters api-worklist-filter",
        Act(changes="worklist.filter", why="one's own filters", carried=True),
    ),
    "api-worklist-readers": Act(why="names of readers, for those who assign"),
    # FHIR
    "fhir-search": Act("fhir.search"),
    "fhir-read": Act("fhir.read"),
    "fhir-audit-search": Act("audit.search"),
    "fhir-audit-read": Act("audit.read"),
    # DICOM over the web
    **_all("dicomweb-studies dicomweb-all-series dicomweb-all-instances dicomweb-study-all-series", _SEARCH),
    **_all("dicomweb-study-all-instances dicomweb-series-all-instances", _SEARCH),
    **_all("dicomweb-study dicomweb-study-metadata dicomweb-study-rendered dicomweb-study-thumbnail", _DICOMWEB),
    **_all("dicomweb-series dicomweb-series-metadata dicomweb-series-rendered dicomweb-series-thumbnail", _DICOMWEB),
    **_all("dicomweb-instance dicomweb-instance-metadata dicomweb-instance-rendered", _DICOMWEB),
    **_all("dicomweb-instance-thumbnail dicomweb-bulkdata dicomweb-frames dicomweb-frames-rendered", _DICOMWEB),
    **_all("dicomweb-frames-thumbnail wado-uri", _DICOMWEB),
    # templates: no patients, but what every report says
    **_all(
        "api-templates api-template-default mrrt-templates mrrt-template",
        Act(changes="template.change", why="templates"),
    ),
    **_all("api-macros api-macro", Act(changes="macro.change", why="pieces of text")),
    # people, organizations, tokens, the record
    "admin:*": Act("admin.view", "admin.change"),
}

MESSAGES: dict[str, Act] = {
    "series.open": Act("study.view"),
    "view.change": Act(why="pictures of a series that was opened"),
    "frame.shown": Act(why="says that a picture arrived"),
    "viewport.close": Act(why="shows nothing"),
    "hello": Act(why="a greeting"),
    "measure": Act(why="numbers of a series that was opened"),
}
"""The same of the messages of the viewer's socket. The socket of news takes none."""

LIVE_MESSAGES: dict[str, Act] = {
    "hello": Act(why="a greeting"),
    "live.join": Act(changes="live.join"),
    "live.leave": Act(changes="live.leave"),
    "live.look": Act(why="which pictures others look at; they come by series.open"),
    "live.steer": Act(why="whether one goes with the others"),
    "live.change": Act(why="which pictures a session looks at; they come by series.open"),
    "live.cursor": Act(why="where somebody points"),
}
"""And of those of the socket of live sessions. A connection that ends leaves, too."""
