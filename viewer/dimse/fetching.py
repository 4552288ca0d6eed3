"""C-GET and C-MOVE as a user (PS3.4 C.4.2, C.4.3): objects of another archive come here.

C-GET brings them over our own association; what C-MOVE asks for comes by the door of every C-STORE. Either way an object is
acknowledged only after it is durable.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast

from django.conf import settings
from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.presentation import PresentationContext, build_context, build_role
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)
from pynetdicom.status import code_to_category

from viewer.archive.ingest import Admitted, Outcome, admitted, note_refusals
from viewer.archive.rows import DatabaseBusy, Sender
from viewer.archive.storage import StorageFull
from viewer.dimse.calling import MOST_CONTEXTS, NotReached, association
from viewer.dimse.limits import limits
from viewer.dimse.messages import Messages
from viewer.dimse.remote import NotAnswered
from viewer.dimse.storing_batches import batches
from viewer.dimse.storing_file import ArrivingFile
from viewer.models import DicomPeer

DOOR = "retrieve"
STORED, FULL, NOT_UNDERSTOOD = 0x0000, 0xA700, 0xC000
"""PS3.4 B.2.3."""
RETRIEVE_S = 600.0
"""Between two answers: an archive may have to bring a study from tape."""
NATIVE = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
SYNTAXES = (
    *(f"1.2.840.10008.1.2.4.{number}" for number in ("90", "91", "70", "57", "50", "51", "80", "81")),
    "1.2.840.10008.1.2.5",
    *(f"1.2.840.10008.1.2.4.{number}" for number in ("201", "202", "203", "100", "101", "102", "103", "104", "107")),
    "1.2.840.10008.1.2.1.99",
)
"""In which objects may be stored there, beside native ones; each is asked for, so that nothing is decoded on the way."""
COMMON = tuple(
    f"1.2.840.10008.5.1.4.1.1.{number}"
    for number in (
        *("1", "1.1", "1.2", "1.3", "2", "2.1", "3.1", "4", "4.1", "6.1", "7", "7.1", "7.2", "7.3", "7.4"),
        *("11.1", "12.1", "12.2", "13.1.3", "20", "66", "66.4", "67", "77.1.4", "88.11", "88.22", "88.33", "88.50"),
        *("88.59", "88.67", "104.1", "128", "130", "481.1", "481.2", "481.3", "481.5"),
    )
)
"""SOP classes that are asked for where the archive does not say which it holds."""


@dataclass(slots=True)
class Fetched:
    """What came. `problem`: why not all did, in words; empty where the archive says that it has sent everything."""

    taken: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    """SOP Instance UID -> why it is not kept here."""
    problem: str = ""


OnEach = Callable[[str], None]


def get(
    peer: DicomPeer,
    study_instance_uid: str,
    series_instance_uid: str,
    sop_classes: Iterable[str],
    on_each: OnEach,
    stop: threading.Event,
) -> Fetched:
    """C-GET of a series (of the study where none is named). Raises NotReached, NotAnswered."""
    fetched = Fetched()
    model = StudyRootQueryRetrieveInformationModelGet
    classes = list(dict.fromkeys(filter(None, sop_classes))) or list(COMMON)
    contexts = _contexts(classes)
    receiving = _Receiving(peer, fetched, on_each, stop)
    with association(
        peer,
        [build_context(model), *contexts],
        answer_s=RETRIEVE_S,
        ext_neg=[build_role(uid, scp_role=True) for uid in {str(one.abstract_syntax) for one in contexts}],
        evt_handlers=[(evt.EVT_C_STORE, receiving.take)],
    ) as opened:
        if not any(one.abstract_syntax == model for one in opened.accepted_contexts):
            raise NotReached(f"{peer.ae_title} does not give out studies by C-GET")
        opened.dimse = _Messages(cast(Any, opened), limits())
        receiving.opened = opened
        try:
            wanted = _identifier(study_instance_uid, series_instance_uid)
            fetched.problem = _answered(opened, opened.send_c_get(wanted, model), "C-GET", stop)
        finally:
            receiving.note()
            opened.dimse.forget()
    return fetched


def move(
    peer: DicomPeer,
    study_instance_uid: str,
    series_instance_uid: str,
    on_progress: Callable[[int], None],
    stop: threading.Event,
) -> str:
    """C-MOVE to ourselves; why not all came, in words, or nothing. Raises NotReached, NotAnswered."""
    model = StudyRootQueryRetrieveInformationModelMove
    with association(peer, [build_context(model)], answer_s=RETRIEVE_S) as opened:
        if not opened.accepted_contexts:
            raise NotReached(f"{peer.ae_title} does not send out studies by C-MOVE")
        wanted = _identifier(study_instance_uid, series_instance_uid)
        answers = opened.send_c_move(wanted, settings.FARVIEW_DICOM_AE_TITLE, model)
        return _answered(opened, answers, "C-MOVE", stop, on_progress)


def _identifier(study_instance_uid: str, series_instance_uid: str) -> Dataset:
    wanted = Dataset()
    wanted.QueryRetrieveLevel = "SERIES" if series_instance_uid else "STUDY"
    wanted.StudyInstanceUID = study_instance_uid
    if series_instance_uid:
        wanted.SeriesInstanceUID = series_instance_uid
    return wanted


def _contexts(sop_classes: list[str]) -> list[PresentationContext]:
    """One for native objects of each class and, as far as there is room, one for each class and compressed syntax."""
    most = MOST_CONTEXTS - 1
    native = [build_context(uid, list(NATIVE)) for uid in sop_classes[:most]]
    pairs = ((uid, syntax) for syntax in SYNTAXES for uid in sop_classes)
    return native + [build_context(uid, syntax) for uid, syntax in islice(pairs, most - len(native))]


def _answered(
    opened: Association,
    answers: Iterator[tuple[Dataset, Dataset | None]],
    service: str,
    stop: threading.Event,
    on_progress: Callable[[int], None] = lambda count: None,
) -> str:
    for status, _ in answers:
        if "Status" not in status:
            if stop.is_set():
                return "it was stopped"
            raise NotAnswered(f"the peer ended the association before its {service} was done")
        on_progress(int(status.get("NumberOfCompletedSuboperations") or 0))
        category = code_to_category(status.Status)
        if category == "Pending":
            if stop.is_set():
                opened.abort()
            continue
        if category == "Success":
            return ""
        failed = int(status.get("NumberOfFailedSuboperations") or 0)
        if category == "Warning":
            return f"the peer could not send {failed} objects" if failed else ""
        raise NotAnswered(
            f"the peer answered its {service} with 0x{status.Status:04X}{_MEANING.get(status.Status, '')}"
        )
    raise NotAnswered(f"the peer did not finish its {service}")


_MEANING = {
    0xA701: " (out of resources)",
    0xA702: " (it could not send a single object)",
    0xA801: f" (it does not know our AE title {settings.FARVIEW_DICOM_AE_TITLE} as a destination)",
    0xA900: " (it does not understand the request)",
    0x0124: " (not authorised)",
}


class _Messages(Messages):
    """As those of whoever calls us; but within a C-GET the peer's requests are what is waited for."""

    def get_msg(self, block: bool = False) -> Any:
        return DIMSEServiceProvider.get_msg(self, block)


