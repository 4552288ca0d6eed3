"""C-STORE as a user (PS3.4 B): objects leave as they are stored, in the transfer syntax they are stored in.

For a peer that does not take that, native pixel data is written in another native syntax, and compressed pixel data is
decompressed (decision 0039); UIDs stay. Nothing is ever compressed.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from django.conf import settings
from pydicom.dataset import FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pynetdicom.association import Association
from pynetdicom.dsutils import split_dataset
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.status import code_to_category

from viewer.dicom.changes import AS_STORED, Changes
from viewer.dicom.rewriting import NativePixels, rewritten
from viewer.dimse.calling import MOST_CONTEXTS, Broken, NothingTaken, NotReached, association
from viewer.engine.children import DecodeChild
from viewer.engine.native import can_be_native, decompressed
from viewer.models import DicomPeer

NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
"""What native pixel data may be written in for a peer."""
REWRITABLE = {*NATIVE, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian}
LOST, NO_CONTEXT, UNREADABLE = 0x0110, 0x0122, 0xC000
"""Statuses (PS3.7 C) of what was never answered: processing failure, SOP class not supported, cannot understand."""
DECODE_BYTES = 2 << 30
"""Of the child that decompresses, where the setting says nothing."""
BREAKS_IN_A_ROW = 3
"""Associations that end over objects one after the other: it is not the objects, the peer is unwell."""
WORDS = {
    0xA700: "out of resources",
    0xA900: "the data set does not match its SOP class",
    0xC000: "it cannot understand the object",
    0x0110: "processing failure",
    0x0117: "invalid SOP instance",
    0x0122: "SOP class not supported",
    0x0124: "not authorised",
    0x0210: "duplicate invocation",
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One object to send, and how it leaves."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    changes: Changes = AS_STORED


@dataclass(slots=True)
class Result:
    """What became of the objects: what the peer acknowledged (also with a warning), and what not and why."""

    sent: list[str] = field(default_factory=list)
    failed: list[tuple[str, int, str]] = field(default_factory=list)
    """(SOP Instance UID, status, words)"""
    broken: str = ""
    """Why the peer was left before all was tried; empty: it was not."""


OnEach = Callable[[str, int], None]


def store(
    peer: DicomPeer,
    files: Sequence[Outgoing],
    on_each: OnEach | None = None,
    stop: threading.Event | None = None,
    *,
    originator: tuple[str, int] | None = None,
) -> Result:
    """Send objects, in as many associations as their SOP classes and syntaxes need.

    `on_each(uid, status)` is called after each that was answered or refused. `stop`: whoever sets it ends the sending between
    two objects. `originator`: (AE title, Message ID) of the C-MOVE that asked for it. Raises NotReached where no association
    came about at all.
    """
    result, told = Result(), on_each or (lambda uid, status: None)
    for batch in batches(files):
        try:
            _batch(peer, batch, result, told, stop or threading.Event(), originator)
        except NotReached as problem:
            if not result.sent and not result.failed:
                raise
            result.broken = str(problem)
        if result.broken or (stop is not None and stop.is_set()):
            break
    return result


def batches(files: Sequence[Outgoing]) -> Iterator[list[Outgoing]]:
    """Parts that one association has contexts for, in order."""
    batch: list[Outgoing] = []
    contexts: set[tuple[str, str]] = set()
    for one in files:
        wanted = {(one.sop_class_uid, syntax) for syntax in syntaxes_for(one)}
        if len(contexts | wanted) > MOST_CONTEXTS:
            yield batch
            batch, contexts = [], set()
        contexts |= wanted
        batch.append(one)
    if batch:
        yield batch


def syntaxes_for(one: Outgoing) -> list[str]:
    """In which an object may leave, the stored one first."""
    stored = one.transfer_syntax_uid
    others = [str(syntax) for syntax in NATIVE if stored in REWRITABLE or can_be_native(stored)]
    return list(dict.fromkeys([one.transfer_syntax_uid, *others]))


def _batch(
    peer: DicomPeer,
    batch: Sequence[Outgoing],
    result: Result,
    told: OnEach,
    stop: threading.Event,
    originator: tuple[str, int] | None,
) -> None:
    """One association; a new one after an object over which the peer ended it, so that one bad object holds up no others."""
    pairs = dict.fromkeys((one.sop_class_uid, syntax) for one in batch for syntax in syntaxes_for(one))
    contexts = [build_context(sop_class, syntax) for sop_class, syntax in pairs]
    waiting, in_a_row = list(batch), 0
    while waiting and not stop.is_set():
        before = len(waiting)
        try:
            words = _associated(peer, contexts, waiting, result, told, stop, originator)
        except NothingTaken:
            _refused(waiting, result, told)
            return
        if not words:
            return
        in_a_row = in_a_row + 1 if before == len(waiting) else 1
        lost = waiting.pop(0)
        result.failed.append((lost.sop_instance_uid, LOST, words))
        told(lost.sop_instance_uid, LOST)
        if in_a_row >= BREAKS_IN_A_ROW:
            result.broken = words
            return


def _refused(waiting: list[Outgoing], result: Result, told: OnEach) -> None:
    for one in waiting:
        result.failed.append((one.sop_instance_uid, NO_CONTEXT, _not_taken(one, set())))
        told(one.sop_instance_uid, NO_CONTEXT)


def _associated(
    peer: DicomPeer,
    contexts: list[PresentationContext],
    waiting: list[Outgoing],
    result: Result,
    told: OnEach,
    stop: threading.Event,
    originator: tuple[str, int] | None,
) -> str:
    """Send from the front of `waiting` until nothing waits; why the association ended before that, else nothing."""
    with association(peer, contexts) as opened:
        accepted = {(str(cx.abstract_syntax), str(cx.transfer_syntax[0])) for cx in opened.accepted_contexts}
        number = 0
        while waiting and not stop.is_set():
            number = number % 0xFFFF + 1
            status, words = send_one(opened, waiting[0], accepted, number, originator)
            if status is None:
                return words
            uid = waiting.pop(0).sop_instance_uid
            if good(status):
                result.sent.append(uid)
            else:
                result.failed.append((uid, status, words))
            told(uid, status)
    return ""


def send_one(
    opened: Association,
    one: Outgoing,
    accepted: set[tuple[str, str]],
    number: int,
    originator: tuple[str, int] | None,
) -> tuple[int | None, str]:
    """Send one object over an association: (status, words); no status: the association is over."""
    syntax = next((s for s in syntaxes_for(one) if (one.sop_class_uid, s) in accepted), None)
    if syntax is None:
        return NO_CONTEXT, _not_taken(one, accepted)
    aet, message = originator or (None, None)
    try:
        with _leaving(one, syntax) as path:
            answer = opened.send_c_store(path, number, originator_aet=aet, originator_id=message)
    except Broken as problem:
        return None, str(problem)
    except Exception as problem:  # of a stored object that no reader understands, whatever it stumbles over
        if not opened.is_established:
            return None, "the peer ended the association"
        return UNREADABLE, f"the stored object cannot be sent ({type(problem).__name__})"
    if "Status" not in answer:
        return None, "the peer ended the association over it, or does not answer"
    status = int(answer.Status)
    return status, in_words(status)


def good(status: int) -> bool:
    """Whether the peer has the object; a warning is an acknowledgement (PS3.4 B.2.3)."""
    return code_to_category(status) in ("Success", "Warning")


def in_words(status: int) -> str:
    """What a status of C-STORE means. The peer's own comment may name the patient, and is left out."""
    known = WORDS.get(status) or WORDS.get(status & 0xFF00) or WORDS.get(status & 0xF000)
    return f"the peer answered 0x{status:04X}" + (f" ({known})" if known else "")


