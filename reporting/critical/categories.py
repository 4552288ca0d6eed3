"""How soon somebody must hear of a critical result, and in which ways they are told.

Categories after the ACR Actionable Reporting Work Group (P. Larson et al., J Am Coll Radiol 2014;11:552): minutes, hours, days.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

MINUTES: dict[str, int] = {"minutes": 30, "hours": 6 * 60, "days": 3 * 24 * 60}
"""Category -> minutes from the finding until it is escalated. `ReportingSite.escalation_minutes` goes before."""
METHODS = ("phone", "in_person", "video", "secure_message", "pager", "other")
OUTCOMES = ("reached", "no_answer", "left_message", "refused")
ESCALATED = "escalated"
"""The outcome of the clock's own row."""
MOST_MINUTES = 60 * 24 * 365


def minutes_of(category: str, site: Mapping[str, Any] | None = None) -> int:
    """What is no number of minutes in the site's settings counts as not said."""
    said = (site or {}).get(category)
    if isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= MOST_MINUTES:
        return said
    return MINUTES[category]


def due(found_at: datetime, category: str, site: Mapping[str, Any] | None = None) -> datetime:
    """When it is escalated unless it has been read back."""
    return found_at + timedelta(minutes=minutes_of(category, site))