class _Receiving:
    """Takes the objects of one C-GET into the archive, each as a C-STORE of the peer would be."""

    def __init__(self, peer: DicomPeer, fetched: Fetched, on_each: OnEach, stop: threading.Event) -> None:
        self.opened: Association | None = None
        self._sender = Sender(peer.organization, f"dicom:{peer.ae_title}", DOOR, peer.host)
        self._fetched, self._on_each, self._stop = fetched, on_each, stop

    def take(self, event: evt.Event) -> int:
        """Handler of the C-STORE requests within the C-GET."""
        request: Any = event.request
        uid = str(request.AffectedSOPInstanceUID)
        file = getattr(request, "_dataset_file", None) or _written(event)
        try:
            if self._stop.is_set():
                if self.opened is not None:
                    self.opened.abort()
                return NOT_UNDERSTOOD
            if file.problem is not None:
                raise file.problem
            outcome = self._kept(uid, file)
        except (StorageFull, DatabaseBusy, OSError) as problem:
            self._fetched.refused[uid] = str(problem)
            return FULL
        finally:
            file.close()
        if outcome.outcome not in ("stored", "duplicate", "conflict"):
            self._fetched.refused[uid] = outcome.reason
            return NOT_UNDERSTOOD
        self._fetched.taken.add(uid)
        self._on_each(uid)
        return STORED

    def _kept(self, uid: str, file: ArrivingFile) -> Outcome:
        found = admitted(uid, file.received(), lambda parsed: "" if parsed.sop_instance_uid == uid else ANOTHER)
        if isinstance(found, Admitted):
            return batches().acknowledged(found, self._sender)
        return Outcome(uid, "refused", found.reason)

    def note(self) -> None:
        """Write down what was refused."""
        note_refusals([Outcome("", "refused", why) for why in self._fetched.refused.values()], self._sender)


ANOTHER = "the data set is of another object than the command says"


def _written(event: evt.Event) -> ArrivingFile:
    """One that came in a single piece."""
    request: Any = event.request
    file = ArrivingFile(
        sop_class_uid=str(request.AffectedSOPClassUID),
        sop_instance_uid=str(request.AffectedSOPInstanceUID),
        transfer_syntax_uid=str(event.context.transfer_syntax),
        limit=limits().object_bytes,
    )
    if request.DataSet is not None:
        file.write(request.DataSet.getvalue())
    return file
