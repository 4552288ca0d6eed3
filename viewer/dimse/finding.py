"""C-FIND as a provider (PS3.4 C.4.1, K.4.1), whatever is asked for: answers as they are found, until all is said."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connections
from pydicom.dataset import Dataset
from pynetdicom.events import Event

from accounts import audit
from viewer.archive.rows import patiently
from viewer.dimse.admission import actor, caller, may
from viewer.dimse.calling import held_back
from viewer.dimse.extended import Options, options
from viewer.dimse.holdings import held_objects
from viewer.dimse.identifiers import CANNOT_PROCESS, NOT_AUTHORISED, Refused, decoded
from viewer.dimse.question import Question
from viewer.dimse.worklist import MODALITY_WORKLIST, scheduled_steps
from viewer.models import DicomPeer

logger = logging.getLogger(__name__)

PENDING, CANCELLED = 0xFF00, 0xFE00
Answer = tuple[int | Dataset, Dataset | None]


def find(event: Event) -> Iterator[Answer]:
    """Answer a C-FIND, whatever it asks for, until all is said or it is cancelled."""
    held_back(event.assoc)
    peer = caller(event.assoc)
    question, told = Question(iter(())), 0
    last: int | Dataset | None = None
    request: Any = event.request
    try:
        if not may(event.assoc, "query"):
            raise Refused(NOT_AUTHORISED, "not any more")
        identifier = decoded(request.Identifier, str(event.context.transfer_syntax))
        uid = str(event.context.abstract_syntax)
        question = QUESTIONS[uid](peer, identifier, uid, options(event.assoc, uid))
        for one in question.answers:
            if event.is_cancelled:
                last = CANCELLED
                break
            told += 1
            yield PENDING, one
    except Refused as refusal:
        last = refusal.answer()
    except Exception as problem:
        # What it says may hold values; where it happened holds none.
        frames = "".join(traceback.format_tb(problem.__traceback__))
        logger.error("a query failed (%s)\n%s", type(problem).__name__, frames)
        last = Refused(CANNOT_PROCESS, f"it failed here ({type(problem).__name__})").answer()
    finally:
        _noted(peer, str(event.assoc.requestor.address or ""), question, told, _outcome(last))
        connections.close_all()
    if last is not None:
        yield last, None


def _outcome(last: int | Dataset | None) -> str:
    if not isinstance(last, Dataset):
        return "success"
    return "denied" if last.Status == NOT_AUTHORISED else "failure"


def _noted(peer: DicomPeer, address: str, question: Question, told: int, outcome: str) -> None:
    patiently(
        lambda: audit.record(
            "dicom.query",
            actor=actor(peer),
            organization=peer.organization.name,
            patient_id=question.patient_id,
            study_instance_uid=question.study_instance_uid,
            origin=address,
            outcome=outcome,
            detail={**question.about, "answers": told},
        )
    )


QUESTIONS: dict[str, Callable[[DicomPeer, Dataset, str, Options], Question]] = {
    "1.2.840.10008.5.1.4.1.2.1.1": held_objects,
    "1.2.840.10008.5.1.4.1.2.2.1": held_objects,
    MODALITY_WORKLIST: scheduled_steps,
}
"""By SOP class."""