def _not_taken(one: Outgoing, accepted: set[tuple[str, str]]) -> str:
    name = UID(one.sop_class_uid).name
    if all(sop_class != one.sop_class_uid for sop_class, _ in accepted):
        return f"the peer does not take {name}"
    return f"the peer does not take {name} in {UID(one.transfer_syntax_uid).name}"


@contextlib.contextmanager
def _leaving(one: Outgoing, syntax: str) -> Iterator[Path]:
    """The file as it is sent: the stored one, or one written for this peer."""
    if syntax == one.transfer_syntax_uid and not one.changes and _says_what_it_is(one.path, one, syntax):
        yield one.path
        return
    with _temporary() as made, _temporary() as named:
        with _pixels(one, syntax) as pixels:
            for piece in rewritten(one.path, transfer_syntax_uid=syntax, changes=one.changes, pixels=pixels):
                made.write(piece)
        made.flush()
        path = Path(made.name)
        if _says_what_it_is(path, one, syntax):
            yield path
        else:
            _name(made, named, one, syntax)
            yield Path(named.name)


@contextlib.contextmanager
def _pixels(one: Outgoing, syntax: str) -> Iterator[NativePixels | None]:
    """Decompressed where they have to be: in a child under the limits of every decoding, one at a time in this process."""
    if syntax == one.transfer_syntax_uid or not can_be_native(one.transfer_syntax_uid):
        yield None
        return
    with _decoding:
        yield decompressed(one.path, _child())


_decoding = threading.Lock()


@functools.cache
def _child() -> DecodeChild:
    """Begun when it is needed first; it ends with this process."""
    return DecodeChild(settings.FARVIEW_DECODE_BYTES or DECODE_BYTES, settings.FARVIEW_DECODE_SECONDS)


def _temporary() -> IO[bytes]:
    return tempfile.NamedTemporaryFile(dir=settings.FARVIEW_TMP_DIR, prefix="outgoing-")


def _says_what_it_is(path: Path, one: Outgoing, syntax: str) -> bool:
    """Whether the file's own meta information is what C-STORE will say: old files have none, some have another's."""
    try:
        meta, _ = split_dataset(path)
    except InvalidDicomError:
        return False
    said = (meta.get("MediaStorageSOPClassUID"), meta.get("MediaStorageSOPInstanceUID"), meta.get("TransferSyntaxUID"))
    return said == (one.sop_class_uid, one.sop_instance_uid, syntax)


def _name(made: IO[bytes], named: IO[bytes], one: Outgoing, syntax: str) -> None:
    """The same data set behind meta information (PS3.10 7.1) that says what it is."""
    _, offset = split_dataset(Path(made.name))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(one.sop_class_uid), UID(one.sop_instance_uid)
    meta.TransferSyntaxUID = UID(syntax)
    named.write(bytes(128) + b"DICM")
    write_file_meta_info(named, meta)
    made.seek(offset)
    shutil.copyfileobj(made, named, 1 << 20)
    named.flush()
