"""The life of a report as one table: what may be done in which state, by whom, and what becomes of the report.

`may` in the answers and every refusal come from the same rows, so a page cannot offer what the server refuses.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

RADIOLOGIST, RESIDENT, ADMIN = "radiologist", "resident", "admin"
"""Roles in the organization of the report (`accounts.models.Role`)."""

DRAFT, PRELIMINARY, PENDING_COSIGN, RETURNED = "draft", "preliminary", "pending_cosign", "returned"
FINAL, APPENDED, CORRECTED = "final", "appended", "corrected"
CANCELLED, ENTERED_IN_ERROR = "cancelled", "entered_in_error"
BLIND, READ = "blind", "read"
"""One of two reads apart: written, and signed by its reader."""
CORRECTING = "correcting"
"""Not a state of its own: a final, appended or corrected report with a correction being written beside it."""

OPEN = (DRAFT, PRELIMINARY, PENDING_COSIGN, RETURNED)
"""Before final: a study has one such report at most."""
CLOSED = (FINAL, APPENDED, CORRECTED)
ENDED = (CANCELLED, ENTERED_IN_ERROR)
APART = (BLIND, READ)
"""Not the report of a study but what one of two readers wrote; while one of the two is missing only its reader sees it."""

REASON_CODES = ("error", "content")
"""Of a correction: FHIR "corrected" and "amended"."""
GRADES = ("none", "minor", "major")
"""How far a final departs from the preliminary, as the attending sees it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that may be done in one state."""

    by: tuple[str, ...]
    to: str = ""
    """State after it; empty: as before."""
    kind: str = "save"
    """Of the version that it writes."""
    meaning: str = ""
    """What the name under it stands for; empty: nothing is signed."""
    password: bool = False
    checked: bool = False
    """Whether the checks have to let it pass."""
    reason: bool = False
    not_of: str = ""
    """Kind of version whose author may not be the one who does this: a second person is needed."""


_WRITERS = (RADIOLOGIST, RESIDENT)
_SIGNED = {"password": True, "checked": True}
_SAVE = Step(by=_WRITERS)
_PRELIMINARY = Step(by=_WRITERS, to=PRELIMINARY, kind="preliminary", meaning="author", **_SIGNED)
_SUBMIT = Step(by=(RESIDENT,), to=PENDING_COSIGN, kind="submit", meaning="author", **_SIGNED)
_FINAL = Step(by=(RADIOLOGIST,), to=FINAL, kind="final", meaning="verified", **_SIGNED)
_COSIGN = Step(by=(RADIOLOGIST,), to=FINAL, kind="cosign", meaning="co-signer", not_of="submit", **_SIGNED)
_RETURN = Step(by=(RADIOLOGIST,), to=RETURNED, kind="return", meaning="returned", reason=True, not_of="submit")
_READ = Step(by=(RADIOLOGIST,), to=READ, kind="read", meaning="reader", **_SIGNED)
_CANCEL = Step(by=(ADMIN,), to=CANCELLED, kind="cancel", meaning="cancelled", reason=True)
_ADDENDUM = Step(by=(RADIOLOGIST,), to=APPENDED, kind="addendum", meaning="addendum", password=True)
_CORRECT = Step(by=(RADIOLOGIST,), kind="correcting", reason=True)
_CORRECTION = Step(by=(RADIOLOGIST,), to=CORRECTED, kind="correct", meaning="correction", **_SIGNED)
_ABANDON = Step(by=(RADIOLOGIST,), kind="abandon")
_ACCUSE = Step(by=(RADIOLOGIST, ADMIN), kind="error_request", reason=True, password=True)
_CONFIRM = Step(
    by=(RADIOLOGIST, ADMIN),
    to=ENTERED_IN_ERROR,
    kind="error",
    meaning="entered in error",
    password=True,
    not_of="error_request",
)
_TAKE_BACK = Step(by=(RADIOLOGIST, ADMIN), kind="error_withdrawn")
_WRONG = {"entered_in_error": _ACCUSE, "confirm_error": _CONFIRM, "withdraw_error": _TAKE_BACK}

_TABLE: dict[str, dict[str, Step]] = {
    DRAFT: {
        "save": _SAVE,
        "sign_preliminary": _PRELIMINARY,
        "sign_final": _FINAL,
        "submit": _SUBMIT,
        "cancel": _CANCEL,
    },
    PRELIMINARY: {
        "save": _SAVE,
        "sign_preliminary": _PRELIMINARY,
        "sign_final": _FINAL,
        "submit": _SUBMIT,
        "cancel": _CANCEL,
        **_WRONG,
    },
    PENDING_COSIGN: {
        "save": Step(by=(RADIOLOGIST,)),
        "cosign": _COSIGN,
        "return": _RETURN,
        "cancel": _CANCEL,
        **_WRONG,
    },
    RETURNED: {
        "save": _SAVE,
        "sign_preliminary": _PRELIMINARY,
        "sign_final": _FINAL,
        "submit": _SUBMIT,
        "cancel": _CANCEL,
        **_WRONG,
    },
    FINAL: {"addendum": _ADDENDUM, "correct": _CORRECT, **_WRONG},
    APPENDED: {"addendum": _ADDENDUM, "correct": _CORRECT, **_WRONG},
    CORRECTED: {"addendum": _ADDENDUM, "correct": _CORRECT, **_WRONG},
    CORRECTING: {
        "save": Step(by=(RADIOLOGIST,)),
        "sign_final": _CORRECTION,
        "abandon": _ABANDON,
        "addendum": _ADDENDUM,
        **_WRONG,
    },
    BLIND: {"save": Step(by=(RADIOLOGIST,)), "sign_read": _READ, "cancel": _CANCEL},
    READ: {"cancel": _CANCEL},
    CANCELLED: {},
    ENTERED_IN_ERROR: {},
}

TRANSITIONS: dict[tuple[str, str], Step] = {
    (state, act): step for state, acts in _TABLE.items() for act, step in acts.items()
}
"""(state, act) -> what it takes and what becomes of it. What is not here cannot be done."""

ACTS = (
    *(
        "save",
        "sign_read",
        "sign_preliminary",
        "sign_final",
        "submit",
        "cosign",
        "return",
        "addendum",
        "correct",
        "abandon",
    ),
    *("cancel", "entered_in_error", "confirm_error", "withdraw_error"),
)
"""Every act, in the order in which a page offers them."""
TEXTS = ("preliminary", "submit", "final", "cosign", "correct")
"""Kinds of versions that sign the whole text."""
NOT_TEXT = ("addendum", "error_request", "error_withdrawn", "cancel", "error")
"""Kinds whose row says nothing new about the text being written."""


def standing(state: str, correcting: bool) -> str:
    """The row of the table to look in."""
    return CORRECTING if correcting and state in CLOSED else state


@dataclass(frozen=True, slots=True)
class Standing:
    """What the table has to know of a report. `authors`: kind of version -> who wrote the newest of that kind."""

    state: str
    correcting: bool
    authors: dict[str, int]
    accused: bool
    """Somebody asked that it be marked as entered in error, and nobody has answered."""

    @property
    def row(self) -> str:
        return standing(self.state, self.correcting)


def why_not(act: str, standing: Standing, roles: Collection[str], user: int | None) -> str:
    """Why `user` with `roles` may not do `act` now: "state", "role", "second_person"; empty: they may."""
    step = TRANSITIONS.get((standing.row, act))
    if step is None or not _timely(act, standing.accused):
        return "state"
    if not set(step.by) & set(roles):
        return "role"
    if step.not_of and standing.authors.get(step.not_of) == user:
        return "second_person"
    if act == "withdraw_error" and standing.authors.get("error_request") != user:
        return "role"
    return ""


def _timely(act: str, accused: bool) -> bool:
    """One request at a time; an answer needs one."""
    if act == "entered_in_error":
        return not accused
    return accused or act not in ("confirm_error", "withdraw_error")


def acts(standing: Standing, roles: Collection[str], user: int | None) -> list[str]:
    """What `user` with `roles` may do with a report that stands so."""
    return [act for act in ACTS if not why_not(act, standing, roles, user)]
