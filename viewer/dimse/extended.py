"""Extended negotiation of query and retrieval (PS3.4 C.5.1.1, C.5.2.1, C.5.3.1): what is agreed on beyond the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from viewer.dimse.identifiers import MODELS


@dataclass(frozen=True, slots=True)
class Options:
    """Nothing of it: the baseline. In the order of their bytes; a retrieval knows the first alone."""

    relational: bool = False
    """Unique keys of the levels above may be missing, or have several values."""
    combined: bool = False
    """A range of dates and one of times are one range."""
    fuzzy: bool = False
    """Names match by the beginnings of their words."""


BASELINE = Options()
KNOWN = {uid: 3 if uid.endswith(".1") else 1 for uid in MODELS}
"""How many options there are here, by SOP class."""


def answered(event: Any) -> dict[str, bytes]:
    """Of what is proposed, byte by byte, that which is done here; fewer bytes than were proposed mean zeros."""
    proposed: dict[str, bytes] = event.app_info
    return {uid: bytes(value == 1 for value in said[: KNOWN[uid]]) for uid, said in proposed.items() if uid in KNOWN}


def options(association: Any, sop_class_uid: str) -> Options:
    """What was agreed on for a SOP class."""
    said = association.requestor.sop_class_extended.get(sop_class_uid) or b""
    return Options(*(value == 1 for value in said[: KNOWN.get(sop_class_uid, 0)]))
