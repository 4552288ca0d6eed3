"""Which presentation contexts an association gets (PS3.8 7.1.1.13): what its peer has a right to, objects in every syntax."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydicom.uid import UID
from pynetdicom import sop_class
from pynetdicom.presentation import PresentationContext

from viewer.dimse.handlers import CONTEXTS, EXPLICIT_BIG_ENDIAN, IMPLICIT_LITTLE_ENDIAN, UNCOMPRESSED
from viewer.models import DicomPeer

Roles = Mapping[Any, tuple[bool, bool]]

STORAGE_CLASSES = frozenset(sop_class._STORAGE_CLASSES.values())
OF_NO_PATIENT = frozenset(sop_class._NON_PATIENT_OBJECT_CLASSES.values())
"""Hanging protocols, palettes and the like (PS3.4 GG): they belong to no study, and have no place here."""
RETIRED_STORAGE = re.compile(r"Storage( - .*)?( \(Retired\))?$")
DIRECTORY = "1.2.840.10008.1.3.10"
LAST = {IMPLICIT_LITTLE_ENDIAN: 1, EXPLICIT_BIG_ENDIAN: 2}
"""Syntaxes that are taken where the sender proposes nothing else in the same context."""


def is_stored(sop_class_uid: str) -> bool:
    """Whether instances of a SOP class are objects to keep: the standard's storage classes, private and unknown ones. What the
    standard has defined for another service is not."""
    uid = UID(sop_class_uid)
    return (
        uid in STORAGE_CLASSES or uid.is_private or not uid.type or (uid.type == "SOP Class" and _is_old_storage(uid))
    )


def _is_old_storage(uid: UID) -> bool:
    """Storage classes that were retired; a directory of a medium is none (PS3.4 I.4)."""
    return RETIRED_STORAGE.search(uid.name) is not None and uid != DIRECTORY and uid not in OF_NO_PATIENT


def supported(requested: Sequence[PresentationContext], roles: Roles, peer: DicomPeer) -> list[PresentationContext]:
    """What is answered of the `requested` contexts. `roles`: SOP class -> (SCU, SCP) as the peer proposes them."""
    rights = {row.sop_class_uid: row.right for row in CONTEXTS}
    found: dict[str, PresentationContext] = {}
    for asked in requested:
        uid = str(asked.abstract_syntax)
        if uid in rights:
            if not rights[uid] or getattr(peer, f"may_{rights[uid]}"):
                found[uid] = _context(uid, list(UNCOMPRESSED), None)
        elif is_stored(uid):
            wanted = roles.get(asked.abstract_syntax)
            takes_in, gives_out = peer.may_store, peer.may_retrieve and wanted is not None and wanted[1]
            if takes_in or gives_out:
                known = found.get(uid)
                syntaxes = list(known.transfer_syntax) if known is not None else []
                syntaxes += [one for one in preferred(asked.transfer_syntax) if one not in syntaxes]
                found[uid] = _context(uid, syntaxes, (peer.may_store, peer.may_retrieve) if wanted else None)
    return list(found.values())


def preferred(proposed: Sequence[Any]) -> list[str]:
    """Proposed syntaxes as they are to be taken: in the sender's order, the old ones last."""
    return sorted((str(one) for one in proposed), key=lambda one: LAST.get(one, 0))


def _context(uid: str, syntaxes: list[str], roles: tuple[bool, bool] | None) -> PresentationContext:
    context = PresentationContext()
    context.abstract_syntax = UID(uid)
    context._transfer_syntax = [UID(one) for one in syntaxes]  # its own door knows no syntax newer than itself
    if roles is not None:
        context.scu_role, context.scp_role = roles
    return context
