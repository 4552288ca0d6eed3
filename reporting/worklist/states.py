"""What may be done with a reading item in which state, by whom, and what it is then: one table.

States are `reporting.models.orders.ItemStatus`. A claim on an item whose report is preliminary leaves the state as it is: only
unread items become "claimed".
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import READING_ROLES, REPORTING_ROLES, Role

UNREAD = ("ready", "assigned", "put_aside", "claimed")
"""Ready to be read, whether or not somebody has begun."""
COSIGN = ("preliminary", "pending_cosign")
QUALITY = ("arriving", "hold")
"""Not offered to readers: images still come, or something is wrong."""
OPEN = ("scheduled", *QUALITY, *UNREAD, *COSIGN)
DONE = ("final", "delivered")
CLOSED = (*DONE, "cancelled")

HOLD_REASONS = ("series_missing", "wrong_side", "wrong_patient", "other")


@dataclass(frozen=True, slots=True)
class Step:
    """One act. `after` is the state it leads to; "": it is worked out (`resting`) or stays."""

    before: tuple[str, ...]
    after: str = ""
    roles: tuple[str, ...] = ()
    """Any of these in the item's organization; none: only Farview itself does it."""


CHECKING = (Role.TECHNOLOGIST, Role.RADIOLOGIST)
"""Who answers for a study's being complete and about whom it says."""

STEPS: dict[str, Step] = {
    "arrive": Step(("scheduled",), "arriving"),
    "ready": Step(("arriving", "hold"), "", CHECKING),
    "hold": Step(("arriving", "ready", "assigned", "put_aside", "claimed"), "hold", READING_ROLES),
    "claim": Step((*UNREAD, *COSIGN), "claimed", REPORTING_ROLES),
    "take": Step((*UNREAD, *COSIGN), "claimed", REPORTING_ROLES),
    "heartbeat": Step((*UNREAD, *COSIGN), "", REPORTING_ROLES),
    "release": Step(("claimed", *COSIGN), "", REPORTING_ROLES),
    "put-aside": Step(("claimed",), "put_aside", REPORTING_ROLES),
    "assign": Step((*OPEN,), "", (Role.ADMIN,)),
    "free": Step(("claimed", *COSIGN), "", (Role.ADMIN,)),
    "class": Step((*OPEN,), "", READING_ROLES),
    "correct": Step(("scheduled", *QUALITY, *UNREAD), "", CHECKING),
    "link": Step(("scheduled", *QUALITY, "ready", "assigned", "put_aside"), "", CHECKING),
    "cancel": Step(("scheduled", *QUALITY, "ready", "assigned", "put_aside"), "cancelled", (Role.ADMIN,)),
}


def may_follow(action: str, status: str) -> bool:
    """Whether `action` is possible in a state."""
    return status in STEPS[action].before


def resting(*, has_images: bool, assigned: bool) -> str:
    """The state of an item that nobody reads and nothing holds back."""
    if not has_images:
        return "scheduled"
    return "assigned" if assigned else "ready"
